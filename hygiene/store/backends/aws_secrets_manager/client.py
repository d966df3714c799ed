"""The connection to AWS, and AWS's errors in our words.

Only codes and operations are quoted: a validation message of AWS may repeat the value that was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from hygiene.deadline import within
from hygiene.errors import AccessDeniedError, ConflictError, NotFoundError, StoreError
from hygiene.store.transport import CLOCK, check_encrypted

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

Client = TypeVar("Client", bound=Any)
_DEADLINE_SECONDS = 30.0  # for one try, byte after byte
_DENIED = ("AccessDeniedException", "AccessDenied", "403", "UnauthorizedOperation", "KMSAccessDeniedException")
_CREDENTIALS = ("UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken")
_CLOCK = ("InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed")
_THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException")
_KEY = ("EncryptionFailure", "DecryptionFailure", "EncryptionFailureException", "DecryptionFailureException")


def connect(region: str) -> SecretsManagerClient:
    """Make a client for ``region`` (empty: AWS's own default) that retries adaptively, eight times at most."""
    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": 8},
        connect_timeout=5,
        read_timeout=20,
        user_agent_extra="secret-hygiene",
    )
    try:
        return bounded(boto3.session.Session().client("secretsmanager", region_name=region or None, config=config))
    except NoRegionError as error:
        raise StoreError("no AWS region is set", hint="write awssecrets://REGION, or set AWS_REGION") from error
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"cannot set up the connection to AWS: {type(error).__name__}") from error


def bounded(client: Client) -> Client:
    """Hold each request of ``client`` to encryption and to a deadline, after which botocore's retries take over."""
    check_encrypted(client.meta.endpoint_url, "AWS_ENDPOINT_URL")
    session = client._endpoint.http_session
    client._endpoint.http_session = _BoundedSession(session)
    return client


class _BoundedSession:
    """What botocore sends requests by; it has no public place for one of our own."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        try:
            return within(_DEADLINE_SECONDS, lambda: self._session.send(request))
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error

    def close(self) -> None:
        self._session.close()


@contextmanager
def translated(what: str, *, writes: bool = False) -> Iterator[None]:
    """Translate AWS's errors while doing ``what``; after a cut-off write the error says what is not known."""
    try:
        yield
    except ClientError as error:
        raise _client_error(what, code_of(error)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreError(
            f"cannot {what}: AWS has no credentials here",
            hint="use aws sso login, a profile (AWS_PROFILE), or in CI a role by OIDC",
        ) from error
    except SSLError as error:
        raise StoreError(
            f"cannot {what}: the certificate of {error.kwargs.get('endpoint_url', 'AWS')} is not trusted",
            hint=f"set AWS_CA_BUNDLE to your CA's file; {CLOCK}",
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        unknown = "; whether it was written is not known, and trying again is safe" if writes else ""
        raise StoreError(
            f"cannot {what}: AWS can't be reached ({type(error).__name__}){unknown}",
            hint="check the network, AWS_ENDPOINT_URL and the region",
        ) from error
    except BotoCoreError as error:
        raise StoreError(f"cannot {what}: {type(error).__name__}") from error


def code_of(error: ClientError) -> str:
    """Give AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def refuses_parameter(error: StoreError) -> bool:
    """Say whether AWS refused a parameter: a version that is not there, or a stage on another one."""
    return isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "InvalidParameterException"


def _client_error(what: str, code: str) -> StoreError:
    if code in _DENIED:
        return AccessDeniedError(
            f"AWS does not allow to {what} ({code})",
            hint="the role may lack the secretsmanager action, or kms:Decrypt and kms:GenerateDataKey on the key",
        )
    if code == "ResourceNotFoundException":
        return NotFoundError(f"cannot {what}: AWS knows no such secret, version or stage")
    if code == "ResourceExistsException":
        return ConflictError(f"cannot {what}: it exists with another value; nothing was written")
    if code == "InvalidRequestException":
        return ConflictError(
            f"cannot {what}: AWS refuses it in the secret's present state",
            hint="it may be scheduled for deletion, or managed by another AWS service",
        )
    hints = {
        **dict.fromkeys(_CREDENTIALS, "the AWS credentials are wrong or have run out: log in again"),
        **dict.fromkeys(_CLOCK, "the secret key is wrong, or this machine's clock is"),
        **dict.fromkeys(_THROTTLED, "AWS throttles this account: wait a little and try again"),
        **dict.fromkeys(_KEY, "look at the state and policy of the KMS key"),
    }
    return StoreError(f"cannot {what}: AWS answers {code}", hint=hints.get(code, "CloudTrail may tell more"))
