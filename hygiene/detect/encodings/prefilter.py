"""What hints at encoded text, as patterns for the engine that matches the rules: a blob without a hit costs nothing.

Base64 is seen by its padding, by how common texts begin, and by the three images that each keyword of the rules has
in it (one for each place in a group of three bytes); hexadecimal by the keywords' digits; base32 by its length.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SHORTEST = 4  # digits of an image; shorter ones occur by chance
_WORDS = (b"password", b"passwd", b"secret", b"token", b"api_key", b"apikey", b"://", b"PRIVATE KEY")
_TOKEN = rb"[A-Za-z0-9_+/=-]"
_QUOTES = (b'"', b"'", b"`")
_SIGN = rb"(?:\+|\.\.?|&|~|\|\||<>)"


class Shape(NamedTuple):
    """One pattern that hints at an encoding."""

    encoding: str
    pattern: bytes  # in the syntax that Hyperscan and Python's re share
    keywords: tuple[bytes, ...]  # lower case; each match holds one (for the engine that looks for words first)


# What Hyperscan runs fast decides the forms: short counts of wide classes, and few of them.
_SHAPES = (
    Shape("base64", rb"[A-Za-z0-9+/]{20}==?[\n\"'<]", (b"=",)),
    Shape("base64", rb"[A-Za-z0-9+/]{20}==?$", (b"=",)),
    Shape(
        "base64",
        rb"(?:eyJ|LS0tLS1C|ewog|ewoi|PD94|W3si)[A-Za-z0-9+/_-]{20}",
        (b"eyj", b"ls0tls1c", b"ewog", b"ewoi", b"pd94", b"w3si"),
    ),
    Shape("base32", rb"[A-Z2-7]{32}(?:=|[^A-Za-z0-9+/=])", ()),
    Shape("base32", rb"[A-Z2-7]{32}$", ()),
    Shape("hex", rb"(?:\\x[0-9A-Fa-f]{2}){6}", (b"\\x",)),
    Shape("hex", rb"(?:0x[0-9A-Fa-f]{2},[ ]?){8}", (b"0x",)),
    Shape(
        "percent",
        rb"[A-Za-z0-9_.~:/-]%(?:2[13-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|7[B-Eb-e])[A-Za-z0-9_.~%-]{2}",
        (b"%",),
    ),
    Shape("percent", rb"(?:%[2-7][0-9A-Fa-f]){6}", (b"%",)),
    Shape("entity", rb"&#(?:x[2-7][0-9A-Fa-f]|3[3-9]|[4-9][0-9]|1[0-2][0-9]);[A-Za-z0-9_]{2}", (b"&#",)),
    Shape("entity", rb"&amp;(?i:sig|s[evp]=|key|token|secret|pass|pwd|auth|access|api|client|x-amz)", (b"&amp;",)),
    Shape("entity", rb"[=:;]&(?:quot|apos);[A-Za-z0-9_]{2}", (b"&",)),
    Shape("escape", rb"\\u00[2-7][0-9A-Fa-f]", (b"\\u00",)),
    Shape("escape", rb"[A-Za-z0-9]:\\/\\/[A-Za-z0-9]", (b":\\/\\/",)),
    Shape("escape", rb"\\\"[ ]?[:=][ ]?\\\"[A-Za-z0-9_]", (b"\\",)),
    Shape("quoted", rb"=(?:3D|5F|2E|2D|2B|2F|40)[\"']?[A-Za-z0-9_]{4}", (b"=3d", b"=5f", b"=2", b"=40")),
    Shape("quoted", rb"[A-Za-z0-9_]{4}=\r?\n[A-Za-z0-9_]{4}", (b"=",)),
    Shape(
        "joined",  # with a sign, also over a line break
        rb"%s{3}[\"'`][ \t]{0,8}(?:%s[ \t]{0,8}(?:\\?\r?\n[ \t]{0,80})?|\\?\r?\n[ \t]{0,80}%s[ \t]{0,8})"
        rb"[fFrRbBuU@$]?[\"'`]%s{3}" % (_TOKEN, _SIGN, _SIGN, _TOKEN),
        _QUOTES,
    ),
    Shape(
        "joined",  # side by side
        rb"%s{3}[\"'`](?:[ \t]{1,8}|[ \t]{0,8}\\?\r?\n[ \t]{0,80})[fFrRbBuU@$]?[\"'`]%s{4}" % (_TOKEN, _TOKEN),
        _QUOTES,
    ),
    Shape("joined", rb"%s{4}\\\r?\n[ \t]{0,80}%s{4}" % (_TOKEN, _TOKEN), (b"\\",)),
    Shape("utf-16-le", rb"(?:^|[\x00-\xff][\x01-\xff]|[\x00-\x1f]\x00)(?:[\x20-\x7e]\x00){8}", (b"\0",)),
    Shape("utf-16-be", rb"(?:^|[\x01-\xff][\x00-\xff]|\x00[\x00-\x1f])(?:\x00[\x20-\x7e]){8}", (b"\0",)),
    Shape("manifest", rb"kind[\"']?:[ ]{0,4}[\"']?Secret[\"'\s,]", (b"secret",)),
)


def hints(keywords: Iterable[bytes]) -> tuple[Shape, ...]:
    """Give the patterns that hint at encoded text, for rules with these ``keywords``."""
    words = sorted({form for word in {*filter(_is_head, keywords), *_WORDS} for form in _forms(word)})
    images = sorted({image for word in words for image in base64_images(word)})
    twice = sorted({image for once in images for image in base64_images(once.encode())})
    digits = sorted({binascii.hexlify(word).decode() for word in words if len(word) >= 4})
    return (
        *_SHAPES,
        *_alternatives("base64", b"(?:%s)", images),
        *_alternatives("base64", b"(?:%s)", twice),
        *_alternatives("hex", b"(?i)(?:%s)", digits),
    )


def _alternatives(encoding: str, frame: bytes, texts: list[str]) -> Iterator[Shape]:
    for at in range(0, len(texts), 100):
        some = [text.encode() for text in texts[at : at + 100]]
        pattern = frame % b"|".join(re.escape(text) for text in some)
        yield Shape(encoding, pattern, tuple(sorted({text.lower() for text in some})))


def _is_head(keyword: bytes) -> bool:
    """Say whether ``keyword`` begins a token rather than names a provider: a name alone is no sign of a secret."""
    return not (keyword.isalpha() and keyword.islower())


def _forms(word: bytes) -> set[bytes]:
    """Give ``word`` as it is, and as people write it where it is a word rather than a token's head."""
    return {word, word.lower(), word.upper(), word.capitalize()} if word.isalpha() and len(word) > 4 else {word}


def base64_images(word: bytes) -> Iterator[str]:
    """Give the base64 digits that ``word`` alone decides, for each place in a group of three bytes."""
    for before in range(3):
        encoded = binascii.b2a_base64(bytes(before) + word, newline=False).rstrip(b"=").decode()
        first = (8 * before + 5) // 6
        last = (8 * (before + len(word))) // 6
        if last - first >= _SHORTEST:
            yield encoded[first:last]
