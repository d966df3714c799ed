"""What a server says is judged where it is used: an answer of another shape is the server's fault, and told as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar

from hygiene.errors import StoreError

Backend = TypeVar("Backend", bound=type)
_METHODS = (
    "describe",
    "list",
    "put",
    "get",
    "promote",
    "unstage",
    "expire",
    "mark_due",
    "adopt",
    "delete",
    "restore",
    "plan_access",
    "apply_access",
    "check_access",
)
# What taking a document of another shape apart ends in.
_NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)


def judged(backend: Backend) -> Backend:
    """Make the methods of a store's class raise :class:`StoreError` for an answer that makes no sense."""
    for name in _METHODS:
        method = getattr(backend, name, None)
        if method is not None:
            setattr(backend, name, _judged_generator(method) if isgeneratorfunction(method) else _judged(method))
    return backend


def _judged(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        with _sense(self.uri):
            return method(self, *arguments, **options)

    return call


def _judged_generator(method: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    @wraps(method)
    def call(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        with _sense(self.uri):
            yield from method(self, *arguments, **options)

    return call


@contextmanager
def _sense(uri: str) -> Iterator[None]:
    try:
        yield
    except _NONSENSE as error:
        raise StoreError(
            f"the answer of {uri} makes no sense ({type(error).__name__}); whether something was written is not known",
            hint="is it the right server, and nothing between that answers in its place? trying again is safe",
        ) from error
