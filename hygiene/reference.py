"""References to stored secrets: ``ref+STORE://path[?stage=…|version=…][#/field]``, parsed once.

The syntax is that of helmfile/vals, so that ``vals eval`` works on what we write for the stores it knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from hygiene.errors import UsageError

SCHEMES = ("embedded", "awssecrets", "vault", "openbao", "conjur", "ccp")
NAME_PATTERN = re.compile(r"[A-Za-z0-9._\-/]{1,256}\Z")
_SHAPE = re.compile(r"ref\+([a-z0-9]+)://([^?#]*)(?:\?([^#]*))?(?:#(/?.*))?\Z", re.DOTALL)
_IN_TEXT = re.compile(rb"ref\+(?:embedded|awssecrets|vault|openbao|conjur|ccp)://[^\s\"'`<>\\+]+\+?")


class Reference(NamedTuple):
    """Where a value is kept. ``path`` is unquoted; ``query`` keeps its order."""

    scheme: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    field: str = ""  # a top-level key of a stored JSON object, or empty for the whole value

    def __str__(self) -> str:
        query = f"?{urlencode(self.query)}" if self.query else ""
        field = f"#/{quote(self.field, safe='')}" if self.field else ""
        return f"ref+{self.scheme}://{quote(self.path, safe='/._-')}{query}{field}"

    def parameter(self, name: str) -> str | None:
        """Give the query parameter ``name``."""
        return dict(self.query).get(name)

    @property
    def version(self) -> str | None:
        """The version asked for, if any (``version``, or the names that vals uses)."""
        return self.parameter("version") or self.parameter("version_id")

    @property
    def stage(self) -> str | None:
        """The stage asked for, if any."""
        return self.parameter("stage") or self.parameter("version_stage")


def parse_reference(text: str) -> Reference:
    """Read a reference; raises :class:`UsageError` that says what is wrong with it."""
    shape = _SHAPE.match(text)
    if shape is None:
        raise UsageError(
            f"not a reference: {text[:80]!r}",
            hint="a reference looks like ref+embedded://shop/db-password, or ref+vault://secret/shop#/password",
        )
    scheme, path, query, fragment = shape.groups()
    if scheme not in SCHEMES:
        raise UsageError(f"unknown store {scheme!r} in a reference", hint=f"known are {', '.join(SCHEMES)}")
    path = unquote(path)
    if not path.strip("/"):
        raise UsageError(f"the reference {text!r} names no path")
    field = unquote((fragment or "").removeprefix("/"))
    return Reference(scheme, path, tuple(parse_qsl(query or "", keep_blank_values=True)), field)


def find_references(text: bytes) -> list[tuple[int, int, Reference]]:
    """Find the references in ``text``, each with its half-open byte span.

    A reference ends at white space, a quote, or a ``+`` of its own (as vals does); the closing ``+`` belongs
    to the span. Raises :class:`UsageError` for one that can't be read.
    """
    found = []
    for match in _IN_TEXT.finditer(text):
        found.append((match.start(), match.end(), parse_reference(match.group().decode().removesuffix("+"))))
    return found


def check_name(name: str) -> str:
    """Give ``name`` back if it may name a secret; raises :class:`UsageError` otherwise."""
    parts = name.split("/")
    if not NAME_PATTERN.match(name) or any(part in ("", ".", "..") for part in parts):
        raise UsageError(
            f"not a name for a secret: {name!r}",
            hint="use letters, digits and . _ - in parts separated by /, at most 256 characters",
        )
    return name
