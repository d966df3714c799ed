"""Values are planted through every command and every failure path, and must not come out anywhere.

Looked at after each command: stdout and stderr, the command lines that were started, and every file that hygiene wrote
(audit log, journals, caches, store, temporary files). Where a value is asked for, its own way out is left aside.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.faults.world import LEAKED, STAGED, STORED

FORMATS = ("text", "json", "jsonl", "sarif", "csv", "junit", "gitlab", "github", "html")


@pytest.mark.slow
def test_canary_finds_what_leaks(world):
    """The test itself must be able to fail."""
    world.run("scan", "--show-secrets")
    assert world.leaks() != []
    (world.temporary / "x").write_text(STORED)
    world.run("--version")
    assert world.leaks() == ["tmp/x holds a form 0 of st0red…"]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.slow
def test_canary_scan_of_history_in_every_format(world, format_name):
    assert world.run("scan", "--history", "--format", format_name) == 1
    assert world.leaks() == []
    assert world.run("scan", "--history", "--format", format_name, "-o", str(world.temporary / "report")) == 1
    assert world.leaks() == []


@pytest.mark.parametrize(
    "arguments", [("scan",), ("scan", "--staged"), ("scan", "--range", "HEAD~1..HEAD"), ("hook", "pre-commit")]
)
@pytest.mark.slow
def test_canary_scans_and_hooks(world, arguments):
    world.repository.write("staged.py", f'T = "{STAGED}"\n'.encode())
    world.repository.git("add", "staged.py")
    assert world.run(*arguments) == 1
    assert world.leaks() == []


@pytest.mark.slow
def test_canary_value_on_stdin_and_in_a_file_name(world):
    assert world.run("scan", "--stdin", stdin=f'T = "{STAGED}"\n') == 1
    assert world.leaks() == []
    world.repository.commit("named", **{f"keys/{LEAKED}.txt": b"x\n"})
    for format_name in FORMATS:
        world.run("scan", "--history", "--format", format_name)
        assert world.leaks() == [], format_name


@pytest.mark.slow
def test_canary_store_commands(world):
    world.put()
    assert world.leaks() == []
    steps = [
        ("secret", "list"),
        ("secret", "list", "--json"),
        ("secret", "describe", "shop/db"),
        ("secret", "history", "shop/db", "--json"),
        ("secret", "expire", "shop/db", "--in", "30d"),
        ("secret", "copy", "ref+embedded://shop/db", "ref+embedded://shop/copy"),
        ("secret", "generate", "shop/new"),
        ("secret", "delete", "shop/copy", "--yes"),
        ("secret", "restore", "shop/copy"),
        ("access", "list"),
        ("access", "whoami"),
        ("access", "check"),
        ("doctor",),
        ("rotate", "--due", "--dry-run"),
        ("rotate", "--leaked", "--dry-run"),
        ("respond", "--dry-run"),
        ("respond", "--dry-run", "--json"),
        ("rules", "list"),
        ("audit", "log"),
        ("audit", "verify"),
        ("audit", "exposures"),
        ("audit", "report", "--format", "html"),
        ("audit", "export", "--format", "ocsf"),
        ("audit", "export", "--format", "cef"),
        ("audit", "anchor"),
        ("audit", "key"),
    ]
    for step in steps:
        world.run(*step)
        assert world.leaks() == [], step


@pytest.mark.slow
def test_canary_ways_out_that_are_asked_for_are_the_only_ones(world):
    world.put()
    assert world.run("secret", "get", "shop/db") == 0
    assert world.stdout == STORED.encode()
    assert world.leaks(stdout=False) == []
    (world.repository.folder / "secrets.toml").write_text('DB = "ref+embedded://shop/db"\n')
    assert world.run("run", "--", "sh", "-c", 'test -n "$DB"') == 0
    assert world.leaks() == []
    (world.repository.folder / "config.in").write_text("db: ref+embedded://shop/db\n")
    assert world.run("render", "config.in") == 0
    assert STORED.encode() in world.stdout
    assert world.leaks(stdout=False) == []


@pytest.mark.slow
def test_canary_migration_there_and_back(world):
    for step in (
        ("migrate",),
        ("migrate", "--json"),
        ("migrate", "--diff"),
        ("migrate", "--apply"),
        ("migrate", "--apply"),
    ):
        world.run(*step)
        assert world.leaks() == [], step
    assert LEAKED.encode() not in (world.repository.folder / "app.py").read_bytes()
    world.run("audit", "exposures", "--json")
    assert b'"contained"' in world.stdout
    assert world.leaks() == []
    world.run("migrate", "--rollback")
    assert world.leaks() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("secret", "get", "nothing"), 5),
        (("secret", "get", "ref+embedded://nothing/at/all"), 5),
        (("secret", "get", "shop/db", "--version", "99"), None),
        (("secret", "put", "../bad", "--file", "/nonexistent"), 2),
        (("secret", "copy", "ref+embedded://shop/db", "ref+vault://secret/x"), 5),
        (("render", "missing"), None),
        (("run", "--", "/nonexistent"), None),
    ],
)
@pytest.mark.slow
def test_canary_commands_that_fail(world, arguments, code):
    world.put()
    found = world.run(*arguments, stdin=STORED, VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="x")
    assert found != 0
    assert code in (None, found)
    assert world.leaks(stdout=False) == []


@pytest.mark.parametrize("method", ["put", "get"])
@pytest.mark.slow
def test_canary_mistake_of_our_own_tells_no_value(world, method):
    world.put()
    command = ("secret", "put", "shop/other") if method == "put" else ("secret", "get", "shop/db")
    assert world.run(*command, stdin=STORED, SPY_BREAK=method) == 70
    assert b"RuntimeError" in world.stderr
    assert world.leaks() == []


@pytest.mark.slow
def test_canary_full_disk(world):
    world.put()
    for limit in (1, 300, 1200):
        world.run("secret", "put", "shop/more", stdin=STORED + "x" * 2000, limit=limit)
        assert world.leaks() == [], limit
    for limit in (1, 600):
        world.run("migrate", "--apply", limit=limit)
        assert world.leaks() == [], limit


@pytest.mark.slow
def test_canary_damaged_store_and_another_identity(world):
    world.put()
    for record in [path for path in world.home.rglob("*") if path.is_file() and "audit" not in path.parts]:
        content = record.read_bytes()
        if record.name.startswith("identity") or len(content) < 40:
            continue
        record.write_bytes(content[:-20] + b"\x00" * 20)
        world.run("secret", "get", "shop/db")
        if world.stdout != STORED.encode():
            assert world.leaks() == [], record
        record.write_bytes(content)
    other = world.folder / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    assert world.run("secret", "get", "shop/db", HYGIENE_IDENTITY=str(other)) == 5
    assert world.leaks() == []


@pytest.mark.slow
def test_canary_value_given_as_an_argument_is_not_repeated(world):
    """The shell's own history has it then; hygiene at least does not spread it."""
    assert world.run("secret", "put", "shop/db", STORED) == 2
    assert STORED.encode() not in world.stdout + world.stderr
    assert world.run("secret", "get", STORED.replace("?", "x")) in (2, 5)
    assert [place for place in world.leaks() if not place.startswith("command lines")] == []


@pytest.mark.slow
def test_canary_purge(world):
    mirror, bundle = world.folder / "mirror.git", world.folder / "backup.bundle"
    world.run("purge", "--mirror", str(mirror), "--bundle", str(bundle))
    assert mirror.exists(), world.stderr.decode()
    assert world.leaks() == []
    listing = subprocess.run(["git", "-C", str(mirror), "log", "-p", "--all"], capture_output=True, check=True).stdout
    assert LEAKED.encode() not in listing
    left = [path for path in mirror.rglob("*") if path.is_file() and LEAKED.encode() in path.read_bytes()]
    assert left == []


@pytest.mark.slow
def test_canary_guard(world):
    call = {"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": {"content": f"T = '{STAGED}'"}}
    world.run("guard", stdin=json.dumps(call))
    assert world.leaks() == []
    world.run("guard", stdin=json.dumps(call)[:-9])
    assert world.leaks() == []


@pytest.mark.slow
def test_canary_action(world):
    event = world.temporary / "event.json"
    event.write_text("{}")
    environ = {"GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": str(event), "RUNNER_TEMP": str(world.temporary)}
    files = {"GITHUB_OUTPUT": str(world.temporary / "o"), "GITHUB_STEP_SUMMARY": str(world.temporary / "s")}
    assert world.run("action", **environ, **files, HYGIENE_INPUT_SARIF="true") == 1
    assert world.leaks() == []
