"""What is said of a mistake of our own: where, and nothing that could hold a value."""

from __future__ import annotations

import os
import sys
import traceback

_FRAMES = 8


def report(error: Exception) -> None:
    """Print the kind of ``error`` and its last frames to stderr, without locals and without its message."""
    print(f"hygiene: internal error: {type(error).__name__}", file=sys.stderr)
    for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]:
        print(f"    {os.path.relpath(frame.filename)}:{frame.lineno} in {frame.name}", file=sys.stderr)
    print("hygiene: hint: please report this; the text above holds no value", file=sys.stderr)
