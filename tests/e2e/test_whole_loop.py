"""The whole loop on a repository with a long history: found, stored, replaced, and nowhere in clear.

``HYGIENE_TEST_REPOSITORY`` names a clone of a public repository to plant into; without it, five hundred
commits of the standard library's real code are made.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.e2e.credentials import spellings
from tests.e2e.planted import Planted, git, plant


class World(NamedTuple):
    """A planted clone and a user's own folders."""

    repository: Path
    home: Path
    cache: Path
    temporary: Path
    planted: list[Planted]

    def hygiene(
        self, *arguments: str, ok: tuple[int, ...] = (0,), stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "hygiene", *arguments],
            cwd=self.repository,
            env=self.environment(),
            input=stdin,
            capture_output=True,
        )
        assert done.returncode in ok, f"{arguments}: exit {done.returncode}\n{done.stderr.decode()[-3000:]}"
        return done

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HYGIENE_HOME": str(self.home),
            "HYGIENE_CACHE": str(self.cache),
            "TMPDIR": str(self.temporary),
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    base = tmp_path_factory.mktemp("loop")
    repository = base / "repository"
    public = os.environ.get("HYGIENE_TEST_REPOSITORY")
    if public:
        subprocess.run(["git", "clone", "-q", public, str(repository)], check=True)
        git(repository, "config", "user.name", "Shop")
        git(repository, "config", "user.email", "shop@example.com")
    planted = plant(repository)
    folders = [base / name for name in ("home", "cache", "temporary")]
    for folder in folders:
        folder.mkdir()
    return World(repository, *folders, planted)


def places(world: World) -> set[tuple[str, int]]:
    return {(one.path, one.line) for one in world.planted}


def found(world: World, *arguments: str) -> list[dict]:
    report = world.hygiene("scan", *arguments, "--format", "json", ok=(0, 1))
    return json.loads(report.stdout)["findings"]


def digest_of(world: World, path: str) -> str:
    values = [one.value for one in world.planted if one.path == path]
    return hashlib.sha256("\n".join(values).encode()).hexdigest()


def test_loop_scan_of_the_tree_finds_every_credential_at_its_line(world):
    lines = {(f["path"], f["line_start"]) for f in found(world)}
    assert places(world) <= lines
    # what the public code around them holds is no secret
    assert not {place for place in lines - places(world) if place[0].startswith("lib/")}


def test_loop_scan_of_history_names_commit_author_and_date(world):
    where = {}
    for finding in found(world, "--history"):
        for place in finding["provenance"]:
            where[place["path"], finding["line_start"]] = place
    for one in world.planted:
        place = where[one.path, one.line]
        assert place["author"] == one.author
        assert place["date"] == one.date
        assert git(world.repository, "log", "-1", "--format=%s", place["commit"]).strip() == f"Add {one.path}"


def test_loop_migrate_moves_every_value_and_the_programs_still_see_them(world):
    dry = world.hygiene("migrate", "--json")
    assert git(world.repository, "status", "--porcelain") == ""
    assert not any(form in dry.stdout for one in world.planted for form in spellings(one.value))
    with watched_arguments() as seen:
        world.hygiene("migrate", "--apply")
    leaks = [one.path for one in world.planted for form in spellings(one.value) if form in b"\0".join(seen)]
    assert not leaks

    stored = json.loads(world.hygiene("secret", "list", "--json").stdout)
    assert len(stored) == len({one.value for one in world.planted})
    values = {world.hygiene("secret", "get", entry["name"]).stdout for entry in stored}
    assert values == {one.value.encode() for one in world.planted}


def test_loop_changed_files_parse_and_the_next_scan_is_clean(world):
    repository = world.repository
    ast.parse((repository / "app/settings.py").read_bytes())
    subprocess.run(["node", "--check", "web/config.js"], cwd=repository, check=True)
    subprocess.run(["bash", "-n", "deploy.sh"], cwd=repository, check=True)
    yaml.safe_load((repository / "config/app.yaml").read_bytes())
    world.hygiene("scan")


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("app/settings.py", [sys.executable, "app/settings.py"]),
        ("web/config.js", ["node", "web/config.js"]),
        ("deploy.sh", ["./deploy.sh"]),
    ],
)
def test_loop_program_under_run_sees_the_original_values(world, path, command):
    done = world.hygiene("run", "--", *command)
    assert done.stdout.decode().strip() == digest_of(world, path)
    # and without, it fails loudly rather than going on with nothing
    alone = subprocess.run(command, cwd=world.repository, capture_output=True)
    assert alone.returncode != 0


def test_loop_environment_under_run_holds_what_the_dotenv_file_held(world):
    names = ["ANTHROPIC_API_KEY", "DIGITALOCEAN_TOKEN", "REDIS_PASSWORD", "SESSION_SECRET"]
    program = f"import os; print('\\n'.join(os.environ[n] for n in {names}))"
    done = world.hygiene("run", "--", sys.executable, "-c", program)
    assert done.stdout.decode().split() == [one.value for one in world.planted if one.path == ".env"]


def test_loop_render_gives_the_yaml_as_it_was(world):
    before = yaml.safe_load(git(world.repository, "show", "HEAD:config/app.yaml"))
    after = yaml.safe_load(world.hygiene("render", "config/app.yaml").stdout)
    assert after == before


def test_loop_no_file_holds_a_value_afterwards(world):
    forms = {form: one.path for one in world.planted for form in spellings(one.value)}
    leaks = []
    for folder in (world.repository, world.home, world.cache, world.temporary):
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                content = file.read_bytes()
                leaks += [(str(file), path) for form, path in forms.items() if form in content]
    assert not leaks


def test_loop_audit_verifies_and_tells_of_each_secret(world):
    world.hygiene("audit", "verify")
    entries = [json.loads(line) for line in world.hygiene("audit", "log", "--json").stdout.splitlines()]
    assert sum(e["action"] == "secret.put" and e["outcome"] == "ok" for e in entries) >= len(world.planted)


def test_loop_second_migration_changes_nothing(world):
    before = git(world.repository, "diff")
    world.hygiene("migrate", "--apply")
    assert git(world.repository, "diff") == before


def test_loop_rollback_gives_the_tree_back(world):
    shutil.copytree(world.repository, world.repository.with_name("kept"), symlinks=True)
    world.hygiene("migrate", "--rollback")
    assert git(world.repository, "status", "--porcelain") == ""
    world.hygiene("scan", ok=(1,))


class watched_arguments:
    """Collects the command line and environment of every process while it is entered."""

    def __enter__(self) -> set[bytes]:
        self._seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self._seen.add((process / name).read_bytes())
                    except OSError:
                        continue
            time.sleep(0.002)
