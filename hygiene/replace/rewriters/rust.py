"""Rust: ``std::env::var("NAME").expect(…)``, leaked where a ``&'static str`` stood: it lived as long as the program."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_rust
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style, Target
from hygiene.replace.rewriters.syntax import BY_HAND, CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import kinds, within

_OWNED = re.compile(rb"\s*\.\s*(?:to_string|to_owned|into|to_string_lossy|clone)\s*\(\s*\)")
_USED = re.compile(rb"\s*(?:\.(?!\.)|[\[?])")
_FORMATTING = frozenset(
    {b"format", b"print", b"println", b"eprint", b"eprintln", b"write", b"writeln", b"panic", b"format_args"}
)
_MACROS = frozenset({b"vec", b"assert_eq", b"assert_ne", b"dbg", b"debug_assert_eq"})


class Rust(SyntaxRewriter):
    """Rewrites Rust source."""

    language = Language(tree_sitter_rust.language())
    strings = kinds("string_literal raw_string_literal")
    comments = kinds("line_comment block_comment")
    openings = re.compile(rb"(?:b|c)?r?(?P<hashes>#*)(?P<quote>\")")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read the variable, or panic; leaked, unless the value becomes an owned string at once."""
        owned = _value(variable)
        if _OWNED.match(file.content, literal.node.end_byte) or _is_from(literal.node, file):
            return owned
        leaked = b"&*" + owned + b".leak()"
        return b"(" + leaked + b")" if _USED.match(file.content, literal.node.end_byte) else leaked

    def closing(self, opening: re.Match[bytes]) -> bytes:
        """A raw string ends with as many hashes as it began with."""
        return opening["quote"] + opening["hashes"]

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Rust's escapes (reference, string literals)."""
        if b"r" in literal.opening:
            return raw
        return None if re.search(rb"\\\r?\n", raw) else unescaped(raw, b"ntr\\\"'0xu")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse constants, patterns, attributes, byte strings and the arguments of most macros."""
        node = literal.node
        if literal.opening[:1] in (b"b", b"c"):
            yield Refusal("it is a byte or C string", BY_HAND)
        if within(node, kinds("const_item static_item"), frozenset({"block"})):
            yield Refusal(
                "a constant can't be read at run time", "make it a std::sync::LazyLock, then run migrate again"
            )
        if within(node, kinds("match_pattern attribute_item inner_attribute_item extern_crate_declaration")):
            yield Refusal("a pattern or an attribute must be a constant", CONSTANT)
        if not _is_value(node, file):
            yield Refusal("a macro sees its text, not its value", BY_HAND)

    def joined(self, literal: Literal, target: Target, read: bytes, file: File) -> tuple[Edit, ...]:
        """Concatenate the pieces, and leak the result."""
        node = literal.node
        before, after = literal.closing + b", &", b", " + literal.opening
        if node.parent is not None and node.parent.type == "field_expression":
            ends = (Edit(node.start_byte, node.start_byte, b"["), Edit(node.end_byte, node.end_byte, b"].concat()"))
        else:
            ends = (
                Edit(node.start_byte, node.start_byte, b"&*["),
                Edit(node.end_byte, node.end_byte, b"].concat().leak()"),
            )
        return (ends[0], Edit(target.start, target.end, before + _value(target.variable) + after), ends[1])


def _value(variable: str) -> bytes:
    return f'std::env::var("{variable}").expect("{variable} is not set")'.encode()


def _is_from(node: Node, file: File) -> bool:
    return re.search(rb"String::from\(\s*\Z", file.content[: node.start_byte]) is not None


def _is_value(node: Node, file: File) -> bool:
    """Say whether the literal ``node`` is a value for all macros around it, which the grammar shows as tokens."""
    inner, tree = node, node.parent
    while tree is not None and tree.type == "token_tree":
        name = _macro_name(tree, file)
        if name in _FORMATTING:
            if not _stands_after_string(inner):
                return False
        elif (name and name not in _MACROS) or (not name and tree.children[0].type == "{"):
            return False  # code in braces may have patterns
        inner, tree = tree, tree.parent
    return True


def _stands_after_string(node: Node) -> bool:
    """Say whether a string, the format, comes before ``node``."""
    earlier = node.prev_sibling
    while earlier is not None and earlier.type != "string_literal":
        earlier = earlier.prev_sibling
    return earlier is not None


def _macro_name(tree: Node, file: File) -> bytes:
    """Name the macro whose arguments are ``tree``; empty where it is a group of tokens."""
    sign = tree.prev_sibling
    name = sign.prev_sibling if sign is not None and sign.type == "!" else None
    return file.content[name.start_byte : name.end_byte].rpartition(b":")[2] if name is not None else b""
