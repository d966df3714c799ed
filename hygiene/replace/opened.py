"""A file with the rewriter for it: seen as UTF-8, rewritten, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from hygiene.replace.checks import edits_of, failed_check, rewritten
from hygiene.replace.edits import Edit, apply_edits
from hygiene.replace.encoding import Text, read_text
from hygiene.replace.plan import Place
from hygiene.replace.rewriters.protocol import Change, File, Rewrite, Rewriter, Skip, Style, Target
from hygiene.replace.rewriters.registry import find_rewriter

_NOWHERE = Target(0, 0, "", "")
_BY_HAND = "replace it by hand"
_COMPILED = frozenset({".pyc", ".pyo", ".class", ".o", ".obj", ".so", ".dll", ".exe", ".wasm", ".jar", ".map"})


class Opened(NamedTuple):
    """A file that can be rewritten."""

    file: File
    text: Text
    rewriter: Rewriter

    def target(self, place: Place, variable: str, reference: str) -> Target:
        """Make the target for ``place``."""
        start, end = self.text.offset_in_utf8(place.start), self.text.offset_in_utf8(place.end)
        return Target(start, end, variable, reference, place.line)

    def original_edits(self, rewrite: Rewrite) -> tuple[Edit, ...]:
        """Give the edits of the file's original bytes."""
        return tuple(self.text.edits_of_original(edits_of(rewrite)))


def open_file(path: str, content: bytes | str) -> Opened | Skip:
    """Open ``content``, or a reason (text) why it is left alone."""
    if isinstance(content, str):
        return Skip(_NOWHERE, content, "replace the secret by hand")
    if PurePosixPath(path).suffix.lower() in _COMPILED:
        return Skip(_NOWHERE, "it is compiled from a source file", "delete it: it is made again from the source")
    rewriter = find_rewriter(path, content)
    if rewriter is None:
        advice = "store it with `hygiene secret put NAME`, and let the program read it at run time"
        return Skip(_NOWHERE, "there is no rewriter for this kind of file", advice)
    text = read_text(content)
    if text is None:
        return Skip(_NOWHERE, "it is not a text file", "store it with `hygiene secret put NAME --file FILE`")
    return Opened(File(path, text.utf8, text.newline), text, rewriter)


def rewrite_checked(opened: Opened, targets: Sequence[Target], style: Style) -> Rewrite:
    """Rewrite a file; a target whose result fails an acceptance check becomes a skip."""
    rewrite = _rewrite(opened, targets, style)
    if not _problem(opened, rewrite):
        return rewrite
    skips = list(rewrite.skips)
    good: list[Target] = []
    for change in rewrite.changes:
        problem = _problem(opened, _rewrite(opened, [change.target], style))
        if problem:
            skips.append(Skip(change.target, problem, _BY_HAND))
        else:
            good.append(change.target)
    again = _rewrite(opened, good, style)
    problem = _problem(opened, again)
    if problem:
        skips += [Skip(target, problem, _BY_HAND) for target in good]
        again = Rewrite((), ())
    return again._replace(skips=tuple(skips))


def _rewrite(opened: Opened, targets: Sequence[Target], style: Style) -> Rewrite:
    """Rewrite a file; what a rewriter did not expect of a file leaves that file as it is, not the whole migration."""
    try:
        return opened.rewriter.rewrite(opened.file, targets, style)
    except Exception as error:
        reason = f"its rewriter failed ({type(error).__name__}); please report it"
        return Rewrite((), tuple(Skip(target, reason, _BY_HAND) for target in targets))


def _problem(opened: Opened, rewrite: Rewrite) -> str:
    problem = failed_check(opened.rewriter, opened.file, rewrite)
    if problem or opened.text.codec == "utf-8":
        return problem
    try:
        after = apply_edits(opened.text.original, opened.original_edits(rewrite))
    except UnicodeEncodeError:
        return "the file's encoding lacks a character of the reference"
    body = after[len(opened.text.mark) :].decode(opened.text.codec).encode()
    return "" if body == rewritten(opened.file, rewrite) else "the file's encoding would not be kept"


def draft_names(place: Place) -> tuple[str, str]:
    """Give a variable and a reference that stand in until the real ones are known."""
    return f"NAME_{place.id.upper()}", f"ref+embedded://name/{place.id}"


def drafts(
    opened: Opened, places: Sequence[Place], style: Style, names: Callable[[Place], tuple[str, str]] = draft_names
) -> list[tuple[Place, Change]]:
    """Rewrite with names that are not final, to learn the values and what the code calls them."""
    targets = {opened.target(place, *names(place)): place for place in places}
    rewrite = _rewrite(opened, list(targets), style)
    return [(targets[change.target], change) for change in rewrite.changes]
