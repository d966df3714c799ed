"""Probes 15 to 20: the places a hook is set up in, hostile ones, crashes, and those who skip it."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.credentials import spellings
from tests.hooks.conftest import BIN, framework
from tests.probes.conftest import LINE, TOKEN, stopped


def install_and_stop(project):
    project.hygiene("install", code=0)
    assert b"a planted credential is refused" in project.hygiene("doctor").stdout
    project.write("app.py", LINE)
    project.git("add", "-A")
    stopped(project.commit(), "app.py:1:10")


@pytest.mark.parametrize("place", ["linked worktree", "submodule", "core.hooksPath", "husky", "global hook"])
def test_probe_15_install_works_and_doctor_proves_it(bare_project, tmp_path, place):
    project = bare_project
    project.write("README", "text\n")
    project.save()
    if place == "linked worktree":
        project.git("worktree", "add", "-q", str(tmp_path / "linked"))
        project.folder = tmp_path / "linked"
    elif place == "submodule":
        source = str(project.folder)
        project.git("clone", "-q", source, str(tmp_path / "outer"))
        project.folder = tmp_path / "outer"
        project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "inner")
        project.folder = tmp_path / "outer" / "inner"
    elif place == "core.hooksPath":
        project.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    elif place == "husky":
        project.git("config", "core.hooksPath", ".husky/_")
        project.write(".husky/_/pre-commit", "#!/bin/sh\ntrue\n")
        (project.folder / ".husky/_/pre-commit").chmod(0o755)
    else:
        (tmp_path / "home").mkdir()
        project.git("config", "--global", "core.hooksPath", str(tmp_path / "everywhere"))
    install_and_stop(project)


SETTINGS = {
    "core.fsmonitor": "TRAP",
    "diff.external": "TRAP",
    "diff.custom.textconv": "TRAP",
    "diff.custom.command": "TRAP",
    "filter.evil.clean": "TRAP",
    "core.pager": "TRAP",
    "core.sshCommand": "TRAP",
    "gpg.program": "TRAP",
}


@pytest.mark.parametrize("included", [False, True], ids=["config", "include.path"])
def test_probe_16_hostile_configuration_runs_no_program(project, tmp_path, included):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    project.write("README", "text\n")
    project.save()
    project.write(".gitattributes", "*.py diff=custom\n")
    project.write("app.py", LINE)
    project.git("add", "-A")
    file = ["-f", str(tmp_path / "included")] if included else []
    for key, value in SETTINGS.items():
        project.git("config", *file, key, value.replace("TRAP", str(trap)))
    if included:
        project.git("config", "include.path", str(tmp_path / "included"))
    for arguments in (("hook", "pre-commit"), ("scan",), ("scan", "--staged"), ("scan", "--history"), ("doctor",)):
        project.hygiene(*arguments)
        assert not (tmp_path / "sprung").exists(), arguments


@pytest.mark.parametrize("name", ["pre-commit", "prek"])
def test_probe_17_thousand_files_are_one_process_and_one_report(project, tmp_path, name):
    counted = tmp_path / "bin"
    counted.mkdir()
    (counted / "hygiene").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexec {BIN}/hygiene "$@"\n')
    (counted / "hygiene").chmod(0o755)
    project.environment["PATH"] = f"{counted}:{project.environment['PATH']}"
    framework(name, project)
    for number in range(1000):
        project.write(f"src/{number % 20}/file-{number}.py", f"x = {number}\n")
    project.write("src/7/file-7.py", LINE)
    project.write("src/8/file-8.py", LINE)
    project.git("add", "-A")
    code, said = project.commit()
    stopped((code, said), "1 credential found", "also in src/8/file-8.py")
    assert said.count("stopped") == said.count("src/7/file-7.py:1:10") == 1
    assert (tmp_path / "calls").read_text().splitlines() == ["hook auto"]


def test_probe_18_killed_scan_leaves_no_plaintext_and_the_next_run_is_right(project, tmp_path):
    for number in range(30):
        project.write(f"a{number}.py", LINE + "# text\n" * 20_000 + f"# {number}\n")
    project.save()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for wait in (0.05, 0.15, 0.3):
        process = subprocess.Popen(
            [BIN / "hygiene", "scan", "--history"],
            cwd=project.folder,
            env=project.environment | {"TMPDIR": str(temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_no_value(project, temporary)
    found = json.loads(project.hygiene("scan", "--history", "--format", "json", code=1).stdout)
    assert len(found["findings"]) == 30


def assert_no_value(project, *folders):
    """No file that hygiene wrote holds the value in any spelling."""
    own = project.folder / ".git" / "hygiene"
    for folder in (own, *folders, *(Path(project.environment[name]) for name in ("HYGIENE_CACHE", "HYGIENE_HOME"))):
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(form in content for form in spellings(TOKEN)), path


RULE = """\
[provider]
id = "mine"
name = "Mine"
docs = "https://example.org"
[[rules]]
id = "mine"
description = "GitHub token"
severity = "high"
confidence = "high"
keywords = ["ghp_"]
pattern = '''ghp_[0-9A-Za-z]{36}'''
"""


@pytest.mark.parametrize("trouble", ["read-only cache", "full disk"])
def test_probe_18_cache_that_can_not_be_written_changes_no_verdict(project, tmp_path, trouble):
    cache = tmp_path / "own-cache"
    project.environment["HYGIENE_CACHE"] = str(cache)
    project.write(".hygiene.toml", '[rules]\nonly = true\nfolders = ["mine"]\n')  # few rules: no cache, no wait
    project.write("mine/one.toml", RULE)
    project.write("app.py", LINE)
    project.git("add", "-A")
    if trouble == "full disk":
        cache = _full_disk(cache)
    else:
        cache.write_text("a file where the folder should be\n")  # root may write anywhere, but not below a file
    try:
        stopped(project.commit(), "app.py:1:10")
    finally:
        if trouble == "full disk":
            subprocess.run(["umount", str(cache)], check=True)
            shutil.rmtree(cache)
        else:
            cache.unlink()
    stopped(project.commit(), "app.py:1:10")


def _full_disk(folder):
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mount is not allowed here")
    with pytest.raises(OSError, match="space"), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)
    return folder


@pytest.mark.parametrize("way", ["--no-verify", "SKIP"])
def test_probe_19_skipped_hook_is_caught_in_ci_and_the_audit_shows_it(project, way):
    project.write("README", "text\n")
    base = project.save()
    if way == "SKIP":
        framework("pre-commit", project)
        project.environment["SKIP"] = "hygiene"
    project.write("app.py", LINE)
    project.git("add", "-A")
    assert project.commit(*(["-n"] if way == "--no-verify" else []))[0] == 0
    commit = project.git("rev-parse", "HEAD").stdout.decode().strip()
    project.hygiene("scan", "--range", f"{base}..HEAD", code=1)
    shown = json.loads(project.hygiene("audit", "exposures", "--json").stdout)
    (exposure,) = shown["exposures"]
    assert exposure["state"] == "open"
    assert exposure["introduced"]["evidence"] == commit
    assert "A <a@example.org>" in exposure["introduced"]["who"]


def test_probe_20_value_of_a_blocked_commit_is_nowhere(project, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    project.environment["TMPDIR"] = str(temporary)
    project.write("app.py", LINE)
    project.git("add", "-A")
    stopped(project.commit(), "app.py:1:10")
    for form in ("text", "json", "sarif"):
        project.hygiene("scan", "--staged", "--format", form, "-o", str(temporary / form), code=1)
    crash = "import hygiene.cli.hook as h, hygiene.cli.entry as e\n"
    crash += "def broken(result, doing, stream, *rest): raise ValueError(result.new[0].secret.reveal())\n"
    crash += "h.write_blocked = broken\ne.main(['hook', 'pre-commit'])\n"
    done = subprocess.run(
        [BIN / "python", "-c", crash], cwd=project.folder, env=project.environment, capture_output=True
    )
    assert done.returncode == 70
    assert b"ValueError" in done.stderr
    assert not any(form in done.stdout + done.stderr for form in spellings(TOKEN))
    assert_no_value(project, temporary)
