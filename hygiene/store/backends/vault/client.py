"""The connection to Vault or OpenBao: address, login, bounded retries, and the server's errors in our words.

Login, first that is there: ``VAULT_TOKEN`` or ``BAO_TOKEN``, a JWT (``VAULT_ROLE`` with ``HYGIENE_ID_TOKEN``,
``VAULT_JWT``, or GitHub's own OIDC endpoint), AppRole (``VAULT_ROLE_ID``, ``VAULT_SECRET_ID``), the configured
token helper, the token file of ``vault login`` or ``bao login``.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import requests
from urllib3.util import Retry

from hygiene.errors import AccessDeniedError, ConflictError, NotFoundError, StoreError
from hygiene.store.backends.vault.logins import audience
from hygiene.store.httpadapter import bounded_session
from hygiene.store.transport import CLOCK, check_encrypted

_TIMEOUT_SECONDS = 15
_DEADLINE_SECONDS = 90  # for a request with all its retries
_READINGS = 3
_LONGEST_WAIT_SECONDS = 10.0
_DEFAULT_ADDRESS = "https://127.0.0.1:8200"
_HELPER = re.compile(r'^\s*token_helper\s*=\s*"([^"]+)"', re.MULTILINE)


class Connection:
    """A client that logs in when it is first used, and once more when its token has run out."""

    def __init__(self, client: hvac.Client) -> None:
        """Use :func:`connect`."""
        self._client = client
        self._login: Callable[[hvac.Client], None] | None = None
        self._ready = False

    @property
    def address(self) -> str:
        """The server's address."""
        return str(self._client.url)

    def call(self, what: str, action: Callable[[hvac.Client], Any], *, writes: bool = False) -> Any:
        """Do ``action`` with a logged-in client; errors say ``what`` could not be done."""
        with translated(what, self.address, writes=writes):
            if not self._ready:
                self._login = _log_in(self._client)
                self._ready = True
            try:
                return self._answered(action, tries=1 if writes else _READINGS)
            except hvac.exceptions.Forbidden:
                if self._login is None:
                    raise
                self._login(self._client)
                return action(self._client)

    def _answered(self, action: Callable[[hvac.Client], Any], tries: int) -> Any:
        """Do ``action``, once more where its answer broke off in the middle, which the adapter's retries don't see."""
        for _ in range(tries - 1):
            with suppress(requests.exceptions.ChunkedEncodingError):
                return action(self._client)
        return action(self._client)

    def patch(self, what: str, path: str, body: dict[str, Any]) -> None:
        """Change some fields of ``path`` by a JSON merge patch (RFC 7396)."""
        headers = {"Content-Type": "application/merge-patch+json"}
        self.call(
            what,
            lambda client: client.adapter.request("patch", f"/v1/{path}", headers=headers, json=body),
            writes=True,
        )


def connect() -> Connection:
    """Make a client from ``VAULT_ADDR`` or ``BAO_ADDR``, and ``…_NAMESPACE``, ``…_CACERT``, ``…_CLIENT_CERT/KEY``."""
    address = _variable("ADDR") or _DEFAULT_ADDRESS
    check_encrypted(address, "VAULT_ADDR or BAO_ADDR")
    # hvac itself never retries. Writes are conditional or told apart by their token, so they may be, too.
    retry = _BoundedRetry(
        total=5,
        backoff_factor=0.3,
        status_forcelist=(412, 429, 502, 503),
        allowed_methods=None,
        raise_on_status=False,
    )
    certificate, key = _variable("CLIENT_CERT"), _variable("CLIENT_KEY")
    client = hvac.Client(
        url=address,
        token="",  # not hvac's own search, which reads one file only
        session=bounded_session(_DEADLINE_SECONDS, "VAULT_ADDR or BAO_ADDR", max_retries=retry),
        timeout=_TIMEOUT_SECONDS,
        namespace=_variable("NAMESPACE") or None,
        verify=_variable("CACERT") or True,
        cert=(certificate, key) if certificate and key else None,
    )
    return Connection(client)


@contextmanager
def translated(what: str, address: str, *, writes: bool = False) -> Iterator[None]:
    """Translate errors while doing ``what``; a server's own words may repeat what was sent, so they are not quoted."""
    try:
        yield
    except hvac.exceptions.Forbidden as error:
        raise AccessDeniedError(
            f"{address} does not allow to {what}",
            hint="policies of KV version 2 name MOUNT/data/… and MOUNT/metadata/…; hygiene access plan prints them",
        ) from error
    except hvac.exceptions.InvalidPath as error:
        raise NotFoundError(f"cannot {what}: {address} knows no such path") from error
    except hvac.exceptions.VaultDown as error:
        raise StoreError(f"cannot {what}: {address} is sealed or in maintenance") from error
    except hvac.exceptions.InvalidRequest as error:
        if "check-and-set" in str(error):
            raise ConflictError(f"cannot {what}: someone else wrote it meanwhile") from error
        raise StoreError(f"cannot {what}: {address} refuses the request as invalid") from error
    except hvac.exceptions.VaultError as error:
        raise StoreError(f"cannot {what}: {address} answers {type(error).__name__}") from error
    except requests.exceptions.SSLError as error:
        raise StoreError(
            f"cannot {what}: the certificate of {address} is not trusted",
            hint=f"set VAULT_CACERT to your CA's file; {CLOCK}",
        ) from error
    except (requests.exceptions.RequestException, ValueError) as error:
        unknown = "; whether it was written is not known, and trying again is safe" if writes else ""
        raise StoreError(
            f"cannot {what}: {address} can't be reached, or answers nonsense ({type(error).__name__}){unknown}",
            hint="check VAULT_ADDR (or BAO_ADDR) and the network",
        ) from error


class _BoundedRetry(Retry):
    """Honours Retry-After, but no longer than a person would wait."""

    def get_retry_after(self, response: Any) -> float | None:
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, _LONGEST_WAIT_SECONDS)


def _variable(name: str) -> str:
    return os.environ.get(f"VAULT_{name}") or os.environ.get(f"BAO_{name}") or ""


def _log_in(client: hvac.Client) -> Callable[[hvac.Client], None] | None:
    """Log ``client`` in; gives what logs it in again, where that is possible without a person."""
    token = _variable("TOKEN")
    if token:
        client.token = token
        return None
    role = _variable("ROLE")
    login: Callable[[hvac.Client], None]
    if role and (jwt := _identity_token()):
        login = lambda c: _set(c, c.auth.jwt.jwt_login(role=role, jwt=jwt, path=_variable("AUTH_PATH") or None))  # noqa: E731
    elif _variable("ROLE_ID"):
        login = lambda c: _set(  # noqa: E731
            c, c.auth.approle.login(_variable("ROLE_ID"), _variable("SECRET_ID"), mount_point=_approle_mount())
        )
    else:
        client.token = _helper_token() or _file_token()
        if not client.token:
            raise StoreError(
                f"not logged in to {client.url}",
                hint="set VAULT_TOKEN, or VAULT_ROLE with an ID token, or VAULT_ROLE_ID and VAULT_SECRET_ID, or log in",
            )
        return None
    login(client)
    return login


def _set(client: hvac.Client, answer: dict[str, Any]) -> None:
    client.token = answer["auth"]["client_token"]


def _approle_mount() -> str:
    return _variable("AUTH_PATH") or "approle"


def _identity_token() -> str:
    for name in ("HYGIENE_ID_TOKEN", "VAULT_JWT", "BAO_JWT"):
        if os.environ.get(name):
            return os.environ[name]
    url, bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not bearer:
        return ""
    answer = bounded_session(_TIMEOUT_SECONDS, "ACTIONS_ID_TOKEN_REQUEST_URL").get(
        url,
        params={"audience": audience()},
        headers={"Authorization": f"bearer {bearer}"},
        timeout=_TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return str(answer.json()["value"])


def _helper_token() -> str:
    for file in (".vault", ".bao"):
        try:
            found = _HELPER.search((Path.home() / file).read_text())
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            try:
                done = subprocess.run([found.group(1), "get"], capture_output=True, timeout=_TIMEOUT_SECONDS)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise StoreError(f"the token helper {found.group(1)} can't be run") from error
            return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""
    return ""


def _file_token() -> str:
    for file in (".vault-token", ".bao-token"):
        try:
            return (Path.home() / file).read_text().strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""
