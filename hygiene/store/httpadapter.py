"""For stores that are reached by ``requests``: an adapter that holds each request to encryption and a deadline."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from hygiene.deadline import within
from hygiene.store.transport import check_encrypted


class BoundedAdapter(HTTPAdapter):
    """Sends a request, its retries included, within ``seconds``; never in the clear, after a redirect neither."""

    def __init__(self, seconds: float, setting: str, **options: Any) -> None:
        """Give up after ``seconds``; ``setting`` is the variable that names the server. The rest is HTTPAdapter's."""
        super().__init__(**options)
        self._seconds = seconds
        self._setting = setting

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send ``request`` and read the whole answer; raises :class:`requests.exceptions.ReadTimeout`."""
        check_encrypted(request.url or "", self._setting)

        def whole() -> requests.Response:
            answer = super(BoundedAdapter, self).send(request, *arguments, **options)
            _ = answer.content  # read here, where the time counts
            return answer

        try:
            return within(self._seconds, whole)
        except TimeoutError as error:
            raise requests.exceptions.ReadTimeout(str(error), request=request) from error


def bounded_session(seconds: float, setting: str, **options: Any) -> requests.Session:
    """Make a session whose every request goes through a :class:`BoundedAdapter`."""
    session = requests.Session()
    adapter = BoundedAdapter(seconds, setting, **options)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
