"""What we keep in a secret's tags: owner, labels, due date, and for each staged version its dates.

CloudTrail shows tags, so nothing here depends on a value. The exact tag of ownership is
``hygiene:owner`` = ``hygiene``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from hygiene.errors import StoreError
from hygiene.store.protocol import OWNER

OWNER_TAG = "hygiene:owner"
_DUE = "hygiene:due"
_VERSIONS = "hygiene:versions"
_LABEL = "hygiene:label:"
_FORM = "%Y%m%dT%H%M%SZ"
_ID_LENGTH = 12
_ALLOWED = re.compile(r"[\w .:/=+\-@]*\Z")  # AWS: letters, digits, spaces and _ . : / = + - @


class Dates(NamedTuple):
    """When a version was made and when it expires."""

    created: datetime
    expires: datetime | None


class Facts(NamedTuple):
    """The meaning of the tags."""

    owner: str
    labels: tuple[tuple[str, str], ...] = ()
    due: datetime | None = None
    dates: Mapping[str, Dates] = {}  # by the first 12 characters of the version's id

    def expires(self, version: str) -> datetime | None:
        """Give the expiry of ``version``."""
        dates = self.dates.get(version[:_ID_LENGTH])
        return dates.expires if dates else None

    def created(self, version: str) -> datetime | None:
        """Give the time of ``version``, if we noted it."""
        dates = self.dates.get(version[:_ID_LENGTH])
        return dates.created if dates else None

    def with_version(self, version: str, dates: Dates, kept: Iterable[str]) -> Facts:
        """Note the dates of ``version``, and forget those of versions that are not in ``kept``."""
        short = {id[:_ID_LENGTH] for id in kept}
        former = {id: noted for id, noted in self.dates.items() if id in short}
        return self._replace(dates={**former, version[:_ID_LENGTH]: dates})


def facts_of(tags: Iterable[Mapping[str, object]], owning_service: str = "") -> Facts:
    """Read the tags of a secret; what has no owner tag of ours belongs to something else."""
    table = {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}
    owner = table.get(OWNER_TAG) or owning_service or table.get("managed-by") or "unknown"
    labels = sorted((key.removeprefix(_LABEL), value) for key, value in table.items() if key.startswith(_LABEL))
    return Facts(owner, tuple(labels), _moment(table.get(_DUE, "")), _dates(table.get(_VERSIONS, "")))


def tags_of(facts: Facts) -> dict[str, str]:
    """Give the tags that say ``facts``; raises :class:`StoreError` for labels that no tag can hold."""
    tags = {OWNER_TAG: OWNER, **{_LABEL + key: value for key, value in facts.labels}}
    for key, value in tags.items():
        if len(key) > 128 or len(value) > 256 or not _ALLOWED.match(key + value):
            raise StoreError(
                f"AWS takes no tag for the label {key.removeprefix(_LABEL)!r}",
                hint="letters, digits, spaces and _ . : / = + - @; 256 characters at most",
            )
    if facts.due is not None:
        tags[_DUE] = _text(facts.due)
    if facts.dates:
        tags[_VERSIONS] = " ".join(
            f"{id}={_text(dates.created)}={_text(dates.expires) if dates.expires else '-'}"
            for id, dates in facts.dates.items()
        )
    return tags


def _dates(text: str) -> dict[str, Dates]:
    found = {}
    for part in text.split():
        id, _, rest = part.partition("=")
        created, _, expires = rest.partition("=")
        moment = _moment(created)
        if moment is not None:
            found[id] = Dates(moment, _moment(expires))
    return found


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_FORM)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None  # someone else's tag text
