"""The little language of the examples in rule files: text with fillers, written anew at every check.

``ghp_{b62:30}{crc62}`` is four fixed characters, thirty drawn ones and a checksum over what the last filler drew.
A filler is a name and arguments, parted by colons; ``{{`` and ``}}`` are braces. `docs/rules.md` lists them.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Mapping
from random import Random

from hygiene.detect.checksums import crc, structure
from hygiene.detect.checksums.randomness import check_random
from hygiene.detect.generators.keys import pem, pkcs12
from hygiene.detect.generators.tokens import GENERATORS, Generator, digest_of

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALPHABETS: Mapping[str, str] = {
    "b62": _LOWER + _UPPER + _DIGITS,
    "b64": _LOWER + _UPPER + _DIGITS + "+/",
    "b64u": _LOWER + _UPPER + _DIGITS + "-_",
    "b58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "b32": _UPPER + "234567",
    "b32l": _LOWER + "234567",
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "lc36": _LOWER + _DIGITS,
    "uc36": _UPPER + _DIGITS,
    "lc": _LOWER,
    "uc": _UPPER,
    "az": _LOWER + _UPPER,
    "dig": _DIGITS,
    "print": _LOWER + _UPPER + _DIGITS + "!#%&()*,-./:;<=>?@^_|~",
}
SUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc62": crc.crc62_tail,
    "crc36": crc.base36_tail,
    "crc-hex": crc.hex_tail,
    "crc-HEX": lambda covered: crc.hex_tail(covered).upper(),
    "crc-hex-little": crc.hex_little_tail,
    "crc-b64-little": crc.base64_little_tail,
    "sha256-b32": structure.github_fine_grained_tail,
    "xor62": structure.cargo_publishing_tail,
}
_KEYS: Mapping[str, Generator] = {"pem": pem, "pkcs12": pkcs12}
_FILLER = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_TRIES = 50


class TemplateError(ValueError):
    """The template names no filler that there is, or closes no brace."""


def fill_template(template: str, seed: str) -> str:
    """Write out ``template``; the same ``seed`` gives the same text. Raises TemplateError."""
    return _Writer(Random(seed)).write(template)  # noqa: S311 (nothing here is to be kept secret)


class _Writer:
    """What has been written so far, and which part a checksum covers."""

    def __init__(self, source: Random) -> None:
        self._source = source
        self._text = ""
        self._drawn = (0, 0)  # the span that the last filler drew
        self._from: int | None = None
        self._to: int | None = None

    def write(self, template: str) -> str:
        place = 0
        for found in _FILLER.finditer(template):
            self._literal(template[place : found.start()])
            self._fill(found[1]) if found[1] else self._literal(found[0][0], checked=True)
            place = found.end()
        self._literal(template[place:])
        return self._text

    def _literal(self, text: str, *, checked: bool = False) -> None:
        if not checked and ("{" in text or "}" in text):
            raise TemplateError(f"has a single brace near {text[:20]!r}; write {{{{ or }}}}")
        self._text += text

    def _fill(self, filler: str) -> None:
        name, *arguments = filler.split(":")
        if name == "from":
            self._from = len(self._text)
        elif name == "to":
            self._to = len(self._text)
        elif name == "spoil":
            self._spoil(int(arguments[0]) if arguments else None)
        elif name in SUMS or name == "supabase":
            self._text += self._sum(name, arguments)
        else:
            start = len(self._text)
            self._text += self._drawn_text(name, arguments)
            self._drawn = (start, len(self._text))

    def _drawn_text(self, name: str, arguments: list[str]) -> str:
        if name in ALPHABETS:
            return self._random(ALPHABETS[name], *_length(arguments))
        if name == "fill":
            return (arguments[0] * int(arguments[1]))[: int(arguments[1])]
        if name in ("escaped", "indented", "oneline", "base64"):
            return _QUOTINGS[name](self._drawn_text(arguments[0], arguments[1:]))
        if name == "digest":
            return digest_of(str(self._source.random()))
        generator = GENERATORS.get(name) or _KEYS.get(name)
        if generator is None:
            raise TemplateError(f"names an unknown filler: {name!r}")
        return generator(self._source, *arguments)

    def _random(self, alphabet: str, least: int, most: int) -> str:
        """Draw a text that does not look written by chance, as one in a hundred would."""
        for _ in range(_TRIES):
            text = "".join(self._source.choices(alphabet, k=self._source.randint(least, most)))
            if check_random(text.encode()) is None:
                break
        return text

    def _sum(self, name: str, arguments: list[str]) -> str:
        start, end = self._drawn if self._from is None else (self._from, self._to or len(self._text))
        covered = self._text[start:end].encode()
        if name == "supabase":
            return structure.supabase_tail(arguments[0].encode(), covered).decode()
        return SUMS[name](covered).decode()

    def _spoil(self, offset: int | None) -> None:
        """Change one character of what the last filler drew: the middle one, or the one at ``offset``."""
        place = sum(self._drawn) // 2 if offset is None else self._drawn[0] + offset
        character = self._text[place]
        kind = next((kind for kind in (_DIGITS, _LOWER, _UPPER) if character in kind), _LOWER)
        other = kind[(kind.find(character) + 1) % len(kind)]
        self._text = self._text[:place] + other + self._text[place + 1 :]


def _length(arguments: list[str]) -> tuple[int, int]:
    try:
        least, _, most = arguments[0].partition("-")
        return int(least), int(most or least)
    except (IndexError, ValueError) as error:
        raise TemplateError("a filler of characters needs a length, such as {hex:32} or {b62:20-40}") from error


_QUOTINGS: Mapping[str, Callable[[str], str]] = {
    "escaped": lambda text: text.replace("\n", "\\n"),
    "indented": lambda text: text.replace("\n", "\n    "),
    "oneline": lambda text: text.replace("\n", " "),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
