"""The plan as a file that people edit: one step a line, checked line by line when it comes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hygiene.errors import UsageError
from hygiene.replace.manifest import check_variable
from hygiene.replace.objects import check_object_name, field_of, object_and_field
from hygiene.replace.plan import Plan, Step
from hygiene.replace.rewriters.protocol import MANUAL
from hygiene.secret import Secret
from hygiene.suggestion import suggest

_HEADER = """\
# A plan of hygiene migrate. It holds no values.
# A line: action (apply or skip), step, name in the store (NAME#FIELD for a field of an object), environment name.
# Steps with the same value share a name. Edit, then run: hygiene migrate --plan THIS-FILE --apply
"""
_ACTIONS = ("apply", "skip")
_COMMENT = re.compile(r"(?:^|\s)#.*")


class Line(NamedTuple):
    """One step as the file has it."""

    number: int
    action: str
    step: str
    name: str
    variable: str


def format_plan(plan: Plan) -> str:
    """Write ``plan``; what is left to a person stands in comments."""
    lines = [_HEADER]
    for step in plan.steps:
        place = f"# {_printable(step.path)}:{step.line} {step.rule} {step.grade}"
        if step.grade == MANUAL:
            lines.append(f"{place}: {step.reason}\n")
        else:
            lines.append(f"apply {step.id} {step.name} {step.variable} {place}\n")
    return "".join(lines)


def parse_plan(text: str, source: str) -> list[Line]:
    """Read an edited plan; raises :class:`UsageError` with the line that is wrong."""
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1):
        words = _COMMENT.sub("", raw).split()
        if not words:
            continue
        line = _line(number, words, f"{source}, line {number}")
        if line.step in seen:
            raise UsageError(f"{source}, line {number}: step {line.step} stands in line {seen[line.step]} already")
        seen[line.step] = number
        lines.append(line)
    return lines


def check_lines(lines: Iterable[Line], steps: Iterable[Step], source: str) -> None:
    """Check an edited plan against the ``steps`` that can be done; raises :class:`UsageError` with the line."""
    known = {step.id: step for step in steps}
    applied: list[tuple[Line, Step]] = []
    for line in lines:
        step = known.get(line.step)
        if step is None:
            hint = "the file was changed since the plan was written: write it again"
            raise UsageError(f"{_where(source, line)}: there is no step {line.step} (any more)", hint=hint)
        if line.action == "apply":
            applied.append((line, step))
    applied.sort(key=lambda item: (item[0].name, item[0].variable) != (item[1].name, item[1].variable))
    _check_names(applied, source)


def _check_names(applied: Iterable[tuple[Line, Step]], source: str) -> None:
    """Check that each secret has one name and variable, and no other secret's; lines that were edited come last."""
    whole = {line.name for line, _ in applied}
    first: dict[str, Line] = {}  # by the name that the unedited plan has: one value each
    owner: dict[str, str] = {}
    for line, step in applied:
        where = _where(source, line)
        stored, field = object_and_field(line.name)
        if field and stored in whole:
            raise UsageError(f"{where}: {stored} is a whole value in another line", hint="give the object another name")
        other = first.setdefault(step.name, line)
        if other.name != line.name:
            raise UsageError(
                f"{where}: the same secret has another name in line {other.number}", hint="give both the same name"
            )
        if owner.setdefault(line.name, step.name) != step.name:
            raise UsageError(
                f"{where}: {line.name} is the name of another secret", hint="give each secret its own name"
            )
        if owner.setdefault(f"${line.variable}", step.name) != step.name and step.variable != line.variable:
            raise UsageError(
                f"{where}: {line.variable} is the environment name of another secret",
                hint="give each secret its own environment name",
            )


def check_stored(lines: Iterable[Line], plan: Plan, stored: Mapping[str, Secret], source: str) -> None:
    """Check that no name of an edited file is one under which the store has another value."""
    for line in lines:
        entry = next((entry for entry in plan.entries if line.step in entry.steps), None)
        name, field = object_and_field(line.name)
        if line.action == "skip" or entry is None or name not in stored:
            continue
        if field_of(stored[name], field) != entry.secret:
            raise UsageError(
                f"{_where(source, line)}: the store has another value under {line.name}", hint="choose another name"
            )


def check_result(lines: Iterable[Line], plan: Plan, source: str) -> None:
    """Check that the plan made from an edited file does what the file says; raises :class:`UsageError`."""
    steps = {step.id: step for step in plan.steps}
    for line in lines:
        step = steps.get(line.step)
        if line.action != "apply" or step is None or step.grade == MANUAL:
            continue
        if step.name != line.name:
            raise UsageError(f"{_where(source, line)}: {line.name} can't be used", hint=f"{step.name} would be free")
        if step.variable != line.variable:
            raise UsageError(
                f"{_where(source, line)}: the environment name must be {step.variable}",
                hint=f"{_printable(step.path)} or another step of this secret asks for it",
            )


def chosen_names(lines: Iterable[Line]) -> Mapping[str, tuple[str, str]]:
    """Give name and environment name by step."""
    return {line.step: (line.name, line.variable) for line in lines if line.action == "apply"}


def _line(number: int, words: list[str], where: str) -> Line:
    if words[0] not in _ACTIONS:
        hint = suggest(words[0], _ACTIONS) or "a line begins with apply or skip"
        raise UsageError(f"{where}: unknown action {words[0]!r}", hint=hint)
    if any(word.startswith("ref+") for word in words):
        raise UsageError(
            f"{where}: a reference stands where a name must", hint="--store chooses the store; the plan names secrets"
        )
    if len(words) != 4:
        raise UsageError(f"{where}: {len(words)} words", hint="a line is: action, step, name, environment name")
    try:
        check_object_name(words[2])
        check_variable(words[3])
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from None
    return Line(number, *words)


def _where(source: str, line: Line) -> str:
    return f"{source}, line {line.number}"


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")
