"""Scala: ``sys.env("NAME")``, which throws NoSuchElementException when the variable is absent."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_scala
from tree_sitter import Language, Node

from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, kinds, within


class Scala(SyntaxRewriter):
    """Rewrites Scala source."""

    language = Language(tree_sitter_scala.language())
    strings = kinds("string interpolated_string_expression")
    comments = kinds("comment block_comment")
    openings = re.compile(rb"(?:[A-Za-z_]\w*)?(?P<quote>\"\"\"|\")")
    enclosing = kinds(
        "arguments val_definition var_definition assignment_expression parameter parenthesized_expression"
    )

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read from ``sys.env``."""
        return f'sys.env("{variable}")'.encode()

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Scala's escapes; raw strings have none."""
        if not literal.opening.startswith(b'"') and b"$" in raw:
            return None
        return raw if literal.opening.endswith(b'"""') else unescaped(raw, b"ntrbf\\\"'u")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse annotations, patterns and interpolators of others."""
        if within(literal.node, frozenset({"annotation"}), frozenset({"template_body", "block"})):
            yield Refusal("an annotation needs a constant", CONSTANT)
        if _is_pattern(literal.node):
            yield Refusal("a pattern must be a literal", CONSTANT)
        if literal.opening.partition(b'"')[0] not in (b"", b"s", b"f", b"raw"):
            yield Refusal("an interpolator sees its text apart from its values", BY_HAND)


def _is_pattern(node: Node) -> bool:
    child = node
    for ancestor in ancestors(node):
        if ancestor.type == "case_clause":
            return ancestor.child_by_field_name("pattern") == child
        child = ancestor
    return False
