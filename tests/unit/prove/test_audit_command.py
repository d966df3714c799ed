"""``hygiene audit log`` and ``verify`` through the real entry point."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hygiene.cli.boundary import run
from hygiene.prove.event import Actor
from hygiene.prove.log import Log


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    log = Log(tmp_path / "audit", Actor("ada"))
    for number in range(5):
        log.record("secret.get", f"ref+embedded://shop/{number}", "ok")
    return next((tmp_path / "audit").glob("*.jsonl"))


def test_audit_verify_of_an_untouched_log_exits_0(lines, capsys):
    assert run(["audit", "verify"]) == 0
    assert "6 entries verify" in capsys.readouterr().out


def test_audit_verify_without_a_log_exits_0_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "none"))
    assert run(["audit", "verify"]) == 0
    assert "nothing is recorded" in capsys.readouterr().out


@pytest.mark.parametrize("attack", ["byte", "drop", "swap"])
def test_audit_verify_after_an_attack_exits_6_and_names_entry_3(lines, attack, capsys):
    entries = lines.read_bytes().splitlines(keepends=True)
    if attack == "byte":
        entries[2] = entries[2].replace(b"shop", b"shoq")
    elif attack == "drop":
        del entries[2]
    else:
        entries[2], entries[3] = entries[3], entries[2]
    lines.write_bytes(b"".join(entries))
    assert run(["audit", "verify"]) == 6
    assert "the first bad entry is 3" in capsys.readouterr().out
    assert run(["audit", "verify", "--json"]) == 6
    (verdict,) = json.loads(capsys.readouterr().out)
    assert (verdict["verifies"], verdict["problems"][0]["seq"]) == (False, 3)


def test_audit_log_json_prints_the_lines_of_the_file(lines, capsys):
    assert run(["audit", "log", "--json"]) == 0
    assert capsys.readouterr().out.encode() == lines.read_bytes()


def test_audit_log_filters(lines, capsys):
    assert run(["audit", "log", "--action", "secret.*", "--object", "*/3"]) == 0
    out = capsys.readouterr().out
    assert "shop/3" in out
    assert out.count("\n") == 1
    assert run(["audit", "log", "-n", "2"]) == 0
    assert capsys.readouterr().out.count("\n") == 2


def test_audit_log_that_is_broken_exits_6_with_a_hint(lines, capsys):
    lines.write_bytes(b"garbage\n")
    assert run(["audit", "log"]) == 6
    assert "audit verify" in capsys.readouterr().err
