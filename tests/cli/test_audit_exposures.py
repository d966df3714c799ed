"""The story of a leak from the command line: found in history, stored, rotated or accepted; and what it rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hygiene.cli.boundary import run
from hygiene.detect.template import fill_template
from hygiene.prove.event import Actor
from hygiene.prove.log import Log
from tests.repository import Repository


class Setting:
    """A repository whose history leaks two tokens, and a log."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder / "repository")
        for number in range(2):
            token = fill_template("ghp_{b62:30}{crc62}", f"exposed {number}")
            self.repository.commit("leak", **{f"app{number}.py": f'T = "{token}"\n'.encode()})
        self.repository.commit("clean", **{"app0.py": b"pass\n", "app1.py": b"pass\n"})
        self.log = Log(folder / "home" / "audit", Actor("ada"))


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    made = Setting(tmp_path)
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(made.repository.folder)
    return made


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert run(["audit", "exposures", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["log_verifies"] is True
    return document["exposures"]


def test_exposures_follow_a_leak_to_its_end(setting, capsys):
    first, second = told(capsys)
    assert (first["state"], second["state"]) == ("open", "open")
    assert first["introduced"]["who"] == "Ann Author <ann@example.com>"
    assert "refs/heads/main" in str(first["refs"]) or "main" in str(first["refs"])
    reference = "ref+embedded://app/token"
    with setting.log.access("migrate.replace", reference, fingerprint=first["fingerprint"], rule="x"):
        pass
    for action in ("rotate.promote", "rotate.revoke"):
        with setting.log.access(action, reference):
            pass
    arguments = ["--reason", "a test account", "--until", "2999-01-01"]
    assert run(["audit", "accept", str(second["fingerprint"]), *arguments]) == 0
    by_name = {e["fingerprint"]: e for e in told(capsys)}
    closed, accepted = by_name[first["fingerprint"]], by_name[second["fingerprint"]]
    assert (closed["state"], closed["reference"], closed["revoked"]["who"]) == ("closed", reference, "ada")
    assert (accepted["state"], accepted["reason"]) == ("accepted", "a test account")


def test_report_in_each_format_says_the_same(setting, capsys, tmp_path):
    assert run(["audit", "report"]) == 0
    assert "2 leaked secrets: 2 open" in capsys.readouterr().out
    assert run(["audit", "report", "--format", "html", "-o", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("<tr data-state") == 2
    assert fill_template("ghp_{b62:30}{crc62}", "exposed 0") not in page


def test_report_on_a_log_that_was_changed_exits_6(setting, capsys):
    setting.log.record("secret.get", "ref+embedded://a", "ok")
    setting.log.record("secret.get", "ref+embedded://b", "ok")
    path = next(setting.log.folder.glob("*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"embedded://a", b"embedded://c"))
    assert run(["audit", "report", "--format", "json"]) == 6
    shown = capsys.readouterr()
    assert json.loads(shown.out)["log_verifies"] is False
    assert "proves none of this" in shown.err


@pytest.mark.parametrize("until", ["tomorrow", "2026-13-01"])
def test_accept_with_a_date_that_is_none_is_refused(setting, until):
    assert run(["audit", "accept", "v1:x", "--reason", "r", "--until", until]) == 2
    assert list(setting.log.events()) == []
