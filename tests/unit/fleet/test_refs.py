"""What is read of refs against what git lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.errors import SourceError
from hygiene.fleet.refs import read_refs
from hygiene.fleet.tips import local_tips
from hygiene.git import Git
from tests.repository import Repository


def _listed(repository: Repository) -> dict[bytes, bytes]:
    rows = repository.git("for-each-ref", "--format=%(objectname) %(refname)").encode().splitlines()
    return {name: target for target, name in (row.split(b" ", 1) for row in rows)}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "one")
    made.commit("begin", **{"a.txt": b"1"})
    made.git("branch", "packed/once")
    made.git("tag", "-a", "v1", "-m", "first")
    made.git("pack-refs", "--all")
    made.commit("more", **{"a.txt": b"2"})  # main is packed, and loose with another object
    made.git("branch", "deep/er/name")
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    made.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    made.git("symbolic-ref", "refs/remotes/other/HEAD", "refs/remotes/other/gone")
    made.git("notes", "add", "-m", "noted")
    return made


def test_refs_are_what_git_lists(repository: Repository) -> None:
    found = read_refs(repository.folder / ".git")
    assert found == _listed(repository)
    assert found is not None
    assert len(found) == 7
    (repository.folder / ".git/refs/heads/main.lock").write_text("")
    assert read_refs(repository.folder / ".git") == found


@pytest.mark.parametrize(
    "arguments",
    [
        ("branch", "new"),
        ("branch", "-D", "packed/once"),
        ("update-ref", "refs/heads/deep/er/name", "HEAD~1"),
        ("branch", "-m", "deep/er/name", "moved"),
        ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/packed/once"),
        ("tag", "-d", "v1"),
    ],
)
def test_tips_move_with_each_ref(repository: Repository, arguments: tuple[str, ...]) -> None:
    git = Git(repository.folder)
    before = local_tips(git)
    repository.git("pack-refs", "--all")
    assert local_tips(git) == before
    repository.git(*arguments)
    assert local_tips(git) != before
    assert read_refs(repository.folder / ".git") == _listed(repository)


def test_tips_of_a_bare_repository_and_of_a_linked_worktree_are_those_of_the_clone(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    repository.git("symbolic-ref", "--delete", "refs/remotes/other/HEAD")
    repository.git("clone", "-q", "--mirror", ".", str(tmp_path / "bare.git"))
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    tips = local_tips(Git(repository.folder))
    assert local_tips(Git(tmp_path / "bare.git")) == tips
    assert read_refs(tmp_path / "linked/.git") is None
    assert local_tips(Git(tmp_path / "linked")) == tips


def test_refs_that_are_not_plain_are_left_to_git(repository: Repository) -> None:
    inside = repository.folder / ".git"
    heads = inside / "refs/heads"
    (heads / "link").symlink_to(heads / "main")
    assert read_refs(inside) is None
    (heads / "link").unlink()
    (heads / "broken").write_text("nonsense\n")
    assert read_refs(inside) is None
    (heads / "broken").unlink()
    assert read_refs(inside) is not None
    (inside / "reftable").mkdir()
    assert read_refs(inside) is None


def test_folder_that_is_no_repository_any_more_is_an_error(repository: Repository) -> None:
    (repository.folder / ".git/HEAD").unlink()
    with pytest.raises(SourceError):
        local_tips(Git(repository.folder))
