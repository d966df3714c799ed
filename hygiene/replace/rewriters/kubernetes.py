"""Kubernetes Secrets: plain references under ``stringData``, or an ExternalSecret where the store has an operator.

What stands under ``data`` is base64. The decoded value is stored, so that a rotated one needs no encoding.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from hygiene.reference import Reference, parse_reference
from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Target
from hygiene.replace.rewriters.tree import ancestors
from hygiene.secret import Secret

_OPERATED = ("awssecrets", "vault", "openbao", "conjur")  # stores that the External Secrets Operator reads
_RENDERED = "apply a rendered copy: hygiene render {} | kubectl apply -f -"
_OPERATOR = "install the External Secrets Operator, and a SecretStore called hygiene in the namespace"
_PLAIN = re.compile(rb"[\x20-\x7e]+\Z")


class _Entry(NamedTuple):
    """One key of a Secret's data, on a line of its own."""

    key: str
    start: int  # of the line
    end: int  # after the line's end
    scalar: tuple[int, int]
    value: bytes


class KubernetesSecret(NamedTuple):
    """A Secret in a file: where its parts stand."""

    file: File
    data: Node  # the pair
    entries: tuple[_Entry, ...]
    facts: dict[str, Node]  # the pairs of the document by key

    def entry(self, target: Target) -> _Entry | None:
        """Give the key whose value ``target`` is."""
        return next(
            (one for one in self.entries if one.scalar[0] <= target.start and target.end <= one.scalar[1]), None
        )

    def changes(self, targets: Sequence[Target]) -> list[Change]:
        """Replace ``targets``, each in another key."""
        pairs = [(target, entry) for target in targets if (entry := self.entry(target)) is not None]
        references = [parse_reference(target.reference) for target, _ in pairs]
        whole = len(pairs) == len(self.entries)
        if whole and self._may_be_external() and all(one.scheme in _OPERATED for one in references):
            return self._external(pairs, references)
        return [
            self._change(target, entry, self._string_edits(target, entry, first, whole))
            for first, (target, entry) in _counted(pairs)
        ]

    def _change(self, target: Target, entry: _Entry, edits: tuple[Edit, ...], reason: str = "") -> Change:
        return Change(
            target,
            Secret(entry.value),
            edits,
            (entry.start, entry.end),
            entry.key,
            uses="reference",
            grade=NEEDS_WIRING,
            reason=reason or _RENDERED.format(self.file.path),
            written=entry.scalar,
        )

    def _string_edits(self, target: Target, entry: _Entry, first: bool, whole: bool) -> tuple[Edit, ...]:
        text = _quoted(target.reference, entry.value)
        if whole:
            key = self.data.named_children[0]
            return (Edit(key.start_byte, key.end_byte, b"stringData"), Edit(*entry.scalar, text))
        newline, end = self.file.newline, max(one.end for one in self.entries)
        line = self.file.content[entry.start : entry.scalar[0]] + text + newline
        indent = b" " * self.data.start_point.column
        return (
            Edit(entry.start, entry.end, b""),
            Edit(end, end, (indent + b"stringData:" + newline if first else b"") + line),
        )

    def _may_be_external(self) -> bool:
        kind = self.facts.get("type")
        opaque = kind is None or self._text(kind).endswith(b"Opaque")
        return (
            opaque
            and not {"stringData", "immutable"} & set(self.facts)
            and b"name:" in self._text(self.facts["metadata"])
        )

    def _external(self, pairs: Sequence[tuple[Target, _Entry]], references: Sequence[Reference]) -> list[Change]:
        """Turn the document into an ExternalSecret that makes the same Secret."""
        newline = self.file.newline.decode()
        head = [
            "spec:",
            "  secretStoreRef:",
            "    name: hygiene",
            "    kind: SecretStore",
            "  target:",
            f"    name: {self._name()}",
            "  data:",
        ]
        edits = [
            self._valued("apiVersion", b"external-secrets.io/v1"),
            self._valued("kind", b"ExternalSecret"),
            Edit(self.data.start_byte, self.entries[0].start, (newline.join(head) + newline).encode()),
        ]
        if "type" in self.facts:
            edits.append(_line_of(self.facts["type"], self.file))
        changes = []
        for number, ((target, entry), reference) in enumerate(zip(pairs, references, strict=True)):
            lines = [f"    - secretKey: {entry.key}", "      remoteRef:", f"        key: {reference.path}"]
            lines += [f"        property: {reference.field}"] if reference.field else []
            own = Edit(entry.start, entry.end, (newline.join(lines) + newline).encode())
            changes.append(self._change(target, entry, (*edits, own) if number == 0 else (own,), _OPERATOR))
        return changes

    def _valued(self, key: str, value: bytes) -> Edit:
        node = self.facts[key].named_children[1]
        return Edit(node.start_byte, node.end_byte, value)

    def _name(self) -> str:
        found = re.search(rb"(?m)^\s+name:\s*[\"']?([\w.\-]+)", self._text(self.facts["metadata"]))
        return found[1].decode() if found else "secret"

    def _text(self, node: Node) -> bytes:
        return self.file.content[node.start_byte : node.end_byte]


def kubernetes_secret(node: Node, file: File) -> KubernetesSecret | None:
    """Give the Secret under whose ``data`` the scalar ``node`` stands, if it does and all of it is understood."""
    pairs = [item for item in ancestors(node) if item.type == "block_mapping_pair"]
    if len(pairs) != 2 or _key(pairs[1], file) != "data" or pairs[1].parent is None:
        return None
    facts = {_key(pair, file): pair for pair in pairs[1].parent.named_children if pair.type == "block_mapping_pair"}
    if not {"apiVersion", "kind", "metadata"} <= set(facts) or _value(facts["kind"], file) != b"Secret":
        return None
    inner = pairs[0].parent
    entries = tuple(_entries(inner, file)) if inner is not None else ()
    named = [pair for pair in inner.named_children if pair.type != "comment"] if inner is not None else []
    return KubernetesSecret(file, pairs[1], entries, facts) if entries and len(entries) == len(named) else None


def _entries(mapping: Node, file: File) -> Iterator[_Entry]:
    for pair in mapping.named_children:
        if pair.type != "block_mapping_pair" or pair.child_by_field_name("value") is None:
            continue
        scalar = pair.named_children[-1]
        start = file.content.rfind(b"\n", 0, pair.start_byte) + 1
        end = file.content.find(b"\n", scalar.end_byte) + 1 or len(file.content)
        value = _decoded(_value(pair, file))
        if value is not None and not file.content[scalar.end_byte : end].strip():
            yield _Entry(_key(pair, file), start, end, (scalar.start_byte, scalar.end_byte), value)


def _decoded(text: bytes) -> bytes | None:
    try:
        value = base64.b64decode(text.strip(b"\"'"), validate=True)
    except binascii.Error:
        return None
    return value if _PLAIN.match(value) and not (b"'" in value and re.search(rb'["\\]', value)) else None


def _quoted(reference: str, value: bytes) -> bytes:
    """Quote the reference so that the value, put in its place, is one YAML string."""
    quote = '"' if b"'" in value else "'"
    return f"{quote}{reference}{quote}".encode()


def _key(pair: Node, file: File) -> str:
    key = pair.child_by_field_name("key")
    return file.content[key.start_byte : key.end_byte].decode(errors="replace").strip("\"'") if key is not None else ""


def _value(pair: Node, file: File) -> bytes:
    value = pair.child_by_field_name("value")
    return file.content[value.start_byte : value.end_byte] if value is not None else b""


def _line_of(node: Node, file: File) -> Edit:
    start = file.content.rfind(b"\n", 0, node.start_byte) + 1
    return Edit(start, file.content.find(b"\n", node.end_byte) + 1 or len(file.content), b"")


def _counted(pairs: Sequence[tuple[Target, _Entry]]) -> list[tuple[bool, tuple[Target, _Entry]]]:
    return [(number == 0, pair) for number, pair in enumerate(pairs)]
