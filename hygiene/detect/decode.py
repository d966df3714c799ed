"""Encoded text: from the prefilter's hits to text that can be matched like any other, and back to its place.

Runs in the workers, only on blobs where the engine saw a hint (see ``encodings.prefilter``), and on what came out of
those, up to ``DEPTH`` times. A finding's place is always the place of the encoded value in the original bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from hygiene.detect.encodings import escapes, joins, manifest, radix, wide
from hygiene.detect.encodings.trail import Decoded, Nested
from hygiene.detect.judge import Judge
from hygiene.detect.lines import position
from hygiene.detect.match import HINT, Engine, Hit, Match, first_hint
from hygiene.detect.sources.protocol import Blob
from hygiene.finding import CONFIDENCES

DEPTH = 4  # encodings inside one another
_SMALL = 1 << 20  # bytes: of one blob twice its size and so much more is decoded, which only a bomb exceeds

Decode = Callable[[bytes, Iterable[tuple[int, int]]], Iterator[Decoded]]
DECODERS: Mapping[str, Decode] = {
    "base64": radix.base64_values,
    "base32": radix.base32_values,
    "hex": radix.hex_values,
    "percent": escapes.percent,
    "entity": escapes.entities,
    "escape": escapes.backslashes,
    "quoted": escapes.quoted,
    "joined": joins.joined,
    "utf-16-le": wide.little,
    "utf-16-be": wide.big,
    "manifest": manifest.secret_data,
}
_NEAR = 200  # bytes behind the place that a generic rule gives, where its value may begin
_MIXED = ("percent", "entity", "escape", "quoted", "joined")  # that one value may need together


class Decoder:
    """Decodes by the hints of one set of patterns."""

    def __init__(self, engine: Engine, judge: Judge) -> None:
        """Match with ``engine``, whose patterns end with the hints, and let ``judge`` decide on what matched."""
        self._patterns = patterns = engine.patterns
        self._encodings = [pattern.id.removeprefix(HINT) for pattern in patterns]
        self._first_hint = first_hint(patterns)
        self._matches = engine.matches
        self._judge = judge

    def hits(self, blob: Blob, hints: Iterable[Match], plain: Sequence[Hit]) -> list[Hit]:
        """Give the ``plain`` hits of ``blob``, and those in what it holds encoded, in the order of their place.

        Where both are at one place, the plain one stays, unless it only took the encoded text for a password.
        """
        kept = list(plain)
        for text, matches in self.decoded(blob.data, hints):
            for hit in self._judge.hits(Blob(blob.id, text.text, blob.path), matches):
                if text.trail.fresh(hit.start, hit.end):
                    self._keep(kept, _placed(hit, text, blob))
        return sorted(kept, key=lambda hit: hit.start)

    def _keep(self, kept: list[Hit], hit: Hit) -> None:
        rivals = [other for other in kept if hit.start < other.end and other.start < hit.end]
        if all(not other.encoding and self._is_guess(other, hit) for other in rivals):
            kept[:] = [other for other in kept if other not in rivals]
            kept.append(hit)

    def _is_guess(self, plain: Hit, decoded: Hit) -> bool:
        if not self._patterns[plain.rule].generic:
            return plain.rule == decoded.rule
        surer = CONFIDENCES.index(decoded.confidence) >= CONFIDENCES.index(plain.confidence)
        return surer or not self._patterns[decoded.rule].generic

    def decoded(self, data: bytes, hints: Iterable[Match]) -> Iterator[tuple[Decoded, list[Match]]]:
        """Give every text that ``data`` holds encoded where ``hints`` say, with the matches of the rules in it."""
        left = [2 * len(data) + _SMALL]
        seen: set[bytes] = set()
        yield from self._descend(data, hints, None, left, seen)

    def _descend(
        self, data: bytes, hints: Iterable[Match], outer: Decoded | None, left: list[int], seen: set[bytes]
    ) -> Iterator[tuple[Decoded, list[Match]]]:
        for found in self._texts(data, hints):
            left[0] -= len(found.text)
            if left[0] < 0 or found.text in seen:
                continue
            seen.add(found.text)
            nested = found if outer is None else _nested(found, outer)
            matches = self._matches(found.text)
            plain = [match for match in matches if match.rule < self._first_hint and self._is_fresh(match, found)]
            if plain:
                yield nested, plain
            deeper = [match for match in matches if match.rule >= self._first_hint and self._is_new(match, nested)]
            if deeper and nested.encoding.count("+") < DEPTH - 1:
                yield from self._descend(found.text, deeper, nested, left, seen)

    def _is_fresh(self, match: Match, text: Decoded) -> bool:
        """Say whether ``match`` has to do with what was decoded; the rest was matched where it stands plainly."""
        near = _NEAR if self._patterns[match.rule].generic else 0
        return text.trail.fresh(match.start, min(match.end + near, len(text.text)))

    def _is_new(self, hint: Match, text: Decoded) -> bool:
        """Say whether ``hint`` in decoded ``text`` leads on: it was not there before, or adds to what was decoded."""
        encoding = self._encodings[hint.rule]
        return text.trail.fresh(hint.start, hint.end) or (encoding in _MIXED and encoding not in text.encoding)

    def _texts(self, data: bytes, hints: Iterable[Match]) -> Iterator[Decoded]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for hint in hints:
            spans.setdefault(self._encodings[hint.rule], []).append((hint.start, hint.end))
        for encoding, hits in spans.items():
            yield from DECODERS[encoding](data, hits)


def _placed(hit: Hit, text: Decoded, blob: Blob) -> Hit:
    """Give ``hit``, found in the decoded ``text``, at its place in ``blob``."""
    start, end = text.trail.start(hit.start), text.trail.end(hit.end)
    line, column = position(blob.data, start, blob.line, blob.column)
    line_end, column_end = position(blob.data[start:end], end - start, line, column)
    return hit._replace(
        start=blob.start + start,
        end=blob.start + end,
        line_start=line,
        column_start=column,
        line_end=line_end,
        column_end=column_end,
        encoding=text.encoding,
    )


def _nested(found: Decoded, outer: Decoded) -> Decoded:
    return Decoded(found.text, f"{outer.encoding}+{found.encoding}", Nested(found.trail, outer.trail))
