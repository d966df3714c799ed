"""Hits → findings: where they stand, joined in history, and judged by what the project has accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, groupby
from math import log2
from typing import NamedTuple

from hygiene.detect.allowlist import Allowlist
from hygiene.detect.baseline import Baseline
from hygiene.detect.globs import matches_any
from hygiene.detect.match import Hit, Pattern
from hygiene.detect.sources.protocol import Source
from hygiene.finding import Finding, Provenance, ScanResult
from hygiene.secret import Secret


class Accepted(NamedTuple):
    """What the project has accepted."""

    baseline: Baseline | None = None
    allowlist: Allowlist | None = None


Completion = Callable[[ScanResult, Accepted], ScanResult]  # adds what is known, and says what is accepted


def findings_from(
    source: Source, hits: Sequence[Hit], patterns: Sequence[Pattern], accepted: Accepted, exclude: Sequence[str]
) -> tuple[Finding, ...]:
    """Make findings of ``hits``, sorted by path and place; places under an ``exclude`` glob do not count."""
    return with_status(joined(_placed(source, hits, patterns, exclude)), accepted)


def joined(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join those of ``findings`` that are one leak in one file's versions; sorted by path and place."""
    return tuple(sorted(_merged(findings), key=_order))


def with_status(findings: Iterable[Finding], accepted: Accepted) -> tuple[Finding, ...]:
    """Give ``findings`` as what ``accepted`` makes of them: new, baselined or allowlisted."""
    return tuple(_with_status(finding, accepted) for finding in findings)


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
        tags=(f"encoded:{hit.encoding}",) if hit.encoding else (),
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
