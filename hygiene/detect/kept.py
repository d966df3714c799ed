"""Values that take longer to make than to read, kept from run to run in the user's cache folder.

A value is kept under all that it was made from, so that none can be out of date.
"""

from marshal import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Key = tuple[str | bytes | int, ...]

_values: "dict[Key, Any]" = {}
missing: "dict[Key, Callable[[], Any]]" = {}  # what this process did not find, and what makes it


def find(key: "Key", make: "Callable[[], Any]") -> "Any":
    """Give the value kept under ``key``, else None; ``make`` makes it, should it be kept for the next run."""
    value = _values.get(key)
    if value is None:
        missing[key] = make
    return value


def keep(content: bytes) -> None:
    """Use the values in ``content``, which :func:`collected` gave: read as this user's own. Raises as marshal does."""
    _values.update(loads(content))  # noqa: S302 (see above)


def collected() -> bytes:
    """Give all values, those that were missing too, for :func:`keep`."""
    _values.update({key: make() for key, make in missing.items()})
    missing.clear()
    return dumps(_values)
