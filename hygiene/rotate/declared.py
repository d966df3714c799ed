"""What a rule's tables declare of a provider: the request that asks or acts, and what each answer means. No I/O.

A status that the table doesn't name, a redirect, a rate limit and an error of the server prove nothing: they
are unknown, never dead.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from hygiene.errors import ProviderError
from hygiene.rotate.net import HttpAnswer, HttpRequest
from hygiene.rotate.provider import Check, Verdict

Table = Mapping[str, Any]
_PLACEHOLDER = re.compile(r"\{([a-z_]{1,32})\}")
_LISTED = re.compile(r"\[(\{[a-z_]{1,32}\})\]\Z")
_TOO_MANY = 429
_SERVER = 500


def has_request(table: Table) -> bool:
    """Say whether ``table`` declares a request; other tables have steps for a person."""
    return isinstance(table.get("request"), str)


def request_host(table: Table) -> str:
    """Name the host that the request of ``table`` goes to."""
    return urlsplit(str(table["request"]).partition(" ")[2]).netloc.lower()


def build_request(table: Table, values: Mapping[str, Any], *, base: str = "") -> HttpRequest:
    """Fill the request of ``table`` with ``values`` (``secret`` and what is known besides).

    ``base`` (``https://host[:port]``) replaces scheme and host. Raises ProviderError when a value is missing,
    or can't stand where it should.
    """
    method, _, url = table["request"].partition(" ")
    url = _filled(url, {key: quote(value, safe="") for key, value in values.items() if isinstance(value, str)})
    if base:
        wanted, parts = urlsplit(base), urlsplit(url)
        url = urlunsplit((wanted.scheme, wanted.netloc, parts.path, parts.query, ""))
    headers = {name: _header(_filled(text, values)) for name, text in table.get("headers", {}).items()}
    if "basic" in table:
        pair = _filled(_pair(table["basic"]), values)
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    body, kind = _body(table, values)
    if kind:
        headers.setdefault("Content-Type", kind)
    return HttpRequest(method, url, headers, body)


def check_from_answer(table: Table, answer: HttpAnswer) -> Check:
    """Say what ``answer`` proves of the credential."""
    status = answer.status
    if answer.problem or not status:
        return Check(Verdict.UNKNOWN, answer.problem or "no answer")
    evidence = f"HTTP {status}"
    if status == _TOO_MANY or status >= _SERVER:
        return Check(Verdict.UNKNOWN, evidence)
    live, dead = _statuses(table, "live"), _statuses(table, "dead")
    if status in live | dead and (said := _said(table, "dead_text", answer)):
        return Check(Verdict.DEAD, f"{evidence}, {said!r}")
    if status in live and (said is None or status not in dead):
        return _live(table, answer, evidence)
    return Check(Verdict.DEAD if status in dead and said is None else Verdict.UNKNOWN, evidence)


def _live(table: Table, answer: HttpAnswer, evidence: str) -> Check:
    said = _said(table, "live_text", answer)
    if said == "":
        return Check(Verdict.UNKNOWN, evidence)
    if said is None and answer.status < 300 and _is_excuse(json_of(answer)):
        return Check(Verdict.UNKNOWN, f"{evidence}, with an error in the answer")
    return Check(Verdict.LIVE, evidence, identity=_told(table, "identity", answer), scopes=_scopes(table, answer))


def _is_excuse(told: Any) -> bool:
    """Say whether an answer that should tell of a login tells of an error instead."""
    if not isinstance(told, Mapping):
        return False
    return bool(told.get("error") or told.get("errors")) or told.get("ok") is False or told.get("success") is False


def is_done(table: Table, answer: HttpAnswer) -> bool:
    """Say whether ``answer`` says that an act (revoke, rotate) was done."""
    return not answer.problem and answer.status in _statuses(table, "done") and _said(table, "done_text", answer) != ""


def value_at(value: Any, pointer: str) -> Any:
    """Give what stands at ``pointer`` (RFC 6901, without escapes) of a JSON value, or None."""
    for key in pointer.strip("/").split("/") if pointer.strip("/") else ():
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, Mapping):
            value = value.get(key)
        else:
            return None
    return value


def json_of(answer: HttpAnswer) -> Any:
    """Read the body of ``answer`` as JSON; None for anything else."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def parts_from_secret(table: Table, secret: str) -> dict[str, str]:
    """Give the named parts of a credential that ``table`` has a pattern for, such as the id inside a key."""
    found = re.fullmatch(table["parts"], secret) if "parts" in table else None
    return {key: value for key, value in found.groupdict().items() if value} if found else {}


def is_refused(answer: HttpAnswer) -> bool:
    """Say whether ``answer`` proves that an act was not done."""
    return not answer.sent or (400 <= answer.status < _SERVER and answer.status not in (408, _TOO_MANY))


def steps_of(table: Table) -> tuple[str, ...]:
    """Give the steps for a person that ``table`` has."""
    steps = table.get("steps", ())
    steps = (steps,) if isinstance(steps, str) else tuple(steps)
    link, note = table.get("link"), table.get("note")
    return (
        *(f"{step} ({link})" if link and number == 0 else step for number, step in enumerate(steps)),
        *filter(None, (note,)),
    )


def _said(table: Table, key: str, answer: HttpAnswer) -> str | None:
    """Give which of the texts of ``key`` the answer holds, "" for none of them, None where no text is declared."""
    if key not in table:
        return None
    texts = (table[key],) if isinstance(table[key], str) else table[key]
    return next((text for text in texts if text.encode() in answer.body), "")


def _told(table: Table, key: str, answer: HttpAnswer) -> str:
    found = value_at(json_of(answer), table[key]) if key in table else None
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""


def _scopes(table: Table, answer: HttpAnswer) -> tuple[str, ...]:
    """Read what the credential may do, from a header (``header:NAME``) or the JSON that came with the answer."""
    where = table.get("scopes", "")
    if where.startswith("header:"):
        text = answer.headers.get(where.removeprefix("header:").lower(), "")
        return tuple(filter(None, (scope.strip() for scope in text.split(","))))
    found = value_at(json_of(answer), where) if where else None
    if isinstance(found, Mapping):
        return tuple(sorted(map(str, found)))
    return tuple(str(scope) for scope in found) if isinstance(found, list) else ((str(found),) if found else ())


def _statuses(table: Table, key: str) -> frozenset[int]:
    return frozenset(table.get(key, ()))


def _body(table: Table, values: Mapping[str, Any]) -> tuple[bytes | None, str]:
    if "form" in table:
        filled = {key: _filled(str(text), values) for key, text in table["form"].items()}
        return urlencode(filled).encode(), "application/x-www-form-urlencoded"
    if "json" in table:
        return json.dumps(_filled_json(table["json"], values)).encode(), "application/json"
    if "body" in table:
        return _filled(table["body"], values).encode(), ""
    return (b"", "") if table["request"].startswith(("POST", "PUT")) else (None, "")


def _filled_json(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled_json(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_json(item, values) for item in value]
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and not isinstance(values.get(whole[1], ""), str):
            return values[whole[1]]  # a list or object that was read before
        listed = _LISTED.match(value)
        return [_filled(listed[1], values)] if listed else _filled(value, values)
    return value


def _filled(text: str, values: Mapping[str, Any]) -> str:
    missing = [name for name in _PLACEHOLDER.findall(text) if not values.get(name)]
    if missing:
        raise ProviderError(
            f"the request needs {', '.join(missing)}",
            hint='name an admin credential that has it as a field: [providers.…] admin = "ref+…"'
            if missing[0].startswith("actor_")
            else "set it as a label of the secret: --label NAME=VALUE",
        )
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def _header(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise ProviderError("the value can't stand in a header: it has a control or non-ASCII character")
    return text


def _pair(basic: str | Sequence[str]) -> str:
    return basic if isinstance(basic, str) else ":".join(basic)
