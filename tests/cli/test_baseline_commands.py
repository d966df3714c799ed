"""The baseline through the command line, on a real repository."""

import json
import os
import pty
import subprocess
import sys
import termios
import time
from hashlib import sha1, sha256
from pathlib import Path

import pytest

from hygiene.detect.template import fill_template
from tests.repository import Repository

HYGIENE = Path(sys.executable).with_name("hygiene")


def secret(seed):
    return fill_template("ghp_{b62:30}{crc62}", seed)


class Project:
    def __init__(self, folder):
        self.repository = Repository(folder)

    def run(self, *arguments, code=0):
        done = subprocess.run([HYGIENE, *arguments], cwd=self.repository.folder, capture_output=True, text=True)
        assert done.returncode == code, done.stderr + done.stdout
        for seed in ("one", "two", "three"):
            assert secret(seed) not in done.stdout + done.stderr
        return done.stdout

    def write(self, path, text):
        self.repository.write(path, text.encode())

    def baseline(self):
        return json.loads((self.repository.folder / ".hygiene.baseline.json").read_text())


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "work")
    project.write("a.py", f"token = '{secret('one')}'\n")
    return project


def test_baseline_accepted_findings_pass_and_new_ones_do_not(project):
    project.run("scan", code=1)
    project.run("baseline", "create", "--reason", "legacy")
    project.run("scan")
    project.write("b.py", f"token = '{secret('two')}'\n")
    project.run("scan", code=1)


def test_baseline_moved_line_and_renamed_file_change_nothing(project):
    project.run("baseline", "create")
    before = project.baseline()
    (project.repository.folder / "a.py").unlink()
    project.write("sub/c.py", "#\n" * 100 + f"token = '{secret('one')}'\n")
    project.run("scan")
    project.run("baseline", "update")
    assert project.baseline() == before


def test_baseline_other_value_on_an_accepted_line_is_found(project):
    project.run("baseline", "create")
    project.write("a.py", f"token = '{secret('two')}'\n")
    project.run("scan", code=1)


def test_baseline_update_adds_and_drops(project):
    project.run("baseline", "create")
    (old,) = project.baseline()["findings"]
    project.write("a.py", f"token = '{secret('two')}'\n")
    said = project.run("baseline", "update", "--reason", "second")
    (new,) = project.baseline()["findings"]
    assert f"- {old['fingerprint']}" in said
    assert f"+ {new['fingerprint']}" in said
    assert new["reason"] == "second"


def test_baseline_create_over_another_is_refused(project):
    project.run("baseline", "create")
    project.run("baseline", "create", code=2)


def test_baseline_audit_decides_and_requires(project):
    project.run("baseline", "create")
    (entry,) = json.loads(project.run("baseline", "audit", "--json"))
    project.run("baseline", "audit", "--require", code=1)
    project.run("baseline", "audit", "--decide", f"{entry['fingerprint']}=false", "--reason", "sample")
    project.run("baseline", "audit", "--require")
    assert project.baseline()["findings"][0]["decision"] == "false"
    project.run("baseline", "audit", "--decide", "v1:none=false", code=2)
    project.run("baseline", "audit", code=2)  # no terminal to ask on


def test_baseline_of_two_branches_merges_without_a_conflict(project):
    repository = project.repository
    driver = f"{HYGIENE} baseline merge %O %A %B"
    repository.git("config", "merge.hygiene-baseline.driver", driver)
    project.write(".gitattributes", ".hygiene.baseline.json merge=hygiene-baseline\n")
    project.run("baseline", "create")
    repository.commit()
    for branch, name in (("other", "two"), ("main", "three")):
        repository.git("checkout", "-q", *(["-b"] if branch == "other" else []), branch)
        project.write(f"{name}.py", f"token = '{secret(name)}'\n")
        project.run("baseline", "update")
        repository.commit()
    repository.git("merge", "-q", "--no-edit", "other")
    assert len(project.baseline()["findings"]) == 3
    project.run("scan")


def test_baseline_import_of_detect_secrets_keeps_its_decision(project):
    document = {
        "version": "1.5.0",
        "plugins_used": [{"name": "GitHubTokenDetector"}],
        "filters_used": [],
        "results": {
            "a.py": [
                {
                    "type": "GitHub Token",
                    "filename": "a.py",
                    "hashed_secret": sha1(secret("one").encode()).hexdigest(),
                    "is_verified": False,
                    "line_number": 99,
                    "is_secret": False,
                }
            ]
        },
        "generated_at": "2026-01-01T00:00:00Z",
    }
    project.write(".secrets.baseline", json.dumps(document))
    project.run("baseline", "import", ".secrets.baseline")
    (entry,) = project.baseline()["findings"]
    assert entry["decision"] == "false"
    project.run("scan")


def test_baseline_in_the_format_of_detect_secrets_is_read_by_it_and_keeps_what_it_held(project):
    folder = project.repository.folder
    tool = Path(sys.executable).with_name("detect-secrets")
    project.write("known.py", f"token = '{secret('two')}'\n")
    made = subprocess.run([tool, "scan", "known.py"], cwd=folder, capture_output=True, check=True).stdout
    project.write(".secrets.baseline", made.decode())
    before = json.loads(made)
    assert before["results"]["known.py"]
    project.run("baseline", "create", "--detect-secrets", ".secrets.baseline")
    after = json.loads((folder / ".secrets.baseline").read_text())
    assert after["results"]["known.py"] == before["results"]["known.py"]
    assert after["plugins_used"] == before["plugins_used"]
    assert after["filters_used"] == before["filters_used"]
    ours = after["results"]["a.py"]
    assert sha1(secret("one").encode()).hexdigest() in {entry["hashed_secret"] for entry in ours}
    hook = Path(sys.executable).with_name("detect-secrets-hook")
    repository = project.repository
    repository.git("add", "-A")
    done = subprocess.run(
        [hook, "--baseline", ".secrets.baseline", "a.py", "known.py"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr  # 3: it only refreshed line numbers


def test_baseline_import_of_gitleaksignore_matches_by_line_and_tells_the_rest(project):
    project.write(".gitleaksignore", "# comment\na.py:github-pat:1\ngone.py:github-pat:7\n")
    done = subprocess.run(
        [HYGIENE, "baseline", "import", ".gitleaksignore"],
        cwd=project.repository.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "gone.py:github-pat:7" in done.stderr
    assert len(project.baseline()["findings"]) == 1


@pytest.mark.parametrize("redacted", [False, True])
def test_baseline_import_of_a_gitleaks_report_matches_by_value_or_line(project, redacted):
    value = "REDACTED" if redacted else secret("one")
    row = {"File": "a.py", "StartLine": 1, "RuleID": "github-pat", "Secret": value, "Commit": ""}
    project.write("leaks.json", json.dumps([row]))
    project.run("baseline", "import", "leaks.json")
    assert len(project.baseline()["findings"]) == 1


@pytest.mark.parametrize(
    "ignored",
    [
        "version: 2\nsecret:\n  ignored_matches:\n    - name: a test\n      match: {value}\n",
        "version: 2\nsecret:\n  ignored-matches:\n    - match: {digest}\n",
        "version: 2\nsecret:\n  ignored_paths:\n    - a.py\n",
        "matches-ignore:\n  - {digest}\n",
    ],
)
def test_baseline_import_of_ggshields_configuration_matches_by_value_digest_or_path(project, ignored):
    digest = sha256(f"{secret('one')},apikey".encode()).hexdigest()
    project.write(".gitguardian.yaml", ignored.format(value=secret("one"), digest=digest))
    project.write(".hygiene.toml", '[scan]\nexclude = [".gitguardian.yaml"]\n')
    project.write("b.py", f"token = '{secret('two')}'\n")
    project.run("baseline", "import", ".gitguardian.yaml")
    assert len(project.baseline()["findings"]) == 1
    project.run("scan", code=1)


@pytest.mark.parametrize("text", ["- a", "secret: {ignored_matches: [{name: x}]}", "{"])
def test_baseline_import_of_a_broken_ggshield_configuration_is_a_config_error(project, text):
    project.write(".gitguardian.yaml", text)
    project.run("baseline", "import", ".gitguardian.yaml", code=3)


@pytest.mark.parametrize("text", ["{}", "[1]", '{"results": 3}'])
def test_baseline_import_of_another_file_is_a_config_error(project, text):
    project.write("x.json", text)
    project.run("baseline", "import", "x.json", code=3)


PLUGIN = """
import re
from pathlib import Path
from detect_secrets.plugins.base import RegexBasedDetector

Path(__file__).with_name("ran").touch()


class HippoDetector(RegexBasedDetector):
    secret_type = "Hippo"
    denylist = (re.compile(r"hippo-[0-9]{8}"),)
"""


@pytest.fixture
def hippo(project):
    """A project with a plugin of its own, which leaves a file where it is run, and a value that only it knows."""
    (project.repository.folder / "a.py").unlink()
    project.write("tools/hippo.py", PLUGIN)
    project.write("b.txt", "one\nthe hippo-2718" + "2818 runs\n")
    document = {
        "version": "1.5.0",
        "plugins_used": [{"name": "GitHubTokenDetector"}, {"name": "HippoDetector", "path": "file://tools/hippo.py"}],
        "filters_used": [{"path": "file://tools/hippo.py::unknown"}],
        "results": {},
        "generated_at": "2026-01-01T00:00:00Z",
    }
    project.write(".secrets.baseline", json.dumps(document))
    return project


def test_scan_runs_a_projects_own_plugins_only_when_asked(hippo):
    ran = hippo.repository.folder / "tools" / "ran"
    hippo.run("scan")
    hippo.run("baseline", "import", ".secrets.baseline")
    hippo.run("baseline", "create", "--force", "--detect-secrets", ".secrets.baseline")
    assert not ran.exists()
    said = hippo.run("scan", "--plugins", ".secrets.baseline", "--format", "json", code=1)
    assert ran.exists()
    (found,) = json.loads(said)["findings"]
    assert (found["rule"], found["description"]) == ("detect-secrets-hippo-detector", "Hippo")
    assert (found["path"], found["line_start"], found["column_start"]) == ("b.txt", 2, 5)


def test_scan_with_plugins_reads_marks_and_history(hippo):
    hippo.repository.commit()
    hippo.write("b.txt", "the hippo-2718" + "2818 runs  # hygiene: allow detect-secrets-hippo-detector reason=zoo\n")
    hippo.run("scan", "--plugins", ".secrets.baseline")
    hippo.run("scan", "--history", "--plugins", ".secrets.baseline", code=1)


def test_scan_with_a_plugin_that_fails_says_which_and_where(hippo):
    plugin = PLUGIN + "\n    def analyze_line(self, **_words):\n        raise KeyError('hippo')\n"
    hippo.write("tools/hippo.py", plugin)
    hippo.run("scan", "--plugins", ".secrets.baseline", code=3)
    hippo.write("tools/hippo.py", "")
    hippo.run("scan", "--plugins", ".secrets.baseline", code=3)


def test_baseline_in_the_format_of_detect_secrets_keeps_a_projects_own_plugins_named(hippo):
    before = json.loads((hippo.repository.folder / ".secrets.baseline").read_text())
    hippo.write("a.py", f"token = '{secret('one')}'\n")
    hippo.run("baseline", "create", "--detect-secrets", ".secrets.baseline")
    after = json.loads((hippo.repository.folder / ".secrets.baseline").read_text())
    assert (after["plugins_used"], after["filters_used"]) == (before["plugins_used"], before["filters_used"])
    assert after["results"]["a.py"]


class Terminal:
    """A command on a terminal, as a person has it."""

    def __init__(self, folder, *arguments):
        self.seen = ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.execv(HYGIENE, [HYGIENE, *arguments])

    def press(self, key, question):
        """Press ``key`` when ``question`` is asked; keys that come before the terminal is read are thrown away."""
        shown = self._until(question)
        self.type(key)
        return shown

    def type(self, key):
        while termios.tcgetattr(self.terminal)[3] & termios.ICANON:  # what comes before it asks is thrown away
            time.sleep(0.01)
        os.write(self.terminal, key)

    def end(self):
        self._until(None)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])

    def _until(self, text):
        shown = ""
        while text is None or text not in shown:
            try:
                chunk = os.read(self.terminal, 4096).decode()
            except OSError:
                chunk = ""
            if not chunk:
                assert text is None, shown
                return shown
            shown += chunk
            self.seen += chunk
        return shown


def test_baseline_audit_on_a_terminal_takes_one_key_a_decision_and_shows_no_value(project):
    project.write("b.py", f"first = 1\npair = ('{secret('two')}', '{secret('three')}')\n")
    project.run("baseline", "create")
    terminal = Terminal(project.repository.folder, "baseline", "audit")
    asked = "q quit "
    assert "1/3  a.py:1 " in terminal.press(b"r", asked)
    shown = terminal.press(b"x", asked)  # no key: nothing is decided, and it waits
    assert "2/3  b.py:2 " in shown
    assert "pair = ('ghp_… (40 bytes)', 'ghp_… (40 bytes)')" in shown
    time.sleep(0.3)  # until the other key was read
    terminal.type(b"f")
    assert "3/3  b.py:2 " in terminal.press(b"b", asked)
    assert "2/3  b.py:2 " in terminal.press(b"s", asked)
    assert "3/3  b.py:2 " in terminal.press(b"q", asked)
    assert terminal.end() == 0
    assert "2 decided, 1 without a decision" in terminal.seen
    assert all(secret(seed) not in terminal.seen for seed in ("one", "two", "three"))
    decisions = sorted(entry.get("decision", "") for entry in project.baseline()["findings"])
    assert decisions == ["", "false", "real"]


def test_baseline_audit_broken_off_keeps_what_was_decided(project):
    project.run("baseline", "create")
    project.write("a.py", "x = 1\n")
    terminal = Terminal(project.repository.folder, "baseline", "audit")
    assert "not found any more" in terminal.press(b"\x03", "q quit ")
    assert terminal.end() == 130
    assert "decision" not in project.baseline()["findings"][0]
