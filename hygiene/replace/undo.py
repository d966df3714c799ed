"""Undoing an edit without keeping its value: the original text, with the value left out.

What a journal keeps of an edit is where it lies afterwards and what stood there, as a list of pieces: text, or a
slice of a stored secret. With the store's value the original bytes come back, and a hash proves it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from hygiene.errors import ConflictError
from hygiene.replace.checks import edits_of
from hygiene.replace.edits import Edit, apply_edits
from hygiene.replace.encoding import read_text
from hygiene.replace.rewriters.protocol import Change, File, Rewrite
from hygiene.secret import Secret

_BASE64 = "base64"
_LONGEST = 20_000  # bytes; a longer value is compared too slowly, and is not one literal
_ESCAPING = frozenset(b"\\'\"$`\r\n \t+.")  # what quoting and joining add to a value; says nothing of it
_ESCAPES = re.compile(rb"\\[ntr]|\A[ntr]\Z")

Piece = str | tuple[str, int, int] | tuple[str, int, int, str]  # text (latin-1), or name, span and form of a value


class Inverse(NamedTuple):
    """How to undo one edit, in the UTF-8 form of the file after it."""

    start: int
    end: int
    pieces: tuple[Piece, ...]
    forward: str = ""  # for wiring, which holds no value: the text that the edit puts there (latin-1)


def inverses(file: File, rewrite: Rewrite, names: Mapping[int, str]) -> list[Inverse]:
    """Describe how to undo ``rewrite``; ``names`` gives each change (by its target's start) the stored name."""
    undone = []
    shift = 0
    for edit in edits_of(rewrite):
        start = edit.start + shift
        undone.append(Inverse(start, start + len(edit.replacement), tuple(_pieces(file, edit, rewrite, names))))
        shift += len(edit.replacement) - (edit.end - edit.start)
    return undone


def can_be_undone(file: File, change: Change) -> bool:
    """Say whether what ``change`` replaces can be told by its value and harmless text."""
    return all(_value_pieces(change, _written(file, edit, change), "") is not None for edit in change.edits)


def undo(content: bytes, undone: Sequence[Inverse], values: Mapping[str, Secret]) -> bytes:
    """Give the bytes as they were; raises :class:`ConflictError` for what is no text any more."""
    text = read_text(content)
    if text is None:
        raise ConflictError("the file is no text any more")
    edits = [Edit(one.start, one.end, b"".join(_bytes(piece, values) for piece in one.pieces)) for one in undone]
    return apply_edits(content, text.edits_of_original(edits))


def redo(content: bytes, undone: Sequence[Inverse]) -> bytes:
    """Do what ``undone`` undoes, for edits that hold no value."""
    text = read_text(content)
    if text is None:
        raise ConflictError("the file is no text")
    lengths = [sum(len(piece) for piece in one.pieces) for one in undone]  # pieces are text here, a byte a character
    edits = [
        Edit(one.start, one.start + length, one.forward.encode("latin-1"))
        for one, length in zip(undone, lengths, strict=True)
    ]
    return apply_edits(content, text.edits_of_original(edits))


def to_json(undone: Sequence[Inverse]) -> list[Any]:
    """Give a form for the journal."""
    return [[one.start, one.end, [_plain(piece) for piece in one.pieces], one.forward] for one in undone]


def from_json(document: Sequence[Any]) -> list[Inverse]:
    """Read the form of the journal."""
    return [
        Inverse(start, end, tuple(piece if isinstance(piece, str) else tuple(piece) for piece in pieces), forward)
        for start, end, pieces, forward in document
    ]


def _plain(piece: Piece) -> str | list[str | int]:
    return piece if isinstance(piece, str) else list(piece)


def _bytes(piece: Piece, values: Mapping[str, Secret]) -> bytes:
    if isinstance(piece, str):
        return piece.encode("latin-1")
    name, start, end, *form = piece
    value = values[name].reveal()[start:end]
    return base64.b64encode(value) if form == [_BASE64] else value


def _pieces(file: File, edit: Edit, rewrite: Rewrite, names: Mapping[int, str]) -> list[Piece]:
    change = next((one for one in rewrite.changes if edit in one.edits and edit.start < edit.end), None)
    if change is None:
        return [file.content[edit.start : edit.end].decode("latin-1")]
    pieces = _value_pieces(change, _written(file, edit, change), names[change.target.start])
    if pieces is None:
        raise ConflictError("an edit could not be undone")
    return pieces


def _written(file: File, edit: Edit, change: Change) -> tuple[bytes, bytes, bytes]:
    """Part the bytes that ``edit`` replaces: before the secret, the secret as written, after it."""
    content, value = file.content[edit.start : edit.end], change.value.reveal()
    at = content.find(value)
    if at >= 0:
        return content[:at], value, content[at + len(value) :]
    start = min(max(change.span[0], edit.start), edit.end) - edit.start
    end = max(min(change.span[1], edit.end) - edit.start, start)
    return content[:start], content[start:end], content[end:]


def _value_pieces(change: Change, parts: tuple[bytes, bytes, bytes], name: str) -> list[Piece] | None:
    before, written, after = parts
    value = change.value.reveal()
    pieces: list[Piece] = [before.decode("latin-1")] if before else []
    if written == value:
        pieces.append((name, 0, len(value)))
    elif base64.b64encode(value) == written:
        pieces.append((name, 0, len(value), _BASE64))
    elif written:
        slices = _slices(written, value, name)
        if slices is None:
            return None
        pieces += slices
    if after:
        pieces.append(after.decode("latin-1"))
    return pieces


def _slices(written: bytes, value: bytes, name: str) -> list[Piece] | None:
    if len(written) > _LONGEST:
        return None
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, written, value, autojunk=False)
    for tag, start, end, value_start, value_end in matcher.get_opcodes():
        text = written[start:end]
        if tag == "equal":
            pieces.append((name, value_start, value_end))
        elif tag != "insert" and text:
            if not set(_ESCAPES.sub(b"", text)) <= _ESCAPING:
                return None
            pieces.append(text.decode("latin-1"))
    return pieces
