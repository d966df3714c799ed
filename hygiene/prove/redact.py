"""Redaction at the sink: whatever a caller hands to the log, no value reaches it."""

from __future__ import annotations

import os
import re
from collections import Counter, OrderedDict
from hmac import digest as hmac_digest

from hygiene.forms import SHORTEST, forms_of
from hygiene.secret import Secret

REDACTED = "[redacted]"
_VALUES_AT_MOST = 64  # the latest; each costs a search in every entry
_LONGEST_FIELD = 2048
_USERINFO = re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]+(?=@)")
_SPACE = re.compile(r"\s")
_BEARER = re.compile(r"(?i)\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,}")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


class Redactor:
    """Knows the values that passed through this process lately, in the forms in which they may leak."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()  # by a MAC of the value
        # How all known forms begin: an entry is looked through once, and not once a form.
        self._beginnings: Counter[str] = Counter()

    def learn(self, secret: Secret) -> None:
        """Remember ``secret``; it lives in the process anyway, and is never written."""
        known = hmac_digest(self._key, secret.reveal(), "sha256")
        if len(secret) < SHORTEST or known in self._known:
            return
        self._known[known] = _forms(secret.reveal())
        self._beginnings.update(form[:SHORTEST] for form in self._known[known])
        if len(self._known) > _VALUES_AT_MOST:
            _, forgotten = self._known.popitem(last=False)
            for beginning in (form[:SHORTEST] for form in forgotten):
                self._beginnings[beginning] -= 1
                if not self._beginnings[beginning]:
                    del self._beginnings[beginning]

    def clean(self, text: str) -> str:
        """Give ``text`` without known values and credentials in URLs, headers and PEM, cut to a sane length.

        Bytes that are no text (lone surrogates) become ``\\xNN`` escapes, since an entry is UTF-8.
        """
        if len(text) >= SHORTEST:  # nothing shorter can hold a value or a credential
            text = self._redacted(text)
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return text if len(text) <= _LONGEST_FIELD else text[:_LONGEST_FIELD] + "…"

    def _redacted(self, text: str) -> str:
        pieces = (text[place : place + SHORTEST] for place in range(len(text) - SHORTEST + 1))
        if not self._beginnings.keys().isdisjoint(pieces):
            for forms in self._known.values():
                for form in forms:
                    text = text.replace(form, REDACTED)
        if "://" in text:
            text = _USERINFO.sub(REDACTED, text)
        if _SPACE.search(text):
            text = _BEARER.sub(rf"\1 {REDACTED}", text)
            text = _PEM.sub(REDACTED, text)
        return text


def _forms(value: bytes) -> tuple[str, ...]:
    return tuple(form.decode("utf-8", "surrogateescape") for form in forms_of(value))
