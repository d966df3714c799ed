"""Whether a message of a coding assistant is clean at a glance: most are, and the assistant waits for each.

Python's ``json`` imports ``re`` and compiles expressions, so the parser below it is called by itself. Whatever is not
plainly clean (a match, a long text, a message that is no JSON, no rules ready) is left to the ordinary ``guard``.
"""

import os
import sys
from _json import encode_basestring_ascii, make_scanner

from hygiene.cli.assistants import answer, texts_of
from hygiene.detect.glance.look import Glance
from hygiene.detect.glance.ready import read_ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 64 << 20  # bytes of a message
_GLANCED_AT = 1 << 20  # bytes of a text; longer ones are read in windows, by the ordinary scan

received: list[bytes] = []  # what was read from standard input: it can't be read again


def is_clean_message(root: str, cache: str) -> bool:
    """Answer the message on standard input if it is clean; False, and nothing written, where that is not clear."""
    try:
        ready = read_ready(cache, root)
        if ready is None:
            return False
        received.append(sys.stdin.buffer.read(LARGEST + 1))
        message = _parsed(received[0])
        glance = Glance(ready, cache)
        for _, data, path in texts_of(message):
            if len(data) > _GLANCED_AT or b"\0" in data or not glance.is_harmless(os.fsencode(path), data):
                return False
        text = _written(answer(message, "", None))
    except Exception:  # whatever it is, the ordinary guard meets it again and words it
        return False
    sys.stdout.write(text)
    return True


class _Reading:
    """What json.JSONDecoder tells the scanner; a constant beyond JSON is left to it."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int

    @staticmethod
    def parse_constant(name: str) -> None:
        """Refuse NaN and the infinities."""
        raise ValueError(name)


def _parsed(raw: bytes) -> "Any":
    """Give the value of the JSON text ``raw``. Raises ValueError and others for what is none."""
    text = raw.decode("utf-8").strip(" \t\r\n")
    value, end = make_scanner(_Reading())(text, 0)  # type: ignore[arg-type] # typeshed means a whole decoder
    if end != len(text):
        raise ValueError(end)
    return value


def _written(answer: "dict[str, Any]") -> str:
    """Write an answer that lets pass: flat, of texts and truths."""
    parts = (f"{encode_basestring_ascii(name)}: {_literal(value)}" for name, value in answer.items())
    return "{" + ", ".join(parts) + "}\n"


def _literal(value: "str | bool") -> str:
    return str(value).lower() if isinstance(value, bool) else str(encode_basestring_ascii(value))
