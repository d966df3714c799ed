from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hygiene.places import cache_folder
from tests.servers.moto import Moto, key_ids, new_key_pair
from tests.servers.postgres import Postgres, works

NAME = "shop/db"


class Shell:
    """Runs the command in a repository of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.repository = folder / "repository"
        self.repository.mkdir()
        subprocess.run(["git", "init", "-q", str(self.repository)], check=True)
        monkeypatch.setenv("HYGIENE_HOME", str(folder / "home"))
        monkeypatch.chdir(self.repository)

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        command = [sys.executable, "-m", "hygiene", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        self.stderr = done.stderr
        return done.stdout

    @property
    def journals(self) -> list[Path]:
        return list((self.repository / ".git/hygiene/journal").glob("*"))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, monkeypatch)


@pytest.fixture
def url(postgres_server: Postgres, shell: Shell) -> str:
    """A role whose URL is stored, on a server that the configuration allows."""
    role, password = "cli_" + secrets.token_hex(4), secrets.token_hex(12)
    postgres_server.run(f"create role {role} login password '{password}'")
    config = f'[providers.postgresql]\nhosts = ["127.0.0.1:{postgres_server.port}"]\n'
    (shell.repository / ".hygiene.toml").write_text(config)
    url = postgres_server.url(role, password)
    shell("secret", "put", NAME, stdin=url)
    return url


def test_rotate_by_name_replaces_the_password(shell: Shell, url: str) -> None:
    (planned,) = json.loads(shell("rotate", NAME, "--dry-run", "--json"))
    assert (planned["outcome"], planned["provider"], planned["gap"]) == ("planned", "postgresql", True)
    assert works(url)
    (done,) = json.loads(shell("rotate", NAME, "--json"))
    assert done["outcome"] == "rotated" and not works(url) and works(shell("secret", "get", NAME))
    assert shell.journals == []
    actions = [json.loads(line)["action"] for line in shell("audit", "log", "--json").splitlines()]
    assert {"rotate.issue", "rotate.verify", "rotate.promote", "rotate.revoke", "rotate.done"} <= set(actions)
    shell("audit", "verify")


def test_rotate_shows_no_value_anywhere(shell: Shell, url: str, tmp_path: Path) -> None:
    shown = shell("rotate", NAME) + shell.stderr
    new = shell("secret", "get", NAME)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for value in (url, new):
        password = value.split(":")[2].split("@")[0]
        assert password not in shown and not any(password.encode() in content for content in files)


def test_rotate_nothing_named_is_a_usage_error(shell: Shell) -> None:
    shell("rotate", code=2)
    assert "--leaked" in shell.stderr
    shell("rotate", "x", "--resume", "--abort", code=2)


def test_rotate_unknown_name_fails(shell: Shell, url: str) -> None:
    assert "has no secret" in shell("rotate", "no/such", code=5)


def test_rotate_host_not_allowed_changes_nothing(shell: Shell, url: str) -> None:
    (shell.repository / ".hygiene.toml").unlink()
    told = shell("rotate", NAME, code=5)
    assert "not a host that the configuration allows" in told and "[providers.postgresql] hosts" in told
    assert shell.journals == [] and works(url)


def test_rotate_due_and_expired_choose_by_time(shell: Shell, url: str) -> None:
    assert json.loads(shell("rotate", "--due", "--expired", "--json")) == []
    shell("secret", "expire", NAME, "--now")
    (done,) = json.loads(shell("rotate", "--expired", "--json"))
    assert done["outcome"] == "rotated"
    assert works(shell("secret", "get", NAME))
    with (shell.repository / ".hygiene.toml").open("a") as stream:
        stream.write('[rotation]\nmax_age = "0s"\n')
    (done,) = json.loads(shell("rotate", "--due", "--json"))
    assert done["outcome"] == "rotated"


def test_consumers_check_stops_before_the_old_value_dies_and_abort_goes_back(shell: Shell, url: str) -> None:
    with (shell.repository / ".hygiene.toml").open("a") as stream:
        stream.write('[[rotation.secrets]]\nnames = "shop/*"\nconsumers = ["false"]\n')
    assert "consumers check" in shell("rotate", NAME, code=5)
    assert len(shell.journals) == 1
    shell("rotate", "--resume", code=5)
    (done,) = json.loads(shell("rotate", NAME, "--abort", "--json"))
    assert done["outcome"] == "aborted"
    assert shell("secret", "get", NAME) == url and works(url) and shell.journals == []


def stopped_before_revocation(shell: Shell) -> str:
    """Rotate until the consumers' check fails; gives the configuration without that check."""
    path = shell.repository / ".hygiene.toml"
    before = path.read_text()
    path.write_text(before + '[[rotation.secrets]]\nnames = "shop/*"\nconsumers = ["false"]\n')
    shell("rotate", NAME, code=5)
    return before


def test_settings_changed_in_mid_rotation_stop_it_until_they_are_put_back(shell: Shell, url: str) -> None:
    before = stopped_before_revocation(shell)
    shell("secret", "put", "admin", stdin=url)
    changed = '[[rotation.secrets]]\nnames = "shop/*"\nsettings = { roles = "one,two" }\n'
    path = shell.repository / ".hygiene.toml"
    path.write_text(before + 'admin = "ref+embedded://admin"\n' + changed)
    shell("rotate", "--resume", code=5)
    (told,) = json.loads(shell("rotate", "--resume", "--json", code=5))
    assert "settings" in told["error"] and "--abort" in told["hint"]
    path.write_text(before)
    (done,) = json.loads(shell("rotate", "--resume", "--json"))
    assert done["outcome"] == "rotated" and not works(url) and works(shell("secret", "get", NAME))


def test_secret_deleted_in_mid_rotation_leaves_an_end(shell: Shell, url: str) -> None:
    stopped_before_revocation(shell)
    shell("secret", "delete", NAME, "--yes")
    (told,) = json.loads(shell("rotate", "--resume", "--json", code=5))
    assert "--abort" in told["hint"]
    (done,) = json.loads(shell("rotate", NAME, "--abort", "--json"))
    assert done["outcome"] == "aborted" and "end both there" in done["evidence"]
    assert json.loads(shell("rotate", "--resume", "--json")) == [] and shell.journals == []
    shell("audit", "verify")


def test_better_way_is_told_before_the_rotation_and_once(shell: Shell, url: str) -> None:
    shell("secret", "put", "shop/other", stdin=url)
    (shell.repository / ".github/workflows").mkdir(parents=True)
    shell("rotate", NAME, "shop/other", "--dry-run")
    assert shell.stderr.count("can be done without") == 1 and "rds_iam" in shell.stderr
    shell("rotate", NAME)
    assert "can be done without" in shell.stderr


def test_resume_with_nothing_to_resume_says_so(shell: Shell, url: str) -> None:
    assert json.loads(shell("rotate", "--resume", "--json")) == []
    assert "nothing to resume" in shell.stderr


def test_manual_rotation_waits_for_the_new_value_and_then_for_the_revocation(shell: Shell) -> None:
    shell("secret", "put", "api/token", stdin="old-token")
    assert "confirm api/token" in shell("rotate", "api/token", code=1)
    assert "that is the old value" in shell("rotate", "confirm", "api/token", stdin="old-token", code=5)
    assert "revoke" in shell("rotate", "confirm", "api/token", stdin="new-token\n", code=1)
    assert shell("secret", "get", "api/token") == "new-token"
    assert "rotated" in shell("rotate", "confirm", "api/token")
    assert shell.journals == []


RULE = """
[provider]
id = "test"
name = "Test"
[[rules]]
id = "postgresql-url"
description = "PostgreSQL URL"
severity = "high"
confidence = "high"
keywords = ["postgresql://"]
pattern = '''postgresql://[^"\\s]{20,200}'''
"""


def leak(shell: Shell, text: str) -> None:
    """Commit ``text``, then remove it in a second commit."""
    (shell.repository / "rules").mkdir(exist_ok=True)
    (shell.repository / "rules/test.toml").write_text(RULE)
    with (shell.repository / ".hygiene.toml").open("a") as stream:
        stream.write('[rules]\nfolders = ["rules"]\n')
    git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-C", str(shell.repository)]
    for content in (f'URL = "{text}"\n', "import os\n"):
        (shell.repository / "app.py").write_text(content)
        subprocess.run([*git, "add", "app.py"], check=True)
        subprocess.run([*git, "commit", "-qm", "work"], check=True)


def test_rotate_leaked_takes_what_history_shows_and_then_nothing(shell: Shell, url: str) -> None:
    leak(shell, url)
    shell("secret", "put", "shop/other", stdin="never-leaked-value")
    (planned,) = json.loads(shell("rotate", "--leaked", "--dry-run", "--json"))
    assert (planned["name"], planned["outcome"]) == (NAME, "planned")
    (done,) = json.loads(shell("rotate", "--leaked", "--json"))
    assert (done["name"], done["outcome"]) == (NAME, "rotated")
    assert not works(url) and works(shell("secret", "get", NAME))
    assert json.loads(shell("rotate", "--leaked", "--json")) == []
    events = [json.loads(line) for line in shell("audit", "log", "--json").splitlines()]
    (match,) = [event for event in events if event["action"] == "rotate.match"]
    assert match["detail"]["fingerprint"] and match["object"].startswith("ref+embedded://shop/db")
    assert [event["detail"]["verdict"] for event in events if "verdict" in event["detail"]][-1] == "dead"


def test_rotate_leaked_finds_a_password_inside_a_stored_url(shell: Shell, url: str) -> None:
    leak(shell, url.replace("127.0.0.1", "db.shop-internal.net"))
    (done,) = json.loads(shell("rotate", "--leaked", "--json"))
    assert done["outcome"] == "rotated" and not works(url)


def test_rotate_leaked_outside_of_a_repository_is_a_usage_error(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shell("rotate", "--leaked", code=2)


def test_two_runners_at_once_rotate_once(shell: Shell, url: str) -> None:
    leak(shell, url)
    command = [sys.executable, "-m", "hygiene", "rotate", "--leaked", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    outcomes = sorted(
        result["outcome"] for process in both for result in json.loads(process.communicate(timeout=120)[0])
    )
    assert outcomes.count("rotated") == 1 and set(outcomes) <= {"rotated", "skipped"}
    versions = json.loads(shell("secret", "describe", NAME, "--json"))["versions"]
    assert len(versions) == 2 and works(shell("secret", "get", NAME))


def test_verify_tells_stored_and_leaked_credentials_apart(shell: Shell, url: str) -> None:
    (stored,) = json.loads(shell("verify", NAME, "--json"))
    assert (stored["verdict"], stored["provider"]) == ("live", "postgresql")
    leak(shell, url)
    (found,) = json.loads(shell("verify", "--leaked", "--json", code=1))
    assert found["verdict"] == "live" and found["rule"] == "postgresql-url" and found["fingerprint"]
    shell("rotate", "--leaked")
    (found,) = json.loads(shell("verify", "--leaked", "--json"))
    assert found["verdict"] == "dead"


def test_verify_lists_what_can_be_asked(shell: Shell) -> None:
    types = {one["type"]: one["asks"] for one in json.loads(shell("verify", "--list", "--json"))}
    assert len(types) >= 60 and types["github-pat-classic"] == "api.github.com"
    assert "provider postgresql" in types and "github-oauth-client-secret" not in types


def test_verify_asks_again_after_a_while_or_when_told_to(
    shell: Shell, url: str, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak(shell, url)
    own = shell.repository.parent / "cache"  # others rotate beside us, and forget all verdicts of the shared one
    shutil.copytree(cache_folder(), own)
    monkeypatch.setenv("HYGIENE_CACHE", str(own))

    def logins(*arguments: str) -> int:
        before = postgres_server.log.read_text().count("connection authenticated")
        shell("verify", "--leaked", *arguments, code=1)
        return postgres_server.log.read_text().count("connection authenticated") - before

    first, second, third = logins(), logins(), logins("--fresh")
    assert first == third > 0 and second == 0


def test_revoke_without_now_only_says_what_breaks(shell: Shell, url: str) -> None:
    shell("revoke", NAME, code=2)
    assert "stops working" in shell.stderr and works(url)
    assert "nobody has read it" in shell.stderr and "it may: reads" in shell.stderr
    shell("secret", "get", NAME)
    shell("revoke", NAME, code=2)
    assert re.search(r"read by .+, [0-9]+ times, last 20", shell.stderr)
    assert "now dead" in shell("revoke", NAME, "--now")
    assert not works(url)
    shell("secret", "get", NAME, code=5)


def test_respond_ends_every_leak_that_is_stored_and_names_the_others(shell: Shell, url: str) -> None:
    other = url.replace(NAME, "x").replace("@", "-never-stored@")
    leak(shell, f"{url} {other}")
    report = json.loads(shell("respond", "--json", code=1))
    states = sorted(one["state"] for one in report["exposures"])
    assert states == ["closed", "open"] and not works(url)
    before = shell("secret", "history", NAME, "--json")
    again = json.loads(shell("respond", "--json", code=1))
    assert sorted(one["state"] for one in again["exposures"]) == states
    assert shell("secret", "history", NAME, "--json") == before
    shell("audit", "verify")


def test_respond_dry_run_rotates_nothing(shell: Shell, url: str) -> None:
    leak(shell, url)
    shell("respond", "--dry-run", code=1)
    assert works(url)


def test_rotate_leaked_learns_the_login_from_the_url_that_the_password_stood_in(shell: Shell, url: str) -> None:
    leak(shell, url)
    shell("secret", "delete", NAME, "--yes")
    password = url.split(":")[2].split("@", maxsplit=1)[0]
    shell("secret", "put", "shop/password", stdin=password)
    pattern = RULE.partition("pattern = ")[0] + "pattern = '''postgresql://[a-z0-9_]+:([0-9a-f]{24})'''\n"
    (shell.repository / "rules/test.toml").write_text(pattern)
    (done,) = json.loads(shell("rotate", "--leaked", "--json"))
    assert (done["name"], done["outcome"]) == ("shop/password", "rotated")
    new = shell("secret", "get", "shop/password")
    assert not works(url) and works(url.replace(password, new))
    assert json.loads(shell("rotate", "shop/password", "--json"))[0]["outcome"] == "rotated"


def test_access_key_kept_as_two_secrets_is_rotated_as_one(
    shell: Shell, moto_server: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    iam = moto_server.iam()
    pair, stranger = (json.loads(new_key_pair(iam, user)) for user in ("app", "other"))
    for name, value, rule in (
        ("shop/a-stranger", stranger["id"], "aws-access-key-id"),
        ("shop/key-id", pair["id"], "aws-access-key-id"),
        ("shop/key-secret", pair["secret"], "aws-secret-access-key"),
    ):
        shell("secret", "put", name, "--label", f"rule={rule}", stdin=value)
    (done,) = json.loads(shell("rotate", "shop/key-secret", "--json"))
    assert done["outcome"] == "rotated"
    assert key_ids(iam, "app") == [shell("secret", "get", "shop/key-id")] != [pair["id"]]
    assert shell("secret", "get", "shop/key-secret") != pair["secret"]
    assert shell("secret", "get", "shop/a-stranger") == stranger["id"]
    (again,) = json.loads(shell("rotate", "shop/key-id", "--json"))
    assert (again["outcome"], again["reference"]) == ("rotated", "ref+embedded://shop/key-secret")
