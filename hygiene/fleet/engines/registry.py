"""Chooses the engine; distributed is imported only where it pays."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from hygiene.fleet.engines.protocol import Engine, Perform

SMALL_BYTES = 8 << 20  # of packs: this is over about as soon as workers have started


def open_engine(
    perform: Perform, *, scheduler: str = "", workers: int = 1, size: int = 0, tell: Callable[[str], None]
) -> Engine:
    """Open the engine for ``size`` bytes to be read: an existing ``scheduler``'s, ``workers`` processes, or this one.

    Raises :class:`hygiene.errors.SourceError` where the scheduler can't be reached.
    """
    if not scheduler and (workers <= 1 or size <= SMALL_BYTES):
        return cast(Engine, import_module("hygiene.fleet.engines.inline").InlineEngine(perform))
    module = import_module("hygiene.fleet.engines.dask")
    return cast(Engine, module.DaskEngine(perform, scheduler=scheduler, workers=workers, tell=tell))
