"""The net: from the places that the engine gives to the candidates that are not hopeless.

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
    from collections.abc import Sequence

    from hygiene.detect.classifier_gate import Gate

_AHEAD = 32  # bytes behind a value that decide whether it is one
_NEAR = 160  # bytes behind a line: a value may stand on the next one
_FAR = MAX_VALUE + 2 * _AHEAD  # bytes behind a line in which all of its values end
_MOST_NEAR, _MOST_FAR = 60_000, 4_000  # lines; some 20 MB each
_LONG = b'"""'  # what begins a value that may have many lines
_UNBOUND = re.compile(b"kty|-----BEGIN")  # what they begin is sought in the whole file


class _Text(NamedTuple):
    """What decides on the candidates of a line."""

    language: int
    translation: bool
    width: int  # how much of the text is the line
    text: bytes


class Net:
    """Finds the candidates of file after file that are not hopeless; remembers what each line held."""

    def __init__(self, words: frozenset[bytes], gate: Gate | None = None) -> None:
        """Tell words from random letters by ``words``; leave out what the ``gate`` rejects."""
        self._words = words
        self._gate = gate
        self._near: dict[_Text, tuple[Candidate, ...] | None] = {}
        self._far: dict[_Text, tuple[Candidate, ...]] = {}

    def candidates(self, data: bytes, path: str, hits: Sequence[int]) -> list[Candidate]:
        """Give the candidates on the lines that hold ``hits``, without those that cannot be credentials."""
        place = place_of(path)

        def on_line(start: int, end: int) -> Sequence[Candidate]:
            held = self._by_near_text(data, start, end, place)
            if held is None:
                if _UNBOUND.search(data, start, end):
                    return self._promising(data, start, end, place)
                held = self._by_far_text(data, start, end, place)
            return [moved(candidate, start) for candidate in held] if held else ()

        return gathered(data, hits, on_line)

    def _by_near_text(self, data: bytes, start: int, end: int, place: Place) -> Sequence[Candidate] | None:
        """Give the candidates of a line, from its start; None where more than the text near it decides."""
        text = _Text(place.language, place.translation, end - start, data[start : end + _NEAR])
        held = self._near.get(text, ())
        if held == () and text not in self._near:
            if len(self._near) >= _MOST_NEAR:
                self._near.clear()
            held = self._near[text] = self._read(text, place)
        return held

    def _by_far_text(self, data: bytes, start: int, end: int, place: Place) -> Sequence[Candidate]:
        text = _Text(place.language, place.translation, end - start, data[start : end + _FAR])
        held = self._far.get(text)
        if held is None:
            if len(self._far) >= _MOST_FAR:
                self._far.clear()
            held = self._far[text] = tuple(self._promising(text.text, 0, text.width, place))
        return held

    def _read(self, text: _Text, place: Place) -> tuple[Candidate, ...] | None:
        if _LONG in text.text or _UNBOUND.search(text.text, 0, text.width):
            return None
        found = list(candidates_between(text.text, 0, text.width))
        if not found:
            return ()
        whole = len(text.text) < text.width + _NEAR  # the file ends there
        if not whole and max(candidate.end for candidate in found) > len(text.text) - _AHEAD:
            return None
        return tuple(one for one in found if not hopeless(text.text, one, place, self._words, self._gate))

    def _promising(self, data: bytes, start: int, end: int, place: Place) -> list[Candidate]:
        found = candidates_between(data, start, end)
        return [candidate for candidate in found if not hopeless(data, candidate, place, self._words, self._gate)]
