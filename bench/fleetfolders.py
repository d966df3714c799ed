"""The repositories of ``bench.fleet``: clones of public ones, and generated ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import islice
from pathlib import Path

from hygiene.fleet.tips import git_directory, pack_bytes
from tests.fleet.fleet import generate


def prepare(mirrors: Path, into: Path, public: int, generated: int, most: int) -> tuple[list[Path], list[Path]]:
    """Clone the ``public`` smallest of ``mirrors``, whole ones with packs up to ``most`` MiB; generate the others."""
    ready = into / "ready"
    if not ready.exists():
        shutil.rmtree(into, ignore_errors=True)
        sources = sorted((pack_bytes(path), path) for path in mirrors.glob("*/repo"))
        fit = (source for size, source in sources if 0 < size <= most << 20 and _is_whole(source))
        for source in islice(fit, public):
            target = into / "public" / f"{source.parent.name}.git"
            subprocess.run(["git", "clone", "-q", "--mirror", str(source), str(target)], check=True)
        generate(into / "generated", (f"r{number:03}" for number in range(generated)), 7)
        ready.touch()
    return sorted((into / "public").iterdir()), sorted((into / "generated").iterdir())


def _is_whole(folder: Path) -> bool:
    """Say whether no object lacks: what can't be read is looked for again at every scan."""
    walk = ["git", "-C", str(folder), "rev-list", "--objects", "--all", "--quiet"]
    return subprocess.run(walk, capture_output=True).returncode == 0


def forget(folders: list[Path]) -> None:
    """Remove what scans remember in the repositories."""
    for folder in folders:
        shutil.rmtree(git_directory(folder) / "hygiene", ignore_errors=True)


def change(folders: list[Path]) -> None:
    """Add a commit with a credential to each of ``folders``, which are clones."""
    for number, folder in enumerate(folders):
        (folder / f"late{number}.py").write_text(f'API_TOKEN = "{os.urandom(20).hex()}"\n')
        person = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        for command in (["add", "-A"], [*person, "commit", "-qm", "late"]):
            subprocess.run(["git", *command], cwd=folder, check=True)
