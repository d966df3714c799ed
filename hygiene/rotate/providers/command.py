"""A command of the user's own that rotates: values go in on stdin and come out on stdout, never as arguments.

``COMMAND issue|verify|revoke`` gets one JSON object on stdin: ``name`` and, as they apply, ``current``, ``new``
and ``old``. Exit 0 means done (or live); for verify, 1 means dead and anything else unknown. Where the
command makes the value itself (label ``makes = "true"``), issue writes it to stdout.
"""

from __future__ import annotations

import json
import shlex
import subprocess

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import new_password, with_login
from hygiene.secret import Secret

_SECONDS = 120
_REFUSED = 1
_VALUE_BYTES = 1 << 16


class CommandProvider:
    """What a command rotates."""

    name = "command"

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: command, makes (``true``), overlap (``true``)."""
        self._target = target
        self._command = shlex.split(target.labels.get("command", ""))
        if not self._command:
            raise ProviderError(
                "no command is configured", hint='settings = { command = "./rotate.sh" } in [[rotation.secrets]]'
            )
        makes = target.labels.get("makes") == "true"
        overlap = target.labels.get("overlap") == "true"
        self.abilities = Abilities(
            overlap=overlap, self_service=True, idempotent_issue=not makes, prepares=not makes, propagation=10.0
        )

    def prepare(self, current: Secret) -> Secret | None:
        """Make a password in the form of the current value, unless the command makes it."""
        return with_login(current, password=new_password()) if self.abilities.prepares else None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Run ``COMMAND issue``."""
        done = self._run("issue", current=current, new=prepared)
        if done.returncode == _REFUSED:
            raise ProviderError(f"{self._command[0]} issue refused (exit 1)")
        if done.returncode:
            raise OutcomeUnknownError(f"{self._command[0]} issue ended with exit {done.returncode}")
        if prepared is not None:
            return prepared
        value = done.stdout.removesuffix(b"\n")
        if not value or len(value) > _VALUE_BYTES:
            raise OutcomeUnknownError(f"{self._command[0]} issue wrote no value to its output")
        return Secret(value)

    def verify(self, secret: Secret) -> Check:
        """Run ``COMMAND verify``."""
        try:
            code = self._run("verify", current=secret).returncode
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        verdict = {0: Verdict.LIVE, 1: Verdict.DEAD}.get(code, Verdict.UNKNOWN)
        return Check(verdict, f"the command ended with exit {code}")

    def revoke(self, old: Secret, current: Secret) -> None:
        """Run ``COMMAND revoke``."""
        code = self._run("revoke", old=old, current=current).returncode
        if code:
            raise ProviderError(f"{self._command[0]} revoke ended with exit {code}")

    def _run(self, action: str, **values: Secret | None) -> subprocess.CompletedProcess[bytes]:
        told = {"name": self._target.name}
        for key, secret in values.items():
            if secret is not None:
                told[key] = secret.reveal().decode("utf-8", "surrogateescape")
        try:
            # Its stderr goes to the terminal unread: what it says there is its own affair.
            return subprocess.run(
                [*self._command, action],
                input=json.dumps(told).encode(),
                stdout=subprocess.PIPE,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise OutcomeUnknownError(f"{self._command[0]} {action} took longer than {_SECONDS} s") from None
        except OSError as error:
            raise ProviderError(f"cannot run {self._command[0]}: {error.strerror}") from None
