"""hygiene access, as a team uses it: a store in a repository, people with homes of their own, real git."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HYGIENE = [sys.executable, "-m", "hygiene"]


class Person:
    def __init__(self, tmp_path, name):
        self.folder = tmp_path / name
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HYGIENE_", "GIT_"))}
        programs = f"{Path(sys.executable).parent}:{kept['PATH']}"
        who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": f"{name}@example.com"}
        who |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": f"{name}@example.com"}
        self.environment = {**kept, **who, "HYGIENE_HOME": str(tmp_path / f"home-{name}"), "PATH": programs}

    def run(self, *command, stdin=b"", code=0):
        done = subprocess.run(
            command, input=stdin, capture_output=True, cwd=self.folder, env=self.environment, timeout=60
        )
        assert done.returncode == code, (done.stdout + done.stderr).decode()
        return done.stdout

    def __call__(self, *arguments, stdin=b"", code=0):
        return self.run(*HYGIENE, *arguments, stdin=stdin, code=code)

    def git(self, *arguments, code=0):
        return self.run("git", *arguments, code=code)

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-qm", message)


CONFIG = """
[stores.team]
uri = "embedded:team"
[roles.shop]
members = ["{member}"]
paths = ["shop/**"]
may = ["read", "write"]
"""
TEAM = ("--store", "team")


@pytest.fixture
def team(tmp_path):
    """Kim owns a store in a repository; Lee has a clone and the role of the shop."""
    kim, lee = Person(tmp_path, "kim"), Person(tmp_path, "lee")
    for person in (kim, lee):
        person.folder.mkdir()
    member = lee("access", "whoami").decode().strip()
    kim.git("init", "-q", "-b", "main")
    (kim.folder / ".hygiene.toml").write_text(CONFIG.format(member=member))
    for name in ("shop/db", "bank/key"):
        kim("secret", "put", name, *TEAM, stdin=b"first")
    kim("access", "apply", *TEAM)
    kim.commit("store")
    lee.git("clone", "-q", str(kim.folder), ".")
    lee("access", "merge", "--install")
    return kim, lee


def test_apply_lets_the_member_in_and_the_rest_stays_closed(team):
    _, lee = team
    assert lee("secret", "get", "shop/db", *TEAM) == b"first"
    lee("secret", "get", "bank/key", *TEAM, code=5)
    lee("access", "apply", *TEAM, code=5)
    audit = b"".join(path.read_bytes() for path in (lee.folder.parent / "home-lee" / "audit").glob("*.jsonl"))
    outcomes = [(e["action"], e["outcome"]) for e in map(json.loads, audit.splitlines())]
    assert ("secret.get", "denied") in outcomes


def test_check_tells_what_differs_by_its_exit_code(team):
    kim, _ = team
    kim("access", "check", *TEAM)
    config = kim.folder / ".hygiene.toml"
    config.write_text(config.read_text().replace('"write"', '"delete"'))
    changes = json.loads(kim("access", "check", "--json", *TEAM, code=5))
    assert [change["action"] for change in changes] == ["change-role"]


def test_request_approval_and_denial_by_commands(team):
    kim, lee = team
    asked = lee("access", "request", "bank/*", "--reason", "incident", "--for", "1h", *TEAM).decode().strip()
    lee("access", "approve", asked, *TEAM, code=5)
    lee.commit("ask")
    kim.git("pull", "-q", str(lee.folder), "main")
    kim("access", "approve", asked, *TEAM)
    kim.commit("approve")
    lee.git("pull", "-q")
    assert lee("secret", "get", "bank/key", *TEAM) == b"first"
    (request,) = json.loads(lee("access", "list", "--json", *TEAM))["requests"]
    assert (request["state"], request["reason"]) == ("active", "incident")


def test_break_glass_is_loud_in_the_audit(team):
    kim, _ = team
    kim("access", "request", "bank/*", "--reason", "at night", "--break-glass", *TEAM)
    audit = b"".join(path.read_bytes() for path in (kim.folder.parent / "home-kim" / "audit").glob("*.jsonl"))
    assert b'"access.break-glass"' in audit


def test_recovery_key_is_renewed_by_an_owner_and_shown_once(team):
    kim, lee = team
    assert (
        b"--yes"
        in subprocess.run(
            [*HYGIENE, "access", "recovery", *TEAM],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=kim.folder,
            env=kim.environment,
        ).stderr
    )
    lee("access", "recovery", "--yes", *TEAM, code=5)
    done = subprocess.run(
        [*HYGIENE, "access", "recovery", "--yes", *TEAM], capture_output=True, cwd=kim.folder, env=kim.environment
    )
    assert done.returncode == 0 and done.stdout == b""
    (key,) = [word for word in done.stderr.decode().split() if word.startswith("AGE-SECRET-KEY-")]
    assert key not in "".join(path.read_text() for path in (kim.folder.parent / "home-kim" / "audit").glob("*.jsonl"))
    kim.environment["HYGIENE_IDENTITY_KEY"] = key
    assert kim("secret", "get", "bank/key", *TEAM) == b"first"


def test_words_of_others_do_not_steer_the_terminal(team):
    """Labels, reasons and records are written by colleagues, and a terminal obeys what it is sent."""
    kim, lee = team
    evil = "x\x1b[2J\x1b]0;owned\x07\u202e\x9b31m"
    lee("secret", "put", "shop/db", *TEAM, "--label", f"note={evil}", stdin=b"second")
    lee("access", "request", "bank/*", "--reason", evil, *TEAM)
    lee.commit("words")
    kim.git("pull", "-q", str(lee.folder), "main")
    (record,) = (kim.folder / "team" / "secrets" / "shop" / "db").glob("@record.json")
    for command in (
        ("secret", "describe", "shop/db", *TEAM),
        ("secret", "list", *TEAM),
        ("access", "list", *TEAM),
        ("access", "plan", *TEAM),
        ("audit", "log"),
        ("secret", "get", "shop/db", *TEAM),
    ):
        if command[1] == "get":  # a record that claims to be another's, in the words of an error
            record.write_text(json.dumps({**json.loads(record.read_text()), "name": evil}))
        done = subprocess.run(
            [*HYGIENE, *command], capture_output=True, cwd=kim.folder, env=kim.environment, timeout=60, text=True
        )
        shown = done.stdout + done.stderr
        assert [c for c in "\x1b\x07\u202e\x9b" if c in shown] == [], command
        if command[:2] in (("secret", "describe"), ("access", "list"), ("secret", "get")):
            assert "owned" in shown, command


def test_branches_that_changed_different_secrets_merge(team):
    kim, lee = team
    lee("secret", "put", "shop/new", *TEAM, stdin=b"by lee")
    lee.commit("new")
    kim("secret", "put", "bank/key", *TEAM, stdin=b"by kim")
    kim.commit("key")
    lee.git("pull", "-q", "--no-rebase", "--no-edit")
    kim.git("pull", "-q", "--no-rebase", "--no-edit", str(lee.folder), "main")
    assert kim("secret", "get", "shop/new", *TEAM) == b"by lee"
    kim("access", "check", *TEAM)


def test_branches_that_changed_the_same_secret_merge_and_keep_both_versions(team):
    kim, lee = team
    kim("secret", "put", "shop/db", *TEAM, stdin=b"by kim")
    kim.commit("kim")
    lee("secret", "put", "shop/db", *TEAM, "--label", "by=lee", stdin=b"by lee")
    lee.commit("lee")
    lee.git("pull", "-q", "--no-rebase", "--no-edit")
    assert lee("secret", "get", "shop/db", *TEAM) == b"by lee"
    assert lee("secret", "get", "shop/db", "--stage", "previous", *TEAM) == b"by kim"
    kim.git("pull", "-q", str(lee.folder), "main")
    assert kim("secret", "get", "shop/db", *TEAM) == b"by lee"
    assert len(json.loads(kim("secret", "history", "shop/db", "--json", *TEAM))["versions"]) == 3
    kim("access", "check", *TEAM)


def test_going_back_in_git_is_refused_until_accepted(team):
    kim, _ = team
    kim("secret", "put", "shop/db", *TEAM, stdin=b"second")
    kim.commit("second")
    kim.git("checkout", "-q", "HEAD~1")
    kim("secret", "get", "shop/db", *TEAM, code=5)
    kim("access", "check", "--accept", *TEAM)
    assert kim("secret", "get", "shop/db", *TEAM) == b"first"
