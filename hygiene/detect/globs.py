"""Globs over paths, read as .gitignore reads them: ``*`` stays inside a folder, ``**`` crosses folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache


def matches_any(path: str, globs: Sequence[str]) -> bool:
    """Say whether one of ``globs`` covers ``path`` (with forward slashes)."""
    return any(_compiled(glob).fullmatch(path) for glob in globs)


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    # A glob without a slash names a file or folder at any depth; one that names a folder covers what it holds.
    body = glob.strip("/") if glob.endswith("/") else glob.lstrip("/")
    anchored = "/" in glob.rstrip("/")
    prefix = "" if anchored else "(?:.*/)?"
    return re.compile(prefix + _expression(body) + "(?:/.*)?", re.DOTALL)


def _expression(glob: str) -> str:
    out, position = [], 0
    while position < len(glob):
        part = next(part for part in _PARTS if glob.startswith(part, position) or not part)
        if part == "[" and (end := glob.find("]", position + 2)) > 0:
            inside = glob[position + 1 : end].replace("\\", "\\\\")
            out.append(f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]")
            position = end + 1
            continue
        out.append(_PARTS.get(part) or re.escape(glob[position]))
        position += len(part) or 1
    return "".join(out)


# Longest first; "" stands for any other character.
_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[": "", "": ""}
