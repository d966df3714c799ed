"""The command line in a fork of this process: a process of its own, without the time that imports take."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

# What the commands import late is imported here once, before the forks.
import hygiene.cli.audit
import hygiene.cli.rotate
import hygiene.cli.secret
import hygiene.rotate.providers.aws_iam
import hygiene.rotate.providers.postgresql
import hygiene.store.backends.embedded  # noqa: F401
from hygiene.cli.boundary import run


def run_forked(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    before: Callable[[], None] = lambda: None,
) -> subprocess.CompletedProcess[str]:
    """Run ``hygiene ARGUMENTS…`` in ``folder``; ``before`` changes what it finds in its process."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            before()
            _become(list(arguments), folder, environment, [stream.fileno() for stream in (given, out, errors)])
        _, status = os.waitpid(child, 0)
        texts = []
        for stream in (out, errors):
            stream.seek(0)
            texts.append(stream.read().decode())
    return subprocess.CompletedProcess(arguments, os.waitstatus_to_exitcode(status), *texts)


def _become(arguments: list[str], folder: Path, environment: Mapping[str, str], streams: list[int]) -> NoReturn:
    code = 99
    try:
        os.chdir(folder)
        environment = dict(environment)
        os.environ.clear()
        os.environ.update(environment)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(0, closefd=False),
            os.fdopen(1, "w", closefd=False),
            os.fdopen(2, "w", closefd=False),
        )
        code = run(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 98
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
