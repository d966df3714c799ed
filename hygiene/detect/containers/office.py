"""The text of office documents, whose words may be split over elements: in them, a token is not in one piece."""

from __future__ import annotations

import re
from html import unescape

_PARTS = re.compile(r"!/(?:word/[\w-]+|xl/sharedStrings|xl/worksheets/[\w-]+|ppt/slides/[\w-]+|content)\.xml$")
_BREAK = re.compile(r"</(?:w:p|w:tab|w:br|si|row|c|a:p|text:p|text:h|table:table-cell)>|<(?:w:tab|w:br|a:br)/>")
_TAG = re.compile(r"<[^<>]*>")


def holds_text(path: str) -> bool:
    """Say whether ``path`` is the text of an OOXML or OpenDocument file."""
    return _PARTS.search(path) is not None


def text_of(xml: bytes) -> bytes:
    """Give the text of ``xml``: a line a paragraph or cell, without tags, entities resolved."""
    document = xml.decode("utf-8", "replace")
    return unescape(_TAG.sub("", _BREAK.sub("\n", document))).encode()
