"""How a value lies in AWS: text as ``SecretString``, other bytes as ``SecretBinary``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hygiene.errors import NotFoundError, StoreError
from hygiene.secret import Secret


def payload_from(secret: Secret) -> dict[str, Any]:
    """Give the parameters that carry ``secret`` in a write."""
    try:
        return {"SecretString": secret.reveal().decode()}
    except UnicodeDecodeError:
        return {"SecretBinary": secret.reveal()}


def value_from(name: str, answer: Mapping[str, Any]) -> Secret:
    """Take the value of ``name`` out of an answer; raises :class:`StoreError` or :class:`NotFoundError`."""
    if "Name" not in answer:
        # What botocore makes of an answer that broke off, or that something between us and AWS gave.
        raise StoreError(f"the answer of AWS about {name} is not whole", hint="try again")
    if answer.get("SecretString") is not None:
        return Secret(answer["SecretString"].encode())
    if answer.get("SecretBinary") is not None:
        return Secret(bytes(answer["SecretBinary"]))
    raise NotFoundError(f"that version of {name} holds no value")
