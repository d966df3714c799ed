"""Packs into the wheel what a bare install never runs, and the rules: two small files in the place of some 480.

An installer writes and compiles each module that it finds, so the rooms that need the packages of an extra would make
up half of a bare install. Python imports them from the archive (zipimport) a little more slowly; they are those whose
commands start servers' clients or parsers anyway. A checkout and an editable install have them as folders.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_DATE = (1980, 1, 1, 0, 0, 0)


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds ``hygiene/rooms.zip``, which holds what the wheel's setting ``exclude`` names, and the rules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the archives; an editable install has no use for them."""
        if version == "editable":
            return
        root = Path(self.root)
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name)
        (made / "rooms.zip").write_bytes(_rooms(root, self.build_config.target_config["exclude"]))
        (made / "rules.tar.gz").write_bytes(_rules(root / "rules"))
        for archive in made.iterdir():
            build_data["force_include"][str(archive)] = f"hygiene/{archive.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the archives away."""
        if version != "editable":
            self._folder.cleanup()


def _rooms(root: Path, patterns: list[str]) -> bytes:
    """Give a zip of the modules and folders that ``patterns`` name, the same bytes from the same files."""
    found = [path for pattern in patterns for path in root.glob(pattern.strip("/"))]
    files = {file for path in found for file in (path.rglob("*.py") if path.is_dir() else [path])}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(files):
            entry = zipfile.ZipInfo(file.relative_to(root / "hygiene").as_posix(), _DATE)
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def _rules(folder: Path) -> bytes:
    """Give the rule files as one archive; what they have in common then takes room once."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for file in sorted(folder.glob("*.toml")):
            entry = tarfile.TarInfo(file.name)
            entry.size = file.stat().st_size
            archive.addfile(entry, io.BytesIO(file.read_bytes()))
    return packed.getvalue()
