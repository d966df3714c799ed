from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from hygiene.errors import ProviderError
from hygiene.rotate.provider import Target, Verdict
from hygiene.rotate.providers.aws_iam import AwsIamProvider
from hygiene.secret import Secret
from tests.live.rotating import NAME, Rotating, client
from tests.servers.moto import Moto, key_ids, new_key_pair


@pytest.fixture
def admin(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An IAM client that may everything; authentication is enforced from here on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return moto_server.iam()


@pytest.fixture
def value(admin: Any) -> Secret:
    """A user that may change its own keys, with one of them."""
    return Secret.from_text(new_key_pair(admin, "app"))


def login(secret: Secret) -> None:
    fields = json.loads(secret.reveal())
    boto3.client(
        "sts", "us-east-1", aws_access_key_id=fields["id"], aws_secret_access_key=fields["secret"]
    ).get_caller_identity()


def keys(admin: Any) -> list[str]:
    return key_ids(admin, "app")


def test_access_key_rotated_by_itself_without_a_failed_login(admin: Any, value: Secret, tmp_path: Path) -> None:
    provider = AwsIamProvider(Target(NAME, {}))
    rotating = Rotating(tmp_path, value, provider)
    assert provider.verify(value).verdict is Verdict.LIVE
    with client(rotating.store, login) as counted:
        done = rotating.rotate()
    assert counted.failures == [] and not done.gap
    assert keys(admin) == [json.loads(rotating.current.reveal())["id"]]
    assert provider.verify(value).verdict is Verdict.DEAD
    assert provider.verify(rotating.current).identity.endswith("user/app")


def test_key_issued_before_a_kill_is_removed_on_resume(admin: Any, value: Secret, tmp_path: Path) -> None:
    provider = AwsIamProvider(Target(NAME, {}))
    rotating = Rotating(tmp_path, value, provider)
    rotation = rotating.rotation()
    rotation.issuing._keep = _killed  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        rotation.run()
    assert len(keys(admin)) == 2
    rotating.rotate()
    assert keys(admin) == [json.loads(rotating.current.reveal())["id"]]


def test_abort_removes_the_new_key(admin: Any, value: Secret, tmp_path: Path) -> None:
    provider = AwsIamProvider(Target(NAME, {}))
    rotating = Rotating(tmp_path, value, provider)
    rotating.rotation().issuing.issue()
    assert len(keys(admin)) == 2
    rotating.rotation().abort()
    assert keys(admin) == [json.loads(value.reveal())["id"]] and rotating.current == value


def test_two_keys_already_is_refused_and_changes_nothing(admin: Any, value: Secret, tmp_path: Path) -> None:
    second = admin.create_access_key(UserName="app")["AccessKey"]["AccessKeyId"]
    rotating = Rotating(tmp_path, value, AwsIamProvider(Target(NAME, {})))
    with pytest.raises(ProviderError, match="has 2 access keys") as raised:
        rotating.rotate()
    assert second in raised.value.hint
    assert not rotating.path.exists() and len(keys(admin)) == 2


def test_deleted_key_and_wrong_secret_are_dead(admin: Any, value: Secret) -> None:
    provider = AwsIamProvider(Target(NAME, {}))
    fields = json.loads(value.reveal())
    wrong = Secret.from_text(json.dumps({**fields, "secret": "x" * 40}))
    assert provider.verify(wrong).verdict is Verdict.DEAD
    admin.delete_access_key(UserName="app", AccessKeyId=fields["id"])  # moto lets an inactive one through
    assert provider.verify(value).verdict is Verdict.DEAD


def test_nobody_listening_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    value = Secret.from_text(json.dumps({"id": "AKIA" + "X" * 16, "secret": "x" * 40}))
    assert AwsIamProvider(Target(NAME, {})).verify(value).verdict is Verdict.UNKNOWN


def test_value_that_is_no_pair_says_how_to_store_one() -> None:
    with pytest.raises(ProviderError, match="not a pair") as raised:
        AwsIamProvider(Target(NAME, {})).issue(Secret(b"only-the-secret"), None)
    assert "secret" in raised.value.hint


def _killed(issued: Secret) -> None:
    raise KeyboardInterrupt
