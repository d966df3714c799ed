"""Vault and OpenBao beyond the contract, on a real OpenBao: other readers, logins, cut-off writes, refusals."""

import base64
import json
import os
import shutil
import subprocess
import time
import uuid

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from hygiene.config import Config, Role
from hygiene.errors import AccessDeniedError, ConfigError, NotFoundError, StoreError
from hygiene.reference import parse_reference
from hygiene.secret import Secret
from hygiene.store.backends.vault.kv import KeyValues
from hygiene.store.protocol import CURRENT, PENDING
from hygiene.store.registry import open_store, store_of
from hygiene.store.resolve import Resolver
from tests.contract.places import vault
from tests.servers.process import free_port


def token():
    return str(uuid.uuid4())


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with vault(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def store(place):
    return place.open()


@pytest.fixture
def root(openbao_server):
    return openbao_server.client()


def outside(root, store, name):
    """What any other reader takes: the newest version of the path."""
    path = store.reference(name).path.removeprefix("secret/")
    return root.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=False)["data"]["data"]


def test_other_readers_see_the_pending_value_only_when_it_is_current(store, root):
    one = store.put("a", Secret(b"old"), token=token())
    two = store.put("a", Secret(b"new"), token=token(), stage=PENDING)
    assert outside(root, store, "a") == {"value": "old"}
    store.promote("a", two.id, expect=one.id)
    assert outside(root, store, "a") == {"value": "new"}
    store.promote("a", one.id, expect=two.id)
    assert outside(root, store, "a") == {"value": "old"}
    assert [told.name for told in store.list()] == ["a"]


@pytest.mark.parametrize(
    "text",
    ['{"user": "app", "password": "x"}', '{"user":"app","password":"ü"}', '{"b": "1", "a": "2"}'],
)
def test_object_of_strings_has_fields_for_others_and_comes_back_byte_for_byte(store, root, text):
    store.put("pair", Secret(text.encode()), token=token())
    assert outside(root, store, "pair") == json.loads(text)
    assert store.get("pair").reveal() == text.encode()


@pytest.mark.parametrize(
    "text", ['{"a": 1}', '{ "a": "x" }', '{"value": "x"}', '{"a": "x", "a": "y"}', "[]", '{"a b": "x"}']
)
def test_other_json_is_kept_as_text(store, root, text):
    store.put("a", Secret(text.encode()), token=token())
    assert outside(root, store, "a") == {"value": text}
    assert store.get("a").reveal() == text.encode()


def test_references_resolve_whole_values_and_fields_of_ours_and_of_strangers(store, root):
    store.put("a", Secret(b'{"value": "inner"}'), token=token())
    store.put("pair", Secret(b'{"id": "one", "key": "two"}'), token=token())
    path = store.reference("theirs").path.removeprefix("secret/")
    root.secrets.kv.v2.create_or_update_secret(path, {"value": "plain", "other": "field"})
    resolver = Resolver(lambda reference: store_of(reference, Config()))
    wanted = {
        str(store.reference("a")): b'{"value": "inner"}',
        str(store.reference("pair", field="key")): b"two",
        str(store.reference("theirs")): b"plain",
        str(store.reference("theirs", field="other")): b"field",
    }
    assert {text: resolver.resolve(parse_reference(text)).reveal() for text in wanted} == wanted


@pytest.mark.skipif(shutil.which("vals") is None, reason="the vals program is not on the path")
def test_vals_evaluates_our_references_to_the_same_values(store, openbao_server):
    store.put("plain", Secret(b"one value"), token=token())
    store.put("pair", Secret(b'{"id": "two", "key": "three"}'), token=token())
    references = [store.reference("plain"), store.reference("pair", field="id"), store.reference("pair", field="key")]
    environment = {"VAULT_ADDR": openbao_server.url, "VAULT_TOKEN": openbao_server.token, "HOME": "/nonexistent"}
    vals = shutil.which("vals")
    done = [
        subprocess.run([vals, "get", str(reference)], env=environment, capture_output=True, check=True, timeout=60)
        for reference in references
    ]
    assert [run.stdout.strip() for run in done] == [b"one value", b"two", b"three"]


def test_put_cut_off_before_it_was_noted_is_completed_by_the_retry(store, place, monkeypatch):
    one = store.put("a", Secret(b"old"), token=token())
    once = token()
    with monkeypatch.context() as broken:
        broken.setattr(KeyValues, "note", lambda *_, **__: (_ for _ in ()).throw(StoreError("cut off")))
        with pytest.raises(StoreError, match="cut off"):
            store.put("a", Secret(b"new"), token=once, expect=one.id)
    fresh = place.open()
    assert fresh.get("a") == Secret(b"new")
    assert fresh.put("a", Secret(b"new"), token=once, expect=one.id).id == once
    told = fresh.describe("a")
    assert len(told.versions) == 2
    assert told.staged("previous").id == one.id


def test_promote_cut_off_before_it_was_noted_is_completed_by_the_retry(store, place, monkeypatch):
    one = store.put("a", Secret(b"old"), token=token())
    two = store.put("a", Secret(b"new"), token=token(), stage=PENDING)
    with monkeypatch.context() as broken:
        broken.setattr(KeyValues, "note", lambda *_, **__: (_ for _ in ()).throw(StoreError("cut off")))
        with pytest.raises(StoreError, match="cut off"):
            store.promote("a", two.id, expect=one.id)
    fresh = place.open()
    fresh.promote("a", two.id, expect=one.id)
    told = fresh.describe("a")
    assert (told.staged(CURRENT).id, told.staged("previous").id) == (two.id, one.id)
    assert told.staged(PENDING) is None
    assert len(told.versions) == 2


def test_version_written_by_another_tool_is_told_by_its_number(store, root):
    store.put("a", Secret(b"ours"), token=token())
    path = store.reference("a").path.removeprefix("secret/")
    root.secrets.kv.v2.create_or_update_secret(path, {"value": "by hand"})
    assert store.get("a") == Secret(b"by hand")
    assert store.describe("a").staged(CURRENT).id == "2"
    store.put("a", Secret(b"next"), token=token(), expect="2")
    assert store.get("a") == Secret(b"next")


def test_mount_of_several_parts_is_found_and_kv_version_1_refused(root, place):
    root.sys.enable_secrets_engine("kv", path="deep/kv", options={"version": "2"})
    root.sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
    store = open_store("vault://deep/kv/app", Config())
    for _ in range(50):  # a new mount upgrades itself for a moment
        try:
            store.put("a", Secret(b"v"), token=token())
            break
        except StoreError:
            time.sleep(0.1)
    assert root.secrets.kv.v2.read_secret_version("app/a", mount_point="deep/kv", raise_on_deleted_version=False)
    with pytest.raises(StoreError, match="version 2"):
        open_store("vault://old/app", Config()).get("a")


def _policy(root, name, text):
    root.sys.create_or_update_policy(name, text)


def test_policy_that_denies_is_told_as_denial(store, root, monkeypatch):
    store.put("a", Secret(b"v"), token=token())
    weak = root.auth.token.create(policies=["default"])["auth"]["client_token"]
    monkeypatch.setenv("BAO_TOKEN", weak)
    with pytest.raises(AccessDeniedError, match="does not allow"):
        open_store(store.uri, Config()).get("a")


def test_approle_logs_in_and_again_when_its_token_has_run_out(store, root, monkeypatch):
    store.put("a", Secret(b"v"), token=token())
    _policy(root, "reader", 'path "secret/*" { capabilities = ["read"] }')
    if "approle/" not in root.sys.list_auth_methods()["data"]:
        root.sys.enable_auth_method("approle")
    root.auth.approle.create_or_update_approle("app", token_policies=["reader"], token_num_uses=2)
    monkeypatch.delenv("BAO_TOKEN")
    monkeypatch.setenv("VAULT_ROLE_ID", root.auth.approle.read_role_id("app")["data"]["role_id"])
    monkeypatch.setenv("VAULT_SECRET_ID", root.auth.approle.generate_secret_id("app")["data"]["secret_id"])
    client = open_store(store.uri, Config())
    assert [client.get("a") for _ in range(5)] == [Secret(b"v")] * 5


def _jwt(key, claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = part(json.dumps({"alg": "ES256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    r, s = utils.decode_dss_signature(key.sign(head, ec.ECDSA(SHA256())))
    return (head + b"." + part(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()


def test_ci_logs_in_by_its_identity_token(store, root, monkeypatch):
    store.put("a", Secret(b"v"), token=token())
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if "jwt/" not in root.sys.list_auth_methods()["data"]:
        root.sys.enable_auth_method("jwt")
    root.auth.jwt.configure(jwt_validation_pubkeys=[public.decode()])
    _policy(root, "reader", 'path "secret/*" { capabilities = ["read"] }')
    root.auth.jwt.create_role(
        "ci",
        role_type="jwt",
        user_claim="sub",
        bound_audiences=["hygiene"],
        allowed_redirect_uris=[],
        token_policies=["reader"],
    )
    monkeypatch.delenv("BAO_TOKEN")
    monkeypatch.setenv("VAULT_ROLE", "ci")
    now = int(time.time())
    claims = {"sub": "repo:org/name:ref:refs/heads/main", "aud": "hygiene", "iat": now, "exp": now + 300}
    monkeypatch.setenv("HYGIENE_ID_TOKEN", _jwt(key, claims))
    assert open_store(store.uri, Config()).get("a") == Secret(b"v")
    monkeypatch.setenv("HYGIENE_ID_TOKEN", _jwt(key, {**claims, "aud": "someone else"}))
    with pytest.raises(StoreError):
        open_store(store.uri, Config()).get("a")


def test_role_s_members_of_ci_log_in_by_their_whole_subject_and_nobody_else_does(store, root, monkeypatch):
    main, other = "repo:org/name:ref:refs/heads/main", "repo:org/name:ref:refs/heads/mainly"
    roles = (
        Role("deploy", (f"oidc:{main}", "oidc:repo:org/name:environment:prod"), ("shop/**",), ("read",)),
        Role("people", ("age1abc",), ("**",), ("read",)),
    )
    store.put("shop/db", Secret(b"v"), token=token())
    store.put("bank/key", Secret(b"w"), token=token())
    monkeypatch.setenv("VAULT_AUTH_PATH", f"ci-{uuid.uuid4()}")
    path = os.environ["VAULT_AUTH_PATH"]
    assert [c.action for c in store.plan_access(roles)] == ["write-policy", "write-policy", "write-login"]
    with pytest.raises(StoreError, match="no auth method"):
        store.apply_access(roles)
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    root.sys.enable_auth_method("jwt", path=path)
    root.auth.jwt.configure(jwt_validation_pubkeys=[public.decode()], path=path)
    store.apply_access(roles)
    assert store.check_access(roles) == []
    name = next(c.object for c in store.plan_access(()) if c.object.endswith("-deploy"))
    administrator = os.environ["BAO_TOKEN"]
    now = int(time.time())
    claims = {"sub": main, "aud": "hygiene", "iat": now, "exp": now + 300}

    def read(path="shop/db", **changed):
        monkeypatch.setenv("HYGIENE_ID_TOKEN", _jwt(key, {**claims, **changed}))
        return open_store(store.uri, Config()).get(path)

    monkeypatch.delenv("BAO_TOKEN")
    monkeypatch.setenv("VAULT_ROLE", name)
    assert read() == read(sub="repo:org/name:environment:prod") == Secret(b"v")
    with pytest.raises(AccessDeniedError):
        read("bank/key")
    for changed in (
        {"sub": other},
        {"sub": "repo:org/name:pull_request"},
        {"sub": main.upper()},
        {"sub": f"{main} "},
        {"sub": ""},
        {"aud": "sts.amazonaws.com"},
        {"exp": now - 600, "iat": now - 900},
        {"iat": now + 7200, "nbf": now + 7200, "exp": now + 9000},  # a clock that is wrong
    ):
        with pytest.raises(StoreError):
            read(**changed)
    monkeypatch.setenv("BAO_TOKEN", administrator)
    people = (roles[0]._replace(members=()), roles[1])
    assert [c.action for c in store.apply_access(people)] == ["remove-login"]
    monkeypatch.delenv("BAO_TOKEN")
    with pytest.raises(StoreError):
        read()
    monkeypatch.setenv("BAO_TOKEN", administrator)
    store.apply_access(())


@pytest.mark.parametrize(
    "member", ["oidc:repo:org/name", "oidc:repo:org/name:*", "oidc:*", "oidc:", "oidc:a b", "oidc:repo:org/name\n"]
)
def test_subject_that_is_not_whole_is_refused_and_not_widened(store, member):
    with pytest.raises(ConfigError, match="members"):
        store.plan_access((Role("deploy", (member,), ("**",), ("read",)),))


def test_token_file_and_token_helper_are_used(store, monkeypatch, tmp_path, openbao_server):
    store.put("a", Secret(b"v"), token=token())
    monkeypatch.delenv("BAO_TOKEN")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreError, match="not logged in"):
        open_store(store.uri, Config()).get("a")
    (tmp_path / ".bao-token").write_text(openbao_server.token + "\n")
    assert open_store(store.uri, Config()).get("a") == Secret(b"v")
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\n[ $1 = get ] && echo {openbao_server.token}\n")
    helper.chmod(0o700)
    (tmp_path / ".bao-token").write_text("wrong")
    (tmp_path / ".vault").write_text(f'token_helper = "{helper}"\n')
    assert open_store(store.uri, Config()).get("a") == Secret(b"v")


def test_namespace_is_sent(store, root, monkeypatch):
    root.adapter.post("/v1/sys/namespaces/team-a")
    root.adapter.post(
        "/v1/sys/mounts/secret",
        json={"type": "kv", "options": {"version": "2"}},
        headers={"X-Vault-Namespace": "team-a"},
    )
    monkeypatch.setenv("BAO_NAMESPACE", "team-a")
    inside = open_store("vault://secret/app", Config())
    for _ in range(50):
        try:
            inside.put("only-here", Secret(b"v"), token=token())
            break
        except StoreError:
            time.sleep(0.1)
    assert inside.get("only-here") == Secret(b"v")
    monkeypatch.delenv("BAO_NAMESPACE")
    assert open_store("vault://secret/app", Config()).describe("only-here") is None


def test_unreachable_server_is_told_with_a_hint(store, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setenv("BAO_ADDR", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreError, match="can't be reached") as caught:
        open_store(store.uri, Config()).get("a")
    assert "VAULT_ADDR" in caught.value.hint


def test_deleted_by_hand_says_deleted_and_not_absent(store, root):
    store.put("a", Secret(b"v"), token=token())
    root.secrets.kv.v2.delete_latest_version_of_secret(store.reference("a").path.removeprefix("secret/"))
    with pytest.raises(NotFoundError, match="was deleted at"):
        store.get("a")
    store.restore("a")
    assert store.get("a") == Secret(b"v")
