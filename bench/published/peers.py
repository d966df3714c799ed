"""The examples in other scanners' own sources, read from a folder at run time: none of them is kept here."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from bench.published import python
from bench.published.drawn import drawn
from bench.published.golang import Call, Reader, Unknown, Value, formatted

_NAMED = re.compile(r"^\s*(?:const|var)?\s*(\w+)\s*(?:string\s*)?:?=\s*(?=[`\"\w])", re.MULTILINE)
_SETS = re.compile(r"^\s*(tps|fps)\s*:?=\s*", re.MULTILINE)
_CASE = re.compile(r"\binput:\s*(.+?),\n\s*want:\s*(nil|\[\]string\{\}|\[\]string\{)", re.DOTALL)
_CLASSES = {
    "Numeric": "[0-9]", "Hex": "[a-f0-9]", "AlphaNumeric": "[a-z0-9]", "AlphaNumericExtendedShort": "[a-z0-9_-]",
    "AlphaNumericExtended": "[a-z0-9=_-]", "AlphaNumericExtendedLong": "[a-z0-9/=_+-]",
}  # fmt: skip
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TEMPLATE = re.compile(r'"[^"]+":\s+("(?:[^"\\]|\\.)*"|`[^`]*`)')


class Published(NamedTuple):
    """What a scanner's authors say of a text."""

    type: str  # theirs
    text: str
    credential: bool


class Reading(NamedTuple):
    """All examples that could be read, and how many expressions could not."""

    found: list[Published]
    unread: int


def read_kingfisher(folder: Path) -> Reading:
    """Read the examples in Kingfisher's rules (version 1, data/rules/*.yml)."""
    found = []
    for path in sorted(folder.rglob("*.yml")):
        rules = (yaml.safe_load(path.read_text()) or {}).get("rules", ())
        for rule in rules:
            for key, credential in (("examples", True), ("negative_examples", False)):
                found += [Published(rule["id"], str(text), credential) for text in rule.get(key) or ()]
    return Reading(found, 0)


def read_gitleaks(folder: Path) -> Reading:
    """Read and draw the true and false positives in gitleaks' rules (cmd/generate/config)."""
    source = Random("gitleaks")
    calls = _gitleaks_calls(folder, source)
    found, unread = [], 0
    for path in sorted(folder.rglob("rules/*.go")):
        text = path.read_text()
        for place in _SETS.finditer(text):
            rule = re.findall(r'RuleID:\s*"([^"]+)"', text[: place.start()])
            names: dict[str, Value] = {"tps": [], "fps": []}
            try:
                value, _ = Reader(names, calls).value(text, place.end())
            except (Unknown, ValueError):
                unread += 1
                continue
            texts = value if isinstance(value, list) else [value]
            found += [Published(rule[-1] if rule else path.stem, each, place[1] == "tps") for each in texts]
    return Reading(found, unread)


def _gitleaks_calls(folder: Path, source: Random) -> dict[str, Call]:
    def new_secret(pattern: str) -> str:
        return drawn(re.sub(r"\(\?[a-z]+\)", "", pattern), source)

    templates = _gitleaks_templates(folder)

    def samples(identifier: str, secret: str) -> list[str]:
        return [
            text.replace("{i}", identifier).replace("{I}", identifier.upper()).replace("{s}", secret)
            for text in templates
        ]

    def appended(first: Value, *more: Value) -> list[str]:
        parts = (first, *more)
        return [text for part in parts for text in (part if isinstance(part, list) else [part])]

    calls: dict[str, Call] = {
        "secrets.NewSecret": new_secret,
        "newPlausibleSecret": new_secret,
        "utils.GenerateSampleSecret": lambda name, secret: f'{name}_api_token = "{secret}"',
        "utils.GenerateSampleSecrets": samples,
        "utils.Hex8_4_4_4_12": lambda: _UUID,
        "fmt.Sprintf": formatted,
        "append": appended,
    }
    for name, letters in _CLASSES.items():
        calls[f"utils.{name}"] = lambda size, letters=letters: f"{letters}{{{size}}}"
    return calls


def _gitleaks_templates(folder: Path) -> list[str]:
    """Give the surroundings that gitleaks puts a secret into."""
    text = next(iter(folder.rglob("utils/generate.go"))).read_text()
    body = text[text.index("samples := map[string]string{") : text.index("replacer :=")]
    body = "".join(line for line in body.splitlines(keepends=True) if not line.lstrip().startswith("//"))
    reader = Reader({}, {})
    return [str(reader.value(literal, 0)[0]) for literal in _TEMPLATE.findall(body)]


def read_detect_secrets(folder: Path) -> Reading:
    """Read the cases in the tests of detect-secrets' plugins (tests/plugins/*_test.py)."""
    found, unread = [], 0
    for path in sorted(folder.rglob("tests/plugins/*_test.py")):
        for case in python.cases(path.read_text()):
            if case is None:
                unread += 1
            else:
                found.append(Published(path.stem.removesuffix("_test"), *case))
    return Reading(found, unread)


def read_trufflehog(folder: Path) -> Reading:
    """Read the pattern tests of TruffleHog's detectors (pkg/detectors/**/*_test.go)."""
    found, unread = [], 0
    for path in sorted(folder.rglob("*_test.go")):
        text = path.read_text(errors="replace")
        if path.stem.endswith("integration_test") or "input" not in text:
            continue
        reader = Reader(_names(text), {"fmt.Sprintf": formatted})
        for case in _CASE.finditer(text):
            try:
                value, _ = reader.value(case[1] + " ;", 0)
            except Unknown:
                unread += 1
                continue
            kind = path.parent.parent.name if re.fullmatch(r"v\d", path.parent.name) else path.parent.name
            found.append(Published(kind, str(value), case[2] == "[]string{"))
    return Reading(found, unread)


def _names(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for found in _NAMED.finditer(text):
        try:
            names.setdefault(found[1], Reader(names, {"fmt.Sprintf": formatted}).value(text, found.end())[0])
        except Unknown:
            continue
    return names
