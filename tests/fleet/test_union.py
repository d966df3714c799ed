"""The fleet's inventory against single scans, where histories are odd; whole and in parts, to the last commit."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from pathlib import Path

import pytest

from hygiene.cli.fleetwork import perform
from hygiene.fleet import planning
from hygiene.fleet.engines.inline import InlineEngine
from tests.e2e.credentials import Forge
from tests.fleet.fleet import Fleet, single_scans
from tests.fleet.test_scan import Several, _everything
from tests.repository import Repository


def _odd(folder: Path) -> tuple[Repository, list[str]]:
    """Make a repository that holds a credential wherever one may stand; gives their values, too."""
    repository, forge = Repository(folder), Forge(21)
    values = [forge.github() for _ in range(12)]
    line = [f'TOKEN = "{value}"\n'.encode() for value in values]
    repository.commit("text", **{"a.py": line[0], "copy/a.py": line[0]})
    encoded = base64.b64encode(line[1])
    repository.commit("encoded", **{"b.txt": b"blob: " + encoded + b"\n", "c.txt": line[2].decode().encode("utf-16")})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("inside.py")
        member.size = len(line[3])
        archive.addfile(member, io.BytesIO(line[3]))
    repository.commit("archive", **{"d.tar.gz": packed.getvalue(), "e.gz": gzip.compress(line[4])})
    repository.commit(f"use {values[5]}\n\nand more", **{f"{values[6]}.txt": b"1"})
    repository.git("tag", "-a", "v1", "-m", f"with {values[7]}")
    repository.git("branch", f"fix/{values[8]}")
    repository.git("notes", "add", "-m", f"noted {values[9]}")
    repository.write("a.py", line[10])
    repository.git("stash", "-q")
    repository.git("checkout", "-q", "-b", "side", "HEAD~2")
    repository.commit("side", **{"a.py": line[0] + b"# more\n", "late.py": line[2]})
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "-X", "ours", "side")
    repository.git("mv", "copy/a.py", "moved.py")
    repository.commit("moved")
    lost = repository.commit("lost", **{"lost.py": line[11]})
    repository.git("reset", "-q", "--hard", f"{lost}~1")
    return repository, values


@pytest.mark.parametrize("parts", [False, True])
def test_union_of_odd_histories_is_the_same_whole_and_in_parts(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, parts: bool
) -> None:
    repository, values = _odd(fleet.folder / "odd")
    bare = fleet.folder / "bare.git"
    repository.git("clone", "-q", "--mirror", str(repository.folder), str(bare))
    repository.git("gc", "-q")
    monkeypatch.setattr(planning, "SPLIT_BYTES", 300 if parts else 1 << 40)
    fleet.add()
    tally = fleet.scan(Several(perform) if parts else InlineEngine(perform))
    assert tally.failed == ()
    expected = single_scans([repository.folder, bare], fleet.key)
    assert fleet.found() == expected
    assert len({one.fingerprint for one in expected}) >= 9
    held = _everything(fleet.inventory)
    assert [value for value in values if value in held] == []
