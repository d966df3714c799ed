"""Shell scripts inside of CI files: the ``run`` of a GitHub Actions step, the ``script`` of a GitLab job.

What stands there is rewritten as shell. A step of GitHub Actions gets its secret by an ``env`` entry, never by
``${{ … }}`` inside of the script, where a value would be run as code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node

from hygiene.replace.edits import Edit
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, File, Skip, Style, Target
from hygiene.replace.rewriters.shell import Shell
from hygiene.replace.rewriters.tree import ancestors

_WORKFLOW = re.compile(r"(?:\A|/)\.github/workflows/[^/]+\.ya?ml\Z|(?:\A|/)action\.ya?ml\Z")
_GITLAB = re.compile(r"(?:\A|/)\.gitlab-ci(?:[\w.-]*)\.ya?ml\Z")
_SCRIPTS = frozenset({"script", "before_script", "after_script"})
_POSIX = (b"", b"bash", b"sh")
_MAPPINGS = frozenset({"block_mapping"})
_NOT_SHELL = ("the step's shell is not a POSIX one", "give the step an env: entry and read it in the script by hand")
_QUOTED = ("the script stands in quotes of YAML", "write it as a block (run: |), then run migrate again")
_IN_FLOW = ("the step has no env: that can be added to", "write its env: as a block, then run migrate again")


class Script(NamedTuple):
    """A script in a CI file."""

    scalar: Node
    step: Node | None  # the pair ``run: …`` of a GitHub step; None: variables are in the environment already
    problem: tuple[str, str] | None = None

    def outcomes(self, targets: Sequence[Target], file: File) -> list[Change | Skip]:
        """Replace ``targets``, which all stand in this script."""
        if self.problem is not None:
            return [Skip(target, *self.problem) for target in targets]
        start = self.start(file)
        inner = File("script.sh", file.content[start : self.scalar.end_byte], file.newline)
        shifted = {target._replace(start=target.start - start, end=target.end - start): target for target in targets}
        result = Shell().rewrite(inner, list(shifted), Style())
        skips: list[Change | Skip] = [skip._replace(target=shifted[skip.target]) for skip in result.skips]
        changes = [self._moved(change, shifted[change.target], start) for change in result.changes]
        return [*skips, *self._wired(changes, file)]

    def start(self, file: File) -> int:
        """Give where the script's text begins: of a block, after the line with its sign."""
        if self.scalar.type != "block_scalar":
            return self.scalar.start_byte
        return file.content.find(b"\n", self.scalar.start_byte, self.scalar.end_byte) + 1

    def _moved(self, change: Change, target: Target, start: int) -> Change:
        edits = tuple(Edit(edit.start + start, edit.end + start, edit.replacement) for edit in change.edits)
        return change._replace(target=target, edits=edits, scope=(start, self.scalar.end_byte))

    def _wired(self, changes: Sequence[Change], file: File) -> list[Change | Skip]:
        """Give the step the variables that its script now reads."""
        names = list(dict.fromkeys(change.target.variable for change in changes if change.uses == "variable"))
        if self.step is None:
            reason = "add the masked and protected CI/CD variable {}"
            return [_graded(change, reason) for change in changes]
        edit = _env_edit(self.step, names, file) if names else None
        if names and edit is None:
            return [Skip(change.target, *_IN_FLOW) for change in changes]
        reason = "create the repository's secret: gh secret set {}"
        wired: list[Change | Skip] = []
        for number, change in enumerate(changes):
            own = (*change.edits, edit) if edit is not None and number == 0 else change.edits
            wired.append(_graded(change._replace(edits=own), reason))
        return wired


def script_around(scalar: Node, file: File) -> Script | None:
    """Give the script that ``scalar`` is, or None where it is another value."""
    pair = next((item for item in ancestors(scalar) if item.type == "block_mapping_pair"), None)
    key = _key(pair, file) if pair is not None else ""
    if _GITLAB.search(file.path) and key in _SCRIPTS:
        return Script(scalar, None, _quoting_problem(scalar, file))
    if pair is None or key != "run" or not _WORKFLOW.search(file.path):
        return None
    posix = _value(pair.parent, "shell", file).partition(b" ")[0] in _POSIX
    windows = any(b"windows" in _value(item, "runs-on", file) for item in ancestors(pair) if item.type in _MAPPINGS)
    problem = None if posix and not (windows and not _value(pair.parent, "shell", file)) else _NOT_SHELL
    return Script(scalar, pair, problem or _quoting_problem(scalar, file))


def _quoting_problem(scalar: Node, file: File) -> tuple[str, str] | None:
    text = file.content[scalar.start_byte + 1 : scalar.end_byte - 1]
    quoted = scalar.type == "double_quote_scalar" or (scalar.type == "single_quote_scalar" and b"'" in text)
    return _QUOTED if quoted else None


def _graded(change: Change, reason: str) -> Change:
    if change.uses != "variable":
        return change
    return change._replace(grade=NEEDS_WIRING, reason=reason.format(change.target.variable))


def _env_edit(run: Node, names: Sequence[str], file: File) -> Edit | None:
    """Add ``names`` to the step's ``env``, or give it one before ``run``; None where it can't be."""
    env = _pair(run.parent, "env", file)
    indent = b" " * run.start_point.column
    if env is None:
        lines = b"".join(file.newline + indent + b"  " + _entry(name) for name in names)
        return Edit(run.start_byte, run.start_byte, b"env:" + lines + file.newline + indent)
    mapping = next((node for node in _below(env) if node.type == "block_mapping"), None)
    pairs = [node for node in mapping.named_children if node.type == "block_mapping_pair"] if mapping else []
    taken = {_key(pair, file) for pair in pairs}
    if not pairs or taken & set(names):
        return None
    indent = b" " * pairs[0].start_point.column
    end = pairs[-1].start_byte + len(file.content[pairs[-1].start_byte : pairs[-1].end_byte].rstrip())
    end += len(re.split(rb"\r?\n", file.content[end:], maxsplit=1)[0])  # a comment after the value stays with it
    return Edit(end, end, b"".join(file.newline + indent + _entry(name) for name in names))


def _entry(name: str) -> bytes:
    return f"{name}: ${{{{ secrets.{name} }}}}".encode()


def _below(pair: Node) -> list[Node]:
    value = pair.child_by_field_name("value")
    return [value, *value.named_children] if value is not None else []


def _pair(mapping: Node | None, key: str, file: File) -> Node | None:
    pairs = mapping.named_children if mapping is not None else []
    return next((pair for pair in pairs if pair.type == "block_mapping_pair" and _key(pair, file) == key), None)


def _value(mapping: Node | None, key: str, file: File) -> bytes:
    pair = _pair(mapping, key, file)
    value = pair.child_by_field_name("value") if pair is not None else None
    return file.content[value.start_byte : value.end_byte].strip(b"\"'") if value is not None else b""


def _key(pair: Node, file: File) -> str:
    key = pair.child_by_field_name("key")
    return file.content[key.start_byte : key.end_byte].decode(errors="replace").strip("\"'") if key is not None else ""
