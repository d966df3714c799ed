"""How often Python looks for cycles of garbage: seldom, since what scans make lives long."""

import gc

_ALLOCATIONS = 50_000  # between two looks; by default 700, and what lives is looked through each time


def collect_seldom() -> None:
    """Look for cycles after 50,000 allocations that were not freed, and through all that lives a hundred times less."""
    gc.set_threshold(_ALLOCATIONS, 20, 100)
