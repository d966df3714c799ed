"""How a place calls its secret: the variable, key, argument or option that the value is given to."""

from __future__ import annotations

import re

from tree_sitter import Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import Change, File, Target
from hygiene.replace.rewriters.tree import ancestors
from hygiene.secret import Secret

# What comes before a value in a connection string or in the query of an address.
_FIELD = re.compile(
    rb"[;?&](pass(?:word|wd)?|pwd|token|secret|(?:api|access|account|shared)?_?key) ?= ?\Z", re.IGNORECASE
)
_NAMED_FIELDS = ("left", "name", "key", "pattern", "declarator", "label")
_PLAIN = re.compile(r"[\"'`:@$\s]*([A-Za-z_][A-Za-z0-9_.\-]*)[\"'`\s:]*\Z")
_LEVELS = 6
_BODIES = re.compile(
    r"function|method|class|module|constructor|interface|object_definition|enum|lambda|source_file|program"
)


def placeholder(target: Target, file: File, scope: tuple[int, int]) -> Change:
    """Replace a target in prose or a comment by the variable's name in angle brackets."""
    value = Secret(file.content[target.start : target.end])
    edit = Edit(target.start, target.end, b"<" + target.variable.encode() + b">")
    before = file.content[max(0, target.start - 80) : target.start].rpartition(b"\n")[2]
    return Change(target, value, (edit,), scope, assigned_name(before), uses="nothing")


def assigned_name(before: bytes) -> str:
    """Guess how a line calls the value that follows ``before``: ``password = "`` gives ``password``."""
    found = re.search(rb"([A-Za-z_][A-Za-z0-9_.\-]*)[\"']?\]?\s*(?:=>|:=|=|:)\s*[^=:]{0,12}\Z", before)
    return found[1].decode() if found else ""


def part_hint(hint: str, before: bytes) -> str:
    """Say how a part of a literal is called: the secret of an address is no address."""
    in_address = re.search(rb"://[^/@\s]*:\Z", before)
    if hint and in_address:
        return f"{hint}_password"
    field = _FIELD.search(before)
    return f"{hint}_{field[1].decode()}" if hint and field else hint


def hint_of(node: Node, file: File) -> str:
    """Say how the code calls the value at ``node``: the variable, key or argument that it is given to."""
    child = node
    for _, ancestor in zip(range(_LEVELS), ancestors(node), strict=False):
        if _BODIES.search(ancestor.type):
            break
        for field in _NAMED_FIELDS:
            named = ancestor.child_by_field_name(field)
            if named is not None and named.end_byte <= child.start_byte:
                plain = _PLAIN.match(file.content[named.start_byte : named.end_byte].decode(errors="replace"))
                if plain:
                    return plain[1]
        child = ancestor
    line = file.content.rfind(b"\n", 0, node.start_byte) + 1
    return assigned_name(file.content[line : node.start_byte] + b'"')
