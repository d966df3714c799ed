"""detect-secrets' ``.secrets.baseline``, read and written by that library itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

from detect_secrets.core import baseline as library
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.scan import scan_file
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings, transient_settings

from hygiene.detect.foreign.protocol import Known
from hygiene.errors import ConfigError
from hygiene.finding import Finding

_LIBRARY = "detect_secrets."
_DECISIONS = {True: "real", False: "false", None: ""}


def read(text: bytes) -> Sequence[Known]:
    """Read the secrets of a baseline; each is known by file and SHA-1 of its value. Raises ConfigError."""
    try:
        document = library.upgrade(json.loads(text))
        secrets = SecretsCollection.load_from_baseline(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"this is no baseline of detect-secrets: {type(error).__name__}") from error
    return [_known(secret) for _file, secret in secrets]


def _known(secret: PotentialSecret) -> Known:
    path, digest = secret.filename.replace("\\", "/"), secret.secret_hash

    def covers(finding: Finding) -> bool:
        return finding.path == path and _digest(finding) == digest

    decision = _DECISIONS[secret.is_secret]
    return Known(f"{path}:{secret.line_number}", covers, f"known to detect-secrets as {secret.type}", decision)


def write(findings: Iterable[Finding], folder: Path, before: bytes = b"") -> bytes:
    """Give a baseline with ``findings``, which stand in files of ``folder``; what ``before`` holds stays.

    A finding that its own plugins see too is written as they name it, so that its hook knows it.
    """
    document = library.upgrade(json.loads(before)) if before else None
    secrets = SecretsCollection.load_from_baseline(document) if document else SecretsCollection()
    with _settings(document):
        for finding in findings:
            for secret in _as_theirs(finding, folder):
                secrets[finding.path].add(secret)
        return _text({**(document or {}), **library.format_for_output(secrets), **_made_by(document)})


def _made_by(document: dict[str, Any] | None) -> dict[str, Any]:
    """Give what a baseline says of its making: its own plugins and filters stay named though they did not run."""
    return {name: document[name] for name in ("plugins_used", "filters_used") if name in document} if document else {}


def _settings(document: dict[str, Any] | None) -> AbstractContextManager[Any]:
    if document is None:
        return cast(AbstractContextManager[Any], default_settings())
    # Only what comes with the library: a scanned project's own plugins and filters are code, which is not run unasked.
    plugins = [plugin for plugin in document["plugins_used"] if "path" not in plugin]
    filters = [each for each in document.get("filters_used", []) if str(each["path"]).startswith(_LIBRARY)]
    settings = {"plugins_used": plugins, "filters_used": filters}
    return cast(AbstractContextManager[Any], transient_settings(settings))


def _as_theirs(finding: Finding, folder: Path) -> list[PotentialSecret]:
    value = finding.secret.reveal().decode("utf-8", "surrogateescape")
    seen = [secret for secret in scan_file(str(folder / finding.path)) if _is_same(secret, value, finding.line_start)]
    for secret in seen:
        secret.filename = finding.path
    return seen or [PotentialSecret(finding.description, finding.path, value, finding.line_start)]


def _is_same(secret: PotentialSecret, value: str, line: int) -> bool:
    theirs = secret.secret_value or ""  # some of its plugins take a part for the whole, such as the "ghp" of a token
    return bool(theirs) and secret.line_number == line and (theirs in value or value in theirs)


def _text(document: dict[str, object]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def _digest(finding: Finding) -> str:
    return sha1(finding.secret.reveal(), usedforsecurity=False).hexdigest()
