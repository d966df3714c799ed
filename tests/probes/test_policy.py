"""Probes 28 to 32: what was accepted stays accepted, and nothing else does."""

import json

import pytest

from tests.hooks.conftest import BIN, secret
from tests.probes.conftest import LINE, TOKEN, stopped


@pytest.fixture
def accepted(project):
    """A repository whose baseline accepts the secret of app.py."""
    project.write("README", "text\n")
    project.save()
    project.write("app.py", LINE)
    project.hygiene("baseline", "create", "--reason", "a sample", code=0)
    project.save()
    return project


def test_probe_28_moved_renamed_squashed_and_rebased_stays_accepted(accepted):
    before = (accepted.folder / ".hygiene.baseline.json").read_bytes()
    accepted.git("checkout", "-q", "-b", "topic")
    accepted.write("app.py", "#\n" * 100 + LINE)
    accepted.git("add", "-A")
    assert accepted.commit()[0] == 0
    accepted.git("mv", "app.py", "renamed.py")
    assert accepted.commit()[0] == 0
    accepted.git("reset", "-q", "--soft", "main")
    assert accepted.commit()[0] == 0
    accepted.git("checkout", "-q", "main")
    accepted.write("other.py", "x = 1\n")
    accepted.save()
    accepted.git("rebase", "-q", "main", "topic")
    accepted.hygiene("scan", code=0)
    accepted.hygiene("scan", "--history", code=0)
    accepted.hygiene("baseline", "update", code=0)
    assert (accepted.folder / ".hygiene.baseline.json").read_bytes() == before


def test_probe_29_other_value_on_an_accepted_line_blocks(accepted):
    accepted.write("app.py", LINE.replace(TOKEN, secret("other")))
    accepted.git("add", "-A")
    stopped(accepted.commit(), "app.py:1:10")


def test_probe_30_entries_of_two_branches_merge_and_keep_their_order(accepted):
    driver = f"{BIN / 'hygiene'} baseline merge %O %A %B"
    accepted.git("config", "merge.hygiene-baseline.driver", driver)
    accepted.write(".gitattributes", ".hygiene.baseline.json merge=hygiene-baseline\n")
    accepted.save()
    base = accepted.git("rev-parse", "HEAD").stdout.decode().strip()
    for branch in ("one", "two"):
        accepted.git("checkout", "-q", "-B", branch, base)
        accepted.write(f"{branch}.py", LINE.replace(TOKEN, secret(branch)))
        accepted.hygiene("baseline", "update", code=0)
        accepted.save()
    accepted.git("merge", "-q", "--no-edit", "one")
    accepted.hygiene("scan", code=0)
    rows = json.loads((accepted.folder / ".hygiene.baseline.json").read_text())["findings"]
    names = [row["fingerprint"] for row in rows]
    assert len(names) == 3
    assert names == sorted(names)


def test_probe_31_entries_without_reason_or_value_are_reported_and_pruned_by_a_plan(accepted):
    path = accepted.folder / ".hygiene.baseline.json"
    for name in ("other", "third"):
        accepted.write(f"{name}.py", LINE.replace(TOKEN, secret(name)))
    accepted.hygiene("baseline", "update", code=0)  # no reason given
    (accepted.folder / "third.py").unlink()
    (accepted.folder / "app.py").unlink()  # still in a commit
    before = path.read_bytes()
    lines = accepted.hygiene("baseline", "prune", code=1).stdout.decode().splitlines()
    assert [line[0] for line in lines] == ["-", "!"]
    assert "third.py" in lines[0] and "gone" in lines[0]
    assert "other.py" in lines[1] and "no reason" in lines[1]
    assert path.read_bytes() == before
    accepted.hygiene("baseline", "prune", "--apply", code=1)  # the entry without a reason is left
    assert {row["path"] for row in json.loads(path.read_text())["findings"]} == {"app.py", "other.py"}
    accepted.hygiene("scan", code=0)
    accepted.hygiene("scan", "--history", code=0)


def test_probe_31_allowance_without_reason_is_refused_and_an_expired_one_is_told(project):
    project.write("app.py", LINE)
    allow = '[[allow]]\npath = "app.py"\n'
    project.write(".hygiene.toml", allow)
    assert b"reason" in project.hygiene("scan", code=3).stderr
    project.write(".hygiene.toml", allow + 'reason = "sample"\nexpires = 2020-01-31\n')
    done = project.hygiene("scan", code=1)
    assert b"expired on 2020-01-31" in done.stderr
    project.write(".hygiene.toml", allow + 'reason = "sample"\n[[allow]]\npath = "gone.py"\nreason = "sample"\n')
    done = project.hygiene("scan", code=0)
    assert b"covers nothing" in done.stderr and b"gone.py" in done.stderr


def test_probe_32_allowlist_alone_keeps_the_rules_and_a_misspelt_key_is_an_error(project):
    project.write("app.py", LINE)
    project.write(".hygiene.toml", '[[allow]]\npath = "docs/**"\nreason = "examples"\n')
    project.hygiene("scan", code=1)
    project.write(".hygiene.toml", '[[alow]]\npath = "docs/**"\nreason = "examples"\n')
    done = project.hygiene("scan", code=3)
    assert b"alow" in done.stderr and b"allow" in done.stderr.replace(b"alow", b"")
