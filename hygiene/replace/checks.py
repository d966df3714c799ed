"""The acceptance checks that every rewritten file must pass, or it is left as it was.

1. no new parse error, 2. the same tokens outside of what changed, 3. the value gone from there in every form,
4. encoding, byte order mark, line ends and final newline kept. The fifth, the project's own check, is a command
of the user's and runs after all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

from hygiene.replace.edits import Edit, apply_edits
from hygiene.replace.rewriters.protocol import Change, File, Rewrite, Rewriter, Token

_SHORTEST_FORM = 4  # a shorter value occurs by chance


def rewritten(file: File, rewrite: Rewrite) -> bytes:
    """Give the content of ``file`` with all edits of ``rewrite`` made."""
    return apply_edits(file.content, edits_of(rewrite))


def edits_of(rewrite: Rewrite) -> list[Edit]:
    """Give all edits of ``rewrite``, each once and in order."""
    own = [edit for change in rewrite.changes for edit in change.edits]
    return sorted(dict.fromkeys([*own, *rewrite.shared]), key=lambda edit: (edit.start, edit.end))


def failed_check(rewriter: Rewriter, file: File, rewrite: Rewrite) -> str:
    """Say which check the result fails, or an empty string when it passes all."""
    after = file._replace(content=rewritten(file, rewrite))
    edits = edits_of(rewrite)
    old, new = list(rewriter.tokens(file)), list(rewriter.tokens(after))
    if _errors(new) > _errors(old):
        return "the result would not parse"
    regions = _regions(rewrite)
    moved = [(_moved(edits, start, False), _moved(edits, end, True)) for start, end in regions]
    if list(_outside(file.content, old, regions)) != list(_outside(after.content, new, moved)):
        return "tokens outside of the secret would change"
    if not _is_gone(file, after, rewrite, edits):
        return "the value would still stand there"
    return _failed_form(file, after.content)


def _is_gone(file: File, after: File, rewrite: Rewrite, edits: Sequence[Edit]) -> bool:
    """Say whether no edit brings a value in any form, and each is found less often than before."""
    brought = b"\n".join(edit.replacement for edit in edits)
    for change in rewrite.changes:
        if any(form in brought for form in forms(change.value.reveal(), file.content, change)):
            return False
        written = file.content[slice(*change.span)]
        if len(written) >= _SHORTEST_FORM and after.content.count(written) >= file.content.count(written):
            return False
    return True


def forms(value: bytes, content: bytes, change: Change) -> Iterator[bytes]:
    """Give the forms in which ``value`` may stand in a file: raw, as written, base64, hex, URL-encoded."""
    written = content[slice(*change.span)]
    candidates = (
        value,
        written,
        base64.b64encode(value).rstrip(b"="),
        base64.urlsafe_b64encode(value).rstrip(b"="),
        binascii.hexlify(value),
        quote(value, safe="").encode(),
        quote_plus(value).encode(),
    )
    return (form for form in dict.fromkeys(candidates) if len(form) >= _SHORTEST_FORM)


def _errors(tokens: Iterable[Token]) -> int:
    return sum(token.kind == "error" for token in tokens)


def _regions(rewrite: Rewrite) -> list[tuple[int, int]]:
    spans = [change.scope for change in rewrite.changes]
    spans += [(edit.start, edit.end) for edit in edits_of(rewrite)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _moved(edits: Sequence[Edit], offset: int, after: bool) -> int:
    """Tell where ``offset`` lies once ``edits`` are made; ``after`` says whether insertions at it come before it."""
    shift = 0
    for edit in edits:
        if edit.end < offset or (edit.end == offset and (after or edit.start < offset)):
            shift += len(edit.replacement) - (edit.end - edit.start)
    return offset + shift


def _outside(
    content: bytes, tokens: Iterable[Token], regions: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, bytes]]:
    position = 0
    for token in tokens:
        while position < len(regions) and regions[position][1] <= token.start:
            position += 1
        touches = position < len(regions) and regions[position][0] < token.end
        if not touches and token.start < token.end and token.kind != "error":
            yield token.kind, content[token.start : token.end]


def _failed_form(file: File, after: bytes) -> str:
    before = file.content
    lone = before.count(b"\n") - before.count(b"\r\n")
    if file.newline == b"\r\n" and after.count(b"\n") - after.count(b"\r\n") != lone:
        return "line ends would change"
    if before.endswith(b"\n") != after.endswith(b"\n") and not _emptied(before, after):
        return "the final newline would change"
    return ""


def _emptied(before: bytes, after: bytes) -> bool:
    return not before or not after
