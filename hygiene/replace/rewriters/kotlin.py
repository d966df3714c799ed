"""Kotlin: ``System.getenv("NAME") ?: error("NAME is not set")``; ``const`` is dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_kotlin
from tree_sitter import Language

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.java import is_used_as_constant
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import enclosing_node, kinds, within

_ANNOTATIONS = kinds("annotation file_annotation")
_BODIES = kinds("class_body function_body block lambda_literal")
_ANNOTATED = re.compile(rb"@(?:\w+:)?[\w.]+\([^()\n]*\Z")  # the grammar takes a bare one for an expression
_PROPERTY = frozenset({"property_declaration"})


class Kotlin(SyntaxRewriter):
    """Rewrites Kotlin source."""

    language = Language(tree_sitter_kotlin.language())
    strings = kinds("string_literal multiline_string_literal")
    comments = kinds("line_comment block_comment multiline_comment shebang")
    openings = re.compile(rb"(?P<quote>\"\"\"|\")")
    enclosing = kinds("property_declaration value_argument assignment parameter class_parameter interpolation")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable, or fail."""
        text = _read(variable)
        parent = literal.node.parent
        return text if parent is not None and parent.type in self.enclosing else b"(" + text + b")"

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Read inside the string: all Kotlin strings are templates."""
        return b"${" + _read(variable) + b"}"

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Kotlin's escapes; raw strings have none."""
        if re.search(rb"(?<!\\)\$[A-Za-z_{`]", raw):
            return None
        return raw if literal.opening == b'"""' else unescaped(raw, b"ntrb\\\"'$u")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse annotations, constants that they use, and apps."""
        if within(literal.node, _ANNOTATIONS, _BODIES) or _ANNOTATED.search(file.content, 0, literal.node.start_byte):
            yield Refusal("an annotation needs a constant", CONSTANT)
        if re.search(rb"^import android[x.]", file.content, re.MULTILINE):
            yield Refusal("it is packed into an app, and everyone can read what is there", "fetch it from a server")
        name = self._constant_name(literal, file)
        if name and is_used_as_constant(self._parse(file), file, name, _ANNOTATIONS, _BODIES):
            yield Refusal("an annotation uses this constant", CONSTANT)

    def relaxed(self, literal: Literal, file: File) -> tuple[Edit, ...]:
        """Drop ``const``."""
        declaration = enclosing_node(literal.node, _PROPERTY)
        modifiers = declaration.children[0] if declaration is not None else None
        if modifiers is None or modifiers.type != "modifiers":
            return ()
        for modifier in modifiers.children:
            if file.content[modifier.start_byte : modifier.end_byte] == b"const":
                end = modifier.end_byte
                while file.content[end : end + 1].isspace():
                    end += 1
                return (Edit(modifier.start_byte, end, b""),)
        return ()

    def _constant_name(self, literal: Literal, file: File) -> bytes:
        declaration = enclosing_node(literal.node, _PROPERTY)
        for child in declaration.children if declaration is not None else ():
            if child.type == "variable_declaration":
                return file.content[child.start_byte : child.end_byte].partition(b":")[0].strip()
        return b""


def _read(variable: str) -> bytes:
    return f'System.getenv("{variable}") ?: error("{variable} is not set")'.encode()
