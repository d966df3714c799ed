"""JSON: a reference in the string; in .NET's appsettings the environment variable that overrides it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import tree_sitter_json
from tree_sitter import Language, Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import Change, File, Skip, Target
from hygiene.replace.rewriters.rendered import GrammarFormat, referenced
from hygiene.replace.rewriters.tree import kinds
from hygiene.secret import Secret

_SETTINGS = re.compile(r"appsettings(?:\.\w+)?\.json\Z", re.IGNORECASE)
_STATE = "the state of Terraform can't be kept in git safely"


class Json(GrammarFormat):
    """Rewrites JSON, also with comments."""

    language = Language(tree_sitter_json.language())
    scalars = kinds("string number")
    comments = frozenset({"comment"})

    def change(self, target: Target, file: File) -> Change | Skip:
        """Replace a target in a string."""
        done = super().change(target, file)
        if isinstance(done, Skip) and file.path.endswith(".json5"):
            return Skip(target, "it stands in a form of JSON5 that JSON does not have", "write it in double quotes")
        return done

    def value_change(self, target: Target, file: File, node: Node) -> Change | Skip:
        """Replace a target in a string."""
        name = PurePosixPath(file.path).name
        if name.endswith((".tfstate", ".tfstate.backup")):
            return Skip(target, _STATE, "move the state to a remote backend, delete the file, and rotate the secret")
        if _SETTINGS.match(name):
            override = _override(self, target, file, node)
            if override is not None:
                return override
        return referenced(target, file, (node.start_byte, node.end_byte), self.hint(target, file, node))


def _override(form: Json, target: Target, file: File, node: Node) -> Change | None:
    """Let the variable ``Section__Key`` give the whole value, as ASP.NET's configuration does by default."""
    if node.type != "string" or any(ancestor == "array" for ancestor in _kinds_above(node)):
        return None
    start, end = node.start_byte + 1, node.end_byte - 1
    value = unescaped(file.content[start:end], b'ntrbf\\"/u')
    keys = form.keys(node, file)
    variable = "__".join(keys)
    if value is None or not re.fullmatch(r"[A-Za-z_]\w*", variable, re.ASCII):
        return None
    edit = Edit(start, end, target.reference.encode())
    scope = (node.start_byte, node.end_byte)
    return Change(target, Secret(value), (edit,), scope, variable, demanded=True, written=(start, end))


def _kinds_above(node: Node) -> list[str]:
    kinds_above = []
    parent = node.parent
    while parent is not None:
        kinds_above.append(parent.type)
        parent = parent.parent
    return kinds_above
