"""What dask preloads into workers of our own: they leave Ctrl-C to the program, and collect seldom."""

from __future__ import annotations

import gc
import signal

from hygiene.collecting import collect_seldom


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C alone, of which each worker would tell at length; look for garbage as the program itself does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
    gc.freeze()  # distributed and all that it has imported stay
