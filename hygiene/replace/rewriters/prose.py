"""Documentation: the name of the variable in the place of the value, as people write it in instructions."""

from __future__ import annotations

from collections.abc import Iterator

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.hints import assigned_name
from hygiene.replace.rewriters.protocol import Change, File, Skip, Target, Token
from hygiene.replace.rewriters.rendered import EachTarget
from hygiene.secret import Secret


class Prose(EachTarget):
    """Rewrites Markdown, reStructuredText and plain text."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the lines."""
        position = 0
        for line in file.content.splitlines(keepends=True):
            yield Token("line", position, position + len(line.rstrip(b"\r\n")))
            position += len(line)

    def change(self, target: Target, file: File) -> Change | Skip:
        """Put ``$NAME`` where the value stood."""
        start = file.content.rfind(b"\n", 0, target.start) + 1
        hint = assigned_name(file.content[start : target.start])
        edit = Edit(target.start, target.end, b"$" + target.variable.encode())
        value = Secret(file.content[target.start : target.end])
        return Change(target, value, (edit,), (target.start, target.end), hint, uses="nothing")


class KeyFile(EachTarget):
    """Files that are a key and nothing else."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give nothing: the file has no form to keep."""
        return iter(())

    def change(self, target: Target, file: File) -> Change | Skip:
        """Leave the file to a person: what reads it wants a file."""
        return Skip(
            target,
            "the whole file is a key, and what reads it wants a file",
            f"hygiene secret put NAME --file {file.path}; git rm it; at start: hygiene secret get NAME -o FILE",
        )
