"""YAML that a known program interpolates: compose, Spring, GitHub Actions, GitLab CI, Ansible, CloudFormation.

Each kind says by the path and content whether a file is its own, and which text reads a variable there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from hygiene.reference import parse_reference
from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.escapes import unescaped
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, SAFE, Change, File, Skip, Target
from hygiene.secret import Secret


class Scalar(NamedTuple):
    """Where in a YAML file a target stands."""

    kind: str  # plain_scalar, double_quote_scalar, single_quote_scalar, block_scalar
    start: int
    end: int
    keys: tuple[str, ...]  # that lead to it, the outermost first
    in_flow: bool

    @property
    def hint(self) -> str:
        """The nearest key."""
        return next((key for key in reversed(self.keys) if key), "")


class Kind(NamedTuple):
    """A program that reads YAML and interpolates variables."""

    is_own: Callable[[File], bool]
    text: Callable[[Target, Scalar], str | None]  # what to write; None leaves the place to a person
    grade: str
    reason: str  # for needs-wiring, with {variable}
    refusal: tuple[str, str]  # reason and advice where ``text`` gives None
    escaped: tuple[bytes, bytes] = (b"", b"")  # how the program writes its own sign: ``$$`` for ``$``


def interpolated(scalar: Scalar, target: Target, file: File) -> Change | Skip | None:
    """Replace ``target`` by what the file's program reads a variable with; None for plain YAML."""
    kind = next((kind for kind in _KINDS if kind.is_own(file)), None)
    if kind is None:
        return None
    text = kind.text(target, scalar)
    if text is None:
        return Skip(target, *kind.refusal)
    if not text:
        return None
    raw = file.content[target.start : target.end]
    value = _decoded(raw, scalar)
    edits = _fitted(text, scalar, target, file)
    if value is None or edits is None or b"\n" in raw:
        return Skip(
            target, "the scalar is written in a way that can't be kept", "quote the value and run migrate again"
        )
    if kind.escaped[0]:
        value = value.replace(*kind.escaped)
    reason = kind.reason.format(variable=target.variable)
    scope = (scalar.start, scalar.end)
    return Change(target, Secret(value), edits, scope, _hint(scalar, target, file), grade=kind.grade, reason=reason)


def _hint(scalar: Scalar, target: Target, file: File) -> str:
    before = file.content[scalar.start : target.start].decode(errors="replace")
    named = re.search(r"([A-Za-z_][A-Za-z0-9_]*)=[\"']?\Z", before)
    return named[1] if named else scalar.hint


def _decoded(raw: bytes, scalar: Scalar) -> bytes | None:
    if scalar.kind == "double_quote_scalar":
        return unescaped(raw, b'ntrbfvae\\"/ x0uU')
    if scalar.kind == "single_quote_scalar":
        return raw.replace(b"''", b"'")
    return raw


def _fitted(text: str, scalar: Scalar, target: Target, file: File) -> tuple[Edit, ...] | None:
    """Write ``text`` so that the scalar stays one scalar."""
    if scalar.kind == "double_quote_scalar":
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    elif scalar.kind == "single_quote_scalar":
        text = text.replace("'", "''")
    elif scalar.kind == "plain_scalar" and _needs_quotes(text, scalar, target):
        return _quoted(text, scalar, target, file)
    return (Edit(target.start, target.end, text.encode()),)


def _needs_quotes(text: str, scalar: Scalar, target: Target) -> bool:
    starts = target.start == scalar.start
    return (starts and text[0] in "{[&*!|>%@`\"'#") or (scalar.in_flow and re.search(r"[{}\[\],]", text) is not None)


def _quoted(text: str, scalar: Scalar, target: Target, file: File) -> tuple[Edit, ...] | None:
    before, after = file.content[scalar.start : target.start], file.content[target.end : scalar.end]
    if re.search(rb'["\\\n]', before + after + text.encode()):
        return None
    own = (b"" if before else b'"') + text.encode() + (b"" if after else b'"')
    opening = (Edit(scalar.start, scalar.start, b'"'),) if before else ()
    closing = (Edit(scalar.end, scalar.end, b'"'),) if after else ()
    return (*opening, Edit(target.start, target.end, own), *closing)


def _name(file: File) -> str:
    return PurePosixPath(file.path).name


def _is_compose(file: File) -> bool:
    named = re.match(r"(?:docker-)?compose.*\.ya?ml\Z", _name(file), re.IGNORECASE)
    return bool(named) and re.search(rb"(?m)^services:", file.content) is not None


def _is_spring(file: File) -> bool:
    return re.match(r"(?:application|bootstrap)(?:-[\w-]+)?\.ya?ml\Z", _name(file)) is not None and (
        "src/" in file.path or re.search(rb"(?m)^(?:spring|server|management|logging):", file.content) is not None
    )


def _is_workflow(file: File) -> bool:
    return re.search(r"(?:\A|/)\.github/workflows/[^/]+\.ya?ml\Z", file.path) is not None


def _is_gitlab(file: File) -> bool:
    return re.search(r"(?:\A|/)\.gitlab-ci(?:[\w.-]*)\.ya?ml\Z", file.path) is not None


def _is_ansible(file: File) -> bool:
    if re.search(
        r"(?:\A|/)(?:group_vars|host_vars|playbooks?)/|(?:\A|/)roles/[^/]+/(?:vars|defaults|tasks|handlers)/", file.path
    ):
        return True
    return (
        re.search(rb"(?m)^- (?:hosts|name):", file.content) is not None
        and b"hosts:" in file.content
        and (re.search(rb"(?m)^\s+(?:tasks|roles|vars|become):", file.content) is not None)
    )


def _is_cloudformation(file: File) -> bool:
    return b"AWSTemplateFormatVersion" in file.content or (
        re.search(rb"(?m)^Resources:", file.content) is not None and b"Type: AWS::" in file.content
    )


def _compose(target: Target, scalar: Scalar) -> str:
    return f"${{{target.variable}:?{target.variable} is not set}}"


def _spring(target: Target, scalar: Scalar) -> str:
    return f"${{{target.variable}}}"


def _workflow(target: Target, scalar: Scalar) -> str | None:
    if scalar.hint in ("script", "if", "uses", "name"):
        return None  # text that a script would run: a value put there is an injection
    return f"${{{{ secrets.{target.variable} }}}}"


def _gitlab(target: Target, scalar: Scalar) -> str:
    return f"${target.variable}"


def _ansible(target: Target, scalar: Scalar) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{target.variable}', default=undef()) }}}}"


def _cloudformation(target: Target, scalar: Scalar) -> str:
    reference = parse_reference(target.reference)
    if reference.scheme != "awssecrets":
        return ""  # CloudFormation can't ask another store: a reference that is rendered before the upload
    return f"{{{{resolve:secretsmanager:{reference.path}:SecretString:{reference.field}:AWSCURRENT}}}}"


_NOTHING = ("", "")
_KINDS = (
    Kind(_is_compose, _compose, SAFE, "", _NOTHING, (b"$$", b"$")),
    Kind(
        _is_workflow,
        _workflow,
        NEEDS_WIRING,
        "create the repository's secret: gh secret set {variable}",
        (
            "it stands in a script of a workflow, where an interpolated value could be run",
            "give the step an env: entry from ${{ secrets.NAME }} and use the shell's variable",
        ),
    ),
    Kind(_is_gitlab, _gitlab, NEEDS_WIRING, "add the masked and protected CI/CD variable {variable}", _NOTHING),
    Kind(_is_spring, _spring, SAFE, "", _NOTHING),
    Kind(_is_cloudformation, _cloudformation, NEEDS_WIRING, "let the stack's role read the secret", _NOTHING),
    Kind(_is_ansible, _ansible, SAFE, "", _NOTHING),
)
