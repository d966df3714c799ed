"""git-filter-repo, started as a program of its own: ``python -m hygiene.replace.filterrepo OPTION…``.

By itself it replaces text in files and messages. Here also go: values in binary files (overwritten in place, so that
offsets stay right), in the names of files and refs, and in those of authors. The values are in the private file that
the environment names, never in arguments.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import git_filter_repo

EXPRESSIONS = "HYGIENE_PURGE_EXPRESSIONS"
_NAME = b"REMOVED"  # a name of a ref may hold no asterisk
_NO_POINTER = 1024  # bytes; git-filter-repo looks for LFS pointers in smaller files only
_SNIFFED = 8192  # bytes in which git looks for a NUL byte


def main() -> None:
    """Filter the repository in which it is started."""
    pattern = _pattern(Path(os.environ[EXPRESSIONS]).read_bytes())

    def overwrite(blob: Any, metadata: Any) -> None:
        if b"\0" in blob.data[:_SNIFFED]:
            blob.data = pattern.sub(_stars, blob.data)

    def rename(name: bytes) -> bytes:
        return pattern.sub(_NAME, name)

    git_filter_repo.FileInfoValueHelper.get_size_by_identifier = size_of_blob
    git_filter_repo.setup_gettext()
    options = git_filter_repo.FilteringOptions.parse_args(sys.argv[1:])
    git_filter_repo.RepoFilter(
        options,
        blob_callback=overwrite,
        filename_callback=rename,
        name_callback=rename,
        email_callback=rename,
        refname_callback=rename,
    ).run()


def size_of_blob(self: Any, name: bytes) -> int:
    """Give the size of the blob ``name``; a submodule's commit, an object of another repository, is no pointer."""
    self._cat_file_process.stdin.write(b"info " + name + b"\n")
    self._cat_file_process.stdin.flush()
    words = self._cat_file_process.stdout.readline().split()
    return int(words[2]) if words[1:2] == [b"blob"] else _NO_POINTER


def _pattern(lines: bytes) -> re.Pattern[bytes]:
    forms = (line.removeprefix(b"regex:").rpartition(b"==>")[0] for line in lines.splitlines())
    return re.compile(b"|".join(form for form in forms if form))


def _stars(found: re.Match[bytes]) -> bytes:
    """Give as many asterisks as the value has characters, in UTF-16 where it is that."""
    text = found.group()
    if text[1:2] == b"\0":
        return b"*\0" * (len(text) // 2)
    return b"\0*" * (len(text) // 2) if text[:1] == b"\0" else b"*" * len(text)


if __name__ == "__main__":
    main()
