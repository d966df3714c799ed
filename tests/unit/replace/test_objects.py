"""Several values in one stored object: keys of AWS by themselves, anything by an edited plan."""

from __future__ import annotations

import json

import pytest

from hygiene.cli.migrating import Edited, make_plan
from hygiene.detect.template import fill_template
from hygiene.errors import UsageError
from hygiene.replace.migrations import open_migrations
from hygiene.replace.plan import Plan
from hygiene.replace.planfile import format_plan, parse_plan
from hygiene.replace.rewriters.protocol import Style
from hygiene.replace.rollback import roll_back
from tests.unit.replace.migrating import Project

ID, OTHER_ID = (fill_template("AKIA{b32:16}", seed) for seed in ("one", "other"))
KEY, OTHER_KEY = (fill_template("{b64:40}", seed) for seed in ("one", "other"))
FILES = {
    "app.py": f'AWS_ACCESS_KEY_ID = "⟦{ID}⟧"\nAWS_SECRET_ACCESS_KEY = "⟦{KEY}⟧"\n',
    ".env": f"AWS_ACCESS_KEY_ID=⟦{ID}⟧\nAWS_SECRET_ACCESS_KEY=⟦{KEY}⟧\n",
    "conf/app.yml": f"aws:\n  key: ⟦{ID}⟧\n  secret: ⟦{KEY}⟧\n",
}


def project_of(root, files) -> Project:
    project = Project(root, files)
    rules = {ID: "aws-access-key-id", OTHER_ID: "aws-access-key-id"}
    project.places = [
        place._replace(
            rule=rules.get(project.before[place.path][place.start : place.end].decode(), "aws-secret-access-key")
        )
        for place in project.places
    ]
    return project


@pytest.fixture
def project(tmp_path):
    return project_of(tmp_path / "shop", FILES)


def planned(project: Project, text: str = "") -> Plan:
    edited = Edited(tuple(parse_plan(text, "plan")), "plan") if text else None
    return make_plan(project.tree, project.store, project.places, Style(), edited)


def names(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {entry.name: entry.variables for entry in plan.entries}


def test_key_of_aws_is_one_object_with_a_reference_to_each_field(project):
    outcome = project.migrate()
    assert outcome.stored == ("shop/aws-access-key",)
    stored = json.loads(project.store.get("shop/aws-access-key").reveal())
    assert stored == {"id": ID, "secret": KEY}
    manifest = (project.root / "secrets.toml").read_text()
    assert 'AWS_ACCESS_KEY_ID = "ref+embedded://shop/aws-access-key#/id"' in manifest
    assert 'AWS_SECRET_ACCESS_KEY = "ref+embedded://shop/aws-access-key#/secret"' in manifest
    config = (project.root / "conf/app.yml").read_text()
    assert config == (
        "aws:\n  key: ref+embedded://shop/aws-access-key#/id\n  secret: ref+embedded://shop/aws-access-key#/secret\n"
    )
    assert len(project.store.told) == 1
    assert dict(project.store.told["shop/aws-access-key"].labels)["rule"] == "aws-secret-access-key"


def test_object_cut_short_at_any_call_resumes_and_rolls_back_to_the_byte(project):
    before = project.contents()
    migration = project.start()
    text = b"".join(path.read_bytes() for path in (project.root / ".git/hygiene/journal").iterdir()).decode()
    assert ID not in text and KEY not in text
    del migration
    project.resume().run()
    after = project.contents()
    assert after != before
    journal = open_migrations(project.root).unfinished()
    assert journal is not None
    (project.root / ".git/HEAD").write_text("ref: refs/heads/none\n")  # so that git does not give the files back
    undone = roll_back(project.tree, project.store, project.recorder, journal, delete_stored=True)
    assert undone.deleted == ("shop/aws-access-key",)
    assert project.contents() == before


def test_same_key_in_another_file_later_is_the_same_object(project, tmp_path):
    project.migrate()
    project.write("job.sh", f"export AWS_ACCESS_KEY_ID=⟦{ID}⟧\nexport AWS_SECRET_ACCESS_KEY='⟦{KEY}⟧'\n")
    project.places = [
        place._replace(rule="aws-access-key-id" if place.line == 1 else "aws-secret-access-key")
        for place in project.places
        if place.path == "job.sh"
    ]
    plan = planned(project)
    assert names(plan) == {
        "shop/aws-access-key#id": ("AWS_ACCESS_KEY_ID",),
        "shop/aws-access-key#secret": ("AWS_SECRET_ACCESS_KEY",),
    }


def test_two_keys_are_two_objects_and_halves_that_do_not_stand_together_are_secrets_of_their_own(tmp_path):
    both = (
        f'a_id = "⟦{ID}⟧"\na_secret = "⟦{KEY}⟧"\n' + "\n" * 9 + f'b_id = "⟦{OTHER_ID}⟧"\nb_secret = "⟦{OTHER_KEY}⟧"\n'
    )
    plan = planned(project_of(tmp_path / "two", {"a.py": both}))
    stored = [name.partition("#") for name in names(plan)]
    assert [field for _, _, field in stored] == ["id", "secret", "id", "secret"]
    assert len({name for name, _, _ in stored}) == 2
    apart = {"a.py": f'key = "⟦{ID}⟧"\n' + "\n" * 9 + f'secret = "⟦{KEY}⟧"\n', "b.py": f'x = "⟦{OTHER_KEY}⟧"\n'}
    assert not [name for name in names(planned(project_of(tmp_path / "apart", apart))) if "#" in name]
    mixed = {"a.py": f'i = "⟦{ID}⟧"\ns = "⟦{KEY}⟧"\n', "b.py": f'i = "⟦{ID}⟧"\ns = "⟦{OTHER_KEY}⟧"\n'}
    assert not [name for name in names(planned(project_of(tmp_path / "mixed", mixed))) if "#" in name]


def test_edited_plan_joins_values_into_an_object_of_any_name(tmp_path):
    project = Project(tmp_path / "shop", {"app.py": 'user = "⟦shop-user-1⟧"\npassword = "⟦pass-word-22⟧"\n'})
    lines = format_plan(project.plan()).splitlines()
    for number, field in ((3, "user"), (4, "password")):
        words = lines[number].split(" ", 3)
        lines[number] = " ".join([*words[:2], f"shop/db#{field}", words[3]])
    plan = planned(project, "\n".join(lines))
    assert set(names(plan)) == {"shop/db#user", "shop/db#password"}
    assert project.start(plan).run().stored == ("shop/db",)
    assert json.loads(project.store.get("shop/db").reveal()) == {"user": "shop-user-1", "password": "pass-word-22"}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("shop/db#", "shop/db#b", "line 4: not a field"),
        ("shop/db#a/b", "shop/db#b", "line 4: not a field"),
        ("shop/db", "shop/db#b", "line 5: shop/db is a whole value in another line"),
        ("shop/db#a", "shop/db#a", "is the name of another secret"),
    ],
)
def test_object_in_an_edited_plan_that_cannot_be_is_told_with_its_line(tmp_path, first, second, words):
    project = Project(tmp_path / "shop", {"app.py": 'user = "⟦shop-user-1⟧"\npassword = "⟦pass-word-22⟧"\n'})
    lines = format_plan(project.plan()).splitlines()
    for number, name in ((3, first), (4, second)):
        before = lines[number].split(" ", 3)
        lines[number] = " ".join([*before[:2], name, before[3]])
    with pytest.raises(UsageError) as caught:
        planned(project, "\n".join(lines))
    assert words in caught.value.message
