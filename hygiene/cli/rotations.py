"""Opens what rotation works with: the secret's provider, its journal, its lock, and the checks before revocation."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from hygiene.cli.compose import Composition
from hygiene.cli.ruletables import RuleTables
from hygiene.config import ProviderSettings
from hygiene.crypto import Identity, find_identity, seal, unseal
from hygiene.errors import (
    ConfigError,
    ConflictError,
    IdentityError,
    NotFoundError,
    PersonNeededError,
    RotationError,
    SupersededError,
)
from hygiene.fileio import locked, make_private_folder
from hygiene.finding import Finding
from hygiene.git import Git, find_root
from hygiene.journal import Journal
from hygiene.places import cache_folder, home_folder, repository_folder
from hygiene.reference import parse_reference
from hygiene.rotate.beginning import JOB, begin
from hygiene.rotate.provider import ByHand, Provider, Target, Verdict
from hygiene.rotate.registry import AWS, AWS_RULE, DECLARED, guess_provider, is_key_id, open_provider, provider_name
from hygiene.rotate.rotation import Rotated, Rotation
from hygiene.rotate.schedule import policy_of
from hygiene.rotate.slots import pair_from_halves
from hygiene.rotate.state import Step, next_step, state_from_entries
from hygiene.rotate.stored import fields_of
from hygiene.rotate.work import Sealer, Work
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, Store, StoredSecret

VERDICTS = "verdicts.json"  # in the cache folder: what providers said a short while ago
ASKED = "asked for"  # by its name
_CONSUMERS_SECONDS = 600
_LOCK_SECONDS = 0.1
_WAIT_SECONDS = 300  # for another runner that rotates the same secret


class Request(NamedTuple):
    """What is asked for one secret."""

    name: str
    reason: str = ASKED
    expected: str = ""  # the version that is meant: a newer one leaves nothing to do
    provider: str = ""  # overrules labels and configuration
    labels: Mapping[str, str] = MappingProxyType({})  # learned where the secret leaked; the store's own overrule them
    answer: Secret | None = None  # the new value that a person brings
    revoked: bool = False  # a person says that the old value is revoked


class Rotations:
    """The rotations of one store."""

    def __init__(self, composition: Composition, store_name: str) -> None:
        """Rotate what the store called ``store_name`` keeps."""
        self._composition = composition
        self.store: Store = composition.store(store_name)

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
            return self._rotation(journal, request).run()

    def resume(self, request: Request) -> Rotated:
        """Resume a rotation; NotFoundError when none of this secret is unfinished, SupersededError if it just ended."""
        with self._locked(request):
            if request.reason != ASKED and not self._journal_path(request.name).exists():
                raise SupersededError(f"another runner has finished the rotation of {request.name}")
            return self._rotation(self._open(request.name), request).run()

    def abort(self, name: str) -> Rotated:
        """Go back to the old value; NotFoundError when no rotation of this secret is unfinished."""
        with self._locked(Request(name)):
            return self._rotation(self._open(name), Request(name)).abort()

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
        secret = self.store.describe(request.name)
        if secret is None:
            raise NotFoundError(
                f"the store {self.store.uri} has no secret {request.name}", hint="hygiene secret list shows what it has"
            )
        policy = policy_of(request.name, self._composition.config)
        name = request.provider or policy.provider or self._guessed(secret, request)
        labels = {**request.labels, **dict(secret.labels), **policy.settings}
        return open_provider(name, self._target(provider_name(name), request.name, labels, request.answer))

    def provider_of_finding(self, finding: Finding, around: Mapping[str, str]) -> Provider:
        """Open the provider that could tell whether a found credential is live; ``around`` are labels from its text."""
        labels = {"rule": finding.rule, **around}
        name = guess_provider(labels, finding.secret)
        return open_provider(name, self._target(name, finding.rule, labels, None))

    def _paired(self, request: Request) -> tuple[Request, str]:
        """Find the other half of a key that is kept as two secrets: the one that works with it.

        Gives the request for the half that is the secret, and the name of the half that is the id.
        """
        if Journal.open(self._journal_path(request.name), JOB) is not None:
            return request, ""
        secret = self.store.describe(request.name)
        version = secret.staged(CURRENT) if secret else None
        if secret is None or version is None or request.expected not in ("", version.id):
            return request, ""  # told when it begins, too
        value = self.store.get(request.name)
        if fields_of(value) is not None or self._guessed(secret, request) != AWS:
            return request, ""
        other = self._other_half(request, value)
        if other is None:
            return request, ""
        if not is_key_id(value):
            return request, other.name
        current = other.staged(CURRENT)
        expected = current.id if request.expected and current else ""
        return request._replace(name=other.name, expected=expected), request.name

    def _other_half(self, request: Request, value: Secret) -> StoredSecret | None:
        """Find, beside a secret, the one that makes a working key with it."""
        mine, provider = is_key_id(value), self.provider(request)
        for other in self.store.list(request.name.rpartition("/")[0]):
            rule = dict(other.labels).get("rule", AWS_RULE)
            if other.name == request.name or other.deleted is not None or not rule.startswith(AWS_RULE):
                continue
            half = self.store.get(other.name)
            if is_key_id(half) == mine or fields_of(half) is not None:
                continue
            pair = pair_from_halves(value, half) if mine else pair_from_halves(half, value)
            if provider.verify(pair).verdict is Verdict.LIVE:
                return other
        return None

    def _begin(self, request: Request, companion: str) -> Journal:
        path = self._journal_path(request.name)
        return begin(
            lambda **facts: Journal.create(path, JOB, **facts),
            self.store,
            request.name,
            self.provider(request),
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

    def _rotation(self, journal: Journal, request: Request) -> Rotation:
        facts = journal.facts
        request = request._replace(provider=str(facts["provider"]), labels=facts.get("labels", {}))
        provider = self.provider(request)
        (cache_folder() / VERDICTS).unlink(missing_ok=True)  # it says live of what is about to die
        work = Work(self.store, provider, self._composition.recorder, journal, sealer=self._sealer)
        return Rotation(work, before_revoke=lambda: self._before_revoke(request, provider))

    def _guessed(self, secret: StoredSecret, request: Request) -> str:
        return guess_provider({**request.labels, **dict(secret.labels)}, self.store.get(secret.name))

    def _target(self, provider: str, name: str, labels: Mapping[str, str], answer: Secret | None) -> Target:
        tables, fixed = self._tables.of(labels.get("rule", ""))
        # The configuration names a provider as the code does, or a declared one as its rule does.
        known = self._composition.config.providers
        declared = self._tables.provider_of(labels.get("rule", "")) if provider == DECLARED else ""
        settings = known.get(provider) or known.get(declared) or ProviderSettings(provider)
        admin = self._composition.resolver().resolve(parse_reference(settings.admin)) if settings.admin else None
        return Target(name, {**settings.settings, **labels}, settings.hosts, admin, tables, answer, fixed)

    def _before_revoke(self, request: Request, provider: Provider) -> None:
        if isinstance(provider, ByHand) and not provider.revokes and not request.revoked:
            steps = [*provider.revoke_steps(), f"Say that it is done: hygiene rotate confirm {request.name}"]
            raise PersonNeededError(
                f"the new value of {request.name} is current; the old one still has to be revoked by hand",
                hint="\n".join(f"  {number}. {step}" for number, step in enumerate(steps, 1)),
            )
        command = policy_of(request.name, self._composition.config).consumers
        if command:
            _run_consumers(command, request.name)

    @cached_property
    def _tables(self) -> RuleTables:
        return RuleTables(self._composition.config)

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


def _run_consumers(command: tuple[str, ...], name: str) -> None:
    """Ask the configured command whether the old value may die."""
    try:
        done = subprocess.run(
            [*command, name], stdin=subprocess.DEVNULL, capture_output=True, timeout=_CONSUMERS_SECONDS
        )
    except OSError as error:
        raise ConfigError(f"cannot run the consumers check {command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise RotationError(f"the consumers check of {name} took longer than {_CONSUMERS_SECONDS} s") from None
    if done.returncode:
        raise RotationError(
            f"the consumers check of {name} failed (exit {done.returncode}), so the old value was not revoked",
            hint="go on once all have the new value: hygiene rotate --resume",
        )
