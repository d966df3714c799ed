"""The release workflow: nothing in it may change under us, and no job may do more than it must."""

import copy
import re
from pathlib import Path

import jsonschema
import yaml

from tests.fakes.schemas import WORKFLOWS, schema

WORKFLOW = yaml.safe_load((Path(__file__).resolve().parents[2] / ".github/workflows/release.yml").read_text())


def steps():
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_workflow_actions_are_pinned_by_commit():
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used)


def test_workflow_only_publishing_and_attesting_may_ask_for_an_identity():
    assert WORKFLOW["permissions"] == {}
    with_identity = {name for name, job in WORKFLOW["jobs"].items() if "id-token" in job["permissions"]}
    assert with_identity == {"attest", "publish"}
    assert not any("uses" not in step for name in ("attest",) for step in WORKFLOW["jobs"][name]["steps"])


def test_workflow_holds_no_stored_secret():
    assert "secrets." not in str(WORKFLOW)


def test_workflow_passes_githubs_schema():
    workflow = copy.deepcopy(WORKFLOW)
    workflow["on"] = workflow.pop(True)  # YAML 1.1 takes the word for a truth
    for job in workflow["jobs"].values():
        # Newer than the schema that the package holds.
        assert job.pop("runs-on") == "ubuntu-24.04"
        job["runs-on"] = "ubuntu-22.04"
        job["permissions"].pop("attestations", None)
    jsonschema.Draft7Validator(schema(WORKFLOWS)).validate(workflow)


def test_workflow_builds_what_the_makefile_knows():
    targets = re.findall(r"^([a-z-]+):", (Path(__file__).resolve().parents[2] / "Makefile").read_text(), re.MULTILINE)
    called = [step["run"].split()[1] for step in steps() if step.get("run", "").startswith("make ")]
    assert called == ["test", "release"]
    assert set(called) <= set(targets)
