"""Who can do what to an embedded store, by the rules and by tampering; each person has a memory of their own."""

import json
import shutil
import subprocess
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pyrage
import pytest

from hygiene import crypto
from hygiene.config import Role
from hygiene.errors import (
    AccessDeniedError,
    ConfigError,
    IdentityError,
    IntegrityError,
    NotFoundError,
    StoreError,
    UsageError,
)
from hygiene.prove.audited import audited
from hygiene.prove.event import Actor
from hygiene.prove.log import Log
from hygiene.prove.verify import verify_folder
from hygiene.secret import Secret
from hygiene.store.backends.embedded import EmbeddedStore, layout
from hygiene.store.backends.embedded.memory import Memory
from hygiene.store.backends.embedded.policy import FOLDER, KIND, create_policy, read_policy, write_policy
from hygiene.store.backends.embedded.record import KIND as RECORD
from hygiene.store.backends.embedded.recordstore import RecordStore
from hygiene.store.backends.embedded.signed import sign_document


def token():
    return str(uuid.uuid4())


class Person:
    def __init__(self, tmp_path, name, team):
        self.name = name
        self.identity, self.key = crypto.generate_identity()
        self.home = tmp_path / name
        self.team = team
        self.recovery = []

    def open(self, *, fresh=False):
        memory = Memory(self.home / token() if fresh else self.home)
        return EmbeddedStore(
            self.team,
            uri="embedded:team",
            label="team",
            identity=lambda create: self.identity,
            memory=memory,
            notify=self.recovery.append,
        )

    def __str__(self):
        return str(self.identity.member)


@pytest.fixture
def people(tmp_path):
    team = tmp_path / "team"
    return {name: Person(tmp_path, name, team) for name in ("owner", "reader", "writer", "rotator", "nobody")}


def roles_of(people, *, without=()):
    def members(*names):
        return tuple(str(people[name]) for name in names if name not in without)

    return (
        Role("see", members("reader"), ("shop/**",), ("read",)),
        Role("set", members("writer"), ("shop/**",), ("write",)),
        Role("turn", members("rotator"), ("shop/db-*",), ("rotate", "delete")),
    )


@pytest.fixture
def team(people):
    """A store with two secrets of the shop and one beside it, and its roles applied."""
    store = people["owner"].open()
    for name in ("shop/db-password", "shop/api/key", "bank/key"):
        store.put(name, Secret(b"value of " + name.encode()), token=token())
    store.apply_access(roles_of(people))
    return store


def record_path(team, name):
    return layout.record_folder(team.root, name) / layout.RECORD


def outcome(action):
    try:
        action()
    except AccessDeniedError:
        return "denied"
    return "done"


def test_each_verb_opens_exactly_what_the_roles_say(people, team):
    expected = {
        ("reader", "read", "shop/db-password"): "done",
        ("reader", "read", "bank/key"): "denied",
        ("reader", "write", "shop/db-password"): "denied",
        ("reader", "delete", "shop/db-password"): "denied",
        ("writer", "read", "shop/db-password"): "denied",
        ("writer", "write", "shop/db-password"): "done",
        ("writer", "write", "shop/new"): "done",
        ("writer", "write", "bank/key"): "denied",
        ("rotator", "read", "shop/db-password"): "done",
        ("rotator", "write", "shop/db-password"): "done",
        ("rotator", "read", "shop/api/key"): "denied",
        ("rotator", "delete", "shop/db-password"): "done",
        ("nobody", "read", "shop/db-password"): "denied",
        ("nobody", "write", "shop/new"): "denied",
        ("owner", "read", "bank/key"): "done",
    }
    verbs = {
        "read": lambda store, name: store.get(name),
        "write": lambda store, name: store.put(name, Secret(b"new"), token=token()),
        "delete": lambda store, name: (store.delete(name), store.restore(name)),
    }
    actual = {
        (who, verb, name): outcome(partial(verbs[verb], people[who].open(), name)) for who, verb, name in expected
    }
    assert actual == expected


def test_writer_adds_a_version_that_readers_open_and_the_writer_does_not(people, team):
    people["writer"].open().put("shop/db-password", Secret(b"from the writer"), token=token())
    assert people["reader"].open().get("shop/db-password") == Secret(b"from the writer")
    with pytest.raises(AccessDeniedError):
        people["writer"].open().get("shop/db-password")


def test_writer_retry_is_known_without_reading(people, team):
    store, once = people["writer"].open(), token()
    store.put("shop/db-password", Secret(b"v"), token=once)
    assert store.put("shop/db-password", Secret(b"v"), token=once).id == once
    with pytest.raises(StoreError, match="another value"):
        store.put("shop/db-password", Secret(b"w"), token=once)


def test_raw_files_open_with_the_keys_of_readers_and_with_no_other(people, team):
    """The patched client: no code of ours between the files and the keys."""
    able = {
        "shop/db-password": {"owner", "reader", "rotator"},
        "shop/api/key": {"owner", "reader"},
        "bank/key": {"owner"},
    }
    for name, expected in able.items():
        (path,) = layout.record_folder(team.root, name).glob("@*.age")
        opened = set()
        for person in people.values():
            try:
                pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(person.key)])
                opened.add(person.name)
            except pyrage.DecryptError:
                pass
        assert opened == expected


@pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed")
def test_age_program_opens_a_record_for_a_reader(people, team, tmp_path):
    (path,) = layout.record_folder(team.root, "shop/api/key").glob("@*.age")
    (tmp_path / "key").write_text(people["reader"].key)
    done = subprocess.run(["age", "-d", "-i", tmp_path / "key", path], capture_output=True, check=True)
    assert done.stdout == b"value of shop/api/key"


def test_recovery_key_opens_everything_and_owns_the_store(people, team, tmp_path):
    stranger = Person(tmp_path, "recovered", team.root)
    stranger.identity = crypto.parse_identity(people["owner"].recovery[0].encode())
    store = stranger.open()
    assert store.get("bank/key") == Secret(b"value of bank/key")
    assert store.plan_access(roles_of(people)) == []


def test_recovery_key_is_renewed_and_the_old_one_opens_nothing_written_since(people, team, tmp_path):
    (old,) = people["owner"].recovery
    shown = []
    for name in ("reader", "writer"):
        with pytest.raises(AccessDeniedError):
            people[name].open().renew_recovery(shown.append)
    done = {(change.action, change.object) for change in team.renew_recovery(shown.append)}
    (new,) = shown
    assert {("re-encrypt", "bank/key"), ("mark-due", "bank/key")} <= done
    former, present = (crypto.parse_identity(key.encode()) for key in (old, new))
    person = people["nobody"]
    person.identity = former
    with pytest.raises(AccessDeniedError):
        person.open().get("bank/key")
    for path in team.root.rglob("*.age"):  # with a patched client
        with pytest.raises(IdentityError):
            former.decrypt(path.read_bytes())
    with pytest.raises(AccessDeniedError):
        person.open(fresh=True).apply_access(())
    person.identity = present
    assert person.open().get("bank/key") == Secret(b"value of bank/key")
    assert team.check_access(roles_of(people)) == []
    with pytest.raises(ConfigError):  # whoever goes could not sign what has to be encrypted anew
        person.open().renew_recovery(shown.append)


def test_member_who_leaves_loses_the_values_and_they_are_due(people, team):
    changes = team.apply_access(roles_of(people, without=("reader",)))
    assert {change.action for change in changes} == {"remove-member", "re-encrypt", "mark-due"}
    with pytest.raises(AccessDeniedError):
        people["reader"].open().get("shop/db-password")
    for path in team.root.rglob("*.age"):
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(people["reader"].key)])
    due = {told.name for told in team.list() if told.due}
    assert due == {"shop/db-password", "shop/api/key"}
    assert team.plan_access(roles_of(people, without=("reader",))) == []


def test_writer_who_leaves_leaves_valid_records(people, team):
    people["writer"].open().put("shop/db-password", Secret(b"last words"), token=token())
    team.apply_access(roles_of(people, without=("writer",)))
    for name in ("reader", "owner"):
        assert people[name].open(fresh=True).get("shop/db-password") == Secret(b"last words")
    with pytest.raises(AccessDeniedError):
        people["writer"].open().put("shop/db-password", Secret(b"more"), token=token())


def test_apply_cut_off_after_the_policy_is_completed_by_the_next(people, team, monkeypatch):
    people["writer"].open().put("shop/api/key", Secret(b"by the writer"), token=token())
    wanted = roles_of(people, without=("reader", "writer"))
    with monkeypatch.context() as cut:
        cut.setattr(RecordStore, "commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            people["owner"].open().apply_access(wanted)
    assert people["owner"].open(fresh=True).get("shop/api/key") == Secret(b"by the writer")
    left = {(change.action, change.object) for change in people["owner"].open().apply_access(wanted)}
    assert ("mark-due", "shop/db-password") in left
    for path in team.root.rglob("*.age"):
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(people["reader"].key)])


def test_only_an_owner_applies_roles(people, team):
    with pytest.raises(AccessDeniedError):
        people["reader"].open().apply_access(())


def test_ownership_passes_on_and_the_recovery_key_stays(people, team):
    both = Role("owners", (str(people["owner"]), str(people["nobody"])), (), ())
    one = Role("owners", (str(people["nobody"]),), (), ())
    team.apply_access((*roles_of(people), both))
    with pytest.raises(ConfigError, match="own hand"):
        team.apply_access((*roles_of(people), one))
    new = people["nobody"].open()
    new.apply_access((*roles_of(people), one))
    assert new.get("bank/key") == people["nobody"].open(fresh=True).get("bank/key") == Secret(b"value of bank/key")
    with pytest.raises(AccessDeniedError):
        people["owner"].open().apply_access(roles_of(people))
    assert len(new.policy().owners) == 2


def test_ssh_key_is_a_member(people, team, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    person = Person(tmp_path, "ssh", team.root)
    person.identity = crypto.parse_identity((tmp_path / "id").read_bytes())
    public = (tmp_path / "id.pub").read_text().strip()
    team.apply_access((Role("ci", (public, "oidc:repo:org/name"), ("shop/**",), ("read", "write")),))
    store = person.open()
    store.put("shop/x", Secret(b"by ssh"), token=token())
    assert store.get("shop/x") == people["owner"].open().get("shop/x") == Secret(b"by ssh")


# Tampering with the files


def forge(team, name, person, **changes):
    """Sign a record as ``person`` who edits the files directly."""
    document = json.loads(record_path(team, name).read_bytes())
    body = {key: value for key, value in document.items() if key not in ("signer", "signature")}
    record_path(team, name).write_bytes(sign_document(person.identity, RECORD, {**body, **changes}))


def _foreign_record(people, team):
    serial = json.loads(record_path(team, "shop/db-password").read_bytes())["serial"]
    forge(team, "shop/db-password", people["reader"], serial=serial + 1)


def _replayed_record(people, team):
    before = record_path(team, "shop/db-password").read_bytes()
    team.put("shop/db-password", Secret(b"newer"), token=token())
    record_path(team, "shop/db-password").write_bytes(before)


def _swapped_records(people, team):
    shutil.copy(record_path(team, "shop/api/key"), record_path(team, "shop/db-password"))


def _foreign_policy(people, team):
    policy = team.policy()
    write_policy(
        team.root, people["reader"].identity, policy, roles=policy.roles, owners=policy.owners, vouched=policy.vouched
    )


@pytest.mark.parametrize("attack", [_foreign_record, _replayed_record, _swapped_records, _foreign_policy])
def test_attack_is_refused_whatever_is_asked_and_is_in_the_audit_each_time(people, team, attack, tmp_path):
    log = Log(tmp_path / "audit", Actor("ann"))
    attack(people, team)
    name = "shop/db-password"
    for action, ask in {
        "secret.get": lambda store: store.get(name),
        "secret.put": lambda store: store.put(name, Secret(b"v"), token=token()),
        "secret.describe": lambda store: store.describe(name),
        "secret.list": lambda store: list(store.list()),
        "secret.delete": lambda store: store.delete(name),
    }.items():
        with pytest.raises(IntegrityError):
            ask(audited(people["owner"].open(), log))
        last = list(log.events())[-1]
        assert (last.action, last.outcome, last.detail["error"]) == (action, "failed", "IntegrityError")
    assert [verdict.problems for verdict in verify_folder(log.folder)] == [()]


@pytest.mark.parametrize("forger", ["reader", "nobody"])
def test_record_signed_by_one_without_the_role_is_refused(people, team, forger):
    serial = json.loads(record_path(team, "shop/db-password").read_bytes())["serial"]
    forge(team, "shop/db-password", people[forger], serial=serial + 1)
    for who in ("owner", "reader"):
        with pytest.raises(IntegrityError, match="whose roles don't allow it"):
            people[who].open(fresh=True).get("shop/db-password")


def test_deletion_signed_by_a_writer_without_the_verb_is_refused(people, team):
    document = json.loads(record_path(team, "shop/api/key").read_bytes())
    forge(team, "shop/api/key", people["writer"], serial=document["serial"] + 1, deleted="2026-01-01T00:00:00.000Z")
    with pytest.raises(IntegrityError, match="whose roles"):
        team.describe("shop/api/key")


def test_record_changed_after_signing_is_refused(people, team):
    path = record_path(team, "shop/db-password")
    document = json.loads(path.read_bytes())
    document["serial"] += 1
    document["labels"] = {"rule": "changed"}
    path.write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="changed after it was signed"):
        team.get("shop/db-password")


def test_replayed_older_record_is_refused(people, team):
    folder = layout.record_folder(team.root, "shop/db-password")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    team.put("shop/db-password", Secret(b"newer"), token=token())
    for name, content in before.items():
        (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError, match="older than one seen before"):
        people["owner"].open().get("shop/db-password")
    with pytest.raises(IntegrityError, match="older"):
        list(people["owner"].open().list())


def test_removed_record_is_refused_and_not_taken_for_absent(people, team):
    shutil.rmtree(layout.record_folder(team.root, "shop/db-password"))
    for action in (
        lambda s: s.get("shop/db-password"),
        lambda s: list(s.list()),
        lambda s: s.put("shop/db-password", Secret(b"v"), token=token()),
    ):
        with pytest.raises(IntegrityError, match="removed"):
            action(people["owner"].open())


def test_deleted_for_good_and_put_back_from_a_copy_is_refused(people, team, tmp_path):
    folder = layout.record_folder(team.root, "bank/key")
    shutil.copytree(folder, tmp_path / "copy")
    team.delete("bank/key", recoverable=False)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    with pytest.raises(IntegrityError, match="older"):
        people["owner"].open().get("bank/key")


def test_swapped_records_are_refused(people, team):
    one, two = record_path(team, "shop/db-password"), record_path(team, "shop/api/key")
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    with pytest.raises(IntegrityError, match="another secret"):
        people["owner"].open(fresh=True).get("shop/db-password")


def test_swapped_value_is_refused(people, team):
    (one,) = layout.record_folder(team.root, "shop/db-password").glob("@*.age")
    (two,) = layout.record_folder(team.root, "shop/api/key").glob("@*.age")
    one.write_bytes(two.read_bytes())
    with pytest.raises(IntegrityError, match="missing or changed"):
        team.get("shop/db-password")


def test_record_of_another_store_is_refused(people, team, tmp_path):
    other = Person(tmp_path, "other", tmp_path / "elsewhere")
    other.identity = people["owner"].identity
    elsewhere = other.open()
    elsewhere.put("shop/db-password", Secret(b"planted"), token=token())
    record_path(team, "shop/db-password").write_bytes(record_path(elsewhere, "shop/db-password").read_bytes())
    with pytest.raises(IntegrityError, match="another secret"):
        people["reader"].open(fresh=True).get("shop/db-password")


def test_policy_signed_by_a_non_owner_is_refused(people, team):
    newest = max((team.root / FOLDER).glob("*.json"))
    document = json.loads(newest.read_bytes())
    body = {key: value for key, value in document.items() if key not in ("signer", "signature")}
    body |= {"serial": document["serial"] + 1, "owners": [str(people["reader"]), document["recovery"]]}
    from hygiene.store.backends.embedded.signed import digest

    body["previous"] = digest(newest.read_bytes())
    newest.with_name(f"{body['serial']:06d}.json").write_bytes(sign_document(people["reader"].identity, KIND, body))
    for who in ("owner", "writer"):
        with pytest.raises(IntegrityError, match="not signed by an owner"):
            people[who].open(fresh=True).put("shop/x", Secret(b"v"), token=token())


def test_policy_replaced_by_a_store_of_ones_own_is_refused(people, team):
    for path in (team.root / FOLDER).iterdir():
        path.unlink()
    create_policy(team.root, people["reader"].identity, people["nobody"].identity.member)
    with pytest.raises(IntegrityError, match="another store"):
        people["owner"].open().put("shop/x", Secret(b"v"), token=token())


def test_history_that_a_removed_owner_signs_anew_is_refused_though_it_is_longer(people, team):
    """From where he was an owner on, his signature is good for whoever has not seen what came after."""
    other = people["writer"]
    both = Role("owners", (str(people["owner"]), str(other)), (), ())
    team.apply_access((*roles_of(people), both))
    before = team.policy()
    people["reader"].open().get("shop/db-password")
    team.apply_access((*roles_of(people), both._replace(members=(str(people["owner"]),))))
    seen = team.policy()
    reader = people["reader"].open()
    reader.get("shop/db-password")
    # The removed owner replaces the edition that removed him, and goes on behind it.
    folder = team.root / FOLDER
    (folder / f"{seen.serial:06d}.json").unlink()
    policy = before
    for number in range(2):
        write_policy(
            team.root,
            other.identity,
            policy,
            roles=(*policy.roles, Role(f"mine{number}", (str(other),), ("**",), ("read", "grant"))),
            owners=policy.owners,
            vouched={},
        )
        policy = read_policy(team.root)
    assert policy.serial > seen.serial
    for person in ("owner", "reader"):
        with pytest.raises(IntegrityError, match="parts from the one seen"):
            people[person].open().get("shop/db-password")
    with pytest.raises(IntegrityError):
        team.put("bank/key", Secret(b"new"), token=token())


def test_older_policy_put_back_is_refused(people, team):
    team.apply_access(roles_of(people, without=("reader",)))
    newest = max((team.root / FOLDER).glob("*.json"))
    newest.unlink()
    with pytest.raises(IntegrityError, match="older than one seen"):
        people["owner"].open().get("bank/key")


def test_going_back_on_purpose_is_accepted_when_told(people, team):
    folder = layout.record_folder(team.root, "shop/db-password")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    team.put("shop/db-password", Secret(b"newer"), token=token())
    for name, content in before.items():
        (folder / name).write_bytes(content)
    store = people["owner"].open()
    assert [problem.action for problem in store.check_access(roles_of(people))] == ["broken"]
    store.accept_present()
    assert store.check_access(roles_of(people)) == []
    assert store.get("shop/db-password") == Secret(b"value of shop/db-password")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"format": 2}', b'{"format": 1}', b"\xff" * 10, b"[" * 100_000]
)
def test_garbage_in_place_of_a_record_is_refused_by_name(people, team, raw):
    record_path(team, "bank/key").write_bytes(raw)
    with pytest.raises(IntegrityError, match="bank/key"):
        team.get("bank/key")
    assert [problem.object for problem in team.check_access(roles_of(people))] == ["bank/key"]


def test_identity_of_someone_else_opens_nothing(people, team):
    with pytest.raises(IdentityError):
        (path,) = layout.record_folder(team.root, "bank/key").glob("@*.age")
        people["nobody"].identity.decrypt(path.read_bytes())


# Access for a time


@pytest.fixture
def granting(people, team):
    guests = Role("guests", (str(people["nobody"]),), ("guests/**",), ("read",))
    roles = (*roles_of(people), guests, Role("lead", (str(people["rotator"]),), ("**",), ("read", "grant")))
    team.apply_access(roles)
    return roles


def test_request_is_approved_by_another_and_ends_by_itself(people, team, granting):
    guest, lead = people["nobody"].open(), people["rotator"].open()
    asked = guest.request_access(["bank/*"], "incident 7", timedelta(seconds=2))
    with pytest.raises(AccessDeniedError):
        guest.get("bank/key")
    with pytest.raises(AccessDeniedError):
        guest.decide_access(asked.id, approved=True)
    with pytest.raises(AccessDeniedError):
        people["reader"].open().decide_access(asked.id, approved=True)
    assert lead.decide_access(asked.id, approved=True).state == "active"
    assert guest.get("bank/key") == Secret(b"value of bank/key")
    with pytest.raises(AccessDeniedError):
        guest.get("shop/db-password")
    with pytest.raises(AccessDeniedError):
        guest.put("bank/key", Secret(b"v"), token=token())
    import time

    time.sleep(2.1)
    with pytest.raises(AccessDeniedError):
        guest.get("bank/key")
    assert [request.state for request in guest.access_requests()] == ["ended"]
    done = {(change.action, change.object) for change in team.apply_access(granting)}
    assert done == {("re-encrypt", "bank/key"), ("mark-due", "bank/key")}


def test_denied_request_opens_nothing(people, team, granting):
    guest, lead = people["nobody"].open(), people["rotator"].open()
    asked = guest.request_access(["bank/*"], "please", timedelta(hours=1))
    assert lead.decide_access(asked.id, approved=False, reason="no").state == "denied"
    with pytest.raises(AccessDeniedError):
        guest.get("bank/key")


def test_own_request_is_not_approved_but_by_breaking_the_glass(people, team, granting):
    lead = people["rotator"].open()
    asked = lead.request_access(["bank/*"], "at night", timedelta(hours=1))
    with pytest.raises(AccessDeniedError, match="of their own"):
        lead.decide_access(asked.id, approved=True)
    assert lead.decide_access(asked.id, approved=True, break_glass=True).break_glass


def test_forged_approval_opens_nothing(people, team, granting):
    guest = people["nobody"].open()
    asked = guest.request_access(["bank/*"], "please", timedelta(hours=1))
    lead = people["rotator"].open()
    real = lead.request_access(["bank/*"], "mine", timedelta(hours=1))
    lead.decide_access(real.id, approved=True, break_glass=True)
    (approval,) = (team.root / "access" / real.id).glob("decision-*.json")
    shutil.copy(approval, team.root / "access" / asked.id)
    assert {r.id: r.state for r in guest.access_requests()}[asked.id] == "waiting"
    with pytest.raises(AccessDeniedError):
        guest.get("bank/key")


def test_audit_tells_what_was_decided_and_by_which_rule(people, team, granting, tmp_path):
    log = Log(tmp_path / "audit", Actor("ann"))
    asked = people["nobody"].open().request_access(["bank/*"], "incident", timedelta(hours=1))
    people["rotator"].open().decide_access(asked.id, approved=True)
    expected = []
    for name, path, outcome, rule in (
        ("owner", "bank/key", "ok", "owner"),
        ("reader", "shop/db-password", "ok", "role see"),
        ("rotator", "shop/db-password", "ok", "role turn"),
        ("nobody", "bank/key", "ok", f"access {asked.id}"),
        ("nobody", "shop/db-password", "denied", "none"),
        ("writer", "shop/db-password", "denied", "none"),
    ):
        with suppress(AccessDeniedError):
            audited(people[name].open(), log).get(path)
        expected.append((outcome, rule))
    with suppress(AccessDeniedError):
        audited(people["reader"].open(), log).put("shop/db-password", Secret(b"v"), token=token())
    ends = [event for event in log.events() if event.outcome in ("ok", "denied") and event.seq > 1]
    assert [(event.outcome, event.detail["decided_by"]) for event in ends] == [*expected, ("denied", "none")]


def test_request_of_a_stranger_is_refused_and_one_in_the_folder_counts_for_nothing(people, team, granting):
    """Else whoever may grant makes a second identity up, asks with it and approves that."""
    lead, puppet = people["rotator"].open(), Person(people["nobody"].home, "puppet", people["nobody"].team)
    with pytest.raises(AccessDeniedError, match="no member"):
        puppet.open().request_access(["bank/*"], "please", timedelta(hours=1))
    # The same with a patched client: his own recipient, another signing key.
    policy = team.policy()
    mixed = crypto.Member(people["rotator"].identity.member.recipient, puppet.identity.member.verify_key)
    for member in (puppet.identity.member, mixed):
        body = {
            "format": 1,
            "store": policy.store,
            "id": "0" * 8,
            "member": str(member),
            "paths": ["bank/*"],
            "reason": "please",
            "seconds": 3600,
            "created": "2026-11-30T10:00:00.000Z",
        }
        folder = team.root / "access" / ("0" * 8)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "request.json").write_bytes(sign_document(puppet.identity, "access request", body))
        with pytest.raises(NotFoundError):
            lead.decide_access("0" * 8, approved=True)
        assert lead.access_requests() == []


def test_denial_that_is_removed_again_still_holds_for_who_saw_it(people, team, granting):
    guest, lead = people["nobody"].open(), people["rotator"].open()
    asked = guest.request_access(["bank/*"], "incident", timedelta(hours=1))
    lead.decide_access(asked.id, approved=True)
    assert guest.get("bank/key") == Secret(b"value of bank/key")
    team.decide_access(asked.id, approved=False, reason="over")
    assert [r.state for r in lead.access_requests()] == ["denied"]
    decisions = sorted((team.root / "access" / asked.id).glob("decision-*.json"))
    denial = next(path for path in decisions if json.loads(path.read_bytes())["approved"] is False)
    denial.unlink()
    for person in (team, lead):
        assert [r.state for r in person.access_requests()] == ["denied"]
    team.put("bank/key", Secret(b"a new value"), token=token())
    sealed = team._records.find("bank/key").versions[0].readers
    assert len(sealed) == len(team.policy().readers("bank/key"))


def test_approval_copied_to_another_request_or_store_opens_nothing(people, team, granting, tmp_path):
    guest, lead = people["nobody"].open(), people["rotator"].open()
    one = guest.request_access(["bank/*"], "incident", timedelta(seconds=1))
    lead.decide_access(one.id, approved=True)
    two = guest.request_access(["shop/**"], "more", timedelta(hours=1))
    for decision in (team.root / "access" / one.id).glob("decision-*.json"):
        shutil.copy(decision, team.root / "access" / two.id)
    shutil.copytree(team.root / "access" / one.id, team.root / "access" / "again")
    import time

    time.sleep(1.1)
    assert {r.state for r in guest.access_requests()} == {"ended", "waiting"}
    for name in ("bank/key", "shop/db-password"):
        with pytest.raises(AccessDeniedError):
            guest.get(name)


def test_access_for_a_time_ends_within_a_month(people, team, granting):
    with pytest.raises(UsageError, match="30 days"):
        people["nobody"].open().request_access(["bank/*"], "for good", timedelta(days=31))


def test_who_cannot_read_approves_nothing_and_leaves_no_decision(people, team):
    guest = Role("guests", (str(people["nobody"]),), ("guests/**",), ("read",))
    team.apply_access((*roles_of(people), guest, Role("lead", (str(people["rotator"]),), ("**",), ("grant",))))
    asked = people["nobody"].open().request_access(["bank/*"], "please", timedelta(hours=1))
    with pytest.raises(AccessDeniedError, match="read"):
        people["rotator"].open().decide_access(asked.id, approved=True)
    assert [r.state for r in team.access_requests()] == ["waiting"]


def test_unknown_request_is_not_found(people, team, granting):
    with pytest.raises(NotFoundError):
        team.decide_access("nothing", approved=True)
