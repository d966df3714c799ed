"""The whole tool in folds by repository: ``hygiene scan`` with a model that saw nothing of what it scans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.accuracy.score import repository_of

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
        yield from map(_reported, json.loads(done.stdout)["findings"])


def _reported(found: dict[str, Any]) -> Reported:
    told = [reason for reason in found.get("reasons", ()) if reason.startswith("classifier ")]
    probability = float(told[0].split()[1]) if told else -1.0
    return Reported(
        found["path"][found["path"].find("data/") :],
        found["line_start"],
        found["line_end"],
        found["rule"],
        found["confidence"],
        probability,
    )
