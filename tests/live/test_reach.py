"""What a leaked credential may do, told by real servers."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest

from hygiene.rotate.awsreach import reach_of_user
from hygiene.rotate.provider import Reaching, Target
from hygiene.rotate.registry import open_provider
from hygiene.secret import Secret
from tests.servers.mariadb import Mariadb
from tests.servers.moto import Moto, new_key_pair
from tests.servers.openbao import OpenBao
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import Rabbitmq
from tests.servers.redis import RedisServer


def reach(name: str, value: str, target: Target) -> tuple[str, ...]:
    provider = open_provider(name, target)
    assert isinstance(provider, Reaching)
    return provider.reach(Secret.from_text(value))


def test_postgresql_tells_attributes_memberships_and_tables(postgres_server: Postgres) -> None:
    role, group, password = f"r{secrets.token_hex(4)}", f"g{secrets.token_hex(4)}", secrets.token_hex(12)
    postgres_server.run(
        f"create role {group}",
        f"create role {role} login createdb password '{password}' in role {group}",
        f"create table t_{role} (id int)",
        f"create table u_{role} (id int)",
        f"grant select on t_{role} to {group}",
    )
    target = Target("x", {}, (f"127.0.0.1:{postgres_server.port}",))
    told = reach("postgresql", postgres_server.url(role, password), target)
    assert "makes databases" in told and "superuser" not in told
    assert f"member of {group}" in told
    assert any(line.startswith("connects to ") and "postgres" in line for line in told)
    assert any(line.startswith("reads 1 and changes 0 of ") for line in told)
    assert "superuser" in reach("postgresql", postgres_server.admin, target)


def test_mariadb_tells_grants_without_the_hash(mariadb_server: Mariadb) -> None:
    user, password = "r" + secrets.token_hex(4), secrets.token_hex(12)
    mariadb_server.run(f"create user {user}@'%' identified by '{password}'", f"grant select on shop.* to {user}@'%'")
    target = Target("x", {}, ("127.0.0.1",))
    told = reach("mariadb", mariadb_server.url(user, password), target)
    assert any(line.startswith("SELECT ON `shop`.*") for line in told)
    assert not re.search(r"IDENTIFIED|\*[0-9A-F]{40}", str(told))


def test_redis_tells_commands_and_keys(redis_server: RedisServer) -> None:
    target = Target("x", {}, (f"127.0.0.1:{redis_server.port}",))
    user, blind, password = "r" + secrets.token_hex(4), "b" + secrets.token_hex(4), secrets.token_hex(12)
    redis_server.run("ACL", "SETUSER", user, "on", f">{password}", "~shop:*", "+get", "+acl|getuser")
    redis_server.run("ACL", "SETUSER", blind, "on", f">{password}", "~*", "+get")
    told = reach("redis", redis_server.url(user, password), target)
    assert any("+get" in line for line in told) and any("shop:*" in line for line in told)
    assert password not in str(told)
    assert reach("redis", redis_server.url(blind, password), target) == ()


def test_rabbitmq_tells_tags_and_rights(rabbitmq_server: Rabbitmq) -> None:
    user, password = "r" + secrets.token_hex(4), secrets.token_hex(12)
    rabbitmq_server.add_user(user, password)
    target = Target(
        "x",
        {"management": rabbitmq_server.management},
        (f"127.0.0.1:{rabbitmq_server.port}", rabbitmq_server.management),
        Secret.from_text(rabbitmq_server.admin),
    )
    told = reach("rabbitmq", rabbitmq_server.url(user, password), target)
    assert any(line.startswith("in /: configures ") for line in told)


def test_openbao_tells_paths_and_root(bao_server: OpenBao) -> None:
    client, policy = bao_server.client(), "p" + secrets.token_hex(4)
    client.sys.create_or_update_policy(policy, 'path "secret/data/shop/*" { capabilities = ["read", "update"] }')
    token = client.auth.token.create(policies=[policy])["auth"]["client_token"]
    target = Target("x", {"address": bao_server.url}, (bao_server.url,))
    assert reach("openbao_token", token, target) == ("secret/data/shop/* (read, update)",)
    assert reach("openbao_token", bao_server.token, target) == ("everything (root)",)


def test_aws_tells_policies_on_moto(moto_server: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    iam = moto_server.iam()
    pair = new_key_pair(iam, "app")
    assert reach("aws_iam", pair, Target("x", {})) == ()  # it may not ask
    actions = ["iam:List*", "iam:Get*"]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    iam.put_user_policy(UserName="app", PolicyName="reads", PolicyDocument=json.dumps(document))
    told = reach("aws_iam", pair, Target("x", {}))
    assert "policy reads (iam:List*, iam:Get*)" in told and "policy own (iam:*AccessKey*)" in told


class Simulating:
    """Answers as IAM documents SimulatePrincipalPolicy, which moto does not have."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def simulate_principal_policy(self, **asked: Any) -> dict[str, Any]:
        assert asked["PolicySourceArn"].startswith("arn:aws:iam::") and len(asked["ActionNames"]) <= asked["MaxItems"]
        decisions = {True: "allowed", False: "implicitDeny"}
        results = (
            {"EvalActionName": name, "EvalDecision": decisions[name in self.allowed]} for name in asked["ActionNames"]
        )
        return {"EvaluationResults": list(results), "IsTruncated": False}


def test_aws_tells_what_its_simulation_allows() -> None:
    arn = "arn:aws:iam::123456789012:user/app"
    assert reach_of_user(Simulating("s3:GetObject", "iam:PassRole"), arn) == ("iam:PassRole", "s3:GetObject")
    assert reach_of_user(Simulating(), arn) == ("none of what an intruder tries first",)
