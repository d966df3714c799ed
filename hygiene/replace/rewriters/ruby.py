"""Ruby: ``ENV.fetch("NAME")``, which raises KeyError when the variable is absent."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_ruby
from tree_sitter import Language, Node

from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import BY_HAND, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, kinds, walk, within

_PAIRS = {b"(": b")", b"[": b"]", b"{": b"}", b"<": b">"}


class Ruby(SyntaxRewriter):
    """Rewrites Ruby source."""

    language = Language(tree_sitter_ruby.language())
    strings = kinds("string subshell heredoc_body bare_string bare_symbol delimited_symbol simple_symbol regex")
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?:%(?P<kind>[qQ]?)(?P<open>[^\w\s])|(?P<quote>[\"'`]))")
    joins_adjacent = "chained_string"
    enclosing = kinds(
        "argument_list assignment pair array return parenthesized_statements optional_parameter interpolation"
    )

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Fetch from ``ENV``."""
        quote = literal.own_quote(file)
        return f"ENV.fetch({quote}{variable}{quote})".encode()

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Fetch inside a string that interpolates."""
        return f"#{{ENV.fetch('{variable}')}}".encode() if _interpolates(literal) else None

    def closing(self, opening: re.Match[bytes]) -> bytes:
        """Give the quote, or what closes ``%q(``."""
        return opening["quote"] or _PAIRS.get(opening["open"], opening["open"])

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take a string or a here-document apart."""
        if node.type == "heredoc_body":
            end = next((child.start_byte for child in node.children if child.type == "heredoc_end"), node.end_byte)
            return Literal(node, _heredoc_opening(node, file), b"", node.start_byte, end)
        if node.type == "regex":
            return Literal(node, b"", b"", node.start_byte, node.end_byte)
        return super().literal(node, file) if node.type in ("string", "subshell") else None

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Ruby's escapes."""
        if not _interpolates(literal):
            return re.sub(rb"\\([\\'])", rb"\1", raw)
        if b"#{" in raw:
            return None
        return unescaped(re.sub(rb"\\([^ntrbfvaesxuMCc0-7\n\\])", rb"\1", raw), b"ntrbfvaes\\\"'#x0u\n", as_bytes=True)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse raw here-documents, keys and patterns."""
        parent = literal.node.parent
        if literal.node.type == "regex":
            yield Refusal("it stands in a pattern", "make the pattern of the variable: Regexp.escape(ENV.fetch(…))")
        if literal.node.type == "heredoc_body" and b"'" in literal.opening:
            yield Refusal("a here-document with a quoted mark does not interpolate", "take the quotes off the mark")
        if parent is not None and parent.type == "pair" and _is_symbol_key(literal.node):
            yield Refusal("it is the key of a hash", BY_HAND)
        if within(literal.node, frozenset({"in_clause"}), frozenset({"then", "body_statement"})):
            yield Refusal("a pattern must be a literal", BY_HAND)


def _interpolates(literal: Literal) -> bool:
    return not (literal.opening.endswith(b"'") or literal.opening.startswith(b"%q"))


def _is_symbol_key(node: Node) -> bool:
    following = node.next_sibling
    return following is not None and following.type == ":"


def _heredoc_opening(body: Node, file: File) -> bytes:
    """Give the mark that began the here-document: ``<<~EOS``, quoted or not."""
    end = next(
        (file.content[child.start_byte : child.end_byte] for child in body.children if child.type == "heredoc_end"), b""
    )
    found = b""
    for ancestor in ancestors(body):
        for node in walk(ancestor):
            if node.type == "heredoc_beginning" and node.end_byte <= body.start_byte:
                text = file.content[node.start_byte : node.end_byte]
                found = text if end.strip() in text else found
        if found:
            break
    return found
