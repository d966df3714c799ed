"""The stores by the scheme of their URI; a backend and its SDK are imported only when it is opened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from hygiene.config import Config
from hygiene.errors import StoreError, UsageError
from hygiene.reference import Reference
from hygiene.store.protocol import Opening, Store
from hygiene.suggestion import suggest

DEFAULT = "embedded:"
_BACKENDS = {  # scheme: module, and the extra that installs what it needs
    "embedded": ("hygiene.store.backends.embedded", "migrate"),
    "awssecrets": ("hygiene.store.backends.aws_secrets_manager", "aws"),
    "vault": ("hygiene.store.backends.vault", "vault"),
    "openbao": ("hygiene.store.backends.vault", "vault"),
    "conjur": ("hygiene.store.backends.conjur", "conjur"),
    "ccp": ("hygiene.store.backends.ccp", "conjur"),
}


def open_store(uri_or_name: str, config: Config, *, notify: Callable[[str], None] | None = None) -> Store:
    """Open the store that a URI, or a name in ``config``, means; the default store for an empty one.

    ``notify`` is told the recovery key when an embedded store is made (default: a notice on stderr).
    Raises :class:`UsageError` for something that names no store.
    """
    label = uri_or_name if uri_or_name in config.stores else ""
    uri = config.stores.get(uri_or_name, uri_or_name) or DEFAULT
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in _BACKENDS:
        raise _unknown(uri_or_name, config)
    if scheme != "embedded":
        if not rest.startswith("//"):
            raise UsageError(f"not a store: {uri!r}", hint=f"write {scheme}://…")
        rest = rest.removeprefix("//")
    base = config.path.resolve().parent if config.path else Path.cwd()
    return _open(scheme, Opening(uri, rest, base, label, notify or show_recovery_key))


def store_of(reference: Reference, config: Config, *, notify: Callable[[str], None] | None = None) -> Store:
    """Open the store that ``reference`` points into."""
    return open_store(store_uri(reference, config), config, notify=notify)


def store_uri(reference: Reference, config: Config) -> str:
    """Give the URI or name of the store that ``reference`` points into."""
    if reference.scheme == "embedded":
        label = reference.parameter("store") or ""
        return label if not label or label in config.stores else f"embedded:{label}"
    if reference.scheme == "awssecrets":
        return f"awssecrets://{reference.parameter('region') or ''}"
    if reference.scheme == "ccp":
        return "ccp://" + "/".join(reference.path.split("/")[:2])
    if reference.scheme == "conjur":
        return "conjur://"
    return f"{reference.scheme}://{reference.path.split('/', 1)[0]}"


def show_recovery_key(key: str) -> None:
    """Show the recovery key of a new store on stderr; it is shown nowhere else and never again."""
    print(
        "hygiene: a new embedded store was made. Its recovery key opens everything should your identity be lost.\n"
        "hygiene: It is shown only this once; keep it offline:\n"
        f"\n    {key}\n",
        file=sys.stderr,
        flush=True,
    )


def _open(scheme: str, opening: Opening) -> Store:
    module, extra = _BACKENDS[scheme]
    try:
        backend = import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("hygiene"):
            raise
        raise StoreError(
            f"the store {opening.uri} needs the Python package {error.name}",
            hint=f"pip install 'secret-hygiene[{extra}]'",
        ) from error
    return cast(Store, backend.open_backend(opening))


def _unknown(text: str, config: Config) -> UsageError:
    known = [*config.stores, *(f"{scheme}://" for scheme in _BACKENDS if scheme != "embedded"), DEFAULT]
    hint = suggest(text, known) or f"known are {', '.join(known)}"
    return UsageError(f"no store is called {text!r}", hint=hint)
