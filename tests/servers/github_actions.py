"""GitHub's documented calls for secrets of Actions: a public key for each place, values by sealed box."""

from __future__ import annotations

import base64
import secrets

from nacl.public import PrivateKey, SealedBox

from tests.servers.http_api import Call, Reply

MISSING = Reply(404, {"message": "Not Found"})


class Actions:
    """Places with secrets: ``/repos/O/R/actions``, ``/repos/O/R/environments/E``, ``/orgs/O/actions``."""

    def __init__(self, *places: str) -> None:
        self.token = "ghs_" + secrets.token_hex(18)
        self.keys = {place: (secrets.token_hex(8), PrivateKey.generate()) for place in places}
        self.values: dict[str, str] = {}
        self.chosen: dict[str, tuple[str, list[int]]] = {}  # of an organisation's secret: visibility, repositories
        self.writes = 0

    def __call__(self, call: Call) -> Reply:
        if call.bearer != self.token:
            return Reply(401, {"message": "Bad credentials"})
        place, _, name = call.path.partition("/secrets/")
        if place not in self.keys:
            return MISSING
        key_id, private = self.keys[place]
        if name == "public-key":
            return Reply(200, {"key_id": key_id, "key": base64.b64encode(bytes(private.public_key)).decode()})
        if name.endswith("/repositories"):
            found = self.chosen[call.path.removesuffix("/repositories")][1]
            size, page = int(call.query["per_page"]), int(call.query["page"])
            shown = found[size * (page - 1) : size * page]
            return Reply(200, {"total_count": len(found), "repositories": [{"id": one} for one in shown]})
        if call.method == "GET":
            if call.path not in self.values:
                return MISSING
            told = {"visibility": self.chosen[call.path][0]} if call.path in self.chosen else {}
            return Reply(200, {"name": name, **told})
        if call.body["key_id"] != key_id:
            return Reply(422, {"message": "Bad key"})
        new = call.path not in self.values
        self.values[call.path] = SealedBox(private).decrypt(base64.b64decode(call.body["encrypted_value"])).decode()
        if place.startswith("/orgs/"):
            self.chosen[call.path] = (call.body["visibility"], call.body.get("selected_repository_ids", []))
        self.writes += 1
        return Reply(201, {}) if new else Reply(204)
