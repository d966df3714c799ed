"""A provider's own HTTP API that speaks JSON, at a host that the configuration allows."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.net import HttpRequest, fetch
from hygiene.rotate.provider import Check, Verdict


class Answer(NamedTuple):
    """A status, and the JSON that came with it (None for other bodies)."""

    status: int
    value: Any = None


class JsonApi:
    """Calls to one server."""

    def __init__(self, provider: str, base: str, allowed: Sequence[str], *, public: bool = False) -> None:
        """Call ``base`` (``https://host:port``); ProviderError unless ``allowed`` names its host.

        ``public`` refuses addresses that are not, for hosts that we chose and not the configuration.
        """
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ProviderError(f"not an address of {provider}: {base!r}", hint="write it as https://host:port")
        named = {f"{parts.scheme}://{parts.netloc}"}
        named |= (
            {parts.hostname, parts.netloc} if parts.scheme == "https" else set()
        )  # clear text only where it is said
        if not named & set(allowed):
            raise ProviderError(
                f"{parts.netloc} is not a host that the configuration allows",
                hint=f'allow it: [providers.{provider}] hosts = ["{base if parts.scheme == "http" else parts.netloc}"]',
            )
        self._base = base.rstrip("/")
        self._public = public

    def call(
        self, method: str, path: str, *, headers: Mapping[str, str], body: Any = None, ok: Sequence[int] = (200, 204)
    ) -> Answer:
        """Call, and give the answer if its status is one of ``ok``.

        Raises ProviderError for a refusal, and OutcomeUnknownError where the server may have acted.
        """
        content = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content is not None else {}
        answer = fetch(HttpRequest(method, self._base + path, {**kind, **headers}, content), private=not self._public)
        if answer.problem:
            error = OutcomeUnknownError if answer.sent and method not in ("GET", "LIST") else ProviderError
            raise error(f"no answer from {urlsplit(self._base).netloc}: {answer.problem}")
        if answer.status in ok:
            return Answer(answer.status, _json(answer.body))
        if answer.status >= 500 and method not in ("GET", "LIST"):
            raise OutcomeUnknownError(f"the server answered HTTP {answer.status}")
        raise RefusedError(answer.status)


class RefusedError(ProviderError):
    """The server answered with a status that means no."""

    def __init__(self, status: int) -> None:
        """Keep the ``status``."""
        super().__init__(f"the server answered HTTP {status}")
        self.status = status


def check_from_error(error: ProviderError, dead: Sequence[int]) -> Check:
    """Say what a failed call proves: dead for the statuses named, else unknown."""
    if isinstance(error, RefusedError) and error.status in dead:
        return Check(Verdict.DEAD, f"HTTP {error.status}")
    return Check(Verdict.UNKNOWN, error.message, hint=error.hint)


def basic(user: str, password: str) -> dict[str, str]:
    """Give the header of a login by user and password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
