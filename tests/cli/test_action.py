"""The Action's command on real clones, with the events that GitHub sends; under act itself: tests/live/test_act.py."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from hygiene.cli.action.events import NOTHING
from hygiene.cli.action.inputs import read_inputs
from hygiene.cli.action.reporting import report
from hygiene.detect.baseline import Baseline, Entry, entries_from, format_baseline
from hygiene.detect.fingerprint import fingerprint
from hygiene.detect.template import fill_template
from hygiene.finding import ScanResult, ScanStats
from tests.fakes.schemas import SARIF, schema
from tests.repository import Repository

ZEROS = "0" * 40
DEFAULT = {"repository": {"default_branch": "main"}}


def token(seed: str = "action") -> str:
    return fill_template("ghp_{b62:30}{crc62}", seed)


class Pull:
    """A remote with a base branch and a head branch, and the runner's clone of it."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.remote = Repository(tmp_path / "remote")
        self.remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.base = self.remote.commit("base", **{"app.py": b"print('hello')\n", "README.md": b"# app\n"})
        self.remote.git("checkout", "-q", "-b", "topic")
        self.outputs: dict[str, str] = {}
        self.environ: dict[str, str] = {}
        self.ref = ""  # what the checkout checks out, as GitHub offers it; the branch of the remote where it is empty
        self.summary = self.out = self.err = ""

    def commit(self, **files: bytes) -> str:
        return self.remote.commit("change", **{name.replace("__", "/"): data for name, data in files.items()})

    @property
    def head(self) -> str:
        return self.remote.git("rev-parse", "HEAD")

    def run(self, name: str = "pull_request", event: dict | None = None, *clone: str, **inputs: str) -> int:
        if event is None:
            event = {"pull_request": {"base": {"sha": self.base}, "head": {"sha": self.head}}}
        workspace = self.tmp_path / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        url = f"file://{self.remote.folder}"
        subprocess.run(["git", "clone", "-q", *clone, url, str(workspace)], check=True, capture_output=True)
        if self.ref:
            for step in (["fetch", "-q", "--depth=1", "origin", self.ref], ["checkout", "-q", "FETCH_HEAD"]):
                subprocess.run(["git", "-C", str(workspace), *step], check=True, capture_output=True)
        temp = self.tmp_path / "temp"
        shutil.rmtree(temp, ignore_errors=True)
        temp.mkdir()
        (temp / "event.json").write_text(json.dumps(event))
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(temp),
            "HYGIENE_CACHE": os.environ["HYGIENE_CACHE"],
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "octo/app",
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "RUNNER_TEMP": str(temp),
            **self.environ,
            **{f"HYGIENE_INPUT_{key}": value for key, value in inputs.items()},
        }
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hygiene", "action"],
            cwd=workspace,
            env=environ,
            capture_output=True,
            text=True,
        )
        self.out, self.err = done.stdout, done.stderr
        self.outputs = dict(line.split("=", 1) for line in _read(temp / "output").splitlines())
        self.summary = _read(temp / "summary")
        assert "Traceback" not in self.err, self.err
        return done.returncode

    def annotations(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith(("::error", "::warning", "::notice"))]

    def cache(self, name: str, event: dict, **environ: str) -> dict[str, str]:
        """Run the step before the scan; gives its outputs."""
        temp = self.tmp_path / "temp"
        temp.mkdir(exist_ok=True)
        (temp / "output").unlink(missing_ok=True)
        (temp / "event.json").write_text(json.dumps(event))
        files = {"GITHUB_EVENT_PATH": str(temp / "event.json"), "GITHUB_OUTPUT": str(temp / "output")}
        runner = {"RUNNER_TEMP": str(temp), "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64"}
        where = {"GITHUB_EVENT_NAME": name, "GITHUB_REPOSITORY": "octo/app", "PATH": "/usr/bin:/bin", "HOME": str(temp)}
        command = [sys.executable, "-P", "-m", "hygiene", "action", "--cache"]
        subprocess.run(command, cwd=temp, env={**files, **runner, **where, **environ}, check=True)
        return dict(line.split("=", 1) for line in _read(temp / "output").splitlines())


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def pull(tmp_path: Path) -> Pull:
    return Pull(tmp_path)


def leak(seed: str = "action", before: int = 2) -> bytes:
    return b"# line\n" * before + f'TOKEN = "{token(seed)}"\n'.encode()


def test_action_pull_request_that_adds_a_credential_fails_on_its_line(pull):
    pull.commit(**{"app.py": leak()})
    assert pull.run() == 1
    (annotation,) = pull.annotations()
    assert "file=app.py,line=3,endLine=3,col=10," in annotation
    assert pull.outputs["new-findings"] == "1"
    assert (pull.outputs["exit-code"], pull.outputs["complete"], pull.outputs["commits-scanned"]) == ("1", "true", "1")
    assert f"https://github.example/octo/app/blob/{pull.head}/app.py#L3" in pull.summary


def test_action_value_is_only_in_the_mask_command(pull):
    pull.commit(**{"app.py": leak()})
    assert pull.run(SARIF="true") == 1
    shown = [line for line in (pull.out + pull.err + pull.summary).splitlines() if token() in line]
    assert shown == [f"::add-mask::{token()}"]
    for output in ("report-path", "sarif-path"):
        assert token() not in Path(pull.outputs[output]).read_text()


def test_action_line_is_that_of_the_last_commit(pull):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"app.py": leak(before=12)})
    assert pull.run() == 1
    (annotation,) = pull.annotations()
    assert "line=13" in annotation


def test_action_credential_that_was_removed_again_still_fails(pull):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"app.py": b"print()\n"})
    assert pull.run() == 1


@pytest.mark.parametrize(
    "policy",
    [
        {".hygiene.toml": b'[[allow]]\npath = "**"\nreason = "trust me"\n'},
        {".hygiene.toml": b'[rules]\ndisable = ["github-pat-classic", "github-personal-access-token", "github-pat"]\n'},
        {".hygiene.toml": b'[scan]\nexclude = ["**"]\n'},
        {".hygiene.toml": b"[rules]\nonly = true\n"},
        {"pyproject.toml": b'[tool.hygiene.scan]\nexclude = ["app.py"]\n'},
    ],
)
def test_action_change_of_the_policy_alone_does_not_hide_the_leak(pull, policy):
    pull.commit(**{"app.py": leak()})
    pull.commit(**policy)
    assert pull.run() == 1
    assert pull.outputs["new-findings"] == "1"
    assert "policy" in pull.summary


def test_action_change_of_the_baseline_alone_does_not_hide_the_leak(pull):
    pull.commit(**{"app.py": leak()})
    assert pull.run() == 1
    rule = json.loads(Path(pull.outputs["report-path"]).read_text())["findings"][0]["rule"]
    key = b"k" * 32
    families = ["github", "github-pat", rule]
    entries = [Entry(fingerprint(key, family, token().encode()), rule, "app.py", "trust me") for family in families]
    pull.commit(**{".hygiene.baseline.json": format_baseline(Baseline(key, entries_from(entries)))})
    assert pull.run() == 1
    assert pull.outputs["new-findings"] == "1"


def test_action_repaired_pull_request_passes(pull):
    pull.commit(**{"app.py": b'import os\nTOKEN = os.environ["TOKEN"]\n'})
    assert pull.run() == 0
    assert pull.annotations() == []
    assert pull.outputs["new-findings"] == "0"
    assert "0 new findings" in pull.summary


def test_action_credential_of_the_base_is_not_this_changes(pull):
    pull.remote.git("checkout", "-q", "main")
    pull.base = pull.remote.commit("old leak", **{"old.py": leak("old")})
    pull.remote.git("checkout", "-q", "topic")
    pull.commit(**{"new.py": b"pass\n"})
    assert pull.run() == 0


def test_action_merge_of_the_base_into_the_branch_adds_nothing(pull):
    pull.commit(**{"new.py": b"pass\n"})
    pull.remote.git("checkout", "-q", "main")
    pull.base = pull.remote.commit("old leak", **{"old.py": leak("old")})
    pull.remote.git("checkout", "-q", "topic")
    pull.remote.git("merge", "-q", "main")
    assert pull.run() == 0


@pytest.mark.parametrize("clone", [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--depth=2",)])
def test_action_shallow_checkout_fetches_what_it_lacks(pull, clone):
    pull.commit(**{"new.py": b"pass\n"})
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"other.py": b"pass\n"})
    assert pull.run("pull_request", None, *clone) == 1
    assert pull.outputs["commits-scanned"] == "3"
    assert pull.outputs["complete"] == "true"


def test_action_shallow_checkout_without_its_remote_is_never_clean(pull):
    pull.commit(**{"app.py": leak()})
    event = {"pull_request": {"base": {"sha": "1" * 40}, "head": {"sha": pull.head}}}
    assert pull.run("pull_request", event, "--depth=1") == 4
    assert pull.outputs["complete"] == "false"
    assert "fetch-depth: 0" in pull.err


def test_action_push_scans_what_it_moved_the_ref_over(pull):
    pull.commit(**{"app.py": leak()})
    event = {
        "ref": "refs/heads/topic",
        "before": pull.base,
        "after": pull.head,
        "repository": {"default_branch": "main"},
    }
    assert pull.run("push", event) == 1
    assert pull.outputs["commits-scanned"] == "1"


def test_action_push_of_a_new_branch_scans_what_the_default_branch_lacks(pull):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"b.py": b"pass\n"})
    event = {"ref": "refs/heads/topic", "before": ZEROS, "after": pull.head, **DEFAULT}
    assert pull.run("push", event) == 1
    assert pull.outputs["commits-scanned"] == "2"


def test_action_first_push_of_a_repository_scans_all_of_it(pull):
    pull.commit(**{"app.py": leak()})
    event = {"ref": "refs/heads/main", "before": ZEROS, "after": pull.head, **DEFAULT}
    assert pull.run("push", event) == 1
    assert pull.outputs["commits-scanned"] == "2"


def test_action_forced_push_over_a_lost_tip_scans_what_the_default_branch_lacks(pull):
    pull.commit(**{"app.py": leak()})
    event = {
        "ref": "refs/heads/topic",
        "before": "1" * 40,
        "after": pull.head,
        "repository": {"default_branch": "main"},
    }
    assert pull.run("push", event) == 1


def test_action_deleted_branch_adds_nothing(pull):
    event = {"ref": "refs/heads/topic", "before": pull.base, "after": ZEROS, "deleted": True}
    assert pull.run("push", event) == 0
    assert pull.outputs["complete"] == "true"


def test_action_merge_group_scans_its_range(pull):
    pull.commit(**{"app.py": leak()})
    event = {"merge_group": {"base_sha": pull.base, "head_sha": pull.head}}
    assert pull.run("merge_group", event) == 1
    assert pull.run("merge_group", {"merge_group": {"base_sha": pull.base, "head_sha": pull.base}}) == 0


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "release", "something_new"])
def test_action_other_events_scan_the_whole_history(pull, name):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"app.py": b"pass\n"})
    assert pull.run(name, {}) == 1


def test_action_range_by_inputs(pull):
    pull.commit(**{"app.py": leak()})
    assert pull.run("workflow_dispatch", {}, MODE="range", BASE=pull.base) == 1
    assert pull.run("workflow_dispatch", {}, MODE="range", BASE=pull.head) == 0
    assert pull.run("workflow_dispatch", {}, MODE="range") == 2


def test_action_fail_on_sets_the_limit(pull):
    pull.commit(**{"app.py": leak()})
    assert pull.run(FAIL_ON="never") == 0
    assert pull.run(FAIL_ON="grave") == 2
    assert "fail-on" in pull.err


@pytest.mark.parametrize("sha", ["--upload-pack=touch /tmp/pwned", "HEAD", "", None, "g" * 40])
def test_action_event_that_names_no_commit_is_refused(pull, sha):
    event = {"pull_request": {"base": {"sha": sha}, "head": {"sha": pull.head}}}
    assert pull.run("pull_request", event) == 2


def test_action_hostile_file_name_starts_no_workflow_command(pull):
    pull.commit(**{"::error::pwned\n::set-output name=x::y": leak()})
    assert pull.run() == 1
    inside = pull.out.partition("::stop-commands::")[2]
    stop = inside.splitlines()[0]
    assert f"\n::{stop}::\n" in inside
    after = inside.partition(f"\n::{stop}::\n")[2]
    assert [line for line in after.splitlines() if line.startswith("::")] == pull.annotations()[-1:]
    assert "<code>" in pull.summary
    assert "\n::" not in pull.summary


def test_action_code_of_the_pull_request_is_not_run(pull):
    pull.commit(**{"hygiene.py": b"raise SystemExit(99)\n", "click.py": b"raise SystemExit(98)\n", "app.py": leak()})
    assert pull.run() == 1


def test_action_broken_policy_of_the_change_is_an_error_and_not_clean(pull):
    pull.commit(**{".hygiene.toml": b"[scan\n"})
    assert pull.run() == 3
    assert pull.outputs["complete"] == "false"


def test_action_5000_findings_stay_within_every_limit(pull):
    kinds = (
        "ghp_{{b62:30}}{{crc62}}",
        "ek_live_{{b62:32}}",
        "https://maker.ifttt.com/trigger/{}/with/key/{{b64u:22}}",
    )
    values = [fill_template(kinds[n % 3].format(f"t{n}"), str(n)) for n in range(5000)]
    lines = [f'k{n} = "{value}"\n' for n, value in enumerate(values)]
    # Names are escaped in the summary, so long ones of such characters make it grow the most.
    for part in range(50):
        name = f"{part}/{'|`*<&' * 40}/{'|`*<&' * 40}.py"
        pull.remote.commit("leaks", **{name: "".join(lines[part::50]).encode()})
    pull.commit(**{".hygiene.toml": b'[[allow]]\npath = "**"\nreason = "trust me"\n'})
    assert pull.run(SARIF="true") == 1
    assert pull.outputs["new-findings"] == "5000"
    shown = Counter(line.partition(" ")[0] for line in pull.annotations())
    assert shown == {"::error": 10, "::warning": 10, "::notice": 10}
    told = [int(line.rpartition("::")[2].split()[0]) for line in pull.annotations() if "have no room" in line]
    findings = sum(",file=" in line for line in pull.annotations())
    assert sum(told) + findings == 5000
    assert 500_000 < len(pull.summary.encode()) < 1024 * 1024
    assert "more are in the report" in pull.summary
    sarif = Path(pull.outputs["sarif-path"]).read_bytes()
    jsonschema.Draft7Validator(schema(SARIF)).validate(json.loads(sarif))
    assert len(gzip.compress(sarif)) < 10 * 1000 * 1000
    (run,) = json.loads(sarif)["runs"]
    assert len(run["results"]) == 5000
    assert len({result["partialFingerprints"]["hygieneFingerprint/v1"] for result in run["results"]}) == 5000
    assert not [n for n, value in enumerate(values) if value.encode() in sarif]


def test_action_many_notices_leave_room_for_findings():
    lines = io.StringIO()
    with contextlib.redirect_stdout(lines):
        inputs = read_inputs({"HYGIENE_INPUT_SUMMARY": "false"})
        report(ScanResult((), (), ScanStats()), [f"notice {n}" for n in range(40)], inputs, {}, NOTHING)
    assert [line for line in lines.getvalue().splitlines() if line.startswith("::warning")][2:] == [
        "::warning title=hygiene::There is more to say of this change's policy: see the job summary."
    ]


def test_action_fork_pull_request_without_secrets_fails_on_its_leak_and_passes_without_it(pull):
    pull.commit(**{"app.py": leak()})
    head = pull.head
    pull.remote.git("update-ref", "refs/pull/1/head", head)
    # GitHub merges into a ref of its own; the fork's branch is nowhere in this repository.
    pull.remote.git("checkout", "-q", "--detach", "main")
    pull.remote.git("merge", "-q", "--no-ff", head)
    pull.remote.git("update-ref", "refs/pull/1/merge", "HEAD")
    pull.remote.git("checkout", "-q", "main")
    pull.remote.git("branch", "-q", "-D", "topic")
    pull.ref = "refs/pull/1/merge"
    event = from_repository("mallory/app")
    event["pull_request"]["head"]["sha"] = head
    event["pull_request"]["base"] = {"sha": pull.base, "repo": {"full_name": "octo/app"}}
    assert pull.run("pull_request", event, "--depth=1", SARIF="true") == 1
    (annotation,) = pull.annotations()
    assert "file=app.py,line=3" in annotation
    assert pull.outputs["complete"] == "true"
    event["pull_request"]["head"]["sha"] = pull.base
    assert pull.run("pull_request", event, "--depth=1") == 0


def test_action_merge_group_in_a_shallow_checkout_scans_all_of_its_commits(pull):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"app.py": b"pass\n"})
    head = pull.head
    queue = "gh-readonly-queue/main/pr-1-" + pull.base
    pull.remote.git("checkout", "-q", "-b", queue)
    event = {"merge_group": {"base_sha": pull.base, "head_sha": head, "head_ref": f"refs/heads/{queue}"}}
    assert pull.run("merge_group", event, "--depth=1", "--branch", queue) == 1
    assert (pull.outputs["commits-scanned"], pull.outputs["complete"]) == ("2", "true")


def test_action_schedule_in_a_shallow_checkout_scans_the_whole_history(pull):
    pull.commit(**{"app.py": leak()})
    pull.commit(**{"app.py": b"pass\n"})
    assert pull.run("schedule", {"schedule": "17 4 * * *"}, "--depth=1") == 1
    assert (pull.outputs["commits-scanned"], pull.outputs["complete"]) == ("3", "true")


def from_repository(name: str | None) -> dict:
    repo = None if name is None else {"full_name": name}
    return {"pull_request": {"head": {"sha": "1" * 40, "repo": repo}}}


@pytest.mark.parametrize(
    ("name", "event", "kept"),
    [
        ("push", {}, True),
        ("schedule", {}, True),
        ("pull_request", from_repository("octo/app"), True),
        ("pull_request", from_repository("mallory/app"), False),
        ("pull_request", from_repository(None), False),
        ("pull_request_target", from_repository("mallory/app"), False),
        ("pull_request", {"pull_request": "broken"}, False),
        ("merge_group", {"merge_group": {}}, False),
    ],
)
def test_action_cache_is_never_one_that_a_fork_could_have_written(pull, name, event, kept):
    outputs = pull.cache(name, event)
    assert outputs["folder"] == str(pull.tmp_path / "temp" / "hygiene-cache")
    assert bool(outputs["key"]) is kept
    if kept:
        assert outputs["key"].startswith("hygiene-rules-Linux-X64-")


def test_action_cache_refused_or_chosen_by_the_workflow_is_not_kept(pull):
    assert pull.cache("push", {}, HYGIENE_INPUT_CACHE="false")["key"] == ""
    assert pull.cache("push", {}, HYGIENE_CACHE="/var/cache/ours") == {"folder": "/var/cache/ours", "key": ""}


@pytest.mark.parametrize("name", ["push", "schedule", "workflow_dispatch"])
def test_action_respond_on_the_default_branch_reports_what_became_of_each_leak(pull, name):
    pull.remote.git("checkout", "-q", "main")
    pull.commit(**{"app.py": leak()})
    pull.environ["GITHUB_REF"] = "refs/heads/main"
    assert pull.run(name, {} if name == "schedule" else DEFAULT, "--depth=1", MODE="respond") == 1
    assert (pull.outputs["exit-code"], pull.outputs["complete"]) == ("1", "true")
    assert "app.py" in pull.summary
    assert pull.summary.startswith("## hygiene respond")
    assert token() not in pull.out + pull.err + pull.summary


def test_action_respond_where_nothing_leaked_passes(pull):
    pull.environ["GITHUB_REF"] = "refs/heads/main"
    assert pull.run("push", DEFAULT, MODE="respond") == 0


@pytest.mark.parametrize(
    ("name", "event", "ref"),
    [
        ("pull_request", {**DEFAULT, **from_repository("octo/app")}, "refs/pull/1/merge"),
        ("pull_request_target", {**DEFAULT, **from_repository("mallory/app")}, "refs/heads/main"),
        ("push", {**DEFAULT, **from_repository("octo/app")}, "refs/heads/main"),
        ("merge_group", {**DEFAULT, "merge_group": {}}, "refs/heads/main"),
        ("workflow_run", DEFAULT, "refs/heads/main"),
        ("issue_comment", DEFAULT, "refs/heads/main"),
        ("push", DEFAULT, "refs/heads/topic"),
        ("push", DEFAULT, "refs/tags/main"),
        ("push", {"repository": "main"}, "refs/heads/main"),
        ("workflow_dispatch", {}, "refs/heads/main"),
    ],
)
def test_action_respond_elsewhere_than_on_the_default_branch_is_refused(pull, name, event, ref):
    pull.environ["GITHUB_REF"] = ref
    assert pull.run(name, event, MODE="respond") == 2
    assert "respond" in pull.err
    assert pull.outputs["exit-code"] == "2"
