"""What a commit must not pay for: modules that the scan and hook paths may not import."""

import subprocess
import sys

import pytest

from hygiene.detect.template import fill_template
from tests.repository import Repository

BANNED = {"boto3", "hvac", "rich", "git", "detect_secrets", "pyrage", "cryptography", "numpy"}
HEAVY = {"click", "tomllib", "datetime", "traceback", "multiprocessing", "asyncio", "http", "ssl", "platformdirs"}
# What Python does not load by itself, and what takes as long to import as a small commit takes to scan.
FELT = {"re", "enum", "typing", "pathlib", "subprocess", "tempfile", "collections", "functools", "contextlib", "json"}
SECRET = b"key = " + fill_template("ghp_{b62:30}{crc62}", "imports").encode()


def imported(folder, arguments, stdin=b""):
    """Run the program; gives its exit code and the modules that it has imported."""
    code = (
        "import sys\n"
        "from hygiene.cli.entry import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    print(int(end.code or 0), *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, input=stdin, capture_output=True, check=True)
    code, *names = done.stdout.decode().splitlines()[-1].split()
    return int(code), set(names)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_CACHE", str(tmp_path / "cache"))
    repository = Repository(tmp_path / "work")
    repository.commit(a=b"clean\n")
    repository.write("b.py", b"value = 1\n")
    repository.git("add", "-A")
    imported(repository.folder, ["hook", "pre-commit"])  # compiles the rules
    return repository


def test_hook_clean_commit_imports_nothing_that_is_felt(repository):
    code, names = imported(repository.folder, ["hook", "pre-commit"])
    assert code == 0
    assert not names & (BANNED | HEAVY | FELT)


def test_hook_with_a_finding_imports_no_banned_module(repository):
    repository.write("b.py", SECRET)
    repository.git("add", "-A")
    code, names = imported(repository.folder, ["hook", "pre-commit"])
    assert code == 1
    assert not names & (BANNED | {"click"})


def test_guard_clean_message_imports_nothing_that_is_felt(repository):
    message = b'{"tool_input": {"command": "git status"}}'
    assert imported(repository.folder, ["guard"], message)[0] == 0  # leaves ready what a glance needs
    code, names = imported(repository.folder, ["guard"], message)
    assert code == 0
    assert not names & (BANNED | HEAVY | FELT)


def test_version_imports_nothing_that_is_felt(tmp_path):
    code, names = imported(tmp_path, ["--version"])
    assert code == 0
    assert not names & (BANNED | HEAVY | FELT)


def test_scan_imports_no_banned_module(repository):
    code, names = imported(repository.folder, ["scan", "--staged"])
    assert code == 0
    assert not names & BANNED
