"""Probes 21 to 27: a pipeline gets the whole truth or a refusal, and the same one twice."""

import gzip
import json
import os
import subprocess
from io import StringIO

import pytest

from hygiene.detect.template import fill_template
from hygiene.report.github import annotate
from hygiene.report.github_summary import write_summary
from hygiene.report.registry import reporter
from tests.cli.test_action import Pull, leak
from tests.fakes.findings import finding, result
from tests.hooks.conftest import BIN
from tests.probes.conftest import LINE, make

FORMATS = ("text", "json", "jsonl", "sarif", "csv", "junit", "gitlab", "github", "html")


@pytest.fixture
def history(bare_project):
    """A repository whose first of three commits holds a secret that the second takes out."""
    for text in (LINE, "token = None\n", "token = 1\n"):
        bare_project.write("deep/app.py", text)
        bare_project.save()
    return bare_project


def cloned(project, folder, *arguments):
    project.git("config", "uploadpack.allowFilter", "true")
    project.git("clone", "-q", *arguments, f"file://{project.folder}", str(folder))
    project.folder = folder
    return project


@pytest.mark.parametrize("kind", ["shallow", "blob:none", "sparse", "mirror"])
def test_probe_21_clone_that_is_not_whole_is_never_clean(history, tmp_path, kind):
    options = {
        "shallow": ["--depth=1"],
        "blob:none": ["--filter=blob:none", "--no-checkout"],
        "sparse": ["--sparse"],
        "mirror": ["--mirror"],
    }
    cloned(history, tmp_path / "clone", *options[kind])
    done = history.hygiene("scan", "--history")
    complete = kind in ("sparse", "mirror")
    assert done.returncode == (1 if complete else 4)
    said = (done.stdout + done.stderr).decode()
    assert ("deep/app.py:1:10" if complete else {"shallow": "shallow", "blob:none": "not in this clone"}[kind]) in said


def test_probe_21_sha256_repository_is_scanned(tmp_path, environment_of_probes):
    project = make(tmp_path / "work", environment_of_probes)
    project.git("init", "-q", "--object-format=sha256", "-b", "main", str(tmp_path / "sha256"))
    project.folder = tmp_path / "sha256"
    project.write("app.py", LINE)
    project.save()
    project.hygiene("scan", "--history", code=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
@pytest.mark.parametrize("arguments", [("scan", "--history"), ("scan", "--staged"), ("hook", "pre-commit")])
def test_probe_21_repository_of_another_user_is_refused_and_not_clean(history, arguments):
    subprocess.run(["chown", "-R", "daemon", str(history.folder)], check=True)
    done = history.hygiene(*arguments, code=4)
    assert b"safe.directory" in done.stderr


def test_probe_22_fork_without_rights_gets_the_whole_verdict_in_its_summary(tmp_path):
    pull = Pull(tmp_path)
    pull.commit(**{"app.py": leak()})
    sha = pull.head
    fork = {"head": {"sha": sha, "repo": {"fork": True, "full_name": "stranger/app"}}, "base": {"sha": pull.base}}
    assert pull.run("pull_request", {"pull_request": fork}, SARIF="true") == 1
    assert "app.py" in pull.summary and "1 new finding" in pull.summary
    assert pull.outputs["complete"] == "true"
    assert "TOKEN" not in json.dumps(pull.outputs).upper().replace(str(tmp_path).upper(), "")


@pytest.mark.parametrize("file", [".hygiene.toml", "pyproject.toml", ".hygiene.baseline.json"])
def test_probe_23_policy_that_hides_its_own_secret_is_flagged(tmp_path, file):
    pull = Pull(tmp_path)
    pull.commit(**{"app.py": leak()})
    allow = '{table}\npath = "**"\nreason = "trust me"\n'
    if file == ".hygiene.baseline.json":
        folder = pull.remote.folder
        subprocess.run([BIN / "hygiene", "baseline", "create"], cwd=folder, check=True, capture_output=True)
        pull.commit()
    else:
        table = "[[allow]]" if file == ".hygiene.toml" else "[[tool.hygiene.allow]]"
        pull.commit(**{file: allow.format(table=table).encode()})
    assert pull.run() == 1
    assert pull.outputs["new-findings"] == "1"
    assert "policy" in pull.summary or file == ".hygiene.baseline.json"


def test_probe_24_thirty_thousand_findings_stay_within_githubs_limits():
    scanned = result(*(finding(number) for number in range(30_000)))
    scanned = scanned._replace(findings=(*scanned.findings, finding(30_001, severity="critical", path="worst.py")))
    sarif, summary, annotations = StringIO(), StringIO(), StringIO()
    reporter("sarif").report(scanned, sarif)
    results = json.loads(sarif.getvalue())["runs"][0]["results"]
    assert len(results) <= 25_000
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "worst.py"
    assert len(gzip.compress(sarif.getvalue().encode())) < 10_000_000
    write_summary(scanned, summary, blob_url="https://github.example/octo/app/blob/" + "a" * 40, notices=())
    assert len(summary.getvalue().encode()) < 1 << 20
    assert "worst.py" in summary.getvalue()
    annotate(scanned, annotations, at_most=10)
    shown = [line for line in annotations.getvalue().splitlines() if line.startswith("::")]
    assert "worst.py" in shown[0]
    assert len([line for line in shown if line.startswith("::error")]) == 10
    assert any("summary" in line for line in shown)


def test_probe_25_second_run_writes_the_same_bytes(history, tmp_path):
    history.write("more.py", f'a = "{fill_template("glpat-{b62:20}", "probe")}"\n' + LINE)
    history.save()
    for form in FORMATS:
        runs = [history.hygiene("scan", "--history", "--format", form, code=1).stdout for _ in range(2)]
        assert runs[0] == runs[1], form


def test_probe_26_event_that_adds_nothing_is_clean_and_says_what_was_read(tmp_path):
    pull = Pull(tmp_path)
    same = {"sha": pull.base}
    events = {
        "pull_request": {"pull_request": {"base": same, "head": same}},
        "merge_group": {"merge_group": {"base_sha": pull.base, "head_sha": pull.base}},
        "push": {"ref": "refs/heads/main", "before": pull.base, "after": pull.base},
        "schedule": {},
    }
    for name, event in events.items():
        assert pull.run(name, event) == 0, (name, pull.err)
        assert pull.outputs["complete"] == "true"
        assert "0 new findings in " in pull.out
        assert pull.outputs["commits-scanned"] == ("1" if name == "schedule" else "0")


def test_probe_26_repository_without_commits_is_clean(bare_project):
    done = bare_project.hygiene("scan", "--history", code=0)
    assert b"0 new findings in 0 blobs" in done.stdout


def test_probe_27_trouble_is_not_taken_for_findings(history):
    history.hygiene("scan", "--range", "nowhere..HEAD", code=4)
    history.write("mine/bad.toml", '[provider]\nid = "a"\nname = "A"\n[[rules]]\nid = "a"\npattern = "("\n')
    history.hygiene("scan", "--rules", "mine", code=3)
    name = history.git("rev-parse", "HEAD:deep/app.py").stdout.decode().strip()
    path = history.folder / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o600)
    path.write_bytes(b"broken")
    history.hygiene("scan", "--history", code=4)
