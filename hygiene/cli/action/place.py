"""Where a finding stands in the last commit of a change: a reviewer looks there, not at the commit that brought it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from hygiene.finding import Finding
from hygiene.git import Git

_FILES_AT_ONCE = 4  # findings of a file stand together, and a file may be large


def at_head(git: Git, head: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give ``findings`` with their places in the last commit, where reviewers look, if the values still stand there."""

    @lru_cache(_FILES_AT_ONCE)
    def content_of(path: str) -> bytes:
        return git.run("cat-file", "blob", f"{head}:{path}", ok=(0, 128))

    for finding in findings:
        # What was decoded does not stand there as it is.
        yield finding if finding.encoding else _placed(finding, content_of(finding.path))


def _placed(finding: Finding, content: bytes) -> Finding:
    at = content.find(finding.secret.reveal())
    if at < 0:
        return finding
    end = at + len(finding.secret)
    (line, column), (line_end, column_end) = _position(content, at), _position(content, end)
    return finding._replace(
        line_start=line, column_start=column, line_end=line_end, column_end=column_end, start=at, end=end
    )


def _position(content: bytes, offset: int) -> tuple[int, int]:
    line_start = content.rfind(b"\n", 0, offset) + 1
    column = len(content[line_start:offset].decode("utf-8", "replace")) + 1
    return content.count(b"\n", 0, offset) + 1, column
