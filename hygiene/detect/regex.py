"""Regular expressions of this package, whose compiled form is kept (``kept``).

To compile those of the classifier takes longer than to scan a commit, and so does the import of ``re``. What is kept
is what ``re`` gives to the interpreter: a program, which the interpreter checks before it takes it. Without a cache,
with another Python, or where a pattern has changed, ``re`` compiles as ever.
"""

import sys
from importlib import import_module

from hygiene.detect import kept

try:
    from _sre import MAGIC  # type: ignore[import-not-found]
    from _sre import compile as _assemble
except ImportError:  # an interpreter without programs of this kind
    MAGIC = 0

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, AnyStr

I = IGNORECASE = 2  # noqa: E741 - the names of re
M = MULTILINE = 8
S = DOTALL = 16
X = VERBOSE = 64
_VERSION = f"{sys.version} {MAGIC}"  # of the programs


def compile(pattern: "AnyStr", flags: int = 0) -> "re.Pattern[AnyStr]":
    """Compile as :func:`re.compile` does; at once, where the program was kept."""
    flags = int(flags)  # also of RegexFlag
    found = kept.find(("regex", _VERSION, pattern, flags), lambda: program(pattern, flags))
    if found is not None and MAGIC:
        try:
            compiled: re.Pattern[AnyStr] = _assemble(*found)
        except (RuntimeError, TypeError, ValueError, OverflowError):
            pass  # no program of this interpreter
        else:
            return compiled
    plain: re.Pattern[AnyStr] = import_module("re").compile(pattern, flags)
    return plain


def program(pattern: str | bytes, flags: int) -> "tuple[Any, ...]":
    """Give what :func:`re.compile` hands to the interpreter for ``pattern``, as plain values."""
    parsed = import_module("re._parser").parse(pattern, flags)
    code = import_module("re._compiler")._code(parsed, flags)
    groups: dict[str, int] = dict(parsed.state.groupdict)
    names: list[str | None] = [None] * parsed.state.groups
    for name, index in groups.items():
        names[index] = name
    return pattern, flags | parsed.state.flags, [*map(int, code)], parsed.state.groups - 1, groups, tuple(names)
