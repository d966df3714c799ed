"""A time for what has none of its own."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


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
