"""Go: ``mustEnvConfig("NAME")``, a function added to the file (and named for it) that panics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import tree_sitter_go
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import File, Style
from hygiene.replace.rewriters.syntax import CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import enclosing_node, kinds, named_nodes, walk, within

_STRINGS = frozenset({"interpreted_string_literal", "raw_string_literal"})
_SPEC = frozenset({"const_spec"})
_BLOCK = frozenset({"block"})


class Go(SyntaxRewriter):
    """Rewrites Go source."""

    language = Language(tree_sitter_go.language())
    strings = _STRINGS
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?P<quote>[\"`])")
    enclosing = kinds(
        "expression_list argument_list keyed_element literal_element parenthesized_expression literal_value"
    )

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Call the helper."""
        return f'{_helper(file)}("{variable}")'.encode()

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode Go's escapes (specification, string literals); raw strings drop carriage returns."""
        if literal.opening == b"`":
            return raw.replace(b"\r", b"")
        return unescaped(raw, b"ntrbfva\\\"'x0uU", as_bytes=True)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse tags, import paths, and constants that are needed as constants."""
        node = literal.node
        if within(node, frozenset({"field_declaration"}), frozenset({"literal_value", "block"})):
            yield Refusal("it is the tag of a field", CONSTANT)
        if within(node, frozenset({"import_spec"})):
            yield Refusal("it is the path of an import", CONSTANT)
        spec = enclosing_node(node, _SPEC)
        if spec is None:
            return
        if _is_counted(spec, file):
            yield Refusal("the constants of its group are counted (iota, or repeated)", CONSTANT)
        for name in spec.children_by_field_name("name"):
            uses = list(named_nodes(self._parse(file), file, file.content[name.start_byte : name.end_byte]))
            if any(_needs_constant(use, spec) for use in uses):
                yield Refusal("another constant is made from it", CONSTANT)
            if within(spec, _BLOCK) and len(uses) < 2:
                yield Refusal("it is a constant that nothing uses, and Go refuses such a variable", "delete it")

    def relaxed(self, literal: Literal, file: File) -> tuple[Edit, ...]:
        """Make a constant a variable: alone, or with its group where all are strings, or taken out of its group."""
        spec = enclosing_node(literal.node, _SPEC)
        declaration = spec.parent if spec is not None else None
        if spec is None or declaration is None:
            return ()
        keyword = declaration.children[0]
        grouped = declaration.children[1].type == "("
        specs = [child for child in declaration.named_children if child.type == "const_spec"]
        if not grouped or all(_is_string(one) for one in specs):
            return (Edit(keyword.start_byte, keyword.end_byte, b"var"),)
        start = file.content.rfind(b"\n", 0, spec.start_byte) + 1
        start = start if not file.content[start : spec.start_byte].strip() else spec.start_byte
        gap = file.newline * 2
        return (
            Edit(start, spec.start_byte, b")" + gap + b"var "),
            Edit(spec.end_byte, spec.end_byte, gap + b"const ("),
        )

    def shared(self, root: Node, file: File, literals: Sequence[Literal], style: Style) -> tuple[Edit, ...]:
        """Add the helper and the import of ``os``."""
        helper = _helper(file)
        if f"func {helper}(".encode() in file.content:
            return ()
        imported, edits = _import(root, file)
        lines = [
            "",
            f"// {helper} gives the value of an environment variable, without which the program can't run.",
            f"func {helper}(name string) string {{",
            f"\tvalue, ok := {imported}.LookupEnv(name)",
            "\tif !ok {",
            '\t\tpanic(name + " is not set")',
            "\t}",
            "\treturn value",
            "}",
        ]
        ends = file.content.endswith(b"\n")
        text = (b"" if ends else file.newline) + file.newline.join(line.encode() for line in lines)
        end = len(file.content)
        return (*edits, Edit(end, end, text + (file.newline if ends else b"")))


def _helper(file: File) -> str:
    words = re.findall(r"[A-Za-z0-9]+", PurePosixPath(file.path).name.partition(".")[0])
    return "mustEnv" + "".join(word[:1].upper() + word[1:] for word in words)


def _is_string(spec: Node) -> bool:
    value = spec.child_by_field_name("value")
    return value is not None and all(child.type in _STRINGS for child in value.named_children)


def _is_counted(spec: Node, file: File) -> bool:
    group = spec.parent
    if group is None:
        return False
    specs = [child for child in group.named_children if child.type == "const_spec"]
    repeated = any(one.child_by_field_name("value") is None for one in specs)
    return repeated or (
        len(specs) > 1 and re.search(rb"\biota\b", file.content[group.start_byte : group.end_byte]) is not None
    )


def _needs_constant(use: Node, spec: Node) -> bool:
    other = enclosing_node(use, _SPEC)
    if other is not None and other != spec:
        return True
    return within(use, frozenset({"array_type"}), _BLOCK)


def _import(root: Node, file: File) -> tuple[str, tuple[Edit, ...]]:
    """Give the name under which ``os`` is imported, and what imports it."""
    declared = (node for node in root.named_children if node.type == "import_declaration")
    specs = [node for declaration in declared for node in walk(declaration) if node.type == "import_spec"]
    for spec in specs:
        path, name = spec.child_by_field_name("path"), spec.child_by_field_name("name")
        alias = file.content[name.start_byte : name.end_byte].decode() if name is not None else "os"
        if path is not None and file.content[path.start_byte : path.end_byte] == b'"os"' and alias not in "._":
            return alias, ()
    return "os", (_import_edit(root, specs, file),)


def _import_edit(root: Node, specs: Sequence[Node], file: File) -> Edit:
    grouped = next((spec for spec in specs if spec.parent is not None and spec.parent.type == "import_spec_list"), None)
    if grouped is not None and grouped.parent is not None:
        own = [spec for spec in specs if spec.parent == grouped.parent]
        later = next((spec for spec in own if _path(spec, file) > b'"os"'), None)
        indent = file.newline + b"\t"
        if later is None or b"." in _path(later, file).partition(b"/")[0]:
            place = (
                grouped.parent.children[0].end_byte
                if later is own[0]
                else (own[own.index(later) - 1] if later else own[-1]).end_byte
            )
            return Edit(place, place, indent + b'"os"')
        return Edit(later.start_byte, later.start_byte, b'"os"' + indent)
    last = specs[-1].parent if specs else next(child for child in root.children if child.type == "package_clause")
    place = last.end_byte if last is not None else 0
    return Edit(place, place, file.newline * (1 if specs else 2) + b'import "os"')


def _path(spec: Node, file: File) -> bytes:
    path = spec.child_by_field_name("path")
    return file.content[path.start_byte : path.end_byte] if path is not None else b""
