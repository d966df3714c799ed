"""``action.yml`` itself, run by a real runner (nektos/act) on this host."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from hygiene.detect.template import fill_template
from tests.e2e.credentials import Forge
from tests.fakes.schemas import ACTION, schema
from tests.repository import Repository
from tests.servers.http_api import serving_api
from tests.servers.http_providers import GitLab

# What the composite action calls must be at hand, since act fetches even a step that it skips. It has nothing to keep.
CACHE = """
name: cache
inputs:
  path: {}
  key: {}
runs:
  using: composite
  steps: []
"""
CHECKOUT = Path(__file__).parents[2]
ACT = os.environ.get("ACT") or shutil.which("act")

WORKFLOW = """
name: secrets
on: [push, pull_request, merge_group, schedule]
permissions:
  contents: read
jobs:
  hygiene:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: hygiene-test/action@v1
        id: scan
        with:
          sarif: "true"
      - if: always()
        shell: bash
        env:
          FOUND: ${{ steps.scan.outputs.new-findings }}
          COMPLETE: ${{ steps.scan.outputs.complete }}
          SARIF: ${{ steps.scan.outputs.sarif-path }}
        run: |
          echo "outputs new=$FOUND complete=$COMPLETE"
          echo "sarif $(gzip -c "$SARIF" | wc -c)"
"""
RESPOND = """
name: respond
on: [schedule]
permissions:
  contents: read
jobs:
  respond:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: hygiene-test/action@v1
        with:
          mode: respond
"""


def test_action_file_passes_githubs_schema():
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())
    jsonschema.Draft7Validator(schema(ACTION)).validate(action)


def test_action_file_lets_no_expression_into_a_script():
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())
    for step in action["runs"]["steps"]:
        assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")


def leak() -> bytes:
    token = fill_template("ghp_{b62:30}{crc62}", "act")
    return f'# one\n# two\nTOKEN = "{token}"\n'.encode()


class Runner:
    """A repository with the workflow, and act on it."""

    def __init__(self, tmp_path: Path) -> None:
        self.repository = Repository(tmp_path / "repository")
        self.tmp_path = tmp_path
        self.action = tmp_path / "action"
        for part in ("action.yml", "hygiene", "rules", "requirements/action.lock", "requirements/runtime.lock"):
            _copy(CHECKOUT / part, self.action / part)
        self.cache = tmp_path / "cache"
        self.cache.mkdir()
        (self.cache / "action.yml").write_text(CACHE)
        self.base = self.commit(**{".github/workflows/secrets.yml": WORKFLOW.encode(), "app.py": b"pass\n"})

    def commit(self, **files: bytes) -> str:
        return self.repository.commit("change", **files)

    def act(self, event: str, payload: dict, **environment: str) -> subprocess.CompletedProcess[str]:
        (self.tmp_path / "event.json").write_text(json.dumps(payload))
        assert ACT is not None
        return subprocess.run(
            [
                *(ACT, event, "-P", "ubuntu-latest=-self-hosted", "-e", str(self.tmp_path / "event.json")),
                *("--local-repository", f"hygiene-test/action@v1={self.action}"),
                *("--local-repository", f"{self.cache_step()}={self.cache}"),
                *("--env", f"HYGIENE_CACHE={os.environ['HYGIENE_CACHE']}"),
                *(part for name, value in environment.items() for part in ("--env", f"{name}={value}")),
            ],
            cwd=self.repository.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=1200,
        )

    def cache_step(self) -> str:
        steps = yaml.safe_load((self.action / "action.yml").read_text())["runs"]["steps"]
        (used,) = [step["uses"] for step in steps if "uses" in step]
        return str(used)

    def pull(self) -> subprocess.CompletedProcess[str]:
        head = self.repository.git("rev-parse", "HEAD")
        return self.act("pull_request", {"pull_request": {"base": {"sha": self.base}, "head": {"sha": head}}})


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    if ACT is None:
        pytest.skip("act is not installed (github.com/nektos/act); set ACT to its path")
    return Runner(tmp_path)


@pytest.mark.slow
def test_act_leak_fails_then_policy_only_fails_then_repair_passes(runner):
    runner.commit(**{"app.py": leak()})
    failed = runner.pull()
    assert failed.returncode != 0, failed.stdout + failed.stderr
    assert "file=app.py,line=3" in failed.stdout
    assert "outputs new=1 complete=true" in failed.stdout
    assert fill_template("ghp_{b62:30}{crc62}", "act") not in failed.stdout + failed.stderr

    runner.commit(**{".hygiene.toml": b'[[allow]]\npath = "**"\nreason = "trust me"\n'})
    hidden = runner.pull()
    assert hidden.returncode != 0, hidden.stdout
    assert "outputs new=1 complete=true" in hidden.stdout

    # The repair takes the leak out of the commits that would be merged, not only out of the last one.
    runner.repository.git("reset", "-q", "--hard", runner.base)
    runner.commit(**{"app.py": b'import os\nTOKEN = os.environ["TOKEN"]\n'})
    passed = runner.pull()
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "outputs new=0 complete=true" in passed.stdout


@pytest.mark.slow
def test_act_push_and_schedule_of_a_clean_repository_pass(runner):
    head = runner.commit(**{"b.py": b"pass\n"})
    push = {"ref": "refs/heads/main", "before": "0" * 40, "after": head, "repository": {"default_branch": "main"}}
    for event, payload in (("push", push), ("schedule", {})):
        done = runner.act(event, payload)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "outputs new=0 complete=true" in done.stdout


@pytest.mark.slow
def test_act_merge_queue_and_fork_fail_on_a_leak_and_5000_findings_stay_within_the_limits(runner):
    runner.commit(**{"app.py": leak()})
    head = runner.repository.git("rev-parse", "HEAD")
    queued = runner.act("merge_group", {"merge_group": {"base_sha": runner.base, "head_sha": head}})
    assert queued.returncode != 0, queued.stdout + queued.stderr
    assert "outputs new=1 complete=true" in queued.stdout

    # A fork's pull request: no secrets, and no cache that it could have written.
    runner.repository.git("reset", "-q", "--hard", runner.base)
    tokens = [fill_template("ghp_{b62:30}{crc62}", str(number)) for number in range(5000)]
    runner.commit(**{"app.py": "".join(f'k{n} = "{token}"\n' for n, token in enumerate(tokens)).encode()})
    head = {"sha": runner.repository.git("rev-parse", "HEAD"), "repo": {"full_name": "stranger/copy", "fork": True}}
    forked = runner.act("pull_request", {"pull_request": {"base": {"sha": runner.base}, "head": head}})
    assert forked.returncode != 0, forked.stdout + forked.stderr
    assert "outputs new=5000 complete=true" in forked.stdout
    assert "Run Main Restore compiled rules" not in forked.stdout
    shown = re.findall(r"::(error|warning|notice) |❗  ::(error|warning|notice) ", forked.stdout)
    assert 0 < len(shown) <= 30
    assert not any(token in forked.stdout for token in tokens)
    size = re.search(r"sarif (\d+)", forked.stdout)
    assert size and 0 < int(size[1]) < 10_000_000  # act empties the summary after each step: see tests/cli for it


@pytest.mark.slow
def test_act_respond_rotates_what_leaked_at_its_provider_and_a_second_run_does_nothing(runner, tmp_path):
    forge = Forge(8)
    fake = type("GitLab", (GitLab,), {"value": lambda _: forge.gitlab()})()
    with serving_api(fake) as server:
        home = {"HYGIENE_HOME": str(tmp_path / "hygiene")}
        put = [*(sys.executable, "-m", "hygiene", "secret", "put", "gitlab/bot")]
        put += [f"--label=rule={fake.rule}", f"--label=host={server.host}"]
        subprocess.run(put, cwd=runner.repository.folder, env=os.environ | home, input=fake.stored.encode(), check=True)
        leaked = fake.stored
        config = f'[providers.gitlab]\nhosts = ["{server.address}"]\n'
        runner.repository.git("rm", "-q", ".github/workflows/secrets.yml")
        runner.commit(
            **{"app.env": f"GITLAB_TOKEN={leaked}\n".encode(), ".hygiene.toml": config.encode()},
            **{".github/workflows/respond.yml": RESPOND.encode()},
        )
        runner.commit(**{"app.env": b"# from the store\n"})
        for _ in range(2):
            done = runner.act("schedule", {}, **home)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "CLOSED" in done.stdout, done.stdout
            assert leaked not in done.stdout + done.stderr
            assert fake.issues == 1
            assert leaked not in fake.live()
