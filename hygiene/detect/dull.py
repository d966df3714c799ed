"""What need not be looked at again in another version of a file: places that give nothing, whatever stands far away.

A version differs from another in a few lines, the rest is the same. A place is dull where text within ``REACH`` bytes
of it, the path and the size of the file (in bits) decide that nothing stands there: then nothing stands there in any
version that has the same text around it.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hygiene.detect.engine import Event

REACH = 1024  # bytes on each side of an event that decide on it, where it is dull


class Dull:
    """Collects what is dull while one version is examined."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int]] = []  # whole lines without a generic credential, in order
        self.runs: dict[int, list[tuple[int, int]]] = {}  # by rule: from which end to which no match ends
        self.unsure = False  # whether what lies farther away than REACH has had its say

    def parted(
        self, events: Iterable[Event], generic: Collection[int], close: int
    ) -> tuple[Sequence[Event], Sequence[Event]]:
        """Part ``events``, in order, into those to be looked at again and the dull ones.

        Of events of a ``generic`` rule that are no more than ``close`` bytes apart one stands for the others.
        """
        starts = [start for start, _end in self.lines]
        live: list[Event] = []
        dull: list[Event] = []
        for event in events:
            end, rule = event
            if rule in generic:
                at = bisect_right(starts, end - 1) - 1
                is_dull = at >= 0 and end - 1 <= self.lines[at][1]
            else:
                is_dull = any(first <= end <= last for first, last in self.runs.get(rule, ()))
            (dull if is_dull else live).append(event)
        if dull and live and _touch(live, dull, generic, close):
            return sorted((*live, *dull)), ()
        return live, dull


def _touch(live: Sequence[Event], dull: Sequence[Event], generic: Collection[int], close: int) -> bool:
    """Say whether a dull event stands for one that is not: then that one would be seen without it."""
    ends = sorted((rule, end, which) for which in (0, 1) for end, rule in (live, dull)[which] if rule in generic)
    return any(
        one[0] == other[0] and other[1] - one[1] <= close and one[2] != other[2] for one, other in pairwise(ends)
    )
