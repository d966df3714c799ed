"""Values planted through every command of the stores, and through their failures, appear only where asked for."""

import base64
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.servers.process import free_port

HYGIENE = [sys.executable, "-m", "hygiene"]


def forms(value):
    """The value as it might leak: plain, base64 at each offset, hex, percent, reversed by repr."""
    found = {value, value.hex().encode(), quote(value).encode(), repr(value)[2:-1].encode()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + value)
        found.add(text[4:-4])
    return {form for form in found if len(form) >= 8}


class Watched:
    """Runs commands, keeps all that they print, and looks at the process list meanwhile."""

    def __init__(self, tmp_path):
        self.folder, self.home, self.scratch = tmp_path / "work", tmp_path / "home", tmp_path / "tmp"
        for folder in (self.folder, self.scratch):
            folder.mkdir()
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("HYGIENE_", "AWS_", "VAULT_", "BAO_", "CONJUR_"))
        }
        self.environment = {
            **kept,
            "HYGIENE_HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "PYTHONFAULTHANDLER": "1",
        }
        self.printed, self.listed = [], set()

    def __call__(self, *arguments, stdin=b"", **environment):
        process = subprocess.Popen(
            [*HYGIENE, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        out, err = process.communicate(stdin, timeout=120)
        watcher.join()
        self.printed += [out, err]
        return process.returncode, out, err

    def _watch(self, process):
        while process.poll() is None:
            try:
                self.listed.add(Path(f"/proc/{process.pid}/cmdline").read_bytes())
            except OSError:
                return
            time.sleep(0.01)

    def files(self):
        for root in (self.folder, self.home, self.scratch):
            yield from (path for path in root.rglob("*") if path.is_file())


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


def assert_nowhere(watched, values):
    for value in values:
        for form in forms(value):
            for text in (*watched.printed, *watched.listed):
                assert form not in text, f"{form[:4]!r}… was printed or listed"
            for path in watched.files():
                assert form not in path.read_bytes(), f"{form[:4]!r}… is in {path}"


def test_values_of_the_embedded_store_appear_nowhere(watched):
    values = [b"canary-" + secrets.token_hex(12).encode() for _ in range(4)]
    pair = b'{"id": "%s", "key": "%s"}' % (values[2], values[3])
    assert watched("secret", "put", "shop/db", "--label", "rule=x", "--expires", "90d", stdin=values[0])[0] == 0
    assert watched("secret", "put", "shop/db", stdin=values[1])[0] == 0
    assert watched("secret", "put", "shop/pair", stdin=pair)[0] == 0
    (watched.folder / "secrets.toml").write_text(
        'DB = "ref+embedded://shop/db"\nKEY = "ref+embedded://shop/pair#/key"\n'
    )
    (watched.folder / "template").write_text("url = ref+embedded://shop/db")
    for arguments in (
        ("secret", "list", "--json"),
        ("secret", "describe", "shop/db", "--json"),
        ("secret", "history", "shop/db"),
        ("secret", "expire", "shop/db", "--in", "1d"),
        ("secret", "copy", "ref+embedded://shop/", "ref+embedded://copied/?store=team", "--apply"),
        ("secret", "export", "--format", "vals"),
        ("run", "--", "true"),
        ("run", "--mask", "--", "sh", "-c", "echo $DB; env; exit 3"),
        ("run", "--", "no-such-program"),
        ("access", "plan"),
        ("access", "check"),
        ("access", "apply"),
        ("secret", "delete", "shop/db", "--yes"),
        ("secret", "restore", "shop/db"),
    ):
        assert watched(*arguments)[0] in (0, 3, 127), watched.printed[-1]
    assert_nowhere(watched, values)


@pytest.mark.parametrize(
    "arguments",
    [
        ("secret", "put", "bad name"),
        ("secret", "put", "a", "--store", "nowhere"),
        ("secret", "put", "a", "--label", "novalue"),
        ("secret", "put", "a", "--expect", "0" * 32),
        ("secret", "put", "a", "--store", "embedded:/proc/nowhere"),
        ("secret", "put", "a", "--file", "/nonexistent"),
        ("secret", "put", "a", "--no-such-option"),
        ("secret", "put"),
        ("secret", "put", "a", "--store", "awssecrets://eu-central-1"),
        ("secret", "put", "a", "--store", "vault://secret"),
        ("secret", "put", "a", "--store", "conjur://org/branch"),
        ("secret", "put", "a", "--store", "ccp://app/Safe"),
        ("run", "--manifest", "/dev/stdin", "--", "true"),
        ("render", "-"),
    ],
)
def test_values_appear_nowhere_when_the_command_fails(watched, arguments):
    value = b"canary-" + secrets.token_hex(12).encode()
    stdin = (
        b'A = "%s"' % value
        if arguments[0] == "run"
        else b"ref+embedded://%s" % value
        if arguments[0] == "render"
        else value
    )
    nobody = f"http://127.0.0.1:{free_port()}"
    servers = {"AWS_ENDPOINT_URL": nobody, "VAULT_ADDR": nobody, "CONJUR_APPLIANCE_URL": nobody, "CCP_URL": nobody}
    logins = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "VAULT_TOKEN": "z", "CONJUR_AUTHN_LOGIN": "l"}
    code, out, err = watched(*arguments, stdin=stdin, **servers, **logins, CONJUR_AUTHN_API_KEY="k" * 55)
    assert code not in (0, 70), err.decode()
    assert out == b""
    if arguments[0] != "render":  # what the user wrote as a reference is repeated, since it names the place
        assert_nowhere(watched, [value])


def test_value_given_as_an_argument_is_refused_without_repeating_it(watched):
    """Values never enter by argument; whoever tries it anyway is told, and the value is not printed again."""
    value = "canary-" + secrets.token_hex(12)
    code, out, err = watched("secret", "put", "a", value)
    assert code == 2
    assert value.encode() not in out + err
    assert b"never an argument" in err


def test_damaged_value_file_is_told_without_its_content(watched):
    value = b"canary-" + secrets.token_hex(12).encode()
    watched("secret", "put", "a", stdin=b"first")
    (path,) = (watched.home / "store" / "secrets" / "a").glob("@*.age")
    path.write_bytes(value)
    code, out, err = watched("secret", "get", "a")
    assert code == 5
    assert value not in out + err
