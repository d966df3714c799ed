"""The release workflow: nothing in it may change under us, and no job may do more than it must."""

import re
from pathlib import Path

import yaml

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
