"""What unpacking may cost. A limit that bites is reported as skipped, with the place where it did."""

from __future__ import annotations

from typing import IO, NamedTuple

from hygiene.finding import Skipped


class Limits(NamedTuple):
    """How far unpacking goes."""

    depth: int = 16  # containers inside one another
    entries: int = 1_000_000
    bytes: int = 16 << 30  # unpacked, in all
    ratio: int = 300  # unpacked bytes for each byte of the outermost file, once …
    free: int = 64 << 20  # … this much is unpacked
    held: int = 64 << 20  # bytes of an inner zip or 7z, which can't be read as a stream


class LimitReached(Exception):
    """No more is unpacked; the message says why."""


class Budget:
    """What one outermost file may still cost, and what was left out of it."""

    def __init__(self, size: int, limits: Limits | None = None) -> None:
        """Allow for a file of ``size`` bytes what ``limits`` say."""
        self.limits = limits or Limits()
        self.skipped: list[Skipped] = []
        self._most = min(self.limits.bytes, max(self.limits.free, self.limits.ratio * size))
        self._bytes = 0
        self._entries = 0

    def spend(self, count: int) -> None:
        """Count ``count`` unpacked bytes; raises LimitReached."""
        self._bytes += count
        if self._bytes > self._most:
            raise LimitReached(f"unpacks to more than {self._most >> 20} MiB: the rest is not read")

    def enter(self) -> None:
        """Count an entry; raises LimitReached."""
        self._entries += 1
        if self._entries > self.limits.entries:
            raise LimitReached(f"more than {self.limits.entries} entries: the rest is not read")

    def leave(self, path: str, reason: str, *, incomplete: bool = True) -> None:
        """Note that ``path`` was not read."""
        self.skipped.append(Skipped(path, reason, incomplete))


class Metered:
    """A stream whose every byte is spent from a budget; reads ahead once, to see what it is."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        """Read ``stream`` at the cost of ``budget``."""
        self._stream = stream
        self._budget = budget
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        """Give the next bytes, at least ``count`` of them if there are so many, and leave them to be read."""
        while len(self._ahead) < count and (part := self._fetch(count - len(self._ahead))):
            self._ahead += part
        return self._ahead

    def read(self, count: int = -1) -> bytes:
        """Give at most ``count`` bytes; all that is left, up to what the budget allows, for a negative one."""
        if count < 0:
            parts = []
            while part := self.read(1 << 20):
                parts.append(part)
            return b"".join(parts)
        if self._ahead:
            part, self._ahead = self._ahead[:count], self._ahead[count:]
            return part
        return self._fetch(count)

    def _fetch(self, count: int) -> bytes:
        part = self._stream.read(min(count, 1 << 20))
        self._budget.spend(len(part))
        return part
