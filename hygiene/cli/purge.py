"""``hygiene purge``: prepares a history without the secrets, in a mirror, and says what must follow."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from hygiene.cli.compose import notice
from hygiene.cli.progress import progress
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import ExitCode, SourceError
from hygiene.finding import Finding, Provenance
from hygiene.git import Git, find_root
from hygiene.replace.purge import SHORTEST, Purged, check_source, purge
from hygiene.report.text import count
from hygiene.secret import Secret

_KINDS = {
    "refs/heads/": ("branch", "branches"),
    "refs/tags/": ("tag", "tags"),
    "refs/notes/": ("notes ref", "notes refs"),
    "refs/stash": ("stash", "stashes"),
    "refs/pull/": ("pull request", "pull requests"),
    "refs/merge-requests/": ("merge request", "merge requests"),
    "refs/remotes/": ("remote-tracking branch", "remote-tracking branches"),
    "refs/": ("other ref", "other refs"),
}


class _Leaks(NamedTuple):
    secrets: list[Secret]
    unreachable: int  # objects that hold one, and that no ref reaches


@click.command("purge", short_help="Prepare a history without the secrets.")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--mirror", type=click.Path(path_type=Path), help="Where to make the mirror [default: NAME.purged.git].")
@click.option(
    "--bundle", type=click.Path(path_type=Path), help="Where to keep the backup [default: NAME.backup.bundle]."
)
@click.option("--rules", multiple=True, metavar="DIR", help="More rules, beside the built-in ones.")
@click.option("--config", "config_path", metavar="FILE", default="", help="Configuration to use.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes [default: the cores that may be used].")
def command(path: Path, mirror: Path | None, bundle: Path | None, **options: Any) -> int:
    """Make a mirror of the repository at PATH whose history holds none of the secrets that a scan finds in it.

    The repository itself stays as it is. Rotate first: what was pushed is known, and a rewrite does not change that.
    """
    root = find_root(path if path.is_dir() else path.parent)
    if root is None:
        raise SourceError(f"{path} is not a git repository", hint="run it in a clone")
    check_source(Git(root))
    secrets, unreachable = _found(root, Wishes(options["config_path"], rules=options["rules"]), options["jobs"])
    if not secrets:
        notice("the history holds no secret that a scan finds")
        return ExitCode.CLEAN
    short = sum(len(secret) < SHORTEST for secret in secrets)
    if short:
        notice(f"{short} values are too short to be replaced safely; rotate them")
    name = root.name.removesuffix(".git")
    done = purge(
        root, secrets, mirror or root.parent / f"{name}.purged.git", bundle or root.parent / f"{name}.backup.bundle"
    )
    still = _found(done.mirror, Wishes(options["config_path"], rules=options["rules"]), options["jobs"], settings=root)
    print("\n".join(_report(done, unreachable, len(still.secrets))))
    return ExitCode.FINDINGS if done.left or still.secrets else ExitCode.CLEAN


def _found(root: Path, wishes: Wishes, jobs: int | None, *, settings: Path | None = None) -> _Leaks:
    """Scan the whole history, dangling objects too, by the rules of ``settings``; gives each value once."""
    scanning = open_scanning(settings or root, settings or root, wishes)
    with progress(sys.stderr) as report:
        result = scan(
            open_source("history", root, unreachable=True),
            scanning.examiner,
            scanning.accepted,
            exclude=(),
            jobs=jobs or usable_cores(),
            report=report,
        )
    found = [finding for finding in result.findings if finding.status != "allowlisted"]
    values = {finding.secret.reveal() for finding in found}
    values |= {written for finding in found if (written := _as_written(root, finding))}
    lost = {finding.blob for finding in found if all(_is_lost(place) for place in finding.provenance)}
    return _Leaks([Secret(value) for value in sorted(values)], len(lost))


def _as_written(root: Path, finding: Finding) -> bytes:
    """Give what stands in the file for a value that was found decoded; nothing for one that stands as it is."""
    if not finding.encoding:
        return b""
    try:
        return Git(root).run("cat-file", "blob", finding.blob)[finding.start : finding.end]
    except SourceError:
        return b""  # a message, which is no blob


def _is_lost(place: Provenance) -> bool:
    """Say whether only the reflog, or nothing at all, leads to ``place``."""
    return place.kind in ("commit", "message", "unreachable") and not place.refs


def _report(done: Purged, unreachable: int, still: int) -> Iterator[str]:
    yield f"{done.values} values replaced in {done.commits} rewritten commits and {len(done.changed_refs)} refs"
    if done.changed_refs:
        yield f"they stood in {_kinds(done.changed_refs)}"
    if unreachable:
        yield (
            f"and in {count(unreachable, 'object')} of this clone that no ref reaches: the mirror has none, and here"
            " git reflog expire --expire=now --all && git gc --prune=now removes them"
        )
    yield f"mirror:  {done.mirror}"
    yield f"backup:  {done.bundle}  (all refs as they were: git clone {done.bundle.name})"
    yield "first changed: " + (", ".join(commit[:12] for commit in done.first_changed) or "none")
    if done.left:
        yield f"NOT gone: {len(done.left)} objects or names still hold a value:"
        yield from (f"  {place}" for place in done.left[:20])
    else:
        yield "proof: no object of the mirror holds one of the values, raw, base64, URL-encoded or in UTF-16"
    if still:
        yield f"NOT gone: a scan of the mirror finds {count(still, 'secret')}: hygiene scan --history {done.mirror}"
    else:
        yield "proof: a scan of the mirror finds none"
    if done.dropped:
        yield f"dropped from the mirror, since no rewrite reaches what they name: {', '.join(done.dropped)}"
    yield ""
    yield "What must follow, by you:"
    yield from (f"{number}. {step}" for number, step in enumerate(_steps(done), 1))


def _kinds(refs: Sequence[str]) -> str:
    """Count ``refs`` by what they are to a person."""
    found = Counter(
        next(names for prefix, names in _KINDS.items() if ref.startswith(prefix)) for ref in _heads_once(refs)
    )
    return ", ".join(f"{number} {one if number == 1 else many}" for (one, many), number in found.items())


def _heads_once(refs: Sequence[str]) -> Iterator[str]:
    """Give ``refs`` with one ref a pull request: some hosts keep a second one for its merge."""
    yield from (ref for ref in refs if not (ref.startswith("refs/pull/") and ref.endswith("/merge")))


def _steps(done: Purged) -> Sequence[str]:
    return (
        "rotate every one of these secrets, if that is not done: hygiene rotate --leaked",
        "tell everyone to push what they have, and to stop",
        f"push it: cd {done.mirror}; git remote set-url origin URL; git push --force --mirror origin"
        " (protected branches refuse this until you let it)",
        f"ask the host to drop cached views and the {done.pull_requests} pull requests that hold old commits; "
        f"name the first changed commits above and {done.orphaned_lfs} orphaned LFS objects",
        "have every clone and fork made anew; a pull and push from an old one brings the secrets back",
        "signatures of rewritten commits and tags are gone, and pins to old commits (submodules, CI) need new ones",
    )
