from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hygiene.errors import ConflictError, ProviderError, RotationError, StoreError, SupersededError
from hygiene.journal import Journal
from hygiene.rotate.beginning import JOB, begin
from hygiene.rotate.provider import Abilities, Check, Verdict
from hygiene.rotate.rotation import Rotation
from hygiene.rotate.work import Work
from hygiene.secret import Secret
from hygiene.store.protocol import PENDING, Capabilities
from tests.fakes.memory_provider import MemoryProvider, MintingProvider, PairProvider
from tests.fakes.memory_recorder import MemoryRecorder
from tests.fakes.memory_store import MemoryStore

NAME = "shop/db"
OLD = Secret(b"the-old-value")
PLAIN = Capabilities(cas=False, stages=False, versions=False)

SHAPES: dict[str, Callable[[], MemoryProvider]] = {
    "overlap": lambda: MemoryProvider(OLD, overlap=True),
    "gap": lambda: MemoryProvider(OLD, overlap=False),
    "minting": lambda: MintingProvider(OLD),
}
STORES = {"stages": Capabilities(), "no-cas": Capabilities(cas=False), "plain": PLAIN}


class Killed(BaseException):
    """As SIGKILL: no handler of ours runs."""


class Trap:
    """Lets every call of its parts through, and kills at the chosen one, before or after its effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left, self.after = at, after

    def around(self, part: Any) -> Any:
        return _Trapped(part, self)

    def call(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        try:
            return method(*arguments, **named)
        finally:
            if self.left == 0:
                raise Killed


class _Trapped:
    def __init__(self, part: Any, trap: Trap) -> None:
        self._part, self._trap = part, trap

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not callable(value) or name in ("facts",):
            return value
        return lambda *arguments, **named: self._trap.call(value, *arguments, **named)


class _TrappedInventory(_Trapped):
    def identifiers(self, current: Secret) -> frozenset[str]:
        return self._trap.call(self._part.identifiers, current)  # type: ignore[no-any-return]

    def discard(self, identifier: str, current: Secret) -> None:
        self._trap.call(self._part.discard, identifier, current)


class World:
    def __init__(self, folder: Path, provider: MemoryProvider, capabilities: Capabilities) -> None:
        self.store = MemoryStore(capabilities)
        self.store.put(NAME, OLD, token="0" * 32, labels=(("provider", "memory"),))
        self.provider = provider
        self.recorder = MemoryRecorder()
        self.path = folder / "journal"

    def journal(self) -> Journal:
        opened = Journal.open(self.path, JOB)
        return opened or begin(
            lambda **facts: Journal.create(self.path, JOB, **facts), self.store, NAME, self.provider, reason="test"
        )

    def rotation(self, trap: Trap | None = None) -> Rotation:
        store: Any = self.store
        provider: Any = self.provider
        journal: Any = self.journal()
        if trap:
            kind = _TrappedInventory if hasattr(provider, "discard") else _Trapped
            store, provider, journal = trap.around(store), kind(provider, trap), trap.around(journal)
        return Rotation(Work(store, provider, self.recorder, journal, sleep=lambda _: None))

    def assert_a_value_works(self) -> None:
        """Where there is overlap, what a client resolves works at every moment; else some stored value does."""
        held = [value for values in self.store.values.values() for value in values.values()]
        assert self.store.get(NAME) in self.provider.valid or not self.provider.abilities.overlap
        assert any(value in self.provider.valid for value in held)

    def assert_rotated(self) -> None:
        current = self.store.get(NAME)
        assert current != OLD
        assert self.provider.valid == [current]
        self.assert_tidy()

    def assert_old(self) -> None:
        assert self.store.get(NAME) == OLD
        assert self.provider.valid == [OLD]
        self.assert_tidy()

    def assert_tidy(self) -> None:
        assert not self.path.exists()
        assert list(self.store.told) == [NAME]
        assert PENDING not in self.store.stages[NAME]


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of journals are written here, and no machine is switched off: do not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STORES)
def world(request: pytest.FixtureRequest, tmp_path: Path, shape: str) -> World:
    return World(tmp_path, SHAPES[shape](), STORES[request.param])


def test_rotation_undisturbed_leaves_only_the_new_value(world: World) -> None:
    done = world.rotation().run()
    world.assert_rotated()
    assert (done.outcome, done.gap) == ("rotated", not world.provider.abilities.overlap)
    assert world.provider.issues == 1


def test_rotation_killed_anywhere_resumes_to_the_same_end(tmp_path: Path, shape: str) -> None:
    for kind, capabilities in STORES.items():
        for number, after in _kills():
            world = World(tmp_path / f"{kind}-{number}-{after}", SHAPES[shape](), capabilities)
            try:
                world.rotation(Trap(number, after=after)).run()
                break
            except Killed:
                assert (
                    OLD in world.provider.valid or not world.provider.abilities.overlap or world.store.get(NAME) != OLD
                )
            world.rotation().run()
            world.assert_rotated()
        else:
            pytest.fail("the rotation never ran through")
        assert number > 15


class Failing(Trap):
    """Lets every call through, and fails at the chosen one as a store does, before or after its effect."""

    def call(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise StoreError("the store can't be reached")
        done = method(*arguments, **named)
        if self.left == 0:
            raise StoreError("the store's answer was lost")
        return done


def test_rotation_whose_store_fails_at_any_call_ends_the_same_later(tmp_path: Path, shape: str) -> None:
    for kind, capabilities in STORES.items():
        for number, after in _kills():
            world = World(tmp_path / f"{kind}-{number}-{after}", SHAPES[shape](), capabilities)
            rotation = world.rotation()
            failing = Failing(number, after=after)
            store = failing.around(world.store)
            try:
                Rotation(Work(store, world.provider, world.recorder, rotation.work.journal, sleep=lambda _: None)).run()
            except StoreError:
                world.assert_a_value_works()
                world.rotation().run()
            world.assert_rotated()
            if failing.left > 0:
                break
        else:
            pytest.fail("the rotation never ran through")
        assert number > 5


def test_rotation_killed_twice_resumes_to_the_same_end(tmp_path: Path, shape: str) -> None:
    for first in range(1, 44, 2):
        for second in range(1, 16, 2):
            world = World(tmp_path / f"{first}-{second}", SHAPES[shape](), Capabilities())
            for at in (first, second):
                try:
                    world.rotation(Trap(at, after=True)).run()
                    break
                except Killed:
                    continue
            else:
                world.rotation().run()
            world.assert_rotated()


def test_abort_anywhere_before_revocation_brings_the_old_value_back(tmp_path: Path, shape: str) -> None:
    refused = aborted = 0
    for kind, capabilities in STORES.items():
        for number, after in _kills():
            world = World(tmp_path / f"{kind}-{number}-{after}", SHAPES[shape](), capabilities)
            try:
                world.rotation(Trap(number, after=after)).run()
                break
            except Killed:
                pass
            if not world.path.exists():
                world.assert_rotated()
                continue
            try:
                world.rotation().abort()
                world.assert_old()
                aborted += 1
            except RotationError:
                world.rotation().run()
                world.assert_rotated()
                refused += 1
    assert aborted > refused > 0


def test_abort_killed_anywhere_is_finished_by_resume(tmp_path: Path, shape: str) -> None:
    for kind, capabilities in STORES.items():
        for start in (8, 12, 16):
            for number, after in _kills():
                world = World(tmp_path / f"{kind}-{start}-{number}-{after}", SHAPES[shape](), capabilities)
                with pytest.raises(Killed):
                    world.rotation(Trap(start, after=True)).run()
                try:
                    world.rotation(Trap(number, after=after)).abort()
                    break
                except Killed:
                    pass
                begun = any(True for _ in world.journal().entries("aborting")) if world.path.exists() else True
                if world.path.exists():
                    world.rotation().run()
                world.assert_old() if begun else world.assert_rotated()


@pytest.mark.parametrize("answers", [["cut-before"], ["cut-after"], ["cut-before", "cut-after"]])
def test_issue_of_unknown_outcome_ends_with_one_value(world: World, answers: list[str]) -> None:
    world.provider.answers = answers
    world.rotation().run()
    world.assert_rotated()


def test_issue_of_unknown_outcome_that_happened_is_not_repeated(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())
    world.provider.answers = ["cut-after"]
    world.rotation().run()
    assert world.provider.issues == 1


def test_issue_refused_leaves_nothing_behind(world: World) -> None:
    world.provider.answers = ["refuse"]
    with pytest.raises(ProviderError, match="refused"):
        world.rotation().run()
    world.assert_old()


def test_issue_always_cut_stops_and_resumes(world: World) -> None:
    world.provider.answers = ["cut-before"] * 3
    with pytest.raises(RotationError, match="not known"):
        world.rotation().run()
    world.rotation().run()
    world.assert_rotated()


class _Blind(MemoryProvider):
    """Answers "unknown" while ``blind``."""

    blind = False

    def verify(self, secret: Secret) -> Check:
        return Check(Verdict.UNKNOWN, "429") if self.blind else super().verify(secret)


def test_new_value_not_proved_live_leaves_the_old_one(tmp_path: Path) -> None:
    provider = _Blind(OLD, overlap=True)
    world = World(tmp_path, provider, Capabilities())
    rotation = world.rotation()
    provider.blind = True
    with pytest.raises(RotationError, match="not proved to work"):
        rotation.run()
    assert OLD in provider.valid and world.store.get(NAME) == OLD
    provider.blind = False
    world.rotation().run()
    world.assert_rotated()


class _Stubborn(MemoryProvider):
    """Takes the revocation and does nothing at first."""

    deaf = True

    def revoke(self, old: Secret, current: Secret) -> None:
        if not self.deaf:
            super().revoke(old, current)


def test_old_value_still_live_after_revocation_is_an_error(tmp_path: Path) -> None:
    provider = _Stubborn(OLD, overlap=True)
    world = World(tmp_path, provider, Capabilities())
    with pytest.raises(RotationError, match="not proved to be dead"):
        world.rotation().run()
    with pytest.raises(RotationError, match="no way back"):
        world.rotation().abort()
    provider.deaf = False
    world.rotation().run()
    world.assert_rotated()


def test_consumer_that_needs_the_old_value_stops_before_revocation(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())

    def refuse() -> None:
        raise RotationError("a consumer still uses the old value")

    work = Work(world.store, world.provider, world.recorder, world.journal(), sleep=lambda _: None)
    rotation = Rotation(work, before_revoke=refuse)
    with pytest.raises(RotationError, match="consumer"):
        rotation.run()
    assert OLD in world.provider.valid
    world.rotation().abort()
    world.assert_old()


def test_begin_while_another_value_is_pending_is_refused(tmp_path: Path, shape: str) -> None:
    for kind, capabilities in STORES.items():
        world = World(tmp_path / kind, SHAPES[shape](), capabilities)
        with pytest.raises(Killed):
            world.rotation(Trap(_calls_until("stored", tmp_path / kind, shape, capabilities), after=True)).run()
        world.path = tmp_path / f"{kind}-other"
        with pytest.raises(ConflictError, match="under way"):
            world.journal()
        assert not world.path.exists()


def test_two_runners_that_begin_at_once_rotate_once(tmp_path: Path, shape: str) -> None:
    world = World(tmp_path, SHAPES[shape](), Capabilities())
    first = world.rotation()
    world.path = tmp_path / "second"
    second = world.rotation()
    first.run()
    with pytest.raises(ConflictError):
        second.run()
    world.assert_rotated()
    assert world.provider.issues <= 2


def test_run_killed_at_its_issue_leaves_the_key_that_another_runner_made_since(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["minting"](), Capabilities())
    second = world.journal()
    second.record("issuing", known=[])
    world.path = tmp_path / "first"
    second.path.rename(tmp_path / "second")
    world.rotation().run()
    world.assert_rotated()
    world.path = tmp_path / "second"
    with pytest.raises(SupersededError):
        world.rotation().run()
    world.assert_rotated()


def test_begin_of_a_version_that_was_replaced_is_superseded(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())
    world.store.put(NAME, Secret(b"newer"), token="e" * 32)
    with pytest.raises(SupersededError):
        begin(lambda **_: world.journal(), world.store, NAME, world.provider, reason="test", expected="v1")


def test_current_value_changed_by_someone_else_is_not_revoked(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())
    with pytest.raises(Killed):
        world.rotation(Trap(_calls_until("promoted", tmp_path, "overlap", Capabilities()), after=True)).run()
    world.store.put(NAME, Secret(b"by-someone-else"), token="f" * 32)
    with pytest.raises(ConflictError, match="someone else"):
        world.rotation().run()
    assert OLD in world.provider.valid


def test_foreign_secret_is_not_touched(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())
    world.store.told[NAME] = world.store.told[NAME]._replace(owner="someone")
    with pytest.raises(RotationError, match="belongs to someone"):
        world.rotation()


def test_read_only_store_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, SHAPES["overlap"](), Capabilities())
    world.store.capabilities = Capabilities(writable=False)
    with pytest.raises(RotationError, match="read-only"):
        world.rotation()


def test_journal_and_audit_hold_no_value(world: World) -> None:
    kept: list[bytes] = []
    original = Journal.finish
    journal = world.journal()

    def finish() -> None:
        kept.append(journal.path.read_bytes())
        original(journal)

    journal.finish = finish  # type: ignore[method-assign]
    Rotation(Work(world.store, world.provider, world.recorder, journal, sleep=lambda _: None)).run()
    text = kept[0] + repr(world.recorder.kept).encode()
    assert OLD.reveal() not in text and world.store.get(NAME).reveal() not in text


def test_value_that_can_not_be_verified_is_not_begun(tmp_path: Path) -> None:
    provider = _Blind(OLD, overlap=True)
    provider.blind = True
    world = World(tmp_path, provider, Capabilities())
    with pytest.raises(ProviderError, match="429"):
        world.rotation()
    assert not world.path.exists()


def test_provider_that_can_not_verify_is_trusted(tmp_path: Path) -> None:
    provider = _Blind(OLD, overlap=True)
    provider.blind = True
    provider.abilities = Abilities(overlap=True, self_service=True, idempotent_issue=True, verifiable=False)
    world = World(tmp_path, provider, Capabilities())
    done = world.rotation().run()
    assert done.evidence == "not verifiable"
    world.assert_rotated()


class PairWorld(World):
    """A pair whose halves are two secrets."""

    def __init__(self, folder: Path, capabilities: Capabilities) -> None:
        old = Secret(b'{"id": "the-old-id", "secret": "the-old-value"}')
        super().__init__(folder, PairProvider(old), capabilities)
        self.store.put("shop/id", Secret(b"the-old-id"), token="0" * 32)

    def journal(self) -> Journal:
        return Journal.open(self.path, JOB) or begin(
            lambda **facts: Journal.create(self.path, JOB, **facts),
            self.store,
            NAME,
            self.provider,
            reason="test",
            companion="shop/id",
        )

    def assert_one_pair(self, outcome: str) -> None:
        halves = {"id": self.store.get("shop/id"), "secret": self.store.get(NAME)}
        (valid,) = self.provider.valid
        assert json.loads(valid.reveal()) == {key: half.reveal().decode() for key, half in halves.items()}
        assert (halves["secret"] == OLD) == (outcome == "aborted")
        assert not self.path.exists() and list(self.store.told) == [NAME, "shop/id"]


@pytest.mark.parametrize("outcome", ["rotated", "aborted"])
@pytest.mark.parametrize("kind", STORES)
def test_pair_in_two_secrets_killed_anywhere_ends_as_one_pair(tmp_path: Path, kind: str, outcome: str) -> None:
    for number, after in _kills():
        world = PairWorld(tmp_path / f"{number}-{after}", STORES[kind])
        try:
            world.rotation(Trap(number, after=after)).run()
            break
        except Killed:
            pass
        if not world.path.exists():
            continue
        try:
            rotation = world.rotation()
            done = rotation.run() if outcome == "rotated" else rotation.abort()
            world.assert_one_pair(done.outcome)
        except RotationError:
            assert outcome == "aborted"
            world.rotation().run()
            world.assert_one_pair("rotated")
    assert number > 30


def _kills() -> Iterator[tuple[int, bool]]:
    return ((number, after) for number in range(1, 200) for after in (False, True))


def _calls_until(event: str, folder: Path, shape: str, capabilities: Capabilities) -> int:
    """Count the calls up to the one after which ``event`` stands in the journal."""
    for number in range(1, 80):
        world = World(folder / f"count-{number}", SHAPES[shape](), capabilities)
        try:
            world.rotation(Trap(number, after=True)).run()
        except Killed:
            if any(True for _ in world.journal().entries(event)):
                return number
    raise AssertionError(event)
