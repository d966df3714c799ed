"""Files verified side by side, and lines that are not parsed, give the verdict of the long way."""

from __future__ import annotations

import re

import pytest

from hygiene.prove import sidebyside, verifier
from hygiene.prove.checkpoint import Signer
from hygiene.prove.event import Actor
from hygiene.prove.log import Log
from hygiene.prove.verify import verify_folder

ADA = Actor("ada", "Ádá <ada@example.org>", host="box")


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log of several files, with all kinds of entries, whose intents are answered in a later file."""
    monkeypatch.setattr(sidebyside, "_WORTH_A_PROCESS", 0)
    monkeypatch.setattr(sidebyside, "_processors", lambda: 2)
    log = Log(tmp_path / "audit", ADA, segment_bytes=3000)
    open_intents = [log.record("secret.get", f"ref+embedded://shop/{n}", "intent", stage="current") for n in range(9)]
    for intent in open_intents[:7]:
        log.record("secret.get", intent.object, "ok", intent=str(intent.seq), note='"q" \\ \x01 ü')
    log.checkpoint(Signer(b"k" * 32, lambda message: b"s" * 64))
    log.begin_epoch()
    for number in range(9):
        log.record("secret.put", f"ref+embedded://shop/{number}", "failed", error="ConflictError")
    assert len(list(log.folder.glob("*.jsonl"))) > 3
    return log


def verdicts(log, monkeypatch, way):
    with monkeypatch.context() as patch:
        if way != "side by side":
            patch.setattr(sidebyside, "_processors", lambda: 1)
        if way == "parsed":
            patch.setattr(verifier, "_ORDINARY", re.compile(rb"(?!)"))
        return verify_folder(log.folder, actor=ADA)


@pytest.mark.parametrize("way", ["side by side", "in one go"])
def test_verify_sound_log_gives_the_same_verdict_every_way(log, monkeypatch, way):
    used = []
    monkeypatch.setattr(sidebyside, "_joined", lambda *parts, real=sidebyside._joined: used.append(1) or real(*parts))
    (expected,) = verdicts(log, monkeypatch, "parsed")
    assert [p.kind for p in expected.problems] == ["signature"]
    assert [what for *_, what in expected.unmatched] == ["ref+embedded://shop/7", "ref+embedded://shop/8"]
    assert (len(expected.epochs), expected.macs) == (1, 0)
    assert expected.checkpoints > len(list(log.folder.glob("*.jsonl"))) / 2
    assert verdicts(log, monkeypatch, way) == [expected]
    assert bool(used) == (way == "side by side")


def test_verify_changed_bytes_give_the_same_verdict_every_way(log, monkeypatch):
    files = sorted(log.folder.glob("*.jsonl"))
    for path in files:
        content = path.read_bytes()
        for place in (20, len(content) // 2, len(content) - 200, len(content) - 1):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            expected = verdicts(log, monkeypatch, "parsed")
            assert expected[0].problems[0].kind != "signature"
            assert verdicts(log, monkeypatch, "side by side") == expected
            assert verdicts(log, monkeypatch, "in one go") == expected
        path.write_bytes(content)


@pytest.mark.parametrize("attack", ["drop a file", "swap two files", "cut a file", "empty a file", "fork a file"])
def test_verify_files_rearranged_give_the_same_verdict_every_way(log, monkeypatch, attack):
    first, second, third = sorted(log.folder.glob("*.jsonl"))[:3]
    content = second.read_bytes()
    if attack == "drop a file":
        second.unlink()
    elif attack == "swap two files":
        second.write_bytes(third.read_bytes())
        third.write_bytes(content)
    elif attack == "cut a file":
        second.write_bytes(content[: content[:-1].rfind(b"\n") + 1])
    elif attack == "empty a file":
        second.write_bytes(b"")
    else:
        second.write_bytes(first.read_bytes())
    expected = verdicts(log, monkeypatch, "parsed")
    assert expected[0].problems
    assert verdicts(log, monkeypatch, "side by side") == expected


def test_verify_worker_killed_goes_on_in_one_go(log, monkeypatch):
    expected = verdicts(log, monkeypatch, "parsed")
    monkeypatch.setattr(sidebyside.ProcessPoolExecutor, "map", _broken)
    assert verdicts(log, monkeypatch, "side by side") == expected


def _broken(*_):
    raise sidebyside.BrokenProcessPool
