"""YAML: a reference in the scalar, or the interpolation of the program that the file is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import tree_sitter_yaml
from tree_sitter import Language, Node

from hygiene.replace.rewriters.hints import placeholder
from hygiene.replace.rewriters.kubernetes import KubernetesSecret, kubernetes_secret
from hygiene.replace.rewriters.protocol import Change, File, Rewrite, Skip, Style, Target, Token
from hygiene.replace.rewriters.rendered import NO_TEXT, referenced
from hygiene.replace.rewriters.scripts import Script, script_around
from hygiene.replace.rewriters.syntax import SyntaxRewriter
from hygiene.replace.rewriters.tree import ancestors, enclosing_node, parsed
from hygiene.replace.rewriters.yamlkinds import Scalar, interpolated

_LANGUAGE = Language(tree_sitter_yaml.language())
_SCALARS = frozenset({"plain_scalar", "double_quote_scalar", "single_quote_scalar", "block_scalar"})
_PAIRS = frozenset({"block_mapping_pair", "flow_pair"})
_NAME = re.compile(r"[\"']?([A-Za-z_][A-Za-z0-9_.\- /]*)[\"']?\Z")


class Yaml:
    """Rewrites YAML files."""

    def tokens(self, file: File) -> Iterator[Token]:
        """Give the leaves of the file in order."""
        return SyntaxRewriter.tokens(self, file)  # type: ignore[arg-type]

    def _parse(self, file: File) -> Node:
        return parsed(_LANGUAGE, file.content)

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets`` in scalars and comments."""
        root = self._parse(file)
        secrets: dict[int, tuple[KubernetesSecret, list[Target]]] = {}
        outcomes: list[Change | Skip] = []
        scripts: dict[int, tuple[Script, list[Target]]] = {}
        for target in targets:
            secret = _kubernetes(root, target, file)
            script = _script(root, target, file)
            if secret is not None:
                secrets.setdefault(secret.data.start_byte, (secret, []))[1].append(target)
            elif script is not None:
                scripts.setdefault(script.scalar.start_byte, (script, []))[1].append(target)
            else:
                outcomes.append(_changed(root, target, file))
        outcomes += [change for secret, own in secrets.values() for change in secret.changes(own)]
        outcomes += [outcome for script, own in scripts.values() for outcome in script.outcomes(own, file)]
        outcomes.sort(key=lambda outcome: outcome.target.start)
        return Rewrite(
            tuple(item for item in outcomes if isinstance(item, Change)),
            tuple(item for item in outcomes if isinstance(item, Skip)),
        )


def _kubernetes(root: Node, target: Target, file: File) -> KubernetesSecret | None:
    """Give the Kubernetes Secret that the target is a base64 value of."""
    if b"kind: Secret" not in file.content:
        return None
    node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1))
    scalar = enclosing_node(node, _SCALARS)
    secret = kubernetes_secret(scalar, file) if scalar is not None else None
    return secret if secret is not None and secret.entry(target) is not None else None


def _script(root: Node, target: Target, file: File) -> Script | None:
    """Give the shell script in which the target stands."""
    node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1))
    scalar = enclosing_node(node, _SCALARS)
    return script_around(scalar, file) if scalar is not None else None


def _changed(root: Node, target: Target, file: File) -> Change | Skip:
    node = root.descendant_for_byte_range(target.start, max(target.start, target.end - 1)) or root
    around = enclosing_node(node, _SCALARS | {"comment"})
    if around is None:
        # Templates (Helm, Jinja) are not YAML before they are rendered; the text is replaced all the same.
        if any(item.is_error or item.type == "ERROR" for item in (node, *ancestors(node))) or root.has_error:
            return referenced(target, file, (target.start, target.end), _line_key(file, target.start))
        return Skip(target, *NO_TEXT)
    if around.type == "comment":
        return placeholder(target, file, (around.start_byte, around.end_byte))
    if _is_key(around):
        return Skip(target, "it is the key of a mapping", "rename the key by hand")
    scalar = Scalar(around.type, around.start_byte, around.end_byte, _keys(around, file), _in_flow(around))
    special = interpolated(scalar, target, file)
    if special is not None:
        return special
    return referenced(target, file, (scalar.start, scalar.end), scalar.hint or _line_key(file, target.start))


def _is_key(node: Node) -> bool:
    child = node
    for ancestor in ancestors(node):
        if ancestor.type in _PAIRS:
            return ancestor.child_by_field_name("key") == child
        child = ancestor
    return False


def _keys(node: Node, file: File) -> tuple[str, ...]:
    """Give the keys that lead to ``node``, the outermost first."""
    keys = []
    for ancestor in ancestors(node):
        key = ancestor.child_by_field_name("key") if ancestor.type in _PAIRS else None
        if key is not None:
            found = _NAME.match(file.content[key.start_byte : key.end_byte].decode(errors="replace"))
            keys.append(found[1] if found else "")
    return tuple(reversed(keys))


def _in_flow(node: Node) -> bool:
    return any(ancestor.type in ("flow_mapping", "flow_sequence") for ancestor in ancestors(node))


def _line_key(file: File, offset: int) -> str:
    line = file.content[file.content.rfind(b"\n", 0, offset) + 1 : offset].decode(errors="replace")
    found = re.search(r"([A-Za-z_][A-Za-z0-9_.\-]*)[\"']?\s*[:=]\s*[\"']?[^:=]*\Z", line)
    return found[1] if found else ""
