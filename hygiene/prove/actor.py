"""Who acts: the operating system's user, the git identity, and in CI the identity that the CI vouches for."""

from __future__ import annotations

import json
import os
import platform
import pwd
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path

from hygiene.errors import SourceError
from hygiene.git import Git
from hygiene.prove.event import Actor

_TOKEN_VARIABLES = ("HYGIENE_ID_TOKEN", "CI_JOB_JWT_V2")


def current_actor(folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Actor:
    """Find out who acts, in ``folder`` (whose git identity counts); never fails, never asks the network."""
    environ = os.environ if environ is None else environ
    subject, auth = _subject(environ)
    return Actor(_user(), _git_identity(folder or Path.cwd()), subject, platform.node(), auth)


def _user() -> str:
    # By the effective id: $USER is whatever the caller likes.
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _git_identity(folder: Path) -> str:
    try:
        line = Git(folder).line("var", "GIT_AUTHOR_IDENT")
    except SourceError:
        return ""
    return line.rsplit(" ", 2)[0]  # without the time and its zone


def _subject(environ: Mapping[str, str]) -> tuple[str, str]:
    for name in _TOKEN_VARIABLES:
        if subject := _subject_of_token(environ.get(name, "")):
            return subject, "oidc-token-not-verified-here"
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_REPOSITORY"):
        # The form of GitHub's own OIDC subject (docs: "OpenID Connect reference", example subject claims).
        pull = environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request")
        context = "pull_request" if pull else f"ref:{environ.get('GITHUB_REF', '')}"
        return f"repo:{environ['GITHUB_REPOSITORY']}:{context}", "ci-environment"
    if environ.get("GITLAB_CI") and environ.get("CI_PROJECT_PATH"):
        kind = "tag" if environ.get("CI_COMMIT_TAG") else "branch"
        name = environ.get("CI_COMMIT_REF_NAME", "")
        return f"project_path:{environ['CI_PROJECT_PATH']}:ref_type:{kind}:ref:{name}", "ci-environment"
    return "", ""


def _subject_of_token(token: str) -> str:
    """Read the subject of a JWT; its signature is the concern of who accepts it, so the entry names the source."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return ""
    subject = claims.get("sub", "") if isinstance(claims, dict) else ""
    return subject if isinstance(subject, str) else ""
