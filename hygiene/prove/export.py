"""Entries in the formats that log collectors read: OCSF (JSON), CEF, and the log's own lines; pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hygiene import __version__
from hygiene.prove.event import DENIED, FAILED, INTENT, OK, AuditEvent

_OCSF_VERSION = "1.3.0"
_API_ACTIVITY = 6003  # OCSF class API Activity, in the category Application Activity
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES = {
    "secret.get": _READ,
    "secret.put": _CREATE,
    "secret.delete": _DELETE,
    "secret.restore": _UPDATE,
    "secret.promote": _UPDATE,
    "secret.expire": _UPDATE,
    "migrate.replace": _UPDATE,
    "rotate.issue": _CREATE,
    "rotate.promote": _UPDATE,
    "rotate.revoke": _DELETE,
}
_STATUSES = {OK: (1, "Success"), FAILED: (2, "Failure"), DENIED: (2, "Failure"), INTENT: (0, "Unknown")}
_SEVERITIES = {OK: 1, INTENT: 1, FAILED: 2, DENIED: 3}  # OCSF: informational, low, medium
_CEF_SEVERITIES = {OK: 2, INTENT: 1, FAILED: 5, DENIED: 7}  # 0 to 10


def as_jsonl(event: AuditEvent) -> str:
    """Give the entry as its own line in the log."""
    fields = event._asdict()
    del fields["log"]
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def as_ocsf(event: AuditEvent) -> str:
    """Give the entry as one OCSF event (schema.ocsf.io, API Activity), as a line of JSON."""
    activity = _ACTIVITIES.get(event.action, _OTHER)
    status, status_name = _STATUSES.get(event.outcome, (99, event.outcome))
    told: dict[str, Any] = {
        "activity_id": activity,
        "category_uid": _API_ACTIVITY // 1000,
        "class_uid": _API_ACTIVITY,
        "type_uid": _API_ACTIVITY * 100 + activity,
        "time": _milliseconds(event.time),
        "severity_id": _SEVERITIES.get(event.outcome, 99),
        "status_id": status,
        "status": status_name,
        "status_detail": event.outcome,
        "actor": {"user": {"name": _who(event), "uid": event.actor.get("user", "")}},
        "api": {"operation": event.action, "service": {"name": "hygiene"}},
        "src_endpoint": {"hostname": event.actor.get("host", "")},
        "resources": [{"name": event.object, "type": "secret" if event.object.startswith("ref+") else "object"}],
        "metadata": {
            "version": _OCSF_VERSION,
            "uid": _name(event),
            "product": {"name": "hygiene", "vendor_name": "hygiene", "version": __version__},
        },
        "unmapped": {"detail": dict(event.detail), "prev": event.prev, "hash": event.hash},
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def as_cef(event: AuditEvent) -> str:
    """Give the entry in ArcSight's Common Event Format, version 0, without a syslog header."""
    head = ("hygiene", "hygiene", __version__, event.action, f"{event.action} {event.outcome}")
    extension = {
        "rt": str(_milliseconds(event.time)),
        "externalId": _name(event),
        "suser": _who(event),
        "dvchost": event.actor.get("host", ""),
        "act": event.action,
        "outcome": event.outcome,
        "cs1Label": "object",
        "cs1": event.object,
        "cs2Label": "hash",
        "cs2": event.hash,
        "msg": " ".join(f"{key}={value}" for key, value in sorted(event.detail.items())),
    }
    fields = " ".join(f"{key}={_cef_value(value)}" for key, value in extension.items() if value)
    severity = _CEF_SEVERITIES.get(event.outcome, 5)
    return f"CEF:0|{'|'.join(map(_cef_header, head))}|{severity}|{fields}"


FORMATS: dict[str, Callable[[AuditEvent], str]] = {"jsonl": as_jsonl, "ocsf": as_ocsf, "cef": as_cef}


def _who(event: AuditEvent) -> str:
    return event.actor.get("subject") or event.actor.get("git") or event.actor.get("user", "")


def _name(event: AuditEvent) -> str:
    return f"{event.log}:{event.seq}"


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def _cef_header(text: str) -> str:
    return _one_line(text.replace("\\", "\\\\").replace("|", "\\|"))


def _cef_value(text: str) -> str:
    return _one_line(text.replace("\\", "\\\\").replace("=", "\\="))


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")
