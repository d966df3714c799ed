"""Probes 6 to 10: a push brings every commit that the remote has not, from every ref."""

import pytest

from tests.hooks.conftest import framework
from tests.probes.conftest import LINE, TOKEN, stopped


@pytest.mark.parametrize("way", ["cherry-pick", "rebase", "am"])
def test_probe_06_commit_that_no_commit_hook_saw_blocks_the_push(pushing, way):
    pushing.git("checkout", "-q", "-b", "topic")
    pushing.write("app.py", LINE)
    pushing.save()
    patch = pushing.git("format-patch", "-1", "--stdout").stdout
    pushing.git("checkout", "-q", "main")
    pushing.write("other", "x\n")
    pushing.save()
    if way == "cherry-pick":
        pushing.git("cherry-pick", "topic")
    elif way == "am":
        pushing.git("am", "-q", input=patch)
    else:
        pushing.git("rebase", "-q", "main", "topic")
        pushing.git("branch", "-f", "main", "topic")
    stopped(pushing.push("main"), "app.py:1:10")


def test_probe_07_secret_in_the_third_of_three_branches_and_a_tag_blocks(pushing):
    for branch, text in (("a", "1\n"), ("b", "2\n"), ("c", LINE)):
        pushing.git("checkout", "-q", "-b", branch, "main")
        pushing.write("app.py", text)
        pushing.save()
    pushing.git("tag", "v1", "main")
    stopped(pushing.push("a", "b", "c", "v1"), "app.py:1:10")
    assert pushing.push("a", "b", "v1")[0] == 0


@pytest.mark.parametrize("name", ["pre-commit", "prek"])
def test_probe_07_framework_says_what_it_can_not_see(pushing, name):
    framework(name, pushing)
    pushing.git("checkout", "-q", "-b", "topic")
    pushing.write("app.py", LINE)
    pushing.save()
    pushing.write("app.py", "")
    pushing.save()
    stopped(pushing.push("topic"), "hands over one ref of a push", "refs/heads/topic", "hygiene install")


def test_probe_08_secret_added_and_removed_in_the_push_blocks_and_both_commits_are_told(pushing):
    pushing.write("app.py", LINE)
    added = pushing.save()
    pushing.write("app.py", LINE + "# more\n")
    pushing.save()
    pushing.write("app.py", "token = None\n")
    removed = pushing.save()
    stopped(pushing.push("main"), "in commit ", added[:10], f"taken out by {removed[:10]}:")


def test_probe_09_branch_that_is_not_checked_out_is_read_from_objects(pushing):
    pushing.git("checkout", "-q", "-b", "topic")
    pushing.write("app.py", LINE)
    pushing.save()
    pushing.git("checkout", "-q", "main")
    stopped(pushing.push("topic"), "app.py:1:10")


def test_probe_10_forced_orphan_tag_deletion_and_empty_push_have_the_right_range(pushing):
    pushing.git("tag", "old", "main")
    pushing.write("app.py", "1\n")
    pushing.save()
    assert pushing.push("main", "main:refs/heads/second", "old")[0] == 0
    assert pushing.push("main")[0] == 0  # nothing new
    pushing.git("commit", "-qnm", "amended", "--amend")
    assert pushing.push("-f", "main")[0] == 0
    assert pushing.push("--delete", "second")[0] == 0
    pushing.git("commit", "-qnm", f"use {TOKEN}", "--amend")
    stopped(pushing.push("-f", "main"))
    pushing.git("checkout", "-q", "--orphan", "lone")
    pushing.write("app.py", LINE)
    pushing.save()
    stopped(pushing.push("lone"), "app.py:1:10")
