"""The canary through the commands around the loop: baseline, rules, fleet, hooks, editors, the audit's own care."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.faults.world import LEAKED, STAGED, STORED

pytestmark = pytest.mark.slow


@pytest.fixture
def run(world):
    def run(*arguments: str, stdin: str = "", codes: tuple[int, ...] = (0, 1), **environ: str) -> None:
        code = world.run(*arguments, stdin=stdin, **environ)
        assert code in codes, (arguments, code, world.stderr.decode())
        assert world.leaks() == [], arguments

    return run


def test_canary_baseline_and_its_files(world, run):
    folder = world.repository.folder
    run("baseline", "create", "--history", "--reason", "known")
    run("baseline", "create", codes=(2, 3, 5))
    run("baseline", "create", "--detect-secrets", str(folder / ".secrets.baseline"))
    world.repository.write("more.py", f'T = "{STAGED}"\n'.encode())
    run("baseline", "update", "--dry-run")
    run("baseline", "update", "--reason", "known, too")
    run("baseline", "audit", "--json")
    run("baseline", "audit", "--require")
    run("baseline", "audit", stdin="r\nf\nq\n", codes=(0, 1, 2))
    shutil.copy(folder / ".hygiene.baseline.json", folder / "ours.json")
    run("baseline", "merge", "ours.json", "ours.json", ".hygiene.baseline.json")
    row = {"RuleID": "github-pat", "File": "app.py", "StartLine": 1, "Secret": LEAKED, "Match": LEAKED, "Commit": ""}
    (folder / "report.json").write_text(json.dumps([row]))
    run("baseline", "import", "report.json")
    run("baseline", "import", ".secrets.baseline")
    (folder / "report.json").write_text(f'[{{"Secret": "{LEAKED}"')
    run("baseline", "import", "report.json", codes=(2, 3, 4))
    (folder / "more.py").unlink()
    run("baseline", "prune", "--apply")
    written = [path for path in folder.glob(".*base*") if path.is_file()]
    assert len(written) == 2
    assert [path for path in written if LEAKED in path.read_text() or STAGED in path.read_text()] == []


def test_canary_rules_of_ones_own_that_hold_a_value(world, run):
    folder = world.repository.folder
    run("rules", "explain", "github-pat-classic", codes=(0, 2, 3))
    (folder / "gitleaks.toml").write_text('[[rules]]\nid = "x"\nregex = "abc[0-9]{8}"\n')
    run("rules", "import", "gitleaks.toml", codes=(0, 1, 2, 3))
    (folder / "own").mkdir()
    # A rule whose pattern is a value: the file is refused, and what stands in it is not repeated.
    (folder / "own" / "mine.toml").write_text(f'[[rules]]\nid = "x"\npattern = "{STORED}"\nkeywords = [{STORED}]\n')
    run("rules", "check", "own", codes=(2, 3))


def test_canary_care_of_the_audit(world, run):
    world.put()
    run("audit", "accept", "v1:0123456789abcdef", "--reason", "a test", "--until", "2030-01-01")
    event = {"time": "2026-11-30T10:00:00Z", "type": "request", "auth": {"client_token": STORED}}
    event["request"] = {"operation": "read", "path": "secret/data/a", "data": {"value": STORED}}
    (world.folder / "vault.log").write_text(json.dumps(event) + "\n")
    run("audit", "import", str(world.folder / "vault.log"))
    run("audit", "log", "--imported")
    (world.folder / "vault.log").write_text(json.dumps(event)[:-9])
    run("audit", "import", str(world.folder / "vault.log"), codes=(0, 2, 4, 6))
    run("audit", "restart", "--reason", "a test")
    run("audit", "verify", codes=(0, 6))


def test_canary_revocation_and_merge_of_records(world, run):
    world.put()
    run("revoke", "shop/db", codes=(0, 1, 2, 5))
    run("revoke", "shop/db", "--now", codes=(0, 1, 2, 5))
    run("access", "merge", "--install")
    sides = []
    for number in range(3):
        world.put()
        record = world.home / "store" / "secrets" / "shop" / "db" / "@record.json"
        sides.append(str(shutil.copy(record, world.folder / f"side{number}")))
    run("access", "merge", *sides, f"{world.home / 'store'}/secrets/shop/db/@record.json")
    run("access", "merge", *sides[:2], "config.in", "x/secrets/y", codes=(2, 5))


def test_canary_fleet(world, run):
    database = ("--database", f"sqlite:///{world.folder}/fleet.sqlite")
    clones = world.folder / "clones"
    subprocess.run(["git", "clone", "-q", world.repository.folder, clones / "one"], check=True)
    run("fleet", "add", str(clones), *database)
    run("fleet", "scan", "--workers", "1", *database)
    run("fleet", "status", *database)
    for form in ("text", "json", "csv"):
        run("fleet", "report", "--format", form, *database)
        run("fleet", "report", "--repositories", "--format", form, *database)
    run("fleet", "report", "--sarif", str(world.temporary / "sarif"), *database)
    run("fleet", "report", "--tickets", str(world.temporary / "tickets"), *database)
    run("fleet", "respond", "--all", "--dry-run", *database)
    run("fleet", "respond", "--all", *database, codes=(0, 1, 5))
    (world.folder / "hook").write_text(STORED)
    (world.folder / "hook").chmod(0o600)
    unusable = ("--host", "203.0.113.1", "--secret-file", str(world.folder / "hook"))
    run("fleet", "listen", *unusable, *database, codes=(1, 2, 3, 4, 5))
    run("fleet", "remove", str(clones), *database, codes=(0, 5, 6))
    assert LEAKED.encode() not in (world.folder / "fleet.sqlite").read_bytes()


def test_canary_setting_up(world, run):
    run("init", codes=(0, 1, 2))
    run("init", "--yes", codes=(0, 1, 2, 3))
    run("install", "--no-proof", codes=(0, 1, 2, 3))
    run("explain", "5")
    run("completions", "bash")
    run("manual", "-o", str(world.folder / "man"))
    run("demo", "--repository", str(world.folder / "shop"))


def test_canary_demo(world, run):
    run("demo")


def test_canary_editor(world, run):
    text = f'T = "{STAGED}"\n'
    uri = (world.repository.folder / "open.py").as_uri()
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 20}}
    asked = [
        {"id": 1, "method": "initialize", "params": {"rootUri": world.repository.folder.as_uri(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {
            "id": 2,
            "method": "textDocument/codeAction",
            "params": {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}},
        },
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    bodies = [json.dumps({"jsonrpc": "2.0", **message}) for message in asked]
    run("lsp", stdin="".join(f"Content-Length: {len(body)}\r\n\r\n{body}" for body in bodies))
    assert b"diagnostics" in world.stdout
    run("lsp", stdin=f"Content-Length: 999\r\n\r\n{bodies[2]}", codes=(0, 1, 2, 3, 4, 5))
