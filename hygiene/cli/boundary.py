"""The one boundary: runs a command, prints errors, gives the exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import NoReturn

from hygiene.cli.registry import DIRECT, load_app, load_crash_report, load_direct, load_printable
from hygiene.collecting import collect_seldom
from hygiene.errors import ExitCode, HygieneError, WriteError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(arguments: list[str]) -> int:
    """Run ``arguments`` as a program of its own; gives the exit code."""
    collect_seldom()
    signal.signal(signal.SIGTERM, _terminate)
    return run(arguments)


def run(arguments: list[str]) -> int:
    """Run ``arguments``; prints an error for the person at the prompt and gives the exit code."""
    try:
        name = arguments[0] if arguments else ""
        command = load_direct(name) if name in DIRECT else load_app()
        return command(arguments)
    except HygieneError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("hygiene: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (head, less): not our failure, but nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERNAL
    except Exception as error:
        return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _FULL:
        # All that is written to files has errors of its own: this was stdout or stderr.
        print_error(WriteError("cannot write the output: the disk is full", hint="free some space; see what was done"))
        return ExitCode.STORE
    load_crash_report()(error)
    return ExitCode.INTERNAL


def print_error(error: HygieneError) -> None:
    """Say what failed, then what to try."""
    printable = load_printable()  # a message may hold words of others
    print(f"hygiene: error: {printable(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"hygiene: hint: {printable(error.hint)}", file=sys.stderr)


def _terminate(number: int, _frame: object) -> NoReturn:
    raise SystemExit(ExitCode.TERMINATED)
