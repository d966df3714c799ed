"""The formats of other scanners; each is imported when a file of it is met."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, cast

from hygiene.detect.foreign.protocol import Format

_FORMATS = {
    "detect-secrets": "hygiene.detect.foreign.detect_secrets",
    "gitleaksignore": "hygiene.detect.foreign.gitleaksignore",
    "gitguardian": "hygiene.detect.foreign.gitguardian",
    "gitleaks": "hygiene.detect.foreign.gitleaks_report",
}


def format_of(path: Path, text: bytes) -> Format:
    """Choose the format of a file by its name and how it begins."""
    start = text.lstrip()[:1]
    if path.name in (".gitguardian.yaml", ".gitguardian.yml"):
        name = "gitguardian"
    elif path.name == ".gitleaksignore" or start not in (b"{", b"["):
        name = "gitleaksignore"
    else:
        name = "gitleaks" if start == b"[" else "detect-secrets"
    return cast(Format, import_module(_FORMATS[name]))


def detect_secrets_writer() -> Any:
    """Import what writes detect-secrets' format."""
    return import_module(_FORMATS["detect-secrets"])


def plugins_module() -> Any:
    """Import what runs a project's own plugins of detect-secrets."""
    return import_module("hygiene.detect.foreign.plugins")
