"""Where a finding is said to stand: relative to the repository, or as the user named the folder."""

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.credentials import Forge


@pytest.fixture
def scan(tmp_path):
    environment = {**os.environ, "HYGIENE_HOME": str(tmp_path / "home")}
    folder = tmp_path / "w"
    for name in ("app/a.py", ".ci/b.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'token = "{Forge(5).github()}"\n')

    def run(*arguments, cwd="."):
        command = [sys.executable, "-m", "hygiene", "scan", *arguments, "--format", "json"]
        done = subprocess.run(command, cwd=folder / cwd, env=environment, capture_output=True)
        assert done.returncode in (0, 1), done.stderr.decode()
        return sorted(finding["path"] for finding in json.loads(done.stdout)["findings"])

    run.folder = folder
    return run


def test_scan_outside_of_git_paths_begin_as_the_user_wrote_them(scan):
    assert scan() == [".ci/b.py", "app/a.py"]
    assert scan("app") == ["app/a.py"]
    assert scan("app/a.py") == ["app/a.py"]
    assert scan("./app/") == ["app/a.py"]
    assert scan("../.ci", cwd="app") == ["../.ci/b.py"]
    assert scan(str(scan.folder)) == [f"{scan.folder}/.ci/b.py", f"{scan.folder}/app/a.py"]


@pytest.mark.parametrize("options", [(), ("--respect-gitignore",)])
def test_scan_inside_of_git_paths_are_those_of_the_repository(scan, options):
    subprocess.run(["git", "init", "-q", str(scan.folder)], check=True)
    assert scan(*options) == [".ci/b.py", "app/a.py"]
    assert scan("app", *options) == ["app/a.py"]
    assert scan(*options, cwd="app") == ["app/a.py"]
    assert scan(str(scan.folder), *options) == [".ci/b.py", "app/a.py"]
    assert scan(".ci", *options) == [".ci/b.py"]


def test_scan_of_a_subfolder_globs_hold_from_the_configuration_down(scan):
    (scan.folder / ".hygiene.toml").write_text('[scan]\nexclude = [".ci/**"]\n')
    assert scan(".ci") == []
    assert scan("app") == ["app/a.py"]
    assert scan(cwd="app") == ["app/a.py"]


def test_scan_quiet_leaves_notices_out_and_gives_the_same_result(scan):
    expired = '[[allow]]\npath = "gone/**"\nreason = "was here"\nexpires = 2020-01-01\n'
    (scan.folder / ".hygiene.toml").write_text(expired)

    def said(*options):
        command = [sys.executable, "-m", "hygiene", "scan", *options]
        done = subprocess.run(command, cwd=scan.folder, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    code, found, notices = said()
    assert (code, "expired" in notices) == (1, True)
    assert said("--quiet") == (code, found, "")


def test_scan_verbose_tells_its_workings_beside_the_same_result(scan):
    (scan.folder / ".hygiene.toml").write_text('[[allow]]\npath = "app/**"\nreason = "an example"\n')

    def said(*options):
        command = [sys.executable, "-m", "hygiene", "scan", *options]
        done = subprocess.run(command, cwd=scan.folder, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    code, found, _ = said()
    told = said("-v", "--jobs", "1")
    assert told[:2] == (code, found) and code == 1
    for words in (
        f"configuration: {scan.folder}/.hygiene.toml\n",
        "accepted: 0 entries in the baseline, 1 in the allowlist\n",
        "read: 3 blobs, ",
        " by at most 1 processes\n",
        "found: 1 new, 1 accepted; 0 skipped\n",
    ):
        assert words in told[2], told[2]
    assert Forge(5).github() not in told[2]
    assert said("--verbose", "--quiet")[0] == 2
