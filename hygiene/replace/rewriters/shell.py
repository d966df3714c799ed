"""Shell: ``"${NAME:?NAME is not set}"``, which stops the script when the variable is absent (POSIX 2.6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_bash
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import splits_escape, unescaped
from hygiene.replace.rewriters.hints import assigned_name, hint_of, placeholder
from hygiene.replace.rewriters.protocol import Change, File, Style, Target
from hygiene.replace.rewriters.syntax import BY_HAND, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, enclosing_node, within
from hygiene.secret import Secret

_WORDS = frozenset({"word", "number", "variable_name", "extglob_pattern", "special_variable_name"})
_HEREDOCS = frozenset({"heredoc_body", "heredoc_content"})
_COMMAND, _ASSIGNMENT = frozenset({"command"}), frozenset({"variable_assignment"})
_EXPANDS = re.compile(rb"(?<!\\)[$`]")
_WORD_SPECIAL = re.compile(rb"[$`*?\[\]{}]|^~")
_VALUE_SPECIAL = re.compile(rb"[$`]|^~")
_UNESCAPED_IN_STRING = re.compile(rb"\\([\\$`\"]|\n)")


class Shell(SyntaxRewriter):
    """Rewrites sh, bash and what is near to them."""

    language = Language(tree_sitter_bash.language())
    strings = frozenset({"string", "raw_string", "ansi_c_string", "translated_string"}) | _WORDS | _HEREDOCS
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?:\$?(?P<quote>['\"]))?")
    unreadable = Refusal("the shell expands a part of it", "quote the value, then run migrate again")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Expand the variable, or stop."""
        return f"${{{variable}:?{variable} is not set}}".encode()

    def closing(self, opening: re.Match[bytes]) -> bytes:
        """Words have no quotes."""
        return opening["quote"] or b""

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Remove the quoting that the shell removes (POSIX 2.2)."""
        if literal.opening == b"'":
            return raw
        if literal.opening == b"$'":
            return unescaped(raw, b"ntrbfvae\\'\"x0uU")
        if literal.opening.endswith(b'"') or literal.node.type in _HEREDOCS:
            return None if _EXPANDS.search(raw) else _UNESCAPED_IN_STRING.sub(_escaped_in_string, raw)
        special = _VALUE_SPECIAL if _is_assigned(literal.node) else _WORD_SPECIAL
        plain = re.sub(rb"\\.", b"", raw, flags=re.DOTALL)
        return None if special.search(plain) else re.sub(rb"\\(.)", rb"\1", raw, flags=re.DOTALL)

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take a quoted string, a word or a here-document apart."""
        if node.type in _WORDS | _HEREDOCS:
            return Literal(node, b"", b"", node.start_byte, node.end_byte)
        return super().literal(node, file)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse quoted here-documents, names and patterns."""
        node = literal.node
        if node.type in _HEREDOCS and _is_quoted_heredoc(node, file):
            yield Refusal(
                "a here-document with a quoted mark does not expand variables",
                "take the quotes off the mark and escape $, ` and \\ in its text",
            )
        if node.type == "variable_name" or (within(node, frozenset({"command_name"})) and whole):
            yield Refusal("it is the name of a variable or command", BY_HAND)
        if within(node, frozenset({"arithmetic_expansion", "regex", "function_name"})):
            yield Refusal("it stands in an arithmetic expression or a pattern", BY_HAND)

    def splits(self, literal: Literal, target: Target, file: File) -> bool:
        """Say whether the target begins or ends inside an escape."""
        if literal.opening == b"'":
            return False
        ends = (target.start, target.end)
        return any(splits_escape(file.content, literal.start, offset) for offset in ends)

    def _change(self, node: Node, target: Target, file: File, style: Style) -> tuple[Change, Literal | None] | Refusal:
        around = enclosing_node(node, self.strings | self.comments)
        if around is not None and around.type in self.comments:
            return placeholder(target, file, (around.start_byte, around.end_byte)), None
        if around is None:
            return self._spanning(node, target, file)
        outcome = super()._change(node, target, file, style)
        if isinstance(outcome, Refusal) or outcome[1] is None:
            return outcome
        return outcome[0]._replace(hint=_hint(outcome[1].node, file)), outcome[1]

    def _edits(
        self, literal: Literal, target: Target, file: File, style: Style, whole: bool
    ) -> tuple[Edit, ...] | Refusal:
        read = self.read(target.variable, literal, file, style)
        quoted = b'"' + read + b'"'
        if literal.opening.endswith(b'"') or literal.node.type in _HEREDOCS:
            return (Edit(target.start, target.end, read),)
        if not literal.opening:
            return (Edit(target.start, target.end, quoted),)
        start, before = target.start, literal.closing
        if target.start == literal.start:
            start, before = literal.node.start_byte, b""
        end, after = target.end, literal.opening
        if target.end == literal.end:
            end, after = literal.node.end_byte, b""
        return (Edit(start, end, before + quoted + after),)

    def _spanning(self, node: Node, target: Target, file: File) -> tuple[Change, Literal | None] | Refusal:
        """Replace a target that covers several words or plain pieces of one concatenation."""
        covers = node.type == "concatenation" and (node.start_byte, node.end_byte) == (target.start, target.end)
        raw = file.content[target.start : target.end]
        if not covers or re.search(rb"[$`\"'\\*?\[\]{}~]", raw):
            return Refusal("it does not stand in one string or word", BY_HAND)
        text = f'"${{{target.variable}:?{target.variable} is not set}}"'.encode()
        edit = Edit(target.start, target.end, text)
        return Change(target, Secret(raw), (edit,), (target.start, target.end), _hint(node, file)), None


def _escaped_in_string(match: re.Match[bytes]) -> bytes:
    return b"" if match[1] == b"\n" else match[1]


def _is_assigned(node: Node) -> bool:
    return any(ancestor.type == "variable_assignment" for ancestor in ancestors(node))


def _is_quoted_heredoc(node: Node, file: File) -> bool:
    for ancestor in ancestors(node):
        for child in ancestor.children:
            if child.type == "heredoc_start" and child.end_byte <= node.start_byte:
                return re.search(rb"['\"\\]", file.content[child.start_byte : child.end_byte]) is not None
        if ancestor.type == "heredoc_redirect":
            break
    return False


def _hint(node: Node, file: File) -> str:
    line = file.content[file.content.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
    option = re.search(rb"--?([A-Za-z][A-Za-z0-9\-]*)[= ]['\"]?\Z", line)
    if option:
        return option[1].decode()
    if within(node, _COMMAND, _ASSIGNMENT):
        return assigned_name(line)  # an argument is not called like its command
    return hint_of(node, file)
