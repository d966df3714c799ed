"""A source → a ScanResult: the workers' hits, their places, and what the project has accepted, in a stable order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, groupby
from math import log2
from typing import NamedTuple

from hygiene.detect.allowlist import Allowlist
from hygiene.detect.baseline import Baseline
from hygiene.detect.examine import Examiner, Hit
from hygiene.detect.globs import matches_any
from hygiene.detect.match import Pattern
from hygiene.detect.sources.protocol import Item, Source
from hygiene.detect.workers import Report, run
from hygiene.finding import Finding, Provenance, ScanResult, ScanStats, Skipped
from hygiene.secret import Secret


class Accepted(NamedTuple):
    """What the project has accepted, and what it does not look at."""

    baseline: Baseline | None = None
    allowlist: Allowlist | None = None
    exclude: tuple[str, ...] = ()  # globs


def scan(
    source: Source,
    examiner: Examiner,
    accepted: Accepted,
    *,
    jobs: int = 1,
    report: Report | None = None,
) -> ScanResult:
    """Scan ``source`` with at most ``jobs`` processes.

    Findings are sorted by path and place; in history one leak is one finding a path, with every commit that holds it
    as its provenance, the oldest first. Raises SourceError where the source can't be read at all.
    """
    excluded: Counter[str] = Counter()
    items = _included(source.items(), accepted.exclude, excluded)
    outcome = run(source, items, examiner, jobs, report)
    patterns = examiner.patterns
    findings = _placed(source, list(outcome.hits.values()), patterns, accepted.exclude)
    judged = (_with_status(finding, accepted) for finding in _merged(findings))
    skipped = [*outcome.skipped, *_excluded(excluded)]
    return ScanResult(
        findings=tuple(sorted(judged, key=_order)),
        skipped=tuple(sorted(set(skipped))),
        stats=ScanStats(outcome.blobs, outcome.bytes, source.commits),
        interrupted=outcome.interrupted,
    )


def _included(items: Iterable[Item], globs: Sequence[str], excluded: Counter[str]) -> Iterable[Item]:
    """Leave out files that a glob covers; a git object may have other paths too, so its places are asked later."""
    if not globs:
        return items
    return (item for item in items if not _is_excluded(item, globs, excluded))


def _is_excluded(item: Item, globs: Sequence[str], excluded: Counter[str]) -> bool:
    if not item.id.startswith("path:"):
        return False
    glob = next((glob for glob in globs if matches_any(item.path, (glob,))), None)
    if glob is not None:
        excluded[glob] += 1
    return glob is not None


def _excluded(excluded: Counter[str]) -> Iterator[Skipped]:
    for glob, count in excluded.items():
        yield Skipped(glob, f"excluded by the configuration: {count} files", incomplete=False)


def _placed(
    source: Source, hits: Sequence[Hit], patterns: Sequence[Pattern], exclude: Sequence[str]
) -> Iterator[Finding]:
    if not hits:
        return
    places = source.provenance({hit.blob for hit in hits})
    for hit in hits:
        kept = [place for place in places.get(hit.blob, ()) if not matches_any(place.path, exclude)]
        if kept:
            yield _finding(hit, patterns[hit.rule], tuple(kept))


def _finding(hit: Hit, pattern: Pattern, places: tuple[Provenance, ...]) -> Finding:
    return Finding(
        rule=pattern.id,
        description=pattern.description,
        severity=pattern.severity,
        confidence=hit.confidence,
        path=places[0].path,
        line_start=hit.line_start,
        line_end=hit.line_end,
        column_start=hit.column_start,
        column_end=hit.column_end,
        start=hit.start,
        end=hit.end,
        blob=hit.blob,
        secret=Secret(hit.secret),
        fingerprint=hit.fingerprint,
        provenance=places,
        status="allowlisted" if hit.allowed else "new",
        entropy=round(entropy(hit.secret), 3),
        reasons=(*hit.reasons, *((f"allowed beside it: {hit.allowed}",) if hit.allowed else ())),
        encoding=hit.encoding,
    )


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Join the findings of one leak in the versions of one file: the oldest stands for all."""
    ordered = sorted(findings, key=lambda finding: (finding.fingerprint, finding.path, _age(finding), _order(finding)))
    for (_fingerprint, _path, in_history), group in groupby(ordered, key=_leak):
        versions = list(group)
        if not in_history or len(versions) == 1:
            yield from versions
            continue
        places = sorted(set(chain.from_iterable(version.provenance for version in versions)), key=_moment)
        yield versions[0]._replace(provenance=tuple(places))


def _leak(finding: Finding) -> tuple[str, str, bool]:
    return finding.fingerprint, finding.path, bool(finding.provenance[0].commit)


def _age(finding: Finding) -> tuple[float, Provenance]:
    return _moment(finding.provenance[0])


def _moment(place: Provenance) -> tuple[float, Provenance]:
    try:
        return datetime.fromisoformat(place.date).timestamp(), place
    except ValueError:
        return 0.0, place


def _with_status(finding: Finding, accepted: Accepted) -> Finding:
    if finding.status != "new":
        return finding
    entry = accepted.allowlist.covering(finding) if accepted.allowlist else None
    if entry:
        reasons = (*finding.reasons, f"allowed by the configuration: {entry.reason}")
        return finding._replace(status="allowlisted", reasons=reasons)
    if accepted.baseline is not None and finding.fingerprint in accepted.baseline.entries:
        return finding._replace(status="baselined")
    return finding


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.start, finding.end, finding.rule, finding.blob


def entropy(value: bytes) -> float:
    """Give Shannon's entropy of ``value`` in bits per byte."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values()) if size else 0.0
