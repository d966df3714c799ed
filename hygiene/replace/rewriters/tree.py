"""Walking the trees that tree-sitter gives: what all rewriters with a grammar share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from tree_sitter import Language, Node, Parser

from hygiene.replace.rewriters.protocol import File


@lru_cache(maxsize=4)
def parsed(language: Language, content: bytes) -> Node:
    """Parse ``content``; the last few trees are kept, since a rewriter looks at a file more than once."""
    return Parser(language).parse(content).root_node


def kinds(words: str) -> frozenset[str]:
    """Give a set of node types from their names with spaces between."""
    return frozenset(words.split())


def enclosing_node(node: Node | None, types: frozenset[str]) -> Node | None:
    """Give the innermost of ``node`` and its ancestors that is of one of ``types``."""
    while node is not None and node.type not in types:
        node = node.parent
    return node


def ancestors(node: Node) -> Iterator[Node]:
    """Give the ancestors of ``node``, the nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def within(node: Node, types: frozenset[str], until: frozenset[str] = frozenset()) -> bool:
    """Say whether ``node`` has an ancestor of ``types`` before one of ``until``."""
    for ancestor in ancestors(node):
        if ancestor.type in types:
            return True
        if ancestor.type in until:
            return False
    return False


def walk(node: Node) -> Iterator[Node]:
    """Give ``node`` and all below it, in the order of the text."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def named_nodes(root: Node, file: File, name: bytes) -> Iterator[Node]:
    """Give the leaves of ``root`` that read ``name``."""
    for found in re.finditer(rb"(?<![\w$])%b(?![\w$])" % re.escape(name), file.content):
        node = root.descendant_for_byte_range(found.start(), found.end() - 1)
        if node is not None and (node.start_byte, node.end_byte) == found.span():
            yield node


def declared_name(node: Node, kinds_of_declaration: frozenset[str], file: File) -> bytes:
    """Give the name that the declaration around ``node`` gives to it, or nothing."""
    declaration = enclosing_node(node, kinds_of_declaration)
    name = declaration.child_by_field_name("name") if declaration is not None else None
    return file.content[name.start_byte : name.end_byte] if name is not None else b""


def indent_step(content: bytes, default: bytes) -> bytes:
    """Give what one level is indented by: as the first indented line of code is, or ``default``."""
    found = re.search(rb"(?m)^(\t|  (?:  )?)(?=[^\s*#/])", content)
    return found[1] if found else default
