"""Blobs → hits: matches all bytes, and hands what matched to the judge. Runs in the workers.

A clean blob costs one call of the engine; the judge and all that it needs are imported at the first match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hygiene.detect.match import Engine, Hit, Match, first_hint
from hygiene.detect.registry import load_decoder, load_judge, load_versions
from hygiene.detect.sources.protocol import OVERLAP, WINDOW, Blob

if TYPE_CHECKING:
    from hygiene.detect.decode import Decoder
    from hygiene.detect.judge import Judge
    from hygiene.detect.versions import Versions


class Examiner:
    """Examines blobs with one engine, for one repository's key."""

    def __init__(self, engine: Engine, key: Callable[[], bytes], min_confidence: str) -> None:
        """Report from ``min_confidence`` upwards.

        ``key`` gives the repository's key, which names leaks; it is asked for at the first one, since finding it takes
        a call of git.
        """
        self.patterns = engine.patterns
        self._engine = engine
        self._matches = engine.matches
        self._key = key
        self.least = min_confidence
        self._judge: Judge | None = None
        self._decoder: Decoder | None = None
        self._first_hint = first_hint(engine.patterns)
        self._has_versions = hasattr(engine, "events")
        self._versions: Versions | None = None

    def name_under(self, key: bytes) -> None:
        """Name leaks under ``key`` from here on."""
        self._key = lambda: key
        self._judge = self._decoder = None

    def examine_all(self, blobs: Iterable[Blob]) -> Iterator[Hit]:
        """Examine ``blobs``, which may be windows of longer objects; what lies in an overlap is given once."""
        tail: list[Hit] = []  # hits that the next window of the same object will see again, and better
        tail_of = ""
        for blob in blobs:
            if tail and blob.id != tail_of:
                yield from tail
            tail = []
            hits = self.examine(blob)
            if not hits or len(blob.data) < WINDOW:
                yield from hits
                continue
            border = blob.start + len(blob.data) - OVERLAP
            tail_of = blob.id
            for hit in hits:
                if hit.start < border:
                    yield hit
                else:
                    tail.append(hit)
        yield from tail

    def examine(self, blob: Blob) -> list[Hit]:
        """Give the hits in one blob, or in one window of it, in the order of their place."""
        if blob.kin is None or not self._has_versions:
            matches = self._matches(blob.data)
            return self._hits(blob, matches) if matches else []
        if self._versions is None:
            self._versions = load_versions(self._engine)
        return self._versions.hits(blob, blob.kin, self._hits)

    def _hits(self, blob: Blob, matches: list[Match]) -> list[Hit]:
        if not matches:
            return []
        if self._judge is None:
            self._judge = load_judge(self.patterns, self._key, self.least)
        if matches[-1].rule < self._first_hint:
            return self._judge.hits(blob, matches)
        hints = [match for match in matches if match.rule >= self._first_hint]
        plain = self._judge.hits(blob, matches[: -len(hints)])
        if self._decoder is None:
            self._decoder = load_decoder(self._engine, self._judge)
        return self._decoder.hits(blob, hints, plain)
