"""A stored value taken apart, and put together again with another password: the same form, the rest untouched.

Three forms are known: a URL with user information, a JSON object of string fields, and a plain password whose
user and host stand in the secret's labels.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from hygiene.errors import ProviderError
from hygiene.secret import Secret

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://"
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<address>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?P<rest>#.*)?\Z",
    re.DOTALL,
)
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:,\[\]]*)(?::(?P<port>[0-9]{1,5}))?\Z")
_ALPHABET = string.ascii_letters + string.digits
_SYNONYMS: Mapping[str, Sequence[str]] = {
    "user": ("user", "username", "login", "PGUSER"),
    "password": ("password", "pass", "passwd", "secret", "PGPASSWORD"),
    "host": ("host", "hostname", "server"),
    "port": ("port",),
    "database": ("database", "dbname", "db", "vhost"),
}


class Login(NamedTuple):
    """What a login needs."""

    user: str
    password: str
    host: str = ""
    port: int = 0  # 0: the provider's own
    database: str = ""
    options: tuple[tuple[str, str], ...] = ()  # a URL's query
    scheme: str = ""  # a URL's scheme, in lower case and without a driver's name


def parse_login(secret: Secret, labels: Mapping[str, str]) -> Login:
    """Read a login from a stored value; ``labels`` say what the value doesn't. Raises ProviderError."""
    text = _text(secret)
    fields = _object(text)
    if fields is not None:
        found = {role: _field(fields, names) for role, names in _SYNONYMS.items()}
        return _login(found, labels)
    url = _URL.match(text)
    if url and "://" in text:
        options = tuple(parse_qsl(url["query"] or ""))
        return _login(_from_url(url), labels, options, url["scheme"].partition("+")[0].lower())
    return _login({"password": text}, labels)


def with_login(secret: Secret, *, user: str | None = None, password: str) -> Secret:
    """Give the stored value with another ``password`` (and ``user``), in the same form. Raises ProviderError."""
    text = _text(secret)
    fields = _object(text)
    if fields is not None:
        changed = {**fields, _key(fields, "password"): password}
        if user is not None:
            changed[_key(fields, "user")] = user
        return with_fields(secret, changed)
    url = _URL.match(text)
    if url and url["password"] is not None:
        name = quote(user, safe="") if user is not None else url["user"]
        start = url.start("user")
        return Secret.from_text(f"{text[:start]}{name}:{quote(password, safe='')}{text[url.end('password') :]}")
    if user is not None:
        raise ProviderError(
            "the stored value is a password alone, so the user can't change with it",
            hint="store a URL or a JSON object with user and password, for example postgresql://user:…@host/db",
        )
    return Secret.from_text(password)


def fields_of(secret: Secret) -> dict[str, Any] | None:
    """Give the fields of a stored JSON object, or None for another value."""
    try:
        return _object(_text(secret))
    except ProviderError:
        return None


def with_fields(secret: Secret, fields: Mapping[str, Any]) -> Secret:
    """Write ``fields`` as JSON, indented if ``secret`` was."""
    indent = 2 if b"\n" in secret.reveal().strip() else None
    return Secret.from_text(json.dumps(dict(fields), indent=indent, ensure_ascii=False))


def parts_of(secret: Secret) -> list[Secret]:
    """Give everything in a stored or found value that is a secret of its own: itself, its fields, its password."""
    parts = [secret]
    fields = fields_of(secret)
    if fields is not None:
        parts += [Secret.from_text(value) for value in fields.values() if isinstance(value, str) and value]
    elif (url := _URL.match(secret.reveal().decode("utf-8", "surrogateescape"))) and url["password"]:
        parts += [Secret.from_text(url["password"]), Secret.from_text(unquote(url["password"]))]
    return parts


def new_password(length: int = 40) -> str:
    """Make a password of letters and digits, with at least one capital, one small letter and one digit."""
    while True:
        made = "".join(secrets.choice(_ALPHABET) for _ in range(length))
        if any(map(str.isupper, made)) and any(map(str.islower, made)) and any(map(str.isdigit, made)):
            return made


def check_host(login: Login, allowed: Sequence[str], provider: str, default_port: int) -> tuple[str, int]:
    """Give the host and port to connect to; ProviderError unless the configuration allows it.

    A stored URL may come from the text of a repository: connecting wherever it points would send a password
    to a stranger, or reach into the network behind us.
    """
    port = login.port or default_port
    if not login.host:
        raise ProviderError(
            "the stored value names no host", hint=f"set one: [providers.{provider}] hosts, and the label host"
        )
    if login.host not in allowed and f"{login.host}:{port}" not in allowed:
        raise ProviderError(
            f"{login.host}:{port} is not a host that the configuration allows",
            hint=f'allow it: [providers.{provider}] hosts = ["{login.host}:{port}"]',
        )
    return login.host, port


def _login(
    found: Mapping[str, str], labels: Mapping[str, str], options: tuple[tuple[str, str], ...] = (), scheme: str = ""
) -> Login:
    def pick(role: str) -> str:
        return found.get(role) or labels.get(role, "")

    if not pick("password"):
        raise ProviderError("the stored value holds no password")
    port = pick("port")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ProviderError("the stored value has a port that is not a number from 1 to 65535")
    return Login(pick("user"), pick("password"), pick("host"), int(port or 0), pick("database"), options, scheme)


def _from_url(url: re.Match[str]) -> dict[str, str]:
    address = _ADDRESS.match(url["address"])
    if address is None:
        raise ProviderError("the stored URL names no single host", hint="several hosts in one URL are not supported")
    return {
        "user": unquote(url["user"] or ""),
        "password": unquote(url["password"] or ""),
        "host": unquote(address["host"]).strip("[]"),
        "port": address["port"] or "",
        "database": unquote((url["path"] or "").removeprefix("/")),
    }


def _text(secret: Secret) -> str:
    try:
        return secret.reveal().decode()
    except UnicodeDecodeError:
        raise ProviderError("the stored value is binary, so this provider can't read it") from None


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _field(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _key(fields: Mapping[str, Any], role: str) -> str:
    return next((name for name in _SYNONYMS[role] if name in fields), role)
