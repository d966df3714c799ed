"""The text of a migration's pull request: what was done, what is left by hand, and where the evidence is. No values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hygiene.reference import parse_reference
from hygiene.replace.journaled import KeptEntry, Unit
from hygiene.replace.migrate import Left
from hygiene.replace.pipelines import pipeline_for
from hygiene.replace.plan import Plan
from hygiene.replace.rewriters.protocol import MANUAL, NEEDS_WIRING


class Note(NamedTuple):
    """A step that needs a person, as the journal keeps it."""

    path: str
    line: int
    grade: str
    reason: str
    advice: str


def notes_of(plan: Plan) -> list[Note]:
    """Give the steps of ``plan`` that need a person."""
    return [
        Note(step.path, step.line, step.grade, step.reason, step.advice)
        for step in plan.steps
        if step.grade in (MANUAL, NEEDS_WIRING)
    ]


def pull_request_text(facts: Mapping[str, Any], units: Sequence[Unit], left: Sequence[Left], audit: str) -> str:
    """Write the text, in Markdown; ``audit`` names the entry of the audit log that ends this migration."""
    gone = {item.path for item in left}
    done = [unit for unit in units if not all(file.path in gone for file in unit.files)]
    entries = sorted((entry for unit in done for entry in unit.entries), key=lambda entry: entry.name)
    files = sum(file.path not in gone for unit in done for file in unit.files)
    notes = [Note(*note) for note in facts.get("notes", [])]
    parts = [
        f"# Move {_counted(len(entries), 'secret')} out of {_counted(files, 'file')}\n",
        "Each secret was stored and read back before a file was changed. No value stands in this text.\n",
        _table(entries),
        _section("To do before this is merged", [note for note in notes if note.grade == NEEDS_WIRING]),
        _section("Left by hand", [note for note in notes if note.grade == MANUAL], left),
        _after(entries),
        _pipelines(entries),
        f"Audit: {audit}\n",
    ]
    return "\n".join(part for part in parts if part)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(entries: Iterable[KeptEntry]) -> str:
    rows = [
        f"| `{entry.name}` | {', '.join(f'`{name}`' for name in entry.variables) or '–'} | {len(entry.steps)} |"
        for entry in entries
    ]
    return "\n".join(["| secret | environment | places |", "|---|---|---|", *rows, ""])


def _section(title: str, notes: Sequence[Note], left: Sequence[Left] = ()) -> str:
    lines = [f"- [ ] `{_plain(note.path)}:{note.line}`: {_told(note)}" for note in notes]
    lines += [f"- [ ] `{_plain(item.path)}`: {item.reason}" for item in left]
    return "\n".join([f"## {title}", "", *lines, ""]) if lines else ""


def _told(note: Note) -> str:
    return f"{note.reason}; {note.advice}" if note.advice else note.reason


def _after(entries: Sequence[KeptEntry]) -> str:
    lines = [
        "## Afterwards",
        "",
        "- Start programs with `hygiene run -- CMD`; `hygiene doctor` says whether every reference resolves for you.",
        "- The values are in the history of this repository: `hygiene rotate --leaked`.",
        "",
    ]
    return "\n".join(lines) if entries else ""


def _pipelines(entries: Sequence[KeptEntry]) -> str:
    if not entries:
        return ""
    pipeline = pipeline_for(parse_reference(entries[0].reference).scheme)
    return (
        f"## In a pipeline\n\nOnce: {pipeline.before}.\n\nGitHub Actions:\n\n```yaml\n{pipeline.github}\n```\n\n"
        f"GitLab CI:\n\n```yaml\n{pipeline.gitlab}\n```\n"
    )


def _plain(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode().replace("`", "'").replace("\n", " ").replace("\r", " ")
