"""Google Cloud's documented calls for keys of service accounts: tokens for signed assertions, and the keys of IAM."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.servers.http_api import Call, Reply

MOST_KEYS = 10
AUDIENCE = "https://oauth2.googleapis.com/token"


class Gcp:
    """One service account, its user-managed keys, and the tokens that were given for them."""

    issue = ("POST", "/v1/projects/")

    def __init__(self) -> None:
        self.email = "deploy@shop.iam.gserviceaccount.com"
        self.keys: dict[str, tuple[rsa.RSAPublicKey, bool]] = {}  # by id: public half, and whether it is disabled
        self.tokens: set[str] = set()
        self.made = 0
        self.clock = 0.0  # how many seconds Google's clock is ahead
        self.stored = json.dumps(self.make())

    def make(self) -> dict[str, Any]:
        """Make a key, and give its file."""
        private = rsa.generate_private_key(65537, 2048)
        identifier = secrets.token_hex(20)
        self.keys[identifier] = (private.public_key(), False)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": "shop",
            "private_key_id": identifier,
            "private_key": pem.decode(),
            "client_email": self.email,
            "token_uri": "http://169.254.169.254/token",  # whoever planted the file chose it
        }

    def live(self) -> set[str]:
        """The ids of the keys that open something."""
        return {name for name, (_, disabled) in self.keys.items() if not disabled}

    def __call__(self, call: Call) -> Reply:
        if call.path == "/token":
            return self._token(call)
        assert call.headers["authorization"].startswith("Bearer ")
        if call.bearer not in self.tokens:
            return Reply(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        base = f"/v1/projects/-/serviceAccounts/{self.email}/keys"
        assert call.path.startswith(base), call.path
        name, _, verb = call.path.removeprefix(base).strip("/").partition(":")
        if call.method == "GET":
            assert call.query == {"keyTypes": "USER_MANAGED"}
            return Reply(200, {"keys": [{"name": f"{base[4:]}/{one}", "keyType": "USER_MANAGED"} for one in self.keys]})
        if not name:
            return self._create(call, base)
        if name not in self.keys:
            return Reply(404, {"error": {"code": 404, "status": "NOT_FOUND"}})
        if verb == "disable":
            self.keys[name] = (self.keys[name][0], True)
        else:
            assert call.method == "DELETE"
            del self.keys[name]
        return Reply(200, {})

    def _create(self, call: Call, base: str) -> Reply:
        assert call.body["privateKeyType"] == "TYPE_GOOGLE_CREDENTIALS_FILE"
        if len(self.keys) >= MOST_KEYS:
            return Reply(400, {"error": {"code": 400, "status": "FAILED_PRECONDITION"}})
        self.made += 1
        file = self.make()
        data = base64.b64encode(json.dumps(file, indent=2).encode()).decode()
        return Reply(200, {"name": f"{base[4:]}/{file['private_key_id']}", "privateKeyData": data})

    def _token(self, call: Call) -> Reply:
        assert call.body["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        text, _, signature = call.body["assertion"].rpartition(".")
        head, claims = (json.loads(_decoded(part)) for part in text.split("."))
        now = time.time() + self.clock
        if claims["aud"] != AUDIENCE or claims["iss"] != self.email:
            return _refused("Invalid grant: account not found")
        if not claims["iat"] - 300 <= now <= claims["exp"] or claims["exp"] - claims["iat"] > 3600:
            return _refused(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim."
            )
        key, disabled = self.keys.get(head["kid"], (None, True))
        try:
            assert head["alg"] == "RS256" and key is not None and not disabled
            key.verify(_decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (AssertionError, InvalidSignature):
            return _refused("Invalid JWT Signature.")
        token = "ya29." + secrets.token_urlsafe(24)
        self.tokens.add(token)
        return Reply(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


def _refused(words: str) -> Reply:
    return Reply(400, {"error": "invalid_grant", "error_description": words})


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
