"""Keeps what is in memory out of core files."""

import resource


def forbid_core_files() -> None:
    """Let no core file of this process be written, nor of the programs that it starts: they may hold values, too.

    Only the soft limit is lowered, so that a program run by ``hygiene run`` can raise it again.
    """
    try:  # noqa: SIM105 - contextlib takes longer to import than a commit takes to scan
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (OSError, ValueError):
        pass  # a sandbox may forbid it: this is a second line of defence, and no reason to do nothing
