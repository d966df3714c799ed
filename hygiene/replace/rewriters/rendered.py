"""What is rendered: a reference in the text, which ``hygiene render FILE`` (or vals) replaces by the value.

The value stored is the text as written, so that the rendered file is the original byte for byte, whatever the
format's quoting is.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.hints import assigned_name, placeholder
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Rewrite, Skip, Style, Target, Token
from hygiene.replace.rewriters.syntax import SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, enclosing_node, parsed
from hygiene.secret import Secret

_ENDS = b" \t\r\n\"'`<>\\"  # what ends a reference by itself; anything else needs its closing plus
NO_TEXT = ("it is not a value of this format", "store it by hand and let the program read it at run time")


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


class EachTarget(ABC):
    """A format in which each target is replaced by itself."""

    @abstractmethod
    def change(self, target: Target, file: File) -> Change | Skip:
        """Replace one target."""

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``; see :class:`hygiene.replace.rewriters.protocol.Rewriter`."""
        outcomes = [self.change(target, file) for target in targets]
        changes = tuple(item for item in outcomes if isinstance(item, Change))
        return Rewrite(changes, tuple(item for item in outcomes if isinstance(item, Skip)))


class GrammarFormat(EachTarget):
    """A data format with a grammar: references stand in its strings, names in its comments."""

    language: Language
    scalars: frozenset[str]
    comments: frozenset[str]
    pairs: frozenset[str] = frozenset({"pair"})

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the leaves of the file in order."""
        return SyntaxRewriter.tokens(self, file)  # type: ignore[arg-type]

    def change(self, target: Target, file: File) -> Change | Skip:
        """Replace a target in a string or a comment."""
        root = self._parse(file)
        node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1)) or root
        around = enclosing_node(node, self.scalars | self.comments)
        if around is None:
            return Skip(target, *NO_TEXT)
        span = (around.start_byte, around.end_byte)
        if around.type in self.comments:
            return placeholder(target, file, span)
        if self.is_key(around):
            return Skip(target, "it is a key", "rename the key by hand")
        return self.value_change(target, file, around)

    def value_change(self, target: Target, file: File, node: Node) -> Change | Skip:
        """Replace a target in the value ``node``."""
        return referenced(target, file, (node.start_byte, node.end_byte), self.hint(target, file, node))

    def is_key(self, node: Node) -> bool:
        """Say whether ``node`` names something."""
        parent = node.parent
        return parent is not None and parent.type in self.pairs and parent.named_children[0] == node

    def keys(self, node: Node, file: File) -> list[str]:
        """Give the keys that lead to ``node``, the outermost first."""
        keys = []
        for ancestor in ancestors(node):
            if ancestor.type in self.pairs and ancestor.named_children[0] != node:
                key = ancestor.named_children[0]
                keys.append(file.content[key.start_byte : key.end_byte].decode(errors="replace").strip("\"'"))
        return keys[::-1]

    def hint(self, target: Target, file: File, node: Node) -> str:
        """Say how the place calls the value."""
        inner = assigned_name(file.content[node.start_byte : target.start])
        return inner or next(iter(self.keys(node, file)[::-1]), "")

    def _parse(self, file: File) -> Node:
        return parsed(self.language, file.content)


class LineFormat(EachTarget):
    """A format of lines, with comments from a mark to the end of the line."""

    comment = re.compile(rb"(?m)^[ \t]*[#;!][^\r\n]*")

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the lines, and in them what a sign of assignment parts."""
        for match in re.finditer(rb"[^\s=:]+|[=:]", file.content):
            yield Token("word", *match.span())

    def change(self, target: Target, file: File) -> Change | Skip:
        """Replace a target in a comment or a value."""
        for match in self.comment.finditer(file.content):
            if match.start() <= target.start and target.end <= match.end():
                return placeholder(target, file, match.span())
        line = file.content.rfind(b"\n", 0, target.start) + 1
        return self.value_change(target, file, assigned_name(file.content[line : target.start]))

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Replace a target in a value that the line calls ``hint``."""
        return referenced(target, file, word_around(target, file), hint)


def word_around(target: Target, file: File) -> tuple[int, int]:
    """Give the span of the word that ``target`` is a part of: no space or sign of assignment in it."""
    start, end = target.start, target.end
    while start and file.content[start - 1 : start] not in b" \t\r\n=:":
        start -= 1
    while end < len(file.content) and file.content[end : end + 1] not in b" \t\r\n=:":
        end += 1
    return start, end
