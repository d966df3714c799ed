"""Reads what others recorded about a managed store: CloudTrail, Vault or OpenBao, Conjur; pure.

Our own log says what hygiene did, theirs who else read a secret. What they say is shown beside ours with its source,
and is never chained as if we had seen it.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from hygiene.errors import SourceError, UsageError
from hygiene.prove.event import DENIED, FAILED, OK

_LARGEST = 512 * 2**20  # bytes after unpacking
_STRUCTURED = re.compile(r"\[(\w+)@\d+((?: \w+=\"(?:[^\"\\\]]|\\.)*\")*)\]")
_PARAMETER = re.compile(r"(\w+)=\"((?:[^\"\\\]]|\\.)*)\"")
_SYSLOG = re.compile(r"<\d{1,3}>1 (\S+) (\S+) (\S+) ")


class ForeignEvent(NamedTuple):
    """One access that somebody else recorded."""

    time: str
    source: str  # cloudtrail, vault, conjur
    actor: str
    action: str  # secret.get, secret.put, … or the source's own word
    object: str  # a reference where the source tells enough
    outcome: str
    id: str  # the source's own name for it
    address: str = ""


def parse_foreign(content: bytes, kind: str = "auto") -> tuple[str, list[ForeignEvent]]:
    """Read an audit file of another system; gives its kind and its events on secrets.

    ``kind`` is cloudtrail, vault, conjur, or auto. Raises UsageError for what is none of them and SourceError for a
    damaged file.
    """
    text = _unpacked(content).decode("utf-8", "replace")
    if kind == "auto":
        kind = _kind(text)
    if kind not in _PARSERS:
        raise UsageError(f"unknown audit format {kind!r}", hint=f"known are {', '.join(_PARSERS)}")
    try:
        return kind, list(_PARSERS[kind](text))
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"this is not an audit file of {kind}: {type(error).__name__}") from error


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(content, _LARGEST)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise SourceError("the file is not whole gzip") from error
    if unpacker.unconsumed_tail:
        raise SourceError("the file is larger than 512 MiB unpacked")
    if not unpacker.eof:
        raise SourceError("the file is not whole gzip")
    return text


def _kind(text: str) -> str:
    start = text.lstrip()[:4096]
    if start.startswith("{") and '"Records"' in start:
        return "cloudtrail"
    if start.startswith("{") and '"request"' in start:
        return "vault"
    if _SYSLOG.match(start):
        return "conjur"
    raise UsageError("this is no audit file that hygiene knows", hint=f"name its format: {', '.join(_PARSERS)}")


_AWS_ACTIONS = {
    "GetSecretValue": "secret.get",
    "BatchGetSecretValue": "secret.get",
    "CreateSecret": "secret.put",
    "PutSecretValue": "secret.put",
    "UpdateSecret": "secret.put",
    "DeleteSecret": "secret.delete",
    "RestoreSecret": "secret.restore",
    "RotateSecret": "rotate.start",
    "UpdateSecretVersionStage": "secret.promote",
}


def _cloudtrail(text: str) -> Iterator[ForeignEvent]:
    """AWS CloudTrail: one JSON object with ``Records`` (CloudTrail User Guide, "Record contents")."""
    for record in json.loads(text)["Records"]:
        if record.get("eventSource") != "secretsmanager.amazonaws.com":
            continue
        parameters = record.get("requestParameters") or {}
        name = parameters.get("secretId") or parameters.get("name") or ""
        identity = record.get("userIdentity") or {}
        error = record.get("errorCode", "")
        yield ForeignEvent(
            time=str(record["eventTime"]),
            source="cloudtrail",
            actor=str(identity.get("arn") or identity.get("userName") or identity.get("type") or ""),
            action=_AWS_ACTIONS.get(record["eventName"], str(record["eventName"])),
            object=f"ref+awssecrets://{_aws_name(str(name))}",
            outcome=DENIED if "AccessDenied" in error else FAILED if error else OK,
            id=str(record.get("eventID", "")),
            address=str(record.get("sourceIPAddress", "")),
        )


def _aws_name(secret_id: str) -> str:
    """Give the name in an ARN (…:secret:NAME-abcdef), or the id where it is the name."""
    found = re.fullmatch(r"arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}", secret_id)
    return found[1] if found else secret_id


_VAULT_ACTIONS = {"read": "secret.get", "create": "secret.put", "update": "secret.put", "patch": "secret.put"}


def _vault(text: str) -> Iterator[ForeignEvent]:
    """Vault and OpenBao: a JSON object a line; the response says how it ended (docs, "Audit devices")."""
    for line in filter(None, map(str.strip, text.splitlines())):
        entry = json.loads(line)
        request, auth = entry.get("request") or {}, entry.get("auth") or {}
        if entry.get("type") != "response" or request.get("mount_type", "kv") not in ("kv", "generic"):
            continue
        operation, path = str(request.get("operation", "")), str(request.get("path", ""))
        error = str(entry.get("error") or "")
        action = _VAULT_ACTIONS.get(operation, "secret.delete" if operation == "delete" else operation)
        if "/metadata/" in path and operation == "read":
            action = "secret.describe"
        yield ForeignEvent(
            time=str(entry["time"]),
            source="vault",
            actor=str(auth.get("display_name") or auth.get("entity_id") or ""),
            action=action,
            object=f"ref+vault://{re.sub('/(data|metadata|delete|undelete|destroy)/', '/', path, count=1)}",
            outcome=DENIED if "permission denied" in error else FAILED if error else OK,
            id=str(request.get("id", "")),
            address=str(request.get("remote_address", "")),
        )


_CONJUR_ACTIONS = {"fetch": "secret.get", "update": "secret.put"}


def _conjur(text: str) -> Iterator[ForeignEvent]:
    """Conjur: RFC 5424 lines whose structured data name subject, action, user and client."""
    for line in filter(None, map(str.strip, text.splitlines())):
        head = _SYSLOG.match(line)
        if head is None:
            raise ValueError("not an RFC 5424 line")
        data = _structured_data(line)
        resource = data.get("subject", {}).get("resource", "")
        account, _, rest = resource.partition(":")
        kind, _, name = rest.partition(":")
        if kind != "variable":
            continue
        action = data.get("action", {})
        operation, result = action.get("operation", ""), action.get("result", "")
        yield ForeignEvent(
            time=head[1],
            source="conjur",
            actor=data.get("auth", {}).get("user", ""),
            action=_CONJUR_ACTIONS.get(operation, operation),
            object=f"ref+conjur://{name}",
            outcome=OK if result == "success" else DENIED if "privilege" in line or "denied" in line else FAILED,
            id=account,
            address=data.get("client", {}).get("ip", ""),
        )


def _structured_data(line: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for element in _STRUCTURED.finditer(line):
        values = {key: re.sub(r"\\(.)", r"\1", value) for key, value in _PARAMETER.findall(element[2])}
        found.setdefault(element[1], {}).update(values)
    return found


_PARSERS: Mapping[str, Callable[[str], Iterator[ForeignEvent]]] = {
    "cloudtrail": _cloudtrail,
    "vault": _vault,
    "conjur": _conjur,
}
KINDS = tuple(_PARSERS)


def event_object(event: ForeignEvent, digest: str) -> dict[str, Any]:
    """Give an imported event as JSON holds it; ``digest`` names the file that it came from."""
    return {**event._asdict(), "file": digest}
