"""Keeps the user's other processes, and programs that collect cores, from the memory of this one."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def forbid_dumps() -> None:
    """On Linux make this process undumpable until it executes another program (prctl(2)).

    Its memory, and its environment in ``/proc``, are then closed to all but root; and no core is made of it where
    the system pipes cores to a program (``core_pattern``), for which the limit on core files does not count.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library of another kind, perhaps
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
