"""PHP 8: ``getenv('NAME') ?: throw new \\RuntimeException(…)``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_php
from tree_sitter import Language, Node

from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import kinds, within

_CONSTANT_PLACES = kinds(
    "const_declaration property_declaration static_variable_declaration simple_parameter attribute enum_case "
    "property_promotion_parameter declare_statement"
)
_PLAIN_U = re.compile(rb"(?<!\\)(?:\\\\)*\\u[^{]")  # stands for itself without braces
_DOCUMENTS = frozenset({"heredoc", "nowdoc"})
_BODIES = kinds("compound_statement declaration_list")


class Php(SyntaxRewriter):
    """Rewrites PHP source."""

    language = Language(tree_sitter_php.language_php())
    strings = kinds("string encapsed_string heredoc nowdoc shell_command_expression")
    comments = frozenset({"comment"})
    openings = re.compile(rb"[bB]?(?P<quote>['\"])")
    plus = b" . "
    operators = frozenset({"."})
    enclosing = kinds("argument assignment_expression return_statement array_element_initializer echo_statement")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable, or throw."""
        return rf"(getenv('{variable}') ?: throw new \RuntimeException('{variable} is not set'))".encode()

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take a string apart; a here-document is left whole."""
        if node.type in _DOCUMENTS or node.type == "shell_command_expression":
            return Literal(node, b"", b"", node.start_byte, node.end_byte)
        return super().literal(node, file)

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode PHP's escapes (manual, strings); an unknown one stands for itself."""
        if literal.closing == b"'":
            return re.sub(rb"\\([\\'])", rb"\1", raw)
        if re.search(rb"(?<!\\)(?:\$[A-Za-z_{]|\{\$)", raw):
            return None
        if _PLAIN_U.search(raw):
            return None
        return unescaped(raw, b'ntrvfe\\$"x0u', keep_unknown=True, as_bytes=True)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse what must be a constant expression, and here-documents."""
        if within(literal.node, _CONSTANT_PLACES, _BODIES):
            yield Refusal(
                "a constant, a property's default or an attribute must be a constant expression",
                "set it in the constructor or by define(), then run migrate again",
            )
        if literal.node.type == "shell_command_expression":
            yield Refusal("it stands in a command", BY_HAND)
        if literal.node.type in _DOCUMENTS:
            yield Refusal("a here-document of PHP can't call a function", "read it into a variable, and use that")
