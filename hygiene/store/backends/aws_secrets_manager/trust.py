"""Who may become a role by an identity token of CI: a trust that names no whole subject lets anybody's pipeline in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_BY_TOKEN = ("sts:AssumeRoleWithWebIdentity", "sts:*", "*")
_WILD = ("*", "?")


def loose_trusts(document: Mapping[str, Any]) -> Iterator[str]:
    """Say what each statement of a role's trust policy leaves open: the token's subject, or its audience."""
    for statement in _listed(document.get("Statement", [])):
        providers = _federated(statement)
        if (
            statement.get("Effect") != "Allow"
            or not providers
            or not set(_BY_TOKEN) & set(_listed(statement["Action"]))
        ):
            continue
        bound = list(_bound(statement.get("Condition", {})))
        subjects = [value for key, values in bound if key.endswith(":sub") for value in values]
        who = " and ".join(provider.rpartition("oidc-provider/")[2] for provider in providers)
        if not subjects:
            yield f"any subject of {who} is trusted: bind its :sub"
        for subject in subjects:
            if any(sign in subject for sign in _WILD):
                yield f"every subject like {subject} of {who} is trusted: name each one whole"
        if not any(key.endswith(":aud") for key, _ in bound):
            yield f"tokens of {who} for any audience are trusted: bind its :aud"


def _federated(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    named = _listed(principal.get("Federated", [])) if isinstance(principal, dict) else [principal]
    return [str(name) for name in named if "oidc-provider/" in str(name) or str(name) == "*"]


def _bound(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Give the keys of conditions that demand a value, with the values that will do."""
    for operator, wanted in conditions.items():
        plain = operator.rpartition(":")[2]
        # "…IfExists" holds where the claim is missing, and ForAllValues where there is none.
        if plain in ("StringEquals", "StringLike", "StringEqualsIgnoreCase") and not operator.startswith("ForAll"):
            yield from ((key.lower(), [str(value) for value in _listed(values)]) for key, values in wanted.items())


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
