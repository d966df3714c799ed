import subprocess
from pathlib import Path

import pytest

from tests.hooks.conftest import secret

TOKEN = secret("one")
LINE = f'token = "{TOKEN}"\n'


def first(repository):
    repository.write("README", "text\n")
    repository.git("add", "-A")
    assert repository.commit()[0] == 0


def blocked(outcome, path="app.py"):
    code, said = outcome
    assert code == 1
    assert path in said
    assert TOKEN not in said
    assert TOKEN[8:] not in said
    return said


def test_hook_staged_secret_that_the_working_tree_no_longer_holds_blocks(repository):
    first(repository)
    repository.write("app.py", LINE)
    repository.git("add", "app.py")
    repository.write("app.py", "token = None\n")
    said = blocked(repository.commit())
    for words in (
        "app.py:1:10",
        "GitHub",
        "ghp_…",
        "hygiene migrate --apply",
        "hygiene: allow",
        "hygiene baseline update",
    ):
        assert words in said


def test_hook_secret_that_is_not_staged_does_not_block(repository):
    first(repository)
    repository.write("app.py", "token = None\n")
    repository.git("add", "app.py")
    repository.write("app.py", LINE)
    assert repository.commit()[0] == 0


def test_hook_first_commit_with_a_secret_blocks(repository):
    repository.write("app.py", LINE)
    repository.git("add", "app.py")
    blocked(repository.commit())


def test_hook_only_the_clean_hunk_staged_does_not_block(repository):
    repository.write("app.py", "a\n" * 20)
    repository.git("add", "-A")
    assert repository.commit()[0] == 0
    repository.write("app.py", "b\n" + "a\n" * 20 + LINE)
    repository.git("add", "-p", input=b"s\ny\nn\n")
    assert b"ghp_" not in repository.git("diff", "--cached").stdout
    assert repository.commit()[0] == 0
    repository.git("add", "app.py")
    blocked(repository.commit())


@pytest.mark.parametrize("arguments", [("-a",), ("app.py",), ("-i", "app.py"), ("-o", "app.py")])
def test_hook_commit_through_another_index_blocks(repository, arguments):
    repository.write("app.py", "clean\n")
    repository.git("add", "-A")
    assert repository.commit()[0] == 0
    repository.write("app.py", LINE)
    blocked(repository.commit(*arguments))


def test_hook_merge_that_resolves_a_conflict_with_a_secret_blocks(repository):
    first(repository)
    for branch, text in (("other", "1\n"), ("main", "2\n")):
        repository.git("checkout", "-q", *(["-b"] if branch == "other" else []), branch)
        repository.write("app.py", text)
        repository.git("add", "app.py")
        assert repository.commit()[0] == 0
    assert repository.git("merge", "other", ok=False).returncode == 1
    repository.write("app.py", LINE)
    repository.git("add", "app.py")
    blocked(repository.commit())


def test_hook_clean_merge_of_a_branch_with_a_secret_blocks(repository):
    first(repository)
    repository.git("checkout", "-q", "-b", "other")
    repository.write("app.py", LINE)
    repository.git("add", "app.py")
    repository.git("commit", "-qnm", "unchecked")
    repository.git("checkout", "-q", "main")
    repository.write("b", "b\n")
    repository.git("add", "b")
    assert repository.commit()[0] == 0
    done = repository.git("merge", "-q", "--no-edit", "other", ok=False)
    assert done.returncode == 1
    assert TOKEN.encode() not in done.stdout + done.stderr


def test_hook_amend_blocks_only_what_it_adds(repository):
    first(repository)
    repository.write("other", "text\n")
    repository.git("add", "other")
    assert repository.commit("--amend")[0] == 0
    repository.write("app.py", LINE)
    repository.git("add", "app.py")
    blocked(repository.commit("--amend"))


def test_hook_renamed_file_with_an_added_secret_blocks_and_a_mere_rename_does_not(repository):
    repository.write("old.py", "line\n" * 50)
    repository.git("add", "-A")
    assert repository.commit()[0] == 0
    repository.git("mv", "old.py", "new.py")
    assert repository.commit()[0] == 0
    repository.git("mv", "new.py", "app.py")
    repository.write("app.py", "line\n" * 50 + LINE)
    repository.git("add", "app.py")
    blocked(repository.commit())


@pytest.mark.parametrize(
    "name", ["with space.py", "-dash.py", "tab\there.py", "line\nfeed.py", "é.py", "x" * 200 + ".py"]
)
def test_hook_odd_file_name_blocks(repository, name):
    repository.write(name, LINE)
    repository.git("add", "-A")
    code, said = repository.commit()
    assert code == 1
    assert "GitHub" in said


def test_hook_file_name_of_other_bytes_blocks(plain):
    plain.write(b"caf\xe9.py", LINE)
    plain.git("add", "-A")
    code, said = plain.commit()
    assert code == 1
    assert "caf\\xe9.py:1:10" in said


def test_hook_symbolic_link_whose_target_is_a_secret_blocks(repository):
    (repository.folder / "link").symlink_to(TOKEN)
    repository.git("add", "link")
    code, said = repository.commit()
    assert code == 1
    assert TOKEN not in said


@pytest.mark.parametrize("attributes", ["*.py -diff", "*.py binary", "*.py diff=evil", "*.py filter=evil"])
def test_hook_attributes_hide_nothing(repository, attributes):
    repository.git("config", "diff.evil.textconv", "touch /tmp/never; true")
    repository.write(".gitattributes", attributes + "\n")
    repository.write("app.py", LINE)
    repository.git("add", "-A")
    blocked(repository.commit())


@pytest.mark.parametrize("encoding", ["latin-1"])
def test_hook_other_encodings_and_null_bytes_block(repository, encoding):
    repository.write("app.py", (LINE * 3).replace("\n", "\r\n").encode(encoding) + b"\0\0")
    repository.git("add", "-A")
    blocked(repository.commit())


def test_hook_secret_in_the_commit_message_blocks(repository):
    repository.write("README", "text\n")
    repository.git("add", "-A")
    done = repository.git("commit", "-qm", f"use {TOKEN}", ok=False)
    assert done.returncode == 1
    assert TOKEN.encode() not in done.stdout + done.stderr


def test_hook_program_in_the_repositorys_configuration_is_not_run(plain, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    plain.write("app.py", LINE)
    plain.git("add", "-A")
    for key in ("core.fsmonitor", "diff.external", "core.pager", "core.sshCommand"):
        plain.git("config", key, str(trap))
    plain.environment["GIT_OPTIONAL_LOCKS"] = "0"
    (tmp_path / "sprung").unlink(missing_ok=True)
    done = subprocess.run(
        ["hygiene", "hook", "pre-commit"], cwd=plain.folder, env=plain.environment, capture_output=True
    )
    assert done.returncode == 1
    assert not (tmp_path / "sprung").exists()


def test_hook_linked_worktree_blocks(plain, tmp_path):
    plain.write("README", "text\n")
    plain.git("add", "-A")
    assert plain.commit()[0] == 0
    plain.git("worktree", "add", "-q", str(tmp_path / "linked"))
    plain.folder = tmp_path / "linked"
    plain.write("app.py", LINE)
    plain.git("add", "-A")
    blocked(plain.commit())


def test_hook_in_a_subfolder_of_the_work_tree_blocks(plain):
    plain.write("sub/app.py", LINE)
    plain.git("add", "-A")
    plain.folder = plain.folder / "sub"
    blocked(plain.commit(), "sub/app.py")


def test_hook_marked_line_passes_and_another_value_in_its_place_blocks(plain):
    fingerprint = None
    plain.write("app.py", LINE)
    plain.git("add", "-A")
    said = blocked(plain.commit())
    fingerprint = next(word for word in said.split() if word.startswith("v1:"))
    mark = f"  # hygiene: allow github-pat-classic {fingerprint[:15]} reason=sample"
    plain.write("app.py", LINE.rstrip() + mark + "\n")
    plain.git("add", "-A")
    assert plain.commit()[0] == 0
    plain.write("app.py", LINE.rstrip().replace(TOKEN, secret("two")) + mark + "\n")
    plain.git("add", "-A")
    assert plain.commit()[0] == 1


def test_hook_nothing_left_behind_holds_the_value(plain, tmp_path):
    plain.write("app.py", LINE)
    plain.git("add", "-A")
    blocked(plain.commit())
    plain.write("app.py", "")
    plain.git("rm", "-qrf", "--cached", ".")
    plain.git("gc", "-q", "--prune=now")
    for path in [*tmp_path.rglob("*"), *Path(plain.environment["HYGIENE_CACHE"]).rglob("*")]:
        if path.is_file() and not path.is_symlink():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_hook_says_what_to_do_about_a_value_that_is_in_no_file(repository):
    first(repository)
    repository.write(f"conf/{TOKEN}.txt", "x\n")
    repository.git("add", "-A")
    code, said = repository.commit()
    assert code == 1 and "rename it" in said and "migrate" not in said
    repository.git("reset", "-q")
    code, said = repository.commit("--allow-empty", "-m", f"use {TOKEN}")
    assert TOKEN not in said and TOKEN[8:] not in said
    if code:  # git has a hook for messages in this set-up
        assert "leave it out of the message" in said and "migrate" not in said
