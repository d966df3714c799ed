"""Who made a commit or tag, and when: parsed from the raw object."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from hygiene.detect.sources.objects import ObjectReader
from hygiene.detect.sources.protocol import Item
from hygiene.git import Git

_SIGNATURE = re.compile(rb"(.*?) ?<([^>\n]*)> (-?\d+) ([+-]\d{4})$")


class Signature(NamedTuple):
    """Who made a commit or tag, and its first line."""

    name: str
    email: str
    date: str  # ISO 8601 with offset
    subject: str


def signatures(git: Git, ids: Iterable[str]) -> dict[str, Signature]:
    """Read who made the commits and tags ``ids``; unreadable ones are missing from the answer."""
    reader = ObjectReader(git)
    try:
        return {blob.id: signature(blob.data) for blob in reader.read([Item(name, 0, "") for name in sorted(ids)])}
    finally:
        reader.close()


def signature(data: bytes) -> Signature:
    """Parse the author (or tagger) and subject of a raw commit or tag (git's own object format)."""
    headers, _, message = data.partition(b"\n\n")
    line = next((line for line in headers.split(b"\n") if line.startswith((b"author ", b"tagger "))), b"")
    subject = message.lstrip(b"\n").split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    found = _SIGNATURE.match(line[7:])
    if found is None:
        return Signature("", "", "", subject)
    name, email = found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace")
    return Signature(name, email, _date(int(found[3]), found[4].decode()), subject)


def _date(seconds: int, offset: str) -> str:
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    try:
        zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
        return datetime.fromtimestamp(seconds, zone).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""  # a forged date, years from anything
