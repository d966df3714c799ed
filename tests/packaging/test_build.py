"""What is published can be built again, bit for bit, by anyone."""

import compileall
import email
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
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
        archive.extractall(folder / "unpacked")  # Python before 3.11.4 has no filter for it
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
        rules, rooms = (io.BytesIO(archive.read(f"hygiene/{name}")) for name in ("rules.tar.gz", "rooms.zip"))
    with tarfile.open(fileobj=rules) as archive:
        assert set(archive.getnames()) == {path.name for path in (CHECKOUT / "rules").glob("*.toml")}
    with zipfile.ZipFile(rooms) as archive:
        packed = {f"hygiene/{name}" for name in archive.namelist()}
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "hygiene").rglob("*.py")}
    shipped = {name for name in names if name.endswith(".py") and not name.startswith("hygiene/migrations/")}
    assert shipped | packed == modules
    assert not shipped & packed
    assert "hygiene/detect/model/generic.bin" in names
    assert not [name for name in names if name.startswith(("tests", "bench", "hooks"))]
    bare = {line.split(">=")[0] for line in needed if "extra ==" not in line}
    assert bare == {"click", "hyperscan", "ahocorasick-rs", "platformdirs", "rfc8785"}


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The wheel as an installer leaves it: unpacked and compiled, apart from this checkout."""
    folder, first = built
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = (folder / "out" / name for name in first if name.endswith(".whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    compileall.compile_dir(target, quiet=2)
    return target


def test_bare_install_stays_under_12_mb_with_its_bytecode(installed, tmp_path):
    for name in ("click", "hyperscan", "rfc8785"):
        for file in metadata.distribution(name).files:
            if (original := Path(str(file.locate()))).suffix != ".pyc" and ".." not in file.parts:
                copied = tmp_path / file
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(original, copied)
    compileall.compile_dir(tmp_path, quiet=2)
    files = [path for folder in (tmp_path, installed) for path in folder.rglob("*") if path.is_file()]
    assert {"_hs_ext", "core"} <= {path.name.partition(".")[0] for path in files if path.suffix in (".pyc", ".so")}
    assert sum(file.stat().st_size for file in files) <= 12_000_000


@pytest.mark.parametrize("command", ["rules list --json", "migrate", "secret list", "access --help", "rotate --due"])
def test_installed_wheel_runs_what_is_packed_in_it(installed, tmp_path, command):
    subprocess.run(["git", "init", "-q", str(tmp_path / "repository")], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "hygiene", *command.split()],
        cwd=tmp_path / "repository",
        env=os.environ | {"PYTHONPATH": str(installed), "HYGIENE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if command.startswith("rules"):
        assert len(json.loads(done.stdout)) > 500


def test_installed_wheel_makes_the_inventory_of_a_fleet(installed, tmp_path):
    code = (
        "from sqlalchemy import create_engine, inspect; from hygiene.fleet.inventory import migrate; "
        f"engine = create_engine('sqlite:///{tmp_path}/fleet.db'); migrate.upgrade(engine); "
        "print(migrate.__file__, *inspect(engine).get_table_names())"
    )
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "rooms.zip" in done.stdout and " repository " in done.stdout
