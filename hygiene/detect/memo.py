"""What a function gave, by what it was given: for questions that come again, such as those about a name in code."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Memo(dict):  # type: ignore[type-arg]
    """A mapping that makes what it has not: ``Memo(function)[argument]`` is ``function(argument)``.

    A dict, so that an answer that is there costs no call. It holds ``most`` answers; then it forgets all.
    """

    def __init__(self, make: Callable[[Any], Any], most: int) -> None:
        """Answer by ``make``, a pure function of one hashable argument."""
        super().__init__()
        self._make, self._most = make, most

    def __missing__(self, key: Any) -> Any:
        if len(self) >= self._most:
            self.clear()
        value = self[key] = self._make(key)
        return value
