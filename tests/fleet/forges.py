"""The APIs of GitHub and GitLab, as far as listing repositories goes: the documented shapes, served on loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Forge:
    """What the server knows; tests change it between requests."""

    def __init__(self) -> None:
        self.repositories: dict[int, dict[str, Any]] = {}
        self.organisation = "acme"
        self.moved: dict[int, int] = {}
        self.refuse: list[tuple[int, dict[str, str]]] = []  # answers to give before any other
        self.asked: list[tuple[str, int]] = []  # path with query, and the status of the answer
        self.tokens: set[str] = set()
        self.base = ""

    def add(self, number: int, name: str, url: str = "", **facts: Any) -> None:
        self.repositories[number] = {"name": name, "url": url or f"https://example.invalid/{name}.git", **facts}

    def github(self, number: int) -> dict[str, Any]:
        one = self.repositories[number]
        return {
            "id": number,
            "node_id": f"R_{number}",
            "name": one["name"].rpartition("/")[2],
            "full_name": one["name"],
            "private": True,
            "clone_url": one["url"],
            "ssh_url": f"git@example.invalid:{one['name']}.git",
            "archived": one.get("archived", False),
            "fork": one.get("fork", False),
            "default_branch": "main",
            "size": 12,
        }

    def gitlab(self, number: int) -> dict[str, Any]:
        one = self.repositories[number]
        more = {"forked_from_project": {"id": 1}} if one.get("fork") else {}
        return {
            "id": number,
            "name": one["name"].rpartition("/")[2],
            "path_with_namespace": one["name"],
            "http_url_to_repo": one["url"],
            "archived": one.get("archived", False),
            "empty_repo": one.get("empty", False),
            "marked_for_deletion_on": one.get("deleting"),
            **more,
        }

    def of_organisation(self) -> list[int]:
        return [n for n, one in sorted(self.repositories.items()) if one["name"].startswith(self.organisation + "/")]


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        forge = self.forge
        if forge.refuse:
            status, headers = forge.refuse.pop(0)
            self._answer(status, {"message": "API rate limit exceeded"}, headers)
            return
        if token := self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN"):
            forge.tokens.add(token)
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path == f"/orgs/{forge.organisation}/repos":
            self._list([forge.github(number) for number in forge.of_organisation()])
        elif path == f"/api/v4/groups/{forge.organisation}/projects":
            self._list([forge.gitlab(number) for number in forge.of_organisation()])
        elif path.startswith("/repositories/"):
            self._one(int(path.rpartition("/")[2]), "/repositories", forge.github)
        elif path.startswith("/api/v4/projects/"):
            self._one(int(path.rpartition("/")[2]), "/api/v4/projects", forge.gitlab)
        else:
            self._answer(404, {"message": "Not Found"})

    def _one(self, number: int, folder: str, shape: Any) -> None:
        if number in self.forge.moved:
            where = f"{self.forge.base}{folder}/{self.forge.moved[number]}"
            self._answer(301, {"message": "Moved Permanently", "url": where}, {"Location": where})
        elif number in self.forge.repositories:
            self._answer(200, shape(number))
        else:
            self._answer(404, {"message": "Not Found"})

    def _list(self, rows: list[dict[str, Any]]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        size, page = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        mine = rows[(page - 1) * size : page * size]
        etag = f'W/"{hashlib.sha256(json.dumps(mine).encode()).hexdigest()}"'
        last = -(-len(rows) // size)
        headers = {"ETag": etag}
        if page < last:
            first, _, _ = self.path.partition("&page=")
            headers["Link"] = (
                f'<{self.forge.base}{first}&page={page + 1}>; rel="next", '
                f'<{self.forge.base}{first}&page={last}>; rel="last"'
            )
        if self.headers.get("If-None-Match") == etag:
            self._answer(304, None, headers)
        else:
            self._answer(200, mine, headers)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.forge.asked.append((self.path, status))
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def forge() -> Iterator[Forge]:
    """Serve a forge on loopback."""
    served = Forge()
    handler = type("Handler", (_Handler,), {"forge": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
