"""The configured command that says whether all consumers of a secret have its new value."""

from __future__ import annotations

import subprocess

from hygiene.errors import ConfigError, RotationError

_TIMEOUT_SECONDS = 600


def check_consumers(command: tuple[str, ...], name: str) -> None:
    """Ask the configured command whether the old value may die; raises :class:`RotationError` when it may not."""
    try:
        done = subprocess.run([*command, name], stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except OSError as error:
        raise ConfigError(f"cannot run the consumers check {command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise RotationError(f"the consumers check of {name} took longer than {_TIMEOUT_SECONDS} s") from None
    if done.returncode:
        raise RotationError(
            f"the consumers check of {name} failed (exit {done.returncode}), so the old value was not revoked",
            hint="go on once all have the new value: hygiene rotate --resume",
        )
