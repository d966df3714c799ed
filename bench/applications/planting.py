"""Credentials for planting: made at run time, different each time the seed is, and never those of anyone."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path
from typing import NamedTuple

_ALPHANUMERIC = string.ascii_letters + string.digits
_SYMBOLS = "!#%&*+-=?@^_~$"


class Plant(NamedTuple):
    """Text with ``{{name}}`` for credentials, to put into a file after the first line that matches ``after``."""

    path: str
    text: str
    after: str = ""  # a regular expression; empty: at the end of the file, or as a new file
    instead: bool = False  # the text takes the matching line's place


class Credentials(dict[str, str]):
    """Values by name; a name's first word says its form, and each is made when it is first asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)

    def __missing__(self, name: str) -> str:
        kind = name.partition("_")[0]
        self[name] = getattr(self, f"_{kind}")()
        return self[name]

    def fill(self, text: str) -> str:
        """Put the values into ``text``."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: self[match[1]], text)

    def _letters(self, count: int, alphabet: str = _ALPHANUMERIC) -> str:
        return "".join(self._chance.choices(alphabet, k=count))

    def _stripe(self) -> str:
        return "_".join(("sk", "live", self._letters(24)))

    def _slack(self) -> str:
        return "-".join(("xoxb", self._letters(12, string.digits), self._letters(12, string.digits), self._letters(24)))

    def _aws(self) -> str:
        return self._letters(40, _ALPHANUMERIC + "/+")

    def _awsid(self) -> str:
        return "AKIA" + self._letters(16, string.ascii_uppercase + "234567")

    def _hex(self) -> str:
        return self._letters(40, string.hexdigits[:16])

    def _password(self) -> str:
        return self._letters(20)

    def _odd(self) -> str:
        """A password with signs that mean something to many languages."""
        return self._letters(8) + self._letters(6, _SYMBOLS) + self._letters(8)

    def _sendgrid(self) -> str:
        return ".".join(("SG", self._letters(22), self._letters(43)))


def plant(root: Path, plants: tuple[Plant, ...], credentials: Credentials) -> str:
    """Put ``plants`` into the files of ``root``; gives what is wrong with them, or an empty text."""
    for one in plants:
        path = root / one.path
        text = credentials.fill(one.text)
        if not one.after:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", newline="") as stream:
                stream.write(text)
            continue
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        at = next((number for number, line in enumerate(lines) if re.search(one.after, line)), None)
        if at is None:
            return f"{one.path} has no line like {one.after!r}"
        lines[at : at + 1] = [text] if one.instead else [lines[at], text]
        path.write_text("".join(lines), "utf-8")
    return ""
