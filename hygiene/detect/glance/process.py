"""Git's output without ``subprocess``, whose import takes longer than git."""

import os
from io import BufferedReader, FileIO
from select import select

from hygiene import gitsafety

_PATIENCE = 10.0  # seconds without a byte, after which the ordinary scan finds out what is wrong
_CHUNK = 1 << 20


class Process:
    """One git, its output on a pipe, its complaints nowhere: who fails is asked again by the ordinary scan."""

    def __init__(self, *arguments: str, stdin: bytes = b"") -> None:
        """Start git in this folder; ``stdin`` must fit into a pipe. Raises OSError."""
        output, ours = os.pipe()
        source, feed = os.pipe()
        try:
            self._pid = os.posix_spawnp(
                "git",
                gitsafety.command(*arguments),
                gitsafety.environment(),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, ours, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        finally:
            os.close(source)
            os.close(ours)
        self.output = BufferedReader(FileIO(output), _CHUNK)
        self._alive = True
        with open(feed, "wb", buffering=0) as stream:
            stream.write(stdin)

    def read(self) -> bytes:
        """Give all that git writes. Raises OSError where it fails, or writes nothing for long."""
        parts = []
        while True:
            if not select([self.output], [], [], _PATIENCE)[0]:
                raise TimeoutError
            part = self.output.read1(_CHUNK)
            if not part:
                break
            parts.append(part)
        self.close()
        return b"".join(parts)

    def close(self) -> None:
        """Wait for git. Raises OSError where it has failed."""
        self._alive = False
        self.output.close()
        if os.waitpid(self._pid, 0)[1]:
            raise ChildProcessError

    def stop(self) -> None:
        """End git, if it has not ended."""
        if self._alive:
            os.kill(self._pid, 9)
            self._alive = False
            self.output.close()
            os.waitpid(self._pid, 0)
