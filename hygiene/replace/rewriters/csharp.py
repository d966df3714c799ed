"""C#: ``Environment.GetEnvironmentVariable("NAME") ?? throw …``; a constant becomes ``static readonly``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_c_sharp
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.java import is_used_as_constant
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import declared_name, enclosing_node, kinds, named_nodes, within

_CONSTANT_PLACES = kinds("attribute constant_pattern case_switch_label parameter enum_member_declaration")
_BODIES = kinds("block declaration_list arrow_expression_clause")
_DECLARATIONS = kinds("field_declaration local_declaration_statement")
_DECLARATOR = frozenset({"variable_declarator"})


_HEXADECIMAL = re.compile(rb"\\x([0-9a-fA-F]{1,4})|(\\.)", re.DOTALL)


class CSharp(SyntaxRewriter):
    """Rewrites C# source."""

    language = Language(tree_sitter_c_sharp.language())
    strings = kinds("string_literal verbatim_string_literal interpolated_string_expression raw_string_literal")
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?:\$@|@\$|\$+|@)?(?P<quote>\"{3,}|\")")
    enclosing = kinds(
        "argument variable_declarator assignment_expression return_statement initializer_expression "
        "arrow_expression_clause parenthesized_expression"
    )

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable, or throw."""
        system = "" if re.search(rb"(?m)^\s*using System;", file.content) else "System."
        return (
            f'({system}Environment.GetEnvironmentVariable("{variable}")'
            f' ?? throw new {system}InvalidOperationException("{variable} is not set"))'
        ).encode()

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode C#'s escapes (language specification 6.4.5.6)."""
        if b"$" in literal.opening and (b"{" in raw or b"}" in raw):
            return None
        if literal.opening.endswith(b'"""'):
            return raw
        if b"@" in literal.opening:
            return raw.replace(b'""', b'"')
        return unescaped(_HEXADECIMAL.sub(_four_digits, raw), b"ntrbfvae\\\"'0uU")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse what must be a constant."""
        if within(literal.node, _CONSTANT_PLACES, _BODIES):
            yield Refusal("an attribute, default value or pattern must be a constant", CONSTANT)
        if literal.opening.endswith(b'"""') and not whole:
            yield Refusal("it is a part of a raw string", BY_HAND)
        name = declared_name(literal.node, _DECLARATOR, file) if _const_of(literal.node) is not None else b""
        if name and is_used_as_constant(self._parse(file), file, name, _CONSTANT_PLACES, _BODIES):
            yield Refusal("an attribute, default value or pattern uses this constant", CONSTANT)
        if name and self._makes_constants(name, literal.node, file):
            yield Refusal("another constant is made from it", CONSTANT)

    def relaxed(self, literal: Literal, file: File) -> tuple[Edit, ...]:
        """Turn ``const`` of a field into ``static readonly``, and drop that of a local."""
        keyword = _const_of(literal.node)
        if keyword is None:
            return ()
        if keyword.parent is not None and keyword.parent.type == "field_declaration":
            return (Edit(keyword.start_byte, keyword.end_byte, b"static readonly"),)
        end = keyword.end_byte
        while file.content[end : end + 1].isspace():
            end += 1
        return (Edit(keyword.start_byte, end, b""),)

    def _makes_constants(self, name: bytes, node: Node, file: File) -> bool:
        own = enclosing_node(node, _DECLARATIONS)
        for use in named_nodes(self._parse(file), file, name):
            parent = use.parent
            declares = parent is not None and parent.child_by_field_name("name") == use
            if not declares and enclosing_node(use, _DECLARATIONS) != own and _const_of(use) is not None:
                return True
        return False


def _four_digits(match: re.Match[bytes]) -> bytes:
    r"""Write ``\x`` and one to four digits as ``\u`` and four."""
    return b"\\u" + match[1].rjust(4, b"0") if match[1] else match[2]


def _const_of(node: Node) -> Node | None:
    declaration = enclosing_node(node, _DECLARATIONS)
    for child in declaration.children if declaration is not None else ():
        if child.type == "modifier" and child.children and child.children[0].type == "const":
            return child
    return None
