"""A source → a ScanResult: the workers' hits, their places, and what the project has accepted, in a stable order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hygiene.detect.examine import Examiner
from hygiene.detect.globs import matches_any
from hygiene.detect.registry import load_findings
from hygiene.detect.sources.protocol import Item, Source
from hygiene.detect.workers import Report, run
from hygiene.finding import ScanResult, ScanStats, Skipped

if TYPE_CHECKING:
    from hygiene.detect.findings import Accepted


def scan(
    source: Source,
    examiner: Examiner,
    accepted: Callable[[], Accepted],
    *,
    exclude: Sequence[str] = (),
    jobs: int = 1,
    report: Report | None = None,
) -> ScanResult:
    """Scan ``source`` with at most ``jobs`` processes, without what the globs ``exclude`` cover.

    Findings are sorted by path and place; in history one leak is one finding a path, with every commit that holds it
    as its provenance, the oldest first. ``accepted`` is asked for when something was found. Raises SourceError where
    the source can't be read at all.
    """
    excluded: dict[str, int] = {}
    outcome = run(source, _included(source.items(), exclude, excluded), examiner, jobs, report)
    hits = list(outcome.hits.values())
    findings = ()
    if hits:
        findings = load_findings().findings_from(source, hits, examiner.patterns, accepted(), exclude)
    return ScanResult(
        findings=findings,
        skipped=tuple(sorted({*outcome.skipped, *_excluded(excluded)})),
        stats=ScanStats(outcome.blobs, outcome.bytes, source.commits),
        interrupted=outcome.interrupted,
    )


def _included(items: Iterable[Item], globs: Sequence[str], excluded: dict[str, int]) -> Iterable[Item]:
    """Leave out files that a glob covers; a git object may have other paths too, so its places are asked later."""
    if not globs:
        return items
    return (item for item in items if not _is_excluded(item, globs, excluded))


def _is_excluded(item: Item, globs: Sequence[str], excluded: dict[str, int]) -> bool:
    if not item.id.startswith("path:"):
        return False
    glob = next((glob for glob in globs if matches_any(item.path, (glob,))), None)
    if glob is not None:
        excluded[glob] = excluded.get(glob, 0) + 1
    return glob is not None


def _excluded(excluded: dict[str, int]) -> Iterator[Skipped]:
    for glob, count in excluded.items():
        yield Skipped(glob, f"excluded by the configuration: {count} files", incomplete=False)
