"""The values of findings that an earlier scan made: none was written down, so they are read again from the objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from hygiene.detect.examine import Examiner
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Finding
from hygiene.secret import Secret

Read = Callable[[Sequence[Item]], Iterator[Blob]]
_Place = tuple[str, int, int]  # object, and the span in it


def with_values(
    findings: Sequence[Finding], paths: Mapping[str, str], read: Read, examiner: Examiner
) -> tuple[Finding, ...] | None:
    """Give ``findings`` with their values; None where one is no longer to be had.

    ``paths``: the hint that each object was examined with. What stands there plainly is taken from its place; what is
    encoded is found anew, which only ``examiner`` can do.
    """
    plain = [finding for finding in findings if not finding.encoding]
    encoded = [finding for finding in findings if finding.encoding]
    values = dict(_taken(plain, read(_items(plain, paths))))
    if encoded:
        hits = examiner.examine_all(read(_items(encoded, paths)))
        values.update({(hit.blob, hit.start, hit.end): hit.secret for hit in hits})
    found = [(finding, values.get(_place(finding))) for finding in findings]
    if any(value is None for _, value in found):
        return None
    return tuple(finding._replace(secret=Secret(value)) for finding, value in found if value is not None)


def _items(findings: Iterable[Finding], paths: Mapping[str, str]) -> list[Item]:
    blobs = dict.fromkeys(finding.blob for finding in findings)
    return [Item(blob, 0, paths.get(blob, "")) for blob in blobs]


def _place(finding: Finding) -> _Place:
    return finding.blob, finding.start, finding.end


def _taken(findings: Iterable[Finding], blobs: Iterable[Blob]) -> Iterator[tuple[_Place, bytes]]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for finding in findings:
        spans.setdefault(finding.blob, []).append((finding.start, finding.end))
    for blob in blobs:
        for start, end in spans[blob.id]:
            if blob.start <= start and end <= blob.start + len(blob.data):
                yield (blob.id, start, end), blob.data[start - blob.start : end - blob.start]
