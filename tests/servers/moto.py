"""moto over HTTP: IAM, STS and Secrets Manager, with authentication enforced on demand."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from tests.servers.process import accepts, free_port, running


class Moto(NamedTuple):
    """A running server."""

    url: str

    def reset(self) -> None:
        """Forget everything, and let every call pass."""
        self._post("/moto-api/reset", b"")
        self.enforce(10**9)

    def enforce(self, after: int = 0) -> None:
        """Check signatures and policies, after this many more calls."""
        self._post("/moto-api/reset-auth", str(after).encode())

    def iam(self) -> Any:
        """Forget everything, and give an administrator's IAM client; from here on authentication is enforced."""
        self.reset()
        first = self._client("x", "x")
        first.create_user(UserName="administrator")
        first.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=policy("*"))
        key = first.create_access_key(UserName="administrator")["AccessKey"]
        self.enforce()
        return self._client(key["AccessKeyId"], key["SecretAccessKey"])

    def _client(self, key: str, secret: str) -> Any:
        return boto3.client(
            "iam", "us-east-1", endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret
        )

    def _post(self, path: str, body: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method="POST")
        urllib.request.urlopen(request, timeout=10).read()


def policy(action: str) -> str:
    """Write a policy that allows ``action`` on everything."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def new_key_pair(iam: Any, user: str) -> str:
    """Make ``user``, who may change its own keys, and one key; gives it as it is stored."""
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy("iam:*AccessKey*"))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return json.dumps({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]})


def key_ids(iam: Any, user: str) -> list[str]:
    """Name the keys of ``user``."""
    return [key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]]


@contextmanager
def moto(folder: Path) -> Iterator[Moto]:
    """Run a new server; skips where moto is not installed."""
    program = Path(sys.executable).with_name("moto_server")
    if not program.exists():
        pytest.skip("not installed: moto[server]")
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log=folder / "moto.log", ready=accepts(port), environment=environment):
        yield Moto(f"http://127.0.0.1:{port}")
