"""Jupyter notebooks: code cells like Python files, everything else (outputs, text) like prose."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.hints import placeholder
from hygiene.replace.rewriters.json import Json
from hygiene.replace.rewriters.protocol import Change, File, Rewrite, Skip, Style, Target
from hygiene.replace.rewriters.python import Python
from hygiene.replace.rewriters.tree import ancestors, enclosing_node, walk

_PIECE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)
_IS_PYTHON = re.compile(rb'"(?:language|name)"\s*:\s*"python')
_OTHER = ("the notebook is not in Python", "read the value from the environment variable by hand")


class _Cell(NamedTuple):
    """The source of a code cell: its text, and where each byte of it stands in the file."""

    node: Node
    text: bytes
    places: tuple[int, ...]  # of each byte of the text in the file, and one more for the end

    def target(self, target: Target) -> Target:
        """Give the target in the cell's text."""
        return target._replace(start=bisect_left(self.places, target.start), end=bisect_left(self.places, target.end))

    def edit(self, edit: Edit) -> Edit:
        """Give an edit of the cell's text as one of the file."""
        end = (
            self.places[edit.end - 1] + self._width(edit.end - 1) if edit.end > edit.start else self.places[edit.start]
        )
        text = json.dumps(edit.replacement.decode(), ensure_ascii=False)[1:-1].encode()
        return Edit(self.places[edit.start], end, text)

    def _width(self, index: int) -> int:
        following = self.places[index + 1]
        return min(following - self.places[index], 12)


class Notebook(Json):
    """Rewrites ``.ipynb`` files."""

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``; a cell's import stands in that cell."""
        root = self._parse(file)
        cells: dict[int, tuple[_Cell, list[Target]]] = {}
        outcomes: list[Change | Skip] = []
        shared: list[Edit] = []
        for target in targets:
            cell = _cell(root, target, file)
            if cell is None:
                outcomes.append(self.change(target, file))
            elif not _IS_PYTHON.search(file.content):
                outcomes.append(Skip(target, *_OTHER))
            else:
                cells.setdefault(cell.node.start_byte, (cell, []))[1].append(target)
        for cell, own in cells.values():
            changes, more = _rewritten(cell, own, file, style)
            outcomes += changes
            shared += more
        outcomes.sort(key=lambda outcome: outcome.target.start)
        changes_only = tuple(item for item in outcomes if isinstance(item, Change))
        return Rewrite(changes_only, tuple(item for item in outcomes if isinstance(item, Skip)), tuple(shared))

    def value_change(self, target: Target, file: File, node: Node) -> Change | Skip:
        """Replace a target in an output, a text or metadata."""
        return placeholder(target, file, (node.start_byte, node.end_byte))


def _rewritten(
    cell: _Cell, targets: Sequence[Target], file: File, style: Style
) -> tuple[list[Change | Skip], list[Edit]]:
    owner = {cell.target(target): target for target in targets}
    result = Python().rewrite(File(file.path, cell.text), list(owner), style)
    outcomes: list[Change | Skip] = [skip._replace(target=owner[skip.target]) for skip in result.skips]
    for change in result.changes:
        target = owner[change.target]
        string = enclosing_node(
            cell.node.descendant_for_byte_range(target.start, target.end - 1), frozenset({"string"})
        )
        scope = (string.start_byte, string.end_byte) if string is not None else (target.start, target.end)
        edits = tuple(cell.edit(edit) for edit in change.edits)
        outcomes.append(change._replace(target=target, edits=edits, scope=scope))
    return outcomes, [cell.edit(edit) for edit in result.shared]


def _cell(root: Node, target: Target, file: File) -> _Cell | None:
    """Give the code cell in whose source the target stands."""
    node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1))
    for ancestor in ancestors(node) if node is not None else ():
        if ancestor.type != "pair" or file.content[ancestor.start_byte :].partition(b":")[0].strip() != b'"source"':
            continue
        whole = ancestor.parent
        text = file.content[whole.start_byte : whole.end_byte] if whole is not None else b""
        value = ancestor.named_children[-1]
        return _read(value, file) if re.search(rb'"cell_type"\s*:\s*"code"', text) else None
    return None


def _read(value: Node, file: File) -> _Cell | None:
    text, places = bytearray(), []
    end = value.start_byte
    for string in (node for node in walk(value) if node.type == "string"):
        end = string.end_byte - 1
        for piece in _PIECE.finditer(file.content, string.start_byte + 1, end):
            decoded = unescaped(piece.group(), b'ntrbf\\"/u')
            if decoded is None:
                return None
            text += decoded
            places += [piece.start()] * len(decoded)
    return _Cell(value, bytes(text), (*places, end))
