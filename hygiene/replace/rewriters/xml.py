"""XML, property lists and the like: a reference in the text or attribute; Maven's settings read the environment."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import tree_sitter_xml
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import Change, File, Skip, Target
from hygiene.replace.rewriters.rendered import GrammarFormat, referenced
from hygiene.replace.rewriters.tree import enclosing_node, kinds
from hygiene.secret import Secret

_MAVEN = ("settings.xml", "pom.xml")
_ENTITY = re.compile(rb"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);")


class Xml(GrammarFormat):
    """Rewrites XML."""

    language = Language(tree_sitter_xml.language_xml())
    scalars = kinds("AttValue CharData CData")
    comments = frozenset({"Comment"})

    def change(self, target: Target, file: File) -> Change | Skip:
        """Replace a target in text, with entities in it or not, or in an attribute."""
        root = self._parse(file)
        node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1)) or root
        if node.type == "content" and b"<" not in file.content[target.start : target.end]:
            return referenced(target, file, (target.start, target.end), _name(node, file))
        return super().change(target, file)

    def value_change(self, target: Target, file: File, node: Node) -> Change | Skip:
        """Replace a target in text or in an attribute."""
        scope = (node.start_byte, node.end_byte)
        hint = _name(node, file)
        raw = file.content[target.start : target.end]
        if PurePosixPath(file.path).name in _MAVEN and not _ENTITY.search(raw):
            edit = Edit(target.start, target.end, f"${{env.{target.variable}}}".encode())
            return Change(target, Secret(raw), (edit,), scope, hint)
        return referenced(target, file, scope, hint)

    def is_key(self, node: Node) -> bool:
        """Values and text are no keys."""
        return False


def _name(node: Node, file: File) -> str:
    """Give the name of the attribute or element; of a property list's pair, its key."""
    text = file.content
    element = enclosing_node(node, kinds("Attribute element"))
    names = [
        child
        for child in (
            element.children[0].children
            if element and element.type == "element"
            else element.children
            if element
            else []
        )
        if child.type == "Name"
    ]
    name = text[names[0].start_byte : names[0].end_byte].decode(errors="replace") if names else ""
    line = text.rfind(b">", 0, (element or node).start_byte)
    before = text[max(0, line - 200) : (element or node).start_byte]
    key = re.search(rb"<key>([^<]+)</key>\s*\Z", before) or re.search(
        rb"(?:name|key)=\"([^\"]+)\"[^<>]*\Z", text[max(0, node.start_byte - 200) : node.start_byte]
    )
    return key[1].decode(errors="replace") if key else name
