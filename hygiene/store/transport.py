"""What every store's connection is held to: values cross the network encrypted, and each answer has its time."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from hygiene.errors import StoreError

PLAINTEXT = "HYGIENE_SEND_SECRETS_UNENCRYPTED"  # as loud as what it allows
CLOCK = "or is this machine's clock wrong?"  # what else makes certificates worthless
Result = TypeVar("Result")


def check_encrypted(url: str, setting: str) -> None:
    """Raise :class:`StoreError` where ``url``, from the variable ``setting``, is neither https nor this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or _is_here(parts.hostname or ""):
        return
    if parts.scheme == "http" and os.environ.get(PLAINTEXT) == "yes":
        return
    raise StoreError(
        f"{url} is not https, so values and logins would cross the network in the clear",
        hint=f"set {setting} to https://…; in a network that you trust with every value: {PLAINTEXT}=yes",
    )


def within(seconds: float, action: Callable[[], Result]) -> Result:
    """Give what ``action`` gives, or raise :class:`TimeoutError` after ``seconds``.

    A library's read timeout counts from byte to byte, so that a server which sends one now and then is never given
    up, and a name that does not resolve has no timeout at all. What was given up may still happen.
    """
    ended: SimpleQueue[tuple[Result | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            ended.put((action(), None))
        except BaseException as error:
            ended.put((None, error))

    # A daemon: the process does not wait for it to end.
    Thread(target=work, daemon=True).start()
    try:
        result, error = ended.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no whole answer within {seconds:.0f} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
