"""The compiled policies, enforced by a real OpenBao: what the model allows works, what it denies gets a 403."""

import itertools
import uuid

import pytest

from hygiene.config import Config, Role
from hygiene.errors import AccessDeniedError, ConfigError, ForeignSecretError
from hygiene.secret import Secret
from hygiene.store import access
from hygiene.store.backends.vault.policy import PREFIX, Pattern, Place, _closed, compile_policies
from hygiene.store.registry import open_store
from tests.contract.places import vault

ROLES = (
    Role("reader", ("m",), ("shop/**",), ("read",)),
    Role("writer", ("m",), ("shop/*/key", "bank/vault"), ("write",)),
    Role("rotator", ("m",), ("shop/api/*",), ("rotate",)),
    Role("cleaner", ("m",), ("bank/**",), ("read", "delete")),
    Role("lead", ("m",), ("**",), ("grant",)),
)
PATHS = ("shop/db", "shop/api/key", "shop/web/key", "bank/vault", "other/x")


def token():
    return str(uuid.uuid4())


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with vault(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def world(place, openbao_server):
    """A store with a secret at each path, and the policies applied."""
    store = place.open()
    for path in PATHS:
        store.put(path, Secret(b"v"), token=token())
    assert {change.action for change in store.apply_access(ROLES)} == {"write-policy"}
    yield store
    store.apply_access(())


@pytest.fixture
def as_roles(world, openbao_server, monkeypatch):
    def open_as(*roles):
        place = Place("secret", world._path.removeprefix("secret/") + "/")
        policies = [place.policy_prefix() + role for role in roles]
        made = openbao_server.client().auth.token.create(policies=policies, no_default_policy=True)
        monkeypatch.setenv("BAO_TOKEN", made["auth"]["client_token"])
        return open_store(world.uri, Config())

    return open_as


def _rotate(store, path):
    """What a rotation does: read, store as pending, promote."""
    store.get(path)
    current = store.describe(path).staged("current").id
    new = store.put(path, Secret(token().encode()), token=token(), stage="pending")
    store.promote(path, new.id, expect=current)


def _grant(store, path):
    place = Place(*store._entries.place())
    name = f"{place.policy_prefix()}test"
    store._governance._connection.call(
        "write", lambda client: client.sys.create_or_update_acl_policy(name, "# nothing")
    )
    store._governance._connection.call("remove", lambda client: client.sys.delete_acl_policy(name))


ACTS = {
    "read": lambda store, path: store.get(path),
    "write": lambda store, path: store.put(path, Secret(token().encode()), token=token()),
    "rotate": _rotate,
    "delete": lambda store, path: (store.delete(path), store.restore(path)),
    "grant": _grant,
}
# What a verb needs of the model: a rotation is more than read and write, and both are part of it.
NEEDS = {
    "read": access.READING,
    "write": access.WRITING,
    "rotate": {"rotate"},
    "delete": {"delete"},
    "grant": {"grant"},
}


def _done(act, store, path):
    try:
        act(store, path)
    except AccessDeniedError:
        return False
    return True


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_each_role_can_do_what_the_model_allows_and_gets_403_for_the_rest(as_roles, role):
    store = as_roles(role)
    (model,) = [known for known in ROLES if known.name == role]
    expected = {
        (verb, path): bool(list(access.granting_roles([model], NEEDS[verb], path)))
        for verb, path in itertools.product(ACTS, PATHS)
    }
    actual = {(verb, path): _done(ACTS[verb], store, path) for verb, path in expected}
    assert actual == expected


@pytest.mark.parametrize("pair", list(itertools.combinations([role.name for role in ROLES], 2)))
def test_two_roles_together_can_do_what_either_can(as_roles, pair):
    """Vault forgets the less specific path; the compiled policies make up for it."""
    store = as_roles(*pair)
    models = [known for known in ROLES if known.name in pair]
    for verb, path in itertools.product(("read", "write", "delete"), PATHS):
        allowed = bool(list(access.granting_roles(models, NEEDS[verb], path)))
        assert _done(ACTS[verb], store, path) == allowed, (verb, path)


def test_apply_twice_changes_nothing_and_removes_what_is_gone(world):
    assert world.apply_access(ROLES) == []
    assert [change.action for change in world.apply_access(ROLES[1:])] == ["remove-policy"]


def test_policy_of_someone_else_is_left_alone(world, openbao_server):
    name = Place(*world._entries.place()).policy_prefix() + "extra"
    openbao_server.client().sys.create_or_update_policy(name, "# by hand")
    with pytest.raises(ForeignSecretError):
        world.apply_access((*ROLES, Role("extra", (), ("a",), ("read",))))
    assert "by hand" in str(openbao_server.client().sys.read_policy(name))


def test_store_above_or_beside_keeps_the_policies(world, openbao_server):
    """The names of the policies of secret/team/x and of secret/team begin alike."""
    ours = [c.object for c in world.plan_access(())]
    assert len(ours) == len(ROLES)
    above = open_store(world.uri.rpartition("/")[0], Config())
    above.apply_access(())
    with pytest.raises(ForeignSecretError, match="another store"):
        above.apply_access((Role(f"{world.uri.rpartition('/')[2]}-reader", (), ("**",), ("delete",)),))
    assert world.check_access(ROLES) == []


@pytest.mark.parametrize("glob", ["db-*", "a/**/b", "a?", "**b"])
def test_pattern_that_vault_cannot_express_is_refused_and_not_widened(glob):
    with pytest.raises(ConfigError, match="can't express"):
        compile_policies((Role("r", (), (glob,), ("read",)),), Place("secret", ""))


def test_grant_on_a_part_is_refused():
    with pytest.raises(ConfigError, match="grant"):
        compile_policies((Role("r", (), ("shop/**",), ("grant",)),), Place("secret", ""))


def test_closure_holds_the_intersection_of_patterns_that_neither_covers():
    one, two = Pattern(("a", "+", "c"), False), Pattern(("a", "b", "+"), False)
    assert Pattern(("a", "b", "c"), False) in _closed({one, two})
    assert PREFIX == "hygiene-"
