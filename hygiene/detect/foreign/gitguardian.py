"""``.gitguardian.yaml`` of ggshield: ignored matches, by value or by the SHA-256 that it prints, and ignored paths.

Its SHA-256 is of ``VALUE,TYPE`` for each value of a finding. The types of single values are tried; those of several
values (an id and its secret) can't be told from one of them, and are reported as unmatched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import yaml

from hygiene.detect.foreign.protocol import Known
from hygiene.detect.globs import matches_any
from hygiene.errors import ConfigError
from hygiene.finding import Finding

_TYPES = (
    "apikey",
    "token",
    "password",
    "secret",
    "client_secret",
    "connection_uri",
    "uri",
    "webhook_url",
    "private_key",
)


def read(text: bytes) -> Sequence[Known]:
    """Read what the file ignores, in the first and the second version of its format. Raises ConfigError."""
    try:
        document = _plain(yaml.safe_load(text) or {})
        section = document.get("secret") or document
        matches = [*(section.get("ignored_matches") or ()), *(section.get("matches_ignore") or ())]
        paths = [*(section.get("ignored_paths") or ()), *(section.get("paths_ignore") or ())]
        return [*map(_known_match, matches), *map(_known_path, paths)]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"this is no configuration of ggshield: {type(error).__name__}") from error


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Give ``document`` with underscores in its names: ggshield reads both spellings."""
    return {
        name.replace("-", "_"): _plain(value) if isinstance(value, dict) else value for name, value in document.items()
    }


def _known_match(item: Any) -> Known:
    match, name = (item, "") if isinstance(item, str) else (str(item["match"]), str(item.get("name") or ""))

    def covers(finding: Finding) -> bool:
        return match in _names_of(finding)

    is_digest = len(match) == 64  # else it is a value: not to be shown
    return Known(match if is_digest else name or "an ignored match", covers, f"ignored by ggshield {name}".rstrip())


def _names_of(finding: Finding) -> Iterator[str]:
    value = finding.secret.reveal().decode("utf-8", "surrogateescape")
    yield value
    for kind in _TYPES:
        yield sha256(f"{value},{kind}".encode("utf-8", "surrogateescape")).hexdigest()


def _known_path(pattern: Any) -> Known:
    path = str(pattern)
    globs: tuple[str, ...] = (path[1:],) if path.startswith("/") else (path, f"**/{path}")
    globs = tuple(glob + "**" if glob.endswith("/") else glob for glob in globs)
    return Known(path, lambda finding: matches_any(finding.path, globs), "in a path that ggshield ignores")
