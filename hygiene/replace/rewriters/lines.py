"""INI, properties, and other files of lines: a reference in the value, or what their program interpolates."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import Change, File, Skip, Target
from hygiene.replace.rewriters.rendered import LineFormat, word_around
from hygiene.secret import Secret

_SPRING = re.compile(r"(?:application|bootstrap)(?:-[\w-]+)?\.properties\Z")


class Lines(LineFormat):
    """Rewrites INI files and what is like them."""


class Properties(LineFormat):
    """Rewrites Java properties; Spring reads the environment in them."""

    comment = re.compile(rb"(?m)^[ \t]*[#!][^\r\n]*")

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Replace a target in a value."""
        raw = file.content[target.start : target.end]
        if _SPRING.match(PurePosixPath(file.path).name) and b"\\" not in raw:
            return _interpolated(target, file, hint, f"${{{target.variable}}}")
        return super().value_change(target, file, hint)


class Npmrc(LineFormat):
    """Rewrites ``.npmrc``: npm, pnpm and yarn 1 expand variables in it, and fail without them."""

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Replace a target in a value."""
        return _interpolated(target, file, hint, f"${{{target.variable}}}")


class Requirements(LineFormat):
    """Rewrites ``requirements.txt``: pip expands ``${NAME}`` in upper case in it."""

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Replace a target in an address."""
        if target.variable != target.variable.upper():
            return Skip(target, "pip expands only names in upper case", "choose an upper-case name in the plan file")
        return _interpolated(target, file, hint, f"${{{target.variable}}}")


class Refused(LineFormat):
    """Files whose program reads no reference and no variable."""

    comment = re.compile(rb"(?!)")
    reason = "its program reads neither references nor variables"
    advice = "take the secret out by hand"

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Leave the target, and say what to do."""
        return Skip(target, self.reason, self.advice)


class Netrc(Refused):
    """``.netrc``: no expansion."""

    advice = "delete the file from the repository, and use the tool's credential helper"


class Pypirc(Refused):
    """``.pypirc``: no expansion."""

    advice = "delete the password, and pass TWINE_PASSWORD by hygiene run, or use trusted publishing"


class PipConf(Refused):
    """``pip.conf``: no expansion."""

    advice = "take the credentials out of the address, and let pip ask keyring: --keyring-provider"


class Page(Refused):
    """Pages and components of the web: everyone who opens them can read what they hold."""

    reason = "the file is sent to browsers, where everyone can read it"
    advice = "move the call that needs the secret to a server, and rotate the secret"


def _interpolated(target: Target, file: File, hint: str, text: str) -> Change:
    raw = file.content[target.start : target.end]
    edit = Edit(target.start, target.end, text.encode())
    return Change(target, Secret(raw), (edit,), word_around(target, file), hint)
