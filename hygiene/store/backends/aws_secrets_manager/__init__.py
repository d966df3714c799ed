"""AWS Secrets Manager by boto3: ``awssecrets://[REGION][/PREFIX][?kms_key=…&replicas=REGION,…]``."""

from __future__ import annotations

from urllib.parse import parse_qs

from hygiene.errors import UsageError
from hygiene.reference import check_name
from hygiene.store.backends.aws_secrets_manager.client import connect
from hygiene.store.backends.aws_secrets_manager.store import SecretsManagerStore
from hygiene.store.protocol import Opening

__all__ = ["SecretsManagerStore", "open_backend"]
_OPTIONS = ("kms_key", "replicas")


def open_backend(opening: Opening) -> SecretsManagerStore:
    """Open the region and prefix of ``opening``; credentials come from AWS's own chain, never from us."""
    place, _, query = opening.rest.partition("?")
    region, _, prefix = place.partition("/")
    options = {key: values[-1] for key, values in parse_qs(query).items()}
    unknown = next((key for key in options if key not in _OPTIONS), None)
    if unknown is not None:
        raise UsageError(f"{opening.uri}: unknown option {unknown!r}", hint=f"known are {', '.join(_OPTIONS)}")
    return SecretsManagerStore(
        connect(region),
        uri=opening.uri,
        region=region,
        prefix=check_name(prefix.strip("/")) if prefix.strip("/") else "",
        kms_key=options.get("kms_key", ""),
        replicas=tuple(filter(None, options.get("replicas", "").split(","))),
    )
