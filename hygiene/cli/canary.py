"""Proof that a hook works: a credential made on the spot is staged in a scratch repository, and must not pass."""

from __future__ import annotations

import os
import secrets
import shutil
import string
import subprocess
import tempfile
from pathlib import Path

from hygiene.detect.checksums.crc import crc62_tail

_B62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CLEAN = b"nothing to see here\n"
_TIMEOUT = 60  # seconds


def canary() -> bytes:
    """Make a value in the form of a GitHub token, right in its checksum and valid nowhere."""
    body = "".join(secrets.choice(_B62) for _ in range(30)).encode()
    return b"ghp_" + body + crc62_tail(body)


def proves_itself(hooks_folder: Path) -> str:
    """Commit a clean file and then a canary under ``hooks_folder``'s hooks; gives what is wrong, or ""."""
    with tempfile.TemporaryDirectory(prefix="hygiene-canary-") as scratch:
        folder = Path(scratch)
        _git(folder, hooks_folder, "init", "-q")
        (folder / "clean.txt").write_bytes(_CLEAN)
        clean = _commit(folder, hooks_folder)
        if clean.returncode:
            return "a commit without a secret was refused: " + _last_line(clean.stderr)
        (folder / "canary.txt").write_bytes(b"token = " + canary() + b"\n")
        if _commit(folder, hooks_folder).returncode == 0:
            return "a commit with a planted credential went through"
    return ""


def _commit(folder: Path, hooks_folder: Path) -> subprocess.CompletedProcess[bytes]:
    _git(folder, hooks_folder, "add", "-A")
    return _git(folder, hooks_folder, "commit", "-q", "-m", "canary")


def _git(folder: Path, hooks_folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git") or "git"
    identity = ("-c", "user.name=canary", "-c", "user.email=canary@example.invalid", "-c", "commit.gpgSign=false")
    # The variables that git sets inside a hook would lead us back into the real repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [git, "-C", str(folder), "-c", f"core.hooksPath={hooks_folder}", *identity, *arguments],
        env=environment,
        capture_output=True,
        timeout=_TIMEOUT,
    )


def _last_line(words: bytes) -> str:
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"
