from __future__ import annotations

import pytest

from hygiene.fleet.owners import Owners, parse_codeowners

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
