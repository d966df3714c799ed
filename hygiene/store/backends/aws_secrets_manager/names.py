"""Our names as AWS's names.

AWS ends its identifiers in ``-`` and six characters, and warns against names that end so; such a name (say
``api-secret``) gets a final ``_`` at AWS, which is taken off again on the way back.
"""

from __future__ import annotations

import re

_RISKY = re.compile(r"-[A-Za-z0-9]{6}_*\Z")
_ESCAPED = re.compile(r"-[A-Za-z0-9]{6}_+\Z")


def aws_name(name: str) -> str:
    """Give the name at AWS."""
    return name + "_" if _RISKY.search(name) else name


def own_name(name: str) -> str:
    """Give our name for a name at AWS."""
    return name[:-1] if _ESCAPED.search(name) else name
