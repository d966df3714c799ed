from __future__ import annotations

from hygiene.fleet.planning import BATCH_UNITS, SPLIT_BYTES, batches, units_of
from hygiene.fleet.tasks import PART, WHOLE, Unit


def _unit(number: int, size: int) -> Unit:
    return Unit(number, f"/r{number}", "tips", "digest", bytes=size)


def test_planning_large_repository_is_cut_for_several_workers_only() -> None:
    large = _unit(1, 3 * SPLIT_BYTES)
    assert [unit.kind for unit in units_of(large, 1)] == [WHOLE]
    parts = units_of(large, 2)
    assert [(unit.kind, unit.part, unit.parts) for unit in parts] == [(PART, n, 3) for n in range(3)]


def test_planning_batches_hold_every_unit_once_and_the_largest_first() -> None:
    units = [_unit(number, number * 10_000) for number in range(300)]
    grouped = list(batches(units, 2))
    assert sorted(unit for batch in grouped for unit in batch) == sorted(units)
    assert grouped[0][0].bytes == 299 * 10_000
    assert max(map(len, grouped)) <= BATCH_UNITS
    assert len(grouped) >= 8


def test_planning_many_tiny_repositories_end_in_small_batches() -> None:
    grouped = list(batches([_unit(number, 300) for number in range(200)], 2))
    assert len(grouped[0]) > len(grouped[-1])
    assert len(grouped[-1]) <= 8
