"""The script of ``templates/hygiene.yml``, on a real clone with the variables that GitLab sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hygiene.detect.template import fill_template
from tests.repository import Repository

COMPONENT = Path(__file__).parents[2] / "templates" / "hygiene.yml"
SPEC, JOBS = yaml.safe_load_all(COMPONENT.read_text())
(JOB,) = JOBS.values()
LEAK = 'TOKEN = "' + fill_template("ghp_{b62:30}{crc62}", "gitlab") + '"\n'
ZEROS = "0" * 40


class Pipeline:
    """A repository whose ``topic`` adds a leak and takes it away again, and whose ``main`` had one before."""

    def __init__(self, tmp_path: Path) -> None:
        remote = Repository(tmp_path / "remote")
        self.old = remote.commit("old", **{"old.py": LEAK.replace("TOKEN", "OLD").encode()})
        self.base = remote.commit("base", **{"old.py": b"pass\n"})
        remote.git("checkout", "-q", "-b", "topic")
        self.leak = remote.commit("leak", **{"app.py": LEAK.encode()})
        self.head = remote.commit("gone", **{"app.py": b"pass\n"})
        self.folder = tmp_path / "clone"
        subprocess.run(["git", "clone", "-q", f"file://{remote.folder}", str(self.folder)], check=True)
        self.home = tmp_path

    def run(self, **variables: str) -> int:
        environ = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "HYGIENE_CACHE": os.environ["HYGIENE_CACHE"],
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_SHA": self.head,
            "CI_COMMIT_BRANCH": "topic",
            **variables,
        }
        for line in JOB["script"]:
            done = subprocess.run(["sh", "-ec", line], cwd=self.folder, env=environ, check=False)
        return done.returncode

    def found(self) -> list[str]:
        (name,) = JOB["artifacts"]["reports"].values()
        report = json.loads((self.folder / name).read_text())
        return sorted({entry["location"]["file"] for entry in report["vulnerabilities"]})


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


def test_component_merge_request_scans_what_its_branch_adds(pipeline):
    merge = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BEFORE_SHA": ZEROS, "CI_COMMIT_BRANCH": ""}
    assert pipeline.run(**merge, CI_MERGE_REQUEST_DIFF_BASE_SHA=pipeline.base) == 1
    assert pipeline.found() == ["app.py"]
    assert pipeline.run(**merge, CI_MERGE_REQUEST_DIFF_BASE_SHA=pipeline.leak) == 0
    assert pipeline.found() == []


def test_component_merged_results_scan_the_source_branch_and_not_the_merge(pipeline):
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": pipeline.old, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": pipeline.base}
    assert pipeline.run(CI_PIPELINE_SOURCE="merge_request_event", **variables) == 0


@pytest.mark.parametrize("before", [ZEROS, "1" * 40, ""])
def test_component_push_of_a_new_or_forced_branch_scans_what_the_default_branch_lacks(pipeline, before):
    assert pipeline.run(CI_PIPELINE_SOURCE="push", CI_COMMIT_BEFORE_SHA=before) == 1
    assert pipeline.found() == ["app.py"]


def test_component_push_scans_what_it_moved_the_branch_over(pipeline):
    assert pipeline.run(CI_PIPELINE_SOURCE="push", CI_COMMIT_BEFORE_SHA=pipeline.leak) == 0


def test_component_schedule_and_first_push_scan_the_whole_history(pipeline):
    for variables in (
        {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BEFORE_SHA": ZEROS},
        {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BEFORE_SHA": ZEROS, "CI_COMMIT_BRANCH": "main"},
    ):
        assert pipeline.run(**variables) == 1
        assert "old.py" in pipeline.found()


def test_component_inputs_are_declared_and_never_stand_in_a_script():
    text = COMPONENT.read_text().partition("\n---\n")[2]
    used = {part.partition(" ]]")[0] for part in text.split("$[[ inputs.")[1:]}
    assert used == set(SPEC["spec"]["inputs"])
    assert "$[[" not in str(JOB["script"]) + str(JOB["before_script"])
