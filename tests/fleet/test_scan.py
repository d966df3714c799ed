from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select

from hygiene.cli.boundary import run as hygiene
from hygiene.cli.fleetwork import perform
from hygiene.fleet import planning
from hygiene.fleet.engines.inline import InlineEngine
from hygiene.fleet.engines.protocol import Batch, Perform
from hygiene.fleet.inventory.models import Event, Exposure, Finding, Repository, Task
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.trend import standing, standing_of_owners
from hygiene.fleet.tasks import Outcome
from tests.e2e.credentials import Forge
from tests.fleet.fleet import Fleet, generate, single_scans
from tests.repository import Repository as GitRepository


class Several(InlineEngine):
    """One process that says it is several workers, so that large repositories are cut."""

    workers = 4

    def __init__(self, perform: Perform) -> None:
        super().__init__(perform)
        self.kinds: list[str] = []

    def submit(self, batch: Batch) -> None:
        self.kinds += [unit.kind for unit in batch.units]
        super().submit(batch)


def test_scan_of_a_fleet_equals_the_union_of_single_scans(fleet: Fleet) -> None:
    made = generate(fleet.folder, ["one", "two", "deep/er/three"])
    fleet.add()
    tally = fleet.scan()
    assert (tally.repositories, tally.changed, tally.failed) == (3, 3, ())
    found = fleet.found()
    assert len(found) >= 6
    assert found == single_scans([one.folder for one in made], fleet.key)


def test_scan_in_parts_gives_what_one_scan_gives(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 1000)
    repository = GitRepository(fleet.folder / "large")
    forge = Forge(5)
    for number in range(20):
        repository.commit(f"change {number}", **{f"file{number % 4}.py": f'A = "{forge.github()}"\n'.encode()})
    token = forge.github()
    repository.commit("a name", **{f"{token}.txt": b"1"})
    repository.git("tag", "-a", "v1", "-m", f"use {forge.github()}")
    repository.git("gc", "-q")
    fleet.add()
    engine = Several(perform)
    tally = fleet.scan(engine)
    assert tally.failed == ()
    assert engine.kinds.count("part") > 1
    assert engine.kinds.count("place") == 1
    assert fleet.found() == single_scans([repository.folder], fleet.key)
    assert token not in _everything(fleet.inventory)


def test_large_repository_that_grew_is_not_read_in_parts_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 400)
    [repository] = generate(fleet.folder, ["large"])
    repository.git("gc", "-q")
    fleet.add()
    fleet.scan(Several(perform))
    repository.commit("leak", **{"new.py": f'K = "{Forge(9).github()}"\n'.encode()})
    seen: list[str] = []

    def watching(batch: Batch) -> list[Outcome]:
        seen.extend(unit.kind for unit in batch.units)
        return perform(batch)

    assert fleet.scan(Several(watching)).changed == 1
    assert seen == ["whole"]
    assert fleet.found() == single_scans([repository.folder], fleet.key)
    fleet.scan(Several(watching), full=True)
    assert "part" in seen


def test_second_scan_reads_only_what_changed(fleet: Fleet) -> None:
    made = generate(fleet.folder, ["one", "two", "three"])
    fleet.add()
    fleet.scan()
    assert fleet.scan().changed == 0
    made[1].commit("leak", **{"new.py": f'K = "{Forge(9).github()}"\n'.encode()})
    tally = fleet.scan()
    assert tally.changed == 1
    assert fleet.found() == single_scans([one.folder for one in made], fleet.key)


def test_scan_of_what_has_not_changed_starts_no_process(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generate(fleet.folder, ["one", "two", "bare"])
    made[2].git("clone", "-q", "--mirror", ".", str(fleet.folder / "mirror.git"))
    made[0].git("pack-refs", "--all")
    fleet.add()
    fleet.scan()
    started: list[object] = []
    before = subprocess.Popen.__init__

    def counting(self: subprocess.Popen[bytes], *arguments: object, **options: object) -> None:
        started.append(arguments)
        before(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess.Popen, "__init__", counting)
    assert fleet.scan().changed == 0
    assert started == []
    made[1].commit("more", **{"new.txt": b"1"})
    assert fleet.scan().changed == 1
    assert started != []


def test_scan_again_of_everything_writes_nothing_twice(fleet: Fleet) -> None:
    generate(fleet.folder, ["one", "two"])
    fleet.add()
    fleet.scan()
    before = _counts(fleet.inventory)
    fleet.scan(full=True)
    assert _counts(fleet.inventory) == before


def test_same_secret_in_many_repositories_is_one_exposure(fleet: Fleet) -> None:
    token = Forge(3).github()
    for number in range(5):
        GitRepository(fleet.folder / f"r{number}").commit("x", **{"a.py": f'T = "{token}"\n'.encode()})
    fleet.add()
    fleet.scan()
    [(places, repositories)] = fleet.inventory.run(
        lambda session: session.execute(select(Exposure.places, Exposure.repositories)).all()
    )
    assert (places, repositories) == (5, 5)
    assert token not in _everything(fleet.inventory)


def test_findings_of_several_owners_are_counted_for_each(fleet: Fleet) -> None:
    for repository in generate(fleet.folder, ["one", "two"]):
        lines = b"* @org/all\n*.sh @org/shell\n"
        repository.commit("owners", **{"CODEOWNERS": lines})
    fleet.add()
    fleet.scan()
    owners = fleet.inventory.run(standing_of_owners)
    assert {name: (one.repositories, one.places) for name, one in owners.items()} == {
        "@org/all": (2, 2), "@org/shell": (2, 2),
    }  # fmt: skip
    assert fleet.inventory.run(standing).places == 4


def test_rewritten_history_marks_the_finding_gone(fleet: Fleet) -> None:
    repository = GitRepository(fleet.folder / "one")
    first = repository.commit("clean", **{"a.txt": b"1"})
    repository.commit("leak", **{"a.py": f'T = "{Forge(4).github()}"\n'.encode()})
    fleet.add()
    fleet.scan()
    repository.git("reset", "-q", "--hard", first)
    fleet.scan()
    row = fleet.inventory.run(lambda session: session.scalars(select(Repository)).one())
    assert (row.critical, row.high) == (0, 0)
    assert fleet.inventory.run(lambda session: session.scalars(select(Finding)).one()).gone is not None


def test_broken_repository_is_told_and_the_others_are_scanned(fleet: Fleet) -> None:
    made = generate(fleet.folder, ["good", "broken"])
    for pack in (made[1].folder / ".git" / "refs" / "heads").iterdir():
        pack.write_text("0" * 39 + "1\n")
    fleet.add()
    tally = fleet.scan()
    assert [name for name, _ in tally.failed] in ([], ["broken"])
    problems = fleet.inventory.run(
        lambda session: dict(session.execute(select(Repository.name, Repository.problem)).all())
    )
    assert problems["good"] == ""
    assert any(found.repository.endswith("good") for found in fleet.found())


def test_interrupted_scan_is_resumed_without_doing_a_part_twice(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 400)
    repository = generate(fleet.folder, ["one"])[0]
    repository.git("gc", "-q")
    fleet.add()
    done: list[int] = []

    def dying(batch: Batch) -> list[Outcome]:
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(batch.units[0].part)
        return perform(batch)

    with pytest.raises(KeyboardInterrupt):
        fleet.scan(Several(dying))

    def watching(batch: Batch) -> list[Outcome]:
        done.extend(unit.part for unit in batch.units if unit.kind == "part")
        return perform(batch)

    fleet.scan(Several(watching))
    assert sorted(done) == sorted(set(done))
    assert fleet.found() == single_scans([repository.folder], fleet.key)


def test_mirror_of_another_repository_is_fetched_when_it_moves(fleet: Fleet, tmp_path: Path) -> None:
    origin = generate(tmp_path / "elsewhere", ["shop"])[0]
    (tmp_path / "list.txt").write_text(f"# ours\nfile://{origin.folder}\n\nftp://example.com/x\n")
    fleet.add("file", tmp_path / "list.txt")
    assert any("ftp" in words or "not one of" in words for words in fleet.told)
    fleet.scan()
    assert len(fleet.found()) == 2
    assert fleet.scan().changed == 0
    origin.commit("leak", **{"late.py": f'K = "{Forge(11).github()}"\n'.encode()})
    origin.git("branch", "side")
    assert fleet.scan().changed == 1
    assert len(fleet.found()) == 3
    [mirror] = (tmp_path / "mirrors").glob("*.git")
    refs = subprocess.run(["git", "for-each-ref"], cwd=mirror, capture_output=True, text=True, check=True).stdout
    assert "refs/heads/side" in refs


def test_repository_of_two_sources_keeps_the_name_that_the_first_gave(fleet: Fleet, tmp_path: Path) -> None:
    [repository] = generate(fleet.folder, ["team/one"])
    (tmp_path / "list.txt").write_text(f"{repository.folder}\n")
    fleet.add()
    fleet.add("file", tmp_path / "list.txt")
    fleet.scan()
    assert fleet.inventory.run(lambda session: list(session.scalars(select(Repository.name)))) == ["team/one"]
    assert not any("is called" in words for words in fleet.told)
    (fleet.folder / "team").rename(tmp_path / "moved")
    fleet.told.clear()
    fleet.scan()
    assert any("is gone" in words for words in fleet.told)


def test_repository_that_is_not_whole_is_told_at_every_scan(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [deep] = generate(tmp_path / "elsewhere", ["deep"])
    deep.git("clone", "-q", "--depth", "1", f"file://{deep.folder}", str(fleet.folder / "shallow"))
    generate(fleet.folder, ["good"])
    monkeypatch.setenv("GIT_DIR", str(deep.folder / ".git"))  # as in a hook: it is not what a fleet is about
    assert hygiene(["fleet", "add", str(fleet.folder)]) == 0
    for _ in range(2):
        assert hygiene(["fleet", "scan", "--workers", "1"]) == 4
        told = capsys.readouterr()
        assert "not scanned whole: shallow: the clone is shallow" in told.err
        assert "0 failed, 1 not scanned whole: 2 exposures in 3 places" in told.out


def test_repository_that_is_mended_is_whole_at_the_next_scan_though_no_ref_moved(fleet: Fleet, tmp_path: Path) -> None:
    [deep] = generate(tmp_path / "elsewhere", ["deep"])
    shallow = fleet.folder / "shallow"
    deep.git("clone", "-q", "--depth", "1", f"file://{deep.folder}", str(shallow))
    generate(fleet.folder, ["good"])
    fleet.add()
    assert [fleet.scan().changed, fleet.scan().changed] == [2, 1]
    subprocess.run(["git", "-C", str(shallow), "fetch", "-q", "--unshallow"], check=True)
    assert [fleet.scan().changed, fleet.scan().changed] == [1, 0]
    assert fleet.found() == single_scans([shallow, fleet.folder / "good"], fleet.key)
    assert fleet.inventory.run(lambda session: set(session.scalars(select(Repository.problem)))) == {""}


def test_repository_that_vanishes_while_others_are_scanned_is_told_and_keeps_its_findings(fleet: Fleet) -> None:
    made = generate(fleet.folder, ["one", "two", "three"])
    fleet.add()
    fleet.scan()
    before = fleet.found()

    def losing(batch: Batch) -> list[Outcome]:
        shutil.rmtree(made[1].folder, ignore_errors=True)
        return perform(batch)

    tally = fleet.scan(InlineEngine(losing), full=True)
    assert [name for name, _ in tally.failed] == ["two"]
    assert "is gone" in tally.failed[0][1]
    assert fleet.found() == before


def test_parts_are_forgotten_when_they_are_placed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SPLIT_BYTES", 400)
    generate(fleet.folder, ["one"])[0].git("gc", "-q")
    fleet.add()
    for _ in range(2):
        engine = Several(perform)
        fleet.scan(engine, full=True)
        assert set(engine.kinds) == {"part", "place"}
        assert fleet.inventory.run(lambda session: list(session.scalars(select(Task.kind)))) == ["place"]


def _counts(inventory: Inventory) -> list[int]:
    return inventory.run(
        lambda session: [
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Exposure, Finding, Task, Event)
        ]
    )


def _everything(inventory: Inventory) -> str:
    """All that the database holds, as text."""
    with inventory.engine.connect() as connection:
        tables = inspect(inventory.engine).get_table_names()
        return "\n".join(str(row) for table in tables for row in connection.exec_driver_sql(f'select * from "{table}"'))
