"""What is published can be built again, bit for bit, by anyone."""

import email
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def build(source: Path, target: Path, *formats: str) -> dict[str, bytes]:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target), *(f"-t{name}" for name in formats)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=300)
    return {path.name: path.read_bytes() for path in target.iterdir()}


def copy(target: Path, umask: int, moment: int) -> Path:
    """Copy the tracked files, as another person's clone would hold them."""
    target.mkdir()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True).stdout
    for name in filter(None, os.fsdecode(names).split("\0")):
        path, original = target / name, CHECKOUT / name
        if original.is_file() and not name.startswith("tests/"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(original.read_bytes())
            path.chmod(original.stat().st_mode & 0o777 & ~umask)
            os.utime(path, (moment, moment))
    return target


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    return folder, build(copy(folder / "one", 0o022, 1_600_000_000), folder / "out")


def test_build_elsewhere_at_another_time_gives_the_same_bytes(built):
    folder, first = built
    assert build(copy(folder / "two", 0o077, 1_000_000_000), folder / "out2") == first
    assert len(first) == 2


def test_build_from_the_source_distribution_gives_the_same_wheel(built):
    folder, first = built
    (source,) = (name for name in first if name.endswith(".tar.gz"))
    with tarfile.open(folder / "out" / source) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    again = build(unpacked, folder / "out3", "wheel")
    assert again == {name: data for name, data in first.items() if name.endswith(".whl")}


def test_wheel_holds_the_rules_and_the_model_and_needs_little(built):
    folder, first = built
    (wheel,) = (folder / "out" / name for name in first if name.endswith(".whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        needed = email.message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
    shipped = {Path(name).name for name in names if re.fullmatch(r"hygiene/_rules/[^/]+\.toml", name)}
    assert shipped == {path.name for path in (CHECKOUT / "rules").glob("*.toml")}
    assert "hygiene/detect/model/generic.bin" in names
    assert not [name for name in names if name.startswith(("tests", "bench", "hooks"))]
    bare = {line.split(">=")[0] for line in needed if "extra ==" not in line}
    assert bare == {"click", "hyperscan", "ahocorasick-rs", "platformdirs", "rfc8785"}
