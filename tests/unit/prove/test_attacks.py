"""The attacks of the threat model (docs/audit.md), tried on a real log; those that stay unnoticed are shown too."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from hygiene.crypto import generate_identity
from hygiene.errors import AuditError, SourceError
from hygiene.git import Git
from hygiene.prove.anchor import REF, is_authentic, place_of, read_anchors, write_anchor
from hygiene.prove.chain import Deed, Head, entry_after
from hygiene.prove.checkpoint import Checkpoint, Signer, checkpoint_from_entry
from hygiene.prove.event import Actor
from hygiene.prove.files import segment_path
from hygiene.prove.log import Log
from hygiene.prove.state import State, read_state, write_state
from hygiene.prove.verify import verify_folder
from hygiene.secret import Secret

ADA = Actor("ada", host="box")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "audit", ADA)
    for number in range(6):
        log.record("secret.get", f"ref+embedded://shop/{number}", "ok")
    return log


@pytest.fixture
def git(tmp_path: Path) -> Git:
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return Git(folder)


def problems(log: Log, keys=None, anchors=()) -> list[tuple[str, int]]:
    return [(p.kind, p.seq) for v in verify_folder(log.folder, keys, ADA, anchors) for p in v.problems]


def parsed(key: str) -> dict[str, dict[int, bytes]]:
    name, seq, value = key.split(":")
    return {name: {int(seq): bytes.fromhex(value)}}


def forge(log: Log, state_path: Path, first: int, key: bytes) -> None:
    """Write the log anew from the entry ``first`` on, hashes, MACs and state included, as root with ``key`` can."""
    state = read_state(state_path)
    path = segment_path(log.folder, state.head.log, 1)
    lines = path.read_bytes().splitlines()
    kept = lines[: first - 1]
    last = json.loads(kept[-1]) if kept else {"seq": 0, "hash": state.head.log, "mac": "", "time": ""}
    head = Head(state.head.log, last["seq"], last["hash"], last["mac"], last["time"], key)
    for line in lines[first - 1 :]:
        old = json.loads(line)
        made, _, head = entry_after(
            head, Deed(old["action"], "ref+embedded://harmless", "ok", {}), time=old["time"], actor=old["actor"]
        )
        kept.append(made)
    content = b"\n".join(kept) + b"\n"
    path.write_bytes(content)
    write_state(state_path, State(head, 1, len(content)))


def only_state(log: Log) -> Path:
    return next(log.folder.glob("*.state"))


def snapshot(log: Log, to: Path) -> None:
    shutil.copytree(log.folder, to)


def anchor(log: Log, git: Git, signer: Signer | None = None) -> Checkpoint:
    checkpoint = checkpoint_from_entry(log.checkpoint(signer), place_of(ADA, log.folder))
    write_anchor(git, [checkpoint])
    return checkpoint


def test_attack_recompute_by_root_is_found_by_the_verification_key(log):
    key = log.begin_epoch()
    for number in range(4):
        log.record("secret.get", f"later/{number}", "ok")
    assert problems(log, parsed(key)) == []
    forge(log, only_state(log), 9, read_state(only_state(log)).head.key)
    assert problems(log) == []  # not detectable on this machine alone
    assert problems(log, parsed(key))[0] == ("mac", 9)


def test_attack_recompute_by_root_with_all_keys_is_found_only_by_an_anchor(log, git):
    key = log.begin_epoch()
    log.record("secret.get", "later", "ok")
    anchor(log, git)
    forge(log, only_state(log), 9, bytes.fromhex(key.split(":")[2]))
    assert problems(log, parsed(key)) == []  # not detectable without something outside
    assert problems(log, parsed(key), read_anchors(git))[0] == ("rewritten", 9)


def test_attack_old_copy_of_log_and_state_is_found_only_by_an_anchor(log, git, tmp_path):
    snapshot(log, tmp_path / "old")
    log.record("secret.get", "to be hidden", "ok")
    checkpoint = anchor(log, git)
    shutil.rmtree(log.folder)
    shutil.copytree(tmp_path / "old", log.folder)
    assert problems(log) == []  # not detectable without something outside
    assert problems(log, None, read_anchors(git)) == [("truncated", checkpoint.seq)]


def test_attack_whole_log_removed_is_found_by_an_anchor_of_this_folder(log, git):
    anchor(log, git)
    shutil.rmtree(log.folder)
    assert problems(log, None, read_anchors(git)) == [("truncated", 1)]
    assert verify_folder(log.folder, None, Actor("bob", host="other"), read_anchors(git)) == []


def test_attack_fork_shown_to_another_reader_is_refused_by_the_one_ref(log, git, tmp_path):
    snapshot(log, tmp_path / "fork")
    fork = Log(tmp_path / "fork", ADA)
    fork.record("secret.get", "fork", "ok")
    log.record("secret.get", "main", "ok")
    anchor(log, git)
    found = [p.kind for v in verify_folder(fork.folder, None, None, read_anchors(git)) for p in v.problems]
    assert found == ["rewritten"]


def test_attack_entry_appended_to_an_ended_chain_is_found(log):
    old = only_state(log)
    head = read_state(old).head
    log.restart("moved to another machine")
    line, _, _ = entry_after(head, Deed("secret.get", "x", "ok", {}), time=head.time, actor={})
    with segment_path(log.folder, head.log, 1).open("ab") as stream:
        stream.write(line + b"\n")
    assert problems(log) == [("mac", head.seq + 1)]


def test_restart_records_where_the_old_chain_ended_and_why(log):
    before = read_state(only_state(log)).head
    segment_path(log.folder, before.log, 1).write_bytes(b"")
    with pytest.raises(AuditError):
        log.record("a", "b", "ok")
    event = log.restart("disk failure")
    assert event.detail["reason"] == "disk failure"
    assert (event.detail["after"], event.detail["after_seq"]) == (before.log, str(before.seq))
    log.record("a", "b", "ok")
    assert problems(log) == [("truncated", 1)]  # the old chain stays what it is


def test_restart_with_a_damaged_state_begins_a_new_chain(log):
    only_state(log).write_bytes(b"\x00" * 512)
    with pytest.raises(AuditError) as caught:
        log.record("a", "b", "ok")
    assert "restart" in caught.value.hint
    assert log.restart("power cut").detail["after_state"] == "damaged"
    assert log.record("a", "b", "ok").seq == 2


def test_epoch_cut_off_before_its_state_goes_on_with_the_old_key(log):
    state = only_state(log)
    before = state.read_bytes()
    log.begin_epoch()
    state.write_bytes(before)
    log.record("a", "b", "ok")
    assert problems(log) == []


def test_checkpoint_signature_is_verified_and_a_false_one_is_named(log):
    identity, _ = generate_identity()
    event = log.checkpoint(Signer(identity.member.verify_key, identity.sign))
    assert is_authentic(checkpoint_from_entry(event))
    (verdict,) = verify_folder(log.folder)
    assert verdict.problems == ()
    assert len(verdict.signers) == 1
    log.checkpoint(Signer(identity.member.verify_key, lambda _message: b"\x00" * 64))
    assert problems(log) == [("signature", event.seq + 1)]


def test_anchor_with_a_false_signature_is_refused(log, git):
    identity, _ = generate_identity()
    genuine = anchor(log, git, Signer(identity.member.verify_key, identity.sign))
    write_anchor(git, [genuine._replace(hash="00" * 32)])
    with pytest.raises(AuditError):
        read_anchors(git)


def test_anchor_that_is_no_checkpoint_is_refused(git):
    blob = git.run("hash-object", "-w", "--stdin", stdin=b"[1]").decode().strip()
    tree = git.run("mktree", stdin=f"100644 blob {blob}\tx.json\n".encode()).decode().strip()
    commit = git.line("-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", tree, "-m", "x")
    git.run("update-ref", REF, commit)
    with pytest.raises(AuditError):
        read_anchors(git)


def test_anchors_of_two_writers_share_one_ref(log, git, tmp_path):
    other = Log(tmp_path / "other", Actor("bob"))
    first, second = anchor(log, git), anchor(other, git)
    third = anchor(log, git)
    assert {(c.log, c.seq) for c in read_anchors(git)} == {(c.log, c.seq) for c in (first, second, third)}
    assert git.run("rev-list", "--count", REF).strip() == b"3"


def test_anchor_lost_race_for_the_ref_is_an_error_and_writes_nothing(log, git, monkeypatch):
    anchor(log, git)
    tip = git.line("rev-parse", REF)
    monkeypatch.setattr("hygiene.prove.anchor._tip", lambda _git, _ref: "")
    with pytest.raises(SourceError):
        anchor(log, git)
    assert git.line("rev-parse", REF) == tip


@pytest.mark.parametrize("attack", ["deleted", "put back", "replaced"])
def test_attack_anchors_deleted_or_put_back_are_missed_where_one_was_seen(
    log, git, monkeypatch, capsys, tmp_path, attack
):
    """The log itself says what was anchored in which ref; in another repository it has nothing to miss."""
    from hygiene.cli.boundary import run

    home = tmp_path / "home"
    shutil.copytree(log.folder, home / "audit")
    monkeypatch.setenv("HYGIENE_HOME", str(home))
    monkeypatch.chdir(git.folder)
    assert run(["audit", "anchor"]) == 0
    first = git.line("rev-parse", REF)
    assert run(["audit", "anchor"]) == 0
    assert run(["audit", "verify"]) == 0
    if attack == "deleted":
        git.run("update-ref", "-d", REF)
    elif attack == "put back":
        git.run("update-ref", REF, first)
    else:
        git.run("update-ref", "-d", REF)
        other = Log(tmp_path / "other", ADA)
        write_anchor(git, [checkpoint_from_entry(other.checkpoint(), "elsewhere")])
    capsys.readouterr()
    assert run(["audit", "verify"]) == 6
    assert "its anchor is gone" in capsys.readouterr().out
    assert run(["audit", "anchor"]) == 6
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", str(elsewhere)], check=True)
    monkeypatch.chdir(elsewhere)
    assert run(["audit", "verify"]) == 0


def test_attack_guessing_a_value_from_the_log_finds_nothing_to_compare_with(tmp_path):
    """All guesses of a four-digit value: the logs of two values differ in nothing that tells which is which."""
    import hashlib
    import re

    told = []
    for value in (b"4711", b"0815"):
        log = Log(tmp_path / value.decode(), ADA)
        with log.access("secret.put", "ref+embedded://pin") as result:
            log.redactor.learn(Secret(value))
            result["version"] = "1"
        told.append("".join(path.read_text() for path in log.folder.glob("*.jsonl")))
    for number in range(10_000):
        guess = f"{number:04d}".encode()
        for algorithm in ("sha256", "sha1", "md5"):
            assert hashlib.new(algorithm, guess).hexdigest() not in told[0]
    bare = [re.sub(r'"[0-9a-f]{16,64}"|"[0-9T:.Z-]{24}"|"folder":"[^"]*"', '"*"', text) for text in told]
    assert bare[0] == bare[1]


def test_anchor_command_and_verify_in_a_repository(log, git, monkeypatch, capsys, tmp_path):
    from hygiene.cli.boundary import run

    home = tmp_path / "home"
    shutil.copytree(log.folder, home / "audit")
    monkeypatch.setenv("HYGIENE_HOME", str(home))
    monkeypatch.chdir(git.folder)
    assert run(["audit", "anchor"]) == 0
    assert run(["audit", "verify"]) == 0
    assert "anchored up to entry 7" in capsys.readouterr().out
    assert run(["audit", "key", "-o", str(tmp_path / "key")]) == 0
    assert run(["audit", "key", "-o", str(tmp_path / "key")]) == 2
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert run(["audit", "verify", "--key", str(tmp_path / "key")]) == 0
    assert run(["audit", "restart", "--reason", "test"]) == 0
    assert run(["audit", "verify"]) == 0
