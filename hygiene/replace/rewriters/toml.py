"""TOML: a reference in the string."""

from __future__ import annotations

import tree_sitter_toml
from tree_sitter import Language

from hygiene.replace.rewriters.rendered import GrammarFormat
from hygiene.replace.rewriters.tree import kinds


class Toml(GrammarFormat):
    """Rewrites TOML."""

    language = Language(tree_sitter_toml.language())
    scalars = kinds("string quoted_key")
    comments = frozenset({"comment"})

    def is_key(self, node: object) -> bool:
        """Say whether the string is a quoted key."""
        return getattr(node, "type", "") == "quoted_key"
