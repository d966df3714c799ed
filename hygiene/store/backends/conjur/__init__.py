"""CyberArk Conjur (Secrets Manager) by conjur-api: ``conjur://[ACCOUNT]/BRANCH``."""

from __future__ import annotations

from hygiene.reference import check_name
from hygiene.store.backends.conjur.client import connect
from hygiene.store.backends.conjur.store import ConjurStore
from hygiene.store.protocol import Opening

__all__ = ["ConjurStore", "open_backend"]


def open_backend(opening: Opening) -> ConjurStore:
    """Open the policy branch of ``opening``; server and credentials come from Conjur's own variables."""
    account, _, branch = opening.rest.partition("/")
    branch = branch.strip("/")
    return ConjurStore(connect(account), uri=opening.uri, branch=check_name(branch) if branch else "")
