"""The lines that hits lie on: what is decoded is decoded with its line, so that a name beside a value is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_REACH = 2 << 10  # bytes to each side, where lines are longer


def regions(data: bytes, hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give the spans of whole lines around ``hits``; those that touch are one."""
    start = end = -1
    for hit_start, hit_end in sorted(hits):
        if hit_end <= end:
            continue
        reach = max(0, hit_start - _REACH)
        first = max(data.rfind(b"\n", reach, hit_start) + 1, reach)
        last = data.find(b"\n", hit_end, hit_end + _REACH) + 1 or min(len(data), hit_end + _REACH)
        if first <= end:
            end = max(end, last)
            continue
        if end >= 0:
            yield start, end
        start, end = first, last
    if end >= 0:
        yield start, end
