"""The part of regular expressions that Hyperscan and Python's ``re`` read alike, as a small tree."""

from __future__ import annotations

import re
from typing import NamedTuple

_ANY = (1 << 256) - 1
_NEWLINE = 1 << 10
_MAX_REPEAT = 32_000  # Hyperscan's own bound lies a little higher


def _mask(characters: bytes) -> int:
    mask = 0
    for character in characters:
        mask |= 1 << character
    return mask


_DIGITS = _mask(b"0123456789")
_SPACES = _mask(b" \t\n\r\f\v")
_LETTERS = _mask(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORDS = _DIGITS | _LETTERS | _mask(b"_")
_CLASSES = {
    "d": _DIGITS,
    "D": _ANY & ~_DIGITS,
    "w": _WORDS,
    "W": _ANY & ~_WORDS,
    "s": _SPACES,
    "S": _ANY & ~_SPACES,
}
_CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7}
_FLAG_GROUP = re.compile(r"\?(?:([is]+)?(?:-([is]+))?:|P<\w+>|([is]+)\))")
_BOUNDS = re.compile(r"\{(\d{1,5})(?:(,)(\d{0,5}))?\}")


class PatternError(ValueError):
    """The pattern is outside of the shared syntax, or could take too long (see ``backtracking``)."""


class Node(NamedTuple):
    """A part of a pattern: ``kind`` is set, seq, alt, repeat or anchor."""

    kind: str
    mask: int = 0  # of a set: the bytes it matches, one bit each
    parts: tuple[Node, ...] = ()
    least: int = 1
    most: int = 1  # -1: no end


def parse_pattern(pattern: bytes) -> Node:
    """Read ``pattern`` into a tree; raises PatternError for what the two engines would not read alike."""
    return _Parser(pattern.decode("latin-1")).parse()


def width(node: Node) -> tuple[int, int]:
    """Give the least and the greatest number of bytes that ``node`` matches; -1 where there is no greatest."""
    if node.kind == "set":
        return 1, 1
    if node.kind == "anchor":
        return 0, 0
    inner = [width(part) for part in node.parts]
    if node.kind == "alt":
        most = [high for _, high in inner]
        return min(low for low, _ in inner), -1 if -1 in most else max(most)
    if node.kind == "repeat":
        low, high = inner[0]
        return low * node.least, -1 if -1 in (high, node.most) else high * node.most
    highs = [high for _, high in inner]
    return sum(low for low, _ in inner), -1 if -1 in highs else sum(highs)


class _Parser:
    """Recursive descent over the text of a pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._fold = False
        self._dotall = False

    def parse(self) -> Node:
        node = self._alternatives()
        if self._at < len(self._text):
            raise PatternError("has a ')' without a '('")
        return node

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise PatternError("ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _alternatives(self) -> Node:
        branches = [self._sequence()]
        while self._peek() == "|":
            self._take()
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else Node("alt", parts=tuple(branches))

    def _sequence(self) -> Node:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return Node("seq", parts=tuple(parts))

    def _repeated(self, node: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        if self._peek() == "?":
            self._take()
        elif self._peek() == "+" or self._bounds() is not None:
            raise PatternError("uses a possessive or doubled repeat, which Hyperscan lacks")
        if bounds[1] > _MAX_REPEAT:
            raise PatternError(f"repeats more than {_MAX_REPEAT} times")
        return Node("repeat", parts=(node,), least=bounds[0], most=bounds[1])

    def _bounds(self) -> tuple[int, int] | None:
        sign = self._peek()
        if sign in ("*", "+", "?"):
            self._take()
            return {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[sign]
        found = _BOUNDS.match(self._text, self._at)
        if found is None:
            if sign == "{":
                raise PatternError("has a '{' that is no repeat; write \\{")
            return None
        self._at = found.end()
        low = int(found[1])
        return low, (low if not found[2] else int(found[3]) if found[3] else -1)

    def _atom(self) -> Node:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return Node("set", self._class())
        if character == ".":
            return Node("set", _ANY if self._dotall else _ANY & ~_NEWLINE)
        if character in "^$":
            return Node("anchor")
        if character == "\\":
            return self._escape()
        if character in "*+?":
            raise PatternError("repeats nothing")
        return Node("set", self._folded(1 << ord(character)))

    def _group(self) -> Node:
        fold, dotall = self._fold, self._dotall
        if self._peek() == "?":
            found = _FLAG_GROUP.match(self._text, self._at)
            if found is None:
                raise PatternError("uses a group that Hyperscan lacks (look-around, condition, atomic, comment)")
            self._set_flags((found[1] or "") + (found[3] or ""), found[2] or "")
            opening = self._at - 1
            self._at = found.end()
            if found[3]:
                if opening:
                    raise PatternError("sets flags for the whole pattern elsewhere than at its start")
                return Node("anchor")
        node = self._alternatives()
        if self._peek() != ")":
            raise PatternError("has a '(' without a ')'")
        self._take()
        self._fold, self._dotall = fold, dotall
        return node

    def _set_flags(self, on: str, off: str) -> None:
        self._fold = ("i" in on or self._fold) and "i" not in off
        self._dotall = ("s" in on or self._dotall) and "s" not in off

    def _escape(self) -> Node:
        if self._peek() in ("b", "B"):
            self._take()
            return Node("anchor")
        return Node("set", self._folded(self._escaped()))

    def _escaped(self) -> int:
        character = self._take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return 1 << _CONTROLS[character]
        if character == "x":
            digits = self._text[self._at : self._at + 2]
            if not re.fullmatch(r"[0-9A-Fa-f]{2}", digits):
                raise PatternError("has a \\x without two hexadecimal digits")
            self._at += 2
            return 1 << int(digits, 16)
        if character.isalnum():
            raise PatternError(f"uses \\{character}, which the two engines do not read alike")
        return 1 << ord(character)

    def _class(self) -> int:
        negated = self._peek() == "^"
        if negated:
            self._take()
        mask = 0
        first = True
        while first or self._peek() != "]":
            first = False
            mask |= self._class_item()
        self._take()
        mask = self._folded(mask)
        return _ANY & ~mask if negated else mask

    def _class_item(self) -> int:
        if self._peek() == "[" and self._text[self._at + 1 : self._at + 2] in (":", ".", "="):
            raise PatternError("uses a POSIX class such as [:alpha:]")
        if self._text[self._at : self._at + 2] in ("--", "&&", "||", "~~"):
            raise PatternError("has a doubled sign in a class, which may one day be a set operation; escape it")
        low = self._class_character()
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] == "]":
            return low
        self._take()
        high = self._class_character()
        if low.bit_count() != 1 or high.bit_count() != 1 or high < low:
            raise PatternError("has a range in a class that is none")
        return (high << 1) - low

    def _class_character(self) -> int:
        character = self._take()
        if character != "\\":
            return 1 << ord(character)
        if self._peek() == "b":
            raise PatternError("has \\b inside a class; write \\x08")
        return self._escaped()

    def _folded(self, mask: int) -> int:
        if not self._fold:
            return mask
        upper = mask & (((1 << 26) - 1) << 65)
        lower = mask & (((1 << 26) - 1) << 97)
        return mask | upper << 32 | lower >> 32
