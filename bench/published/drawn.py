"""A text that a regular expression matches, drawn at random: authors of scanners write their examples so."""

from __future__ import annotations

import re._constants as constants  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import string
from collections.abc import Sequence
from random import Random
from typing import Any

_ALPHABET = string.ascii_letters + string.digits + "_"
_CATEGORIES = {
    constants.CATEGORY_DIGIT: string.digits,
    constants.CATEGORY_WORD: _ALPHABET,
    constants.CATEGORY_SPACE: " ",
}
_MORE = 10  # repetitions that an open end adds


def drawn(pattern: str, source: Random) -> str:
    """Draw a text that ``pattern`` matches. Raises ValueError for what has no simple text, such as a lookahead."""
    try:
        return _of(parser.parse(pattern), source)
    except re_error as error:
        raise ValueError(str(error)) from error


re_error = constants.error


def _of(items: Sequence[tuple[Any, Any]], source: Random) -> str:
    return "".join(_item(code, value, source) for code, value in items)


def _item(code: Any, value: Any, source: Random) -> str:
    if code is constants.LITERAL:
        return chr(value)
    if code is constants.ANY:
        return source.choice(_ALPHABET)
    if code is constants.IN:
        return source.choice(_choices(value))
    if code in (constants.MAX_REPEAT, constants.MIN_REPEAT):
        least, most, inner = value
        count = source.randint(least, min(most, least + _MORE) if most is constants.MAXREPEAT else most)
        return "".join(_of(inner, source) for _ in range(count))
    if code is constants.SUBPATTERN:
        return _of(value[-1], source)
    if code is constants.BRANCH:
        return _of(source.choice(value[1]), source)
    if code is constants.AT:
        return ""
    raise ValueError(f"no text for {code}")


def _choices(items: Sequence[tuple[Any, Any]]) -> str:
    found, negated = "", False
    for code, value in items:
        if code is constants.LITERAL:
            found += chr(value)
        elif code is constants.RANGE:
            found += "".join(map(chr, range(value[0], value[1] + 1)))
        elif code is constants.CATEGORY and value in _CATEGORIES:
            found += _CATEGORIES[value]
        elif code is constants.NEGATE:
            negated = True
        else:
            raise ValueError(f"no text for {code}")
    return "".join(sorted(set(_ALPHABET) - set(found))) if negated else found
