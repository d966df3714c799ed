"""Keeps what is in memory out of core files."""

from __future__ import annotations

import resource
from contextlib import suppress


def forbid_core_files() -> None:
    """Let no core file of this process be written, nor of the programs that it starts: they may hold values, too.

    Only the soft limit is lowered, so that a program run by ``hygiene run`` can raise it again.
    """
    # A sandbox may forbid it: this is a second line of defence, and no reason to do nothing.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
