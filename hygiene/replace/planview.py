"""A plan for eyes and for scripts: as a table, as JSON, as a diff. Values are never shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from hygiene.replace.edits import apply_edits
from hygiene.replace.encoding import Text, read_text
from hygiene.replace.plan import FilePlan, Place, Plan, Step
from hygiene.replace.rewriters.protocol import MANUAL, NEEDS_WIRING, SAFE

_REDACTED = b"***"


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Give the plan as documented for ``--json``."""
    return {
        "steps": [_step_to_json(step) for step in plan.steps],
        "secrets": [
            {
                "name": entry.name,
                "reference": str(entry.reference),
                "variables": list(entry.variables),
                "places": len(entry.steps),
            }
            for entry in plan.entries
        ],
        "summary": {
            "places": len(plan.steps),
            "secrets": len(plan.entries),
            "files": len(plan.files),
            **{grade: sum(step.grade == grade for step in plan.steps) for grade in (SAFE, NEEDS_WIRING, MANUAL)},
        },
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """Give the lines of the table."""
    width = max((len(_place(step)) for step in plan.steps), default=0)
    for step in plan.steps:
        yield f"{step.grade:<12}  {_place(step):<{width}}  {step.name or step.rule}".rstrip()
        if step.reason:
            yield f"{'':12}  {step.reason}"
        if step.advice:
            yield f"{'':12}  to do: {step.advice}"
    yield (
        f"{_count(len(plan.entries), 'secret')} in {_count(len(plan.steps) - len(plan.manual), 'place')} of "
        f"{_count(len(plan.files), 'file')}, {_count(len(plan.manual), 'place')} left to you"
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def plan_diff(plan: Plan, places: Sequence[Place]) -> Iterator[str]:
    """Give the edits as a unified diff in which every value that was found is redacted."""
    for file in plan.files:
        before, after = _redacted(file, [place for place in places if place.path == file.path])
        path = file.path.encode("utf-8", "backslashreplace").decode()
        yield from difflib.unified_diff(
            before.decode(errors="replace").splitlines(keepends=True),
            after.decode(errors="replace").splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )


def _step_to_json(step: Step) -> dict[str, Any]:
    shown = ("id", "path", "line", "rule", "name", "variable", "reference", "grade", "reason", "advice")
    return {key: getattr(step, key) for key in shown}


def _place(step: Step) -> str:
    return f"{step.path}:{step.line}".encode("utf-8", "backslashreplace").decode()


def _redacted(file: FilePlan, places: Sequence[Place]) -> tuple[bytes, bytes]:
    text = read_text(file.before)
    assert text is not None
    values = [change.value.reveal() for change in file.changes] + _written(text, file, places)
    before, after = text.utf8, apply_edits(text.utf8, file.edits)
    for value in sorted(set(values), key=len, reverse=True):
        before, after = before.replace(value, _REDACTED), after.replace(value, _REDACTED)
    return before, after


def _written(text: Text, file: FilePlan, places: Sequence[Place]) -> list[bytes]:
    spans = [change.span for change in file.changes]
    spans += [(text.offset_in_utf8(place.start), text.offset_in_utf8(place.end)) for place in places]
    return [text.utf8[start:end] for start, end in spans if end > start]
