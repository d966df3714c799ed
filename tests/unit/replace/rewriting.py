"""Paired tables for rewriters: secrets in the text before are marked ⟦so⟧, and become V1, V2 … in order."""

from __future__ import annotations

import re

from hygiene.replace.checks import failed_check, rewritten
from hygiene.replace.rewriters.protocol import File, Rewrite, Style, Target
from hygiene.replace.rewriters.registry import find_rewriter

ENVIRONMENT = Style()


def marked(text: str) -> tuple[bytes, list[tuple[int, int]]]:
    """Take the marks out of ``text``; gives the bytes and the spans that were marked."""
    content, spans = b"", []
    for part in re.split("(⟦.*?⟧)", text, flags=re.DOTALL):
        plain = part.strip("⟦⟧").encode() if part.startswith("⟦") else part.encode()
        if part.startswith("⟦"):
            spans.append((len(content), len(content) + len(plain)))
        content += plain
    return content, spans


def rewrite(path: str, text: str, style: Style = ENVIRONMENT) -> tuple[str, Rewrite]:
    """Rewrite ``text``; the result has passed the acceptance checks."""
    content, spans = marked(text)
    rewriter = find_rewriter(path, content)
    assert rewriter is not None
    file = File(path, content, b"\r\n" if b"\r\n" in content else b"\n")
    targets = [Target(start, end, f"V{n}", f"ref+embedded://v/{n}") for n, (start, end) in enumerate(spans, 1)]
    result = rewriter.rewrite(file, targets, style)
    assert failed_check(rewriter, file, result) == ""
    assert len(result.changes) + len(result.skips) == len(targets)
    return rewritten(file, result).decode(), result


def values(result: Rewrite) -> list[bytes]:
    """Give what the variables must hold."""
    return [change.value.reveal() for change in result.changes]
