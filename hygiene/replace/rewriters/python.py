"""Python: ``os.environ["NAME"]``, which raises KeyError when the variable is absent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

import tree_sitter_python
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import SETTINGS, File, Style, Target
from hygiene.replace.rewriters.syntax import CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, kinds, named_nodes, within

_FUTURE = "future_import_statement"
_IMPORTS = frozenset({"import_statement", "import_from_statement", _FUTURE})
_FORMATTED = re.compile(rb"[%{}]")
_NAMED = re.compile(rb"(?<!\\)((?:\\\\)*)\\N\{([^}]*)\}")
_OWN_NAME = b"_os"


class Python(SyntaxRewriter):
    """Rewrites Python source."""

    language = Language(tree_sitter_python.language())
    strings = frozenset({"string"})
    comments = frozenset({"comment"})
    openings = re.compile(rb"[rRbBfFuUtT]{0,2}(?P<quote>\"\"\"|'''|\"|')")
    joins_adjacent = "concatenated_string"
    enclosing = kinds(
        "argument_list assignment keyword_argument pair return_statement list tuple set "
        "parenthesized_expression default_parameter typed_default_parameter subscript expression_list yield "
        "lambda"
    )

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Read from ``os.environ``, or as an attribute of the settings module."""
        if style.kind == SETTINGS:
            text = f"{style.module.rpartition('.')[2]}.{variable}".encode()
        else:
            quote = literal.own_quote(file)
            text = self._os_name(file) + f".environ[{quote}{variable}{quote}]".encode()
        return text + (b".encode()" if _is_bytes(literal) else b"")

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Read inside an f-string, with the quote that it is not made of (needed before Python 3.12)."""
        if b"f" not in literal.opening.lower():
            return None
        quote = b"'" if b'"' in literal.closing else b'"'
        return b"{" + re.sub(rb"[\"']", quote, self.read(variable, literal, file, style)) + b"}"

    def joined(self, literal: Literal, target: Target, read: bytes, file: File) -> tuple[Edit, ...]:
        """Replace a part; a quote right before it would run into the three that end the first part."""
        edits = super().joined(literal, target, read, file)
        quote = literal.closing[:1]
        before = file.content[target.start - 1 : target.start]
        if len(literal.closing) == 1 or before != quote or target.start == literal.start:
            return edits
        first = next(edit for edit in edits if edit.start == target.start)
        escaped = Edit(target.start - 1, first.end, b"\\" + quote + first.replacement)
        return tuple(escaped if edit == first else edit for edit in edits)

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Python's escapes (reference manual 2.5.1)."""
        prefix = literal.opening.lower()
        if b"r" in prefix:
            return raw
        if b"f" in prefix and (b"{" in raw or b"}" in raw):
            return None
        as_bytes = _is_bytes(literal)
        named = raw if as_bytes else _without_names(raw)
        if named is None:
            return None
        known = b"ntrbfva\\'\"x0\n\r" + (b"" if as_bytes else b"uU")
        return unescaped(named, known, keep_unknown=True, as_bytes=as_bytes)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse patterns, annotations and templates whose format the value could break."""
        node = literal.node
        if within(node, frozenset({"case_pattern"}), frozenset({"block"})):
            yield Refusal("a pattern of a case must be a constant", CONSTANT)
        if within(node, frozenset({"type"}), frozenset({"block"})) or _is_literal_type(node, file):
            yield Refusal("a type annotation must be a constant", CONSTANT)
        if b"b" in literal.opening.lower() and b"f" in literal.opening.lower():
            yield Refusal("it is not a string that Python knows", "repair the literal")
        if not whole and _is_template(node, file) and _FORMATTED.search(literal.raw(file)):
            yield Refusal(
                "the string is a template, and a value with % or braces would change what it means",
                "pass the secret as one more argument of the template",
            )

    def is_text(self, node: Node, file: File) -> bool:
        """Say whether the string is a docstring, or stands for itself."""
        parent = node.parent
        if parent is not None and parent.type == self.joins_adjacent:
            parent = parent.parent
        return parent is not None and parent.type == "expression_statement"

    def shared(self, root: Node, file: File, literals: Sequence[Literal], style: Style) -> tuple[Edit, ...]:
        """Add the import, after the docstring and ``from __future__``, unless it is there."""
        if style.kind == SETTINGS:
            package, _, name = style.module.rpartition(".")
            line = f"from {package} import {name}" if package else f"import {name}"
        else:
            name = self._os_name(file).decode()
            line = "import os" if name == "os" else f"import os as {name}"
        statements = [child for child in root.named_children if child.type != "comment"]
        first = min(literal.start for literal in literals)
        if any(
            node.end_byte <= first and file.content[node.start_byte : node.end_byte].decode() == line
            for node in statements
        ):
            return ()
        return (_import_edit(statements, line.encode(), file),)

    def _os_name(self, file: File) -> bytes:
        root = self._parse(file)
        taken = any(node.type == "identifier" and _binds(node) for node in named_nodes(root, file, b"os"))
        return _OWN_NAME if taken else b"os"


def _binds(node: Node) -> bool:
    """Say whether the identifier ``node`` is given another meaning than that of the module ``os``."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in ("parameters", "typed_parameter", "lambda_parameters", "for_statement", "as_pattern_target"):
        return parent.type != "for_statement" or parent.child_by_field_name("left") == node
    if parent.type in ("assignment", "default_parameter", "typed_default_parameter", "named_expression"):
        return node in (parent.child_by_field_name("left"), parent.child_by_field_name("name"))
    if parent.type in ("function_definition", "class_definition", "aliased_import", "pattern_list"):
        return parent.type == "pattern_list" or node in (
            parent.child_by_field_name("name"),
            parent.child_by_field_name("alias"),
        )
    return parent.type == "dotted_name" and parent.parent is not None and parent.parent.type == "import_from_statement"


def _import_edit(statements: Sequence[Node], line: bytes, file: File) -> Edit:
    rest = list(statements)
    previous: Node | None = None
    if rest and rest[0].type == "expression_statement" and rest[0].named_children[0].type.endswith("string"):
        previous = rest.pop(0)
    while rest and rest[0].type == _FUTURE:
        previous = rest.pop(0)
    if not rest:
        place = previous.end_byte if previous is not None else len(file.content)
        return Edit(place, place, file.newline + line)
    following = rest[0]
    start = _line_start(file.content, following.start_byte)
    if previous is not None and start <= previous.start_byte:
        return Edit(following.start_byte, following.start_byte, line + b"; ")
    block = line + file.newline
    if following.type not in _IMPORTS:
        block += file.newline
        start = _above_comments(file.content, start, previous.end_byte if previous is not None else 0)
    return Edit(start, start, block)


def _above_comments(content: bytes, start: int, floor: int) -> int:
    """Step over the comment lines right above ``start``, which belong to the statement there."""
    while start > floor:
        above = _line_start(content, start - 1)
        line = content[above:start].strip()
        if above < floor or not line.startswith(b"#") or line.startswith(b"#!") or b"coding" in line:
            break
        start = above
    return start


def _line_start(content: bytes, offset: int) -> int:
    return content.rfind(b"\n", 0, offset) + 1


def _is_bytes(literal: Literal) -> bool:
    return b"b" in literal.opening.lower()


def _without_names(raw: bytes) -> bytes | None:
    r"""Write ``\N{BULLET}`` as the character that it names; None where there is no such name."""
    try:
        return _NAMED.sub(lambda found: found[1] + unicodedata.lookup(found[2].decode()).encode(), raw)
    except (KeyError, UnicodeDecodeError):
        return None


def _is_literal_type(node: Node, file: File) -> bool:
    subscript = next((item for item in ancestors(node) if item.type in ("subscript", "generic_type")), None)
    if subscript is None or not subscript.children:
        return False
    head = subscript.children[0]
    return file.content[head.start_byte : head.end_byte].rpartition(b".")[2] in (b"Literal", b"Annotated")


def _is_template(node: Node, file: File) -> bool:
    outer = node.parent if node.parent is not None and node.parent.type == "concatenated_string" else node
    parent = outer.parent
    while parent is not None and parent.type == "parenthesized_expression":
        outer, parent = parent, parent.parent
    if parent is None:
        return False
    if parent.type == "binary_operator":
        operator, left = parent.child_by_field_name("operator"), parent.child_by_field_name("left")
        return operator is not None and operator.type == "%" and left == outer
    if parent.type == "attribute":
        name = parent.child_by_field_name("attribute")
        return name is not None and file.content[name.start_byte : name.end_byte] in (b"format", b"format_map")
    return False
