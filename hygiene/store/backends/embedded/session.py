"""What one user holds while working with a store: an identity, the policy that holds, and the store's lock.

A policy is trusted on first use and followed from then on: another store in its place, or an older policy, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hygiene import crypto
from hygiene.errors import AccessDeniedError, IntegrityError
from hygiene.fileio import locked, make_private_folder, write_atomic
from hygiene.store import access
from hygiene.store.backends.embedded import grants, layout
from hygiene.store.backends.embedded.memory import Memory, Seen
from hygiene.store.backends.embedded.policy import Policy, create_policy, edition_digest, latest_serial, read_policy

_IGNORED = "# Locks and unfinished writes are of this machine alone.\n.lock\n.hygiene-tmp-*\n"
_ATTRIBUTES = "@record.json merge=hygiene-record\n*.age binary\n"


class Session:
    """One user at one store."""

    def __init__(
        self,
        root: Path,
        *,
        uri: str,
        identity: Callable[[bool], crypto.Identity],
        memory: Memory,
        notify: Callable[[str], None],
    ) -> None:
        """Work at ``root``; for the callbacks see :class:`hygiene.store.backends.embedded.EmbeddedStore`."""
        self.root = root
        self.uri = uri
        self.memory = memory
        self._find_identity = identity
        self._found: crypto.Identity | None = None
        self._notify = notify
        self._policy: Policy | None = None

    def identity(self) -> crypto.Identity:
        """Give the user's identity; raises :class:`IdentityError`."""
        if self._found is None:
            self._found = self._find_identity(False)
        return self._found

    def policy(self) -> Policy | None:
        """Give the newest policy, verified and followed from the one remembered; None where there is no store."""
        serial = latest_serial(self.root)
        if serial == 0:
            return None
        if self._policy is None or self._policy.serial != serial:
            self._policy = self._verified_policy()
        return self._policy

    @property
    def held(self) -> Policy | None:
        """The policy that was verified last, as it then stood."""
        return self._policy

    @contextmanager
    def exclusive(self) -> Iterator[Policy]:
        """Hold the store's lock, and give the policy that then holds; makes the store where there is none."""
        make_private_folder(self.root)
        layout.check_own_folders(self.root)
        with locked(self.root / ".lock"):
            yield self.policy() or self._create()

    def require(self, policy: Policy, verbs: frozenset[str], name: str) -> None:
        """Raise :class:`AccessDeniedError` unless the user may do one of ``verbs`` to ``name``."""
        if not self.rule(policy, verbs, name):
            raise AccessDeniedError(
                f"your identity may not {' or '.join(sorted(verbs))} {name}",
                hint="no role in the store's policy allows it; hygiene access request asks for it",
            )

    def rule(self, policy: Policy, verbs: frozenset[str], name: str) -> str:
        """Name what lets the user do one of ``verbs`` to ``name``; empty where nothing does."""
        member = self.identity().member
        rule = policy.rule(member, verbs, name)
        if not rule and verbs == access.READING:
            return grants.active_grant(self.requests(policy), policy, member, name)
        return rule

    def guests(self, policy: Policy, name: str) -> tuple[str, ...]:
        """Give the recipients that may read ``name`` by an access that was approved and has not ended."""
        return grants.active_readers(self.requests(policy), policy, name)

    def requests(self, policy: Policy) -> list[grants.Asked]:
        """Give the requests for access with their decisions; a denial that was seen once holds, removed or not."""
        found = list(grants.read_requests(self.root, policy))
        if not found:
            return found
        known = self.memory.denied(policy.store)
        denied = {asked.request.digest for asked in found if grants.is_denied(policy, asked)}
        if denied - known:
            self.memory.remember_denied(policy.store, denied - known)
        return [asked._replace(denied=asked.request.digest in known | denied) for asked in found]

    def accept_present(self) -> None:
        """Take what stands in the store now for the newest state: after going back on purpose."""
        self.memory.forget_store(self.root)
        self._policy = None

    def _verified_policy(self) -> Policy:
        layout.check_own_folders(self.root)
        policy = read_policy(self.root)
        known = self.memory.store(self.root)
        if known is not None:
            self._check_known(policy, *known)
        seen = Seen(policy.serial, policy.digest)
        if known != (policy.store, seen):
            self.memory.remember_store(self.root, policy.store, seen)
        return policy

    def _check_known(self, policy: Policy, id: str, seen: Seen) -> None:
        if policy.store != id:
            raise IntegrityError(
                f"{self.root} is another store than the one seen there before",
                hint="if that is meant: hygiene access check --accept",
            )
        if policy.serial < seen.serial or (policy.serial == seen.serial and policy.digest != seen.digest):
            raise IntegrityError(
                f"the policy of {self.root} is older than one seen before",
                hint="if you went back on purpose: hygiene access check --accept",
            )
        # An owner who was removed since can still sign another history, from where he was one on.
        if edition_digest(self.root, seen.serial) != seen.digest:
            raise IntegrityError(
                f"the policy of {self.root} parts from the one seen before, at edition {seen.serial}",
                hint="look in git who replaced it; if that is meant: hygiene access check --accept",
            )

    def _create(self) -> Policy:
        identity = self._find_identity(True)
        recovery, key = crypto.generate_identity()
        # Shown before the store is made: a crash in between loses a key that opens nothing.
        self._notify(key)
        write_atomic(self.root / ".gitignore", _IGNORED.encode())
        write_atomic(self.root / ".gitattributes", _ATTRIBUTES.encode())
        create_policy(self.root, identity, recovery.member)
        self._found = identity
        self._policy = read_policy(self.root)
        self.memory.remember_store(self.root, self._policy.store, Seen(1, self._policy.digest))
        return self._policy
