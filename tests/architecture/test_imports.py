"""What a commit must not pay for: modules that the scan and hook paths may not import."""

import subprocess
import sys

import pytest

from tests.repository import Repository

BANNED = {"boto3", "hvac", "rich", "git", "detect_secrets", "pyrage", "cryptography", "numpy"}
HEAVY = {"click", "tomllib", "datetime", "traceback", "multiprocessing", "asyncio", "http", "ssl", "platformdirs"}


def imported(folder, arguments):
    code = (
        "import sys\n"
        "from hygiene.cli.entry import run\n"
        f"code = run({arguments!r})\n"
        "print(code, *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    code, *names = done.stdout.splitlines()[-1].split()
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


def test_hook_clean_commit_imports_neither_banned_nor_heavy_modules(repository):
    code, names = imported(repository.folder, ["hook", "pre-commit"])
    assert code == 0
    assert not names & (BANNED | HEAVY)


def test_scan_imports_no_banned_module(repository):
    code, names = imported(repository.folder, ["scan", "--staged"])
    assert code == 0
    assert not names & BANNED
