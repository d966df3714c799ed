"""SQL: the variables of the client that runs it, psql or sqlcmd, both of which read the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.hints import placeholder
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Rewrite, Skip, Style, Target, Token
from hygiene.secret import Secret

_TOKEN = re.compile(
    rb"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<string>[NEne]?'(?:[^']|'')*')|(?P<dollar>\$\w*\$.*?\$\w*\$)"
    rb"|(?P<name>\"[^\"]*\"|`[^`]*`)|(?P<word>\w+)|(?P<sign>[^\s\w])",
    re.DOTALL,
)
_PSQL = re.compile(
    rb"(?im)\b(?:create|alter)\s+(?:role|user)\b[^;]*\bpassword\b|^\\(?:c|connect|set|echo|i)\b|\bpg_|\bplpgsql\b|\bserial\b"
)
_SQLCMD = re.compile(rb"(?im)^\s*go\s*$|\bwith\s+password\s*=|\bN'")
_OTHER = re.compile(rb"(?i)\bidentified\s+by\b|\bengine\s*=|\bauto_increment\b|`")
_NO_CLIENT = (
    "the client that runs this SQL has no variables that the environment gives",
    "pass the secret by the program",
)


class Sql:
    """Rewrites SQL scripts."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give comments, strings, names and signs."""
        for match in _TOKEN.finditer(file.content):
            yield Token(str(match.lastgroup), *match.span())

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace whole strings, and parts of them for sqlcmd."""
        tokens = list(_TOKEN.finditer(file.content))
        outcomes = [_change(target, file, tokens) for target in targets]
        changes = [item for item in outcomes if isinstance(item, Change)]
        names = sorted({change.target.variable for change in changes if change.uses == "variable"})
        shared: tuple[Edit, ...] = ()
        if names and not _SQLCMD.search(file.content):
            lines = b"".join(f"\\getenv {name} {name}".encode() + file.newline for name in names)
            shared = (Edit(0, 0, lines),)
        return Rewrite(tuple(changes), tuple(item for item in outcomes if isinstance(item, Skip)), shared)


def _change(target: Target, file: File, tokens: Sequence[re.Match[bytes]]) -> Change | Skip:
    token = next((item for item in tokens if item.start() <= target.start and target.end <= item.end()), None)
    if token is None or token.lastgroup not in ("comment", "string"):
        return Skip(target, "it does not stand in a string", "pass the secret by the program that runs the SQL")
    if token.lastgroup == "comment":
        return placeholder(target, file, token.span())
    if re.search(r"(?:\A|/)[VU]\d[\w.]*__", file.path):
        return Skip(
            target, "it is a migration with a checksum", "add a migration that sets the secret anew, then rotate it"
        )
    opening = token.start() + token.group().index(b"'") + 1
    whole = (target.start, target.end) == (opening, token.end() - 1)
    value = Secret(file.content[target.start : target.end].replace(b"''", b"'"))
    hint = _hint(file.content[: token.start()])
    if _SQLCMD.search(file.content):
        edit = Edit(target.start, target.end, f"$({target.variable})".encode())
        reason = "run it with sqlcmd, under hygiene run"
        return Change(target, value, (edit,), token.span(), hint, grade=NEEDS_WIRING, reason=reason)
    if not whole or token.group()[:1] != b"'" or _OTHER.search(file.content) or not _PSQL.search(file.content):
        return Skip(target, *_NO_CLIENT)
    edit = Edit(token.start(), token.end(), f":'{target.variable}'".encode())
    reason = "run it with psql 14 or later, under hygiene run"
    return Change(target, value, (edit,), token.span(), hint, grade=NEEDS_WIRING, reason=reason)


def _hint(before: bytes) -> str:
    role = re.search(rb"(?i)\b(?:role|user|login)\s+[\"\[]?(\w+)[^;]{0,80}\Z", before)
    return f"{role[1].decode()}_password" if role else ""
