"""Runs a command as our child so that a script can't tell: signals go in, its exit code comes out.

A child and not an exec: 128 + n is what scripts rely on when signal n ended the command, and masking needs
its output to pass through us.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from hygiene.errors import StoreError
from hygiene.forms import forms_of
from hygiene.secret import Secret

NOT_FOUND = 127
NOT_RUNNABLE = 126
_MASK = b"***"
# The command gets the secrets that it needs, and not the key to all of them.
_WITHHELD = (b"HYGIENE_IDENTITY_KEY",)
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGALRM", "SIGINT", "SIGQUIT")


def run_child(arguments: Sequence[str], variables: Mapping[str, Secret], *, mask: bool = False) -> int:
    """Run ``arguments`` in our environment and ``variables``; gives its exit code: its own, 128 + signal, 126 or 127.

    With ``mask`` the values are replaced by ``***`` in what it prints, in the forms that encodings give them as well.
    """
    forwarded = {getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)}
    waited = forwarded | {signal.SIGCHLD}
    # Blocked before the child exists, so that none is lost between its start and our wait.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    try:
        hide = list(variables.values()) if mask else []
        masks = [_Mask(sys.stdout.buffer, hide), _Mask(sys.stderr.buffer, hide)] if hide else []
        actions = [(os.POSIX_SPAWN_DUP2, each.input, number) for number, each in enumerate(masks, 1)]
        try:
            child = os.posix_spawnp(
                arguments[0],
                list(arguments),
                _environment(variables),
                file_actions=actions,
                setsigmask=former,
                setsigdef=[],
            )
        except OSError as error:
            return _refused(arguments[0], error)
        for each in masks:
            each.start()
        code = _wait(child, waited)
        for each in masks:
            each.finish()
        return code
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _environment(variables: Mapping[str, Secret]) -> dict[bytes, bytes]:
    inherited = {name: value for name, value in os.environb.items() if name not in _WITHHELD}
    return {**inherited, **{name.encode(): secret.reveal() for name, secret in variables.items()}}


def _wait(child: int, waited: set[signal.Signals]) -> int:
    while True:
        # One read of the state before each wait: a child may have ended while nothing was pending.
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        came = signal.sigwaitinfo(waited)
        from_terminal = came.si_signo in (signal.SIGINT, signal.SIGQUIT) and came.si_pid == 0
        # The terminal sends its own to the whole foreground group, the child included.
        if came.si_signo != signal.SIGCHLD and not from_terminal:
            os.kill(child, came.si_signo)


def _refused(program: str, error: OSError) -> int:
    if error.errno == errno.E2BIG:
        raise StoreError("the environment with the secrets is too large for a command") from error
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    reason = "no such command" if missing else (error.strerror or "can't be run")
    print(f"hygiene: error: {program}: {reason}", file=sys.stderr)
    return NOT_FOUND if missing else NOT_RUNNABLE


def _beginning(form: bytes, text: bytes) -> int:
    """Say how many last bytes of ``text`` are the beginning of ``form``, and not the whole of it."""
    place = text.find(form[:1], max(len(text) - len(form) + 1, 0))
    while place >= 0:
        if form.startswith(text[place:]):
            return len(text) - place
        place = text.find(form[:1], place + 1)
    return 0


class _Mask:
    """A pipe whose other end writes to ``output`` with the values replaced, each chunk as soon as it can't hold one."""

    def __init__(self, output: IO[bytes], hide: Sequence[Secret]) -> None:
        self._output = output
        forms = {form for secret in hide for form in forms_of(secret.reveal())}
        self._forms = sorted(forms, key=len, reverse=True)
        self._source, self.input = os.pipe()
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def start(self) -> None:
        os.close(self.input)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join()

    def _copy(self) -> None:
        held = b""
        with os.fdopen(self._source, "rb", buffering=0) as source:
            while chunk := source.read(1 << 16):
                held = self._hidden(held + chunk)
                keep = self._kept(held)
                self._write(held[: len(held) - keep])
                held = held[len(held) - keep :]
        self._write(held)

    def _hidden(self, text: bytes) -> bytes:
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text

    def _kept(self, text: bytes) -> int:
        """Say how many last bytes may be the beginning of a form."""
        return max((_beginning(form, text) for form in self._forms), default=0)

    def _write(self, text: bytes) -> None:
        try:
            self._output.write(text)
            self._output.flush()
        except BrokenPipeError:
            # Go on reading, or the command would block on a full pipe.
            self._output = open(os.devnull, "wb")  # noqa: PTH123, SIM115 - lives as long as the process
