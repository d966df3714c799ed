"""``.env`` files: the value becomes a reference, and the manifest gives the variable its value.

``hygiene run`` sets the variable before the program starts, and the loaders of ``.env`` files (python-dotenv,
dotenv, node --env-file, compose, Rails) leave a variable alone that is set already. Since the environment holds
whole variables, the whole value is stored even where only a part of it (the password of a URL) is secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hygiene.replace.edits import Edit
from hygiene.replace.manifest import is_refused_variable
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.hints import placeholder
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, SAFE, Change, File, Rewrite, Skip, Style, Target, Token
from hygiene.secret import Secret

_ENTRY = re.compile(
    rb"""(?mx) ^[ \t]* (?: (?P<comment>\#[^\r\n]*)
      | (?P<export>export[ \t]+)? (?P<key>[A-Za-z_][A-Za-z0-9_.\-]*) [ \t]*[=:][ \t]*
        (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>[^']*)' | `(?P<back>[^`]*)` | (?P<bare>[^\r\n]*?) )
        (?P<rest>[ \t]*(?:[ \t]\#[^\r\n]*)?) (?=\r?$|\Z) )""",
    re.DOTALL,
)
_EXAMPLES = (".example", ".sample", ".dist", ".template", ".default")
_VALUES = ("double", "single", "back", "bare")


class Dotenv:
    """Rewrites ``.env`` files."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give keys, values and comments; a line that is none of them is an error."""
        position = 0
        for match in _ENTRY.finditer(file.content):
            yield from _gap(file, position, match.start())
            position = match.end()
            if match["comment"]:
                yield Token("comment", *match.span("comment"))
                continue
            yield Token("key", *match.span("key"))
            yield Token("value", match.end("key"), match.start("rest"))
        yield from _gap(file, position, len(file.content))

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace whole values."""
        changes: list[Change] = []
        skips: list[Skip] = []
        entries = list(_ENTRY.finditer(file.content))
        for target in targets:
            entry = next((item for item in entries if item.start() <= target.start and target.end <= item.end()), None)
            outcome = _changed(entry, target, file)
            if isinstance(outcome, Skip):
                skips.append(outcome)
            elif not any(outcome.edits == other.edits for other in changes):
                changes.append(outcome)
            else:
                changes.append(outcome._replace(edits=()))
        return Rewrite(tuple(changes), tuple(skips))


def _changed(entry: re.Match[bytes] | None, target: Target, file: File) -> Change | Skip:
    if entry is None:
        return Skip(target, "the line is not NAME=value", "write it as NAME=value and run migrate again")
    if entry["comment"]:
        return placeholder(target, file, entry.span("comment"))
    kind = next(name for name in _VALUES if entry[name] is not None)
    start, end = entry.span(kind)
    if target.start < start or target.end > end:
        return Skip(target, "it is not the value of the line", "remove it by hand")
    key, raw = entry["key"].decode(), entry[kind]
    value = unescaped(raw, b"ntrbfva\\'\"`$\n", keep_unknown=True) if kind == "double" else raw
    scope = (entry.end("key"), entry.start("rest"))
    if PurePosixPath(file.path).suffix in _EXAMPLES:
        edit = Edit(start, end, b"")
        return Change(target, Secret(raw), (edit,), scope, key, uses="nothing", written=(start, end))
    problem = _problem(key, kind, raw)
    if value is None or problem is not None:
        return Skip(target, *(problem or ("the value has escapes that can't be told", "quote it in single quotes")))
    return Change(
        target,
        Secret(value),
        (Edit(start, end, _quoted(target.reference, kind)),),
        scope,
        key,
        written=(start, end),
        demanded=True,
        grade=NEEDS_WIRING if entry["export"] else SAFE,
        reason=f"do not source this file after hygiene run has set {key}" if entry["export"] else "",
    )


def _problem(key: str, kind: str, raw: bytes) -> tuple[str, str] | None:
    expands = rb"(?<!\\)\$[A-Za-z{(]" if kind == "double" else rb"\$[{(]"
    if kind in ("double", "bare") and re.search(expands, raw):
        return "the value is made from other variables", "store the secret part in a variable of its own"
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) or is_refused_variable(key):
        return f"{key} can't be set from a manifest", "give the variable another name"
    return None


def _quoted(reference: str, kind: str) -> bytes:
    # Unquoted, some loaders take # for the begin of a comment.
    return f'"{reference}"'.encode() if kind == "bare" and "#" in reference else reference.encode()


def _gap(file: File, start: int, end: int) -> Iterator[Token]:
    for match in re.finditer(rb"[^\s][^\r\n]*", file.content[start:end]):
        yield Token("error", start + match.start(), start + match.end())
