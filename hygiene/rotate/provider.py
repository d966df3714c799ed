"""What a provider of credentials must do to have one rotated: the whole obligation on one screen.

A provider object is made for one stored secret (see ``registry.py``); the values that it takes and gives are
whole stored values: a password, a URL with one inside, or a JSON object of several fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from hygiene.secret import Secret


class Verdict(Enum):
    """Whether a credential opens something."""

    LIVE = "live"
    DEAD = "dead"
    UNKNOWN = "unknown"  # rate limits, errors and ambiguous answers are never "dead"


class Check(NamedTuple):
    """A verdict and what it rests on; the evidence holds no value."""

    verdict: Verdict
    evidence: str = ""
    identity: str = ""
    hint: str = ""  # what to try, where the answer is that nothing could be asked
    scopes: tuple[str, ...] = ()  # what it may do, where the same answer tells


class Abilities(NamedTuple):
    """What rotation looks like at this provider."""

    overlap: bool  # old and new are valid at the same time
    self_service: bool  # the credential alone may replace itself
    idempotent_issue: bool  # issuing the same prepared value twice is harmless
    prepares: bool = True  # we choose the new value, so it is stored before the provider changes
    verifiable: bool = True  # verify can tell live from dead
    propagation: float = 10.0  # seconds that a change may take to be seen everywhere
    same_identity: bool = True  # old and new answer to the same name; False where users or tokens take turns


class Target(NamedTuple):
    """What a provider is told of the secret that it rotates."""

    name: str  # the stored secret's name
    labels: Mapping[str, str]  # what the store and the configuration know: user, host, role …
    hosts: tuple[str, ...] = ()  # where the configuration allows to connect to, as host or host:port
    admin: Secret | None = None  # the admin credential, where the configuration names one
    tables: Mapping[str, Mapping[str, Any]] = {}  # verify, rotate and revoke as the secret's rule declares them
    answer: Secret | None = None  # the new value that a person brings
    fixed_hosts: frozenset[str] = frozenset()  # hosts that built-in rules name


class Provider(Protocol):
    """A place where a credential is valid.

    The caller prepares: :meth:`prepare` makes the new value without touching the provider wherever the
    provider lets the client choose it, so that it can be stored as pending before anything changes.
    """

    @property
    def name(self) -> str:
        """The provider's name in the registry."""

    @property
    def abilities(self) -> Abilities:
        """What rotation looks like here."""

    def prepare(self, current: Secret) -> Secret | None:
        """Make the value to install, or None where the provider makes it itself (``not abilities.prepares``)."""

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Make the new credential valid and give it; with a prepared value, twice is the same as once.

        Raises ProviderError when the provider refused (nothing changed) and OutcomeUnknownError when it may
        have acted: the caller then verifies both values before it tries again.
        """

    def verify(self, secret: Secret) -> Check:
        """Ask whether ``secret`` works; never raises for an answer of any kind."""

    def revoke(self, old: Secret, current: Secret) -> None:
        """Make ``old`` worthless, using ``current`` or the admin credential; twice is the same as once.

        ``old`` may also be a new value that is given up; ``current`` is the one that stays.
        """


@runtime_checkable
class Inventory(Protocol):
    """A provider that can tell which credentials exist, so that a cut-off issue leaves no orphan."""

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the credentials that exist beside each other here (identifiers, not values)."""

    def discard(self, identifier: str, current: Secret) -> None:
        """Remove the never used credential ``identifier``; raises ProviderError for one that was used."""


@runtime_checkable
class Withdrawing(Protocol):
    """A provider with one place for a new credential, which can be emptied without knowing what is in it."""

    @property
    def withdraws(self) -> bool:
        """Whether :meth:`withdraw` acts."""

    def withdraw(self, current: Secret) -> None:
        """Empty the place, so that ``current`` is the only valid one; harmless where it is empty."""


@runtime_checkable
class Reaching(Protocol):
    """A provider that can be asked what a credential may do: its blast radius."""

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell what ``secret``, which is live, may do, in the provider's words; () where it may not ask.

        Raises ProviderError.
        """


@runtime_checkable
class Killable(Protocol):
    """A provider that can end a credential without a successor, for emergencies."""

    def kill(self, secret: Secret) -> None:
        """Make ``secret`` worthless at once; twice is the same as once. Raises ProviderError."""


@runtime_checkable
class ByHand(Protocol):
    """A provider where a person may have to revoke."""

    @property
    def revokes(self) -> bool:
        """Whether :meth:`Provider.revoke` acts, so that nobody has to."""

    def revoke_steps(self) -> tuple[str, ...]:
        """Give the steps by which a person revokes."""
