"""What one worker does: scan a repository, match a part of a large one, or place what the parts matched.

A large repository is matched in parts, each a range of its objects in the order that packs hold them. Only the ids of
the objects in which something matched come back; a last task reads those again, alone, and so gives exactly what
one scan of the whole gives, with one walk over the history. What leaves a worker holds no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted, Completion
from hygiene.detect.match import Pattern
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Source
from hygiene.errors import SourceError
from hygiene.finding import Finding, Provenance, ScanStats, Skipped
from hygiene.fleet.excerpt import Chosen, Share
from hygiene.fleet.key import FleetKey
from hygiene.report.masking import Mask

WHOLE, PART, PLACE = "whole", "part", "place"
SKIPPED_AT_MOST = 50  # of one task; more are told by their number


class Unit(NamedTuple):
    """One piece of work."""

    repository: int
    path: str
    tips: str
    digest: str  # of the tips, rules and policy that it is for
    kind: str = WHOLE
    part: int = 0
    parts: int = 1
    bytes: int = 0
    ids: tuple[str, ...] = ()  # to be placed: objects in which something matched
    stats: tuple[int, ...] = (0, 0, 0)  # blobs, bytes and commits that the parts read
    skipped: tuple[tuple[str, str, bool], ...] = ()  # what the parts did not read


class Row(NamedTuple):
    """One finding as the inventory keeps it: no value, and no text around it that holds one."""

    fingerprint: str
    rule: str
    description: str
    severity: str
    confidence: str
    status: str
    length: int
    path: str
    place: str
    line_start: int
    line_end: int
    column_start: int
    column_end: int
    blob: str
    commit: str
    last_commit: str
    author: str
    email: str
    date: str
    commits: tuple[str, ...]


class Outcome(NamedTuple):
    """What came of a unit."""

    unit: Unit
    rows: tuple[Row, ...] = ()
    ids: tuple[str, ...] = ()
    listing: str = ""  # digest of all items, in their order: parts of one listing agree on it
    stats: tuple[int, ...] = (0, 0, 0)
    skipped: tuple[tuple[str, str, bool], ...] = ()
    owners: tuple[str, ...] = ()  # one a row
    owner: str = ""  # of the repository
    seconds: float = 0.0
    problem: str = ""  # why nothing came of it


class Bench(NamedTuple):
    """What a task works with."""

    source: Source
    examiner: Examiner
    accepted: Callable[[], Accepted]
    exclude: Sequence[str]
    completed: Completion | None = None  # adds what an earlier scan knew, notes the whole, and says what is accepted


def work(unit: Unit, bench: Bench, key: FleetKey) -> Outcome:
    """Do ``unit``. Raises :class:`SourceError` where the repository can't be read."""
    if unit.kind == PART:
        return _part(unit, bench)
    source = Chosen(bench.source, unit.ids) if unit.kind == PLACE else bench.source
    accepted = Accepted if bench.completed else bench.accepted
    result = scan(source, bench.examiner, accepted, exclude=bench.exclude)
    if unit.kind == PLACE:
        skipped = (*result.skipped, *(Skipped(*skip) for skip in unit.skipped))
        result = result._replace(stats=ScanStats(*unit.stats), skipped=tuple(sorted(set(skipped))))
    if bench.completed is not None:
        result = bench.completed(result, bench.accepted())
    if result.interrupted:
        raise KeyboardInterrupt
    rows = rows_from(result.findings, bench.examiner.patterns, key)
    mask = Mask(result.findings)  # a file that can't be read may be named by a value
    told = [skip._replace(path=mask.text(skip.path)) for skip in result.skipped]
    return Outcome(unit, rows, stats=(*result.stats,), skipped=_shortened(told))


def rows_from(findings: Sequence[Finding], patterns: Sequence[Pattern], key: FleetKey) -> tuple[Row, ...]:
    """Take from ``findings`` what the inventory keeps, named under the organisation's key."""
    families = {pattern.id: pattern.family or pattern.id for pattern in patterns}
    mask = Mask(findings)
    return tuple(_row(finding, mask.finding(finding), families, key) for finding in findings)


def _row(finding: Finding, shown: Finding, families: Mapping[str, str], key: FleetKey) -> Row:
    value = finding.secret.reveal()
    first = shown.provenance[0] if shown.provenance else Provenance("", shown.path)
    return Row(
        fingerprint=key.fingerprint(families.get(finding.rule, finding.rule), value),
        rule=finding.rule,
        description=_text(shown.description),
        severity=finding.severity,
        confidence=finding.confidence,
        status=finding.status,
        length=len(value),
        path=_text(shown.path),
        place="" if first.commit else str(finding.start),
        line_start=finding.line_start,
        line_end=finding.line_end,
        column_start=finding.column_start,
        column_end=finding.column_end,
        blob=_text(finding.blob) if ":" not in finding.blob else "",
        commit=first.commit,
        last_commit=first.last_commit,
        author=_text(first.author),
        email=_text(first.email),
        date=first.date,
        commits=tuple(dict.fromkeys(place.commit for place in shown.provenance if place.commit)),
    )


def _part(unit: Unit, bench: Bench) -> Outcome:
    share = Share(bench.source, unit.part, unit.parts)
    result = scan(share, bench.examiner, Accepted)
    if result.interrupted:
        raise KeyboardInterrupt
    return Outcome(
        unit,
        ids=tuple(sorted(share.matched)),
        listing=share.listing,
        stats=(*result.stats,),
        skipped=_shortened(result.skipped),
    )


def git_folder(path: str) -> Path:
    """Give the folder that git works in for a repository at ``path``. Raises SourceError where it is gone."""
    folder = Path(path)
    if not folder.is_dir():
        raise SourceError(f"{path} is gone", hint="is the disk mounted here?")
    return folder


def _shortened(skipped: Sequence[Skipped]) -> tuple[tuple[str, str, bool], ...]:
    told = tuple((_text(skip.path), _text(skip.reason), skip.incomplete) for skip in skipped[:SKIPPED_AT_MOST])
    rest = skipped[SKIPPED_AT_MOST:]
    if not rest:
        return told
    return (*told, ("", f"{len(rest)} more were not read", any(skip.incomplete for skip in rest)))


def _text(text: str) -> str:
    """Give ``text`` without what a database refuses: lone surrogates (bytes that are not UTF-8) and NUL."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
