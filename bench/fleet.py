"""A fleet scan against plain scans of the same repositories, in one run.

    python -m bench.fleet MIRRORS [--generated 200] [--most 150] [--json FILE]

MIRRORS is a folder of bare repositories; each is cloned, so that nothing is written there. Prints, and checks: the
fleet's inventory is the union of single scans; the overhead over single scans in one process; two workers against one;
a second run with one repository in a hundred changed. CPU seconds stand beside seconds, for machines that do more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hygiene.fleet.inventory.opening import database_url, open_inventory
from hygiene.fleet.key import FleetKey
from hygiene.fleet.tips import pack_bytes
from tests.fleet.fleet import Fleet, Found, generate, single_scan

_GB = 10**9


class Took(NamedTuple):
    seconds: float
    cpu: float


@contextmanager
def timed(into: list[Took]) -> Iterator[None]:
    def used() -> float:
        return sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    start, cpu = time.perf_counter(), used()
    yield
    into.append(Took(time.perf_counter() - start, used() - cpu))


def took(work: Callable[[], object]) -> Took:
    measured: list[Took] = []
    with timed(measured):
        work()
    return measured[0]


def hygiene(home: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hygiene", "fleet", *arguments], env={**os.environ, "HYGIENE_HOME": str(home)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr[-2000:]


def forget(folders: list[Path]) -> None:
    """Remove what scans remember in the repositories."""
    for folder in folders:
        inside = folder / ".git" if (folder / ".git").is_dir() else folder
        shutil.rmtree(inside / "hygiene", ignore_errors=True)


def prepare(mirrors: Path, into: Path, generated: int, most: int) -> tuple[list[Path], int]:
    public = []
    for source in sorted(path for path in mirrors.glob("*/repo") if pack_bytes(path) <= most << 20):
        target = into / "public" / f"{source.parent.name}.git"
        subprocess.run(["git", "clone", "-q", "--mirror", str(source), str(target)], check=True)
        public.append(target)
    made = [one.folder for one in generate(into / "generated", (f"r{n:03}" for n in range(generated)), 7)]
    return public + made, len(public)


def change(folders: list[Path]) -> None:
    """Add a commit with a credential to each of ``folders``, which are clones."""
    for number, folder in enumerate(folders):
        value = os.urandom(20).hex()
        (folder / f"late{number}.py").write_text(f'API_TOKEN = "{value}"\n')
        for command in (
            ["add", "-A"],
            ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "late"],
        ):
            subprocess.run(["git", *command], cwd=folder, check=True)


def singles(folders: list[Path], key: FleetKey) -> set[Found]:
    return {found for folder in folders for found in single_scan(folder, key)}


def inventory_of(home: Path, folder: Path) -> tuple[Fleet, dict[str, int]]:
    os.environ["HYGIENE_HOME"] = str(home)
    fleet = Fleet(
        open_inventory(database_url()),
        folder,
        folder / "mirrors",
        FleetKey(bytes.fromhex((home / "fleet/key").read_text())),
    )
    with fleet.inventory.engine.connect() as connection:
        row = connection.exec_driver_sql("select sum(bytes), sum(blobs), count(*) from repository").one()
    return fleet, {"bytes": int(row[0]), "blobs": int(row[1]), "repositories": int(row[2])}


def fleet_scan(home: Path, folder: Path, folders: list[Path], workers: int) -> Took:
    hygiene(home, "add", str(folder / "repositories"))
    forget(folders)
    done = took(lambda: hygiene(home, "scan", "--workers", str(workers)))
    print(f"fleet scan, {workers} workers: {done.seconds:.1f} s, {done.cpu:.1f} s CPU", flush=True)
    return done


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    folders, public = prepare(Path(options.mirrors), folder / "repositories", options.generated, options.most)
    packs = sum(pack_bytes(one / ".git" if (one / ".git").is_dir() else one) for one in folders)
    print(
        f"{public} public and {len(folders) - public} generated repositories, {packs / 1e6:.0f} MB of packs", flush=True
    )
    homes = [folder / f"home{number}" for number in (1, 2)]
    single_scan(folders[-1], FleetKey(bytes(32)))  # compiles the rules, if need be
    fleets = [fleet_scan(home, folder, folders, workers) for workers, home in enumerate(homes, 1)]
    forget(folders)
    one, totals = inventory_of(homes[0], folder)
    two, _ = inventory_of(homes[1], folder)
    expected: set[Found] = set()
    single = took(lambda: expected.update(singles(folders, one.key)))
    print(f"single scans in one process: {single.seconds:.1f} s, {single.cpu:.1f} s CPU, {len(expected)} findings")
    assert one.found() == expected, "one worker's inventory is not the union of single scans"
    found_two = {found._replace(fingerprint="") for found in two.found()}  # under another key
    assert found_two == {found._replace(fingerprint="") for found in expected}, "two workers' inventory is not"
    changed = folders[public : public + max(1, len(folders) // 100)]
    change(changed)
    again = took(lambda: hygiene(homes[1], "scan", "--workers", "2"))
    still = took(lambda: hygiene(homes[1], "scan", "--workers", "2"))
    return {
        "public": public, "repositories": len(folders), "pack_bytes": packs, **totals, "findings": len(expected),
        "one": fleets[0]._asdict(), "two": fleets[1]._asdict(), "single": single._asdict(),
        "again": again._asdict(), "unchanged": still._asdict(), "changed": len(changed),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirrors")
    parser.add_argument("--generated", type=int, default=200)
    parser.add_argument("--most", type=int, default=150, metavar="MB", help="leave out larger repositories")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(options, Path(folder))
    show(figures)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")


def show(figures: dict[str, Any]) -> None:
    one, two, single, again, still = (Took(**figures[name]) for name in ("one", "two", "single", "again", "unchanged"))
    overhead = f"{one.seconds / single.seconds - 1:+.1%}, in CPU {one.cpu / single.cpu - 1:+.1%}"
    print(f"overhead of the fleet with one worker: {overhead}")
    print(f"two workers are {one.seconds / two.seconds:.2f} times as fast as one")
    share = f"{again.seconds / two.seconds:.1%} of the first, in CPU {again.cpu / two.cpu:.1%}"
    print(f"second run, {figures['changed']} repositories changed: {again.seconds:.1f} s, {share}")
    each = still.seconds / figures["repositories"] * 1000
    print(f"nothing changed: {still.seconds:.1f} s, {each:.0f} ms a repository")
    unpacked, packed = one.cpu / figures["bytes"] * _GB, one.cpu / figures["pack_bytes"] * _GB
    print(f"a GB of unpacked objects costs {unpacked:.1f} s CPU, a GB of packs {packed:.0f} s CPU")
    hours = packed * 10_000 / 3600
    print(f"10 TB of packs cost {hours:.0f} core hours: {hours / 64:.1f} hours on 64 cores")


if __name__ == "__main__":
    main()
