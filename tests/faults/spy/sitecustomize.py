"""Watches a run of hygiene for the canary test: what it starts, and what it does when it breaks in the middle."""

import os
import sys

_LOG = os.environ.get("SPY_LOG")
_STARTS = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system")


def _watch(event, arguments):
    if event in _STARTS:
        with open(_LOG, "ab") as stream:  # noqa: PTH123
            # The second is the command line; the environment of a child that was asked for may hold values.
            stream.write(repr(arguments[:2]).encode("utf-8", "backslashreplace") + b"\n")


if _LOG:
    sys.addaudithook(_watch)
    with open(_LOG, "ab") as stream:  # noqa: PTH123
        stream.write(repr(sys.orig_argv).encode("utf-8", "backslashreplace") + b"\n")

if os.environ.get("SPY_BREAK"):
    # Break inside of an access, with the value in the message and in the locals of the frame.
    import hygiene.prove.audited as audited

    def _broken(self, name, secret=None, **_options):
        value = secret.reveal() if secret is not None else self._store.get(name).reveal()
        raise RuntimeError(f"broken with {value!r} in hand")

    setattr(audited._Audited, os.environ["SPY_BREAK"], _broken)
