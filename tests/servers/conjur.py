"""An honest fake of Conjur: stateful, with privileges, and held to CyberArk's OpenAPI description in every exchange.

Each request and each response is validated by openapi-core against the description (it lies beside the checkout,
in ``shared/conjur-openapi``, or where ``CONJUR_OPENAPI`` says). What breaks it is kept in ``violations``, which the
fixture asserts to be empty. Not in the description, though the server has it: the dry run, and the start page with
the version.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml

ACCOUNT = "myorg"
BRANCH = "team/app"
_VERSION_PAGE = b"<html><body>Version 1.24.0-1049</body></html>"
_KEPT_VERSIONS = 20


def find_description() -> Path | None:
    """Find the OpenAPI description, or None."""
    root = Path(__file__).resolve().parents[2]
    places = [root.parent / "shared", root.parent.parent / "shared"]
    folders = [os.environ.get("CONJUR_OPENAPI", ""), *(str(place / "conjur-openapi") for place in places)]
    return next((Path(f) / "openapi.yml" for f in folders if f and (Path(f) / "openapi.yml").is_file()), None)


class Tagged:
    """A YAML node with a tag of Conjur's policy language."""

    def __init__(self, kind, value):
        self.kind, self.value = kind, value


class _Loader(yaml.SafeLoader):
    pass


def _tagged(loader, suffix, node):
    if isinstance(node, yaml.MappingNode):
        return Tagged(suffix, loader.construct_mapping(node, deep=True))
    return Tagged(suffix, loader.construct_scalar(node))


_Loader.add_multi_constructor("!", _tagged)


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status, **headers):
        super().__init__(str(status))
        self.status, self.headers = status, headers


class Conjur:
    """The state of the server."""

    def __init__(self, description: Path) -> None:
        import openapi_core

        # A value is bytes on the wire and a string in the description.
        readers = {"application/octet-stream": lambda body: body.decode("latin-1")}
        config = openapi_core.Config(extra_media_type_deserializers=readers)
        self.openapi = openapi_core.OpenAPI.from_file_path(str(description), config=config)
        self.url = ""
        self.violations: list[str] = []
        self.reset()

    def reset(self):
        self.keys = {"admin": _api_key(), "host/app": _api_key()}
        self.jwts = {"good.jwt.token": "host/ci"}
        self.tokens: dict[str, str] = {}
        self.variables: dict[str, dict[str, Any]] = {}
        self.branches = {"root", "team", BRANCH}
        self.permits: set[tuple[str, str, str]] = set()  # role, privilege, variable
        self.groups: dict[str, dict[str, Any]] = {}
        self.busy = 0  # so many policy loads answer 409 first
        self.failures: list[int] = []  # statuses to answer instead, one a request
        self.loads: list[tuple[str, bool]] = []  # method, dry run
        self.violations.clear()

    def may(self, login, privilege, id):
        if login == "admin" or (login, privilege, id) in self.permits:
            return True
        return any(login in g["members"] and (privilege, id) in g["permits"] for g in self.groups.values())

    # What the paths do; each gives status, content type, body.

    def authenticate(self, login, key):
        if self.keys.get(login) != key:
            raise Refused(401)
        return self._token(login)

    def authenticate_jwt(self, body):
        login = self.jwts.get(dict(parse_qsl(body)).get("jwt", ""))
        if login is None:
            raise Refused(401)
        return self._token(login)

    def _token(self, login):
        now = int(datetime.now(UTC).timestamp())
        payload = base64.b64encode(json.dumps({"sub": login, "iat": now, "exp": now + 480}).encode()).decode()
        token = json.dumps({"protected": "e30=", "payload": payload, "signature": secrets.token_hex(8)})
        self.tokens[base64.b64encode(token.encode()).decode()] = login
        return 200, "text/plain", token.encode()

    def read(self, login, id, version):
        variable = self.variables.get(id)
        # One that must not be known of is not told from one that is not there.
        if variable is None or not self.may(login, "execute", id):
            raise Refused(404)
        values = variable["values"]
        number = int(version) if version else len(values)
        if not 1 <= number <= len(values) or number <= len(values) - _KEPT_VERSIONS:
            raise Refused(404)
        return 200, "text/plain", values[number - 1]

    def write(self, login, id, value):
        if id not in self.variables or not self.may(login, "update", id):
            raise Refused(403 if id in self.variables else 422)
        if not value:
            raise Refused(422)
        values = self.variables[id]["values"]
        if not values or values[-1] != value:
            values.append(value)
        return 201, None, b""

    def show(self, login, id):
        if id not in self.variables or not any(self.may(login, p, id) for p in ("read", "execute", "update")):
            raise Refused(404)
        return 200, "application/json", json.dumps(self._resource(id)).encode()

    def list(self, login, query):
        if query.get("kind") == "group":
            groups = [self._resource(id) for id in sorted(self.groups)] if login == "admin" else []
            return 200, "application/json", json.dumps(groups[int(query.get("offset", 0)) :]).encode()
        if query.get("kind") != "variable":
            raise Refused(422)
        seen = [id for id in sorted(self.variables) if self.may(login, "execute", id) or self.may(login, "read", id)]
        start = int(query.get("offset", 0))
        page = seen[start : start + int(query.get("limit", 10_000))]
        return 200, "application/json", json.dumps([self._resource(id) for id in page]).encode()

    def _resource(self, id):
        variable = self.variables.get(id) or self.groups[id]
        return {
            "id": f"{ACCOUNT}:{'variable' if id in self.variables else 'group'}:{id}",
            "created_at": variable["created"],
            "owner": f"{ACCOUNT}:policy:{variable['policy']}",
            "policy": f"{ACCOUNT}:policy:{variable['policy']}",
            "permissions": [],
            "annotations": [
                {"name": name, "value": value, "policy": f"{ACCOUNT}:policy:{variable['policy']}"}
                for name, value in variable["annotations"].items()
            ],
            "secrets": [{"version": n} for n in range(1, len(variable.get("values", ())) + 1)],
        }

    def load(self, login, method, branch, text, dry_run):
        self.loads.append((method, dry_run))
        if login != "admin":
            raise Refused(403)
        if self.busy:
            self.busy -= 1
            raise Refused(409, **{"Retry-After": "0"})
        if branch not in self.branches:
            raise Refused(404)
        try:
            statements = yaml.load(text, _Loader)  # a safe loader with tags
        except yaml.YAMLError:
            raise Refused(422) from None
        if method == "PUT":
            raise AssertionError("a policy was replaced: that deletes all that is not named")
        draft = {id: {**v, "annotations": dict(v["annotations"])} for id, v in self.variables.items()}
        groups = copy.deepcopy(self.groups)
        for statement in statements:
            if not self._apply_group(draft, groups, branch, statement, deletes=method == "PATCH"):
                self._apply(draft, branch, statement, deletes=method == "PATCH")
        if dry_run:
            return 200, "application/json", b'{"status": "Valid YAML"}'
        self.variables, self.groups = draft, groups
        return 201, "application/json", b'{"created_roles": {}, "version": 1}'

    def _apply_group(self, draft, groups, branch, statement, *, deletes):
        start = "" if branch == "root" else branch + "/"
        body = statement.value if isinstance(statement.value, dict) else {"id": statement.value}
        if statement.kind == "group":
            now = datetime.now(UTC).isoformat()
            new = {"annotations": {}, "members": set(), "permits": set(), "policy": branch, "created": now}
            groups.setdefault(start + body["id"], new)["annotations"].update(body.get("annotations", {}))
        elif statement.kind == "grant":
            kind, name = body["member"].kind, body["member"].value.lstrip("/")
            groups[start + body["role"].value]["members"].add(name if kind == "user" else f"{kind}/{name}")
        elif statement.kind == "permit":
            for variable in body["resources"]:
                if start + variable.value not in draft:
                    raise Refused(404)
                new = {(privilege, start + variable.value) for privilege in body["privileges"]}
                groups[start + body["role"].value]["permits"] |= new
        elif statement.kind == "delete" and body["record"].kind == "group" and deletes:
            if groups.pop(start + body["record"].value, None) is None:
                raise Refused(404)
        else:
            return False
        return True

    def _apply(self, draft, branch, statement, *, deletes):
        start = "" if branch == "root" else branch + "/"
        if statement.kind == "variable":
            body = statement.value if isinstance(statement.value, dict) else {"id": statement.value}
            now = datetime.now(UTC).isoformat()
            new = {"annotations": {}, "values": [], "policy": branch, "created": now}
            draft.setdefault(start + body["id"], new)["annotations"].update(body.get("annotations", {}))
        elif statement.kind == "delete":
            if not deletes:
                raise Refused(422)
            if draft.pop(start + statement.value["record"].value, None) is None:
                raise Refused(404)
        else:
            raise Refused(422)


def _api_key():
    return secrets.token_hex(30)[:55]  # the description asks for 55 characters at least


class _Handler(BaseHTTPRequestHandler):
    conjur: Conjur

    def do_GET(self):
        self._answer()

    do_POST = do_PATCH = do_PUT = do_GET

    def log_message(self, *arguments):
        pass

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if url.path == "/":
            return self._send(200, "text/html", _VERSION_PAGE, {})
        if url.path == "/info":
            return self._send(404, None, b"", {})
        if self.conjur.failures:
            return self._send(self.conjur.failures.pop(0), None, b"", {})
        query = dict(parse_qsl(url.query))
        request = self._checked_request(url, query, body)
        try:
            status, kind, content = self._route(url.path, query, body)
            headers = {}
        except Refused as refused:
            status, kind, content, headers = refused.status, None, b"", refused.headers
        except AssertionError as error:
            self.conjur.violations.append(str(error))
            status, kind, content, headers = 500, None, b"", {}
        if not (query.get("dryRun") and status == 200):
            self._check_response(request, status, kind, content)
        return self._send(status, kind, content, headers)

    def _route(self, path, query, body):
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match [self.command, *parts]:
            case ["POST", "authn", _, login, "authenticate"]:
                return self.conjur.authenticate(login, body.decode())
            case ["POST", "authn-jwt", _, _, "authenticate"]:
                return self.conjur.authenticate_jwt(body.decode())
        marker, _, token = (self.headers.get("Authorization") or "").partition('token="')
        login = self.conjur.tokens.get(token.rstrip('"')) if marker == "Token " else None
        if login is None:
            raise Refused(401)
        match [self.command, *parts]:
            case ["GET", "secrets", _, "variable", id]:
                return self.conjur.read(login, id, query.get("version"))
            case ["POST", "secrets", _, "variable", id]:
                return self.conjur.write(login, id, body)
            case ["GET", "resources", _]:
                return self.conjur.list(login, query)
            case ["GET", "resources", _, "variable", id]:
                return self.conjur.show(login, id)
            case [("POST" | "PATCH" | "PUT") as method, "policies", _, "policy", branch]:
                return self.conjur.load(login, method, branch, body.decode(), query.get("dryRun") == "true")
        raise Refused(404)

    def _checked_request(self, url, query, body):
        from openapi_core.testing import MockRequest

        kind = (self.headers.get("Content-Type") or "").partition(";")[0]
        if "/authn-jwt/" in url.path and kind == "text/plain":
            kind = "application/x-www-form-urlencoded"  # conjur-api 0.2.0 sends a form without saying so
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        request = MockRequest(
            self.conjur.url,
            self.command.lower(),
            url.path,
            args={name: value for name, value in query.items() if name != "dryRun"},
            headers=headers,
            data=body or None,
            content_type=kind,
        )
        self._noting(lambda: self.conjur.openapi.validate_request(request), request.path)
        return request

    def _check_response(self, request, status, kind, content):
        from openapi_core.testing import MockResponse

        response = MockResponse(content, status_code=status, content_type=kind or "")
        self._noting(lambda: self.conjur.openapi.validate_response(request, response), f"{request.path} {status}")

    def _noting(self, check, where):
        try:
            check()
        except Exception as error:
            self.conjur.violations.append(f"{self.command} {where}: {type(error).__name__} {error} {error.__cause__}")

    def _send(self, status, kind, content, headers):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def conjur() -> Iterator[Conjur]:
    """Run the fake; skips where the description is absent, since nothing would hold it then."""
    description = find_description()
    if description is None:
        pytest.skip("CyberArk's OpenAPI description is not here (shared/conjur-openapi, or CONJUR_OPENAPI)")
    state = Conjur(description)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"conjur": state}))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
