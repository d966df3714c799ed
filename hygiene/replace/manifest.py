"""``secrets.toml``, the reference manifest: environment name → reference. It holds no values.

A flat table, in git, so that a reader sees which secrets a program needs and where they are kept::

    DB_PASSWORD = "ref+embedded://shop/db-password"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from hygiene.errors import ConfigError, UsageError
from hygiene.reference import Reference, parse_reference

FILE_NAME = "secrets.toml"
VARIABLE_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")

# What changes how programs start, which code they load or what their shell does: never taken from a repository.
_REFUSED_NAMES = """
PATH HOME USER LOGNAME SHELL IFS ENV BASH_ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND CDPATH TMPDIR EDITOR VISUAL
PAGER NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS PERL5OPT PERL5LIB PERLLIB RUBYOPT RUBYLIB GEM_PATH GEM_HOME
JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTS CLASSPATH PHPRC PHP_INI_SCAN_DIR LUA_INIT LUA_PATH
DOTNET_STARTUP_HOOKS GOFLAGS RUSTFLAGS RUSTC_WRAPPER OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR
"""
_REFUSED = frozenset(_REFUSED_NAMES.split())
_REFUSED_PREFIXES = ("LD_", "DYLD_", "PYTHON", "GIT_", "HYGIENE_", "BASH_FUNC_", "CORECLR_", "COR_")
_REFUSED_EXCEPT = frozenset({"GIT_TOKEN", "GIT_PASSWORD", "GIT_USERNAME"})
_HEADER = b"# Environment names and where their values are kept; read by `hygiene run`. No values in here.\n"


def is_refused_variable(name: str) -> bool:
    """Say whether ``name`` would change how programs start, so that no manifest may set it."""
    upper = name.upper()
    return upper in _REFUSED or (upper.startswith(_REFUSED_PREFIXES) and upper not in _REFUSED_EXCEPT)


def check_variable(name: str) -> str:
    """Give ``name`` back if a manifest may set it; raises :class:`UsageError` otherwise."""
    if not VARIABLE_PATTERN.match(name):
        raise UsageError(f"not an environment name: {name!r}", hint="use letters, digits and _, not a digit first")
    if is_refused_variable(name):
        raise UsageError(f"{name} would change how programs start", hint="choose another name for the secret")
    return name


def read_manifest(path: Path) -> dict[str, Reference]:
    """Read the manifest at ``path``; empty where there is none. Raises :class:`ConfigError`."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read the manifest {path}: {error.strerror}") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: bytes, source: str = FILE_NAME) -> dict[str, Reference]:
    """Read a manifest from ``text``; ``source`` stands in messages. Raises :class:`ConfigError` with the line."""
    try:
        table = tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}, line {text[: error.start].count(10) + 1}: not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        place = str(error).replace("at end of document", f"at line {text.count(10) + 1}")
        raise ConfigError(f"{source}: not TOML: {place}") from error
    return {name: _reference(text, source, name, value) for name, value in table.items()}


def merge_manifest(text: bytes, additions: Mapping[str, Reference]) -> bytes:
    """Give the manifest ``text`` with ``additions`` put in: other lines, comments and their order stay.

    Raises :class:`ConfigError` when ``text`` is no manifest.
    """
    known = parse_manifest(text)
    newline = b"\r\n" if b"\r\n" in text else b"\n"
    if not text.strip():
        text = _HEADER
    elif not text.endswith(b"\n"):
        text += newline
    for name, reference in sorted(additions.items()):
        line = f'{check_variable(name)} = "{reference}"'.encode()
        if known.get(name) == reference:
            continue
        if name in known:
            text = _assignment(name).sub(lambda _, line=line: line, text, count=1)  # type: ignore[misc]
        else:
            text += line + newline
    parse_manifest(text)
    return text


def _reference(text: bytes, source: str, name: str, value: object) -> Reference:
    where = f"{source}, line {_line_of(text, name)}"
    if isinstance(value, dict):
        raise ConfigError(f"{where}: {name} is a table", hint='a manifest is flat: NAME = "ref+STORE://path"')
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {name} is not a string", hint='write NAME = "ref+STORE://path"')
    try:
        check_variable(name)
        return parse_reference(value)
    except UsageError as error:
        # What stands there may be a value that someone pasted: it is not repeated.
        message = f"{name} is not a reference" if "reference" in error.message else error.message
        raise ConfigError(f"{where}: {message}", hint=error.hint) from None


def _assignment(name: str) -> re.Pattern[bytes]:
    key = re.escape(name.encode())
    return re.compile(rb"(?m)^[ \t]*(?:%b|\"%b\"|'%b')[ \t]*=[^\r\n]*" % (key, key, key))


def _line_of(text: bytes, name: str) -> int:
    found = _assignment(name).search(text) or re.search(rb"(?m)^[ \t]*\[+[ \t]*%b\b" % re.escape(name.encode()), text)
    return text[: found.start()].count(10) + 1 if found else 1
