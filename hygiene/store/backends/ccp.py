"""CyberArk's Central Credential Provider, to read: ``ccp://APPID/SAFE``; a name is the account's object.

The client certificate (``CCP_CLIENT_CERT``, ``CCP_CLIENT_KEY``), the server (``CCP_URL``) and its CA (``CCP_CACERT``)
come from the environment. The service has no way to write.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import requests

from hygiene.errors import AccessDeniedError, NotFoundError, StoreError, UsageError
from hygiene.reference import Reference, check_name
from hygiene.secret import Secret
from hygiene.store.httpadapter import bounded_session
from hygiene.store.protocol import CURRENT, Capabilities, Expect, Opening, StoredSecret, Version
from hygiene.store.transport import CLOCK, check_encrypted

_TRIES = 4
_TIMEOUT_SECONDS = 15
_DEADLINE_SECONDS = 30  # for a whole answer, byte after byte
_PASSING = (429, 500, 502, 503)
_ABSENT, _SEVERAL, _DENIED = "APPAP004E", "APPAP227E", "APPAP306E"


def open_backend(opening: Opening) -> CcpStore:
    """Open the safe of ``opening`` for its application."""
    application, _, safe = opening.rest.strip("/").partition("/")
    if not application or not safe or "/" in safe:
        raise UsageError(f"not a store: {opening.uri!r}", hint="write ccp://APPID/SAFE")
    return CcpStore(opening.uri, application, safe)


class CcpStore:
    """The accounts of one safe, as one application may read them."""

    capabilities = Capabilities(
        writable=False, cas=False, stages=False, versions=False, recoverable_delete=False, expiry=False, binary=False
    )

    def __init__(self, uri: str, application: str, safe: str) -> None:
        """Read the accounts in ``safe`` as ``application``."""
        self.uri = uri
        self._application = application
        self._safe = safe

    def reference(self, name: str, *, field: str = "") -> Reference:
        """Build the reference to ``name``."""
        return Reference("ccp", f"{self._application}/{self._safe}/{check_name(name)}", (), field)

    def name_of(self, reference: Reference) -> str:
        """Give the name that ``reference`` means here."""
        start = f"{self._application}/{self._safe}/"
        if reference.scheme != "ccp" or not reference.path.startswith(start):
            raise NotFoundError(f"{reference} does not belong to the store {self.uri}")
        return check_name(reference.path.removeprefix(start))

    def describe(self, name: str) -> StoredSecret | None:
        """Tell about ``name``, or None; CCP has no way to ask without reading."""
        try:
            self._fetch(check_name(name))
        except NotFoundError:
            return None
        now = datetime.now(UTC)
        version = Version(CURRENT, now, frozenset({CURRENT}))
        return StoredSecret(name, self.reference(name), "cyberark", (version,), now)

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        """Refuse: CCP has no listing."""
        raise StoreError("CCP can't list what a safe holds", hint="look in the vault's own interface (PVWA)")

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        """Read a value; fails where the vault is about to change it, rather than give one that dies at once."""
        if stage != CURRENT or version not in (None, CURRENT):
            raise NotFoundError(f"CCP knows only the current version of {name}")
        content = self._fetch(check_name(name)).get("Content")
        if not isinstance(content, str) or not content:
            raise StoreError(f"the answer about {name} holds no value")
        return Secret.from_text(content)

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        """Refuse: CCP only reads."""
        self._refuse()

    def promote(self, name: str, version: str, *, expect: str) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def unstage(self, name: str, stage: str) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def expire(self, name: str, at: datetime | None) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def mark_due(self, name: str, at: datetime | None) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def adopt(self, name: str) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def restore(self, name: str) -> None:
        """Refuse: CCP only reads."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreError(f"{self.uri} can only be read", hint="store it in Conjur, or with the vault's own interface")

    def _fetch(self, name: str) -> dict[str, Any]:
        url = os.environ.get("CCP_URL", "").rstrip("/")
        if not url:
            raise StoreError("no CCP server is set", hint="set CCP_URL to https://HOST")
        check_encrypted(url, "CCP_URL")
        query = {
            "AppID": self._application,
            "Safe": self._safe,
            "Folder": "Root",
            "Object": name,
            "FailRequestOnPasswordChange": "true",
        }
        for attempt in range(_TRIES):
            try:
                answer = self._ask(url, query)
            except requests.exceptions.RequestException as error:
                if isinstance(error, requests.exceptions.SSLError):
                    raise StoreError(
                        f"cannot read {name}: the certificate of {url} is not trusted, or ours is not",
                        hint=f"check CCP_CACERT, CCP_CLIENT_CERT and CCP_CLIENT_KEY; {CLOCK}",
                    ) from error
                if attempt == _TRIES - 1:
                    raise StoreError(
                        f"cannot read {name}: {url} can't be reached ({type(error).__name__})",
                        hint="check CCP_URL, CCP_CACERT, CCP_CLIENT_CERT and CCP_CLIENT_KEY",
                    ) from error
            else:
                if answer.status_code not in _PASSING or _code(answer) or attempt == _TRIES - 1:
                    return _document(name, url, answer)
            time.sleep(2**attempt / 4)
        raise AssertionError("unreachable")

    def _ask(self, url: str, query: dict[str, str]) -> requests.Response:
        certificate, key = os.environ.get("CCP_CLIENT_CERT"), os.environ.get("CCP_CLIENT_KEY")
        return bounded_session(_DEADLINE_SECONDS, "CCP_URL").get(
            f"{url}/AIMWebService/api/Accounts",
            params=query,
            cert=(certificate, key) if certificate and key else certificate,
            verify=os.environ.get("CCP_CACERT") or True,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )


def _code(answer: requests.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return ""
    return str(document.get("ErrorCode", "")) if isinstance(document, dict) else ""


def _document(name: str, url: str, answer: requests.Response) -> dict[str, Any]:
    code = _code(answer)
    if code == _ABSENT or (answer.status_code == 404 and not code):
        raise NotFoundError(f"no account {name} that this application may read", hint="check the safe's members")
    if code == _SEVERAL:
        raise StoreError(f"{name} means several accounts", hint="name the account's object exactly")
    if code == _DENIED or answer.status_code in (401, 403):
        raise AccessDeniedError(f"{url} does not let this application read {name} ({code or answer.status_code})")
    if answer.status_code != 200:
        raise StoreError(f"cannot read {name}: {url} answers {answer.status_code} {code}".rstrip())
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StoreError(f"cannot read {name}: {url} does not answer in JSON")
    if str(document.get("PasswordChangeInProcess", "")).lower() == "true":
        raise StoreError(f"the value of {name} is being changed right now", hint="try again in a minute")
    return document
