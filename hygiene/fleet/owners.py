"""Who answers for a path: CODEOWNERS of the default branch, else whoever commits most."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from hygiene.detect.globs import matches_any
from hygiene.errors import SourceError
from hygiene.git import Git

_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_BYTES = 3 << 20  # GitHub's own limit for the file
_RECENT = "500"  # commits that activity is counted over
_SECTION = re.compile(r"\^?\[[^\]]+\](\[\d+\])?")
_SPACE = re.compile(r"(?<!\\)\s+")


class _Line(NamedTuple):
    glob: str
    owners: tuple[str, ...]


class Owners:
    """The owners of one repository's paths."""

    def __init__(self, lines: Iterable[_Line] = (), fallback: str = "") -> None:
        """Know the lines of CODEOWNERS, and whom to name where none covers a path."""
        self._lines = tuple(reversed(tuple(lines)))
        self.fallback = fallback
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Give the first owner of ``path``: the last line that covers it decides, as on GitHub and GitLab."""
        if path not in self._known:
            line = next((line for line in self._lines if matches_any(path, (line.glob,))), None)
            self._known[path] = line.owners[0] if line and line.owners else ""
        return self._known[path]


def read_owners(git: Git) -> Owners:
    """Read who owns what in a repository; one without commits, or that can't be read, has no owners."""
    try:
        return Owners(parse_codeowners(_codeowners(git).decode("utf-8", "replace")), _most_active(git))
    except SourceError:
        return Owners()


def parse_codeowners(text: str) -> list[_Line]:
    """Read CODEOWNERS (GitHub's and GitLab's syntax); a section's default owners count where a line names none."""
    lines: list[_Line] = []
    default: tuple[str, ...] = ()
    for raw in text.splitlines():
        line = raw.split(" #", 1)[0].strip()
        if not line or line.startswith("#"):
            continue
        if section := _SECTION.match(line):
            default = tuple(line[section.end() :].split())
            continue
        glob, *owners = _SPACE.split(line)
        lines.append(_Line(glob.replace("\\ ", " "), tuple(owners) or default))
    return lines


def _codeowners(git: Git) -> bytes:
    """Give the first of the files that there is; they are looked for together, since most repositories have none."""
    asked = "".join(f"HEAD:{name}\n" for name in _FILES).encode()
    for answer in git.run("cat-file", "--batch-check", stdin=asked).splitlines():
        name, kind, size = (*answer.split(b" "), b"", b"")[:3]
        if kind == b"blob" and int(size) <= _BYTES:
            return git.run("cat-file", "blob", name.decode())
    return b""


def _most_active(git: Git) -> str:
    emails = git.run("log", "-n", _RECENT, "--format=%aE", "HEAD", "--", ok=(0, 128)).splitlines()
    counts = Counter(os.fsdecode(email) for email in emails if email and b"[bot]" not in email)
    return max(counts, key=lambda email: (counts[email], email), default="")
