"""The connection to Conjur: login, bounded retries, and the server's errors in our words.

``CONJUR_APPLIANCE_URL``, ``CONJUR_ACCOUNT``, ``CONJUR_CERT_FILE``; ``CONJUR_AUTHN_LOGIN`` with
``CONJUR_AUTHN_API_KEY``, or ``CONJUR_AUTHN_JWT_SERVICE_ID`` with an identity token (``HYGIENE_ID_TOKEN``,
``CONJUR_AUTHN_JWT_TOKEN``, or the file ``JWT_TOKEN_PATH``).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from conjur_api import Client
from conjur_api.errors.errors import HttpError, HttpSslError, HttpStatusError, MissingRequiredParameterException
from conjur_api.models import ConjurConnectionInfo, CredentialsData, SslVerificationMode
from conjur_api.providers import AuthnAuthenticationStrategy, JWTAuthenticationStrategy, SimpleCredentialsProvider

from hygiene.deadline import within
from hygiene.errors import AccessDeniedError, NotFoundError, StoreError
from hygiene.store.transport import CLOCK, check_encrypted

_TRIES = 5
_DEADLINE_SECONDS = 30  # for one try; conjur-api's own is 20 for each of the requests that it makes
_LONGEST_WAIT_SECONDS = 10.0
_PASSING = (409, 429, 502, 503)  # 409: another policy is being loaded
_PAGE = 500


class Connection:
    """Conjur as far as a store needs it; conjur-api itself never retries."""

    def __init__(self, client: Client, url: str, account: str) -> None:
        """Use :func:`connect`."""
        self._client = client
        self.url = url
        self.account = account

    def get(self, id: str) -> bytes | None:
        """Read a variable; None where it is absent, has no value, or must not be known of (Conjur says 404 for all)."""
        try:
            value = self._call(f"read {id}", lambda: self._client.get(id))
        except NotFoundError:
            return None
        except UnicodeDecodeError:
            raise StoreError(f"the value of {id} is no text, which conjur-api can't read") from None
        return bytes(value)

    def set(self, id: str, value: bytes) -> None:
        """Give a variable its value."""
        self._call(f"write {id}", lambda: self._client.set(id, value), writes=True)

    def variable(self, id: str) -> dict[str, Any] | None:
        """Tell about a variable, or None."""
        try:
            found: dict[str, Any] = self._call(f"look at {id}", lambda: self._client.get_resource("variable", id))
        except NotFoundError:
            return None
        if not str(found["id"]).endswith(f":{id}"):
            raise StoreError(f"{self.url} was asked for {id} and tells of something else")
        return found

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Tell about all resources of ``kind`` (variable, group, …) that may be seen."""
        found: list[dict[str, Any]] = []
        former: list[dict[str, Any]] = []
        while True:
            constraints = {"kind": kind, "limit": _PAGE, "offset": len(found), "inspect": True}
            page = self._call(f"list {kind}s", partial(self._client.list, constraints))
            if page and page == former:
                raise StoreError(f"{self.url} gives the same page of {kind}s again and again")
            found += page
            if len(page) < _PAGE:
                return found
            former = page

    def load(self, branch: str, policy: str, *, rehearse: bool = True) -> None:
        """Add ``policy`` to ``branch`` after a dry run; never replaces, so nothing is deleted that is not named."""
        self._load(branch, policy, self._client.load_policy_file, rehearse)

    def update(self, branch: str, policy: str, *, rehearse: bool = False) -> None:
        """Change ``branch`` by ``policy``, which may hold ``!delete`` and new annotations."""
        self._load(branch, policy, self._client.update_policy_file, rehearse)

    def _load(self, branch: str, policy: str, method: Callable[..., Awaitable[Any]], rehearse: bool) -> None:
        # conjur-api takes a file. It holds names and annotations, no values.
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="hygiene-policy-") as file:
            file.write(policy)
            file.flush()
            if rehearse:
                self._rehearse(branch, lambda: method(branch, file.name, True))
            self._call(f"load the policy of {branch}", lambda: method(branch, file.name, False), writes=True)

    def _rehearse(self, branch: str, action: Callable[[], Awaitable[Any]]) -> None:
        try:
            self._call(f"rehearse the policy of {branch}", action)
        except StoreError:
            raise
        except Exception as error:
            # conjur-api raises a bare Exception where the server (older, or SaaS) has no dry run.
            if "dry_run" not in str(error):
                raise

    def _call(self, what: str, action: Callable[[], Awaitable[Any]], *, writes: bool = False) -> Any:
        for attempt in range(_TRIES):
            try:
                return within(_DEADLINE_SECONDS, lambda: asyncio.run(_awaited(action)))
            except HttpStatusError as error:
                if int(error.status) not in _PASSING or attempt == _TRIES - 1:
                    raise _status_error(what, self.url, int(error.status)) from error
                time.sleep(_wait_of(error, attempt))
            except HttpSslError as error:
                raise StoreError(
                    f"cannot {what}: the certificate of {self.url} is not trusted",
                    hint=f"set CONJUR_CERT_FILE; {CLOCK}",
                ) from error
            except (HttpError, OSError, TimeoutError) as error:
                if attempt == _TRIES - 1:
                    unknown = "; whether it was written is not known, and trying again is safe" if writes else ""
                    raise StoreError(
                        f"cannot {what}: {self.url} can't be reached ({type(error).__name__}){unknown}",
                        hint="check CONJUR_APPLIANCE_URL and the network",
                    ) from error
                time.sleep(2**attempt / 4)
            except MissingRequiredParameterException as error:
                raise StoreError(f"cannot {what}: not logged in to {self.url}", hint=_LOGIN_HINT) from error
        raise AssertionError("unreachable")


_LOGIN_HINT = "set CONJUR_AUTHN_LOGIN and CONJUR_AUTHN_API_KEY, or CONJUR_AUTHN_JWT_SERVICE_ID with an ID token"


def connect(account: str) -> Connection:
    """Make a client for ``account`` (empty: ``CONJUR_ACCOUNT``)."""
    url = os.environ.get("CONJUR_APPLIANCE_URL", "").rstrip("/")
    account = account or os.environ.get("CONJUR_ACCOUNT", "")
    if not url or not account:
        raise StoreError(
            "no Conjur server is set",
            hint="set CONJUR_APPLIANCE_URL, and CONJUR_ACCOUNT or write conjur://ACCOUNT/BRANCH",
        )
    check_encrypted(url, "CONJUR_APPLIANCE_URL")
    certificate = os.environ.get("CONJUR_CERT_FILE")
    service = os.environ.get("CONJUR_AUTHN_JWT_SERVICE_ID")
    client = Client(
        ConjurConnectionInfo(conjur_url=url, account=account, cert_file=certificate, service_id=service),
        ssl_verification_mode=SslVerificationMode.CA_BUNDLE if certificate else SslVerificationMode.TRUST_STORE,
        authn_strategy=JWTAuthenticationStrategy(_identity_token()) if service else _login(url),
    )
    return Connection(client, url, account)


def _login(url: str) -> AuthnAuthenticationStrategy:
    login, key = os.environ.get("CONJUR_AUTHN_LOGIN"), os.environ.get("CONJUR_AUTHN_API_KEY")
    if not login or not key:
        raise StoreError(f"not logged in to {url}", hint=_LOGIN_HINT)
    provider = SimpleCredentialsProvider()
    provider.save(CredentialsData(machine=url, username=login, api_key=key))
    return AuthnAuthenticationStrategy(provider)


def _identity_token() -> str:
    for name in ("HYGIENE_ID_TOKEN", "CONJUR_AUTHN_JWT_TOKEN"):
        if os.environ.get(name):
            return os.environ[name]
    path = os.environ.get("JWT_TOKEN_PATH")
    try:
        return Path(path).read_text().strip() if path else ""
    except OSError as error:
        raise StoreError(f"cannot read the identity token {path}: {error.strerror}") from error


async def _awaited(action: Callable[[], Awaitable[Any]]) -> Any:
    return await action()


def _wait_of(error: HttpStatusError, attempt: int) -> float:
    headers = getattr(error.__cause__, "headers", None) or {}
    try:
        asked = float(headers.get("Retry-After", ""))
    except ValueError:
        asked = 2**attempt / 4
    return min(max(asked, 0.0), _LONGEST_WAIT_SECONDS)


def _status_error(what: str, url: str, status: int) -> StoreError:
    if status == 401:
        return AccessDeniedError(f"cannot {what}: {url} does not accept the login", hint=_LOGIN_HINT)
    if status == 403:
        return AccessDeniedError(f"{url} does not allow to {what}", hint="a Conjur policy must permit it")
    if status == 404:
        return NotFoundError(f"cannot {what}: {url} knows no such thing, or may not say so")
    if status == 409:
        return StoreError(f"cannot {what}: policies are being loaded all the time", hint="try again in a minute")
    if status == 422:
        return StoreError(f"cannot {what}: {url} refuses it as invalid", hint="does the policy branch exist?")
    return StoreError(f"cannot {what}: {url} answers {status}")
