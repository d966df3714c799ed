"""Each way in which the world is broken: a clear error, a hint, its own exit code, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.e2e.credentials import Forge
from tests.e2e.planted import git


class Place:
    """A small repository and a user's folders."""

    def __init__(self, base: Path) -> None:
        self.home = base / "home"
        self.home.mkdir()
        self.repository = base / "repository"
        subprocess.run(["git", "init", "-q", str(self.repository)], check=True)
        git(self.repository, "config", "user.name", "T")
        git(self.repository, "config", "user.email", "t@example.com")
        self.commit("a.py", "x = 1\n")

    def commit(self, name: str, text: str) -> None:
        (self.repository / name).write_text(text)
        git(self.repository, "add", name)
        git(self.repository, "commit", "-qm", name)

    def hygiene(self, *arguments: str, stdin: str = "", user: str = "", **environment: str):
        command = [sys.executable, "-m", "hygiene", *arguments]
        if user:
            command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
        return subprocess.run(
            command,
            cwd=self.repository,
            env={
                **os.environ,
                "HYGIENE_HOME": str(self.home / "data"),
                **environment,
            },
            input=stdin,
            capture_output=True,
            text=True,
        )

    def object_path(self, name: str) -> Path:
        identifier = git(self.repository, "rev-parse", f"HEAD:{name}").strip()
        return self.repository / ".git/objects" / identifier[:2] / identifier[2:]


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def assert_told(done, code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_scan_history_of_a_repository_without_head_objects_says_so(place):
    for folder in (place.repository / ".git/objects").iterdir():
        for file in folder.iterdir():
            file.unlink()
    done = place.hygiene("scan", "--history")
    assert_told(done, 4)
    assert "git fsck" in done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_scan_repository_of_another_user_says_how_to_trust_it(place):
    subprocess.run(["chown", "-R", "daemon", str(place.repository)], check=True)
    done = place.hygiene("scan", "--history", HOME=str(place.home))
    assert_told(done, 4, "belongs to another user", "safe.directory")


def test_scan_corrupt_object_is_named_and_the_rest_is_scanned(place):
    place.commit("leak.py", f'token = "{Forge(1).github()}"\n')
    corrupt = place.object_path("a.py")
    corrupt.chmod(0o600)
    corrupt.write_bytes(zlib.compress(b"blob 6\0x = 2\n")[:-3] + b"zzz")
    done = place.hygiene("scan", "--history")
    assert_told(done, 4)
    assert "leak.py" in done.stdout
    assert "a.py" in done.stdout + done.stderr or corrupt.name[:6] in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scna]\n", ("scna", "scan")),
        ("[scan\n", ("not TOML",)),
        ("[rules]\ndisable = 'x'\n", ("rules.disable",)),
        ("[rules]\nfolders = ['absent']\n", ("absent",)),
    ],
)
def test_scan_broken_config_is_named(place, text, words):
    (place.repository / ".hygiene.toml").write_text(text)
    assert_told(place.hygiene("scan"), 3, ".hygiene.toml" if "absent" not in text else "", *words)


def test_scan_broken_own_rule_is_named(place):
    (place.repository / "mine").mkdir()
    (place.repository / "mine/a.toml").write_text(
        '[provider]\nid = "a"\nname = "A"\n[[rules]]\nid = "a"\npatern = "x"\n'
    )
    assert_told(place.hygiene("scan", "--rules", "mine"), 3, "patern", "pattern")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("ref+embedded://not/there", ("not/there",)),
        ("ref+embeded://a", ("DB_PASSWORD", "embedded")),
        ("hunter2", ("reference",)),
    ],
)
def test_run_wrong_reference_is_named_and_the_command_does_not_start(place, reference, words):
    place.hygiene("secret", "put", "there", stdin="value-of-there")
    (place.repository / "secrets.toml").write_text(f'DB_PASSWORD = "{reference}"\n')
    done = place.hygiene("run", "--", "touch", "started")
    assert done.returncode in (2, 3, 5)
    assert_told(done, done.returncode, *words)
    assert not (place.repository / "started").exists()


def test_secret_get_without_the_identity_says_where_it_should_be(place):
    assert place.hygiene("secret", "put", "a", stdin="value-of-a").returncode == 0
    for file in (place.home / "data").rglob("identity*"):
        file.unlink()
    done = place.hygiene("secret", "get", "a")
    assert_told(done, 5, "identity", "hint")
    assert "value-of-a" not in done.stdout


def test_secret_get_with_another_identity_is_refused(place, tmp_path):
    assert place.hygiene("secret", "put", "a", stdin="value-of-a").returncode == 0
    other = Place.__new__(Place)
    other.home, other.repository = tmp_path / "other", place.repository
    other.home.mkdir()
    assert other.hygiene("secret", "put", "b", stdin="value-of-b").returncode == 0
    identity = next((other.home / "data").rglob("identity*"))
    done = place.hygiene("secret", "get", "a", HYGIENE_IDENTITY=str(identity))
    assert_told(done, 5, "hint")
    assert "value-of-a" not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("command", [("secret", "put", "b"), ("migrate", "--apply")])
def test_full_disk_is_a_clear_error_and_nothing_is_lost(place, tmp_path, command):
    assert place.hygiene("secret", "put", "a", stdin="value-of-a").returncode == 0
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    try:
        subprocess.run(["cp", "-a", str(place.home / "data"), str(small / "data")], check=True)
        token = Forge(2).github()
        (place.repository / "leak.py").write_text(f'token = "{token}"\n')
        with pytest.raises(OSError, match="space"), (small / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 512)
        done = place.hygiene(*command, stdin="value-of-b", HYGIENE_HOME=str(small / "data"))
        assert_told(done, done.returncode, "full", "hint")
        assert done.returncode in (5, 6)
        assert token in (place.repository / "leak.py").read_text()
        (small / "filler").unlink()
        assert place.hygiene("secret", "get", "a", HYGIENE_HOME=str(small / "data")).stdout == "value-of-a"
        if command[0] == "migrate":
            place.hygiene("migrate", "--resume", HYGIENE_HOME=str(small / "data"))
        again = place.hygiene(*command, stdin="value-of-b", HYGIENE_HOME=str(small / "data"))
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", str(small)], check=True)
