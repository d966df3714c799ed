"""What a migrated repository needs besides its edits: the manifest, an example of its variables, ignored files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from hygiene.reference import Reference, parse_reference
from hygiene.replace.journaled import KeptEntry
from hygiene.replace.manifest import FILE_NAME, merge_manifest

EXAMPLE = ".env.example"
IGNORE = ".gitignore"
README = "README.md"
FILES = frozenset({FILE_NAME, EXAMPLE, IGNORE, README})
_SECTION = """\
## Secrets

No secret stands in this repository: `secrets.toml` says where each is kept. Start programs with

    hygiene run -- CMD

`hygiene doctor` says whether every reference resolves for you.
"""


def wired(
    read: Callable[[str], bytes | None], entries: Iterable[KeptEntry], paths: Iterable[str], untracked: set[str]
) -> dict[str, bytes]:
    """Give the files to write, by path: those that differ from what ``read`` gives.

    ``paths`` are the rewritten files, ``untracked`` those of them that git does not track.
    """
    variables: dict[str, Reference] = {
        variable: parse_reference(entry.reference) for entry in entries for variable in entry.variables
    }
    wanted: dict[str, bytes] = {}
    if variables:
        wanted[FILE_NAME] = merge_manifest(read(FILE_NAME) or b"", variables)
    readme = read(README)
    if variables and readme is not None and b"hygiene run" not in readme:
        wanted[README] = _with_section(readme)
    example = read(EXAMPLE)
    if example is not None:
        wanted[EXAMPLE] = _with_names(example, variables)
    ignored = [path for path in paths if path in untracked and _is_dotenv(path)]
    if ignored:
        wanted[IGNORE] = _with_lines(read(IGNORE) or b"", ignored)
    return {path: content for path, content in wanted.items() if content != read(path)}


def _with_section(readme: bytes) -> bytes:
    newline = b"\r\n" if b"\r\n" in readme else b"\n"
    ended = readme if readme.endswith(b"\n") or not readme else readme + newline
    gap = newline if readme.strip() else b""
    return ended + gap + newline.join(_SECTION.encode().splitlines()) + newline


def _with_names(example: bytes, variables: Mapping[str, Reference]) -> bytes:
    missing = [
        name for name in sorted(variables) if not re.search(rb"(?m)^\s*(?:export\s+)?%b\s*=" % name.encode(), example)
    ]
    return _appended(example, [f"{name}=" for name in missing])


def _with_lines(content: bytes, paths: Iterable[str]) -> bytes:
    present = set(content.decode("utf-8", "surrogateescape").splitlines())
    return _appended(
        content, [f"/{path}" for path in paths if not {path, f"/{path}", path.rpartition("/")[2]} & present]
    )


def _appended(content: bytes, lines: Iterable[str]) -> bytes:
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    for line in lines:
        content += b"" if not content or content.endswith(b"\n") else newline
        content += line.encode("utf-8", "surrogateescape") + newline
    return content


def _is_dotenv(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name == ".env" or name.startswith(".env.") or name.endswith(".env")
