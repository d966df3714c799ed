"""Whether, where and under which name the compiled rules are kept from one run of the Action to the next.

Who can write what a later run restores can make that run find nothing. GitHub keeps a cache apart for each branch and
pull request, so code of a pull request can reach that of its own runs: they get none where that code is a stranger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from hygiene.cli.action.checkout import read_event
from hygiene.cli.action.inputs import read_inputs
from hygiene.detect.registry import content_key
from hygiene.detect.rulefolders import RuleChoice
from hygiene.fileio import make_private_folder

_LOCK = Path(__file__).parents[3] / "requirements" / "action.lock"


def cache_outputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the outputs ``folder`` (for ``HYGIENE_CACHE``) and ``key`` (for actions/cache; empty: keep nothing).

    A folder that the workflow chose is the workflow's to keep. Raises UsageError for an input that can't be.
    """
    inputs = read_inputs(environ)
    if chosen := environ.get("HYGIENE_CACHE"):
        return {"folder": chosen, "key": ""}
    # Not the user's own cache folder: on a self-hosted runner, other jobs leave things there.
    folder = Path(environ.get("RUNNER_TEMP") or ".").resolve() / "hygiene-cache"
    make_private_folder(folder)
    kept = inputs.cache and is_own_code(environ, read_event(environ))
    return {"folder": str(folder), "key": _key(environ) if kept else ""}


def is_own_code(environ: Mapping[str, str], event: Mapping[str, Any]) -> bool:
    """Say whether the event runs only code of people who may push: no fork's, no merge queue's."""
    if environ.get("GITHUB_EVENT_NAME") == "merge_group":
        return False
    if "pull_request" not in event:
        return True
    try:
        # A fork that was deleted is null.
        return bool(event["pull_request"]["head"]["repo"]["full_name"] == environ["GITHUB_REPOSITORY"])
    except (KeyError, TypeError):
        return False


def _key(environ: Mapping[str, str]) -> str:
    """Name what the built-in rules compile to here; the CPU counts, since the engine compiles for it."""
    lock = _LOCK.read_bytes() if _LOCK.is_file() else b""
    digest = sha256(content_key(RuleChoice()).encode("utf-8", "surrogateescape") + lock).hexdigest()
    system, machine = environ.get("RUNNER_OS", ""), environ.get("RUNNER_ARCH", "")
    return f"hygiene-rules-{system}-{machine}-{digest[:40]}"
