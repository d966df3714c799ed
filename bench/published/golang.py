"""The little of Go that tests of scanners are written in: strings, their sums, and calls that are known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_TOKEN = re.compile(r'\s*(?://[^\n]*\n\s*)*(`[^`]*`|"(?:[^"\\\n]|\\.)*"|[A-Za-z_][\w.]*|[+(),{}\[\]]|\.\.\.|\S)')
_CLOSING = {"{": "}", "(": ")", "[": "]"}

Value = str | list[str]
Call = Callable[..., Value]


class Unknown(ValueError):
    """An expression that takes more of Go than this."""


class Reader(NamedTuple):
    """Reads expressions with the names and the functions that are known."""

    names: Mapping[str, Value]
    calls: Mapping[str, Call]

    def value(self, text: str, place: int) -> tuple[Value, int]:
        """Give the value of the expression at ``place`` of ``text``, and where it ends. Raises Unknown."""
        value, place = self._term(text, place)
        while (token := _next(text, place))[0] == "+":
            other, place = self._term(text, token[1])
            if not isinstance(value, str) or not isinstance(other, str):
                raise Unknown("a sum of other than strings")
            value += other
        return value, place

    def _term(self, text: str, place: int) -> tuple[Value, int]:
        token, place = _next(text, place)
        if token[:1] == "`":
            return token[1:-1], place
        if token[:1] == '"':
            try:
                return str(json.loads(token.replace(r"\x", r"\u00"))), place
            except ValueError as error:
                raise Unknown(token) from error
        if token == "[":  # a list of strings: []string{…}
            for wanted in ("]", "string", "{"):
                token, place = _next(text, place)
                if token != wanted:
                    raise Unknown(token)
            return self._items(text, place, "}")
        if not token[:1].isalpha():
            raise Unknown(token)
        if _next(text, place)[0] == "(":
            arguments, place = self._items(text, _next(text, place)[1], ")", flat=False)
            if token not in self.calls:
                raise Unknown(token)
            return self.calls[token](*arguments), place
        if token not in self.names:
            raise Unknown(token)
        return self.names[token], place

    def _items(self, text: str, place: int, closing: str, *, flat: bool = True) -> tuple[list[str], int]:
        found: list[str] = []
        while (token := _next(text, place))[0] != closing:
            if not token[0]:
                raise Unknown("the end")
            if token[0] in (",", "..."):
                place = token[1]
                continue
            value, place = self.value(text, place)
            found += value if flat and isinstance(value, list) else [value]  # type: ignore[list-item]
        return found, token[1]


def _next(text: str, place: int) -> tuple[str, int]:
    found = _TOKEN.match(text, place)
    return (found[1], found.end()) if found else ("", place)


def formatted(pattern: Value, *values: Value) -> str:
    """Do what fmt.Sprintf does with strings."""
    left = list(values)

    def one(_match: re.Match[str]) -> str:
        if not left or not isinstance(left[0], str):
            raise Unknown("Sprintf")
        return str(left.pop(0))

    if not isinstance(pattern, str):
        raise Unknown("Sprintf")
    return re.sub(r"%[svq]", one, pattern)
