"""The members of a role that AWS knows: IAM roles and users, of our own account or of another."""

from __future__ import annotations

import re
from typing import NamedTuple

from hygiene.config import Role

_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(?:(role|user)/(?:[^\s]*/)?([\w+=,.@-]+)|root)\Z")


class Member(NamedTuple):
    """An IAM role or user."""

    arn: str
    account: str
    kind: str  # "role" or "user"; empty for a whole account
    name: str

    @property
    def entity(self) -> str:
        """What IAM attaches policies to: ``role/NAME`` or ``user/NAME``."""
        return f"{self.kind}/{self.name}"


def members_of(role: Role) -> list[Member]:
    """Give the members of ``role`` that are ``arn:aws:iam::ACCOUNT:role/NAME``, ``…:user/NAME`` or ``…:root``."""
    shapes = ((text, _ARN.match(text)) for text in role.members)
    return [Member(text, shape[1], shape[2] or "", shape[3] or "") for text, shape in shapes if shape]


def entities_of(role: Role, account: str) -> frozenset[str]:
    """Give the members of ``role`` that a policy of ``account`` can be attached to."""
    return frozenset(m.entity for m in members_of(role) if m.account == account and m.kind)


def strangers_of(role: Role, account: str) -> list[str]:
    """Give the ARNs of the members of ``role`` that another account than ``account`` has."""
    return sorted({member.arn for member in members_of(role) if member.account != account})
