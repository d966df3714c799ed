"""``hygiene migrate`` from the outside: a real repository, the real scan, the embedded store."""

from __future__ import annotations

import base64
import json
import os
import random
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.unit.replace.migrating import git

RULE = """
[provider]
id = "test"
name = "Test"
docs = "https://example.org"
[[rules]]
id = "test-token"
description = "A token of this test"
severity = "high"
confidence = "high"
keywords = ["zq_"]
pattern = '''(zq_[a-z0-9]{28})'''
positive = []
negative = []
"""


class Shop:
    """A small program in several languages with tokens in it."""

    def __init__(self, root: Path) -> None:
        chance = random.Random(root.name)
        self.root = root
        self.tokens = ["zq_" + "".join(chance.choices(string.ascii_lowercase + string.digits, k=28)) for _ in range(5)]
        one, two, three, four, five = self.tokens
        files = {
            ".hygiene.toml": '[rules]\nfolders = ["rules"]\nonly = true\n',
            "rules/test.toml": RULE,
            "app/main.py": f'import json, sys\n\nTOKEN = "{one}"\nURL = f"https://u:{two}@{{sys.argv[0]}}"\n'
            "json.dump([TOKEN, URL], sys.stdout)\n",
            "web/main.js": f"const a = '{one}';\nprocess.stdout.write(a);\n",
            "bin/run.sh": f"#!/bin/sh\nprintf %s 'x {three}'\n",
            "conf/app.yml": f"mail:\n  token: {four}\n",
            ".env": f"TOKEN={five}\n",
            "lib/key.hs": f'key = "{three}"\n',
        }
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "bin/run.sh").chmod(0o755)
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "Begin")

    def hygiene(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hygiene", *arguments]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=120)

    def files(self) -> dict[str, bytes]:
        paths = [path for path in sorted(self.root.rglob("*")) if path.is_file()]
        return {str(p.relative_to(self.root)): p.read_bytes() for p in paths if ".git" not in p.parts}


@pytest.fixture
def shop(tmp_path, monkeypatch, request):
    cache = request.config.cache.mkdir("hygiene") if request.config.cache else tmp_path / "cache"
    cache.chmod(0o700)
    monkeypatch.setenv("HYGIENE_CACHE", str(cache))
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "A")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "a@example.org")
    return Shop(tmp_path / "shop")


def test_dry_run_prints_the_plan_and_changes_nothing(shop):
    before = shop.files()
    done = shop.hygiene("migrate", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert {"id", "path", "line", "rule", "name", "reference", "grade", "reason"} <= set(plan["steps"][0])
    grades = {(step["path"], step["grade"]) for step in plan["steps"]}
    assert ("lib/key.hs", "manual") in grades and ("conf/app.yml", "needs-wiring") in grades
    assert plan["summary"]["secrets"] == 5 and plan["summary"]["places"] == 7
    assert shop.files() == before
    assert not any(token in done.stdout + done.stderr for token in shop.tokens)


def test_diff_shows_edits_without_values(shop):
    done = shop.hygiene("migrate", "--diff")
    assert '+TOKEN = os.environ["MAIN_TOKEN"]' in done.stdout or "+TOKEN = os.environ[" in done.stdout
    assert not any(token in done.stdout for token in shop.tokens)


def test_apply_leaves_a_program_that_works_and_no_value_anywhere(shop, tmp_path):
    before = {
        "py": subprocess.run([sys.executable, "app/main.py"], cwd=shop.root, capture_output=True).stdout,
        "sh": subprocess.run(["sh", "bin/run.sh"], cwd=shop.root, capture_output=True).stdout,
    }
    (shop.root / "lib/key.hs").write_text("")
    git(shop.root, "commit", "-aqm", "Take out what can't be migrated")
    done = shop.hygiene("migrate", "--apply")
    assert done.returncode == 0, done.stderr
    assert shop.hygiene("scan").returncode == 0
    run = shop.hygiene("run", "--", sys.executable, "app/main.py")
    assert run.stdout.encode() == before["py"]
    assert shop.hygiene("run", "--", "sh", "bin/run.sh").stdout.encode() == before["sh"]
    shown = shop.hygiene("run", "--", sys.executable, "-c", "import os; print(os.environ['TOKEN'])")
    assert shown.stdout.strip() == shop.tokens[4]
    rendered = shop.hygiene("render", "conf/app.yml").stdout
    assert yaml.safe_load(rendered) == {"mail": {"token": shop.tokens[3]}}
    assert (shop.root / "bin/run.sh").stat().st_mode & 0o777 == 0o755
    assert_no_value(shop, tmp_path)


def assert_no_value(shop, tmp_path):
    objects = shop.root / ".git/objects"
    for path in tmp_path.rglob("*"):
        if path.is_file() and objects not in path.parents:
            content = path.read_bytes()
            for token in map(str.encode, shop.tokens):
                for form in (token, base64.b64encode(token)[:-4], quote(token).encode()):
                    assert form not in content, path


def test_apply_with_something_left_exits_1_and_a_second_run_changes_nothing(shop):
    assert shop.hygiene("migrate", "--apply").returncode == 1
    git(shop.root, "add", ".")
    git(shop.root, "commit", "-qm", "Migrate")
    after = shop.files()
    again = shop.hygiene("migrate", "--apply")
    assert again.returncode == 1
    assert shop.files() == after


def test_rollback_gives_the_tree_back_and_then_there_is_nothing(shop):
    before = shop.files()
    shop.hygiene("migrate", "--apply")
    assert shop.files() != before
    assert shop.hygiene("migrate", "--rollback", "--delete-stored").returncode == 0
    assert shop.files() == before
    assert json.loads(shop.hygiene("secret", "list", "--json").stdout) == []
    assert "nothing to roll back" in shop.hygiene("migrate", "--rollback").stderr


def test_resume_with_nothing_to_resume_says_so(shop):
    done = shop.hygiene("migrate", "--resume")
    assert done.returncode == 0
    assert "nothing to resume" in done.stderr


def test_branch_holds_one_commit_without_values_and_rollback_leaves_it(shop):
    done = shop.hygiene("migrate", "--apply", "--branch", "move-secrets")
    assert git(shop.root, "branch", "--show-current").strip() == "move-secrets", done.stderr
    log = git(shop.root, "log", "-p", "main..move-secrets", "--format=%B")
    added = [line for line in log.splitlines() if not line.startswith("-")]
    assert not any(token in "\n".join(added) for token in shop.tokens[:2])
    assert git(shop.root, "status", "--porcelain") == ""
    assert shop.hygiene("migrate", "--rollback").returncode == 0
    assert git(shop.root, "branch", "--show-current").strip() == "main"
    assert git(shop.root, "status", "--porcelain") == ""
    assert "move-secrets" not in git(shop.root, "branch")


def test_branch_with_a_commit_for_each_holds_the_wiring_first(shop):
    (shop.root / "README.md").write_text("# Shop\n")
    git(shop.root, "add", "README.md")
    git(shop.root, "commit", "-q", "-m", "Readme")
    (shop.root / "other.txt").write_text("not ours\n")
    git(shop.root, "add", "other.txt")
    done = shop.hygiene("migrate", "--apply", "--branch", "move", "--commits", "each")
    subjects = git(shop.root, "log", "--reverse", "--format=%s", "main..move").splitlines()
    assert subjects[0] == "List where each secret is kept", done.stderr
    assert len(subjects) > 2 and all(subject.startswith("Replace ") for subject in subjects[1:])
    assert git(shop.root, "status", "--porcelain").splitlines() == ["A  other.txt"]
    assert "hygiene run -- CMD" in git(shop.root, "show", "move:README.md")


def test_pull_request_text_says_what_was_done_and_what_is_left_without_values(shop):
    done = shop.hygiene("migrate", "--apply")
    [told] = [line for line in done.stderr.splitlines() if "pull request" in line]
    text = Path(told.partition(": ")[2].partition(": ")[2]).read_text()
    assert "`shop/test-token`" in text and "lib/key.hs:1" in text and "conf/app.yml" in text
    assert "hygiene run -- CMD" in text and "HYGIENE_IDENTITY_KEY" in text
    audit = [json.loads(line) for line in shop.hygiene("audit", "log", "--json").stdout.splitlines()]
    [finish] = [entry for entry in audit if entry["action"] == "migrate.finish"]
    assert finish["hash"] in text
    private = "".join(path.read_text() for path in (shop.root / ".git/hygiene/migrations").iterdir())
    assert not [token for token in shop.tokens if token in text + private + json.dumps(audit) + done.stderr]


@pytest.mark.parametrize("name", ["main", "a..b", "-x"])
def test_branch_that_cannot_be_made_is_an_error_before_anything_happens(shop, name):
    before = shop.files()
    done = shop.hygiene("migrate", "--apply", f"--branch={name}")
    assert done.returncode == 2
    assert "hint" in done.stderr or "branch" in done.stderr
    assert shop.files() == before
    assert "nothing to resume" in shop.hygiene("migrate", "--resume").stderr


def test_uncommitted_changes_are_refused_unless_allowed(shop):
    with (shop.root / "app/main.py").open("a") as stream:
        stream.write("# more\n")
    done = shop.hygiene("migrate", "--apply")
    assert done.returncode == 4
    assert "app/main.py" in done.stderr and "--allow-dirty" in done.stderr
    assert shop.hygiene("migrate", "--apply", "--allow-dirty").returncode == 1


def test_edited_plan_is_followed(shop, tmp_path):
    plan = tmp_path / "plan.txt"
    shop.hygiene("migrate", "-o", str(plan))
    text = plan.read_text()
    assert not any(token in text for token in shop.tokens)
    lines = text.splitlines()
    edited = [
        line.replace("apply", "skip") if "conf/app.yml" in line else line.replace(" TOKEN ", " TOKEN ")
        for line in lines
    ]
    main = next(line for line in lines if "app/main.py:3" in line).split()
    edited = [line.replace(f" {main[2]} {main[3]} ", " shop/renamed RENAMED ") for line in edited]
    plan.write_text("\n".join(edited) + "\n")
    done = shop.hygiene("migrate", "--plan", str(plan), "--apply")
    assert done.returncode == 0, done.stderr
    assert 'os.environ["RENAMED"]' in (shop.root / "app/main.py").read_text()
    assert shop.tokens[3] in (shop.root / "conf/app.yml").read_text()
    assert "shop/renamed" in shop.hygiene("secret", "list").stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line.replace("apply", "aply", 1), "unknown action"),
        (lambda line: "apply 0000000000 a A", "no step"),
        (lambda line: " ".join(line.split()[:3]), "3 words"),
        (lambda line: " ".join([*line.split()[:2], "../x", "A"]), "not a name"),
        (lambda line: " ".join([*line.split()[:3], "PATH"]), "programs start"),
        (lambda line: " ".join([*line.split()[:2], "shop/other", "OTHER"]), "same secret"),
        (lambda line: line + "\n" + line, "stands in line"),
    ],
)
def test_edited_plan_with_an_error_names_the_line(shop, tmp_path, change, words):
    plan = tmp_path / "plan.txt"
    shop.hygiene("migrate", "-o", str(plan))
    lines = plan.read_text().splitlines()
    at = next(index for index, line in enumerate(lines) if "app/main.py:3" in line)
    lines[at] = change(lines[at])
    plan.write_text("\n".join(lines) + "\n")
    done = shop.hygiene("migrate", "--plan", str(plan), "--apply")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "line " in done.stderr


def test_options_that_contradict_are_refused(shop):
    assert shop.hygiene("migrate", "--apply", "--resume").returncode == 2
    assert shop.hygiene("migrate", "--delete-stored").returncode == 2
    assert shop.hygiene("migrate", "--branch", "x").returncode == 2
    assert shop.hygiene("migrate", "--style", "odd").returncode == 2


def test_outside_of_a_repository_is_an_error(shop, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "hygiene", "migrate", str(folder)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "not a git repository" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_an_error_that_can_be_resumed(shop):
    (shop.root / "bin").chmod(0o555)
    done = shop.hygiene("migrate", "--apply")
    assert done.returncode == 5
    (shop.root / "bin").chmod(0o755)
    assert shop.hygiene("migrate", "--resume").returncode == 0


def test_same_name_with_another_value_in_the_store_is_not_overwritten(shop):
    name = json.loads(shop.hygiene("migrate", "--json").stdout)["secrets"][0]["name"]
    put = [sys.executable, "-m", "hygiene", "secret", "put", name]
    subprocess.run(put, cwd=shop.root, input=b"somebody's own", check=True, capture_output=True)
    shop.hygiene("migrate", "--apply")
    got = shop.hygiene("secret", "get", name)
    assert got.stdout == "somebody's own"
    assert f"{name}-2" in shop.hygiene("secret", "list").stdout
