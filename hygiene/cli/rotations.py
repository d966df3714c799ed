"""Rotations of stored secrets: begun, resumed or aborted under a lock, each with its journal and provider."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from hygiene.cli.compose import Composition
from hygiene.cli.consumers import check_consumers
from hygiene.cli.eliminating import Eliminating
from hygiene.cli.keyhalves import KeyHalves
from hygiene.cli.managedrotations import ManagedRotations
from hygiene.cli.rotationproviders import RotationProviders
from hygiene.cli.rotationrequest import ASKED, Request
from hygiene.crypto import Identity, find_identity, seal, unseal
from hygiene.errors import (
    ConfigError,
    ConflictError,
    IdentityError,
    NotFoundError,
    PersonNeededError,
    SupersededError,
)
from hygiene.fileio import locked, make_private_folder
from hygiene.finding import Finding
from hygiene.git import Git, find_root
from hygiene.journal import Journal
from hygiene.places import cache_folder, home_folder, repository_folder
from hygiene.rotate.abandoning import abandoned
from hygiene.rotate.beginning import JOB, begin
from hygiene.rotate.provider import ByHand, Provider
from hygiene.rotate.rotation import Rotated, Rotation
from hygiene.rotate.schedule import policy_of
from hygiene.rotate.state import Step, next_step, state_from_entries
from hygiene.rotate.work import Sealer, Work
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Store

__all__ = ["ASKED", "VERDICTS", "Request", "Rotations"]
VERDICTS = "verdicts.json"  # in the cache folder: what providers said a short while ago
_LOCK_SECONDS = 0.1
_WAIT_SECONDS = 300  # for another runner that rotates the same secret


class Rotations:
    """The rotations of one store."""

    def __init__(self, composition: Composition, store_name: str) -> None:
        """Rotate what the store called ``store_name`` keeps."""
        self._composition = composition
        self.store: Store = composition.store(store_name)
        self._providers = RotationProviders(composition, self.store)
        self._managed = ManagedRotations(composition, store_name)
        self._eliminating = Eliminating()
        self._halves = KeyHalves(self.store, self._providers)

    @cached_property
    def journals(self) -> Path:
        """The folder of journals: the repository's, or the user's outside of one."""
        root = find_root(Path.cwd())
        return (repository_folder(Git(root).common_dir()) if root else home_folder()) / "journal"

    def unfinished(self) -> Iterator[str]:
        """Name the secrets of this store whose rotation has not ended."""
        for path in sorted(self.journals.glob("rotate-*.jsonl")):
            journal = Journal.open(path, JOB)
            if journal is not None and journal.facts["store"] == self.store.uri:
                yield str(journal.facts["name"])

    def rotate(self, request: Request) -> Rotated:
        """Begin or resume the rotation of one secret, and go as far as it goes."""
        request, companion = self._paired(request)
        with self._locked(request):
            journal = Journal.open(self._journal_path(request.name), JOB)
            if journal is None:
                journal = self._begin(request, companion)
            return self._run(journal, request)

    def resume(self, request: Request) -> Rotated:
        """Resume a rotation; NotFoundError when none of this secret is unfinished, SupersededError if it just ended."""
        with self._locked(request):
            if request.reason != ASKED and not self._journal_path(request.name).exists():
                raise SupersededError(f"another runner has finished the rotation of {request.name}")
            return self._run(self._open(request.name), request)

    def abort(self, name: str) -> Rotated:
        """Go back to the old value; NotFoundError when no rotation of this secret is unfinished.

        Where the secret was deleted meanwhile, or the store's function rotates it, there is no way back: only the
        journal ends.
        """
        with self._locked(Request(name)):
            journal, told = self._open(name), self.store.describe(name)
            if journal.facts.get("managed"):
                return abandoned(
                    journal, self.store, self._composition.recorder, "the store's function goes on by itself"
                )
            if told is None or told.deleted is not None:
                return abandoned(journal, self.store, self._composition.recorder, "the secret was deleted")
            return self._rotation(journal, Request(name)).abort()

    def current_version(self, name: str) -> str:
        """Name the current version of a secret, or "" where there is none."""
        secret = self.store.describe(name)
        version = secret.staged(CURRENT) if secret else None
        return version.id if version else ""

    def next_step(self, name: str) -> Step:
        """Say where the unfinished rotation of ``name`` stands."""
        journal = self._open(name)
        return next_step(state_from_entries(journal.entries()), prepares=bool(journal.facts["prepares"]))

    def provider(self, request: Request) -> Provider:
        """Open the provider of a stored secret; raises NotFoundError when it isn't there."""
        return self._providers.of_secret(request)

    def eliminate(self, request: Request, provider: Provider) -> str:
        """Say how the secret can be done without, once for each kind; gives it in short, "" where nothing is known."""
        secret = self.store.describe(request.name)
        labels = {**request.labels, **dict(secret.labels if secret else ())}
        return self._eliminating.say(request.name, provider.name, labels.get("rule", ""))

    def provider_of_finding(self, finding: Finding, around: Mapping[str, str]) -> Provider:
        """Open the provider that could tell whether a found credential is live; ``around`` are labels from its text."""
        return self._providers.of_finding(finding, around)

    def _paired(self, request: Request) -> tuple[Request, str]:
        """Take both halves of a key for one, unless a rotation has begun: it has noted them."""
        if Journal.open(self._journal_path(request.name), JOB) is not None:
            return request, ""
        return self._halves.paired(request)

    def _begin(self, request: Request, companion: str) -> Journal:
        path = self._journal_path(request.name)
        if self._managed.wanted(request):
            return self._managed.begin(path, request)
        provider = self.provider(request)
        self.eliminate(request, provider)
        return begin(
            lambda **facts: Journal.create(path, JOB, **facts),
            self.store,
            request.name,
            provider,
            reason=request.reason,
            expected=request.expected,
            labels=request.labels,
            companion=companion,
        )

    def _open(self, name: str) -> Journal:
        journal = Journal.open(self._journal_path(name), JOB)
        if journal is None:
            raise NotFoundError(
                f"no rotation of {name} is unfinished here", hint="journals are kept in the repository that began them"
            )
        return journal

    def _run(self, journal: Journal, request: Request) -> Rotated:
        if journal.facts.get("managed"):
            copies = self._providers.copies(request.name)
            return self._managed.rotation(journal, lambda: self.provider(request), copies).run()
        rotation = self._rotation(journal, request)
        if request.answer is not None and self.next_step(request.name) is Step.VERIFY:
            rotation.issuing.take(request.answer)
        return rotation.run()

    def _rotation(self, journal: Journal, request: Request) -> Rotation:
        facts = journal.facts
        request = request._replace(provider=str(facts["provider"]), labels=facts.get("labels", {}))
        provider = self.provider(request)
        if request.answer is None and provider.abilities.overlap is not facts.get(
            "overlap", provider.abilities.overlap
        ):
            raise ConfigError(
                f"the settings of {request.name} were changed since its rotation began",
                hint=f"put them back, then go on (--resume) or go back: hygiene rotate {request.name} --abort",
            )
        (cache_folder() / VERDICTS).unlink(missing_ok=True)  # it says live of what is about to die
        work = Work(self.store, provider, self._composition.recorder, journal, sealer=self._sealer)
        copies = self._providers.copies(request.name)
        return Rotation(work, before_revoke=lambda: self._before_revoke(request, provider), copies=copies)

    def _before_revoke(self, request: Request, provider: Provider) -> None:
        if isinstance(provider, ByHand) and not provider.revokes and not request.revoked:
            steps = [*provider.revoke_steps(), f"Say that it is done: hygiene rotate confirm {request.name}"]
            raise PersonNeededError(
                f"the new value of {request.name} is current; the old one still has to be revoked by hand",
                hint="\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)),
            )
        command = policy_of(request.name, self._composition.config).consumers
        if command:
            check_consumers(command, request.name)

    @cached_property
    def _sealer(self) -> Sealer | None:
        try:
            return _IdentitySealer(find_identity())
        except IdentityError:
            return None  # a value that can't be stored at once is then given up at the provider

    def _journal_path(self, name: str) -> Path:
        return self.journals / f"rotate-{self._digest(name)}.jsonl"

    @contextmanager
    def _locked(self, request: Request) -> Iterator[None]:
        """Keep other runners of this user off a secret; who asked for it by name waits for them."""
        path = make_private_folder(home_folder() / "locks") / f"rotate-{self._digest(request.name)}"
        until = time.monotonic() + (_WAIT_SECONDS if request.reason == ASKED else 0)
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(locked(path, wait=False))
                    break
                except ConflictError:
                    if time.monotonic() >= until:
                        raise
                    time.sleep(_LOCK_SECONDS)
            yield

    def _digest(self, name: str) -> str:
        return hashlib.sha256(f"{self.store.uri}\0{name}".encode()).hexdigest()[:24]


class _IdentitySealer:
    """Seals to the user's own identity."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def seal(self, secret: Secret) -> str:
        return seal(self._identity, secret)

    def unseal(self, text: str) -> Secret:
        return unseal(self._identity, text)
