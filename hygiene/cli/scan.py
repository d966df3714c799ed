"""``hygiene scan``: what leaks here?"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import click

from hygiene.cli.acceptance import allowlist_notices
from hygiene.cli.notebook import open_remembered
from hygiene.cli.progress import progress
from hygiene.cli.registry import load_verifier
from hygiene.cli.scanning import Scanning, Wishes, open_scanning
from hygiene.cli.workings import Workings
from hygiene.config import find_config
from hygiene.detect.findings import Accepted, Completion
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Source
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, UsageError
from hygiene.fileio import write_atomic
from hygiene.finding import CONFIDENCES, ScanResult
from hygiene.git import Git, find_root
from hygiene.report.registry import FORMATS, REVEALING, reporter


class Target(NamedTuple):
    """What is to be scanned."""

    source: Source
    whole: bool  # the whole project, so that an unused allowance means something
    base: str = ""  # the commit whose policy counts


@click.command("scan", short_help="Find leaked credentials.")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--staged", is_flag=True, help="What the next commit would add.")
@click.option("--range", "span", metavar="A..B", help="What the commits of B add to A, under the policy of A.")
@click.option("--history", is_flag=True, help="Every commit of every ref.")
@click.option("--since", metavar="REV", help="What the commits after REV add.")
@click.option("--stdin", "from_stdin", is_flag=True, help="Standard input: text, or a patch.")
@click.option("--archive", metavar="FILE", type=click.Path(exists=True, path_type=Path), help="An archive or image.")
@click.option("--unpack", is_flag=True, help="Look into the archives that are met, too.")
@click.option("--unreachable", is_flag=True, help="With --history: reflogs and objects that no ref holds, too.")
@click.option("--respect-gitignore", is_flag=True, help="Leave out files that git ignores.")
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes [default: the cores that may be used].")
@click.option("--rules", multiple=True, metavar="DIR", help="More rules, beside the built-in ones.")
@click.option("--baseline", default="", metavar="FILE", help="Baseline to use.")
@click.option("--no-baseline", is_flag=True, help="Report what the baseline accepts as new.")
@click.option("--no-cache", is_flag=True, help="With --history: read all, also what an earlier scan has seen.")
@click.option("--show-secrets", is_flag=True, help="Show values in full (text, json, jsonl).")
@click.option("--verify", is_flag=True, help="Ask the providers whether what was found is live: that is a login.")
@click.option("--min-confidence", type=click.Choice(CONFIDENCES), default=None, help="Report from here upwards.")
@click.option(
    "--plugins",
    default="",
    metavar="FILE",
    help="Run the own detect-secrets plugins that FILE (.secrets.baseline) names: only code that you trust.",
)
@click.option("--config", default="", metavar="FILE", help="Configuration to use instead of the nearest one.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no notices: only the result, and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what the scan goes by and what it takes, on standard error.")
@click.option("--engine", type=click.Choice(["hyperscan", "re"]), default=None, hidden=True)
def command(path: Path, **options: Any) -> int:
    """Scan PATH (a working tree, any folder, a file), or what an option names.

    Exits 0 when nothing new was found, 1 with new findings, 4 when something could not be read.

    \b
    hygiene scan                             this folder
    hygiene scan --staged                    what the next commit would add
    hygiene scan --history                   every commit of every ref
    hygiene scan --range origin/main..HEAD   what a branch adds
    """
    _refuse_contradictions(options)
    root = None if options["from_stdin"] else find_root(path if path.is_dir() else path.parent)
    target = _target(path, root, options)
    scanning = open_scanning(path.resolve(), root, _wishes(options), base=target.base)
    scanning.accepted()  # so that a broken baseline is told before the work
    source, complete = _remembering(target.source, root, options, scanning)
    jobs = options["jobs"] or usable_cores()
    workings = Workings(scanning, jobs)
    accepted = scanning.accepted if complete is None else Accepted  # what is remembered is so as it was found
    with nullcontext() if options["quiet"] else progress(sys.stderr) as report:
        result = scan(
            source,
            scanning.examiner,
            accepted,
            exclude=scanning.config.exclude,
            jobs=jobs,
            report=report,
        )
    if complete is not None:
        result = complete(result, scanning.accepted())
    if options["verify"] and result.findings:
        result = load_verifier()(result, root, options["config"])
    _write(result, options)
    if not options["quiet"]:
        _tell(scanning, target)
    if options["verbose"]:
        workings.tell(result)
    return exit_code(result)


def _remembering(
    source: Source, root: Path | None, options: dict[str, Any], scanning: Scanning
) -> tuple[Source, Completion | None]:
    """Give the source that reads only what an earlier scan has not seen, and what completes its result."""
    anew = options["unreachable"] or options["unpack"] or options["no_cache"] or options["plugins"]
    if not options["history"] or anew or root is None:
        return source, None
    return open_remembered(root, Git(root).common_dir(), scanning)


def exit_code(result: ScanResult) -> int:
    """Give the exit code that ``result`` asks for: what was not read outranks what was found."""
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if result.incomplete:
        return ExitCode.INCOMPLETE
    return ExitCode.FINDINGS if result.new else ExitCode.CLEAN


def _refuse_contradictions(options: dict[str, Any]) -> None:
    kinds = ("staged", "span", "history", "since", "from_stdin", "archive")
    chosen = [kind for kind in kinds if options[kind]]
    if options["quiet"] and options["verbose"]:
        raise UsageError("--quiet and --verbose exclude each other")
    if len(chosen) > 1:
        names = {"span": "range", "from_stdin": "stdin"}
        words = " and ".join(f"--{names.get(kind, kind)}" for kind in chosen)
        raise UsageError(f"{words} exclude each other", hint="choose one thing to scan")
    if options["unreachable"] and not options["history"]:
        raise UsageError("--unreachable goes with --history")
    if options["unpack"] and (options["from_stdin"] or options["archive"]):
        raise UsageError("--unpack goes with a folder, --staged, --range, --since or --history")
    if options["show_secrets"] and options["format_name"] not in REVEALING:
        raise UsageError(f"--show-secrets does not go with --format {options['format_name']}")


def _target(path: Path, root: Path | None, options: dict[str, Any]) -> Target:
    if options["from_stdin"]:
        return Target(open_source("stdin"), whole=False)
    if options["archive"]:
        return Target(open_source("archive", options["archive"]), whole=False)
    unpack = options["unpack"]
    if not any(options[kind] for kind in ("staged", "span", "history", "since")):
        top, below = _place_of(path, root)
        ignored = not options["respect_gitignore"]
        source = open_source("directory", top, ignored=ignored, archives=unpack, below=below)
        return Target(source, whole=path.resolve() == root)
    if root is None:
        raise UsageError(f"{path} is not in a git repository", hint="without an option, any folder can be scanned")
    if options["staged"]:
        return Target(open_source("index", root, archives=unpack), whole=False)
    if options["history"]:
        unreachable = options["unreachable"]
        return Target(open_source("history", root, unreachable=unreachable, archives=unpack), whole=True)
    span = options["span"] or f"{options['since']}..HEAD"
    base = _base_of(Git(root), span) if options["span"] else ""
    return Target(open_source("commits", root, revisions=(span,), archives=unpack), whole=False, base=base)


def _place_of(path: Path, root: Path | None) -> tuple[Path, str]:
    """Give the folder that paths are relative to, and what to scan in it.

    That is where globs of the configuration are meant from: the top of the repository, or the configuration's folder;
    outside of both, paths begin as the user wrote them.
    """
    config = find_config(path if path.is_dir() else path.parent, root)
    base = root or (config.parent.resolve() if config else None)
    full = path.resolve()
    if base is not None and full.is_relative_to(base):
        return base, "" if full == base else full.relative_to(base).as_posix()
    return Path(), "" if path == Path() else os.fspath(path)


def _base_of(git: Git, span: str) -> str:
    """Give the commit whose policy counts for ``span``: A of A..B, the merge base of A...B."""
    base, dots, head = span.partition("...") if "..." in span else span.partition("..")
    if not dots:
        raise UsageError(f"--range takes A..B, not {span!r}")
    base, head = base or "HEAD", head or "HEAD"
    found = git.run("merge-base", "--end-of-options", base, head, ok=(0, 1)) if dots == "..." else b""
    return found.decode().strip() or git.line("rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}")


def _wishes(options: dict[str, Any]) -> Wishes:
    return Wishes(
        config=options["config"],
        baseline=options["baseline"],
        no_baseline=options["no_baseline"],
        rules=options["rules"],
        min_confidence=options["min_confidence"] or "",
        engine=options["engine"] or "",
        plugins=options["plugins"],
    )


def _write(result: ScanResult, options: dict[str, Any]) -> None:
    chosen, show = reporter(options["format_name"]), options["show_secrets"]
    if options["output"] is None:
        with nullcontext(sys.stdout) as stream:
            chosen.report(result, stream, show_secrets=show)
        return
    text = StringIO()
    chosen.report(result, text, show_secrets=show)
    write_atomic(options["output"], text.getvalue().encode("utf-8", "surrogateescape"), mode=0o600 if show else None)


def _tell(scanning: Scanning, target: Target) -> None:
    allowlist = scanning.accepted().allowlist
    for notice in (*scanning.notices, *(allowlist_notices(allowlist, whole=target.whole) if allowlist else ())):
        print(f"hygiene: notice: {notice}", file=sys.stderr)
