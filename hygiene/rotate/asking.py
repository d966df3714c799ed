"""Asks providers over HTTP: the hosts that may be asked, and how often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from hygiene.errors import ProviderError
from hygiene.rotate.declared import Table, build_request, check_from_answer, request_host
from hygiene.rotate.net import HttpAnswer, fetch
from hygiene.rotate.provider import Check, Verdict

_BETWEEN = 0.5  # seconds between two requests to one host
_TOO_MANY = 429
Fetch = Callable[..., HttpAnswer]


class Asker:
    """Sends declared requests; one host is asked slowly, and not again once it said that it was too often."""

    def __init__(
        self,
        fixed_hosts: Collection[str],
        *,
        send: Fetch = fetch,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask ``fixed_hosts`` (those of the built-in rules), and others only where a call allows them."""
        self._fixed = frozenset(fixed_hosts)
        self._send, self._clock, self._sleep = send, clock, sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._tired: set[str] = set()

    def check(self, table: Table, values: Mapping[str, Any], *, host: str = "", allowed: Collection[str] = ()) -> Check:
        """Ask whether a credential works; whatever goes wrong is unknown."""
        try:
            answer = self.act(table, values, host=host, allowed=allowed)
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        return check_from_answer(table, answer)

    def act(
        self, table: Table, values: Mapping[str, Any], *, host: str = "", allowed: Collection[str] = ()
    ) -> HttpAnswer:
        """Send the request of ``table``, to ``host`` where that is named; raises ProviderError before it is sent."""
        base, private = self._base(table, host, allowed)
        request = build_request(table, values, base=base)
        if not self._admitted(request.host):
            return HttpAnswer(problem="the provider said that it was asked too often", sent=False)
        answer = self._send(request, private=private)
        if answer.status == _TOO_MANY:
            self._tired.add(request.host)
        return answer

    def _base(self, table: Table, host: str, allowed: Collection[str]) -> tuple[str, bool]:
        """Choose where the request goes: a fixed host, or one that the configuration allows by name."""
        named = host.lower() or request_host(table)
        if "{" in named:
            raise ProviderError("the request's host is not known", hint="set the label host, and [providers.…] hosts")
        for entry in allowed:
            base = entry if "://" in entry else f"https://{entry}"
            if urlsplit(base).netloc.lower() == named:
                return base, True
        if named not in self._fixed or (host and named != request_host(table)):
            raise ProviderError(
                f"{named} is not a host that may be asked", hint=f'allow it: [providers.…] hosts = ["{named}"]'
            )
        return "", False

    def _admitted(self, host: str) -> bool:
        with self._lock:
            if host in self._tired:
                return False
            wait = self._next.get(host, 0.0) - self._clock()
            self._next[host] = max(self._clock(), self._next.get(host, 0.0)) + _BETWEEN
        if wait > 0:
            self._sleep(wait)
        return True
