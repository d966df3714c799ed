"""From the short pattern of a rule file to the full one that the engines run.

A rule file says what the credential looks like; what may stand around it is the same for nearly all of
them and is added here. Neither Hyperscan nor a fast prefilter knows look-around, so borders are matched
as characters, and group 1 is the secret.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# What a token's left neighbour may not be, unless the neighbour is the end of an escape sequence: the
# letter of "\n", the digits of "%3D", of "\u003d" and of "\x3d", the "m" of a terminal's colour.
DEFAULT_BEFORE = "A-Za-z0-9_-"
_ESCAPES = r"\\[nrtbf]|%[0-9A-Fa-f]{2}|u00[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,8}m"

# A value that is recognised by the words near it must stand like a value: after a quote, a blank, an
# operator, a bracket; never inside a path or a longer word.
_VALUE_STARTS = r"""[\s"'`=:,(>\[{|]|\\[nrt"']|%(?:3[ADad]|2[02])|u00(?:3[aAdD]|22)|&(?:quot|#34|#x22);"""

# The word for a credential that must follow a provider's name.
_NOUN = r"(?i:key|token|secret|pass|pwd|auth|cred|bearer|webhook|signature|pat\b|license|login|sid\b)"
# … or, as the name of an XML element, stand before it.
_ELEMENT = r"(?i:secret|token|key|password)>"
# The value may stand on the next line, as in a YAML or JSON pair of name and value, in an XML element, or after the
# sign that assigns it.
_NEXT_LINE = r"""(?:\r?\n[ \t]{0,32}(?:["']?(?i:value|default)["']?[ \t]{0,2}[:=][ \t]{0,2}|<value>|=[ \t]{0,2})?)?"""
_ASSIGNED = r"""[\w.-]{0,24}["'\]>)]{0,3}\s{0,4}(?:[=:,(]|:=|=>|<-|\|\||\?\?)[\s"'`\\]{0,6}"""

_LONGEST_GAP = 160  # bytes between a word and the value: more than any way through the contexts below

_LAST_CLASS = re.compile(r"(\[(?:\\.|[^\]\\])+\]|\\d|\\w)(?:\{[\d,]+\}|[+*?])?\)*$")


def full_pattern(
    body: str,
    *,
    before: str | None = None,
    after: str | None = None,
    context: Sequence[str] = (),
    names: Sequence[str] = (),
) -> bytes:
    """Give ``body`` its borders; group 1 of the result is the secret.

    ``before`` and ``after`` are the insides of character classes that may not adjoin; "" asks for no border,
    None for the usual ones. ``context`` are words of a provider, one of which must stand before the secret
    and be followed by a word such as key or token; ``names`` are names that the secret is assigned to.
    """
    secret = body if has_group(body) else f"({body})"
    left = _context(context, names) if context or names else _left(DEFAULT_BEFORE if before is None else before)
    return (left + secret + _right(_body_alphabet(body) if after is None else after)).encode("latin-1")


def fast_pattern(
    body: str, *, after: str | None = None, context: Sequence[str] = (), names: Sequence[str] = ()
) -> bytes:
    """A simpler pattern that matches wherever :func:`full_pattern` does, ends where it ends, and matches more.

    Without its left border a token begins with its fixed letters, by which Hyperscan finds it half as fast again;
    with a word and a gap for a context, hundreds of rules compile ten times faster. ``re`` then decides what matches.
    """
    words = (*context, *names)
    near = rf"(?i:{'|'.join(words)})[\s\S]{{0,{_LONGEST_GAP}}}" if words else ""
    right = _right(_body_alphabet(body) if after is None else after)
    return f"{near}(?:{body}){right}".encode("latin-1")


def has_group(body: str) -> bool:
    """Say whether ``body`` holds a capturing group."""
    return bool(re.search(r"(?<!\\)(?:\\\\)*\((?!\?)", re.sub(r"\[(?:\\.|[^\]\\])+\]", "", body)))


def _left(characters: str) -> str:
    return f"(?:^|[^{characters}]|{_ESCAPES})" if characters else ""


def _right(characters: str) -> str:
    return f"(?:[^{characters}]|$)" if characters else ""


def _body_alphabet(body: str) -> str:
    """The characters that would continue ``body``: those of its last class."""
    last = _LAST_CLASS.search(body)
    if last is None:
        return DEFAULT_BEFORE
    return last[1][1:-1] if last[1].startswith("[") and not last[1].startswith("[^") else "A-Za-z0-9_"


def _context(context: Sequence[str], names: Sequence[str]) -> str:
    """What stands before a value known by its surroundings; lazy, so that the nearest value is taken."""
    ways = []
    if context:
        words = f"(?i:{'|'.join(context)})"
        near = rf"{words}[\s\S]{{0,40}}?{_NOUN}|{_ELEMENT}[^\n]{{0,12}}?{words}"
        ways.append(rf"(?:{near})[^\n]{{0,32}}?{_NEXT_LINE}(?:{_VALUE_STARTS})")
    if names:
        ways.append(rf"(?i:{'|'.join(names)})(?:{_ASSIGNED}|[^\n]{{0,16}}?{_NEXT_LINE}(?:{_VALUE_STARTS}))")
    return f"(?:{'|'.join(ways)})"
