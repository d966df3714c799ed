"""Asks a forge's API: page by page, only for what has changed, and no faster than it allows.

Answers are kept in the inventory by their address, as far as listing needs them, with their ETag: a page that has not
changed costs one request that counts against no limit (304, RFC 9110 section 15.4.5).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from hygiene.errors import SourceError, UsageError
from hygiene.rotate.net import HttpAnswer, HttpRequest, fetch

_BODY_BYTES = 32 << 20
_PAGES_AT_MOST = 2000
_ATTEMPTS = 6
_LONGEST_WAIT = 3700.0  # seconds: a forge's limits start again within an hour
_MOVES = 3
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


class Forge(NamedTuple):
    """What differs between forges."""

    api: str  # base URL, without a final slash
    variable: str  # that holds the token
    header: str  # that carries it
    prefix: str  # before it
    remaining: str  # header: requests that are left
    reset: str  # header: when the limit starts again, in seconds since the epoch
    headers: Mapping[str, str]


class Gone(SourceError):
    """The API says that it is no more, or that this token may not see it (404, 410, 451)."""


class Api:
    """One forge's API."""

    def __init__(
        self,
        forge: Forge,
        memory: Mapping[str, Any],
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Ask ``forge``; ``memory`` is what the last time left."""
        parts = urlsplit(forge.api)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or parts.username or (parts.scheme != "https" and not local):
            raise UsageError(f"{forge.api} is no address of an API", hint="https://HOST/…, without a user in it")
        self._forge = forge
        self._old: Mapping[str, Any] = memory.get("pages", {})
        self._pages: dict[str, Any] = {}
        self._sleep = sleep
        self._now = now

    @property
    def memory(self) -> dict[str, Any]:
        """What the next time can build on."""
        return {"pages": self._pages}

    def listed(self, path: str, kept: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Give what all pages from ``path`` on list, each entry cut down to what ``kept`` keeps of it."""
        url = f"{self._forge.api}{path}"
        for _ in range(_PAGES_AT_MOST):
            page = self._page(url, kept)
            self._pages[url] = page
            yield from page["rows"]
            if not page["next"]:
                return
            url = page["next"]
        raise SourceError(f"{self._host} lists more than {_PAGES_AT_MOST} pages")

    def one(self, path: str) -> dict[str, Any]:
        """Ask for one thing, and follow it where it has moved. Raises :class:`Gone` for one that is no more."""
        url = f"{self._forge.api}{path}"
        for _ in range(_MOVES):
            answer = self._asked(url)
            if answer.status not in (301, 302, 307, 308):
                found = self._parsed(answer, url)
                if not isinstance(found, dict):
                    raise SourceError(f"{self._host} gives no object for {urlsplit(url).path}")
                return found
            url = self._same_host(urljoin(url, answer.headers.get("location", "")))
        raise SourceError(f"{self._host} sends {path} around in circles")

    @property
    def _host(self) -> str:
        return urlsplit(self._forge.api).netloc

    def _page(self, url: str, kept: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        old = self._old.get(url, {})
        answer = self._asked(url, old.get("etag", ""))
        for _ in range(_MOVES):
            if answer.status not in (301, 302, 307, 308):
                break
            answer = self._asked(self._same_host(urljoin(url, answer.headers.get("location", ""))))
        if answer.status == 304 and old:
            return dict(old)
        rows = self._parsed(answer, url)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceError(f"{self._host} gives no list for {urlsplit(url).path}")
        try:
            mine = [kept(row) for row in rows]
        except (KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{self._host} lists something that has no {error}") from error
        found = _NEXT.search(answer.headers.get("link", ""))
        following = self._same_host(urljoin(url, found[1])) if found else ""
        return {"etag": answer.headers.get("etag", ""), "rows": mine, "next": following}

    def _asked(self, url: str, etag: str = "") -> HttpAnswer:
        """Ask, again where the limit was reached or the server stumbled. Raises SourceError."""
        headers = {**self._forge.headers, **({"If-None-Match": etag} if etag else {})}
        token = os.environ.get(self._forge.variable, "")
        if token:
            headers[self._forge.header] = self._forge.prefix + token
        answer = HttpAnswer()
        for attempt in range(_ATTEMPTS):
            answer = fetch(HttpRequest("GET", url, headers), private=True, body_bytes=_BODY_BYTES, seconds=60)
            pause = self._pause(answer, attempt)
            if pause is None:
                return answer
            if pause > _LONGEST_WAIT:
                raise SourceError(
                    f"{self._host} allows no more requests for {pause / 60:.0f} minutes", hint="try later"
                )
            self._sleep(pause)
        raise SourceError(f"{self._host} does not answer: {answer.problem or f'status {answer.status}'}")

    def _pause(self, answer: HttpAnswer, attempt: int) -> float | None:
        """Give the seconds to wait before asking again; None where the answer is one to work with."""
        if answer.status in (403, 429):
            waiting = answer.headers.get("retry-after", "")
            if waiting.isdigit():
                return float(waiting) + 1
            reset = answer.headers.get(self._forge.reset, "")
            if answer.headers.get(self._forge.remaining, "") == "0" and reset.isdigit():
                return max(0.0, int(reset) - self._now()) + 1
            return 60.0 * 2**attempt if answer.status == 429 else None
        return float(2**attempt) if not answer.status or answer.status >= 500 else None

    def _parsed(self, answer: HttpAnswer, url: str) -> Any:
        where = f"{self._host}{urlsplit(url).path}"
        if answer.status in (404, 410, 451):
            raise Gone(
                f"there is no {where}", hint=f"is the name right, and may the token in {self._forge.variable} see it?"
            )
        if answer.status in (401, 403):
            raise SourceError(f"{where} may not be read", hint=f"{self._forge.variable} needs a token that may list it")
        if answer.status != 200 or answer.truncated:
            raise SourceError(f"{where} answers with status {answer.status}, which says nothing")
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise SourceError(f"{where} answers with something that is not JSON") from error

    def _same_host(self, url: str) -> str:
        """Keep the token where it belongs: what leads to another host is not followed."""
        here, there = urlsplit(self._forge.api), urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise SourceError(f"{self._host} sends us to another host", hint="add that one's API with --api")
        return url
