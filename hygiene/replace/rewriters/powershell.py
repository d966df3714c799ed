"""PowerShell: ``$(if ($env:NAME) { $env:NAME } else { throw … })``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_powershell
from tree_sitter import Language, Node

from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import kinds, within

_HERE = kinds("expandable_here_string_literal verbatim_here_string_characters")


class PowerShell(SyntaxRewriter):
    """Rewrites PowerShell scripts."""

    language = Language(tree_sitter_powershell.language())
    strings = kinds("expandable_string_literal verbatim_string_characters generic_token") | _HERE
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?P<quote>[\"'])")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable, or throw."""
        return f"$(if ($env:{variable}) {{ $env:{variable} }} else {{ throw '{variable} is not set' }})".encode()

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Read inside a string that expands."""
        expands = literal.opening == b'"' or literal.node.type == "expandable_here_string_literal"
        return self.read(variable, literal, file, style) if expands else None

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take a string apart; a bare word has no quotes."""
        if node.type == "generic_token":
            return Literal(node, b"", b"", node.start_byte, node.end_byte)
        if node.type in _HERE:
            return Literal(node, b"", b"", node.start_byte + 2, node.end_byte - 2)
        return super().literal(node, file)

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Remove the quoting; what expands or is escaped can't be told."""
        if literal.opening == b"'":
            return raw.replace(b"''", b"'")
        if literal.node.type == "verbatim_here_string_characters":
            return raw
        return None if re.search(rb"[$`]", raw) else raw.replace(b'""', b'"')

    def splits(self, literal: Literal, target: object, file: File) -> bool:
        """Backslashes mean nothing here."""
        return False

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse here-strings that don't expand, parts of words, attributes and names of commands."""
        if literal.node.type == "verbatim_here_string_characters":
            yield Refusal("this here-string does not expand variables", "write it with @\" instead of @'")
        if not literal.opening and literal.node.type == "generic_token" and not whole:
            yield Refusal("it is a part of a bare word", "quote the word, then run migrate again")
        if within(literal.node, frozenset({"attribute", "command_name"})):
            yield Refusal("it stands in an attribute or the name of a command", BY_HAND)
