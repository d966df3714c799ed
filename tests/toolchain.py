"""Compilers and interpreters that a test may need."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def require(tool: str) -> None:
    """Skip the test where ``tool`` is not there, or is a launcher (rustup's) without anything to launch."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    asked = [tool, "version" if tool == "go" else "--version"]
    if subprocess.run(asked, capture_output=True, timeout=60).returncode:
        pytest.skip(f"{tool} is there, but does not answer")
