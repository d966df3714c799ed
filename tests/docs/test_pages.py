"""The documentation holds: no dead link, no command that the program lacks, and the reference is what --help says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hygiene.cli.app import app
from hygiene.cli.hookfiles import HOOKS
from hygiene.cli.manual import man_pages, markdown_pages, topics

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted([*(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("*.md")])
REFERENCE = CHECKOUT / "docs" / "commands"
COMMANDS = {topic.name: topic.command for topic in topics(app)}
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_END = re.compile(r"\s(?:[|&;<>]|&&|\|\||>>|→|#)(?:\s|$)|…$|\\$")


def named(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_page_links_lead_somewhere(page):
    for target in _LINK.findall(_prose(page.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file.read_text()), target


def _prose(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()).strip().replace(" ", "-") for title in titles}


def commands_of(text: str) -> Iterator[str]:
    """Give the hygiene commands in code blocks, after a prompt, and in back quotes."""
    for block in re.findall(r"```(?:sh|console|bash|shell|yaml|text|)\n(.*?)```", text, re.DOTALL):
        yield from re.findall(r"^(?:\s*[-\w]*:? ?)?(?:\$ |\s*)(hygiene [a-z].*)$", block, re.MULTILINE)
    yield from re.findall(r"^    (?:\$ )?(hygiene [a-z].*)$", text, re.MULTILINE)
    yield from re.findall(r"`(hygiene [a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent != REFERENCE], ids=named)
def test_page_commands_are_those_of_the_program(page):
    for typed in commands_of(page.read_text()):
        problem = wrong_with(typed)
        assert not problem, f"{typed}: {problem}"


def wrong_with(typed: str) -> str:
    """Say what the program would not know in ``typed``: a command, a subcommand or an option."""
    try:
        words = shlex.split(_END.split(typed)[0].replace("…", " "), comments=True)
    except ValueError:
        return ""  # prose with an apostrophe
    if words[1:2] == ["hook"]:
        return "" if not words[2:] or words[2] in (*HOOKS, "auto", "pre-receive", "STAGE") else f"no stage {words[2]}"
    name, rest = "hygiene", words[1:]
    while rest and isinstance(COMMANDS[name], click.Group) and not rest[0].startswith("-"):
        if unknown := [word for word in rest[0].split("|") if f"{name} {word}" not in COMMANDS and not word.isupper()]:
            return f"no command {unknown[0]}"
        if "|" in rest[0] or rest[0].isupper():
            return ""  # one of several, or any
        name, rest = f"{name} {rest[0]}", rest[1:]
    known = {option for part in COMMANDS[name].params for option in (*part.opts, *part.secondary_opts)}
    options = [word.split("=")[0] for word in rest[: rest.index("--") if "--" in rest else None] if word[:1] == "-"]
    wrong = [option for option in options if option not in known | {"-h", "--help", "--version", "-"}]
    return f"no option {', '.join(wrong)}" if wrong else ""


def test_wrong_commands_are_noticed():
    assert wrong_with("hygiene scan --hystory") == "no option --hystory"
    assert wrong_with("hygiene secrets list") == "no command secrets"
    assert wrong_with("hygiene secret lst --json") == "no command lst"
    assert wrong_with("hygiene run -- ./start.sh --fast | tee log") == ""


def test_reference_is_what_the_commands_say():
    pages = markdown_pages(app)
    written = {path.name: path.read_text() for path in REFERENCE.glob("*.md")}
    assert written == pages, "out of date: make reference"


def test_man_pages_are_written_for_every_command():
    pages = man_pages(app)
    assert {"hygiene.1", "hygiene-scan.1", "hygiene-secret-put.1", "hygiene-guard.1"} <= set(pages)
    assert all(page.startswith(".TH ") and "\n.SH NAME\n" in page for page in pages.values())


def test_site_holds_every_page():
    site = (CHECKOUT / "mkdocs.yml").read_text()
    own = [str(page.relative_to(CHECKOUT / "docs")) for page in PAGES if page.is_relative_to(CHECKOUT / "docs")]
    missing = [name for name in own if not name.startswith("adr/") and name not in site]
    assert missing == []
