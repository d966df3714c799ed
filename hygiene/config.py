"""The configuration: ``.hygiene.toml``, or ``[tool.hygiene]`` in ``pyproject.toml``.

The values and where they are looked for; ``configfile`` reads the text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from hygiene.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date

FILE_NAME = ".hygiene.toml"
PYPROJECT = "pyproject.toml"


class Allow(NamedTuple):
    """One allowlist entry: all that is given must hold."""

    reason: str
    rule: str = ""
    path: str = ""  # glob
    fingerprint: str = ""
    value: str = ""  # pattern
    commit: str = ""
    expires: date | None = None


class Role(NamedTuple):
    """Who may do what to which secrets."""

    name: str
    members: tuple[str, ...]
    paths: tuple[str, ...]
    may: tuple[str, ...]


class ProviderSettings(NamedTuple):
    """What rotation needs to know of a provider."""

    name: str
    admin: str = ""  # a reference to the admin credential
    hosts: tuple[str, ...] = ()
    settings: Mapping[str, str] = {}  # what the provider's page in docs/providers.md names


class RotationPolicy(NamedTuple):
    """How the secrets of some names are rotated; the first policy whose glob matches counts."""

    names: str  # glob
    provider: str = ""
    max_age: str = ""
    window: str = ""  # when rotations may begin, as "Sat,Sun 02:00-05:00" in UTC
    consumers: tuple[str, ...] = ()  # a command that fails while someone still uses the old value
    on_leak: str = "rotate"  # what respond does with a leaked one: rotate, queue (for --due and its window), or ask
    copies: tuple[str, ...] = ()  # places outside of the store that get the new value, as "github:OWNER/REPO/NAME"
    settings: Mapping[str, str] = {}  # like the secret's labels, which they overrule


class Config(NamedTuple):
    """All settings, with their defaults."""

    exclude: tuple[str, ...] = ()
    min_confidence: str = "medium"
    max_file_bytes: int = 0  # 0: no limit, large files are streamed
    disable: tuple[str, ...] = ()
    rule_folders: tuple[str, ...] = ()
    only_own_rules: bool = False
    allow: tuple[Allow, ...] = ()
    stores: Mapping[str, str] = {}
    roles: tuple[Role, ...] = ()
    rotation_max_age: str = ""
    rotation_window: str = ""
    rotation: tuple[RotationPolicy, ...] = ()
    expiry_when: str = "refuse"  # or warn
    expiry_after: str = ""  # how long any version lives, whatever it says of itself
    providers: Mapping[str, ProviderSettings] = {}
    path: Path | None = None  # where it was read from


def find_config(start: Path, root: Path | None) -> Path | None:
    """Find the nearest configuration from ``start`` upwards to ``root`` (or to the file system's root)."""
    override = os.environ.get("HYGIENE_CONFIG")
    if override:
        return Path(override)
    folder = start.resolve()
    while True:
        own = folder / FILE_NAME
        if own.is_file():
            return own
        project = folder / PYPROJECT
        if project.is_file() and b"[tool.hygiene" in project.read_bytes():
            return project
        if folder in (root, folder.parent):
            return None
        folder = folder.parent


def read_config(path: Path | None) -> Config:
    """Read the configuration at ``path``; the defaults for None. Raises :class:`ConfigError`."""
    if path is None:
        return Config()
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    return parse_config(text, path)


def parse_config(text: bytes, path: Path) -> Config:
    """Read a configuration from ``text``; ``path`` says which kind it is and stands in messages."""
    reader = import_module("hygiene.configfile")  # brings the TOML reader: late, since most hooks find no file
    return cast(Config, reader.parse(text, path))
