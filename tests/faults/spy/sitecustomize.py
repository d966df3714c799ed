"""Watches a run of hygiene for the canary test: what it starts, and what it does when it breaks in the middle."""

import atexit
import contextlib
import ctypes
import importlib
import os
import sys

_LOG = os.environ.get("SPY_LOG")
_STARTS = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system")


def _note(line):
    """Write a line; a full disk, which some of the runs are given, must not be what breaks the run that is watched."""
    with contextlib.suppress(OSError), open(_LOG, "ab") as stream:  # noqa: PTH123
        stream.write(line + b"\n")


def _watch(event, arguments):
    if event in _STARTS:
        # The second is the command line; the environment of a child that was asked for may hold values.
        _note(repr(arguments[:2]).encode("utf-8", "backslashreplace"))


def _tell_dumpable():
    _note(b"dumpable %d" % ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE


if _LOG:
    atexit.register(_tell_dumpable)
    sys.addaudithook(_watch)
    _note(repr(sys.orig_argv).encode("utf-8", "backslashreplace"))


def _break(place):
    """Break inside of an access, with the value in the message and in the locals of the frame."""
    import hygiene.prove.audited as audited

    def _broken(self, name, secret=None, **_options):
        value = secret.reveal() if secret is not None else self._store.get(name).reveal()
        raise RuntimeError(f"broken with {value!r} in hand")

    setattr(audited._Audited, place, _broken)


def _break_at(place):
    """Make the function ``module:name`` fail in a way that nobody foresaw; or end the process, as a fault in C does."""
    module, _, name = place.partition(":")
    owner = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        owner = getattr(owner, part)

    def _broken(*_arguments, **_options):
        if os.environ.get("SPY_ABORT"):
            os.abort()
        raise RuntimeError("broken")

    setattr(owner, name, _broken)


def _dump(error):
    """Show the locals of every frame, as cgitb, rich and error collectors do."""
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if code.co_name != "_broken":  # which stands for a function in C, and those have no locals
            print(f"FRAME {code.co_filename}:{code.co_name} {frame.tb_frame.f_locals!r}", file=sys.stderr)
        frame = frame.tb_next


if os.environ.get("SPY_HOOKS"):
    import cgitb  # the standard library's, until 3.13

    import rich.traceback

    cgitb.enable(logdir=os.environ["TMPDIR"], format="text")
    shown, everything = sys.excepthook, {"show_locals": True, "locals_max_string": 10_000, "locals_max_length": 1000}
    rich.traceback.install(**everything)
    rich_hook = sys.excepthook
    sys.excepthook = lambda *error: (shown(*error), rich_hook(*error))

if os.environ.get("SPY_BREAK"):
    _break(os.environ["SPY_BREAK"])
if os.environ.get("SPY_BREAK_AT"):
    _break_at(os.environ["SPY_BREAK_AT"])
if os.environ.get("SPY_DUMP"):
    import hygiene.cli.crash

    hygiene.cli.crash.report = _dump
