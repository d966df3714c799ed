"""Reads a user's gitleaks configuration into rules of ours, and says what could not be taken along.

Format: the TOML of gitleaks 8 (rules with regex, secretGroup, entropy, keywords, path, allowlists). Its patterns are
Go's RE2; ours are what Hyperscan and Python share, so flags in the middle, POSIX classes and ``\\z`` are rewritten.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hygiene.detect.rulefile import parse_rule_file
from hygiene.errors import ConfigError

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
}
_PROVIDER = '[provider]\nid = "gitleaks-import"\nname = "Imported from gitleaks"\n'
_PIECE = re.compile(
    r"\\.|\[(?:\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]|\(\?P?<\w+>|\(\?[a-zA-Z-]+\)|\(\?|\(|\)|\||.", re.DOTALL
)
_LITERAL = re.compile(r"[A-Za-z0-9_-]{3,}")


class Imported(NamedTuple):
    """A rule file's text, and what a reader should know about how it came about."""

    text: str
    notes: tuple[str, ...]
    rules: int
    skipped: int


def import_gitleaks(path: Path, taken: Container[str] = ()) -> Imported:
    """Read the gitleaks configuration at ``path``; rules whose ids are ``taken`` get others. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    entries = document.get("rules", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{path}: rules is not a list of tables, so this is no gitleaks configuration")
    texts: list[str] = []
    notes = list(_document_notes(document))
    skipped = 0
    for entry in entries:
        rule = _Rule(entry, taken)
        text = rule.text()
        notes += rule.notes
        if text:
            texts.append(text)
        else:
            skipped += 1
    return Imported("\n".join((_PROVIDER, *texts)), tuple(notes), len(texts), skipped)


def _document_notes(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("extend"):
        yield "note: [extend] is not followed: import the file that it names as well"
    if document.get("allowlist") or document.get("allowlists"):
        yield "note: the global allowlist is not taken along: write [[allow]] entries, each with a reason"


class _Rule:
    """One rule on its way from their format to ours."""

    def __init__(self, entry: Mapping[str, Any], taken: Container[str]) -> None:
        self._entry = entry
        self._id = re.sub(r"[^a-z0-9]+", "-", str(entry.get("id", "")).lower()).strip("-")
        self.notes: list[str] = []
        if self._id in taken:
            self._note(f"a rule of ours has this id: imported as gitleaks-{self._id}; leave it out where ours will do")
            self._id = f"gitleaks-{self._id}"

    def text(self) -> str:
        """Give the rule as TOML, or "" with a note on why there is none."""
        regex = self._entry.get("regex")
        if not self._id or not isinstance(regex, str) or not regex:
            return self._left_out("it has no regex (a rule on paths alone)")
        if self._entry.get("path"):
            self._note("its path condition is dropped: the rule now looks into every file")
        pattern = translate_regex(regex, self._entry.get("secretGroup", 0))
        keywords = self._keywords(pattern)
        if not keywords:
            return self._left_out("it has no keyword, and its pattern no fixed text to make one of")
        text = self._written(pattern, keywords)
        try:
            parse_rule_file((_PROVIDER + text).encode(), "gitleaks")
        except ConfigError as error:
            return self._left_out(error.message.removeprefix("gitleaks: "))
        return text

    def _written(self, pattern: str, keywords: list[str]) -> str:
        lines = [
            "[[rules]]",
            f"id = {json.dumps(self._id)}",
            f"description = {json.dumps(str(self._entry.get('description') or self._id), ensure_ascii=False)}",
            'severity = "high"',
            'confidence = "medium"',
            f"keywords = {json.dumps(keywords)}",
            f"pattern = {_quoted(pattern)}",
            'before = ""',
            'after = ""',
        ]
        if self._entry.get("entropy"):
            self._note(f"entropy {self._entry['entropy']} became the check for values that look drawn at random")
            lines.append('checksum = "random"')
        values = list(self._excluded())
        if values:
            lines.append(f"exclude = {{ values = [{', '.join(map(_quoted, values))}] }}")
        return "\n".join(lines) + "\n"

    def _keywords(self, pattern: str) -> list[str]:
        given = self._entry.get("keywords", [])
        if isinstance(given, list) and given and all(isinstance(word, str) and word for word in given):
            return given
        plain = re.sub(r"\[(?:\\.|[^\]\\])*\]|\\.|\(\?[^:)]*:?|\{[\d,]+\}", " ", pattern)
        found = [] if "|" in plain else _LITERAL.findall(plain)
        return [max(found, key=len).lower()] if found else []

    def _excluded(self) -> Iterator[str]:
        lists = self._entry.get("allowlists", [])
        one = self._entry.get("allowlist")
        for allow in [*lists, *([one] if one else [])]:
            if allow.get("paths") or allow.get("commits") or allow.get("condition", "OR").upper() == "AND":
                self._note("an allowlist of paths, commits or joint conditions is dropped: write [[allow]] for it")
            for word in allow.get("stopwords", []):
                yield "(?i)" + re.escape(word)
            if allow.get("regexTarget", "secret") in ("match", "line"):
                if allow.get("regexes"):
                    self._note("an allowlist on the whole line or match is dropped")
                continue
            for regex in allow.get("regexes", []):
                yield translate_regex(regex, -1)

    def _note(self, text: str) -> None:
        self.notes.append(f"{self._id}: {text}")

    def _left_out(self, reason: str) -> str:
        self.notes.append(f"{self._id or 'a rule without an id'}: left out: {reason}")
        return ""


def translate_regex(regex: str, secret_group: int) -> str:
    """Rewrite an RE2 pattern; group ``secret_group`` (0: the first) becomes the only one that captures, -1: none."""
    out: list[str] = []
    open_flags = [0]  # how many groups were opened for flags, at each depth
    captured = 0
    for found in _PIECE.finditer(regex):
        piece = found[0]
        if piece == "(" or piece.startswith(("(?P<", "(?<")):
            captured += 1
            out.append("(" if captured == max(secret_group, 1) and secret_group >= 0 else "(?:")
            open_flags.append(0)
        elif re.fullmatch(r"\(\?[a-zA-Z-]+\)", piece):
            out.append(piece[:-1] + ":")
            open_flags[-1] += 1
        elif piece == "(?":
            out.append(piece)
            open_flags.append(0)
        elif piece == ")":
            out.append(")" * (open_flags.pop() + 1 if len(open_flags) > 1 else 1))
        elif piece.startswith("["):
            out.append(re.sub(r"\[:(\w+):\]", lambda name: _POSIX.get(name[1], name[0]), piece))
        else:
            out.append({r"\z": "$", r"\A": "^", r"\C": "."}.get(piece, piece))
    return "".join(out) + ")" * open_flags[0]


def _quoted(pattern: str) -> str:
    return f"'''{pattern}'''" if "'''" not in pattern and not pattern.endswith("'") else json.dumps(pattern)
