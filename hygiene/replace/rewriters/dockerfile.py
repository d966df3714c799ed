"""Dockerfile: nothing secret may stay in a layer, so a ``RUN`` gets a secret mount and an ``ENV`` goes.

``RUN --mount=type=secret,id=NAME,env=NAME`` (Dockerfile syntax 1.10) sets a variable for one command of the build;
what a container needs is given when it starts. Images that were built before hold the value still.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hygiene.replace.edits import Edit
from hygiene.replace.manifest import is_refused_variable
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Rewrite, Skip, Style, Target
from hygiene.replace.rewriters.rendered import LineFormat
from hygiene.replace.rewriters.shell import Shell
from hygiene.secret import Secret

_ADVICE = {
    "ENV": "delete it, and give the variable when the container starts: docker run -e, or compose",
    "ARG": "delete the default, and use a secret mount: RUN --mount=type=secret,id=NAME,env=NAME",
    "RUN": "use a secret mount: RUN --mount=type=secret,id=NAME,env=NAME, and docker build --secret id=NAME,env=NAME",
}
_INSTRUCTION = re.compile(
    rb"(?mi)^[ \t]*(?P<word>[A-Z]+)[ \t]+(?P<body>(?:[^\\\n]|\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*|\\[^\n])*)(?:\n|\Z)"
)
_ONE_PAIR = re.compile(
    rb"(?P<key>[A-Za-z_]\w*)(?:=|[ \t]+)(?P<quote>[\"']?)(?P<value>[^\s\"'\\$]+)(?P=quote)[ \t]*\r?\Z"
)
_SYNTAX = re.compile(rb"\A(?:\xef\xbb\xbf)?#[ \t]*syntax[ \t]*=", re.IGNORECASE)
_LAYERS = "it would stay in the layers of the image; images that were built hold it still"


class _Instruction(NamedTuple):
    word: str
    start: int
    end: int
    body: tuple[int, int]


class Dockerfile(LineFormat):
    """Rewrites ``RUN``, ``ENV`` and the comments of a Dockerfile."""

    comment = re.compile(rb"(?m)^[ \t]*#[^\r\n]*")

    def rewrite(self, file: File, targets: Sequence[Target], style: Style) -> Rewrite:
        """Replace ``targets``; those of one ``RUN`` together."""
        runs: dict[_Instruction, list[Target]] = {}
        outcomes: list[Change | Skip] = []
        for target in targets:
            instruction = _instruction(target, file)
            if instruction is not None and instruction.word == "RUN" and _is_shell(instruction, file):
                runs.setdefault(instruction, []).append(target)
            else:
                outcomes.append(self.change(target, file))
        for instruction, own in runs.items():
            outcomes += _run_outcomes(instruction, own, file)
        outcomes.sort(key=lambda outcome: outcome.target.start)
        changes = tuple(item for item in outcomes if isinstance(item, Change))
        mounted = any(change.uses == "variable" and change.reason.startswith("build") for change in changes)
        line = b"# syntax=docker/dockerfile:1" + file.newline
        shared = (Edit(0, 0, line),) if mounted and not _SYNTAX.match(file.content) else ()
        return Rewrite(changes, tuple(item for item in outcomes if isinstance(item, Skip)), shared)

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Drop an ``ENV`` that is nothing but the secret, or say how its instruction gets it."""
        instruction = _instruction(target, file)
        dropped = _dropped(instruction, target, file) if instruction is not None else None
        word = instruction.word if instruction is not None else ""
        advice = _ADVICE.get(word, "give it when the container starts, as a variable or a mounted file")
        return dropped or Skip(target, _LAYERS, advice)


def _instruction(target: Target, file: File) -> _Instruction | None:
    for match in _INSTRUCTION.finditer(file.content):
        if match.start("body") <= target.start and target.end <= match.end("body"):
            return _Instruction(match["word"].decode().upper(), match.start(), match.end(), match.span("body"))
    return None


def _is_shell(run: _Instruction, file: File) -> bool:
    """Say whether the command is for a shell: no list of words, no here-document."""
    body = file.content[slice(*run.body)]
    return not body.lstrip().startswith(b"[") and b"<<" not in body


def _run_outcomes(run: _Instruction, targets: Sequence[Target], file: File) -> list[Change | Skip]:
    start, end = run.body
    inner = File("run.sh", file.content[start:end], file.newline)
    shifted = {target._replace(start=target.start - start, end=target.end - start): target for target in targets}
    result = Shell().rewrite(inner, list(shifted), Style())
    outcomes: list[Change | Skip] = [Skip(shifted[skip.target], skip.reason, _ADVICE["RUN"]) for skip in result.skips]
    mounted: set[str] = set()
    for change in result.changes:
        target = shifted[change.target]
        name = target.variable
        edits = tuple(Edit(edit.start + start, edit.end + start, edit.replacement) for edit in change.edits)
        mount = Edit(start, start, f"--mount=type=secret,id={name},env={name} ".encode())
        edits = edits if name in mounted else (mount, *edits)
        mounted.add(name)
        reason = f"build with: docker build --secret id={name},env={name}"
        scope = (start, end)
        outcomes.append(change._replace(target=target, edits=edits, scope=scope, grade=NEEDS_WIRING, reason=reason))
    return outcomes


def _dropped(instruction: _Instruction, target: Target, file: File) -> Change | None:
    """Drop an ``ENV`` of one name, which nothing later in the build reads."""
    pair = _ONE_PAIR.match(file.content, *instruction.body) if instruction.word == "ENV" else None
    if pair is None or not pair.start("value") <= target.start <= target.end <= pair.end("value"):
        return None
    key = pair["key"].decode()
    if is_refused_variable(key) or re.search(rb"\$\{?%b\b" % pair["key"], file.content):
        return None
    edit = Edit(instruction.start, instruction.end, b"")
    scope = (instruction.start, instruction.end)
    reason = f"give it when the container starts: docker run -e {key}"
    return Change(
        target,
        Secret(pair["value"]),
        (edit,),
        scope,
        key,
        demanded=True,
        grade=NEEDS_WIRING,
        reason=reason,
        written=pair.span("value"),
    )
