"""Which package registry a token belongs to: the one of its own line, if the user's client or configuration names it.

The text of a repository may name any host, so a host of a line is only asked where the user's own npm configuration,
which sends tokens there already, or the project's ``[providers.npm] hosts`` names it, too.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

RULES = "npm-"  # how the rules begin that find such tokens
_LINE = re.compile(r"^\s*//([^/\s:]+(?::[0-9]{1,5})?)/")
_REGISTRY = re.compile(r"^\s*(@[^:=\s]+:)?registry\s*=\s*[\"']?(https://[^\s\"']+)")
_MOST_BYTES = 1 << 20


def client_hosts() -> tuple[str, ...]:
    """Name the registries of the user's npm configuration, the default one first; () where there is none."""
    named = _setting("npm_config_userconfig")
    path = Path(named) if named else Path.home() / ".npmrc"
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            lines = stream.read(_MOST_BYTES).splitlines()
    except OSError:
        lines = []
    default = _setting("npm_config_registry")
    first = [urlsplit(default).netloc] if default.startswith("https://") else []
    others: list[str] = []
    for line in lines:
        if found := _REGISTRY.match(line):
            (others if found[1] else first).append(urlsplit(found[2]).netloc)
        elif found := _LINE.match(line):
            others.append(found[1])
    return tuple(dict.fromkeys(host.lower() for host in (*first, *others) if host and "@" not in host))


def _setting(name: str) -> str:
    """Read an environment variable as npm does: in capitals or not."""
    return next((value for key, value in os.environ.items() if key.lower() == name), "")
