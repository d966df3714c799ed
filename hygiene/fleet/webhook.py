"""Receives push events of GitHub and GitLab (ASGI): checked, queued durably, and only then acknowledged.

Memory is bounded: few large bodies are read at a time, small ones in a larger pool, each within a time; who comes
beyond that waits with its connection, so that no event is lost that the sender has patience for.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hygiene.fleet.inventory.events import Push, record
from hygiene.fleet.inventory.opening import Inventory, InventoryError

BODY_BYTES = 8 << 20  # GitHub tells of at most 2048 commits a push: some 3 MiB
_SMALL = 64 << 10
_SMALL_AT_ONCE, _LARGE_AT_ONCE = 128, 4
_SECONDS = 20.0  # for a body
_TOGETHER = 200  # events in one transaction
_PUSHES = {"github": ("push",), "gitlab": ("Push Hook", "Tag Push Hook", "System Hook")}
_NUMBERS = 1 << 63


class _Refused(Exception):
    """A request that gets no further."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = words


class Receiver:
    """Takes events of one organisation's webhooks."""

    def __init__(
        self, inventory: Inventory, secret: bytes, *, body_bytes: int = BODY_BYTES, queued: Callable[[], None]
    ) -> None:
        """Check events with ``secret`` and write them to ``inventory``; ``queued`` hears that there are new ones."""
        self._inventory = inventory
        self._secret = secret
        self._body_bytes = body_bytes
        self._queued = queued
        self._small = asyncio.Semaphore(_SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._waiting: asyncio.Queue[tuple[Push, asyncio.Future[bool]]] = asyncio.Queue(_TOGETHER)

    async def github(self, request: Request) -> Response:
        """Take an event of GitHub: signed with HMAC-SHA-256 over the body."""
        return await self._answered(request, "github", request.headers.get("x-github-event", ""))

    async def gitlab(self, request: Request) -> Response:
        """Take an event of GitLab: it sends the secret itself."""
        return await self._answered(request, "gitlab", request.headers.get("x-gitlab-event", ""))

    async def write(self) -> None:
        """Write what waits, many in one transaction, for as long as the server runs."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and len(batch) < _TOGETHER:
                batch.append(self._waiting.get_nowait())
            pushes = [push for push, _ in batch]
            try:
                written = await asyncio.to_thread(self._inventory.run, lambda session, p=pushes: record(session, p))
            except InventoryError as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for (_, answer), new in zip(batch, written, strict=True):
                if not answer.done():
                    answer.set_result(new)
            if any(written):
                self._queued()

    async def _answered(self, request: Request, forge: str, event: str) -> Response:
        try:
            push = await self._checked(request, forge, event)
            if push is None:
                return Response(status_code=204)
            answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            await self._waiting.put((push, answer))
            new = await answer
        except _Refused as refused:
            return JSONResponse({"error": refused.words}, refused.status, headers={"Connection": "close"})
        except InventoryError:
            return JSONResponse({"error": "the inventory does not answer"}, 503, headers={"Retry-After": "60"})
        except ClientDisconnect:
            return Response(status_code=400)
        return JSONResponse({"status": "queued" if new else "seen before"}, 202 if new else 200)

    async def _checked(self, request: Request, forge: str, event: str) -> Push | None:
        length = request.headers.get("content-length", "")
        if length and (not length.isdigit() or len(length) > 18 or int(length) > self._body_bytes):
            raise _Refused(413, f"more than {self._body_bytes} bytes")
        if forge == "gitlab" and not self._is_secret(request.headers.get("x-gitlab-token", "")):
            raise _Refused(401, "wrong token")  # told before anything is read
        small = length != "" and int(length) <= _SMALL
        async with self._small if small else self._large:
            body = await self._body(request)
            if forge == "github" and not self._is_signed(body, request.headers.get("x-hub-signature-256", "")):
                raise _Refused(401, "wrong signature")
            if event not in _PUSHES[forge]:
                return None
            return _push(forge, body)

    async def _body(self, request: Request) -> bytes:
        parts, size = [], 0
        try:
            async with asyncio.timeout(_SECONDS):
                async for part in request.stream():
                    size += len(part)
                    if size > self._body_bytes:
                        raise _Refused(413, f"more than {self._body_bytes} bytes")
                    parts.append(part)
        except TimeoutError:
            raise _Refused(408, "the body took too long") from None
        return b"".join(parts)

    def _is_secret(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._secret)

    def _is_signed(self, body: bytes, signature: str) -> bool:
        expected = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())


def _push(forge: str, body: bytes) -> Push | None:
    try:
        event: Any = json.loads(body)
        place = event.get("repository" if forge == "github" else "project") or {}
        number = place.get("id", event.get("project_id"))
        url = place.get("clone_url" if forge == "github" else "git_http_url", "")
    except (ValueError, AttributeError, RecursionError):
        raise _Refused(400, "not an event") from None
    if forge == "gitlab" and event.get("object_kind", event.get("event_name")) not in ("push", "tag_push"):
        return None  # a system hook tells of much else
    if not isinstance(number, int) or not 0 < number < _NUMBERS or not isinstance(url, str) or len(url) > 2000:
        raise _Refused(400, "not an event of a repository")
    digest = hashlib.sha256(forge.encode() + b"\0" + body).hexdigest()
    return Push(digest, f"{forge}:{number}", url.encode("utf-8", "replace").decode().replace("\0", ""))


def application(receiver: Callable[[], Receiver]) -> Starlette:
    """Give the ASGI application; ``receiver`` is made when the server starts."""
    holder: list[Receiver] = []

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        holder.append(receiver())
        writer = asyncio.create_task(holder[0].write())
        try:
            yield
        finally:
            writer.cancel()

    async def github(request: Request) -> Response:
        return await holder[0].github(request)

    async def gitlab(request: Request) -> Response:
        return await holder[0].gitlab(request)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [
        Route("/github", github, methods=["POST"]),
        Route("/gitlab", gitlab, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=life)
