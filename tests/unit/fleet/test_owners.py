from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.fleet.owners import Owners, parse_codeowners, read_owners
from hygiene.git import Git
from tests.repository import Repository

_TEXT = """
# who owns what
*            @org/all
*.js         @js-owner js@example.com   # trailing words
/build/logs/ @doctocat
docs/*       docs@example.com
apps/        @octocat
/apps/github
[Payments][2] @org/payments
/pay/
/pay/ui @org/front
"""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("a.py", "@org/all"),
        ("src/a.js", "@js-owner"),
        ("build/logs/x", "@doctocat"),
        ("docs/a.md", "docs@example.com"),
        ("deep/apps/x.py", "@octocat"),
        ("apps/github", ""),
        ("pay/x.py", "@org/payments"),
        ("pay/ui/x.ts", "@org/front"),
    ],
)
def test_owners_last_line_that_covers_a_path_decides(path: str, owner: str) -> None:
    assert Owners(parse_codeowners(_TEXT)).of(path) == owner


def test_owners_of_hostile_text_are_none() -> None:
    assert Owners(parse_codeowners("\x00\n[[[[\n***\n[x\n")).of("a") == ""


def test_owners_are_read_from_the_first_file_that_there_is(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "one")
    repository.commit("x", **{"docs/CODEOWNERS": b"* @docs\n", "CODEOWNERS": b"* @top\n"})
    assert read_owners(Git(repository.folder)).of("a.py") == "@top"
    repository.commit("y", **{".github/CODEOWNERS": b"* @github\n"})
    assert read_owners(Git(repository.folder)).of("a.py") == "@github"


def test_owners_of_a_repository_without_commits_are_none(tmp_path: Path) -> None:
    owners = read_owners(Git(Repository(tmp_path / "empty").folder))
    assert (owners.of("a"), owners.fallback) == ("", "")
