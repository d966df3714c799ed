"""The embedded store: a folder of signed records and age files."""

from __future__ import annotations

import os
from pathlib import Path

from hygiene import crypto
from hygiene.places import home_folder
from hygiene.store.backends.embedded.memory import Memory
from hygiene.store.backends.embedded.store import EmbeddedStore
from hygiene.store.protocol import Opening

__all__ = ["EmbeddedStore", "open_backend"]
_DEFAULT_FOLDER = "store"


def open_backend(opening: Opening) -> EmbeddedStore:
    """Open ``embedded:`` (the user's own store) or ``embedded:PATH`` (a team's folder)."""
    home = home_folder()
    root = opening.base / opening.rest if opening.rest else home / _DEFAULT_FOLDER
    return EmbeddedStore(
        root,
        uri=opening.uri,
        label=_label(opening, root),
        identity=lambda create: crypto.find_identity(create=create, passphrase=crypto.ask_passphrase),
        memory=Memory(home),
        notify=opening.notify,
    )


def _label(opening: Opening, root: Path) -> str:
    """Say what references carry as ``store=``: the configured name, or the path as seen from the base."""
    if opening.label or not opening.rest:
        return opening.label
    path = os.path.relpath(root, opening.base)
    return str(root.resolve()) if path.startswith("..") else path
