"""The whole tool in folds by repository: ``hygiene scan`` with a model that saw nothing of what it scans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.accuracy.dataset import Dataset, Labels, Row
from bench.accuracy.export import model_bytes
from bench.accuracy.fit import fit, folds_of, weights_of
from bench.accuracy.score import Score, repository_of

_RUN = """
import sys
from pathlib import Path
from hygiene.detect import classifier_model
classifier_model.PATH = Path(sys.argv[1])
from hygiene.cli.entry import main
main(sys.argv[2:])
"""


class Reported(NamedTuple):
    """What the tool said of a place."""

    path: str
    first: int
    last: int
    rule: str
    confidence: str
    probability: float  # the classifier's; -1 where none decided


def reports(dataset: Path, repositories: set[str], model: bytes, least: str = "low") -> Iterator[Reported]:
    """Scan ``repositories`` of ``dataset`` with ``model`` and give every finding from confidence ``least`` upwards."""
    with tempfile.TemporaryDirectory(dir=dataset.parent) as folder:
        weights = Path(folder, "model.bin")
        weights.write_bytes(model)
        for path in dataset.glob("data/**/*"):
            relative = path.relative_to(dataset)
            if path.is_file() and repository_of(relative.as_posix()) in repositories:
                target = Path(folder, relative)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, target)
        options = ("--format", "json", "--no-baseline", "--jobs", "1", "--min-confidence", least)
        command = [sys.executable, "-c", _RUN, str(weights), "scan", str(Path(folder, "data")), *options]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr.decode())
        yield from (_reported(found, Path(folder).name) for found in json.loads(done.stdout)["findings"])


def _reported(found: dict[str, Any], folder: str) -> Reported:
    told = [reason for reason in found.get("reasons", ()) if reason.startswith("classifier ")]
    probability = float(told[0].split()[1]) if told else -1.0
    return Reported(
        found["path"].partition(f"{folder}/")[2],
        found["line_start"],
        found["line_end"],
        found["rule"],
        found["confidence"],
        probability,
    )


def reports_out_of_fold(
    dataset: Path, data: Dataset, tables: tuple[bytes, frozenset[bytes]], seed: int, head: dict[str, Any]
) -> list[Reported]:
    """Scan each fold's repositories at default confidence with a model that was fitted on the other folds."""
    _, _, repositories = weights_of(data)
    dealt = folds_of(data, seed)
    every = {path.name for path in dataset.glob("data/*")}
    found: list[Reported] = []
    for fold in sorted(set(dealt.values())):
        seen = np.array([dealt[name] != fold for name in repositories])
        model = model_bytes(fit(data, seen, seed), tables, head)
        found += reports(dataset, {name for name in every if dealt.get(name, 0) == fold}, model, "medium")
    return found


def score_reports(labels: Labels, found: list[Reported]) -> tuple[Score, Counter[str]]:
    """Give the strict score of what the tool said, and its false alarms by rule."""
    right: set[tuple[str, int, int]] = set()
    alarms: dict[tuple[str, int], str] = {}
    for report in found:
        rows = _overlapping(labels.true, report)
        right.update((report.path, row.first, row.last) for row in rows)
        if not rows and not _overlapping(labels.ignored, report):
            alarms.setdefault((report.path, report.first), report.rule)
    wanted = {(path, row.first, row.last) for path, rows in labels.true.items() for row in rows}
    precision = len(right) / (len(right) + len(alarms)) if right or alarms else 0.0
    return Score(0.0, precision, len(right) / len(wanted)), Counter(alarms.values())


def _overlapping(rows: dict[str, list[Row]], report: Reported) -> list[Row]:
    return [row for row in rows.get(report.path, ()) if row.first <= report.last and report.first <= row.last]
