"""What dask preloads into workers of our own: Ctrl-C is for the program that started them, and that one ends them."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C alone; each worker would tell at length how it was interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
