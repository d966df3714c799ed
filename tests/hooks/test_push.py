import os
import subprocess

import pytest

from tests.hooks.conftest import secret

TOKEN = secret("one")
LINE = f'token = "{TOKEN}"\n'


@pytest.fixture
def pushed(plain, tmp_path):
    """A repository with a remote that has its first commit."""
    plain.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    plain.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    plain.write("README", "text\n")
    plain.git("add", "-A")
    plain.git("commit", "-qnm", "first")
    assert push(plain, "main")[0] == 0
    return plain


def push(repository, *arguments):
    done = repository.git("push", "-q", "origin", *arguments, ok=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def unchecked(repository, path, text, branch=None):
    if branch:
        repository.git("checkout", "-q", "-B", branch)
    repository.write(path, text)
    repository.git("add", "-A")
    repository.git("commit", "-qnm", "unchecked")


def blocked(outcome):
    code, said = outcome
    assert code != 0
    assert "push stopped" in said
    assert TOKEN not in said
    return said


def test_push_of_a_commit_with_a_secret_is_blocked(pushed):
    unchecked(pushed, "app.py", LINE)
    assert "app.py:1:10" in blocked(push(pushed, "main"))


def test_push_of_a_secret_added_and_removed_again_is_blocked(pushed):
    unchecked(pushed, "app.py", LINE)
    commit = pushed.git("rev-parse", "HEAD").stdout.decode()[:10]
    unchecked(pushed, "app.py", "")
    assert commit in blocked(push(pushed, "main"))


def test_push_of_three_branches_and_a_tag_with_the_secret_in_the_third_is_blocked(pushed):
    for branch, text in (("a", "1\n"), ("b", "2\n"), ("c", LINE)):
        pushed.git("checkout", "-q", "main")
        unchecked(pushed, "app.py", text, branch)
    pushed.git("tag", "v1", "main")
    pushed.git("checkout", "-q", "main")
    blocked(push(pushed, "a", "b", "c", "v1"))
    assert push(pushed, "a", "b", "v1")[0] == 0


def test_push_of_a_branch_that_is_not_checked_out_is_scanned_from_objects(pushed):
    unchecked(pushed, "app.py", LINE, "other")
    pushed.git("checkout", "-q", "main")
    blocked(push(pushed, "other"))


def test_forced_push_is_scanned_and_a_known_commit_is_not_again(pushed):
    unchecked(pushed, "app.py", "1\n")
    assert push(pushed, "main")[0] == 0
    pushed.git("reset", "-q", "--hard", "HEAD^")
    unchecked(pushed, "app.py", LINE)
    blocked(push(pushed, "-f", "main"))
    unchecked(pushed, "app.py", "clean\n")
    pushed.git("reset", "-q", "--soft", "origin/main^")
    pushed.git("commit", "-qnm", "squashed")
    assert push(pushed, "-f", "main")[0] == 0


def test_push_of_an_orphan_branch_with_a_secret_is_blocked(pushed):
    pushed.git("checkout", "-q", "--orphan", "lone")
    unchecked(pushed, "app.py", LINE)
    blocked(push(pushed, "lone"))


def test_push_of_nothing_new_a_deletion_and_a_tag_of_an_old_commit_pass(pushed):
    assert push(pushed, "main")[0] == 0
    assert push(pushed, "main:refs/heads/second")[0] == 0
    pushed.git("tag", "old", "main")
    assert push(pushed, "old")[0] == 0
    assert push(pushed, "--delete", "second")[0] == 0


def test_push_of_an_annotated_tag_whose_message_holds_a_secret_is_blocked(pushed):
    pushed.git("tag", "-am", f"see {TOKEN}", "v2")
    blocked(push(pushed, "v2"))


def test_push_of_a_cherry_picked_secret_is_blocked(pushed):
    unchecked(pushed, "app.py", LINE, "other")
    pushed.git("checkout", "-q", "main")
    pushed.git("cherry-pick", "other")
    blocked(push(pushed, "main"))


def test_push_to_an_address_without_a_name_is_scanned(pushed, tmp_path):
    pushed.git("init", "-q", "--bare", str(tmp_path / "new.git"))
    unchecked(pushed, "app.py", LINE)
    done = pushed.git("push", "-q", str(tmp_path / "new.git"), "main", ok=False)
    assert done.returncode != 0
    assert b"push stopped" in done.stderr


@pytest.mark.parametrize("branch", ["main", "lone"])
@pytest.mark.parametrize("name", ["pre-commit", "prek"])
def test_framework_push_is_scanned_and_says_what_it_could_not_see(pushed, name, branch):
    from tests.hooks.conftest import framework

    framework(name, pushed)
    if branch == "lone":
        pushed.git("checkout", "-q", "--orphan", "lone")
    unchecked(pushed, "app.py", LINE)
    unchecked(pushed, "app.py", "")
    said = blocked(push(pushed, branch))
    assert "hands over one ref" in said


def test_receive_of_a_secret_is_refused_by_the_server(pushed, tmp_path):
    remote = tmp_path / "remote.git"
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexec hygiene hook pre-receive\n")
    hook.chmod(0o755)
    pushed.git("config", "--unset", "core.hooksPath")
    unchecked(pushed, "app.py", LINE)
    blocked(push(pushed, "main"))
    assert push(pushed, "main^:refs/heads/fine")[0] == 0


def test_receive_under_the_policy_of_the_server_is_not_loosened_by_the_push(pushed, tmp_path):
    remote = tmp_path / "remote.git"
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexec hygiene hook pre-receive\n")
    hook.chmod(0o755)
    pushed.git("config", "--unset", "core.hooksPath")
    pushed.write(".hygiene.toml", '[scan]\nexclude = ["app.py"]\n')
    unchecked(pushed, "app.py", LINE)
    blocked(push(pushed, "main"))


def test_hook_unknown_stage_is_a_usage_error(environment, tmp_path):
    done = subprocess.run(["hygiene", "hook", "post-nothing"], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 2
    assert b"pre-receive" in done.stderr
    assert os.fsencode("Traceback") not in done.stderr


def test_push_says_what_to_do_about_a_value_that_is_in_no_file(pushed):
    pushed.git("commit", "-qnm", f"use {TOKEN}", "--allow-empty")
    _, said = push(pushed, "main")
    assert "reword the commit" in said and "migrate" not in said
    pushed.git("commit", "-qn", "--amend", "-m", "plain", "--allow-empty")
    pushed.git("tag", "-a", "v1", "-m", TOKEN)
    code, said = push(pushed, "v1")
    assert code != 0 and "git tag -d v1" in said and "migrate" not in said
