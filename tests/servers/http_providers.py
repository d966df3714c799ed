"""Providers' documented calls, as far as rotation needs them: what a credential is there, and who may change it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.servers.http_api import Call, Reply

DENIED = Reply(401, {"error": "unauthorized"})
MISSING = Reply(404, {"error": "not found"})


class FakeProvider:
    """Credentials by id; ``stored`` is the first of them as a store keeps it."""

    rule = ""
    issue: tuple[str, str] = ("", "")  # method and path of the call that makes a new one; none: by hand
    revoke: tuple[str, str] = ("", "")
    labels: Mapping[str, str] = {}
    admin = ""
    forbidden_is = "live"  # what 403 means to verify
    dead = DENIED

    def __init__(self) -> None:
        self.valid: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.issues = 0
        self.stored = self.make("first")

    def make(self, name: str) -> str:
        """Make a credential, and give it as it is stored."""
        identifier, value = secrets.token_hex(6), self.value()
        self.valid[identifier] = value
        self.names[identifier] = name
        return value

    def value(self) -> str:
        return "".join(("tok_", secrets.token_hex(16)))

    def live(self) -> set[str]:
        """The values that open something."""
        return set(self.valid.values())

    def identified(self, value: str) -> str:
        """Which id a presented value belongs to, or ""."""
        return next((name for name, known in self.valid.items() if known == value), "")

    def issued(self, name: str) -> tuple[str, str]:
        """Make one more; id and value."""
        self.issues += 1
        value = self.make(name)
        return self.identified(value), value

    def __call__(self, call: Call) -> Reply:
        raise NotImplementedError


class Pair(FakeProvider):
    """Stored as an object of id and secret."""

    def __init__(self) -> None:
        super().__init__()
        self.stored = json.dumps({"id": self.identified(self.stored), "secret": self.stored})


class GitHub(FakeProvider):
    rule = "github-pat-classic"
    revoke = ("POST", "/credentials/revoke")

    def __call__(self, call: Call) -> Reply:
        if call.path == "/user":
            scopes = {"X-OAuth-Scopes": "repo, read:org"}
            return Reply(200, {"login": "ann"}, scopes) if self.identified(call.bearer) else self.dead
        for value in call.body["credentials"]:
            self.valid.pop(self.identified(value), None)
        return Reply(202)


class HuggingFace(GitHub):
    rule = "huggingface-token"
    revoke = ("POST", "/api/credentials/revoke")

    def __call__(self, call: Call) -> Reply:
        if call.path == "/api/whoami-v2":
            told = {"name": "ann", "auth": {"accessToken": {"role": "write"}}}
            return Reply(200, told) if self.identified(call.bearer) else self.dead
        return super().__call__(call)


class GitLab(FakeProvider):
    rule = "gitlab-pat"
    issue = ("POST", "/api/v4/personal_access_tokens/self/rotate")

    def __init__(self) -> None:
        self.rotated: set[str] = set()
        super().__init__()

    def __call__(self, call: Call) -> Reply:
        token = call.headers.get("private-token", "")
        if token in self.rotated and call.method == "POST":
            self.valid.clear()  # reuse of a rotated token ends the whole family
            return self.dead
        identifier = self.identified(token)
        if not identifier:
            return self.dead
        if call.method == "GET":
            return Reply(200, {"name": "deploy", "scopes": ["api"]})
        self.valid.pop(identifier)
        if call.method == "DELETE":
            return Reply(204)
        self.rotated.add(token)
        return Reply(200, {"id": 2, "token": self.issued("deploy")[1]})


class Slack(FakeProvider):
    rule = "slack-bot-token"
    forbidden_is = "unknown"  # it says everything with a 200
    revoke = ("POST", "/api/auth.revoke")
    dead = Reply(200, {"ok": False, "error": "token_revoked"})

    def __call__(self, call: Call) -> Reply:
        identifier = self.identified(call.bearer)
        if not identifier:
            return self._said({"ok": False, "error": "token_revoked"})
        if call.path == "/api/auth.test":
            return self._said({"ok": True, "user": "bot", "team": "shop"})
        self.valid.pop(identifier)
        return self._said({"ok": True, "revoked": True})

    def _said(self, value: dict[str, Any]) -> Reply:
        return Reply(200, json.dumps(value, separators=(",", ":")).encode())  # as Slack writes it


class Twilio(FakeProvider):
    rule = "twilio-auth-token"
    issue = ("POST", "/v1/AuthTokens/Secondary")
    revoke = ("POST", "/v1/AuthTokens/Promote")
    labels: Mapping[str, str] = {"account": "AC" + "0" * 32}
    dead = Reply(401, {"code": 20003, "message": "Authenticate"})

    def __call__(self, call: Call) -> Reply:
        account, token = call.basic
        identifier = self.identified(token)
        if account != self.labels["account"] or not identifier:
            return self.dead
        others = [name for name in self.valid if self.names[name] == "secondary"]
        if call.method == "GET":
            return Reply(200, {"friendly_name": "shop"})
        if call.method == "DELETE":
            for name in others:
                self.valid.pop(name)
            return Reply(204) if others else MISSING
        if call.path.endswith("Promote"):
            if not others:
                return Reply(400, {"code": 20001})
            self.valid = {others[0]: self.valid[others[0]]}
            self.names[others[0]] = "primary"
            return Reply(200, {"auth_token": self.valid[others[0]]})
        if others:
            return Reply(400, {"code": 20001})
        return Reply(201, {"secondary_auth_token": self.issued("secondary")[1]})


class SendGrid(FakeProvider):
    rule = "sendgrid-key"
    issue = ("POST", "/v3/api_keys")
    revoke = ("DELETE", "/v3/api_keys/")
    scopes: Sequence[str] = ["mail.send", "api_keys.create", "api_keys.delete", "api_keys.read"]

    def make(self, name: str) -> str:
        identifier = secrets.token_urlsafe(16)
        self.valid[identifier] = f"SG.{identifier}.{secrets.token_urlsafe(32)}"
        self.names[identifier] = name
        return self.valid[identifier]

    def __call__(self, call: Call) -> Reply:
        if not self.identified(call.bearer):
            return self.dead
        if call.path == "/v3/scopes":
            return Reply(200, {"scopes": self.scopes})
        if call.method == "GET":
            return Reply(200, {"result": [{"api_key_id": k, "name": self.names[k]} for k in self.valid]})
        if call.method == "DELETE":
            return Reply(204) if self.valid.pop(call.path.rpartition("/")[2], None) else MISSING
        assert call.body["scopes"] == self.scopes, "a new key may not more than the old one"
        identifier, value = self.issued(call.body["name"])
        return Reply(201, {"api_key": value, "api_key_id": identifier, "name": call.body["name"]})


class Cloudflare(FakeProvider):
    rule = "cloudflare-user-token"
    forbidden_is = "unknown"
    issue = ("PUT", "/client/v4/user/tokens/")

    def __call__(self, call: Call) -> Reply:
        identifier = self.identified(call.bearer)
        if not identifier:
            return self.dead
        if call.path.endswith("/verify"):
            text = json.dumps(
                {"result": {"id": identifier, "status": "active"}, "success": True}, separators=(",", ":")
            )
            return Reply(200, text.encode())
        self.issues += 1
        self.valid[identifier] = self.value()
        told = {"result": self.valid[identifier], "success": True}
        return Reply(200, json.dumps(told, separators=(",", ":")).encode())


class Datadog(FakeProvider):
    rule = "datadog-api-key"
    issue = ("POST", "/api/v2/api_keys")
    revoke = ("DELETE", "/api/v2/api_keys/")
    admin = json.dumps({"api_key": "admin-api", "app_key": "admin-app"})
    forbidden_is = "dead"  # as its documentation says
    dead = Reply(403, {"errors": ["Forbidden"]})

    def value(self) -> str:
        return secrets.token_hex(16)

    def __call__(self, call: Call) -> Reply:
        key = call.headers.get("dd-api-key", "")
        if call.path == "/api/v1/validate":
            return Reply(200, {"valid": True}) if self.identified(key) else self.dead
        if (key, call.headers.get("dd-application-key")) != ("admin-api", "admin-app"):
            return self.dead
        if call.method == "GET":
            listed = [{"id": k, "attributes": {"name": self.names[k], "last4": v[-4:]}} for k, v in self.valid.items()]
            return Reply(200, {"data": listed})
        if call.method == "DELETE":
            return Reply(204) if self.valid.pop(call.path.rpartition("/")[2], None) else MISSING
        identifier, value = self.issued(call.body["data"]["attributes"]["name"])
        return Reply(201, {"data": {"id": identifier, "attributes": {"key": value}}})


class DigitalOcean(FakeProvider):
    rule = "digitalocean-pat"
    revoke = ("POST", "/v1/oauth/revoke")

    def __call__(self, call: Call) -> Reply:
        identifier = self.identified(call.bearer)
        if not identifier:
            return self.dead
        if call.path == "/v2/account":
            return Reply(200, {"account": {"email": "ann@example.org"}})
        self.valid.pop(self.identified(call.body["token"]), None)
        return Reply(200, {})


class Heroku(Pair):
    rule = "heroku-key"
    issue = ("POST", "/oauth/authorizations/")

    def __call__(self, call: Call) -> Reply:
        if not self.identified(call.bearer):
            return self.dead
        if call.path == "/account":
            return Reply(200, {"email": "ann@example.org"})
        identifier = call.path.split("/")[3]
        self.issues += 1
        self.valid[identifier] = self.value()
        return Reply(200, {"id": identifier, "access_token": {"token": self.valid[identifier]}})


class Mailgun(FakeProvider):
    rule = "mailgun-key-new"
    issue = ("POST", "/v1/keys")
    revoke = ("DELETE", "/v1/keys/")
    labels: Mapping[str, str] = {"role": "developer"}

    def make(self, name: str) -> str:
        identifier = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"
        self.valid[identifier] = f"{secrets.token_hex(16)}-{identifier}"
        self.names[identifier] = name
        return self.valid[identifier]

    def __call__(self, call: Call) -> Reply:
        user, key = call.basic
        if user != "api" or not self.identified(key):
            return self.dead
        if call.path == "/v3/domains":
            return Reply(200, {"items": []})
        if call.method == "GET":
            return Reply(200, {"items": [{"id": k, "description": self.names[k]} for k in self.valid]})
        if call.method == "DELETE":
            return Reply(200) if self.valid.pop(call.path.rpartition("/")[2], None) else MISSING
        assert call.body["role"] == "developer"
        identifier, value = self.issued(call.body["description"])
        return Reply(200, {"key": {"id": identifier, "secret": value}})


class Doppler(FakeProvider):
    rule = "doppler-token"
    issue = ("POST", "/v3/configs/config/tokens")
    revoke = ("POST", "/v3/auth/revoke")
    labels: Mapping[str, str] = {"project": "shop", "config": "prd", "access": "read"}
    admin = "dp-admin"

    def __call__(self, call: Call) -> Reply:
        if call.path == "/v3/me":
            return Reply(200, {"name": "ci"}) if self.identified(call.bearer) else self.dead
        if call.path == "/v3/auth/revoke":
            return Reply(200 if self.valid.pop(self.identified(call.body["token"]), None) else 400, {})
        if call.bearer != self.admin:
            return self.dead
        if call.method == "GET":
            assert call.query == {"project": "shop", "config": "prd"}
            return Reply(200, {"tokens": [{"slug": k, "name": self.names[k]} for k in self.valid]})
        if call.method == "DELETE":
            return Reply(204) if self.valid.pop(call.body["slug"], None) else MISSING
        return Reply(200, {"token": {"key": self.issued(call.body["name"])[1]}})


class Grafana(Pair):
    rule = "grafana-service-account-token"
    issue = ("POST", "/api/serviceaccounts/7/tokens")
    revoke = ("DELETE", "/api/serviceaccounts/7/tokens/")
    labels: Mapping[str, str] = {"account": "7"}

    def __call__(self, call: Call) -> Reply:
        if not self.identified(call.bearer):
            return self.dead
        if call.path.endswith("/permissions"):
            return Reply(200, {"serviceaccounts:write": ["*"]})
        if call.method == "GET":
            return Reply(200, [{"id": k, "name": self.names[k]} for k in self.valid])
        if call.method == "DELETE":
            return Reply(200) if self.valid.pop(call.path.rpartition("/")[2], None) else MISSING
        identifier, value = self.issued(call.body["name"])
        return Reply(200, {"id": identifier, "key": value})


class TerraformCloud(Pair):
    rule = "terraform-token"
    issue = ("POST", "/api/v2/users/user-1/authentication-tokens")
    revoke = ("DELETE", "/api/v2/authentication-tokens/")

    def __call__(self, call: Call) -> Reply:
        if not self.identified(call.bearer):
            return self.dead
        if call.path == "/api/v2/account/details":
            return Reply(200, {"data": {"id": "user-1", "attributes": {"username": "ann"}}})
        if call.method == "GET":
            listed = [{"id": k, "attributes": {"description": self.names[k]}} for k in self.valid]
            return Reply(200, {"data": listed})
        if call.method == "DELETE":
            return Reply(204) if self.valid.pop(call.path.rpartition("/")[2], None) else MISSING
        identifier, value = self.issued(call.body["data"]["attributes"]["description"])
        return Reply(201, {"data": {"id": identifier, "attributes": {"token": value}}})


class AzureEntra(FakeProvider):
    rule = "azure-entra-client-secret"
    issue = ("POST", "/v1.0/applications/obj-1/addPassword")
    revoke = ("POST", "/v1.0/applications/obj-1/removePassword")
    dead = Reply(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"})
    forbidden_is = "unknown"

    def __init__(self) -> None:
        self.access: dict[str, str] = {}
        super().__init__()
        fields = {"tenant": "t-1", "client_id": "c-1", "object": "obj-1", "id": self.identified(self.stored)}
        self.stored = json.dumps({**fields, "client_secret": self.stored})

    def __call__(self, call: Call) -> Reply:
        if call.path == "/t-1/oauth2/v2.0/token":
            if not (identifier := self.identified(call.body["client_secret"])) or call.body["client_id"] != "c-1":
                return self.dead
            token = secrets.token_hex(8)
            self.access[token] = identifier
            return Reply(200, {"access_token": token, "token_type": "Bearer"})
        if self.access.get(call.bearer) not in self.valid:
            return DENIED
        if call.method == "GET":
            listed = [{"keyId": k, "displayName": self.names[k], "hint": v[:3]} for k, v in self.valid.items()]
            return Reply(200, {"passwordCredentials": listed})
        if call.path.endswith("removePassword"):
            return Reply(204) if self.valid.pop(call.body["keyId"], None) else MISSING
        identifier, value = self.issued(call.body["passwordCredential"]["displayName"])
        return Reply(200, {"keyId": identifier, "secretText": value})


class Npm(FakeProvider):
    rule = "npm-token"

    def __call__(self, call: Call) -> Reply:
        return Reply(200, {"username": "ann"}) if self.identified(call.bearer) else self.dead


class Stripe(FakeProvider):
    rule = "stripe-secret-key"

    def __call__(self, call: Call) -> Reply:
        return Reply(200, {"data": []}) if self.identified(call.bearer) else self.dead


PROVIDERS: dict[str, Callable[[], FakeProvider]] = {
    kind.__name__: kind
    for kind in (
        GitHub, GitLab, Slack, Twilio, SendGrid, Cloudflare, Npm, Datadog, DigitalOcean, Heroku, Mailgun, HuggingFace,
        Doppler, Grafana, TerraformCloud, AzureEntra, Stripe,
    )
}  # fmt: skip
