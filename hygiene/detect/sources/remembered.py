"""The whole history, of which an earlier scan has seen a part: reads what is new, and knows the rest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted, joined, with_status
from hygiene.detect.recall import with_values
from hygiene.detect.seen import Memory, Notebook
from hygiene.detect.sources import refs
from hygiene.detect.sources.advance import Advance
from hygiene.detect.sources.commits import KNOWN_BYTES, CommitsSource
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.listing import NOT_HERE
from hygiene.detect.sources.names import FILE, REF, name_items
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Finding, Provenance, ScanResult, ScanStats, Skipped
from hygiene.git import Git

_TEXTS = ("message", "tag", "ref")  # places whose text is a part of what is remembered, not an object's content


class RememberedHistory:
    """A source over all refs of a repository, with a notebook.

    What the notebook's scan found is known without reading it again, as long as refs only moved on over new commits
    that leave it alone. Otherwise all objects in which something matched are read and placed anew, beside the new ones.
    """

    commits = 0

    def __init__(self, folder: Path, notebook: Notebook, examiner: Examiner, *, believe: bool = True) -> None:
        """Read the repository at ``folder``; ``examiner`` is the one of the scan; without ``believe``, read all."""
        self._git = Git(folder)
        self._folder = folder
        self._history = HistorySource(folder)
        self._notebook = notebook
        self._examiner = examiner
        self._listing = refs.list_refs(self._git)
        self._memory = self._believed(notebook.read()) if believe else None
        self._advance = Advance(self._git, self._memory, self._listing) if self._memory else None
        self._known = self._recalled()  # findings that need no new look; None: what matched is read again
        self._new = self._added()
        self._again = 0  # bytes of known objects that were read again
        self._paths: dict[str, str] = {}  # of the objects that were placed

    def _believed(self, memory: Memory | None) -> Memory | None:
        """Give ``memory``, unless objects were missing that may have come since."""
        return None if memory and memory.packs and memory.packs != self._packs() else memory

    def _packs(self) -> tuple[str, ...]:
        """Give what shows that objects came, though no ref moved: the packs' names, and a shallow clone's edge."""
        inside = self._git.common_dir()
        names = sorted(path.name for path in (inside / "objects" / "pack").glob("*.pack"))
        edge = inside / "shallow"
        return (*names, hashlib.sha256(edge.read_bytes()).hexdigest()) if edge.is_file() else tuple(names)

    def _recalled(self) -> tuple[Finding, ...] | None:
        """Give the remembered findings with their values, at the places that they have now."""
        if self._memory is None or self._advance is None or not self._advance.leaves_places:
            return None
        source = HistorySource(self._folder)
        found = with_values(self._memory.findings, self._memory.paths, source.read, self._examiner)
        return None if found is None else tuple(map(self._advance.placed, found))

    def _added(self) -> CommitsSource | None:
        if self._advance is None or not self._advance.news:
            return None
        return CommitsSource(self._folder, self._advance.revisions())

    def items(self) -> Iterable[Item]:
        """List what is new since the notebook's scan, and what has to be looked at again; without a notebook, all."""
        memory, advance = self._memory, self._advance
        if memory is None or advance is None:
            yield from self._history.items()
            self.commits = self._history.commits
            return
        if self._known is None:
            yield from (Item(name, 0, path) for name, path in memory.paths.items())
        yield from name_items(advance.new_names(), REF)
        if self._new is not None:
            yield from (item for item in self._new.items() if item.id not in memory.paths)
            self.commits = self._new.commits

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        """Give the bytes of ``items``."""
        known: Collection[str] = self._memory.paths if self._memory else ()
        for blob in self._history.read(items):
            if blob.id in known:
                self._again += len(blob.data)
            yield blob

    def provenance(self, ids: Collection[str]) -> Mapping[str, tuple[Provenance, ...]]:
        """Give the places of ``ids``: those of what is new among the new commits, all others in the whole history."""
        narrow = self._known is not None and self._new is not None
        places = self._new.provenance(ids) if narrow and self._new else self._history.provenance(ids)
        self._paths |= {name: where[0].path for name, where in places.items() if where}
        return places

    def skipped(self) -> Sequence[Skipped]:
        """Give what was not read since the last call."""
        return [*self._history.skipped(), *(self._new.skipped() if self._new else ())]

    def completed(self, result: ScanResult, accepted: Accepted) -> ScanResult:
        """Add to ``result``, of findings as they were made, what is known of the old part; note it all; then judge.

        ``accepted`` is what the project has accepted by now.
        """
        known = self._known or ()
        if self._memory is not None:
            skipped = tuple(sorted({*self._memory.skipped, *result.skipped}))
            result = result._replace(stats=self._summed(self._memory, result.stats), skipped=skipped)
        findings = joined((*result.findings, *known)) if known else result.findings
        if not result.interrupted and not any(map(self._may_be_read_later, result.skipped)):
            self._note(result, findings)
        return result._replace(findings=with_status(findings, accepted))

    def _summed(self, memory: Memory, new: ScanStats) -> ScanStats:
        again = len(memory.paths) if self._known is None else 0
        old = memory.stats
        return ScanStats(
            blobs=old.blobs + new.blobs - again,
            bytes=old.bytes + new.bytes - self._again,
            commits=old.commits + new.commits,
        )

    def _may_be_read_later(self, skip: Skipped) -> bool:
        """Say whether ``skip`` forbids a note: a single thing (a broken object, a dead worker) may be whole next time.

        What a partial clone left out comes in a new pack, with which no note is believed.
        """
        never_fetched = skip.reason.endswith(NOT_HERE) and self._history.is_partial()
        return skip.incomplete and bool(skip.path) and not never_fetched

    def _note(self, result: ScanResult, findings: tuple[Finding, ...]) -> None:
        if self._known is not None and self._advance is not None and not self._advance.changed:
            return  # it stands there already
        kept = self._memory.paths if self._memory and self._known is not None else {}
        memory = Memory(
            digest=refs.digest(self._listing),
            refs=refs.compact(self._listing),
            commits=self._commits(),
            findings=findings,
            paths={**kept, **self._paths},
            stats=result.stats,
            skipped=result.skipped,
            packs=self._packs() if result.incomplete else (),
        )
        fresh = memory._replace(findings=result.findings, paths=self._paths)
        # What was known has been looked at before, when it was noted.
        if not (_tells(memory, result.findings) or _tells(fresh, self._known or ())):
            self._notebook.write(memory)

    def _commits(self) -> bytes:
        """Give the beginnings of the ids of all commits that a ref reaches, perhaps of more."""
        if self._memory is not None:
            return self._memory.commits + bytes(self._new.commit_ids if self._new else b"")
        if self._history.commit_ids:
            return bytes(self._history.commit_ids)
        reached = self._git.run("rev-list", "--all", "--").decode().split()  # somebody else has chosen the items
        return b"".join(bytes.fromhex(name[: 2 * KNOWN_BYTES]) for name in reached)


def _tells(memory: Memory, findings: Iterable[Finding]) -> bool:
    """Say whether a subject or a name in ``memory`` holds a value, as it is or, where one was found so, encoded.

    Such a history is read whole each time: what it would take to remember it must not be written down.
    """
    text = b"\n".join({os.fsencode(text) for text in _texts(memory)})
    return any(
        finding.secret.reveal() in text or (finding.encoding != "" and _is_text(finding)) for finding in findings
    )


def _is_text(finding: Finding) -> bool:
    return finding.provenance[0].kind in _TEXTS or finding.blob.startswith((FILE, REF))


def _texts(memory: Memory) -> Iterator[str]:
    """Give all that repositories' people wrote in ``memory``."""
    yield from (f"{skip.path}\n{skip.reason}" for skip in memory.skipped)
    yield from memory.paths.values()
    yield from memory.paths
    for finding in memory.findings:
        yield "\n".join((finding.path, *finding.reasons))
        for place in finding.provenance:
            yield "\n".join((place.path, place.author, place.email, place.message_subject, *place.refs))
