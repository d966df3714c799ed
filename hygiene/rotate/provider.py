"""What a provider of credentials must do to have one rotated."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, Protocol

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


class Abilities(NamedTuple):
    """What rotation looks like at this provider."""

    overlap: bool  # old and new are valid at the same time
    self_service: bool  # the credential alone may replace itself
    idempotent_issue: bool  # issuing the same prepared value twice is harmless


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
        """Make the value to install, or None where the provider makes it itself."""

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Make the new credential valid and give it; with a prepared value, twice is the same as once.

        Raises ProviderError; after one whose outcome is unknown, the caller verifies both values.
        """

    def verify(self, secret: Secret) -> Check:
        """Ask whether ``secret`` works; never raises for an answer of any kind."""

    def revoke(self, old: Secret, current: Secret) -> None:
        """Make ``old`` worthless, using ``current`` or the admin credential; twice is the same as once."""

    def orphans(self, known: Mapping[str, str]) -> list[str]:
        """Name credentials at the provider that a cut-off issue may have left (identifiers, not values)."""
