"""JSON Web Tokens, read without their keys (RFC 7519): parse, claims, expiry.

A signature can't be checked offline, but what is no JWT, or has expired, is told apart from what may be live.
"""

from __future__ import annotations

import json
import time
from typing import Any

from hygiene.detect.checksums.encodings import base64_bytes

Claims = dict[str, Any]
_DEMO_SUBJECT = "1234567890"  # of the sample that every introduction shows
_KUBERNETES = "kubernetes/serviceaccount"


def parse_jwt(token: bytes) -> tuple[Claims, Claims] | None:
    """Give the header and the claims of ``token``; None if it is no signed JWT with an ``alg``."""
    parts = token.split(b".")
    if len(parts) != 3:
        return None
    header, claims = _json_object(parts[0]), _json_object(parts[1])
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return None
    if not parts[2] and header["alg"].lower() != "none":
        return None
    return header, claims


def check_jwt(token: bytes) -> bool | None:
    """True for a JWT that has not expired; False for none, an expired one, and the usual samples."""
    parsed = parse_jwt(token)
    if parsed is None:
        return False
    header, claims = parsed
    return header["alg"].lower() != "none" and not is_expired(claims) and not _is_sample(claims)


def check_jwt_shape(token: bytes) -> bool | None:
    """True for any JWT, expired or not."""
    return parse_jwt(token) is not None


def check_supabase_service(token: bytes) -> bool | None:
    """A Supabase key that goes past row-level security: role ``service_role``, and not the local demo's."""
    claims = _claims(token)
    return claims.get("role") == "service_role" and claims.get("iss") != "supabase-demo" and not is_expired(claims)


def check_kubernetes(token: bytes) -> bool | None:
    """A Kubernetes service-account token, bound or legacy."""
    claims = _claims(token)
    issued = claims.get("iss") == _KUBERNETES or "kubernetes.io" in claims
    return issued and not is_expired(claims)


def check_argocd(token: bytes) -> bool | None:
    """A token that Argo CD issued."""
    return _claims(token).get("iss") == "argocd"


def check_jfrog(token: bytes) -> bool | None:
    """An access token of the JFrog platform."""
    claims = _claims(token)
    return str(claims.get("iss", "")).startswith(("jfac@", "jfrt@", "jffe@")) and not is_expired(claims)


def check_scalr(token: bytes) -> bool | None:
    """A Scalr token: issued for a user, its id begins with ``at-``."""
    return str(_claims(token).get("jti", "")).startswith("at-")


def check_auth0_management(token: bytes) -> bool | None:
    """A token for Auth0's management API."""
    claims = _claims(token)
    audience = str(claims.get("aud", ""))
    return ".auth0.com/" in str(claims.get("iss", "")) and "/api/v2/" in audience and not is_expired(claims)


def check_temporal(token: bytes) -> bool | None:
    """A Temporal Cloud API key."""
    claims = _claims(token)
    return "account_id" in claims and "temporal.io" in json.dumps(claims) and not is_expired(claims)


def is_expired(claims: Claims) -> bool:
    """Say whether the claims name an ``exp`` in the past."""
    expires = claims.get("exp")
    return isinstance(expires, (int, float)) and expires < time.time()


def _is_sample(claims: Claims) -> bool:
    return claims.get("sub") == _DEMO_SUBJECT or claims.get("iss") == "supabase-demo"


def _claims(token: bytes) -> Claims:
    parsed = parse_jwt(token)
    return parsed[1] if parsed else {}


def _json_object(part: bytes) -> Claims | None:
    data = base64_bytes(part)
    if data is None:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
