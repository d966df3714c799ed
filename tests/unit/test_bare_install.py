"""A bare install lacks the packages of some commands: those are listed, and say what to install."""

import sys

from hygiene.cli.boundary import run


def test_command_whose_package_is_missing_says_what_to_install(monkeypatch, capsys):
    for module in ("hygiene.cli.migrate", "hygiene.cli.purge", "hygiene.replace.branch", "git"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "git", None)
    assert run(["migrate", "--apply"]) == 2
    told = capsys.readouterr().err
    assert "needs the Python package git" in told
    assert "secret-hygiene[all]" in told
    assert run(["--help"]) == 0
    assert "migrate" in capsys.readouterr().out
    monkeypatch.undo()


def test_doctor_of_a_bare_install_checks_what_is_there(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for module in ("hygiene.cli.doctor", "hygiene.cli.checkup", "hygiene.cli.checkupstore", "hygiene.crypto"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pyrage", None)
    assert run(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "ready to match" in told
    assert "pyrage is not there" in told and "secret-hygiene[all]" in told
