"""``hygiene explain``: what an exit code means, where it usually comes from, and what mends it."""

from __future__ import annotations

from typing import NamedTuple

import click

from hygiene.errors import ExitCode, UsageError
from hygiene.suggestion import suggest


class Explanation(NamedTuple):
    """One exit code, for a person or a pipeline."""

    code: ExitCode
    meaning: str
    causes: tuple[str, ...]
    ways_on: tuple[str, ...]

    @property
    def name(self) -> str:
        """The word for the code."""
        return self.code.name.lower()


EXPLANATIONS = (
    Explanation(
        ExitCode.CLEAN,
        "All that should have been read was read, and nothing new was found; or a command did what it was asked.",
        ("known findings (baseline, allowlist, marks) do not count as new",),
        ("hygiene scan --format json shows what was accepted, and what was left out on purpose",),
    ),
    Explanation(
        ExitCode.FINDINGS,
        "New findings; or something is left for a person: a place to migrate by hand, a rotation that waits.",
        ("a credential that nobody has accepted", "a finding whose reason in the baseline is missing (baseline prune)"),
        (
            "hygiene migrate --apply moves it into a store",
            "hygiene rotate --leaked makes what was committed worthless",
            "hygiene baseline update, or a mark beside it with a reason, accepts it",
        ),
    ),
    Explanation(
        ExitCode.USAGE,
        "The command was called in a way that can't work; nothing was done.",
        ("options that exclude each other", "a missing argument", "a package that a bare install lacks"),
        ("hygiene COMMAND --help has examples", "pip install 'secret-hygiene[all]' installs every part"),
    ),
    Explanation(
        ExitCode.CONFIG,
        "The configuration, the baseline or a rule is wrong; nothing was scanned.",
        ("a misspelt key in .hygiene.toml", "an [[allow]] without a reason", "a rule that is no pattern"),
        ("the message names file and key, and the nearest known one", "hygiene rules check DIR proves your own rules"),
    ),
    Explanation(
        ExitCode.INCOMPLETE,
        'Something that should have been read could not be: what was found is reported, and it is never "clean".',
        (
            "a shallow or partial clone",
            "a repository of another user, which git refuses",
            "a damaged object, or a file without permission",
        ),
        (
            "git fetch --unshallow, or fetch-depth: 0 in actions/checkout",
            "git config --global --add safe.directory PATH, if you trust it",
            "git fsck; hygiene scan --format json lists what was skipped, and why",
        ),
    ),
    Explanation(
        ExitCode.STORE,
        "A store, a rotation, or the resolving of a reference failed; what was not stored was not replaced.",
        (
            "a reference to a secret that is not there, or has expired",
            "no identity that opens the embedded store",
            "a server that can't be reached, or a full disk",
        ),
        ("hygiene doctor tries identity and references", "--resume goes on, --rollback and --abort go back"),
    ),
    Explanation(
        ExitCode.AUDIT,
        "The audit log does not verify, or could not be written: it proves nothing until that is settled.",
        ("an entry that was changed, removed or cut off", "a log folder that is not writable"),
        ("hygiene audit verify names the first bad entry", "keep a copy of the folder; ask who could write to it"),
    ),
    Explanation(
        ExitCode.INTERNAL,
        "A mistake of ours. What is printed of it holds no value.",
        ("a case that nobody thought of",),
        ("please report it with the lines that were printed (SECURITY.md, if a value was shown)",),
    ),
    Explanation(
        ExitCode.INTERRUPTED,
        "Ctrl-C. A job that changes anything has a journal and can go on.",
        (),
        ("the same command with --resume, or --rollback",),
    ),
    Explanation(
        ExitCode.TERMINATED,
        "SIGTERM. A job that changes anything has a journal and can go on.",
        (),
        ("the same command with --resume, or --rollback",),
    ),
)


@click.command("explain", short_help="What an exit code means, and what mends it.")
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain the exit code CODE, by number or name; without one, list them all.

    What a rule means and how its credential is replaced: hygiene rules explain ID.

    \b
    hygiene explain            every code
    hygiene explain 4          "could not be read"
    """
    if code is None:
        for one in EXPLANATIONS:
            click.echo(f"{one.code:>3}  {one.name:12} {one.meaning}")
    else:
        click.echo("\n".join(explained(_find(code))))
    return ExitCode.CLEAN


def explained(one: Explanation) -> list[str]:
    """Give the lines that explain ``one``."""
    lines = [f"{int(one.code)} {one.name}", "", f"  {one.meaning}"]
    for title, points in (("Usual causes", one.causes), ("Ways on", one.ways_on)):
        if points:
            lines += ["", f"  {title}:", *(f"    - {point}" for point in points)]
    return lines


def _find(code: str) -> Explanation:
    for one in EXPLANATIONS:
        if code.lower() in (str(int(one.code)), one.name):
            return one
    names = [one.name for one in EXPLANATIONS]
    hint = (
        suggest(code.lower(), names) or f"known are {', '.join(f'{int(one.code)} {one.name}' for one in EXPLANATIONS)}"
    )
    raise UsageError(f"there is no exit code {code!r}", hint=hint)
