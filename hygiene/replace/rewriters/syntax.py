"""Rewriting source code: what all languages with a tree-sitter grammar share.

A language says which nodes are strings, how it reads an environment variable so that a missing one fails
loudly, how it joins strings, and where only a constant may stand. The engine finds the literal around each
secret, replaces it (or the part that is secret), and adds what the language needs at the top of the file.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import is_utf8, splits_escape
from hygiene.replace.rewriters.hints import hint_of, part_hint, placeholder
from hygiene.replace.rewriters.protocol import Change, File, Rewrite, Skip, Style, Target, Token
from hygiene.replace.rewriters.tree import enclosing_node, parsed
from hygiene.secret import Secret


class Literal(NamedTuple):
    """A string literal, taken apart."""

    node: Node
    opening: bytes  # prefix and quote
    closing: bytes
    start: int  # of its content
    end: int
    pieces: tuple[Literal, ...] = ()  # for several that are joined: each of them

    def raw(self, file: File) -> bytes:
        """Give the content as written."""
        return file.content[self.start : self.end]

    def own_quote(self, file: File) -> str:
        """Give the quote that a new literal in its place is written with: its own, or the one that the file prefers."""
        own = self.opening[-1:]
        if own in (b"'", b'"'):
            return own.decode()
        return "'" if file.content.count(b"'") > file.content.count(b'"') else '"'


class Refusal(NamedTuple):
    """Why a place is left as it is, and what a person must do."""

    reason: str
    advice: str


CONSTANT = "make it a value that is computed at run time, or move the use out of here, then run migrate again"
BY_HAND = "read the value from the environment variable by hand"


class SyntaxRewriter(ABC):
    """A language with a grammar."""

    language: Language
    strings: frozenset[str]  # node types of string literals
    comments: frozenset[str]
    openings: re.Pattern[bytes]  # of a literal: prefix, and the group "quote" that also closes it
    joins_adjacent: str = ""  # node type of literals that stand side by side and are one string
    plus: bytes = b" + "
    operators: frozenset[str] = frozenset({"+"})  # what joins literals, as tokens of the grammar
    unreadable = Refusal("the value is made from others, or written with escapes that are not understood", BY_HAND)
    enclosing: frozenset[str] = frozenset()  # parents in which a joined expression needs no parentheses

    # What a language says of itself

    @abstractmethod
    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Give the expression that reads ``variable`` and fails loudly without it."""

    @abstractmethod
    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Give what ``raw``, a part of the literal's content, stands for; None where that can't be told."""

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Give the reasons why the literal can't be replaced; the first one counts."""
        return iter(())

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Give what reads ``variable`` inside the literal, for one that interpolates."""
        return None

    def shared(self, root: Node, file: File, literals: Sequence[Literal], style: Style) -> tuple[Edit, ...]:
        """Give the imports and helpers that the replaced ``literals`` need."""
        return ()

    def relaxed(self, literal: Literal, file: File) -> tuple[Edit, ...]:
        """Give edits that let the declaration around the literal be computed at run time (``const`` dropped)."""
        return ()

    def unquoted(self, node: Node, target: Target, file: File, style: Style) -> Change | Refusal:
        """Replace a target outside of strings and comments."""
        return Refusal("it does not stand in a string", BY_HAND)

    def is_text(self, node: Node, file: File) -> bool:
        """Say whether a string is documentation, not a value."""
        return False

    def grade(self, literal: Literal, file: File) -> tuple[str, str]:
        """Grade a change: safe, or needs-wiring with what must be wired."""
        return "safe", ""

    # The engine

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the leaves of the file in order."""
        cursor = self._parse(file).walk()
        while True:
            node = cursor.node
            assert node is not None
            broken = node.is_missing or node.is_error
            if broken:
                yield Token("error", node.start_byte, node.end_byte)
            if cursor.goto_first_child():
                continue
            if not broken:
                yield Token(node.type, node.start_byte, node.end_byte)
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``; see :class:`hygiene.replace.rewriters.protocol.Rewriter`."""
        root = self._parse(file)
        changes: list[Change] = []
        skips: list[Skip] = []
        literals: list[Literal] = []
        for target in targets:
            node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1)) or root
            outcome = self._change(node, target, file, style)
            if isinstance(outcome, Refusal):
                skips.append(Skip(target, *outcome))
                continue
            change, literal = outcome
            changes.append(change)
            if literal is not None and literal not in literals:
                literals.append(literal)
        shared = self.shared(root, file, literals, style) if literals else ()
        return Rewrite(tuple(changes), tuple(skips), shared)

    def _parse(self, file: File) -> Node:
        return parsed(self.language, file.content)

    def _change(self, node: Node, target: Target, file: File, style: Style) -> tuple[Change, Literal | None] | Refusal:
        around = enclosing_node(node, self.strings | self.comments)
        if around is None or around.type == self.joins_adjacent:
            chain = self._chain(node, target, file)
            if chain is not None:
                return self._replaced(chain, target, file, style)
        if around is None:
            outcome = self.unquoted(node, target, file, style)
            return outcome if isinstance(outcome, Refusal) else (outcome, None)
        if around.type in self.comments or self.is_text(around, file):
            return placeholder(target, file, (around.start_byte, around.end_byte)), None
        literal = self.literal(around, file)
        if literal is None or target.start < literal.start or target.end > literal.end:
            return Refusal("it is more than one string, or a kind of string that is not understood", BY_HAND)
        return self._replaced(literal, target, file, style)

    def _chain(self, node: Node, target: Target, file: File) -> Literal | None:
        """See literals that are joined, and that ``target`` begins and ends in, as one."""
        leaves = list(_operands(node, self.strings))
        parts = [self.literal(leaf, file) for leaf in leaves if leaf.type in self.strings]
        operators = {leaf.type for leaf in leaves if leaf.type not in self.strings | self.comments}
        if not operators <= self.operators or len(parts) < 2:
            return None
        pieces = tuple(part for part in parts if part is not None)
        if len(pieces) != len(parts) or target.start < pieces[0].start or target.end > pieces[-1].end:
            return None
        if target.start > pieces[0].end or target.end < pieces[-1].start:
            return None
        return Literal(node, pieces[-1].opening, pieces[0].closing, pieces[0].start, pieces[-1].end, pieces)

    def value(self, literal: Literal, target: Target, file: File) -> bytes | None:
        """Give what the target's part of the literal stands for; None where that can't be told."""
        values = []
        for piece in literal.pieces or (literal,):
            start, end = max(piece.start, target.start), min(piece.end, target.end)
            value = self.decode(file.content[start:end], piece)
            if value is None or self.splits(piece, target._replace(start=start, end=end), file):
                return None
            values.append(value)
        return b"".join(values)

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take the string ``node`` apart."""
        text = file.content[node.start_byte : node.end_byte]
        opening = self.openings.match(text)
        if opening is None:
            return None
        closing = self.closing(opening)
        if not text.endswith(closing) or len(text) < opening.end() + len(closing):
            return None
        return Literal(node, opening.group(), closing, node.start_byte + opening.end(), node.end_byte - len(closing))

    def closing(self, opening: re.Match[bytes]) -> bytes:
        """Give the quote that ends a literal with this ``opening``."""
        return opening["quote"]

    def _replaced(
        self, literal: Literal, target: Target, file: File, style: Style
    ) -> tuple[Change, Literal | None] | Refusal:
        whole = (target.start, target.end) == (literal.start, literal.end)
        refusal = next(self.refusals(literal, file, whole), None)
        if refusal is not None:
            return refusal
        value = self.value(literal, target, file)
        if value is None:
            return self.unreadable
        if b"\0" in value or not is_utf8(value):
            return Refusal("the value holds bytes that no environment variable can hold", BY_HAND)
        edits = self._edits(literal, target, file, style, whole)
        if isinstance(edits, Refusal):
            return edits
        grade, reason = self.grade(literal, file)
        change = Change(
            target,
            Secret(value),
            (*self.relaxed(literal, file), *edits),
            (literal.node.start_byte, literal.node.end_byte),
            part_hint(hint_of(literal.node, file), file.content[literal.start : target.start]),
            grade=grade,
            reason=reason,
        )
        return change, literal

    def splits(self, literal: Literal, target: Target, file: File) -> bool:
        """Say whether the target begins or ends inside an escape sequence."""
        if self.decode(b"\\\\", literal) == b"\\\\":  # backslashes mean nothing here
            return False
        return splits_escape(file.content, literal.start, target.start) or splits_escape(
            file.content, literal.start, target.end
        )

    def _edits(
        self, literal: Literal, target: Target, file: File, style: Style, whole: bool
    ) -> tuple[Edit, ...] | Refusal:
        if not whole and not literal.pieces:
            inside = self.interpolation(target.variable, literal, file, style)
            if inside is not None:
                return (Edit(target.start, target.end, inside),)
        read = self.read(target.variable, literal, file, style)
        if whole and not self.stands_beside(literal.node):
            return (Edit(literal.node.start_byte, literal.node.end_byte, self.alone(read, literal)),)
        return self.joined(literal, target, read, file)

    def joined(self, literal: Literal, target: Target, read: bytes, file: File) -> tuple[Edit, ...]:
        """Replace a part of the literal: what stands before and after stays a literal of the same kind."""
        node, outer = literal.node, literal.node
        empty = literal.opening + literal.closing
        start, before = target.start, literal.closing + self.plus
        if target.start == literal.start:
            start, before = node.start_byte, b""
        end, after = target.end, self.plus + literal.opening
        if target.end == literal.end:
            end, after = node.end_byte, b""
        if self.stands_beside(node):
            # The neighbours join an empty literal as they joined this one.
            outer = node.parent or node
            before = before or (empty + self.plus if node.prev_named_sibling is not None else b"")
            after = after or (self.plus + empty if node.next_named_sibling is not None else b"")
        return (Edit(start, end, before + read + after), *self.grouped(outer))

    def alone(self, read: bytes, literal: Literal) -> bytes:
        """Give ``read`` as it takes the whole literal's place: without parentheses that nothing there needs."""
        parent = literal.node.parent
        needless = parent is not None and parent.type in self.enclosing and read[:1] == b"("
        return read[1:-1] if needless else read

    def stands_beside(self, node: Node) -> bool:
        """Say whether the literal ``node`` is one of several side by side that make one string."""
        return bool(self.joins_adjacent) and node.parent is not None and node.parent.type == self.joins_adjacent

    def grouped(self, node: Node) -> tuple[Edit, ...]:
        """Put the joined expression ``node`` in parentheses where its surroundings need it."""
        parent = node.parent
        if parent is not None and parent.type in self.enclosing:
            return ()
        return (Edit(node.start_byte, node.start_byte, b"("), Edit(node.end_byte, node.end_byte, b")"))


def _operands(node: Node, strings: frozenset[str]) -> Iterator[Node]:
    """Give the literals and signs that ``node`` is made of."""
    if node.type in strings or not node.children:
        yield node
        return
    for child in node.children:
        yield from _operands(child, strings)
