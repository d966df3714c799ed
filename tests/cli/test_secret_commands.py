"""The commands around stored secrets, as a person or a script calls them: real processes, real files."""

import base64
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from urllib.parse import quote

import pytest

HYGIENE = [sys.executable, "-m", "hygiene"]


_CLOCK = """import os, datetime
real = datetime.datetime
class Fixed(real):
    @classmethod
    def now(cls, tz=None):
        return real.fromisoformat(os.environ["CLOCK"]).replace(tzinfo=tz)
datetime.datetime = Fixed
"""


class Shell:
    """Runs hygiene in one folder with a home of its own."""

    def __init__(self, folder, home):
        self.folder, self.home = folder, home
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HYGIENE_", "AWS_", "VAULT_", "BAO_"))}
        self.environment = {**kept, "HYGIENE_HOME": str(home)}

    def __call__(self, *arguments, stdin=b"", code=0, **more):
        done = subprocess.run(
            [*HYGIENE, *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=self.environment,
            timeout=60,
            **more,
        )
        assert done.returncode == code, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done

    def at(self, moment):
        """The same shell on a machine whose clock says ``moment`` (UTC)."""
        (self.home / "clock").mkdir(exist_ok=True)
        (self.home / "clock" / "sitecustomize.py").write_text(_CLOCK)
        other = Shell(self.folder, self.home)
        other.environment |= {"PYTHONPATH": str(self.home / "clock"), "CLOCK": moment}
        return other

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def sh(tmp_path):
    (tmp_path / "work").mkdir()
    return Shell(tmp_path / "work", tmp_path / "home")


def test_first_put_makes_the_store_and_shows_the_recovery_key_once(sh, tmp_path):
    first = sh("secret", "put", "shop/db", stdin=b"p4ss\n")
    assert first.stdout == b"ref+embedded://shop/db\n"
    key = next(line.strip() for line in first.stderr.decode().splitlines() if "AGE-SECRET-KEY-1" in line)
    assert b"AGE-SECRET-KEY" not in sh("secret", "put", "shop/db2", stdin=b"v\n").stderr
    sh.environment["HYGIENE_IDENTITY_KEY"] = key
    (tmp_path / "home" / "identity").unlink()
    assert sh("secret", "get", "shop/db").stdout == b"p4ss"


@pytest.mark.parametrize(
    ("options", "given", "kept"),
    [
        ((), b"v\n", b"v"),
        ((), b"v\n\n", b"v\n"),
        ((), b"v\r\n", b"v\r"),
        (("--raw",), b"v\n", b"v\n"),
        ((), b"\x00\xff\n", b"\x00\xff"),
    ],
)
def test_put_from_stdin_drops_one_final_newline_and_nothing_else(sh, options, given, kept):
    sh("secret", "put", "a", *options, stdin=given)
    assert sh("secret", "get", "a").stdout == kept


def test_put_file_keeps_every_byte_and_output_is_private(sh):
    (sh.folder / "key").write_bytes(b"line\nline\n\n")
    sh("secret", "put", "a", "--file", "key")
    sh("secret", "get", "a", "-o", "copy")
    copy = sh.folder / "copy"
    assert copy.read_bytes() == b"line\nline\n\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_put_empty_value_is_refused(sh):
    assert b"empty" in sh("secret", "put", "a", stdin=b"\n", code=5).stderr
    assert sh.json("secret", "list") == []


def test_put_prompts_on_a_terminal_without_echo(sh):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(sh.folder)
        os.execve(sys.executable, [*HYGIENE, "secret", "put", "a"], sh.environment)
    seen = b""
    for prompt in (b"Value of a: ", b"again: "):
        while prompt not in seen:
            seen += os.read(terminal, 1024)
        time.sleep(0.3)  # getpass switches the echo off after it wrote the prompt
        os.write(terminal, b"typed-value\n")
        seen = seen.replace(prompt, b"") if prompt == b"Value of a: " else seen
    try:
        while chunk := os.read(terminal, 1024):
            seen += chunk
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"typed-value" not in seen
    assert sh("secret", "get", "a").stdout == b"typed-value"


def test_get_by_reference_with_field_stage_and_version(sh):
    sh("secret", "put", "pair", stdin=b'{"id": "one", "key": "two"}')
    sh("secret", "put", "pair", stdin=b'{"id": "three", "key": "four"}')
    assert sh("secret", "get", "ref+embedded://pair#/key").stdout == b"four"
    assert sh("secret", "get", "ref+embedded://pair?stage=previous#/id").stdout == b"one"
    old = sh.json("secret", "history", "pair")["versions"][1]["version"]
    assert sh("secret", "get", f"ref+embedded://pair?version={old}#/id").stdout == b"one"
    assert sh("secret", "get", "pair", "--version", old).stdout == b'{"id": "one", "key": "two"}'


@pytest.mark.parametrize(
    "reference",
    [
        "nothing",
        "ref+embedded://nothing",
        "ref+embedded://a#/field",
        "ref+embedded://a?stage=pending",
        "ref+embedded://a?version=x",
    ],
)
def test_get_what_does_not_resolve_fails_and_names_it(sh, reference):
    sh("secret", "put", "a", stdin=b"value-that-stays-inside")
    done = sh("secret", "get", reference, code=5)
    assert reference.removeprefix("ref+embedded://").encode() in done.stderr
    assert done.stdout == b""
    assert b"stays-inside" not in done.stderr


def test_list_json_has_the_promised_fields(sh):
    sh("secret", "put", "b", "--expires", "90d", "--label", "rule=x", stdin=b"v")
    sh("secret", "generate", "a")
    listed = sh.json("secret", "list")
    assert [entry["name"] for entry in listed] == ["a", "b"]
    assert {"name", "version", "created", "expires", "due", "owner"} <= listed[0].keys()
    assert listed[1]["expires"] is not None
    assert sh.json("secret", "describe", "b")["versions"][0]["stages"] == ["current"]


def test_list_due_and_expired_choose(sh):
    (sh.folder / ".hygiene.toml").write_text('[rotation]\nmax_age = "1s"\n')
    sh("secret", "put", "old", stdin=b"v")
    sh("secret", "expire", "old", "--now")
    time.sleep(1.1)
    assert [entry["name"] for entry in sh.json("secret", "list", "--expired")] == ["old"]
    assert [entry["name"] for entry in sh.json("secret", "list", "--due")] == ["old"]
    sh("secret", "expire", "old", "--never")
    assert sh.json("secret", "list", "--expired") == []


def test_expired_secret_is_refused_by_get_run_and_render_unless_config_warns(sh):
    sh("secret", "put", "a", stdin=b"v")
    sh("secret", "expire", "a", "--now")
    (sh.folder / "secrets.toml").write_text('A = "ref+embedded://a"\n')
    (sh.folder / "f").write_text("ref+embedded://a")
    commands = (("secret", "get", "a"), ("run", "--", "true"), ("render", "f"))
    for command in commands:
        assert b"expired" in sh(*command, code=5).stderr
    (sh.folder / ".hygiene.toml").write_text('[expiry]\nwhen = "warn"\n')
    for command in commands:
        assert b"warning: ref+embedded://a expired" in sh(*command).stderr


def test_policy_ends_the_life_of_a_version_whatever_it_says_of_itself(sh):
    sh("secret", "put", "a", "--expires", "2099-01-01", stdin=b"v")
    sh("secret", "put", "b", stdin=b"w")
    config = sh.folder / ".hygiene.toml"
    config.write_text('[expiry]\nafter = "365d"\n')
    assert sh.json("secret", "list", "--expired") == []
    assert sh("secret", "get", "b").stdout == b"w"
    config.write_text('[expiry]\nafter = "1s"\n')
    time.sleep(1.1)
    assert {told["name"] for told in sh.json("secret", "list", "--expired")} == {"a", "b"}
    assert sh.json("secret", "describe", "a")["expires"] < "2099"
    assert {line.split()[1] for line in sh("rotate", "--expired", "--dry-run").stdout.decode().splitlines()} >= {
        "a",
        "b",
    }
    for name in ("a", "b"):
        assert b"expired" in sh("secret", "get", name, code=5).stderr
    sh("run", "--env", "A=ref+embedded://a", "--", "true", code=5)
    config.write_text('[expiry]\nafter = "1s"\nwhen = "warn"\n')
    done = sh("secret", "get", "b")
    assert done.stdout == b"w" and b"expired" in done.stderr
    config.write_text('[expiry]\nafter = "soon"\n')
    sh("secret", "get", "b", code=2)


def test_clock_that_was_set_back_makes_nothing_live_again(sh):
    sh("secret", "put", "a", "--expires", "2027-01-01", stdin=b"v")
    sh("secret", "put", "b", stdin=b"w")
    later, earlier = sh.at("2027-02-01 10:00:00"), sh.at("2026-12-01 10:00:00")
    later("secret", "get", "b")
    for _ in range(2):  # an entry of the wrong time must not make it the right one
        refused = earlier("secret", "get", "a", code=5)
        assert b"clock is behind" in refused.stderr and b"expired" in refused.stderr
        assert earlier("secret", "get", "b").stdout == b"w"
    assert b"clock went back" in earlier("audit", "verify").stdout
    earlier("audit", "restart", "--reason", "the log had the wrong clock")
    assert earlier("secret", "get", "a").stdout == b"v"


def test_delete_needs_yes_without_a_terminal_and_restore_undoes(sh):
    sh("secret", "put", "a", stdin=b"v")
    assert b"--yes" in sh("secret", "delete", "a", code=2).stderr
    sh("secret", "delete", "a", "--yes")
    assert b"deleted at" in sh("secret", "get", "a", code=5).stderr
    sh("secret", "restore", "a")
    assert sh("secret", "get", "a").stdout == b"v"
    sh("secret", "delete", "a", "--yes", "--purge")
    sh("secret", "delete", "a", "--yes", code=5)


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ((), r"[A-Za-z0-9]{32}"),
        (("--length", "20", "--alphabet", "hex"), r"[0-9a-f]{20}"),
        (("--words", "5"), r"([a-z]{5}-){4}[a-z]{5}"),
    ],
)
def test_generate_makes_a_value_by_policy_and_never_prints_it(sh, options, pattern):
    done = sh("secret", "generate", "a", *options)
    import re

    value = sh("secret", "get", "a").stdout.decode()
    assert re.fullmatch(pattern, value)
    assert value.encode() not in done.stdout + done.stderr


def test_generate_key_pair_prints_the_public_half(sh):
    public = sh("secret", "generate", "deploy/key", "--key-pair", "ed25519").stdout
    sh("secret", "get", "deploy/key", "-o", "key")
    derived = subprocess.run(["ssh-keygen", "-y", "-f", sh.folder / "key"], capture_output=True, check=True).stdout
    assert derived.split()[:2] == public.split()[:2]


def test_generate_guessable_value_is_refused(sh):
    assert b"bits" in sh("secret", "generate", "a", "--length", "8", code=2).stderr


@pytest.fixture
def wired(sh):
    sh("secret", "put", "shop/db", stdin=b"s3cret value\xe2\x82\xac")
    (sh.folder / "secrets.toml").write_text('DB = "ref+embedded://shop/db"\n')
    return sh


def test_run_gives_the_value_and_passes_exit_codes_on(wired):
    done = wired("run", "--", "sh", "-c", 'printf %s "$DB"; exit 7', code=7)
    assert done.stdout == "s3cret value€".encode()


@pytest.mark.parametrize(("command", "code"), [(["no-such-command"], 127), (["/"], 126), (["./script"], 126)])
def test_run_command_that_cannot_run_has_the_shells_code(wired, command, code):
    (wired.folder / "script").write_text("no shebang, not executable")
    assert wired("run", "--", *command, code=code).stdout == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_run_command_ended_by_a_signal_gives_128_and_its_number(wired, number):
    wired("run", "--", "sh", "-c", f"kill -{number.value} $$; sleep 9", code=128 + number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_passes_signals_to_the_command(wired, number):
    script = f"trap 'echo caught; exit 9' {number.value}; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*HYGIENE, "run", "--", "sh", "-c", script], cwd=wired.folder, env=wired.environment, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == (b"caught\n", 9)


def test_run_mask_hides_values_even_when_written_in_pieces(wired):
    script = 'printf "%s" "${DB%value*}"; sleep 0.2; printf "%s\\n" "value€ after"; echo "x${DB}y" >&2'
    done = wired("run", "--mask", "--", "sh", "-c", script)
    assert done.stdout == b"*** after\n"
    assert done.stderr.endswith(b"x***y\n")


MASKED = {
    "base64": 'printf %s "$DB" | base64 -w0',
    "base64 behind a user": 'printf %s "admin:$DB" | base64 -w0; printf %s "ab:$DB" | base64 -w0',
    "base64 of the web": "printf %s \"$DB\" | base64 -w0 | tr '+/' '-_'",
    "hex": 'printf %s "$DB" | od -An -tx1 | tr -d " \\n"',
    "json": "python3 -c 'import json, os; print(json.dumps(os.environ[\"DB\"]))'",
    "url": 'python3 -c \'import os, urllib.parse as u; print(u.quote(os.environ["DB"], safe=""))\'',
    "form": 'python3 -c \'import os, urllib.parse as u; print(u.urlencode({"p": os.environ["DB"]}))\'',
    "repr": "python3 -c 'import os; print(repr(os.environ[\"DB\"]))'",
    "lines": 'printf "%s\\n" "$DB" | sed "s/^/  | /"',
    "one byte a time": "python3 -uc 'import os, sys\nfor c in os.environb[b\"DB\"]: os.write(1, bytes([c]))'",
}
HARD = b'p\xc3\xa4ss/w"rd+ \\ n\nthe-second-line <&>'


@pytest.mark.parametrize("script", MASKED.values(), ids=MASKED)
def test_run_mask_hides_what_encodings_make_of_a_value(sh, script):
    sh("secret", "put", "shop/db", stdin=HARD)
    (sh.folder / "secrets.toml").write_text('DB = "ref+embedded://shop/db"\n')
    out = sh("run", "--mask", "--", "bash", "-c", f"{script}; echo; echo end").stdout
    assert b"***" in out and out.endswith(b"end\n")
    plain = HARD.decode()
    words = [plain, "the-second-line", plain[:9], json.dumps(plain)[1:9], quote(plain)[:9], HARD.hex()[:12]]
    words += [base64.b64encode(b"\0" * shift + HARD).decode()[4:16] for shift in range(3)]
    assert [word for word in words if word in out.decode()] == []


def test_run_mask_of_a_large_value_in_pieces_is_quick_and_leaves_nothing(sh):
    large = b"a" * 30_000 + b"b" + bytes(range(97, 123)) * 1000
    sh("secret", "put", "shop/db", stdin=large)
    (sh.folder / "secrets.toml").write_text('DB = "ref+embedded://shop/db"\n')
    script = 'printf "%s" "${DB:0:40000}"; sleep 0.1; printf "%s" "${DB:40000}"; for i in 1 2 3; do echo aaaaaaa; done'
    assert sh("run", "--mask", "--", "bash", "-c", script).stdout == b"***aaaaaaa\naaaaaaa\naaaaaaa\n"


def test_run_leaves_the_terminal_to_the_command_and_its_interrupt_comes_once(wired):
    script = (
        "import os, signal, sys, time\n"
        "seen = []\n"
        "signal.signal(signal.SIGINT, lambda *_: seen.append(1))\n"
        "print(*(os.isatty(n) for n in range(3)), len(os.environ['DB']), flush=True)\n"
        "time.sleep(3) if not seen else None\n"
        "print('interrupts', len(seen), flush=True)\n"
        "sys.exit(9)\n"
    )
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(wired.folder)
        os.execve(HYGIENE[0], [*HYGIENE, "run", "--", sys.executable, "-c", script], wired.environment)
    text = b""
    while b"True True True" not in text:
        text += os.read(terminal, 1000)
    time.sleep(0.3)
    os.write(terminal, b"\x03")
    while b"\n" not in text.partition(b"interrupts")[2]:  # a terminal may give a line in pieces
        text += os.read(terminal, 1000)
    assert b"interrupts 1" in text
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    os.close(terminal)


@pytest.mark.parametrize("command", [("render", "template"), ("secret", "get", "shop/db")])
def test_output_onto_a_link_replaces_the_link_and_not_what_it_leads_to(wired, tmp_path, command):
    (wired.folder / "template").write_text("db: ref+embedded://shop/db")
    (tmp_path / "elsewhere").write_text("untouched")
    (wired.folder / "out").symlink_to(tmp_path / "elsewhere")
    wired(*command, "-o", "out")
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert "s3cret" in (wired.folder / "out").read_text()
    assert stat.S_IMODE((wired.folder / "out").lstat().st_mode) == 0o600
    assert not (wired.folder / "out").is_symlink()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("arguments", [("secret", "list"), ("secret", "get", "shop/db"), ("audit", "verify")])
def test_output_that_the_disk_does_not_take_is_told_as_that(wired, arguments):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*HYGIENE, *arguments], stdout=full, stderr=subprocess.PIPE, cwd=wired.folder, env=wired.environment
        )
    assert done.returncode == 5
    assert b"the disk is full" in done.stderr and b"internal" not in done.stderr


def test_run_does_not_hand_on_the_key_to_all_secrets(wired):
    key = next(word for word in (wired.home / "identity").read_text().split() if word.startswith("AGE-"))
    wired.environment["HYGIENE_IDENTITY_KEY"] = key
    out = wired("run", "--", "env").stdout
    assert b"DB=s3cret" in out
    assert key.encode() not in out


def test_run_unresolved_reference_starts_nothing(wired):
    (wired.folder / "secrets.toml").write_text('DB = "ref+embedded://missing"\n')
    done = wired("run", "--", "sh", "-c", "echo started", code=5)
    assert b"ref+embedded://missing" in done.stderr
    assert done.stdout == b""


def test_run_manifest_that_changes_how_programs_start_is_refused(wired):
    (wired.folder / "secrets.toml").write_text('LD_PRELOAD = "ref+embedded://shop/db"\n')
    wired("run", "--", "true", code=3)


def test_run_finds_the_manifest_up_to_the_repository_root(wired):
    subprocess.run(["git", "init", "-q", wired.folder], check=True)
    (wired.folder / "deep" / "er").mkdir(parents=True)
    wired.folder = wired.folder / "deep" / "er"
    assert wired("run", "--", "sh", "-c", 'printf %s "$DB"').stdout == "s3cret value€".encode()


def test_render_replaces_references_and_keeps_every_other_byte(wired):
    template = b"\xff url = pg://u:ref+embedded://shop/db+@host\r\nq: 'ref+embedded://shop/db'\x00end"
    (wired.folder / "t").write_bytes(template)
    wanted = template.replace(b"ref+embedded://shop/db+", b"V").replace(b"ref+embedded://shop/db", b"V")
    wanted = wanted.replace(b"V", "s3cret value€".encode())
    assert wired("render", "t").stdout == wanted
    wired("render", "t", "-o", "out")
    assert (wired.folder / "out").read_bytes() == wanted
    assert stat.S_IMODE((wired.folder / "out").stat().st_mode) == 0o600


def test_render_unresolved_reference_writes_nothing(wired):
    (wired.folder / "t").write_text("a: ref+embedded://shop/db\nb: ref+embedded://gone\n")
    done = wired("render", "t", "-o", "out", code=5)
    assert b"ref+embedded://gone" in done.stderr
    assert not (wired.folder / "out").exists()


def test_missing_identity_is_named_with_a_way_out(wired, tmp_path):
    (tmp_path / "home" / "identity").unlink()
    done = wired("secret", "get", "shop/db", code=5)
    assert b"cannot read the identity" in done.stderr
    assert b"recovery key" in done.stderr


def test_every_access_is_in_the_audit_and_no_value_is(wired, tmp_path):
    wired("run", "--", "true")
    wired("secret", "get", "shop/db")
    wired("secret", "delete", "shop/db", "--yes")
    written = b"".join(path.read_bytes() for path in (tmp_path / "home" / "audit").rglob("*.jsonl"))
    events = [json.loads(line) for line in written.splitlines()]
    done = [event["action"] for event in events if event["outcome"] == "ok"]
    assert [action for action in done if action.startswith("secret.")] == [
        "secret.put",
        "secret.get",
        "secret.get",
        "secret.delete",
    ]
    assert b"s3cret" not in written


def test_audit_that_cannot_be_written_stops_the_access(wired, tmp_path):
    for path in (tmp_path / "home" / "audit").iterdir():
        path.unlink()
    (tmp_path / "home" / "audit").rmdir()
    (tmp_path / "home" / "audit").write_text("in the way")
    assert wired("secret", "get", "shop/db", code=6).stdout == b""


def test_copy_keeps_versions_between_stores_and_again_adds_nothing(sh):
    sh("secret", "put", "shop/a", stdin=b"one")
    sh("secret", "put", "shop/a", stdin=b"two")
    sh("secret", "put", "shop/sub/b", stdin=b"three")
    target = "ref+embedded://moved/?store=team"
    assert b"would copy 2" in sh("secret", "copy", "ref+embedded://shop/", target).stderr
    assert not (sh.folder / "team").exists()
    for _ in range(2):
        sh("secret", "copy", "ref+embedded://shop/", target, "--apply")
    team = ("--store", "embedded:team")
    assert sh("secret", "get", "moved/a", *team).stdout == b"two"
    assert sh("secret", "get", "moved/a", "--stage", "previous", *team).stdout == b"one"
    assert len(sh.json("secret", "history", "moved/a", *team)["versions"]) == 2
    assert sh("secret", "get", "ref+embedded://moved/sub/b?store=team").stdout == b"three"


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("vals", 'DB: "ref+embedded://shop/db"'),
        ("summon", 'DB: !var "shop/db"'),
        ("op", "DB=op://Private/shop-db/password"),
        ("eso", '"key": "shop/db"'),
    ],
)
def test_export_writes_what_other_tools_read(wired, form, line):
    import yaml

    text = wired("secret", "export", "--format", form).stdout.decode()
    assert line in text
    if form in ("vals", "eso"):
        assert yaml.safe_load(text)


def test_unknown_store_suggests_the_right_name(sh):
    (sh.folder / ".hygiene.toml").write_text('[stores.production]\nuri = "embedded:team"\n')
    assert b"did you mean 'production'" in sh("secret", "list", "--store", "producton", code=2).stderr
    sh("secret", "put", "a", "--store", "production", stdin=b"v")
    assert sh("secret", "get", "ref+embedded://a?store=production").stdout == b"v"
