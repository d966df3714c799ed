"""What a hook says when it stops a commit or a push: where, what, and the ways on."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TextIO

from hygiene.finding import Finding, ScanResult
from hygiene.report.masking import Mask
from hygiene.report.terminal import printable

_SHOWN = 20
_COMMITS = 4
Removals = Callable[[Finding], tuple[str, ...]]  # the commits that took a finding out again


def write_blocked(result: ScanResult, doing: str, stream: TextIO, removals: Removals = lambda finding: ()) -> None:
    """Tell why ``doing`` (such as "commit") stops, in few lines, without a value."""
    new = result.new
    if new:
        mask = Mask(result.findings)
        stream.write(f"hygiene: {doing} stopped: {_count(len(new), 'credential')} found\n\n")
        for finding in new[:_SHOWN]:
            stream.write(_lines(finding, mask, removals(finding)))
        if len(new) > _SHOWN:
            stream.write(f"  … and {len(new) - _SHOWN} more\n")
        stream.write(_ways_on(new[0], mask))
    unread = [skip for skip in result.skipped if skip.incomplete]
    if unread:
        stream.write(f"hygiene: {doing} stopped: {_count(len(unread), 'thing')} could not be read\n")
        for skip in unread[:_SHOWN]:
            stream.write(f"  {printable(skip.path)}: {printable(skip.reason)}\n")


def write_kept(result: ScanResult, stream: TextIO) -> None:
    """Tell which credentials of HEAD an amended commit keeps; it is not stopped, since it adds none of them."""
    if not result.new:
        return
    mask = Mask(result.findings)
    stream.write(f"hygiene: {_count(len(result.new), 'credential')} already in HEAD, kept by this commit\n\n")
    for finding in result.new[:_SHOWN]:
        stream.write(_lines(finding, mask))
    stream.write(
        "\nTake it out and amend again, before it is pushed; once pushed, rotate it: hygiene rotate --leaked\n"
    )


def _lines(finding: Finding, mask: Mask, removed: tuple[str, ...] = ()) -> str:
    shown = mask.finding(finding)
    place = f"{printable(shown.path)}:{shown.line_start}:{shown.column_start}"
    lines = [f"  {place}  {printable(shown.description)}  {finding.secret.redacted()}\n"]
    if commits := _commits(shown):
        removal = f", taken out by {_names(removed)}: still pushed" if removed else ""
        lines.append(f"      in commit {_names(commits)}{removal}\n")
    others = list(dict.fromkeys(printable(place.path) for place in shown.provenance if place.path != shown.path))
    if others:
        lines.append(f"      also in {', '.join(others[:_COMMITS])}{' …' if len(others) > _COMMITS else ''}\n")
    lines.append(f"      {shown.rule}  {shown.fingerprint}\n")
    return "".join(lines)


def _ways_on(finding: Finding, mask: Mask) -> str:
    shown = mask.finding(finding)
    allow = f"  allow it, with a reason beside it:  hygiene: allow {shown.rule} {shown.fingerprint[:15]} reason=…\n"
    outside = _way_outside_files(finding, shown)
    if outside:
        return f"\nTwo ways on:\n  {outside}\n{allow}"
    path = shlex.quote(printable(shown.path))
    after = (
        "then rewrite the commits that hold it, or rotate it"
        if _commits(shown)
        else "then add secrets.toml, and commit"
    )
    return (
        "\nThree ways on:\n"
        f"  move it into a store    hygiene migrate --apply {path}   ({after})\n"
        f"{allow}"
        "  accept it as known      hygiene baseline update\n"
    )


def _way_outside_files(finding: Finding, shown: Finding) -> str:
    """Say what to do about a value that stands in no file's content, where there is nothing to migrate."""
    kinds = {place.kind for place in finding.provenance}
    if "tag" in kinds:
        return f"make the tag anew         git tag -d {shlex.quote(printable(shown.path.removeprefix('refs/tags/')))}"
    if "message" in kinds:
        return "reword the commit         git rebase -i, or git commit --amend for the last one"
    if kinds == {"stdin"}:
        return "leave it out of the message, and commit again"
    if finding.path != shown.path:
        return "rename it: the value stands in the name"
    return ""


def _commits(finding: Finding) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place.commit for place in finding.provenance if place.commit))


def _names(commits: tuple[str, ...]) -> str:
    return " ".join(commit[:10] for commit in commits[:_COMMITS]) + (" …" if len(commits) > _COMMITS else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
