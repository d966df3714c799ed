"""Probes 37 to 40: rotated without a failure, never two live keys in silence, proved, and purged with open eyes."""

import json
import secrets
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.e2e.credentials import Forge
from tests.probes.conftest import LINE, TOKEN
from tests.probes.proxy import Proxy
from tests.servers.postgres import works

NAME = "shop/db"


@pytest.fixture
def roles(postgres_server, bare_project):
    """Two roles that take turns, and the URL of one of them stored as shop/db."""
    one, two, password = (secrets.token_hex(4) for _ in range(3))
    one, two = f"p_{one}", f"p_{two}"
    postgres_server.run(f"create role {one} login password '{password}'", f"create role {two}")
    bare_project.environment["ADMIN"] = postgres_server.admin
    return one, two, postgres_server.url(one, password)


def configure(project, port, **labels):
    lines = [f'[providers.postgresql]\nhosts = ["127.0.0.1:{port}"]']
    if labels:
        lines += ['admin = "ref+embedded://admin/postgres"']
    project.write(".hygiene.toml", "\n".join(lines) + "\n")


def put(project, name, value, *arguments):
    project.hygiene("secret", "put", name, *arguments, code=0, input=value.encode())


def test_probe_37_consumer_sees_no_failure_and_the_refusal_of_the_old_value_is_recorded(
    bare_project, postgres_server, roles
):
    one, two, url = roles
    configure(bare_project, postgres_server.port, admin=True)
    put(bare_project, "admin/postgres", postgres_server.admin)
    put(bare_project, NAME, url, "--label", f"roles={one}, {two}")
    stop, failures, logins = Event(), [], []

    def consume():
        while not stop.is_set():
            value = bare_project.hygiene("secret", "get", NAME).stdout.decode()
            (logins if works(value) else failures).append(value)
            time.sleep(0.1)

    consumer = Thread(target=consume)
    consumer.start()
    try:
        (done,) = json.loads(bare_project.hygiene("rotate", NAME, "--json", code=0).stdout)
    finally:
        stop.set()
        consumer.join()
    assert done["outcome"] == "rotated" and not done["gap"]
    assert failures == [] and logins
    assert not works(url) and works(bare_project.hygiene("secret", "get", NAME).stdout.decode())
    log = bare_project.hygiene("audit", "log", "--json", code=0).stdout.decode().splitlines()
    verdicts = [json.loads(line)["detail"].get("verdict") for line in log]
    assert "dead" in verdicts


def test_probe_38_unknown_outcome_is_settled_before_anything_is_tried_again(bare_project, postgres_server):
    role, password = f"p_{secrets.token_hex(4)}", secrets.token_hex(12)
    postgres_server.run(f"create role {role} login password '{password}'")

    cut = []

    def first_change(data):
        if b"alter role" in data.lower() and not cut:
            cut.append(data)
            return True
        return False

    with Proxy(postgres_server.port, first_change, stays_down=False) as proxy:
        url = postgres_server.url(role, password).replace(f":{postgres_server.port}", f":{proxy.port}")
        configure(bare_project, proxy.port)
        put(bare_project, NAME, url)
        first = bare_project.hygiene("rotate", NAME, "--json")
        assert proxy.cuts == 1
        if first.returncode:
            bare_project.hygiene("rotate", "--resume", code=0)
        assert not works(url)  # no second key is left alive
        assert works(bare_project.hygiene("secret", "get", NAME).stdout.decode())
    events = [
        json.loads(line) for line in bare_project.hygiene("audit", "log", "--json", code=0).stdout.decode().splitlines()
    ]
    issues = [event for event in events if event["action"] == "rotate.issue" and event["outcome"] == "intent"]
    assert len(issues) == 1  # it was verified, and not issued again
    bare_project.hygiene("audit", "verify", code=0)


@pytest.fixture
def proved(bare_project):
    """A leak that was stored, replaced, and revoked by hand."""
    bare_project.write("app.py", f'db_password = "{Forge(39).password()}"\n')
    leaked = bare_project.save()
    bare_project.hygiene("migrate", "--apply", code=0)
    replaced = bare_project.save(message="move it")
    (row,) = json.loads(bare_project.hygiene("secret", "list", "--json").stdout)
    bare_project.hygiene("rotate", row["name"], code=1)
    bare_project.hygiene("rotate", "confirm", row["name"], code=1, input=b"a-new-value-of-some-length")
    bare_project.hygiene("rotate", "confirm", row["name"], code=0)
    return bare_project, leaked, replaced


def test_probe_39_report_leads_from_the_finding_to_the_revocation(proved):
    project, leaked, replaced = proved
    document = json.loads(project.hygiene("audit", "exposures", "--json", code=0).stdout)
    (exposure,) = document["exposures"]
    assert document["log_verifies"]
    assert exposure["introduced"]["evidence"] == leaked
    assert exposure["reference"].startswith("ref+embedded://")
    assert exposure["replaced"] == [replaced]
    assert exposure["stored"]["evidence"] and exposure["revoked"]["evidence"]
    told = project.hygiene("audit", "exposures", code=0).stdout.decode()
    assert f"replaced by {replaced[:12]}" in told


@pytest.mark.parametrize("damage", ["edited", "removed", "truncated", "emptied"])
def test_probe_39_damaged_log_does_not_verify(proved, damage):
    project, *_ = proved
    folder = Path(project.environment["HYGIENE_HOME"]) / "audit"
    log = max(folder.glob("*.jsonl"), key=lambda path: path.stat().st_size)
    lines = log.read_bytes().splitlines(keepends=True)
    changed = {
        "edited": [*lines[:3], lines[3].replace(b'"outcome":"', b'"outcome":"x'), *lines[4:]],
        "removed": [*lines[:3], *lines[4:]],
        "truncated": lines[:-2],
        "emptied": [],
    }[damage]
    assert changed != lines
    log.write_bytes(b"".join(changed))
    project.hygiene("audit", "verify", code=6)


def test_probe_40_purge_counts_every_place_and_says_to_rotate_first(bare_project):
    project = bare_project
    project.write("README", "x\n")
    project.save()
    project.write("app.py", LINE)
    project.save()
    project.git("branch", "other")
    project.git("tag", "light")
    project.git("tag", "-am", "release", "heavy")
    project.git("notes", "add", "-m", f"see {TOKEN}")
    project.git("update-ref", "refs/pull/7/head", "HEAD")
    project.git("update-ref", "refs/pull/8/head", "HEAD")
    project.write("app.py", LINE + "# stashed\n")
    project.git("stash", "-q")
    project.write("gone.py", f'x = "{TOKEN}"\n')
    project.save()
    project.git("reset", "-q", "--hard", "HEAD^")  # dangling now
    done = project.hygiene("purge", code=0)
    said = done.stdout.decode()
    for words in (
        "2 branches",
        "2 tags",
        "1 notes ref",
        "1 stash",
        "2 pull requests",
        "1. rotate",
        "fork",
        "LFS",
        "no ref reaches",
    ):
        assert words in said, (words, said)
    assert said.index("rotate") < said.index("push it")
