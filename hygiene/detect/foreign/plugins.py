"""A project's own detect-secrets plugins in a scan: what its baseline names with a ``path``. Their code runs here.

So they are loaded only when a person names the file: a scan by itself never runs code of what it scans. The plugins
that come with detect-secrets are left out, since our rules stand for them.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from detect_secrets.core.plugins.util import get_plugins_from_module
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.settings import get_settings

from hygiene.detect.examine import Examiner
from hygiene.detect.fingerprint import fingerprint
from hygiene.detect.lines import position
from hygiene.detect.marks import find_mark
from hygiene.detect.match import Engine, Hit, Pattern
from hygiene.detect.sources.protocol import Blob
from hygiene.errors import ConfigError

_SCHEME = "file://"
_HEAD = 8192  # bytes in which a zero tells a binary file, as git does
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def load_plugins(file: Path) -> list[BasePlugin]:
    """Load the own plugins that the baseline ``file`` names; paths are meant from its folder, as ``file://a/b.py``.

    Runs their code. Raises ConfigError for a file that is no such baseline, or a plugin that can't be loaded.
    """
    try:
        entries = json.loads(file.read_bytes())["plugins_used"]
        own = [entry for entry in entries if "path" in entry]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file} is no baseline of detect-secrets: {type(error).__name__}") from error
    if not own:
        raise ConfigError(f"{file} names no plugin with a path", hint="those of detect-secrets itself are not run")
    get_settings().filters.clear()  # one of them lets a plugin ask the network whether a value is live
    return [_plugin(entry, file.parent) for entry in own]


def _plugin(entry: dict[str, Any], folder: Path) -> BasePlugin:
    name = str(entry.get("name", ""))
    try:
        module = _module(folder / str(entry["path"]).removeprefix(_SCHEME))
        found = cast(Iterator[type[BasePlugin]], get_plugins_from_module(module))
        kinds = {kind.__name__: kind for kind in found}
        if name not in kinds:
            raise LookupError(f"it is not in {entry['path']}")
        return kinds[name](**{key: value for key, value in entry.items() if key not in ("name", "path")})
    except Exception as error:
        raise ConfigError(f"the plugin {name} can't be loaded: {type(error).__name__}: {error}") from error


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"detect_secrets_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class PluginExaminer(Examiner):
    """Examines blobs with the rules, and line by line with plugins; a value that a rule has found is not told twice."""

    def __init__(
        self, engine: Engine, key: Callable[[], bytes], min_confidence: str, plugins: Sequence[BasePlugin]
    ) -> None:
        """Take ``plugins`` beside what :class:`Examiner` takes."""
        super().__init__(engine, key, min_confidence)
        self._plugins = plugins
        self._first = len(engine.patterns)
        self.patterns = (*engine.patterns, *map(_pattern, plugins))

    def examine(self, blob: Blob) -> list[Hit]:
        """Give the hits of rules and plugins in one blob."""
        hits = super().examine(blob)
        if self.least == "high" or b"\0" in blob.data[:_HEAD]:
            return hits
        theirs = [
            hit for hit in self._theirs(blob) if all(hit.end <= ours.start or ours.end <= hit.start for ours in hits)
        ]
        return sorted((*hits, *theirs), key=lambda hit: hit.start) if theirs else hits

    def _theirs(self, blob: Blob) -> Iterator[Hit]:
        start = 0
        for number, line in enumerate(blob.data.splitlines(keepends=True), blob.line):
            text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            for index, plugin in enumerate(self._plugins):
                for value in _found(plugin, blob.path, text, number):
                    place = line.find(value)
                    if place >= 0:
                        yield self._hit(blob, self._first + index, start + place, value)
            start += len(line)

    def _hit(self, blob: Blob, rule: int, start: int, value: bytes) -> Hit:
        pattern = self.patterns[rule]
        name = fingerprint(self._key(), pattern.family, value)
        line, column = position(blob.data, start, blob.line, blob.column)
        line_end, column_end = position(value, len(value), line, column)
        mark = find_mark(blob.data, start, start + len(value), pattern.id, name)
        return Hit(
            blob=blob.id,
            path=blob.path,
            rule=rule,
            start=blob.start + start,
            end=blob.start + start + len(value),
            line_start=line,
            column_start=column,
            line_end=line_end,
            column_end=column_end,
            secret=value,
            fingerprint=name,
            confidence=pattern.confidence,
            reasons=("found by a detect-secrets plugin of the project",),
            encoding="",
            allowed=mark.reason if mark else "",
        )


def _found(plugin: BasePlugin, path: str, line: str, number: int) -> Iterator[bytes]:
    """Give the values that ``plugin`` sees in a line. Raises ConfigError where it fails, without the line."""
    try:
        for secret in plugin.analyze_line(filename=path, line=line, line_number=number):
            if secret.secret_value:
                yield secret.secret_value.encode("utf-8", "surrogateescape")
    except Exception as error:
        problem = f"the plugin {type(plugin).__name__} fails at {path}:{number}: {type(error).__name__}"
        raise ConfigError(problem) from error


def _pattern(plugin: BasePlugin) -> Pattern:
    name = "detect-secrets-" + "-".join(_WORDS.findall(type(plugin).__name__)).lower()
    return Pattern(name, str(plugin.secret_type), "high", "medium", b"", 0, family=name)
