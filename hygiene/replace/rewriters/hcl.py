"""Terraform and HCL: ``var.NAME``, declared sensitive in the same file and given by ``TF_VAR_NAME``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import tree_sitter_hcl
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Rewrite, Style, Target
from hygiene.replace.rewriters.syntax import BY_HAND, Literal, Refusal, SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, enclosing_node, kinds

_FIXED = frozenset({b"terraform", b"backend", b"required_providers", b"variable"})
_WIRING = "it is read from {}; a module that is not the root gets it from its caller"


class Hcl(SyntaxRewriter):
    """Rewrites Terraform's files."""

    language = Language(tree_sitter_hcl.language())
    strings = kinds("string_lit quoted_template heredoc_template")
    comments = frozenset({"comment"})
    openings = re.compile(rb"(?P<quote>\")")

    def read(self, variable: str, literal: Literal, file: File, style: Style) -> bytes:
        """Refer to the input variable."""
        return f"var.{_input(variable, file)}".encode()

    def interpolation(self, variable: str, literal: Literal, file: File, style: Style) -> bytes | None:
        """Refer to it inside a template."""
        return b"${" + self.read(variable, literal, file, style) + b"}"

    def decode(self, raw: bytes, literal: Literal) -> bytes | None:
        """Decode HCL's escapes."""
        if re.search(rb"(?<!\$)\$\{|(?<!%)%\{", raw):
            return None
        raw = raw.replace(b"$${", b"${").replace(b"%%{", b"%{")
        return unescaped(raw, b'ntr\\"uU') if literal.opening else raw

    def literal(self, node: Node, file: File) -> Literal | None:
        """Take a string or a here-document apart."""
        if node.type == "heredoc_template":
            return Literal(node, b"", b"", node.start_byte, node.end_byte)
        return super().literal(node, file)

    def refusals(self, literal: Literal, file: File, whole: bool) -> Iterator[Refusal]:
        """Refuse where no expression may stand."""
        if file.path.endswith((".tfvars", ".auto.tfvars")):
            yield Refusal("a file of variables can't read others", "delete the line, and let TF_VAR_ give the value")
        attribute = enclosing_node(literal.node, frozenset({"attribute", "object_elem"}))
        if attribute is None:
            yield Refusal("it is the label of a block", BY_HAND)
        block = next((item for item in ancestors(literal.node) if item.type == "block"), None)
        if block is not None and file.content[block.start_byte : block.children[0].end_byte] in _FIXED:
            yield Refusal(
                "no expression may stand here", "delete the line; give the value by TF_VAR_ or -backend-config"
            )

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``, and declare the variables."""
        rewrite = super().rewrite(file, targets, style)
        changes = []
        for change in rewrite.changes:
            name = _input(change.target.variable, file)
            if change.uses != "variable":
                changes.append(change)
                continue
            variable = f"TF_VAR_{name}"
            changes.append(change._replace(environment=variable, grade=NEEDS_WIRING, reason=_WIRING.format(variable)))
        return rewrite._replace(changes=tuple(changes), shared=_declarations(file, changes))


def _input(variable: str, file: File) -> str:
    """Name the input variable; with the file's name, since all files of a folder share their variables."""
    stem = re.sub(r"\W+", "_", PurePosixPath(file.path).name.partition(".")[0]).lower()
    return f"{variable.lower()}_{stem}"


def _declarations(file: File, changes: Sequence[Change]) -> tuple[Edit, ...]:
    names = sorted({_input(change.target.variable, file) for change in changes if change.environment})
    blocks = [
        file.newline.join(
            [b"", b'variable "' + name.encode() + b'" {', b"  type      = string", b"  sensitive = true", b"}"]
        )
        for name in names
    ]
    if not blocks:
        return ()
    ends = file.content.endswith(b"\n")
    text = (b"" if ends else file.newline) + file.newline.join(blocks) + (file.newline if ends else b"")
    return (Edit(len(file.content), len(file.content), text),)
