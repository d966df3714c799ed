"""``hygiene purge``: values in blobs, renamed files, messages, tags and merges are gone from the mirror."""

from __future__ import annotations

import base64
import random
import shutil
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
    return (
        b"".join(
            subprocess.run(["git", "cat-file", "-p", name], cwd=root, capture_output=True).stdout for name in listing
        )
        + subprocess.run(["git", "log", "--all", "-p"], cwd=root, check=True, capture_output=True).stdout
    )


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


def object_of(root, content):
    done = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=root, input=content, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def odd(repository):
    """Give a repository with a value wherever git can keep one, by the name of the place."""
    root, _ = repository
    chance = random.Random(13)
    places = "note stash older-stash blob-tag nested-tag odd-ref submodule replaced signed author ref-name file-name"
    places += " latin-1 utf-16 symlink dangling tree kubernetes escaped percent"
    kept = {place: token(chance) for place in places.split()}
    git(root, "notes", "add", "-m", f"note {kept['note']}")
    for place in ("older-stash", "stash"):
        (root / "a.py").write_text(f'a = "{kept[place]}"\n')
        git(root, "stash")
    git(root, "tag", "blob", object_of(root, f'b = "{kept["blob-tag"]}"\n'.encode()))
    git(root, "tag", "-a", "two", "-m", f"two {kept['nested-tag']}", "v1")
    git(root, "checkout", "-qb", "wip/naïve")
    (root / "odd.py").write_text(f'x = "{kept["odd-ref"]}"\n')
    (root / ".gitmodules").write_text(
        f'[submodule "s"]\n\tpath = s\n\turl = https://u:{kept["submodule"]}@example.org/s\n'
    )
    git(root, "add", ".")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},s")
    git(root, "commit", "-qm", "Odd")
    git(root, "update-ref", "refs/keep/odd", "HEAD")
    git(root, "checkout", "-q", "main")
    (root / "latin.py").write_bytes(f'# \xe9\nx = "{kept["latin-1"]}"\n'.encode("latin-1"))
    (root / "utf16.ini").write_bytes(b"\xff\xfe" + f'x = "{kept["utf-16"]}"\r\n'.encode("utf-16-le"))
    inner = base64.b64encode(f"user:{kept['kubernetes']}".encode()).decode()
    (root / "secret.yml").write_text(f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  t: {inner}\n")
    (root / "escaped.json").write_text('{"a": "' + "".join(f"\\u{ord(sign):04x}" for sign in kept["escaped"]) + '"}\n')
    (root / "percent.txt").write_text("https://x/?t=" + "".join(f"%{ord(sign):02X}" for sign in kept["percent"]) + "\n")
    (root / f"{kept['file-name']}.txt").write_text(f'x = "{kept["file-name"]}"\n')
    (root / "link").symlink_to(f"/{kept['symlink']}")
    (root / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (root / "pointer.txt").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n")
    (root / "tree.py").write_text(f'x = "{kept["tree"]}"\n')
    git(root, "add", ".")
    git(root, "commit", "-qm", "More")
    git(root, "tag", "tree", "HEAD^{tree}")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root.parent / "key")], check=True)
    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={root.parent / 'key'}")
    (root / "signed.py").write_text(f's = "{kept["signed"]}"\n')
    git(root, "add", ".")
    git(root, *signing, "commit", "-qS", "-m", "Signed")
    git(root, *signing, "tag", "-s", "signed", "-m", "signed")
    new = git(root, "commit-tree", "HEAD^{tree}", "-p", "HEAD~1", "-m", f"Replaced {kept['replaced']}").strip()
    git(root, "replace", "HEAD", new)
    git(root, "-c", f"user.name=N {kept['author']}", "commit", "-q", "--allow-empty", "-m", "By")
    object_of(root, f'd = "{kept["dangling"]}"\n'.encode())
    git(root, "update-ref", f"refs/heads/{kept['ref-name']}", "HEAD")
    return root, kept


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_purge_leaves_no_value_wherever_git_keeps_one_and_the_bundle_has_every_ref(odd, tmp_path):
    root, kept = odd
    listing = ("for-each-ref", "--format=%(objectname) %(refname)")
    before = git(root, *listing)
    done = hygiene(root, "purge")
    assert done.returncode == 0, done.stdout + done.stderr
    mirror = tmp_path / "shop.purged.git"
    text = everything(mirror) + git(mirror, "for-each-ref").encode()
    for place, value in kept.items():
        forms = [
            value,
            "".join(f"\\u{ord(sign):04x}" for sign in value),
            "".join(f"%{ord(sign):02X}" for sign in value),
        ]
        forms.append(base64.b64encode(f"user:{value}".encode()).decode()[8:])
        searched = [value.encode("utf-16-le"), *map(str.encode, forms)]
        assert not [form for form in searched if form in text], place
    assert "a scan of the mirror finds none" in done.stdout and "refs/tags/blob, refs/tags/tree" in done.stdout
    assert "signatures" in done.stdout and "1 notes ref" in done.stdout and "1 stash" in done.stdout
    git(mirror, "fsck", "--strict")
    git(tmp_path, "clone", "-q", "--mirror", str(tmp_path / "shop.backup.bundle"), "restored.git")
    assert git(root, *listing) == before == git(tmp_path / "restored.git", *listing)


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
