"""The declared tables of HTTP providers against local servers that follow the providers' documentation.

For every answer that a provider may give: never a false "dead", never a second credential, nothing lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygiene.cli.ruletables import RuleTables
from hygiene.config import Config
from hygiene.errors import PersonNeededError, ProviderError, RotationError
from hygiene.rotate.asking import Asker
from hygiene.rotate.provider import Target, Verdict
from hygiene.rotate.providers.declared import DeclaredProvider
from hygiene.secret import Secret
from tests.live.rotating import NAME, Rotating
from tests.servers.http_api import MODES, ApiServer, serving_api
from tests.servers.http_providers import PROVIDERS, FakeProvider

TABLES = RuleTables(Config())
ROTATING = sorted(name for name, kind in PROVIDERS.items() if kind().issue[0])
REVOKING = sorted(name for name, kind in PROVIDERS.items() if kind().revoke[0])


class World:
    """One provider, and the secret that is valid there."""

    def __init__(self, fake: FakeProvider, server: ApiServer, folder: Path) -> None:
        self.fake, self.server = fake, server
        self.old = Secret.from_text(fake.stored)
        self.rotating = Rotating(folder, self.old, self.provider())

    def provider(self, answer: Secret | None = None) -> DeclaredProvider:
        tables, fixed = TABLES.of(self.fake.rule)
        labels = {**self.fake.labels, "rule": self.fake.rule, "host": self.server.host}
        admin = Secret.from_text(self.fake.admin) if self.fake.admin else None
        target = Target(NAME, labels, (self.server.address,), admin, tables, answer, fixed)
        return DeclaredProvider(target, Asker(fixed, sleep=lambda _: None))

    def verdict(self, secret: Secret) -> Verdict:
        return self.provider().verify(secret).verdict

    def again(self) -> None:
        """Go on with a provider that knows nothing of earlier answers."""
        self.server.misbehave("")
        self.rotating.provider = self.provider()
        self.rotating.rotate()

    def assert_rotated(self) -> None:
        assert self.rotating.current != self.old
        assert self.verdict(self.rotating.current) is Verdict.LIVE
        assert self.verdict(self.old) is Verdict.DEAD
        assert self.fake.live() == {_value(self.rotating.current)}
        assert not self.rotating.path.exists()


def _value(secret: Secret) -> str:
    text = secret.reveal().decode()
    fields = json.loads(text) if text.startswith("{") else {}
    return str(fields.get("secret") or fields.get("client_secret") or text)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    fake = PROVIDERS[request.param]()
    with serving_api(fake) as server:
        yield World(fake, server, tmp_path)


@pytest.mark.parametrize("world", PROVIDERS, indirect=True)
def test_verify_tells_live_from_dead(world: World) -> None:
    assert world.verdict(world.old) is Verdict.LIVE
    world.fake.valid.clear()
    assert world.verdict(world.old) is Verdict.DEAD


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("world", PROVIDERS, indirect=True)
def test_verify_never_calls_a_live_credential_dead(world: World, mode: str) -> None:
    world.server.misbehave(mode)
    verdict = world.verdict(world.old)
    if mode == "forbidden":
        assert verdict.value == world.fake.forbidden_is
    elif mode == "malformed":
        assert verdict is not Verdict.DEAD
    else:
        assert verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("mode", ["limited", "broken", "cut"])
@pytest.mark.parametrize("world", PROVIDERS, indirect=True)
def test_verify_never_calls_a_dead_credential_live(world: World, mode: str) -> None:
    world.fake.valid.clear()
    world.server.misbehave(mode)
    assert world.verdict(world.old) is Verdict.UNKNOWN


@pytest.mark.parametrize("world", ROTATING, indirect=True)
def test_rotation_leaves_the_new_value_only(world: World) -> None:
    world.rotating.rotate()
    world.assert_rotated()
    assert world.fake.issues == 1


@pytest.mark.parametrize("world", ROTATING, indirect=True)
def test_rotation_that_is_forbidden_changes_nothing(world: World) -> None:
    world.server.misbehave("forbidden", *world.fake.issue)
    with pytest.raises(ProviderError, match="refused"):
        world.rotating.rotate()
    assert world.fake.live() == {_value(world.old)} and world.fake.issues == 0
    assert not world.rotating.path.exists()


@pytest.mark.parametrize("mode", ["limited", "broken"])
@pytest.mark.parametrize("world", ROTATING, indirect=True)
def test_rotation_that_did_not_happen_is_done_later(world: World, mode: str) -> None:
    world.server.misbehave(mode, *world.fake.issue)
    with pytest.raises(RotationError):
        world.rotating.rotate()
    assert world.fake.live() == {_value(world.old)} == {_value(world.rotating.current)}
    world.again()
    world.assert_rotated()
    assert world.fake.issues == 1


@pytest.mark.parametrize("mode", ["cut", "malformed"])
@pytest.mark.parametrize("world", ROTATING, indirect=True)
def test_rotation_whose_answer_was_lost_leaves_no_second_value(world: World, mode: str) -> None:
    overlap = world.provider().abilities.overlap
    world.server.misbehave(mode, *world.fake.issue)
    with pytest.raises(RotationError):
        world.rotating.rotate()
    if overlap:
        assert _value(world.old) in world.fake.live()
        world.again()
        world.assert_rotated()
        return
    # The old value died with the answer: nothing can bring it back, and asking again could end the new one, too.
    assert world.fake.issues == 1 and len(world.fake.live()) == 1
    with pytest.raises(RotationError, match="may have been made and lost") as raised:
        world.again()
    assert "rotate confirm" in raised.value.hint
    assert world.fake.issues == 1 and len(world.fake.live()) == 1
    by_hand = world.fake.make("by hand")
    fields = json.loads(world.old.reveal()) if world.old.reveal().startswith(b"{") else None
    answer = Secret.from_text(json.dumps({**fields, "secret": by_hand}) if fields else by_hand)
    world.rotating.provider = world.provider(answer)
    world.rotating.rotate()
    assert world.verdict(world.rotating.current) is Verdict.LIVE


@pytest.mark.parametrize("mode", ["forbidden", "limited", "broken", "cut", "malformed"])
@pytest.mark.parametrize("world", sorted(set(ROTATING) & set(REVOKING)), indirect=True)
def test_revocation_that_fails_is_finished_later(world: World, mode: str) -> None:
    world.server.misbehave(mode, *world.fake.revoke)
    try:
        world.rotating.rotate()
    except RotationError:
        assert world.verdict(world.rotating.current) is Verdict.LIVE
        assert world.rotating.path.exists()
        world.again()
    world.assert_rotated()
    assert world.fake.issues == 1


@pytest.mark.parametrize("world", sorted(set(ROTATING) & set(REVOKING)), indirect=True)
def test_abort_leaves_the_old_value_only(world: World) -> None:
    rotation = world.rotating.rotation()
    rotation.issuing.issue()
    assert len(world.fake.live()) == 2
    world.rotating.rotation().abort()
    assert world.fake.live() == {_value(world.old)} and world.rotating.current == world.old


@pytest.mark.parametrize("mode", ["", *MODES])
@pytest.mark.parametrize("world", REVOKING, indirect=True)
def test_kill_is_believed_only_when_the_value_is_dead(world: World, mode: str) -> None:
    world.server.misbehave(mode, *world.fake.revoke)
    if world.fake.rule == "twilio-auth-token":
        with pytest.raises(ProviderError):  # one of two is promoted: without a successor there is nothing to promote
            world.provider().kill(world.old)
        return
    try:
        world.provider().kill(world.old)
    except ProviderError:
        assert mode in ("forbidden", "limited", "broken", "cut", "malformed")
    else:
        assert not world.fake.live() or world.fake.rule == "datadog-api-key"
    world.server.misbehave("")


@pytest.mark.parametrize("world", sorted(set(PROVIDERS) - set(ROTATING)), indirect=True)
def test_provider_without_a_call_waits_for_a_person(world: World) -> None:
    with pytest.raises(PersonNeededError) as raised:
        world.rotating.rotate()
    assert "rotate confirm" in raised.value.hint
    assert world.fake.live() == {_value(world.old)}


@pytest.mark.parametrize("world", ["Grafana", "TerraformCloud"], indirect=True)
def test_value_whose_id_nobody_knows_is_not_rotated(world: World) -> None:
    world.rotating = Rotating(world.rotating.path.parent / "x", Secret.from_text(_value(world.old)), world.provider())
    world.rotating.path.parent.mkdir()
    with pytest.raises(ProviderError, match="not known which credential") as raised:
        world.rotating.rotate()
    assert '"id"' in raised.value.hint and world.fake.issues == 0


@pytest.mark.parametrize(
    ("world", "identity", "scopes"),
    [
        ("GitHub", "ann", ("repo", "read:org")),
        ("GitLab", "deploy", ("api",)),
        ("HuggingFace", "ann", ("write",)),
        ("SendGrid", "", ("mail.send", "api_keys.create", "api_keys.delete", "api_keys.read")),
    ],
    indirect=["world"],
)
def test_answer_that_tells_tells_who_and_what(world: World, identity: str, scopes: tuple[str, ...]) -> None:
    check = world.provider().verify(world.old)
    assert (check.identity, check.scopes) == (identity, scopes)


def test_every_built_in_rotation_with_overlap_can_be_cleared_up() -> None:
    for rule in TABLES._built_in.values():
        if rule.rotate.get("overlap"):
            assert "list" in rule.rotate or "withdraw" in rule.rotate, rule.id
