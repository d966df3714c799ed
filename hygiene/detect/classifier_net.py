"""The net: from the places that the engine gives to the candidates that are not hopeless.

In a history the same lines come again in version after version. What a line holds is therefore decided on a text of its
own (the line, and a little behind it) and remembered by that text, so that it does not matter which blob came first.
"""

from __future__ import annotations

from hygiene.detect import regex as re
from hygiene.detect.classifier_place import Place, place_of
from hygiene.detect.classifier_reject import hopeless
from hygiene.detect.generic import Candidate, candidates_between, gathered, moved
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hygiene.detect.classifier_gate import Gate

_BEYOND = 160  # bytes behind a line: a value may stand on the next one
_AHEAD = 32  # bytes behind a value that decide whether it is one
_MOST = 60_000  # lines; some 20 MB
_FAR = re.compile(b"\"\"\"|kty|-----BEGIN|'''")  # what they begin may end far away


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
        self._held: dict[_Text, tuple[Candidate, ...] | None] = {}

    def candidates(self, data: bytes, path: str, hits: Sequence[int]) -> list[Candidate]:
        """Give the candidates on the lines that hold ``hits``, without those that cannot be credentials."""
        place = place_of(path)

        def on_line(start: int, end: int) -> Sequence[Candidate]:
            held = self._on_line(data, start, end, place)
            if held is None:
                return self._promising(data, start, end, place)
            return [moved(candidate, start) for candidate in held] if held else ()

        return gathered(data, hits, on_line)

    def _on_line(self, data: bytes, start: int, end: int, place: Place) -> Sequence[Candidate] | None:
        text = _Text(place.language, place.translation, end - start, data[start : end + _BEYOND])
        held = self._held.get(text, ())
        if held == () and text not in self._held:
            if len(self._held) >= _MOST:
                self._held.clear()
            held = self._held[text] = self._read(text, place)
        return held

    def _read(self, text: _Text, place: Place) -> tuple[Candidate, ...] | None:
        """Give the candidates of a line, from the start of its text; None where more than the text decides."""
        if _FAR.search(text.text):
            return None
        found = list(candidates_between(text.text, 0, text.width))
        if not found:
            return ()
        whole = len(text.text) < text.width + _BEYOND  # the file ends there
        if not whole and max(candidate.end for candidate in found) > len(text.text) - _AHEAD:
            return None
        return tuple(one for one in found if not hopeless(text.text, one, place, self._words, self._gate))

    def _promising(self, data: bytes, start: int, end: int, place: Place) -> list[Candidate]:
        found = candidates_between(data, start, end)
        return [candidate for candidate in found if not hopeless(data, candidate, place, self._words, self._gate)]
