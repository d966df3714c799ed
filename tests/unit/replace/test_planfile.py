"""Plan files edited by hand: what is allowed is done, and every mistake is told with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hygiene.cli.migrating import Edited, make_plan
from hygiene.errors import UsageError
from hygiene.replace.plan import Plan
from hygiene.replace.planfile import format_plan, parse_plan
from hygiene.replace.rewriters.protocol import MANUAL, Style
from hygiene.secret import Secret
from tests.unit.replace.migrating import Project

FILES = {
    ".env": "TOKEN=⟦first-secret-1⟧\n",
    "app.py": 'password = "⟦second-secret-2⟧"\nmail = "⟦third-secret-3⟧"\n',
    "job.sh": "PASSWORD='⟦second-secret-2⟧'\n",
    "key.hs": 'key = "⟦fourth-secret-4⟧"\n',
}
# Lines of the plan: 4 .env:1, 5 app.py:1, 6 app.py:2, 7 job.sh:1; 8 is a comment on key.hs.


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "shop", FILES)


def planned(project: Project, text: str) -> Plan:
    edited = Edited(tuple(parse_plan(text, "plan")), "plan")
    return make_plan(project.tree, project.store, project.places, Style(), edited)


def edited(project: Project, number: int, change: Callable[[list[str]], list[str]]) -> str:
    lines = format_plan(project.plan()).splitlines()
    lines[number - 1] = " ".join(change(lines[number - 1].partition(" #")[0].split()))
    return "\n".join(lines) + "\n"


def word(position: int, text: str) -> Callable[[list[str]], list[str]]:
    return lambda words: [*words[:position], text, *words[position + 1 :]]


MISTAKES = [
    (4, word(0, "aply"), 4, "unknown action"),
    (4, word(0, "APPLY"), 4, "unknown action"),
    (4, lambda words: words[1:], 4, "unknown action"),
    (4, lambda words: words[:3], 4, "3 words"),
    (4, lambda words: [*words, "more"], 4, "5 words"),
    (4, lambda words: ['{"steps":', "[]}"], 4, "unknown action"),
    (4, lambda words: ["[step]"], 4, "unknown action"),
    (6, word(1, "0123456789"), 6, "no step"),
    (6, word(1, "../step"), 6, "no step"),
    (6, word(2, "shop/../other"), 6, "not a name"),
    (6, word(2, "shop/"), 6, "not a name"),
    (6, word(2, "shop/naïve"), 6, "not a name"),
    (6, word(2, "a" * 257), 6, "not a name"),
    (6, word(2, "shop/\x1b[31m"), 6, "not a name"),
    (6, word(2, "ref+vault://secret/shop#/mail"), 6, "a reference stands"),
    (6, word(3, "ref+awssecrets://shop/mail"), 6, "a reference stands"),
    (6, word(3, "1MAIL"), 6, "not an environment name"),
    (6, word(3, "MAIL-KEY"), 6, "not an environment name"),
    (6, word(3, "A" * 129), 6, "not an environment name"),
    (6, word(3, "LD_PRELOAD"), 6, "programs start"),
    (5, word(2, "shop/other"), 5, "the same secret has another name in line 7"),
    (7, word(3, "OTHER"), 7, "the environment name must be"),
    (4, word(2, "shop/mail"), 4, "is the name of another secret"),
    (6, word(3, "TOKEN"), 6, "is the environment name of another secret"),
    (4, word(3, "OTHER"), 4, "the environment name must be TOKEN"),
    (8, lambda words: ["apply", "key.hs:1", "shop/key", "KEY"], 8, "no step"),
]


@pytest.mark.parametrize(("number", "change", "told", "words"), MISTAKES)
def test_mistake_in_a_plan_is_told_with_its_line(project, number, change, told, words):
    text = edited(project, number, change)
    with pytest.raises(UsageError) as caught:
        planned(project, text)
    assert caught.value.message.startswith(f"plan, line {told}: ")
    assert words in caught.value.message and (caught.value.hint or "stands in" in caught.value.message)


@pytest.mark.parametrize("action", ["apply", "skip"])
def test_step_given_twice_names_both_lines(project, action):
    lines = format_plan(project.plan()).splitlines()
    lines.insert(6, lines[4].replace("apply", action))
    with pytest.raises(UsageError, match=r"plan, line 7: step .* stands in line 5 already"):
        planned(project, "\n".join(lines))


def test_name_that_the_store_has_for_another_value_is_told_with_its_line(project):
    for name, value in (("shop/taken", b"somebody's own"), ("shop/same", b"third-secret-3")):
        project.store.put(name, Secret(value), token=name.ljust(32, "-"))
    with pytest.raises(UsageError, match="plan, line 6: the store has another value under shop/taken"):
        planned(project, edited(project, 6, word(2, "shop/taken")))
    plan = planned(project, edited(project, 6, word(2, "shop/same")))
    assert "shop/same" in {entry.name for entry in plan.entries}


def test_plan_of_a_file_that_was_changed_since_is_told_with_its_line(project):
    text = format_plan(project.plan())
    project.places = [place._replace(line=place.line + 1) for place in project.places]
    with pytest.raises(UsageError, match="plan, line 4: there is no step"):
        planned(project, text)


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(" ", "\t"),
        lambda text: "\n\n".join(reversed(text.splitlines())),
        lambda text: "\n".join(line.partition(" # ")[0] for line in text.splitlines()),
    ],
    ids=["windows line ends", "byte order mark", "tabs", "another order", "no comments"],
)
def test_plan_saved_in_another_form_means_the_same(project, form):
    text = format_plan(project.plan())
    assert [step[:8] for step in planned(project, form(text)).steps] == [
        step[:8] for step in project.plan().steps if step.grade != MANUAL
    ]


def test_steps_that_are_skipped_or_deleted_are_left_and_names_are_followed(project):
    lines = format_plan(project.plan()).splitlines()
    kept = [*lines[:3], lines[3].replace("apply", "skip"), lines[5].replace("shop/mail MAIL", "post/key POST_KEY")]
    plan = planned(project, "\n".join(kept))
    assert [(step.path, step.name, step.variable) for step in plan.steps] == [("app.py", "post/key", "POST_KEY")]


def test_plan_without_steps_does_nothing(project):
    assert planned(project, "# nothing\n").files == ()
