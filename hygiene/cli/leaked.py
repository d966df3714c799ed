"""What leaked of what is stored: a scan of history, matched with the stores in memory, and its entry in the audit."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hygiene.address import labels_around, registry_around
from hygiene.cli.progress import progress
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.scan import scan
from hygiene.detect.sources.protocol import Item
from hygiene.detect.sources.registry import open_source
from hygiene.detect.workers import usable_cores
from hygiene.errors import SourceError, UsageError
from hygiene.finding import Finding, ScanResult
from hygiene.git import find_root
from hygiene.prove.event import OK, Recorder
from hygiene.rotate.matching import Leak, leaks
from hygiene.store.protocol import Store

MATCH = "rotate.match"


class History(NamedTuple):
    """What a repository's history shows."""

    root: Path
    result: ScanResult

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The leaks, without those that the project allows with a reason."""
        return tuple(finding for finding in self.result.findings if finding.status != "allowlisted")


def scan_history(path: Path, *, config: str = "") -> History:
    """Scan every commit of every ref of the repository around ``path``; raises UsageError outside of one.

    Low confidence counts, too: a value that the store holds is a leak, whatever it looks like.
    """
    root = find_root(path)
    if root is None:
        raise UsageError(f"{path} is not in a git repository", hint="leaks are looked for in a repository's history")
    scanning = open_scanning(root, root, Wishes(config=config, min_confidence="low"))
    with progress(sys.stderr) as report:
        result = scan(
            open_source("history", root, unreachable=False),
            scanning.examiner,
            scanning.accepted,
            exclude=scanning.config.exclude,
            jobs=usable_cores(),
            report=report,
        )
    return History(root, result)


def leaked_secrets(store: Store, recorder: Recorder, history: History) -> Iterator[Leak]:
    """Give the stored secrets that the history shows, each tied to its leaks in the audit log, once."""
    tied = {(event.object, event.detail.get("fingerprint", "")) for event in recorder.events() if event.action == MATCH}
    for leak in leaks(store, history.findings):
        reference = str(store.reference(leak.secret.name))
        for finding in leak.findings:
            if (reference, finding.fingerprint) not in tied:
                tied.add((reference, finding.fingerprint))
                recorder.record(
                    MATCH, reference, OK, fingerprint=finding.fingerprint, rule=finding.rule, stage=leak.stage
                )
        yield leak


def without_halves(found: Iterable[Leak]) -> list[Leak]:
    """Leave out the ids of AWS keys whose secrets leaked beside them: rotating the secret rotates the pair."""
    leaked = list(found)
    rules = [(leak.secret.name.rpartition("/")[0], dict(leak.secret.labels).get("rule", "")) for leak in leaked]
    secret_folders = {folder for folder, rule in rules if rule.startswith("aws-secret")}
    return [
        leak
        for leak, (folder, rule) in zip(leaked, rules, strict=True)
        if not (rule == "aws-access-key-id" and folder in secret_folders)
    ]


def leak_labels(root: Path, leak: Leak) -> dict[str, str]:
    """Learn user, host and the like from the text that a secret leaked in; nothing where that doesn't tell."""
    return next(filter(None, (found_labels(root, finding) for finding in leak.findings)), {})


def found_labels(root: Path | None, finding: Finding) -> dict[str, str]:
    """Learn user, host and the like from the text around ``finding``, in the repository at ``root`` or in a file.

    Nothing is learnt where the text was encoded, is an archive's member, or is gone.
    """
    if finding.encoding:
        return {}
    try:
        text = _text_around(root or Path(), finding)
    except (SourceError, OSError):
        return {}
    return labels_around(text, finding.start, finding.end) or registry_around(text, finding.start)


def _text_around(root: Path, finding: Finding) -> bytes:
    """Give the file or object that ``finding`` stands in: of a commit or tag, its message, as a scan sees it."""
    if any(place.kind == "file" for place in finding.provenance):
        return root.joinpath(finding.path).read_bytes()
    if not finding.blob.isalnum():
        return b""  # no object's id
    text = b""
    for window in open_source("history", root).read([Item(finding.blob, 0, "")]):
        text = text[: window.start] + window.data
    return text
