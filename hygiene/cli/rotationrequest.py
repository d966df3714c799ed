"""What is asked for when one secret is rotated."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hygiene.secret import Secret

ASKED = "asked for"  # by its name


class Request(NamedTuple):
    """What is asked for one secret."""

    name: str
    reason: str = ASKED
    expected: str = ""  # the version that is meant: a newer one leaves nothing to do
    provider: str = ""  # overrules labels and configuration
    labels: Mapping[str, str] = MappingProxyType({})  # learned where the secret leaked; the store's own overrule them
    answer: Secret | None = None  # the new value that a person brings
    revoked: bool = False  # a person says that the old value is revoked
