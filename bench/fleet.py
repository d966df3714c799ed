"""A fleet scan against plain scans of the same repositories, in one run.

    python -m bench.fleet MIRRORS [--public 60] [--generated 200] [--most 12] [--parts 2] [--into FOLDER]

MIRRORS is a folder of bare repositories; each is cloned, so that nothing is written there. Each step is noted in FOLDER
when it is done, and a run that was cut short goes on behind it. Checked: the inventories of one and of two workers, and
that of large repositories in parts, are the union of single scans. Printed: a table. Processor seconds stand beside
seconds, for machines that do more than this. Plain scans are measured twice: as a loop of ``hygiene scan --history``,
and in one process that is there already, which is the least that they can take. The two workers of a fleet stand beside
two such processes at once, since no fleet is faster than those.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.fleetfolders import change, forget, prepare
from bench.measuring import Took, took, watched
from hygiene.cli.fleetwork import perform
from hygiene.collecting import collect_seldom
from hygiene.fleet import planning
from hygiene.fleet.engines.dask import DaskEngine
from hygiene.fleet.inventory.opening import database_url, open_inventory
from hygiene.fleet.key import FleetKey
from hygiene.fleet.tips import git_directory, pack_bytes
from tests.fleet.fleet import Fleet, Found, single_scan

_GB = 10**9
_KEY = bytes(range(32))


class Bench:
    """The steps, each done once; what they measured is in one file."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._path = folder / "figures.json"
        self.figures: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._public, self._made = prepare(
            Path(options.mirrors), folder / "repositories", options.public, options.generated, options.most
        )

    def run(self) -> None:
        """Do what is not done yet."""
        self._step("packs", self._packs)
        self._step("rules", lambda: took(lambda: single_scan(self._made[0], FleetKey(_KEY)))._asdict())
        self._step("one", lambda: self._scanned(1))
        self._step("two", lambda: self._scanned(2))
        self._step("loop", self._loop)
        self._step("single", self._single)
        self._step("halves", self._halves)
        self._step("union", self._union)
        self._step("again", self._again)
        self._step("still", lambda: self._scan(2)._asdict())
        if self._options.parts:
            self._step("parts", self._in_parts)

    def _step(self, name: str, work: Callable[[], Any]) -> None:
        if name not in self.figures:
            self.figures[name] = work()
            self._path.write_text(json.dumps(self.figures, indent=1) + "\n")
            print(f"{name}: {self.figures[name]}", flush=True)

    @property
    def _all(self) -> list[Path]:
        return self._public + self._made

    def _packs(self) -> dict[str, int]:
        return {
            "public": len(self._public),
            "generated": len(self._made),
            "bytes": sum(pack_bytes(git_directory(one)) for one in self._all),
        }

    def _home(self, workers: int) -> Path:
        home = self._folder / f"home{workers}"
        (home / "fleet").mkdir(parents=True, exist_ok=True, mode=0o700)
        key = home / "fleet/key"
        if not key.exists():
            key.write_text(_KEY.hex())
            key.chmod(0o600)
        return home

    def _scanned(self, workers: int) -> dict[str, float]:
        forget(self._all)
        self._hygiene(workers, "add", str(self._folder / "repositories"))
        found = self._scan(workers)
        with self._fleet(workers).inventory.engine.connect() as connection:
            row = connection.exec_driver_sql("select sum(bytes), sum(seconds), count(*) from repository").one()
        return {**found._asdict(), "bytes": int(row[0]), "working": float(row[1]), "repositories": int(row[2])}

    def _scan(self, workers: int) -> Took:
        return self._hygiene(workers, "scan", "--workers", str(workers))

    def _hygiene(self, workers: int, *arguments: str) -> Took:
        environment = {**os.environ, "HYGIENE_HOME": str(self._home(workers))}
        return watched([sys.executable, "-m", "hygiene", "fleet", *arguments], environment, ok=(0, 1))

    def _fleet(self, workers: int) -> Fleet:
        database = database_url(f"sqlite:///{self._home(workers) / 'fleet/inventory.sqlite'}")
        return Fleet(open_inventory(database), self._folder / "repositories", self._folder / "m", FleetKey(_KEY))

    def _loop(self) -> dict[str, float]:
        forget(self._all)

        def scan_each() -> None:
            for one in self._all:
                command = [sys.executable, "-m", "hygiene", "scan", "--history", "--format", "jsonl", str(one)]
                done = subprocess.run(command, capture_output=True)
                assert done.returncode in (0, 1), done.stderr.decode()

        return took(scan_each)._asdict()

    def _single(self) -> dict[str, float]:
        forget(self._all)
        found: set[Found] = set()
        measured = took(lambda: found.update(_singles(self._all)))
        (self._folder / "single.json").write_text(json.dumps(sorted(found)))
        return {**measured._asdict(), "findings": len(found)}

    def _halves(self) -> dict[str, float]:
        """Two processes of single scans at once: what this machine gives to two of anything."""
        forget(self._all)
        ordered = sorted(self._all, key=lambda one: -pack_bytes(git_directory(one)))
        with get_context("spawn").Pool(2) as pool:
            pool.map(_singles, [self._made[:1]] * 2, chunksize=1)  # both have started
            used: list[float] = []
            measured = took(lambda: used.extend(pool.imap_unordered(_alone, ordered)))
        return {"seconds": measured.seconds, "cpu": sum(used)}

    def _union(self) -> int:
        expected = self._expected()
        for workers in (1, 2):
            found = self._fleet(workers).found()
            assert found == expected, f"{workers} workers: {len(found ^ expected)} findings differ from single scans"
        return len(expected)

    def _expected(self) -> set[Found]:
        rows = json.loads((self._folder / "single.json").read_text())
        return {Found(*row[:-1], tuple(row[-1])) for row in rows}

    def _again(self) -> dict[str, float]:
        number = max(1, len(self._all) // 100)
        change(self._made[:number])
        return {**self._scan(2)._asdict(), "changed": number}

    def _in_parts(self) -> dict[str, float]:
        planning.SPLIT_BYTES = self._options.parts << 20
        database = database_url(f"sqlite:///{self._folder / 'parts.sqlite'}")
        fleet = Fleet(open_inventory(database), self._folder / "repositories/public", self._folder, FleetKey(_KEY))
        forget(self._public)
        fleet.add()
        measured = took(lambda: fleet.scan(DaskEngine(perform, scheduler="", workers=2, tell=print)))
        names = {str(one) for one in self._public}
        expected = {found for found in self._expected() if found.repository in names}
        assert fleet.found() == expected, "in parts: not the union of single scans"
        with fleet.inventory.engine.connect() as connection:
            count = connection.exec_driver_sql("select count(distinct repository_id) from task where kind = 'place'")
            return {**measured._asdict(), "cut": count.scalar_one()}


def _singles(folders: list[Path]) -> set[Found]:
    collect_seldom()  # as the program does
    return {found for folder in folders for found in single_scan(folder, FleetKey(_KEY))}


def promises(figures: dict[str, Any]) -> list[tuple[str, bool]]:
    """Say what a fleet's scan promises, and whether this run kept it; by the clock, so on a machine of its own."""
    one, two, loop, again = (figures[name] for name in ("one", "two", "loop", "again"))
    times, overhead, share = two["seconds"], one["cpu"] / loop["cpu"] - 1, again["seconds"] / two["seconds"]
    return [
        (f"the same inventory as single scans give: {figures['union']} findings", figures["union"] > 0),
        (f"two workers at least 1.8 times one: {one['seconds'] / times:.2f}", one["seconds"] >= 1.8 * times),
        (f"overhead against single scans in a loop at most 5 %: {overhead:+.1%} of CPU", overhead <= 0.05),
        (f"one in a hundred changed takes at most 3 % of the first run: {share:.1%}", share <= 0.03),
    ]


def _alone(folder: Path) -> float:
    return took(lambda: _singles([folder])).cpu


def show(figures: dict[str, Any]) -> None:
    """Print the table."""
    packs, single, one, two = (figures[name] for name in ("packs", "single", "one", "two"))
    print(f"{packs['public']} public and {packs['generated']} generated repositories, {packs['bytes'] / 1e6:.0f} MB of")
    print(f"packs, {one['bytes'] / 1e6:.0f} MB unpacked: {figures['union']} findings, the same by all ways\n")
    print(f"{'':34}{'s':>8}{'CPU s':>8}{'MB':>6}")
    words = {
        "loop": "single scans in a loop", "single": "single scans in one process",
        "halves": "single scans in two processes", "one": "fleet scan, one worker",
        "two": "fleet scan, two workers",
        "again": f"again, {figures['again']['changed']} changed", "still": "again, nothing changed",
    }  # fmt: skip
    for name, told in words.items():
        row = figures[name]
        print(f"{told:34}{row['seconds']:8.1f}{row.get('cpu', 0):8.1f}{row.get('memory', 0) / 1e6:6.0f}")
    print()
    again, still, halves = figures["again"], figures["still"], figures["halves"]
    for name in ("loop", "single"):
        print(f"overhead of the fleet: {one['cpu'] / figures[name]['cpu'] - 1:+.1%} of CPU against {words[name]}")
    print(f"two workers against one: {one['seconds'] / two['seconds']:.2f} times")
    print(f"two processes of single scans against one: {single['seconds'] / halves['seconds']:.2f} times, for")
    print(f"{halves['cpu'] / single['cpu'] - 1:+.1%} of CPU: so much do two of anything hinder each other here")
    print(f"two workers take {two['cpu'] / one['cpu'] - 1:+.1%} of the CPU of one")
    print(f"with two workers, each was busy for {two['working'] / 2 / two['seconds']:.0%} of the time, and the client")
    print(f"took {two['client']:.1f} s of CPU and {two['all_memory'] / 1e6:.0f} MB of memory with all its workers")
    print(f"second run: {again['seconds'] / two['seconds']:.1%} of the first, {again['cpu'] / two['cpu']:.1%} of CPU")
    print(f"nothing changed: {still['cpu'] / one['repositories'] * 1000:.0f} ms of CPU a repository")
    packed, unpacked = (one["cpu"] / size * _GB for size in (packs["bytes"], one["bytes"]))
    print(f"a GB of packs costs {packed:.0f} s of CPU, a GB unpacked {unpacked:.0f}")
    hours = packed * 10_000 / 3600
    print(f"10 TB of packs cost {hours:.0f} core hours: {hours / 64:.0f} h on 64 cores")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirrors")
    parser.add_argument("--public", type=int, default=60, metavar="N", help="take the N smallest")
    parser.add_argument("--generated", type=int, default=200, metavar="N")
    parser.add_argument("--most", type=int, default=12, metavar="MB", help="leave out larger packs")
    parser.add_argument("--parts", type=int, default=0, metavar="MB", help="scan in parts of this size, too")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="keep all here, and go on with what is here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.into or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(options, folder.resolve())
        bench.run()
    show(bench.figures)
    print()
    kept = promises(bench.figures)
    for words, holds in kept:
        print(f"{'kept' if holds else 'MISSED'}: {words}")
    return 0 if all(holds for _, holds in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
