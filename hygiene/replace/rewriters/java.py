"""Java: ``Objects.requireNonNull(System.getenv("NAME"), "NAME is not set")``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_java
from tree_sitter import Language, Node

from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import declared_name, kinds, named_nodes, within

_CONSTANT_PLACES = kinds("annotation marker_annotation switch_label")
_BODIES = kinds("block class_body")
_DECLARATIONS = frozenset({"variable_declarator"})


class Java(SyntaxRewriter):
    """Rewrites Java source."""

    language = Language(tree_sitter_java.language())
    strings = frozenset({"string_literal"})
    comments = kinds("line_comment block_comment")
    openings = re.compile(rb"(?P<quote>\"\"\"|\")")
    enclosing = kinds("argument_list variable_declarator assignment_expression return_statement array_initializer")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable; ``requireNonNull`` throws without it."""
        name = "Objects" if b"import java.util.Objects;" in file.content else "java.util.Objects"
        return f'{name}.requireNonNull(System.getenv("{variable}"), "{variable} is not set")'.encode()

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Java's escapes (language specification 3.10.7)."""
        return unescaped(raw, b"ntrbfs\\\"'0u")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse what must be a constant expression (language specification 15.29)."""
        if within(literal.node, _CONSTANT_PLACES, _BODIES):
            yield Refusal("an annotation or a case label must be a constant", CONSTANT)
        if literal.opening == b'"""':
            yield Refusal("it is a part of a text block", BY_HAND)
        if re.search(rb"^import android[x.]", file.content, re.MULTILINE):
            yield Refusal("it is packed into an app, and everyone can read what is there", "fetch it from a server")
        name = declared_name(literal.node, _DECLARATIONS, file)
        if name and is_used_as_constant(self._parse(file), file, name, _CONSTANT_PLACES, _BODIES):
            yield Refusal("an annotation or a case label uses this constant", CONSTANT)


def is_used_as_constant(root: Node, file: File, name: bytes, places: frozenset[str], until: frozenset[str]) -> bool:
    """Say whether ``name`` is used in one of ``places``, where only a constant may stand."""
    return any(within(use, places, until) for use in named_nodes(root, file, name))
