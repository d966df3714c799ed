"""Where a finding stands in the last commit of a change: a reviewer looks there, not at the commit that brought it."""

from __future__ import annotations

from hygiene.finding import Finding
from hygiene.git import Git


def at_head(git: Git, head: str, finding: Finding) -> Finding:
    """Give ``finding`` with its place in the last commit, where reviewers look, if the value still stands there."""
    if finding.encoding:
        return finding
    content = git.run("cat-file", "blob", f"{head}:{finding.path}", ok=(0, 128))
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
