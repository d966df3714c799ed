"""A repository with leaks, a store and its commands, and everywhere that a value may have come out."""

from __future__ import annotations

import base64
import os
import resource
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hygiene.detect.template import fill_template
from tests.repository import Repository

SPY = Path(__file__).parent / "spy"


def planted(seed: str) -> str:
    return fill_template("ghp_{b62:30}{crc62}", seed)


LEAKED = planted("leaked")  # stands in the repository
MESSAGE = planted("message")  # in a commit's subject
STAGED = planted("staged")  # in the index only
STORED = "st0red/" + planted("stored")[4:] + "+?"  # enters by stdin, with characters that encodings change
ROTATED = "r0tated/" + planted("rotated")[4:]  # what a rotation makes
FORMS: list[Callable[[bytes], bytes]] = [
    lambda value: value,
    lambda value: base64.b64encode(value).rstrip(b"="),
    lambda value: base64.urlsafe_b64encode(value).rstrip(b"="),
    lambda value: value.hex().encode(),
    lambda value: urllib.parse.quote(value, safe="").encode(),
    lambda value: value[::-1],
    lambda value: value.decode().encode("utf-16-le"),
]


class World:
    """A repository with leaks, a home, a cache and a folder for temporary files of their own."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        self.home, self.temporary = folder / "home", folder / "tmp"
        self.temporary.mkdir()
        self.commands = folder / "commands"
        self.repository = Repository(folder / "repository")
        self.repository.commit("first", **{"app.py": f'TOKEN = "{LEAKED}"\n'.encode(), "clean.py": b"pass\n"})
        self.repository.commit(f"use {MESSAGE}", **{"clean.py": b"print()\n"})
        self.stdout = self.stderr = b""
        self.processes = b""

    def run(self, *arguments: str, stdin: str = "", limit: int = 0, **environ: str) -> int:
        self.commands.unlink(missing_ok=True)

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        process = subprocess.Popen(
            [sys.executable, "-m", "hygiene", *arguments],
            cwd=self.repository.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "HYGIENE_HOME": str(self.home),
                "HYGIENE_CACHE": str(self.cache),
                "TMPDIR": str(self.temporary),
                # Under a limit of file sizes Python keeps half a module's byte code, and fails at it from then on.
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(SPY),
                "SPY_LOG": str(self.commands),
                "GIT_AUTHOR_NAME": "Ann",
                "GIT_AUTHOR_EMAIL": "ann@example.com",
                **environ,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limited if limit else None,  # noqa: PLW1509 - the thread of the former run has ended
        )
        watch = threading.Thread(target=self._watch, args=(process,))
        watch.start()
        self.stdout, self.stderr = process.communicate(stdin.encode(), timeout=120)
        watch.join()
        assert b"Traceback" not in self.stderr, self.stderr.decode()
        return process.returncode

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Keep what the process list tells of the process while it runs."""
        told = set()
        while process.poll() is None:
            for name in ("cmdline", "environ", "comm"):
                with suppress(OSError):
                    told.add(Path(f"/proc/{process.pid}/{name}").read_bytes())
            time.sleep(0.01)
        self.processes = b"\n".join(told)

    def put(self, name: str = "shop/db") -> None:
        assert self.run("secret", "put", name, stdin=STORED) == 0, self.stderr.decode()

    def leaks(self, *, stdout: bool = True, files: bool = True) -> list[str]:
        """Say where a value came out."""
        places = {"stderr": self.stderr, "process list": self.processes, **({"stdout": self.stdout} if stdout else {})}
        if self.commands.exists():
            places["command lines"] = self.commands.read_bytes()
        if files:
            places |= {os.path.relpath(path, self.folder): path.read_bytes() for path in self._written()}
        return [
            f"{name} holds a form {number} of {value[:6]}…"
            for name, content in places.items()
            for value in (LEAKED, MESSAGE, STAGED, STORED, ROTATED)
            for number, form in enumerate(FORMS)
            if form(value.encode()) in content
        ]

    def _written(self) -> list[Path]:
        own = self.repository.folder / ".git" / "hygiene"
        folders = (self.home, self.cache, self.temporary, own)
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
