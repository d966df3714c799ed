"""``hygiene purge``: values in blobs, renamed files, messages, tags and merges are gone from the mirror."""

from __future__ import annotations

import random
import string
import subprocess
import sys

import pytest

from tests.cli.test_migrate import RULE
from tests.unit.replace.migrating import git


def token(chance):
    return "zq_" + "".join(chance.choices(string.ascii_lowercase + string.digits, k=28))


@pytest.fixture
def repository(tmp_path, monkeypatch, request):
    cache = request.config.cache.mkdir("hygiene") if request.config.cache else tmp_path / "cache"
    cache.chmod(0o700)
    monkeypatch.setenv("HYGIENE_CACHE", str(cache))
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    chance = random.Random(11)
    blob, renamed, message, tag, merged = (token(chance) for _ in range(5))
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / ".hygiene.toml").write_text('[rules]\nfolders = ["rules"]\nonly = true\n')
    (root / "rules").mkdir()
    (root / "rules/test.toml").write_text(RULE)
    (root / "a.py").write_text(f'a = "{blob}"\n')
    (root / "b.py").write_text(f'b = "{renamed}"\nmore = "lines that stay the same"\n')
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin")
    git(root, "mv", "b.py", "c.py")
    git(root, "commit", "-qm", f"Rename, with {message}")
    git(root, "tag", "-a", "v1", "-m", f"Tag with {tag}")
    git(root, "checkout", "-qb", "side")
    (root / "d.py").write_text(f'd = "{merged}"\nbinary = "\x00"\n')
    git(root, "add", ".")
    git(root, "commit", "-qm", "Side")
    git(root, "checkout", "-q", "main")
    (root / "a.py").write_text("a = 1\n")
    git(root, "commit", "-qam", "Clean")
    git(root, "merge", "-q", "--no-ff", "side", "-m", f"Merge, not {merged}")
    git(root, "update-ref", "refs/pull/7/head", "side")
    return root, [blob, renamed, message, tag, merged]


def hygiene(root, *arguments):
    command = [sys.executable, "-m", "hygiene", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)


def everything(root):
    listing = git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    return b"".join(
        subprocess.run(["git", "cat-file", "-p", name], cwd=root, capture_output=True).stdout for name in listing
    ) + git(root, "log", "--all", "-p").encode("utf-8", "surrogateescape")


def test_purge_leaves_no_value_in_the_mirror_and_nothing_changed_in_the_repository(repository, tmp_path):
    root, tokens = repository
    before = git(root, "for-each-ref")
    done = hygiene(root, "purge")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 values replaced" in done.stdout and "1 pull requests" in done.stdout
    assert not any(value in done.stdout + done.stderr for value in tokens)
    text = everything(tmp_path / "shop.purged.git")
    assert not any(value.encode() in text for value in tokens)
    assert b"***REMOVED***" in text
    assert hygiene(root, "scan", "--history", str(tmp_path / "shop.purged.git"), "--rules", "rules").returncode == 0
    assert git(root, "for-each-ref") == before
    assert list((tmp_path / "shop").glob(".hygiene-tmp-*")) == []


def test_bundle_restores_the_original(repository, tmp_path):
    root, tokens = repository
    hygiene(root, "purge")
    git(tmp_path, "clone", "-q", "--mirror", str(tmp_path / "shop.backup.bundle"), "restored.git")
    restored = tmp_path / "restored.git"
    assert git(restored, "for-each-ref", "--format=%(objectname) %(refname)") == git(
        root, "for-each-ref", "--format=%(objectname) %(refname)"
    )
    assert all(value.encode() in everything(restored) for value in tokens)


def test_purge_again_refuses_to_overwrite(repository):
    root, _ = repository
    hygiene(root, "purge")
    again = hygiene(root, "purge")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_purge_of_a_shallow_clone_is_refused(repository, tmp_path):
    root, _ = repository
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    done = hygiene(tmp_path / "shallow", "purge")
    assert done.returncode == 4
    assert "shallow" in done.stderr


def test_purge_of_a_clean_history_says_so(tmp_path, repository):
    clean = tmp_path / "clean"
    clean.mkdir()
    git(clean, "init", "-q")
    (clean / "a").write_text("a\n")
    git(clean, "add", ".")
    git(clean, "commit", "-qm", "Begin")
    done = hygiene(clean, "purge")
    assert done.returncode == 0
    assert "no secret" in done.stderr
