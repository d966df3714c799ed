"""What is rendered: a reference in the text, which ``hygiene render FILE`` (or vals) replaces by the value.

The value stored is the text as written, so that the rendered file is the original byte for byte, whatever the
format's quoting is.
"""

from __future__ import annotations

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Skip, Target
from hygiene.secret import Secret

_ENDS = b" \t\r\n\"'`<>\\"  # what ends a reference by itself; anything else needs its closing plus


def reference_text(target: Target, file: File) -> bytes:
    """Give the reference, closed by a plus where the text goes on right after it."""
    following = file.content[target.end : target.end + 1]
    closed = not following or following in _ENDS
    return target.reference.encode() + (b"" if closed else b"+")


def referenced(target: Target, file: File, scope: tuple[int, int], hint: str, reason: str = "") -> Change:
    """Replace ``target`` by its reference."""
    raw = file.content[target.start : target.end]
    return Change(
        target,
        Secret(raw),
        (Edit(target.start, target.end, reference_text(target, file)),),
        scope,
        hint,
        uses="reference",
        grade=NEEDS_WIRING,
        reason=reason or f"start the program with a rendered copy: hygiene render {file.path} -o FILE",
    )


def no_text(target: Target) -> Skip:
    """Say that what stands there is neither a value nor a comment."""
    return Skip(target, "it is not a value of this format", "store it by hand and let the program read it at run time")
