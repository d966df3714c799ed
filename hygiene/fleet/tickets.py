"""One ticket an open exposure: a JSON file in a folder, or a POST to an address; told again only when it changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hygiene.errors import SourceError, UsageError
from hygiene.fileio import make_private_folder, write_atomic
from hygiene.fleet.inventory.models import OPEN, ROTATED
from hygiene.fleet.inventory.opening import Inventory
from hygiene.fleet.inventory.pages import Slice, exposure_number, exposures, findings
from hygiene.rotate.net import HttpRequest, fetch

_PLACES = 100  # in one ticket; a report of the exposure has all
_PAGE = 200
_SECRET = "HYGIENE_TICKETS_SECRET"  # noqa: S105 - the name of the variable that holds the key of the signature


def tickets(inventory: Inventory) -> Iterator[dict[str, Any]]:
    """Give a ticket for every exposure that somebody has to act on."""
    for state in (OPEN, ROTATED):
        after = ""
        while True:
            wanted = Slice(_PAGE, after)
            page = inventory.run(lambda session, wanted=wanted, state=state: exposures(session, wanted, state))  # type: ignore[misc]
            for row in page.rows:
                if row["repositories"]:
                    yield _ticket(inventory, row)
            after = page.next
            if not after:
                break


def sink(target: str) -> Callable[[dict[str, Any]], bool]:
    """Open where tickets go: a folder, or an https address. What takes one says whether it was new or changed."""
    if "://" not in target:
        folder = make_private_folder(Path(target))
        return lambda ticket: _write(folder, ticket)
    parts = urlsplit(target)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not local:
        raise UsageError("tickets go to an https address or into a folder")
    return lambda ticket: _post(target, ticket)


def _ticket(inventory: Inventory, row: dict[str, Any]) -> dict[str, Any]:
    page = inventory.run(
        lambda session: findings(
            session,
            Slice(_PLACES),
            exposure=exposure_number(session, row["fingerprint"]),
        )
    )
    kept = ("repository", "path", "line", "owner", "commit", "status")
    places = [{name: place[name] for name in kept} for place in page.rows]
    body = {**row, "where": sorted(places, key=lambda place: (place["repository"], place["path"], place["line"]))}
    return {"id": row["fingerprint"], **body}


def _write(folder: Path, ticket: dict[str, Any]) -> bool:
    path = folder / f"{ticket['id'].replace(':', '-')}.json"
    content = json.dumps(ticket, indent=1, sort_keys=True).encode() + b"\n"
    if path.exists() and path.read_bytes() == content:
        return False
    write_atomic(path, content, mode=0o644)
    return True


def _post(target: str, ticket: dict[str, Any]) -> bool:
    body = json.dumps(ticket, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": hashlib.sha256(body).hexdigest()}
    secret = os.environ.get(_SECRET, "")
    if secret:
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    answer = fetch(HttpRequest("POST", target, headers, body), private=True)
    if not 200 <= answer.status < 300:
        raise SourceError(
            f"{urlsplit(target).hostname} took no ticket: {answer.problem or f'status {answer.status}'}",
            hint="the Idempotency-Key makes it safe to send them again",
        )
    return True
