"""Keys of Google Cloud service accounts, by the documented IAM API: create, use (a signed JWT), disable, delete.

The stored value is the key file. Google makes the key, so a cut call may leave one whose private half nobody has: it is
found by comparing the account's keys with those before. Only Google's own hosts are asked: the addresses that a key
file names (``token_uri`` and others) may be an attacker's.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.declared import json_of
from hygiene.rotate.jsonapi import JsonApi, RefusedError
from hygiene.rotate.net import HttpRequest, fetch
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_IAM, _TOKENS = "https://iam.googleapis.com", "https://oauth2.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SECONDS = 3600  # the longest that Google lets an assertion live
_EMAIL = re.compile(r"[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{1,190}\Z")
_KEY_ID = re.compile(r"[0-9a-f]{16,64}\Z")
_DEAD = ("Invalid JWT Signature", "account not found")


class GcpServiceAccountProvider:
    """User-managed keys of one service account."""

    name = "gcp_service_account"
    abilities = Abilities(overlap=True, self_service=True, idempotent_issue=False, prepares=False, propagation=120.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; label address: another server for all calls (an emulator), which hosts must allow."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to Google."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Create a key for the same account."""
        file = _key_file(current)
        body = {"privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE", "keyAlgorithm": "KEY_ALG_RSA_2048"}
        made = self._call("POST", current, _keys_of(file), body)
        try:
            told = json.loads(base64.b64decode(made["privateKeyData"], validate=True))
            new = with_fields(current, {**file, **told})
            if _key_file(new)["client_email"] != file["client_email"] or new == current:
                raise ProviderError("the new key is of another account")
        except (KeyError, TypeError, ValueError, ProviderError):
            raise OutcomeUnknownError("Google's answer holds no key file of this account") from None
        return new

    def verify(self, secret: Secret) -> Check:
        """Exchange a signed assertion for a token, which is thrown away."""
        try:
            file = _key_file(secret)
            answer = self._exchange(file)
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        told = json_of(answer)
        told = told if isinstance(told, dict) else {}
        if answer.status == 200 and told.get("access_token"):
            return Check(Verdict.LIVE, "Google gave a token", identity=file["client_email"])
        words = str(told.get("error_description", ""))
        if answer.status == 400 and told.get("error") == "invalid_grant" and any(text in words for text in _DEAD):
            return Check(Verdict.DEAD, f"Google answered {words[:80]!r}", identity=file["client_email"])
        if "iat and exp" in words:
            return Check(Verdict.UNKNOWN, "the clock of this machine is wrong")
        return Check(Verdict.UNKNOWN, answer.problem or f"HTTP {answer.status}")

    def revoke(self, old: Secret, current: Secret) -> None:
        """Disable the old key, which can be undone, then delete it, which can't."""
        file = _key_file(old)
        if file["private_key_id"] == _key_file(current)["private_key_id"]:
            raise ProviderError("the old and the current key are the same")
        self._end(current, file, delete=True)

    def kill(self, secret: Secret) -> None:
        """Disable the key: nobody can use it, and it can still be brought back."""
        self._end(secret, _key_file(secret), delete=False)

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the account's own keys, without those that Google manages."""
        path = f"{_keys_of(_key_file(current))}?{urlencode({'keyTypes': 'USER_MANAGED'})}"
        keys = self._call("GET", current, path).get("keys", [])
        return frozenset(str(key["name"]).rpartition("/")[2] for key in keys if isinstance(key, dict) and "name" in key)

    def discard(self, identifier: str, current: Secret) -> None:
        """Remove a key that appeared while an answer was lost."""
        self._end(current, {**_key_file(current), "private_key_id": identifier}, delete=True)

    def _end(self, current: Secret, file: dict[str, Any], *, delete: bool) -> None:
        key = f"{_keys_of(file)}/{file['private_key_id']}"
        for method, path in (("POST", f"{key}:disable"), ("DELETE", key)) if delete else (("POST", f"{key}:disable"),):
            try:
                self._call(method, current, path, {} if method == "POST" else None)
            except RefusedError as error:
                if error.status != 404:  # gone already
                    raise

    def _call(self, method: str, current: Secret, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token(current)}"}
        base, fixed = self._base(_IAM)
        allowed = (_IAM,) if fixed else self._target.hosts
        answer = JsonApi(self.name, base, allowed, public=fixed).call(method, path, headers=headers, body=body)
        if not isinstance(answer.value, dict):
            raise OutcomeUnknownError("Google's answer is not an object of JSON")
        return answer.value

    def _token(self, current: Secret) -> str:
        """Exchange the admin's key, or the current one, for a token that may manage keys."""
        answer = self._exchange(_key_file(self._target.admin or current))
        told = json_of(answer)
        if answer.status != 200 or not isinstance(told, dict) or not told.get("access_token"):
            raise ProviderError(f"Google gave no token: {answer.problem or f'HTTP {answer.status}'}")
        return str(told["access_token"])

    def _exchange(self, file: dict[str, Any]) -> Any:
        base, fixed = self._base(_TOKENS)
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": _assertion(file, f"{_TOKENS}/token", time.time()),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return fetch(HttpRequest("POST", f"{base}/token", headers, urlencode(form).encode()), private=not fixed)

    def _base(self, fixed: str) -> tuple[str, bool]:
        address = self._target.labels.get("address", "").rstrip("/")
        if not address:
            return fixed, True
        if address not in self._target.hosts:
            raise ProviderError(
                f"{address} is not a host that the configuration allows",
                hint=f'allow it: [providers.{self.name}] hosts = ["{address}"]',
            )
        return address, False


def _key_file(secret: Secret) -> dict[str, Any]:
    fields = fields_of(secret) or {}
    if not (
        fields.get("type") == "service_account"
        and _EMAIL.match(str(fields.get("client_email", "")))
        and _KEY_ID.match(str(fields.get("private_key_id", "")))
        and isinstance(fields.get("private_key"), str)
    ):
        raise ProviderError("the stored value is not the key file of a service account (JSON)")
    return fields


def _keys_of(file: dict[str, Any]) -> str:
    return f"/v1/projects/-/serviceAccounts/{quote(file['client_email'], safe='@')}/keys"


def _assertion(file: dict[str, Any], audience: str, now: float) -> str:
    """Sign a claim to be the account (RFC 7523, RS256)."""
    try:
        key = serialization.load_pem_private_key(file["private_key"].encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ProviderError("the key file's private key can't be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ProviderError("the key file's private key is not an RSA key")
    head = {"alg": "RS256", "typ": "JWT", "kid": file["private_key_id"]}
    claims = {
        "iss": file["client_email"],
        "scope": _SCOPE,
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + _SECONDS,
    }
    text = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return f"{text}.{_base64url(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
