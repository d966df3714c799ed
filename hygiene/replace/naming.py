"""Names for secrets: stable, unique, and made from what the code calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from hygiene.replace.manifest import VARIABLE_PATTERN, is_refused_variable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a value is often called that says nothing of which one it is: the file's name is put before it.
_GENERIC = _words(
    "PASSWORD PASS PASSWD PWD SECRET TOKEN KEY APIKEY API_KEY AUTH AUTHORIZATION CREDENTIAL CREDENTIALS "
    "VALUE USER LOGIN DATA STRING URL URI DSN SECRET_KEY ACCESS_KEY PRIVATE_KEY CLIENT_SECRET "
    "ACCESS_TOKEN DEFAULT PW URL_PASSWORD URI_PASSWORD DSN_PASSWORD X_TOKEN X_API_KEY"
)
# What is no name of a value: words of languages, and keys under which commands stand.
_MEANINGLESS = _words(
    "RETURN DEFAULT STRING TEXT NAME SELF THIS TRUE FALSE NULL NONE CONST VAR LET NEW BEARER BASIC "
    "RUN SCRIPT BEFORE_SCRIPT AFTER_SCRIPT COMMAND COMMANDS CMD EXEC ARGS ENTRYPOINT SHELL STEPS"
)
_PLAIN_STEMS = _words("INDEX MAIN INIT MOD APP TEST CONFIG SETTINGS")
_GUESSED = "GENERIC_"  # rules that begin so guess a kind of secret, and know no provider
_LONGEST = 60
_SHORTEST_SEEN = 4  # a shorter value occurs in names by chance


def variables_from(hints: Sequence[str], rule: str, path: str, value: bytes) -> list[str]:
    """Propose environment names for ``value``, which the code calls ``hints`` in ``path`` and ``rule`` found.

    The best comes first. A name never contains the value, and never one that changes how programs start.
    """
    said = [name for hint in hints if (name := _upper(hint)) and _says_something(name)]
    own = next((name for name in said if name not in _GENERIC), said[0] if said else "")
    kind = _upper(rule)
    candidates = [own] if own and own not in _GENERIC else []
    if not kind.startswith(_GUESSED):
        candidates.append(kind)  # the provider's name says more than the file's
    kind = kind.removeprefix(_GUESSED)
    candidates += [_upper(f"{_stem(path)}_{own or kind}"), kind, "CREDENTIAL"]
    names = []
    for candidate in candidates:
        name = candidate[:_LONGEST].strip("_")
        name = name if VARIABLE_PATTERN.match(name) else f"APP_{name}"
        name = f"APP_{name}" if is_refused_variable(name) else name
        if not _holds(name, value):
            names.append(name)
    return names or ["CREDENTIAL"]


def secret_name(project: str, variable: str, value: bytes) -> str:
    """Give the name in the store for the secret that the code reads as ``variable``."""
    folder = slug(project)
    name = f"{folder}/{slug(variable)}" if folder and not _holds(folder, value) else slug(variable)
    return name


def unique(name: str, is_free: Callable[[str], bool], separator: str) -> str:
    """Give ``name``, or the first of ``name-2``, ``name-3`` … that is free."""
    candidate, number = name, 2
    while not is_free(candidate):
        candidate, number = f"{name}{separator}{number}", number + 1
    return candidate


def slug(text: str) -> str:
    """Give ``text`` as a part of a secret's name: lower case, words parted by hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:_LONGEST] or "repository"


def _upper(text: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", text)
    return re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9]+", "_", words)).strip("_").upper()


def _says_something(name: str) -> bool:
    return len(name) > 2 and name not in _MEANINGLESS and not name.isdigit()


def _stem(path: str) -> str:
    parts = PurePosixPath(path)
    stem = parts.name.strip(".").partition(".")[0]
    return parts.parent.name if _upper(stem) in _PLAIN_STEMS and parts.parent.name else stem


def _holds(name: str, value: bytes) -> bool:
    text = value.decode(errors="replace").lower()
    return len(text) >= _SHORTEST_SEEN and (text in name.lower() or text in slug(name))
