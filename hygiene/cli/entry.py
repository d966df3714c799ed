"""Where the program starts: answers at once what needs no more than a glance, and hands all else to the boundary.

Most runs are the hook of a commit without a finding. What stands here is paid for by each of them, so nothing is
imported that Python has not loaded by itself.
"""

import gc
import os
import sys

from hygiene import __version__
from hygiene.cli.registry import load_boundary, load_glance
from hygiene.dumps import forbid_core_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(argv: "Sequence[str] | None" = None) -> "NoReturn":
    """Run the command line and exit with a code of ``design/cli.md``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print(f"hygiene, version {__version__}")
        _leave(at_once=argv is None)
    forbid_core_files()
    gc.disable()  # for a glance
    try:
        if load_glance()(arguments):
            _leave(at_once=argv is None)
        gc.enable()
        code = load_boundary()(arguments)
    except KeyboardInterrupt:  # before the boundary stands
        print("hygiene: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)


def _leave(*, at_once: bool) -> "NoReturn":
    """Exit with 0; ``at_once``: without taking the interpreter apart, which takes a tenth of a clean hook's time.

    Nothing is open then but what is flushed here, and no other thread runs.
    """
    if at_once and sys.stdout is not None:
        sys.stdout.flush()  # where that fails, Python says so, and exits with 120
        os._exit(0)
    sys.exit(0)
