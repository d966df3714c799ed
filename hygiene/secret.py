"""The type of a value that must never be shown."""

from __future__ import annotations

from _operator import _compare_digest as compare_digest  # hmac's own, without the import of OpenSSL
from typing import NoReturn, final

_SHOWN_AT_MOST = 4
_SHOWN_SHARE = 5  # at most one character in this many is shown


@final
class Secret:
    """A secret value, as bytes.

    It prints redacted in ``repr``, ``str``, ``format``, logging and tracebacks, and refuses pickling,
    copying to JSON and hashing; :meth:`reveal` is the only way to its bytes, so that a search for the
    word finds every use.
    """

    __slots__ = ("_value",)
    _value: bytes

    def __init__(self, value: bytes) -> None:
        """Wrap ``value``; raises TypeError for anything but bytes."""
        if not isinstance(value, bytes):
            raise TypeError("a Secret wraps bytes")
        object.__setattr__(self, "_value", value)

    @classmethod
    def from_text(cls, text: str) -> Secret:
        """Wrap ``text`` as UTF-8; bytes that were decoded with surrogateescape come back as they were."""
        return cls(text.encode("utf-8", "surrogateescape"))

    def reveal(self) -> bytes:
        """Give the bytes themselves."""
        return self._value

    def redacted(self) -> str:
        """Show a few first characters, if the value is long enough to allow it, and its length in bytes."""
        shown = min(_SHOWN_AT_MOST, len(self._value) // _SHOWN_SHARE)
        head = "".join(chr(b) if 0x21 <= b <= 0x7E else "?" for b in self._value[:shown])
        return f"{head}… ({len(self._value)} bytes)"

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a set or dict of values outlives the need for them

    def __repr__(self) -> str:
        return f"Secret({self.redacted()})"

    def __str__(self) -> str:
        return self.redacted()

    def __format__(self, spec: str) -> str:
        return format(self.redacted(), spec)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled; send it through the worker channel")
