"""The writer: durable, queued, and never without its entry."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygiene.errors import AccessDeniedError, AuditError, StoreError, WriteError
from hygiene.prove.chain import CHECKPOINT
from hygiene.prove.checkpoint import Signer
from hygiene.prove.event import Actor
from hygiene.prove.log import Log
from hygiene.prove.verify import verify_folder
from hygiene.secret import Secret

ADA = Actor("ada", "Ada <ada@example.org>", "", "box")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "audit", ADA)


def segments(log: Log) -> list[Path]:
    return sorted(log.folder.glob("*.jsonl"))


def problems(log: Log) -> list[tuple[str, int]]:
    return [(p.kind, p.seq) for verdict in verify_folder(log.folder, actor=ADA) for p in verdict.problems]


def test_log_record_makes_a_private_verifiable_log(log):
    event = log.record("secret.put", "ref+embedded://a", "ok", version="1")
    assert (event.seq, event.actor["user"], event.detail["version"]) == (2, "ada", "1")
    assert [e.action for e in log.events()] == ["audit.start", "secret.put"]
    assert problems(log) == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in log.folder.iterdir())


def test_log_access_that_works_leaves_intent_and_ok(log):
    with log.access("secret.get", "ref+embedded://a", stage="current") as result:
        assert [e.outcome for e in log.events()][-1] == "intent"
        result["version"] = "7"
    last = list(log.events())[-1]
    assert (last.outcome, last.detail["version"], last.detail["intent"]) == ("ok", "7", "2")
    assert verify_folder(log.folder)[0].unmatched == ()


def syncs(log: Log, monkeypatch: pytest.MonkeyPatch, kind: str) -> int:
    """Count how often a ``kind`` of access waits for the disk."""
    counted = []
    monkeypatch.setattr(os, "fsync", lambda descriptor, sync=os.fsync: counted.append(sync(descriptor)))
    with getattr(log, kind)("secret.get", "ref+embedded://a"):
        assert [e.outcome for e in log.events()][-1] == "intent"
    monkeypatch.undo()
    return len(counted)


def test_log_reading_syncs_once_with_the_outcome_and_access_twice(log, monkeypatch):
    log.record("a", "1", "ok")
    assert [syncs(log, monkeypatch, kind) for kind in ("access", "reading", "reading")] == [2, 1, 1]
    assert problems(log) == []
    assert verify_folder(log.folder)[0].unmatched == ()


def test_log_reading_beside_another_writer_keeps_one_chain(log):
    log.record("a", "1", "ok")
    with log.reading("secret.get", "ref+embedded://a"):
        assert problems(log) == []
        Log(log.folder, ADA).record("b", "2", "ok")
        with Log(log.folder, ADA).reading("secret.get", "ref+embedded://b"):
            log.record("c", "3", "ok")
    assert problems(log) == []
    assert verify_folder(log.folder)[0].unmatched == ()
    assert [e.seq for e in log.events()] == list(range(1, 9))


def test_log_reading_that_never_ended_is_taken_over_by_the_next_writer(log):
    log.record("a", "1", "ok")
    code = (
        "import os, sys; from pathlib import Path\n"
        "from hygiene.prove.event import Actor; from hygiene.prove.log import Log\n"
        "log = Log(Path(sys.argv[1]), Actor('ada')); log.record('a', '2', 'ok')\n"
        "with log.reading('secret.get', 'ref+embedded://a'): os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(log.folder)]).returncode == 9
    Log(log.folder, ADA).record("b", "2", "ok")
    (verdict,) = verify_folder(log.folder)
    assert verdict.problems == ()
    assert [(seq, object) for seq, _, _, object in verdict.unmatched] == [(4, "ref+embedded://a")]


def test_log_reading_whose_intent_was_cut_off_stops_the_work(log):
    log.record("a", "1", "ok")
    with pytest.raises(AuditError) as caught, log.reading("secret.get", "ref+embedded://a"):
        (segment,) = segments(log)
        os.truncate(segment, segment.stat().st_size - 1)
    assert "was cut" in caught.value.message


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(AccessDeniedError("no"), "denied"), (StoreError("no"), "failed"), (KeyboardInterrupt(), "failed")],
)
def test_log_access_that_fails_tells_the_class_and_not_the_message(log, error, outcome):
    with pytest.raises(type(error)), log.access("secret.get", "x"):
        raise error
    last = list(log.events())[-1]
    assert (last.outcome, last.detail["error"]) == (outcome, type(error).__name__)


def test_log_intent_without_outcome_is_shown(log):
    log.record("secret.put", "ref+embedded://a", "intent")
    (verdict,) = verify_folder(log.folder)
    assert [(seq, object) for seq, _, _, object in verdict.unmatched] == [(2, "ref+embedded://a")]


def test_log_many_processes_queue_and_lose_nothing(log):
    code = (
        "import sys; from pathlib import Path\n"
        "from hygiene.prove.log import Log; from hygiene.prove.event import Actor\n"
        "log = Log(Path(sys.argv[1]), Actor('ada'))\n"
        "for i in range(50): log.record('secret.get', f'{sys.argv[2]}/{i}', 'ok')\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(log.folder), str(n)]) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    objects = {event.object for event in log.events()}
    assert {f"{n}/{i}" for n in range(4) for i in range(50)} <= objects
    assert len(segments(log)) == 1
    assert problems(log) == []


def test_log_verified_while_others_write_is_sound(log):
    code = (
        "import sys; from pathlib import Path\n"
        "from hygiene.prove.log import Log; from hygiene.prove.event import Actor\n"
        "log = Log(Path(sys.argv[1]), Actor('ada', host='box'), segment_bytes=5000)\n"
        "for i in range(150): log.record('secret.get', 'x' * 2000, 'ok')\n"
    )
    log.record("a", "1", "ok")
    writers = [subprocess.Popen([sys.executable, "-c", code, str(log.folder)]) for _ in range(2)]
    seen = []
    while any(writer.poll() is None for writer in writers):
        seen += problems(log)
    assert seen == []
    assert len([event for event in log.events() if event.action != CHECKPOINT]) == 302


def test_log_goes_on_in_a_new_file_and_the_chain_with_it(tmp_path):
    log = Log(tmp_path, ADA, segment_bytes=2000)
    for number in range(20):
        log.record("secret.get", str(number), "ok")
    assert len(segments(log)) > 2
    assert problems(log) == []
    events = list(log.events())
    assert len([event for event in events if event.action != CHECKPOINT]) == 21
    assert len([event for event in events if event.action == CHECKPOINT]) >= len(segments(log)) // 2
    first = segments(log)[0]
    first.unlink()
    assert problems(log)[0] == ("missing", 1)


def test_log_entry_that_a_kill_left_before_the_state_is_taken_over(log):
    log.record("a", "1", "ok")
    (state,) = log.folder.glob("*.state")
    before = state.read_bytes()
    log.record("a", "2", "ok")
    state.write_bytes(before)
    log.record("a", "3", "ok")
    assert [e.object for e in log.events()][1:] == ["1", "2", "3"]
    assert problems(log) == []


def test_log_new_file_that_a_kill_left_before_the_state_is_taken_over(tmp_path):
    log = Log(tmp_path, ADA, segment_bytes=600)
    log.record("a", "1", "ok")
    (state,) = tmp_path.glob("*.state")
    before = state.read_bytes()
    log.record("a", "2", "ok")
    state.write_bytes(before)
    log.record("a", "3", "ok")
    assert [e.object for e in log.events() if e.action == "a"] == ["1", "2", "3"]
    assert problems(log) == []


def test_log_checkpoints_itself_signed_after_so_many_entries(tmp_path):
    asked = []

    def signer():
        asked.append(True)
        key = Ed25519PrivateKey.generate()
        return Signer(key.public_key().public_bytes_raw(), key.sign)

    log = Log(tmp_path, ADA, checkpoint_every=10, signer=signer)
    for number in range(25):
        log.record("a", str(number), "ok")
    assert [event.seq for event in log.events() if event.action == CHECKPOINT] == [11, 21]
    (verdict,) = verify_folder(tmp_path)
    assert (verdict.problems, verdict.checkpoints, len(verdict.signers), len(asked)) == ((), 2, 2, 2)


def test_log_torn_last_line_is_cut_off_by_the_next_write(log):
    log.record("a", "1", "ok")
    with segments(log)[0].open("ab") as stream:
        stream.write(b'{"action":"secret.g')
    assert problems(log) == [("torn", 3)]
    log.record("a", "2", "ok")
    assert problems(log) == []


@pytest.mark.parametrize("damage", ["cut", "gone", "appended"])
def test_log_refuses_to_go_on_after_tampering(log, damage):
    log.record("a", "1", "ok")
    path = segments(log)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "cut":
        path.write_bytes(lines[0])
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"".join([*lines, lines[-1]]))
    with pytest.raises(AuditError) as caught:
        log.record("a", "2", "ok")
    assert "audit verify" in caught.value.hint
    assert problems(log)


def test_log_with_state_removed_to_hide_a_cut_is_named(log):
    log.record("a", "1", "ok")
    (state,) = log.folder.glob("*.state")
    state.unlink()
    assert problems(log) == [("state", 3)]


def test_log_chain_of_another_writer_merges_by_copying(log, tmp_path):
    other = Log(tmp_path / "other", Actor("bob", host="elsewhere"))
    other.record("secret.get", "bobs", "ok")
    log.record("secret.get", "adas", "ok")
    for path in (tmp_path / "other").glob("*.jsonl"):
        (log.folder / path.name).write_bytes(path.read_bytes())
    log.record("secret.get", "adas again", "ok")
    assert problems(log) == []
    assert {"bobs", "adas", "adas again"} <= {e.object for e in log.events()}
    assert len(verify_folder(log.folder)) == 2


def test_log_full_disk_refuses_before_the_access(tmp_path):
    # A file size limit fails the write as a full disk does, half-way through the line.
    code = (
        "import sys, resource; from pathlib import Path; from hygiene.prove.log import Log\n"
        "from hygiene.prove.event import Actor; from hygiene.errors import AuditError\n"
        "log = Log(Path(sys.argv[1]), Actor('ada')); log.record('a', '1', 'ok')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    with log.access('secret.get', 'x'): print('accessed')\n"
        "except AuditError as error: print('refused', error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.split() == ["refused", "6"], done.stderr
    assert [v.problems for v in verify_folder(tmp_path)] == [()]
    assert len(list(Log(tmp_path, ADA).events())) == 2
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_log_whose_outcome_cannot_be_recorded_does_not_say_that_nothing_was_done(log, monkeypatch):
    def full(*_):
        raise WriteError("cannot write the log: the disk is full", hint="free some space")

    for error, words in ((None, "was done"), (KeyError(), "ended as failed")):
        with pytest.raises(AuditError) as caught, log.access("secret.put", "ref+embedded://a"):
            monkeypatch.setattr("hygiene.prove.log.append_durable", full)
            if error:
                raise error
        monkeypatch.undo()
        assert words in caught.value.message
        assert "disk is full" in caught.value.message
        (verdict,) = verify_folder(log.folder)
        assert verdict.unmatched


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_log_read_only_folder_refuses(log):
    log.record("a", "1", "ok")
    log.folder.chmod(0o500)
    with pytest.raises(AuditError):
        log.record("a", "2", "ok")


@pytest.mark.parametrize("field", ["action", "object", "detail"])
@pytest.mark.parametrize("form", ["plain", "hex", "url", "base64"])
def test_log_value_that_was_learnt_reaches_no_field(log, field, form):
    value = "s3cr" + "et/value+of=mine"
    import base64
    import urllib.parse

    shown = {
        "plain": value,
        "hex": value.encode().hex(),
        "url": urllib.parse.quote(value, safe=""),
        "base64": base64.b64encode(value.encode()).decode(),
    }[form]
    log.redactor.learn(Secret.from_text(value))
    text = f"error near {shown!s} here"
    log.record(text if field == "action" else "a", text if field == "object" else "b", "ok", detail=text)
    raw = segments(log)[0].read_text()
    assert shown.rstrip("=") not in raw
    assert "[redacted]" in raw


def test_log_credentials_in_urls_headers_and_pem_are_redacted(log):
    word = "hunter" + "2hunter2"
    pem = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----"
    log.record("a", f"postgres://ada:{word}@db/x", "failed", header=f"Authorization: Bearer {word}", pem=pem)
    raw = segments(log)[0].read_text()
    assert word not in raw
    assert "MIIabc" not in raw
    assert "@db/x" in raw


def test_log_hostile_text_stays_one_line(log):
    log.record("a\nb", "x\udcff\u2028\x1b[31m" + "y" * 9999, "ok")
    assert problems(log) == []
    lines = segments(log)[0].read_bytes().splitlines()
    assert len(lines) == 2
    assert len(lines[1]) < 4000
    assert "\\xff" in json.loads(lines[1])["object"]
