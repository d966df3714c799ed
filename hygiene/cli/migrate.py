"""``hygiene migrate``: moves what a scan finds into a store and leaves references in its place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from hygiene.cli.compose import Composition, compose, notice
from hygiene.cli.migrating import Edited, Found, check_clean, find_places, make_plan, open_composed_store, read_style
from hygiene.cli.scanning import Wishes
from hygiene.errors import ExitCode, SourceError, UsageError
from hygiene.fileio import write_atomic
from hygiene.prove.event import OK, Recorder
from hygiene.replace.branch import commit, commit_each, leave_branch, start_branch
from hygiene.replace.migrate import Facts, Migration, Outcome, begin
from hygiene.replace.migrations import Migrations, open_migrations
from hygiene.replace.plan import Plan
from hygiene.replace.planfile import format_plan, parse_plan
from hygiene.replace.planview import plan_diff, plan_lines, plan_to_json
from hygiene.replace.pullrequest import notes_of, pull_request_text
from hygiene.replace.rollback import roll_back
from hygiene.replace.staged import prepare_index, restage, unstage
from hygiene.replace.worktree import Worktree, open_worktree
from hygiene.report.terminal import printable
from hygiene.report.text import count

_UNTOUCHED = 0o644
_PRIVATE = 0o600


@click.command("migrate", short_help="Move secrets into a store, leave references.")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--store", "store_name", metavar="NAME|URI", default="", help="Store to move into (default: embedded).")
@click.option("--apply", "apply_", is_flag=True, help="Do it; without this, the plan is shown and nothing changes.")
@click.option("--resume", is_flag=True, help="Finish a migration that was cut short.")
@click.option("--rollback", is_flag=True, help="Undo the newest migration, or one that was cut short.")
@click.option("--delete-stored", is_flag=True, help="With --rollback: delete what the migration stored, too.")
@click.option("--branch", metavar="NAME", default="", help="Commit the changes on a new branch.")
@click.option(
    "--commits", type=click.Choice(["one", "each"]), default="one", help="With --branch: one commit, or one a secret."
)
@click.option(
    "--plan", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An edited plan."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to edit to a file."
)
@click.option("--json", "as_json", is_flag=True, help="Show the plan as JSON.")
@click.option("--diff", "as_diff", is_flag=True, help="Show the edits, with values redacted.")
@click.option("--style", default="environment", show_default=True, help="environment, or settings:MODULE.")
@click.option("--baselined", is_flag=True, help="Take what the baseline accepts, too.")
@click.option("--allow-dirty", is_flag=True, help="Change files with uncommitted changes, too.")
@click.option("--rules", multiple=True, metavar="DIR", help="More rules, beside the built-in ones.")
@click.option("--min-confidence", type=click.Choice(["low", "medium", "high"]), default=None)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes [default: the cores that may be used].")
@click.option("--config", "config_path", metavar="FILE", default="", help="Configuration to use.")
def command(path: Path, **options: Any) -> int:
    """Move the secrets in PATH into a store, and put references in their place.

    Without --apply it shows what would happen. Each secret is stored and read back before a file changes. Exits 0
    when nothing is left, 1 when something is left by hand.

    \b
    hygiene migrate                        what would happen
    hygiene migrate --apply --branch move  do it, on a branch to review
    hygiene migrate --rollback             undo it
    """
    _refuse_contradictions(options)
    tree = open_worktree(path)
    migrations = open_migrations(tree.root)
    composition = compose(options["config_path"] or None, start=path if path.is_dir() else path.parent)
    with migrations.alone():
        if options["resume"]:
            return _resume(tree, migrations, composition)
        if options["rollback"]:
            return _roll_back(tree, migrations, composition, options["delete_stored"])
        return _migrate(path, tree, migrations, composition, options)


def _refuse_contradictions(options: dict[str, Any]) -> None:
    chosen = [name for name in ("apply_", "resume", "rollback") if options[name]]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join('--' + name.rstrip('_') for name in chosen)} exclude each other")
    if options["delete_stored"] and not options["rollback"]:
        raise UsageError("--delete-stored goes with --rollback")
    if options["commits"] != "one" and not options["branch"]:
        raise UsageError("--commits goes with --branch")
    if options["branch"] and not options["apply_"]:
        raise UsageError("--branch goes with --apply")


def _migrate(
    path: Path, tree: Worktree, migrations: Migrations, composition: Composition, options: dict[str, Any]
) -> int:
    if options["apply_"] and migrations.unfinished() is not None:
        raise UsageError("a migration was cut short", hint="finish it with --resume, or undo it with --rollback")
    edited = _edited_plan(options["plan_file"])
    wishes = Wishes(options["config_path"], rules=options["rules"], min_confidence=options["min_confidence"] or "")
    found = find_places(path, tree, wishes, baselined=options["baselined"], jobs=options["jobs"])
    store = open_composed_store(composition, options["store_name"])
    plan = make_plan(tree, store, found.places, read_style(options["style"]), edited)
    _show(plan, found, options)
    if not options["apply_"]:
        _tell_skipped(found)
        return ExitCode.INCOMPLETE if found.result.incomplete else ExitCode.CLEAN
    if not options["allow_dirty"]:
        check_clean(tree, plan, staged_too=bool(options["branch"]))
    outcome = _apply(tree, migrations, composition, plan, options) if plan.files else Outcome((), (), ())
    _tell_skipped(found)
    return _exit_code(outcome, len(plan.manual), found.result.incomplete)


def _apply(
    tree: Worktree, migrations: Migrations, composition: Composition, plan: Plan, options: dict[str, Any]
) -> Outcome:
    untracked = tree.untracked(file.path for file in plan.files)
    came_from = start_branch(tree.root, options["branch"]) if options["branch"] else ""
    style = read_style(options["style"])
    facts = Facts(options["store_name"], style, options["branch"], came_from, options["commits"])
    journal = begin(tree, plan, facts, migrations.journal_path, notes_of(plan))
    if not options["branch"]:
        prepare_index(tree, journal)
    store = composition.store(options["store_name"])
    migration = Migration(tree, store, composition.recorder, journal, plan)
    return _finish(migration, migrations, tree, composition.recorder, untracked)


def _finish(
    migration: Migration, migrations: Migrations, tree: Worktree, recorder: Recorder, untracked: set[str]
) -> Outcome:
    outcome = migration.run(_progress)
    restaged = restage(tree, migration.journal, outcome.written)
    _commit(migration, tree, outcome, untracked)
    text = _pull_request(migration, outcome, recorder)
    record = migrations.keep(migration.journal).with_suffix(".md")
    write_atomic(record, text.encode(), mode=_PRIVATE)
    notice(f"the text for a pull request: {record}")
    notice(f"stored {count(len(outcome.stored), 'secret')}, changed {count(len(outcome.written), 'file')}")
    for left in outcome.left:
        notice(f"left {left.path}: {left.reason}")
    if restaged:
        notice(f"staged the changes of {', '.join(map(printable, restaged))} where they were staged")
    if outcome.stored:
        notice("start your program with: hygiene run -- CMD")
        notice("a value that was committed before is in the history still: hygiene rotate --leaked replaces it")
    return outcome


def _commit(migration: Migration, tree: Worktree, outcome: Outcome, untracked: set[str]) -> None:
    facts = migration.journal.facts
    if facts["branch"] and facts.get("commits") == "each":
        commit_each(tree.root, outcome, migration.units, untracked)
    elif facts["branch"] and outcome.written:
        commit(tree.root, outcome, untracked)


def _pull_request(migration: Migration, outcome: Outcome, recorder: Recorder) -> str:
    facts = migration.journal.facts
    counts = {"secrets": str(len(outcome.stored)), "files": str(len(outcome.written))}
    event = recorder.record("migrate.finish", str(facts["store"]) or "embedded:", OK, **counts)
    audit = f"log {event.log}, entry {event.seq}, hash {event.hash}"
    return pull_request_text(facts, migration.units, outcome.left, audit)


def _resume(tree: Worktree, migrations: Migrations, composition: Composition) -> int:
    journal = migrations.unfinished()
    if journal is None:
        notice("there is nothing to resume")
        return ExitCode.CLEAN
    migration = Migration(tree, composition.store(str(journal.facts["store"])), composition.recorder, journal)
    untracked = tree.untracked(migration.paths) if journal.facts["branch"] else set()
    outcome = _finish(migration, migrations, tree, composition.recorder, untracked)
    return _exit_code(outcome, 0, False)


def _roll_back(tree: Worktree, migrations: Migrations, composition: Composition, delete_stored: bool) -> int:
    journal = migrations.unfinished() or migrations.newest()
    if journal is None:
        notice("there is nothing to roll back")
        return ExitCode.CLEAN
    store = composition.store(str(journal.facts["store"]))
    undone = roll_back(tree, store, composition.recorder, journal, delete_stored=delete_stored)
    unstage(tree, journal)
    for left in undone.left:
        notice(f"left {left.path}: {left.reason}")
    deleted = f", deleted {count(len(undone.deleted), 'secret')}" if delete_stored else ""
    notice(f"restored {count(len(undone.restored), 'file')}{deleted}")
    if undone.left:
        notice("the migration stays on record: put those files right, then run --rollback again")
        return ExitCode.FINDINGS
    if journal.facts["branch"]:
        leave_branch(tree.root, str(journal.facts["branch"]), str(journal.facts["came_from"]))
    journal.finish()
    return ExitCode.CLEAN


def _edited_plan(path: Path | None) -> Edited | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    try:
        return Edited(tuple(parse_plan(content.decode(), str(path))), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: not UTF-8", hint="save it as UTF-8") from error


def _show(plan: Plan, found: Found, options: dict[str, Any]) -> None:
    if options["output"]:
        write_atomic(options["output"], format_plan(plan).encode(), mode=_UNTOUCHED)
        notice(f"wrote the plan to {options['output']}")
    if options["as_json"]:
        print(json.dumps(plan_to_json(plan), indent=2))
    elif options["as_diff"]:
        sys.stdout.writelines(plan_diff(plan, found.places))
    else:
        print("\n".join(plan_lines(plan)))


def _tell_skipped(found: Found) -> None:
    for skip in found.result.skipped:
        if skip.incomplete:
            notice(f"not scanned: {skip.path}: {skip.reason}")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rhygiene: {done} of {total}", end=end, file=sys.stderr, flush=True)


def _exit_code(outcome: Outcome, manual: int, incomplete: bool) -> int:
    if incomplete:
        return ExitCode.INCOMPLETE
    return ExitCode.FINDINGS if manual or outcome.left else ExitCode.CLEAN
