"""Secrets of GitHub Actions: copies of a stored value that nobody can read back, written by sealed box.

A rotation writes them after the new value is current and before the old one dies, so that no workflow meets a dead one.
``github:OWNER/REPO/NAME`` is a repository's secret, ``github:OWNER/REPO/ENVIRONMENT/NAME`` an environment's,
``github:OWNER/NAME`` an organisation's. Writing the same value again is harmless.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.jsonapi import JsonApi, RefusedError
from hygiene.rotate.provider import Target
from hygiene.secret import Secret

_FIXED = "https://api.github.com"
_VERSION = "2022-11-28"
_PART = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}\Z")
_MOST_BYTES = 48 * 1024
_PAGE = 100


class ActionsSecret:
    """One secret of a repository, an environment or an organisation."""

    def __init__(self, place: str, target: Target) -> None:
        """Write to ``place``; the admin of ``target`` is a token, its label host another server (GitHub Enterprise).

        Raises ProviderError for what is no place, or without an admin.
        """
        *parts, name = place.split("/")
        if not 1 <= len(parts) <= 3 or not _NAME.match(name) or not all(map(_is_part, parts)):
            raise ProviderError(
                f"not a secret of GitHub Actions: {place!r}",
                hint="write github:OWNER/REPO/NAME, github:OWNER/REPO/ENVIRONMENT/NAME or github:OWNER/NAME",
            )
        if target.admin is None:
            raise ProviderError(
                "GitHub's secrets are written with a token", hint='name one: [providers.github] admin = "ref+…"'
            )
        owner, *rest = (quote(part, safe="") for part in parts)
        self.place = f"github:{place}"
        self._organisation = not rest
        scope = f"/orgs/{owner}/actions" if not rest else f"/repos/{owner}/{rest[0]}"
        scope += f"/environments/{rest[1]}" if len(rest) == 2 else ("/actions" if rest else "")
        self._secrets = f"{scope}/secrets"
        self._path = f"{self._secrets}/{name}"
        self._target = target

    def write(self, value: Secret) -> None:
        """Seal ``value`` to the place's own key, and put it there. Raises ProviderError; then try again."""
        if not 0 < len(value) <= _MOST_BYTES:
            raise ProviderError(f"GitHub takes 1 to {_MOST_BYTES} bytes, and the value has {len(value)}")
        told = self._call("GET", f"{self._secrets}/public-key")
        body = {"encrypted_value": _sealed(value, told.get("key")), "key_id": str(told.get("key_id", ""))}
        if self._organisation:
            body |= self._visibility()
        self._call("PUT", self._path, body)

    def _visibility(self) -> dict[str, Any]:
        """Keep who may use an organisation's secret; one that is new may be used by its private repositories."""
        try:
            known = str(self._call("GET", self._path).get("visibility", "private"))
        except RefusedError as error:
            if error.status != 404:
                raise
            return {"visibility": "private"}
        if known != "selected":
            return {"visibility": known}
        found: list[int] = []
        while True:
            page = 1 + len(found) // _PAGE
            told = self._call("GET", f"{self._path}/repositories?per_page={_PAGE}&page={page}")
            listed = told.get("repositories")
            if not isinstance(listed, list):
                raise ProviderError("GitHub did not list who may use the organisation's secret")
            found += [int(repository["id"]) for repository in listed]
            if len(listed) < _PAGE:
                return {"visibility": "selected", "selected_repository_ids": found}

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        assert self._target.admin is not None
        headers = {
            "Authorization": f"Bearer {self._target.admin.reveal().decode('ascii', 'replace').strip()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        address = self._target.labels.get("address", "")
        api = JsonApi("github", address or _FIXED, self._target.hosts if address else (_FIXED,), public=not address)
        answer = api.call(method, path, headers=headers, body=body, ok=(200, 201, 204))
        if method == "GET" and not isinstance(answer.value, dict):
            raise OutcomeUnknownError("GitHub's answer is not an object of JSON")
        return answer.value or {}


def _is_part(part: str) -> bool:
    return bool(_PART.match(part)) and part not in (".", "..")


def _sealed(value: Secret, key: object) -> str:
    """Encrypt to a public key (base64) as libsodium's crypto_box_seal does; in base64."""
    try:
        box = SealedBox(PublicKey(base64.b64decode(str(key), validate=True)))
        return base64.b64encode(box.encrypt(value.reveal())).decode()
    except (ValueError, TypeError, CryptoError):
        raise ProviderError("GitHub's answer holds no key to seal the value to") from None
