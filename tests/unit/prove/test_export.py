"""Our entries in others' formats, and others' entries beside ours."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from hygiene.cli.boundary import run
from hygiene.errors import HygieneError, SourceError
from hygiene.prove.event import Actor
from hygiene.prove.export import as_cef, as_ocsf
from hygiene.prove.foreign import parse_foreign
from hygiene.prove.imported import import_audit, imported_events
from hygiene.prove.log import Log
from hygiene.prove.verify import verify_folder

CLOUDTRAIL = {
    "Records": [
        {
            "eventTime": "2026-03-01T10:00:00Z",
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue",
            "eventID": "e-1",
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/app/i-1"},
            "requestParameters": {"secretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbCdEf"},
        },
        {
            "eventTime": "2026-03-01T10:01:00Z",
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "DeleteSecret",
            "errorCode": "AccessDeniedException",
            "userIdentity": {"type": "IAMUser", "userName": "eve"},
            "requestParameters": {"secretId": "shop/db"},
        },
        {"eventTime": "2026-03-01T10:02:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject"},
    ]
}
VAULT = [
    {"time": "2026-03-01T10:00:00.1Z", "type": "request", "request": {"id": "r1", "path": "secret/data/shop/db"}},
    {
        "time": "2026-03-01T10:00:00.2Z",
        "type": "response",
        "auth": {"display_name": "approle-shop"},
        "request": {"id": "r1", "operation": "read", "path": "secret/data/shop/db", "remote_address": "10.0.0.1"},
        "response": {"data": {"data": "hmac-sha256:abc"}},
    },
    {
        "time": "2026-03-01T10:00:01Z",
        "type": "response",
        "error": "1 error occurred: permission denied",
        "request": {"id": "r2", "operation": "update", "path": "secret/data/shop/db"},
    },
]
CONJUR = (
    '<86>1 2026-03-01T10:00:00.000+00:00 host conjur 1 fetch [auth@43868 user="acme:user:ada"]'
    '[subject@43868 resource="acme:variable:shop/db"][action@43868 result="success" operation="fetch"]'
    '[client@43868 ip="10.0.0.2"] acme:user:ada fetched acme:variable:shop/db\n'
    '<84>1 2026-03-01T10:00:01.000+00:00 host conjur 1 fetch [auth@43868 user="acme:user:eve \\"x\\""]'
    '[subject@43868 resource="acme:variable:shop/db"][action@43868 result="failure" operation="fetch"]'
    " acme:user:eve tried to fetch acme:variable:shop/db: Forbidden, insufficient privilege\n"
    '<86>1 2026-03-01T10:00:02.000+00:00 host conjur 1 authn [subject@43868 role="acme:user:ada"] ok\n'
)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    log = Log(tmp_path / "audit", Actor("ada", "Ada <ada@example.org>", host="box"))
    with log.access("secret.get", "ref+embedded://shop/db", stage="current"):
        pass
    log.record("secret.put", "a|b=c\\d\nnext", "denied", reason="x=y|z\nw")
    return log


def test_ocsf_event_has_what_its_class_requires(log):
    told = [json.loads(as_ocsf(event)) for event in log.events()]
    required = {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"}
    assert all(required | {"actor", "api", "src_endpoint"} <= event.keys() for event in told)
    read = told[2]
    assert (read["type_uid"], read["status"], read["actor"]["user"]["uid"]) == (600302, "Success", "ada")
    assert read["resources"] == [{"name": "ref+embedded://shop/db", "type": "secret"}]
    assert told[3]["status_id"] == 2


def test_cef_line_escapes_what_parts_its_fields(log):
    line = as_cef(list(log.events())[-1])
    assert "\n" not in line
    assert line.startswith("CEF:0|hygiene|hygiene|")
    assert "cs1=a|b\\=c\\\\d\\nnext" in line
    assert "msg=reason\\=x\\=y|z\\nw" in line


def test_export_jsonl_is_the_log_itself(log, capsys):
    assert run(["audit", "export"]) == 0
    assert capsys.readouterr().out.encode() == next(log.folder.glob("*.jsonl")).read_bytes()
    assert run(["audit", "export", "--format", "ocsf", "-o", str(log.folder.parent / "out")]) == 0
    assert (log.folder.parent / "out").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "kind", "events"),
    [
        (
            json.dumps(CLOUDTRAIL),
            "cloudtrail",
            [
                ("secret.get", "ref+awssecrets://shop/db", "ok", "arn:aws:sts::123456789012:assumed-role/app/i-1"),
                ("secret.delete", "ref+awssecrets://shop/db", "denied", "eve"),
            ],
        ),
        (
            "\n".join(map(json.dumps, VAULT)),
            "vault",
            [
                ("secret.get", "ref+vault://secret/shop/db", "ok", "approle-shop"),
                ("secret.put", "ref+vault://secret/shop/db", "denied", ""),
            ],
        ),
        (
            CONJUR,
            "conjur",
            [
                ("secret.get", "ref+conjur://shop/db", "ok", "acme:user:ada"),
                ("secret.get", "ref+conjur://shop/db", "denied", 'acme:user:eve "x"'),
            ],
        ),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_foreign_audit_files_are_known_by_themselves(content, kind, events, pack):
    found, told = parse_foreign(pack(content.encode()))
    assert found == kind
    assert [(event.action, event.object, event.outcome, event.actor) for event in told] == events


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b'{"Records": 5}', b'{"Records": [1]}', b"\x1f\x8b\x08bad"])
@pytest.mark.parametrize("kind", ["auto", "cloudtrail", "vault", "conjur"])
def test_foreign_file_that_is_broken_is_an_error_or_empty_and_never_a_traceback(content, kind):
    try:
        assert parse_foreign(content, kind)[1] == []
    except HygieneError as error:
        assert error.message


def test_foreign_file_that_was_cut_off_is_refused_and_not_taken_for_all_there_was():
    whole = gzip.compress("\n".join(map(json.dumps, VAULT * 50)).encode())
    for cut in (len(whole) - 1, len(whole) - 9, len(whole) // 2):
        with pytest.raises(SourceError, match="not whole"):
            parse_foreign(whole[:cut], "vault")


def test_foreign_record_that_lacks_what_every_one_has_is_named_as_damaged():
    lines = [{key: value for key, value in entry.items() if key != "time"} for entry in VAULT]
    with pytest.raises(SourceError, match="not an audit file of vault"):
        parse_foreign("\n".join(map(json.dumps, lines)).encode(), "vault")


def test_import_stays_apart_from_our_chain_and_is_recorded_once(log, tmp_path, capsys):
    file = tmp_path / "trail.json"
    file.write_text(json.dumps(CLOUDTRAIL))
    assert run(["audit", "import", str(file)]) == 0
    assert "2 events from cloudtrail" in capsys.readouterr().out
    assert import_audit(log.folder, log, file.read_bytes())[2] is False
    assert [event.action for event in log.events()].count("audit.import") == 1
    assert [event.actor for event in imported_events(log.folder)][1] == "eve"
    assert [verdict.problems for verdict in verify_folder(log.folder)] == [()]
    assert run(["audit", "log", "--imported"]) == 0
    assert "as told by cloudtrail e-1" in capsys.readouterr().out
    assert run(["audit", "log", "--imported", "--json", "--action", "secret.get"]) == 0
    assert json.loads(capsys.readouterr().out)["address"] == "203.0.113.7"
