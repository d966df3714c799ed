"""JavaScript and TypeScript on Node: ``requireEnv("NAME")``, a function added to the file that throws.

``process.env.NAME`` alone would give ``undefined``. What a bundler puts into a browser can't be kept secret by
any rewrite: such files are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import SETTINGS, Change, File, Style, Target
from hygiene.replace.rewriters.syntax import BY_HAND, CONSTANT, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import indent_step, kinds, walk, within

_HELPERS = ("requireEnv", "readRequiredEnv")
_THROWS = b"is not set`)"
_BROWSER = Refusal(
    "the file is made for a browser, and whatever is bundled there can be read by everyone",
    "move the call that needs the secret to a server, and rotate the secret",
)
_BROWSER_PACKAGES = re.compile(
    rb"""(?:from\s*|require\(\s*|import\s*)["'](?:react|react-dom|preact|vue|svelte|jquery|@angular/[\w/-]+|next/[\w-]+)["']"""
)
_BROWSER_OBJECTS = re.compile(
    rb"\b(?:document\.(?:get|query|create|body|cookie|add)|window\.\w|localStorage\.|\$\(document\))"
)
_NODE_SIGNS = re.compile(rb"""\bprocess\.|\brequire\(|\bmodule\.exports|\b__dirname\b|["']node:|\bDeno\.|\bBun\.""")
_TYPES = kinds("literal_type type_annotation type_alias_declaration interface_declaration type_arguments union_type")
_FUNCTIONS = frozenset({"statement_block", "class_body"})


class JavaScript(SyntaxRewriter):
    """Rewrites JavaScript and JSX."""

    language = Language(tree_sitter_javascript.language())
    strings = frozenset({"string", "template_string"})
    comments = frozenset({"comment", "html_comment", "hash_bang_line"})
    openings = re.compile(rb"(?P<quote>[\"'`])")
    enclosing = kinds(
        "arguments variable_declarator assignment_expression pair return_statement array "
        "parenthesized_expression template_substitution computed_property_name assignment_pattern "
        "field_definition"
    )
    signature = "(name)"

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Call the helper, or read the settings module."""
        quote = literal.own_quote(file)
        text = f"{_helper_name(file)}({quote}{variable}{quote})"
        if style.kind == SETTINGS:
            text = f"{_module_name(style)}.{variable}"
        parent = literal.node.parent
        if parent is not None and parent.type == "jsx_attribute":
            text = "{" + text + "}"
        elif parent is not None and parent.type == "pair" and parent.child_by_field_name("key") == literal.node:
            text = "[" + text + "]"
        return text.encode()

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Read inside a template string."""
        if literal.opening != b"`":
            return None
        return b"${" + self.read(variable, literal, file, style) + b"}"

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode the escapes of ECMA-262, 12.9.4; an unknown one stands for its letter."""
        if literal.opening == b"`" and b"${" in raw:
            return None
        return unescaped(_own_letters(raw), b"ntrbfv\\'\"`$ux0\n\r/")

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse browser code, types, module names, enum members and tagged templates."""
        parent = literal.node.parent
        kind = parent.type if parent is not None else ""
        if is_for_browsers(file):
            yield _BROWSER
        if within(literal.node, _TYPES, _FUNCTIONS):
            yield Refusal("a type must be a constant", CONSTANT)
        if kind in ("enum_assignment", "enum_body") or within(literal.node, frozenset({"enum_body"}), _FUNCTIONS):
            yield Refusal("a member of an enum must be a constant", CONSTANT)
        if kind in ("import_statement", "export_statement", "import_attribute", "import_require_clause"):
            yield Refusal("it is the name of a module", BY_HAND)
        if kind in ("as_expression", "satisfies_expression") and b"const" in _after(literal, file):
            yield Refusal("'as const' needs a constant", CONSTANT)
        if kind == "call_expression" and literal.opening == b"`":
            yield Refusal("a tagged template sees its text apart from its values", BY_HAND)
        if kind == "expression_statement" and literal.opening != b"`":
            yield Refusal("it stands where a directive stands", "remove the statement")
        if (
            not whole
            and literal.opening != b"`"
            and ((kind == "pair" and _is_key(literal.node)) or kind == "jsx_attribute")
        ):
            yield Refusal("only a whole key or attribute can be computed here", BY_HAND)

    def shared(self, root: Node, file: File, literals: Sequence[Literal], style: Style) -> tuple[Edit, ...]:
        """Add the helper after all else (functions are hoisted), or the import of the settings module."""
        if style.kind == SETTINGS:
            return _settings_import(root, file, style)
        helper = _helper_name(file)
        if any(_declares(node, file, helper) for node in root.named_children):
            return ()
        end, indent = _end(file), indent_step(file.content, b"  ").decode()
        value = "Deno.env.get(name)" if b"Deno." in file.content else "process.env[name]"
        lines = [
            f"function {helper}{self.signature} {{",
            f"{indent}const value = {value}{end}",
            f"{indent}if (value === undefined) throw new Error(`${{name}} is not set`){end}",
            f"{indent}return value{end}",
            "}",
        ]
        final = file.newline if file.content.endswith(b"\n") else b""
        start = b"" if final else file.newline
        text = start + file.newline + file.newline.join(line.encode() for line in lines) + final
        return (Edit(len(file.content), len(file.content), text),)

    def unquoted(self, node: Node, target: Target, file: File, style: Style) -> Change | Refusal:
        """Refuse what stands in JSX text, regular expressions and numbers."""
        if is_for_browsers(file):
            return _BROWSER
        return Refusal("it does not stand in a string", BY_HAND)


class TypeScript(JavaScript):
    """Rewrites TypeScript."""

    language = Language(tree_sitter_typescript.language_typescript())
    signature = "(name: string): string"


class Tsx(TypeScript):
    """Rewrites TypeScript with JSX."""

    language = Language(tree_sitter_typescript.language_tsx())


def _end(file: File) -> str:
    """Give what the file ends its statements with: a semicolon, or nothing."""
    lines = [line.rstrip() for line in file.content.splitlines()]
    closed = sum(line.endswith(b";") for line in lines)
    open_ = sum(line.endswith((b")", b"'", b'"', b"`")) for line in lines)
    return "" if open_ > 3 * closed else ";"


def is_for_browsers(file: File) -> bool:
    """Say whether the file looks like code for a browser."""
    content = file.content
    if file.path.endswith((".jsx", ".tsx", ".vue", ".svelte")) or _BROWSER_PACKAGES.search(content):
        return True
    return bool(_BROWSER_OBJECTS.search(content)) and not _NODE_SIGNS.search(content)


def _own_letters(raw: bytes) -> bytes:
    r"""Drop the backslash before letters that mean nothing after one: ``\!`` is ``!``."""
    return re.sub(rb"\\([^ntrbfv\\'\"`$ux0-7\n\r/])|(\\.)", lambda match: match[1] or match[2], raw, flags=re.DOTALL)


def _is_key(node: Node) -> bool:
    return node.parent is not None and node.parent.child_by_field_name("key") == node


def _after(literal: Literal, file: File) -> bytes:
    parent = literal.node.parent
    return file.content[literal.node.end_byte : parent.end_byte] if parent is not None else b""


def _helper_name(file: File) -> str:
    """Give the helper's name: another one where the first means something else in this file."""
    first = _HELPERS[0].encode()
    ours = b"function " + first + b"(name"
    return _HELPERS[0 if (ours in file.content and _THROWS in file.content) or first not in file.content else 1]


def _declares(node: Node, file: File, helper: str) -> bool:
    name = node.child_by_field_name("name")
    text = file.content[name.start_byte : name.end_byte] if name is not None else b""
    return node.type == "function_declaration" and text == helper.encode()


def _module_name(style: Style) -> str:
    return re.sub(r"\W", "_", style.module.rpartition("/")[2].partition(".")[0]) or "settings"


def _settings_import(root: Node, file: File, style: Style) -> tuple[Edit, ...]:
    name = _module_name(style)
    modules = any(node.type in ("import_statement", "export_statement") for node in root.named_children)
    line = f'import * as {name} from "{style.module}";' if modules else f'const {name} = require("{style.module}");'
    if line.encode() in file.content:
        return ()
    place = 0
    for node in walk(root):
        if node.parent == root and node.type not in ("comment", "hash_bang_line"):
            place = (
                node.start_byte if b"use strict" not in file.content[node.start_byte : node.end_byte] else node.end_byte
            )
            break
    before = file.newline if place and file.content[place - 1 : place] != b"\n" else b""
    return (Edit(place, place, before + line.encode() + (b"" if before else file.newline)),)
