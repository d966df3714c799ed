"""Composes a migration: what a scan finds in the working tree, named for a store."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.cli.compose import Composition
from hygiene.cli.progress import progress
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import SourceError, UsageError
from hygiene.finding import Finding, ScanResult
from hygiene.replace.manifest import FILE_NAME, read_manifest
from hygiene.replace.naming import slug
from hygiene.replace.objects import object_and_field
from hygiene.replace.plan import Naming, Place, Plan
from hygiene.replace.planfile import Line, check_lines, check_result, check_stored, chosen_names
from hygiene.replace.planning import build_plan
from hygiene.replace.rewriters.protocol import MANUAL, SETTINGS, Style
from hygiene.replace.worktree import Worktree
from hygiene.secret import Secret
from hygiene.store.protocol import Store


class Edited(NamedTuple):
    """An edited plan file."""

    lines: tuple[Line, ...]
    source: str


class Found(NamedTuple):
    """What a scan of the working tree gave."""

    places: tuple[Place, ...]
    result: ScanResult


def find_places(path: Path, tree: Worktree, wishes: Wishes, *, baselined: bool, jobs: int | None) -> Found:
    """Scan ``path`` in the working tree; ``baselined`` takes what the baseline accepts as well."""
    scanning = open_scanning(path.resolve(), tree.root, wishes)
    with progress(sys.stderr) as report:
        result = scan(
            open_source("directory", path),
            scanning.examiner,
            scanning.accepted,
            exclude=scanning.config.exclude,
            jobs=jobs or usable_cores(),
            report=report,
        )
    wanted = ("new", "baselined") if baselined else ("new",)
    folder = path if path.is_dir() else path.parent
    prefix = folder.resolve().relative_to(tree.root.resolve()).as_posix()
    places = [place for finding in result.findings if finding.status in wanted for place in _places(finding, prefix)]
    return Found(tuple(sorted(set(places))), result)


def make_plan(
    tree: Worktree, store: Store, places: Sequence[Place], style: Style, edited: Edited | None = None
) -> Plan:
    """Plan the migration of ``places``; with an ``edited`` plan file, as it says."""
    contents = {path: tree.content(path) for path in {place.path for place in places}}
    manifest = read_manifest(tree.root / FILE_NAME)
    naming = Naming(slug(tree.root.resolve().name), store.reference, {}, manifest)
    plan = build_plan(contents, places, naming, style)
    stored = _stored(plan, store, naming.project)
    if stored:
        naming = naming._replace(stored=stored)
        plan = build_plan(contents, places, naming, style)
    if edited is None:
        return plan
    check_lines(edited.lines, [step for step in plan.steps if step.grade != MANUAL], edited.source)
    names = chosen_names(edited.lines)
    check_stored(
        edited.lines, plan, _values(store, {object_and_field(name)[0] for name, _ in names.values()}), edited.source
    )
    wanted = [step.place for step in plan.steps if step.id in names]
    plan = build_plan(contents, wanted, naming._replace(chosen=names), style, spread=False)
    check_result(edited.lines, plan, edited.source)
    return plan


def read_style(text: str) -> Style:
    """Read ``environment`` or ``settings:MODULE``; raises :class:`UsageError`."""
    kind, _, module = text.partition(":")
    if kind == SETTINGS and module:
        return Style(SETTINGS, module)
    if text == "environment":
        return Style()
    raise UsageError(f"unknown style {text!r}", hint="environment, or settings:MODULE")


def open_composed_store(composition: Composition, name: str) -> Store:
    """Open the store for writing; raises :class:`UsageError` where it takes none."""
    store = composition.store(name)
    if not store.capabilities.writable:
        raise UsageError(f"{store.uri} can't be written to", hint="migrate into another store: --store")
    return store


def _places(finding: Finding, prefix: str) -> list[Place]:
    paths = dict.fromkeys(item.path for item in finding.provenance if item.kind == "file") or {finding.path: None}
    under = "" if prefix == "." else prefix + "/"
    return [
        Place(under + path, finding.start, finding.end, finding.line_start, finding.rule, finding.fingerprint)
        for path in paths
    ]


def _stored(plan: Plan, store: Store, project: str) -> dict[str, Secret | None]:
    """Give what the store has where the plan's names are taken, with the values to compare; else nothing."""
    told = {item.name: item for item in store.list(f"{project}/")}
    existing = set(told)
    proposed = {object_and_field(entry.name)[0] for entry in plan.entries}
    if not proposed & existing:
        return {}
    near = [
        name
        for name in existing
        if told[name].deleted is None and any(name == own or name.startswith(f"{own}-") for own in proposed)
    ]
    return {**dict.fromkeys(existing), **{name: store.get(name) for name in sorted(near)}}


def _values(store: Store, names: Iterable[str]) -> dict[str, Secret]:
    """Give what the store has under ``names``."""
    told = {name: store.describe(name) for name in sorted(names)}
    return {name: store.get(name) for name, item in told.items() if item is not None and item.deleted is None}


def check_clean(tree: Worktree, plan: Plan, *, staged_too: bool) -> None:
    """Refuse to change files that hold changes which are neither committed nor staged; raises :class:`SourceError`.

    What is staged is migrated in the index, too: with ``staged_too`` it is refused all the same.
    """
    dirty = tree.changed([*(file.path for file in plan.files), FILE_NAME], staged_too=staged_too)
    if dirty:
        raise SourceError(
            f"{len(dirty)} files to be changed are not committed: {', '.join(dirty[:5])}",
            hint="commit, stage or stash them, or pass --allow-dirty",
        )
