"""Keeps values out of everything that surrounds them: a value may also be a file name, a subject or an author."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from hygiene.finding import Finding, Provenance

_GRAM = 6  # characters; a shorter value is not looked for
_LONG_WORD = 12  # letters; a shorter value of letters alone is a word, which every path and subject may hold
_TEXTS_KEPT = 10_000


class Mask:
    """Replaces the values of a scan's findings in any text, by what may be shown of them.

    Values are found by their first characters, so that ten thousand values cost no more than ten.
    """

    def __init__(self, findings: Iterable[Finding], *, show_secrets: bool = False) -> None:
        """Know the values of ``findings``; with ``show_secrets`` nothing is masked."""
        self._by_gram: dict[str, dict[str, str]] = {}
        self._show = show_secrets
        # The same paths, authors and commits come back with every finding.
        self._masked = lru_cache(_TEXTS_KEPT)(self._mask)
        if show_secrets:
            return
        for finding in findings:
            value = _text(finding.secret.reveal())
            if len(value) >= (_LONG_WORD if value.isalpha() else _GRAM):
                self._by_gram.setdefault(value[:_GRAM], {})[value] = finding.secret.redacted()

    def text(self, text: str) -> str:
        """Give ``text`` without a value of the scan."""
        return self._masked(text)

    def _mask(self, text: str) -> str:
        parts: list[str] = []
        done = position = 0
        while position <= len(text) - _GRAM:
            value = self._value_at(text, position)
            if not value:
                position += 1
                continue
            parts += (text[done:position], self._by_gram[value[:_GRAM]][value])
            done = position = position + len(value)
        return "".join((*parts, text[done:])) if parts else text

    def _value_at(self, text: str, position: int) -> str:
        known = self._by_gram.get(text[position : position + _GRAM])
        if known is None:
            return ""
        return max((value for value in known if text.startswith(value, position)), key=len, default="")

    def secret(self, finding: Finding) -> str:
        """Give what is shown of the value: a few first characters and the length, or all of it where asked for."""
        if not self._show:
            return finding.secret.redacted()
        return finding.secret.reveal().decode("utf-8", "backslashreplace")

    def finding(self, finding: Finding) -> Finding:
        """Give ``finding`` with every text around the value masked."""
        return finding._replace(
            description=self.text(finding.description),
            path=self.text(finding.path),
            provenance=tuple(self._place(place) for place in finding.provenance),
            tags=tuple(self.text(tag) for tag in finding.tags),
            reasons=tuple(self.text(reason) for reason in finding.reasons),
        )

    def _place(self, place: Provenance) -> Provenance:
        texts = {name: self.text(part) for name, part in place._asdict().items() if isinstance(part, str)}
        return place._replace(**texts, refs=tuple(map(self.text, place.refs)))


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
