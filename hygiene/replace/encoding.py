"""Files in whatever encoding, seen as UTF-8: offsets there and back.

Rewriters work on UTF-8 without a byte order mark. What is not UTF-8 is recoded for them, and the bytes that no
edit touches are taken from the original.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import NamedTuple

from hygiene.replace.edits import Edit

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFFED = 4096


class Text(NamedTuple):
    """A file's bytes, and the same as UTF-8."""

    original: bytes
    mark: bytes  # byte order mark
    codec: str
    utf8: bytes

    @property
    def newline(self) -> bytes:
        """The line end that most lines have."""
        ends = self.utf8.count(b"\n")
        if not ends and b"\r" in self.utf8:
            return b"\r"
        return b"\r\n" if self.utf8.count(b"\r\n") * 2 > ends else b"\n"

    def offset_in_utf8(self, offset: int) -> int:
        """Translate an offset in the original bytes."""
        body = offset - len(self.mark)
        if self.codec == "utf-8":
            return body
        return len(self.original[len(self.mark) : offset].decode(self.codec, "replace").encode())

    def offset_in_original(self, offset: int) -> int:
        """Translate an offset in the UTF-8 form."""
        if self.codec == "utf-8":
            return offset + len(self.mark)
        return len(self.mark) + len(self.utf8[:offset].decode().encode(self.codec))

    def edits_of_original(self, edits: Iterable[Edit]) -> list[Edit]:
        """Translate edits of the UTF-8 form; raises UnicodeEncodeError for what the file's encoding lacks."""
        return [
            Edit(
                self.offset_in_original(edit.start),
                self.offset_in_original(edit.end),
                edit.replacement if self.codec == "utf-8" else edit.replacement.decode().encode(self.codec),
            )
            for edit in edits
        ]


def read_text(original: bytes) -> Text | None:
    """See ``original`` as UTF-8, or None where it is no text (or its encoding can't be told)."""
    for mark, codec in _MARKS:
        if original.startswith(mark):
            return _recoded(original, mark, codec)
    if b"\0" in original[:_SNIFFED]:
        return _recoded(original, b"", _utf16_without_mark(original))
    try:
        original.decode()
        return Text(original, b"", "utf-8", original)
    except UnicodeDecodeError:
        # One byte a character, so offsets and ASCII are right whichever of the ISO or Windows code pages it is.
        return None if b"\0" in original else _recoded(original, b"", "latin-1")


def _recoded(original: bytes, mark: bytes, codec: str) -> Text | None:
    try:
        utf8 = original[len(mark) :].decode(codec).encode()
    except (UnicodeError, LookupError):
        return None
    return None if b"\0" in utf8 else Text(original, mark, codec, utf8)


def _utf16_without_mark(original: bytes) -> str:
    head = original[:_SNIFFED]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 5 and not odd else "no text"
