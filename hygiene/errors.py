"""Errors for the person at the prompt: what failed, what to try, and the exit code that says so.

Only the command line's boundary (``hygiene.cli.boundary``) prints them. A message or hint never holds a value.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes that scripts rely on."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    CONFIG = 3
    INCOMPLETE = 4
    STORE = 5
    AUDIT = 6
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class HygieneError(Exception):
    """An error that the user can act on."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Carry ``message`` (what failed) and ``hint`` (what to try)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HygieneError):
    """The command was called in a way that can't work."""

    exit_code = ExitCode.USAGE


class ConfigError(HygieneError):
    """The configuration or a rule is wrong."""

    exit_code = ExitCode.CONFIG


class SourceError(HygieneError):
    """What should be scanned or changed can't be read."""

    exit_code = ExitCode.INCOMPLETE


class StoreError(HygieneError):
    """A store refused, failed, or can't be reached."""

    exit_code = ExitCode.STORE


class NotFoundError(StoreError):
    """The store holds no such secret, version or stage."""


class ConflictError(StoreError):
    """The secret is not in the state that the caller expected; nothing was written."""


class SupersededError(ConflictError):
    """Another runner has done it meanwhile: there is nothing left to do."""


class ForeignSecretError(StoreError):
    """The secret exists but was not made by us, so it is not touched."""


class AccessDeniedError(StoreError):
    """The identity may not do this."""


class IntegrityError(StoreError):
    """What is stored does not verify: changed, swapped, replayed or signed by someone without the right."""


class IdentityError(StoreError):
    """There is no usable identity to open the store with."""


class UnresolvedReferenceError(StoreError):
    """A reference does not resolve to a value."""


class RotationError(StoreError):
    """A rotation step failed; the journal knows where to go on."""


class ProviderError(RotationError):
    """The provider of a credential refused, failed, or answered in a way that proves nothing."""


class OutcomeUnknownError(ProviderError):
    """A provider may or may not have acted: both values are verified before anything is tried again."""


class PersonNeededError(RotationError):
    """A step can only be done by a person; the rotation waits for ``hygiene rotate confirm``."""


class JournalError(StoreError):
    """A journal can't be written, read, or belongs to another run."""


class WriteError(StoreError):
    """A file can't be written durably (full disk, read-only, no permission); the old content is intact."""


class AuditError(HygieneError):
    """The audit log does not verify, or can't be written."""

    exit_code = ExitCode.AUDIT
