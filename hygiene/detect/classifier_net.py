"""The net: from the places that the engine gives to the candidates that are worth a judgement.

In a history the same lines come again in version after version. What a line holds is therefore decided on a text of its
own (the line, and a little behind it) and remembered by that text, so that it does not matter which blob came first.
"""

from __future__ import annotations

from hygiene.detect import regex as re
from hygiene.detect.classifier_place import Place, place_of
from hygiene.detect.classifier_reject import hopeless
from hygiene.detect.generic import MAX_VALUE, Candidate, candidates_between, gathered, moved
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hygiene.detect.classifier import Sight

    Seen = tuple[Candidate, Sight]

_AHEAD = 32  # bytes behind a value that decide whether it is one
_NEAR = 160  # bytes behind a line: a value may stand on the next one
_FAR = MAX_VALUE + 2 * _AHEAD  # bytes behind a line in which all of its values end
_MOST_NEAR, _MOST_FAR = 60_000, 4_000  # lines; some 20 MB each
_LONG = b'"""'  # what begins a value that may have many lines
_UNBOUND = re.compile(b"kty|-----BEGIN")  # what they begin is sought in the whole file


class _Text(NamedTuple):
    """What decides on the candidates of a line."""

    place: int  # its number
    width: int  # how much of the text is the line
    text: bytes


class Net:
    """Finds the candidates of file after file that are worth a judgement; remembers what each line held."""

    def __init__(self, words: frozenset[bytes], look: Callable[[bytes, Candidate, Place, int], Sight | None]) -> None:
        """Look at the candidates that are not hopeless.

        Args:
            words: tell words from random letters.
            look: what is seen of a candidate: in a text, at a place, among so many candidates; None leaves it out.
        """
        self._words = words
        self._look = look
        self._near: dict[_Text, tuple[Seen, ...] | None] = {}
        self._far: dict[_Text, tuple[Seen, ...]] = {}

    def sights(self, data: bytes, path: str, hits: Sequence[int]) -> list[Seen]:
        """Give the candidates on the lines that hold ``hits``, and what is seen of each, in the order of their place.

        Args:
            data: the blob.
            path: where it stands.
            hits: offsets just after what the engine's generic rules matched, in any order.
        """
        place = place_of(path)
        seen: dict[tuple[int, int], Sight] = {}

        def on_line(start: int, end: int) -> Sequence[Candidate]:
            held = self._by_near_text(data, start, end, place)
            if held is None:
                if _UNBOUND.search(data, start, end):
                    held, start = self._looked_at(data, start, end, place), 0
                else:
                    held = self._by_far_text(data, start, end, place)
            here = [moved(candidate, start) for candidate, _sight in held] if held else []
            for candidate, (_candidate, sight) in zip(here, held, strict=True):
                seen.setdefault((candidate.start, candidate.end), sight)
            return here

        return [(candidate, seen[candidate.start, candidate.end]) for candidate in gathered(data, hits, on_line)]

    def _by_near_text(self, data: bytes, start: int, end: int, place: Place) -> Sequence[Seen] | None:
        """Give the candidates of a line, from its start; None where more than the text near it decides."""
        text = _Text(place.number, end - start, data[start : end + _NEAR])
        held = self._near.get(text, ())
        if held == () and text not in self._near:
            if len(self._near) >= _MOST_NEAR:
                self._near.clear()
            held = self._near[text] = self._read(text, place)
        return held

    def _by_far_text(self, data: bytes, start: int, end: int, place: Place) -> Sequence[Seen]:
        text = _Text(place.number, end - start, data[start : end + _FAR])
        held = self._far.get(text)
        if held is None:
            if len(self._far) >= _MOST_FAR:
                self._far.clear()
            held = self._far[text] = self._looked_at(text.text, 0, text.width, place)
        return held

    def _read(self, text: _Text, place: Place) -> tuple[Seen, ...] | None:
        if _LONG in text.text or _UNBOUND.search(text.text, 0, text.width):
            return None
        found = list(candidates_between(text.text, 0, text.width))
        if not found:
            return ()
        whole = len(text.text) < text.width + _NEAR  # the file ends there
        if not whole and max(candidate.end for candidate in found) > len(text.text) - _AHEAD:
            return None
        return self._sifted(text.text, found, place)

    def _looked_at(self, data: bytes, start: int, end: int, place: Place) -> tuple[Seen, ...]:
        return self._sifted(data, list(candidates_between(data, start, end)), place)

    def _sifted(self, text: bytes, found: Sequence[Candidate], place: Place) -> tuple[Seen, ...]:
        left = [one for one in found if not hopeless(text, one, place, self._words)]
        sights = [(one, self._look(text, one, place, len(left))) for one in left]
        return tuple((one, sight) for one, sight in sights if sight is not None)
