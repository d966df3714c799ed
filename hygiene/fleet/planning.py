"""Cuts work into tasks by bytes: a large repository into parts, many small ones into one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hygiene.fleet.tasks import PART, Unit

SPLIT_BYTES = 96 << 20  # of packs; a larger repository is matched in parts of about this size
BATCH_BYTES = 24 << 20  # of packs; smaller repositories go together up to this size …
BATCH_UNITS = 40  # … or this number
UNIT_BYTES = 128 << 10  # of packs that cost as much as a repository does, however small it is
_LEAST_BYTES = 1 << 20  # of a batch near the end


def units_of(whole: Unit, workers: int) -> list[Unit]:
    """Cut the unit of a ``whole`` repository into parts where it is large; one worker alone gains nothing from them."""
    parts = -(-whole.bytes // SPLIT_BYTES) if workers > 1 else 1
    if parts <= 1:
        return [whole]
    return [whole._replace(kind=PART, part=part, parts=parts, bytes=whole.bytes // parts) for part in range(parts)]


def batches(units: Iterable[Unit], workers: int) -> Iterator[tuple[Unit, ...]]:
    """Group ``units``, the largest first, so that the last ones even out between ``workers``."""
    ordered = sorted(units, key=lambda unit: (-unit.bytes, unit.repository, unit.part))
    # Near the end a batch is small, whatever it could hold: nobody waits for another's last batch.
    left = sum(map(cost_of, ordered))
    batch: list[Unit] = []
    size = 0
    for unit in ordered:
        if batch and not _fits(batch, size + cost_of(unit), left, workers):
            yield tuple(batch)
            left -= size
            batch, size = [], 0
        batch.append(unit)
        size += cost_of(unit)
    if batch:
        yield tuple(batch)


def _fits(batch: Sequence[Unit], size: int, left: int, workers: int) -> bool:
    return len(batch) < BATCH_UNITS and size <= min(BATCH_BYTES, max(left // (4 * workers), _LEAST_BYTES))


def cost_of(unit: Unit) -> int:
    """Give the bytes of packs that cost as much to scan as ``unit``."""
    return unit.bytes + UNIT_BYTES
