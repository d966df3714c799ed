"""What a store must do: the whole obligation on one screen.

A store keeps named secrets; each has versions, and stages (``current``, ``pending``, ``previous``) that point
at versions. Every backend passes ``tests/contract``; what one can't do it says in :class:`Capabilities`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from hygiene.config import Role
from hygiene.reference import Reference
from hygiene.secret import Secret

CURRENT = "current"
PENDING = "pending"
PREVIOUS = "previous"


READ, WRITE, DELETE = "read", "write", "delete"  # what is done to a secret

OWNER = "hygiene"  # the owner of what we made


class Opening(NamedTuple):
    """What a backend is opened with: ``open_backend(opening) -> Store`` is its one entry."""

    uri: str  # as the user names it
    rest: str  # the URI without its scheme
    base: Path  # what relative paths start from
    label: str  # the store's name in the configuration, if it has one
    notify: Callable[[str], None]  # told the recovery key of a store that is made, once


class Expect(Enum):
    """What a writer may demand besides a version."""

    ABSENT = "absent"  # no secret of this name, deleted ones included
    ANYTHING = "anything"


class Capabilities(NamedTuple):
    """What a store can do; jobs adapt to what it can't."""

    writable: bool = True
    cas: bool = True  # refuses a write when the version is another than expected
    stages: bool = True
    versions: bool = True
    recoverable_delete: bool = True
    expiry: bool = True
    binary: bool = True
    max_bytes: int = 65_536


class Version(NamedTuple):
    """One version of a secret, without its value."""

    id: str
    created: datetime
    stages: frozenset[str]
    expires: datetime | None = None


class StoredSecret(NamedTuple):
    """What a store tells about a secret; never its value."""

    name: str
    reference: Reference  # of the current version's whole value
    owner: str  # who keeps it: "hygiene" for ours, anything else for foreign ones
    versions: tuple[Version, ...]  # newest first
    created: datetime
    expires: datetime | None = None
    due: datetime | None = None  # when rotation is due
    deleted: datetime | None = None  # set while a deletion can be undone
    labels: tuple[tuple[str, str], ...] = ()  # what we know of it: rule, provider, variable

    def staged(self, stage: str) -> Version | None:
        """Give the version that ``stage`` points at."""
        return next((version for version in self.versions if stage in version.stages), None)


class Store(Protocol):
    """A place for secrets. Every method raises subclasses of :class:`hygiene.errors.StoreError`."""

    @property
    def uri(self) -> str:
        """The store as the user names it."""

    @property
    def capabilities(self) -> Capabilities:
        """What this store can do."""

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to the current version of ``name``, whether or not it exists."""

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here; raises NotFoundError when it means another store."""

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None where it never was; a deleted one that can come back is told."""

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Tell about every secret whose name starts with ``prefix``, in the order of names."""

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        """Write a version and point ``stage`` at it; the former current version becomes ``previous``.

        ``expect`` is the id of the current version, or an :class:`Expect`; ConflictError when it is not so.
        ``token`` (32 to 64 of [a-z0-9-]) makes a retry a no-op: the same token with the same value gives the
        same version, with another value ConflictError. ForeignSecretError for a secret that is not ours.
        A secret's first version can only be current: ConflictError for another stage.
        """

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value; NotFoundError when the secret, stage or version is not there."""

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Make ``version`` current and the version ``expect``, which must be current, previous; idempotent."""

    def unstage(self, name: str, stage: str) -> None:
        """Take ``stage`` (not current) off whatever version carries it."""

    def expire(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which the secret must not be used."""

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Set or remove the moment from which rotation is due."""

    def adopt(self, name: str) -> None:
        """Make a foreign secret ours."""

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Delete all versions; where ``recoverable``, :meth:`restore` brings them back."""

    def restore(self, name: str) -> None:
        """Undo a recoverable deletion."""


class AccessChange(NamedTuple):
    """One thing that applying the roles would do or has done, or one thing that is wrong."""

    action: str  # add-member, remove-member, re-encrypt, mark-due, write-policy, …
    object: str  # a member, a secret's name, a policy's name
    detail: str = ""  # why, or the compiled policy


@runtime_checkable
class Governed(Protocol):
    """What a store can also be: one that enforces the roles of the configuration."""

    def plan_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Tell what :meth:`apply_access` would do; nothing where all is as the roles say."""

    def apply_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Make the store enforce ``roles``, and tell what was done; doing it again does nothing more."""

    def check_access(self, roles: Sequence[Role]) -> Sequence[AccessChange]:
        """Verify what the store holds, and tell what is wrong or differs from ``roles``."""


@runtime_checkable
class Explained(Protocol):
    """What a store can also be: one that decides by rules that it can name."""

    def rule_for(self, verb: str, name: str) -> str:
        """Name what lets the user READ, WRITE or DELETE ``name``: owner, a role, an access for a time; or nothing."""


@runtime_checkable
class SelfRotating(Protocol):
    """What a store can also be: one that has functions of its own which rotate secrets."""

    def is_self_rotated(self, name: str) -> bool:
        """Say whether ``name`` has such a function."""

    def start_rotation(self, name: str, token: str) -> None:
        """Start a rotation whose new version is ``token``; again, it changes nothing. ConflictError during another."""

    def is_rotated(self, name: str, token: str) -> bool:
        """Say whether the version ``token`` is current."""


class AccessRequest(NamedTuple):
    """Access for a time: what was asked, and what came of it."""

    id: str
    member: str
    paths: tuple[str, ...]
    reason: str
    created: datetime
    state: str  # waiting, active, denied, ended
    until: datetime | None = None
    break_glass: bool = False  # approved by the one who asked


@runtime_checkable
class TimeLimited(Protocol):
    """What a store can also be: one where a member asks for access, and someone else approves it for a time."""

    def request_access(self, paths: Sequence[str], reason: str, duration: timedelta) -> AccessRequest:
        """Ask to read the secrets that ``paths`` cover."""

    def decide_access(self, id: str, *, approved: bool, reason: str = "", break_glass: bool = False) -> AccessRequest:
        """Approve or deny a request, never one's own unless ``break_glass``; AccessDeniedError without the right."""

    def access_requests(self) -> Sequence[AccessRequest]:
        """Tell the requests and their state, oldest first."""
