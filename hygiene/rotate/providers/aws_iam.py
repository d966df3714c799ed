"""AWS IAM access keys of a user: two at most, so the new one is made beside the old one.

The pair is stored as one JSON object with two fields, the key's id and its secret. AWS makes both, so a cut
call may leave a key whose secret nobody has: it is found by comparing the user's keys with those before.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
)

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.awsreach import reach_of_user
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import fields_of, with_fields
from hygiene.secret import Secret

_ID_FIELDS = ("id", "access_key_id", "aws_access_key_id", "AccessKeyId", "AWS_ACCESS_KEY_ID")
_SECRET_FIELDS = ("secret", "secret_access_key", "aws_secret_access_key", "SecretAccessKey", "AWS_SECRET_ACCESS_KEY")
_MOST_KEYS = 2
_DEAD = ("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "UnrecognizedClientException")
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ParamValidationError)


class KeyPair(NamedTuple):
    """An access key, and the names of the fields that it stands in."""

    id: str
    secret: str
    id_field: str
    secret_field: str


def parse_key_pair(secret: Secret) -> KeyPair:
    """Read a stored pair; raises ProviderError for a value that isn't one."""
    fields = fields_of(secret)
    id_field = next((name for name in _ID_FIELDS if fields and isinstance(fields.get(name), str)), "")
    secret_field = next((name for name in _SECRET_FIELDS if fields and isinstance(fields.get(name), str)), "")
    if not fields or not id_field or not secret_field:
        raise ProviderError(
            "the stored value is not a pair of access key id and secret",
            hint='store both as one object: {"id": "AKIA…", "secret": "…"}',
        )
    return KeyPair(fields[id_field], fields[secret_field], id_field, secret_field)


class AwsIamProvider:
    """Access keys of one IAM user."""

    name = "aws_iam"
    abilities = Abilities(overlap=True, self_service=True, idempotent_issue=False, prepares=False, propagation=30.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: region (its partition matters), user."""
        self._target = target
        self._session: Any = boto3.session.Session()  # one, since it reads the descriptions of services once
        self._region = target.labels.get("region") or os.environ.get("AWS_REGION") or "us-east-1"

    def prepare(self, current: Secret) -> Secret | None:
        """Leave it to AWS, which makes both halves."""
        return None

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Create a second key for the same user."""
        pair = parse_key_pair(current)
        user = self._user(current, pair)
        keys = self._keys(current, user)
        if len(keys) >= _MOST_KEYS:
            others = ", ".join(
                f"{key['AccessKeyId']} ({key['Status']})" for key in keys if key["AccessKeyId"] != pair.id
            )
            raise ProviderError(
                f"the user {user} has {len(keys)} access keys already, and AWS allows no more",
                hint=f"delete the one that nobody uses: {others}",
            )
        made = self._create(current, user)
        fields = {**(fields_of(current) or {}), pair.id_field: made["AccessKeyId"]}
        return with_fields(current, {**fields, pair.secret_field: made["SecretAccessKey"]})

    def verify(self, secret: Secret) -> Check:
        """Ask STS who we are; that needs no permission."""
        try:
            pair = parse_key_pair(secret)
            told = self._client("sts", pair).get_caller_identity()
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        except ClientError as error:
            return _check_from_error(error)
        except BotoCoreError as error:
            return Check(Verdict.UNKNOWN, type(error).__name__)
        return Check(Verdict.LIVE, "sts:GetCallerIdentity answered", identity=str(told["Arn"]))

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell what the key's user may do, as far as the key may ask IAM."""
        identity = self.verify(secret).identity
        return reach_of_user(self._client("iam", parse_key_pair(secret)), identity) if ":user/" in identity else ()

    def revoke(self, old: Secret, current: Secret) -> None:
        """Deactivate the old key, which can be undone, then delete it, which can't."""
        pair = parse_key_pair(old)
        if pair.id == parse_key_pair(current).id:
            raise ProviderError("the old and the current key are the same")
        user = self._user(current, parse_key_pair(current))
        if pair.id not in {key["AccessKeyId"] for key in self._keys(current, user)}:
            return
        self._delete(current, user, pair.id)

    def kill(self, secret: Secret) -> None:
        """Deactivate the key: nobody can use it, and it can still be brought back."""
        pair = parse_key_pair(secret)
        user = self._user(secret, pair)
        self._call(secret, "update_access_key", UserName=user, AccessKeyId=pair.id, Status="Inactive")

    def identifiers(self, current: Secret) -> frozenset[str]:
        """Name the user's access keys."""
        user = self._user(current, parse_key_pair(current))
        return frozenset(key["AccessKeyId"] for key in self._keys(current, user))

    def discard(self, identifier: str, current: Secret) -> None:
        """Delete a key that was never used; ProviderError for one that was."""
        used = self._call(current, "get_access_key_last_used", AccessKeyId=identifier)["AccessKeyLastUsed"]
        if used.get("LastUsedDate"):
            raise ProviderError(
                f"the access key {identifier} appeared during the rotation, but it was used since",
                hint="find out whose it is; delete it, or resume once it is gone",
            )
        self._delete(current, self._user(current, parse_key_pair(current)), identifier)

    def _delete(self, current: Secret, user: str, identifier: str) -> None:
        for operation, arguments in (("update_access_key", {"Status": "Inactive"}), ("delete_access_key", {})):
            try:
                self._call(current, operation, UserName=user, AccessKeyId=identifier, **arguments)
            except _GoneError:
                return

    def _create(self, current: Secret, user: str) -> Mapping[str, str]:
        # One attempt: botocore would repeat a call that was cut after AWS had acted, and make a second key.
        client = self._client("iam", self._actor(current), attempts=1)
        try:
            made: Mapping[str, str] = client.create_access_key(UserName=user)["AccessKey"]
        except ClientError as error:
            if error.response["ResponseMetadata"].get("HTTPStatusCode", 500) >= 500:
                raise OutcomeUnknownError(f"iam:CreateAccessKey answered {_code(error)}") from None
            raise _refusal("create_access_key", error) from None
        except _NEVER_SENT as error:
            raise ProviderError(f"cannot reach IAM: {type(error).__name__}") from None
        except BotoCoreError as error:
            raise OutcomeUnknownError(f"iam:CreateAccessKey was cut: {type(error).__name__}") from None
        return made

    def _user(self, current: Secret, pair: KeyPair) -> str:
        named = self._target.labels.get("user")
        if named:
            return named
        told = self._call(current, "get_access_key_last_used", AccessKeyId=pair.id)
        return str(told["UserName"])

    def _keys(self, current: Secret, user: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self._call(current, "list_access_keys", UserName=user)["AccessKeyMetadata"]
        return told

    def _call(self, current: Secret, operation: str, **arguments: str) -> Any:
        try:
            return getattr(self._client("iam", self._actor(current)), operation)(**arguments)
        except ClientError as error:
            raise _refusal(operation, error) from None
        except BotoCoreError as error:
            raise ProviderError(f"IAM did not answer {operation}: {type(error).__name__}") from None

    def _actor(self, current: Secret) -> KeyPair:
        return parse_key_pair(self._target.admin or current)

    def _client(self, service: str, pair: KeyPair, *, attempts: int = 4) -> Any:
        config = Config(
            connect_timeout=10, read_timeout=20, retries={"mode": "standard", "total_max_attempts": attempts}
        )
        return self._session.client(
            service,
            region_name=self._region,
            aws_access_key_id=pair.id,
            aws_secret_access_key=pair.secret,
            config=config,
        )


class _GoneError(ProviderError):
    """The key is not there any more."""


def _check_from_error(error: ClientError) -> Check:
    code, words = _code(error), error.response["Error"].get("Message", "")
    if code == "SignatureDoesNotMatch" and ("expired" in words or "not yet current" in words):
        return Check(Verdict.UNKNOWN, "the clock of this machine is wrong")
    if code in _DEAD:
        return Check(Verdict.DEAD, f"STS answered {code}")
    if code in ("AccessDenied", "AccessDeniedException"):
        return Check(Verdict.LIVE, "STS knows the key, but a policy denies the question")
    return Check(Verdict.UNKNOWN, f"STS answered {code}")


def _refusal(operation: str, error: ClientError) -> ProviderError:
    code = _code(error)
    if code == "NoSuchEntity":
        return _GoneError(f"IAM knows nothing of what {operation} names")
    if code in ("AccessDenied", "AccessDeniedException", "403"):
        return ProviderError(
            f"IAM does not allow {operation}",
            hint='allow the user its own keys (iam:*AccessKey*), or name an admin: [providers.aws_iam] admin = "ref+…"',
        )
    return ProviderError(f"IAM refused {operation}: {code}")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "no code"))
