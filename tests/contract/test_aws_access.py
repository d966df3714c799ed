"""Roles at AWS: policies of IAM for our own account, the secrets' own policies for others.

moto keeps resource policies and judges none: it does not know ``ValidateResourcePolicy``, and takes public ones. What
is asked of AWS is therefore looked at on its way there.
"""

import json
import uuid

import boto3
import pytest

from hygiene.config import Config, Role
from hygiene.errors import ConfigError, ForeignSecretError, StoreError
from hygiene.secret import Secret
from hygiene.store.backends.aws_secrets_manager.members import entities_of, members_of
from hygiene.store.backends.aws_secrets_manager.resources import compile_resource_policy
from hygiene.store.backends.aws_secrets_manager.trust import loose_trusts
from hygiene.store.registry import open_store
from tests.contract.places import aws
from tests.contract.test_aws_secrets_manager import Answers

HERE, THERE = "123456789012", "210987654321"  # moto's account, and another
APP_THERE = f"arn:aws:iam::{THERE}:role/app"


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with aws(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def store(place):
    made = place.open()
    for name in ("shop/db", "bank/key"):
        made.put(name, Secret(b"v"), token=str(uuid.uuid4()))
    validated(made)
    return made


def validated(store, **verdict):
    """Answer for moto what AWS answers to a validation, and watch what is asked."""
    answer = {"PolicyValidationPassed": True, "ValidationErrors": [], **verdict}
    return Answers(store, lambda action, _: (200, answer) if action == "ValidateResourcePolicy" else None)


@pytest.fixture
def outside(place):
    return boto3.client("secretsmanager", region_name="eu-central-1")


@pytest.fixture
def iam(place):
    client = boto3.client("iam", region_name="us-east-1")
    client.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    return client


def policy_of(outside, name):
    text = outside.get_resource_policy(SecretId=f"team/app/{name}").get("ResourcePolicy")
    return json.loads(text) if text else None


READERS = (Role("readers", (APP_THERE,), ("shop/**",), ("read",)),)


def test_member_of_another_account_is_let_in_by_the_secrets_own_policy_and_nothing_is_public(store, outside, iam):
    asked = validated(store)
    planned = [(c.action, c.object) for c in store.plan_access(READERS)]
    assert ("write-resource-policy", "team/app/shop/db") in planned
    assert policy_of(outside, "shop/db") is None
    store.apply_access(READERS)
    allowed, clear = policy_of(outside, "shop/db")["Statement"]
    assert allowed["Principal"] == {"AWS": APP_THERE}
    assert "secretsmanager:GetSecretValue" in allowed["Action"]
    assert not {"secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"} & set(allowed["Action"])
    assert (clear["Effect"], clear["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert policy_of(outside, "bank/key") is None
    assert asked.seen.index("ValidateResourcePolicy") < asked.seen.index("PutResourcePolicy")
    assert store.check_access(READERS) == []
    store.put("shop/new", Secret(b"v"), token=str(uuid.uuid4()))
    assert [(c.action, c.object) for c in store.check_access(READERS)] == [
        ("write-resource-policy", "team/app/shop/new")
    ]
    store.apply_access(())
    assert policy_of(outside, "shop/db") is None


def test_public_access_is_blocked_in_every_request(store, monkeypatch, iam):
    bodies = []
    store._client.meta.events.register(
        "before-send.secretsmanager.PutResourcePolicy", lambda request, **_: bodies.append(json.loads(request.body))
    )
    store.apply_access(READERS)
    assert [body["BlockPublicPolicy"] for body in bodies] == [True]


def test_policy_that_aws_finds_wrong_is_not_written(place, store, outside, iam):
    other = place.open()
    asked = validated(
        other, PolicyValidationPassed=False, ValidationErrors=[{"CheckName": "LOCKOUT", "ErrorMessage": "x"}]
    )
    with pytest.raises(StoreError, match="LOCKOUT"):
        other.apply_access(READERS)
    assert "PutResourcePolicy" not in asked.seen
    assert policy_of(outside, "shop/db") is None


def test_resource_policy_of_someone_else_is_left_alone_and_stops_all(store, outside, iam):
    theirs = {"Version": "2012-10-17", "Id": "theirs", "Statement": []}
    outside.put_resource_policy(SecretId="team/app/shop/db", ResourcePolicy=json.dumps(theirs))
    with pytest.raises(ForeignSecretError, match="resource policy"):
        store.apply_access((*READERS, Role("ops", (f"arn:aws:iam::{HERE}:role/app",), ("**",), ("read",))))
    assert policy_of(outside, "shop/db") == theirs
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == []
    store.apply_access(())
    assert policy_of(outside, "shop/db") == theirs


def test_namesake_of_a_member_of_another_account_gets_nothing_here(store, iam):
    """``role/app`` of the other account is not ``role/app`` of ours."""
    store.apply_access(READERS)
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == []


def test_store_below_or_beside_keeps_its_policies(store, iam):
    """The names of the policies of team/app and of team begin alike."""
    here = (Role("app", (f"arn:aws:iam::{HERE}:role/app",), ("shop/**",), ("read",)),)
    store.apply_access(here)
    (attached,) = iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"]
    for uri in ("awssecrets://eu-central-1/team", "awssecrets://eu-central-1", "awssecrets://eu-west-1/team/app"):
        other = open_store(uri, Config())
        other.apply_access(())
        other.apply_access((Role("lead", (), ("**",), ("read",)),))
        assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == [attached], uri
    with pytest.raises(ForeignSecretError, match="belongs to the store"):
        open_store("awssecrets://eu-central-1/team", Config()).apply_access(
            (Role("app-app", (), ("**",), ("read", "delete")),)
        )
    assert store.check_access(here) == []


GITHUB = f"arn:aws:iam::{HERE}:oidc-provider/token.actions.githubusercontent.com"
MAIN = "repo:org/name:ref:refs/heads/main"


def trusting(condition, principal=GITHUB, effect="Allow", action="sts:AssumeRoleWithWebIdentity"):
    statement = {"Effect": effect, "Principal": {"Federated": principal}, "Action": action, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def claims(operator="StringEquals", **bound):
    return {operator: {f"token.actions.githubusercontent.com:{key}": value for key, value in bound.items()}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (trusting(claims(sub=MAIN, aud="sts.amazonaws.com")), []),
        (trusting(claims(sub=[MAIN, MAIN + "2"], aud="sts.amazonaws.com")), []),
        (trusting({**claims(aud="x"), **claims("StringLike", sub=MAIN)}), []),
        (trusting({}), ["any subject", "any audience"]),
        (trusting(claims(aud="sts.amazonaws.com")), ["any subject"]),
        (trusting(claims(sub=MAIN)), ["any audience"]),
        (trusting({**claims(aud="x"), **claims("StringLike", sub="repo:org/*")}), ["like repo:org/*"]),
        (trusting(claims("StringEqualsIfExists", sub=MAIN, aud="x")), ["any subject", "any audience"]),
        (trusting(claims("ForAllValues:StringEquals", sub=MAIN, aud="x")), ["any subject", "any audience"]),
        (trusting(claims("StringNotEquals", sub=MAIN, aud="x")), ["any subject", "any audience"]),
        (trusting({}, principal=[GITHUB], action=["sts:TagSession", "sts:*"]), ["any subject", "any audience"]),
        (trusting({}, effect="Deny"), []),
        (trusting({}, principal="arn:aws:iam::1:saml-provider/x"), []),
        ({"Statement": {"Effect": "Allow", "Principal": {"AWS": HERE}, "Action": "sts:AssumeRole"}}, []),
        ({}, []),
    ],
)
def test_trust_in_tokens_of_ci_is_told_where_it_names_no_whole_subject(document, said):
    found = list(loose_trusts(document))
    assert len(found) == len(said), found
    assert all(words in told for words, told in zip(said, found, strict=True))


def test_check_tells_a_member_that_any_pipeline_may_become(store, iam):
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps(trusting(claims(aud="sts.amazonaws.com"))))
    roles = (Role("ci", (f"arn:aws:iam::{HERE}:role/ci", f"arn:aws:iam::{HERE}:user/nobody"), ("shop/**",), ("read",)),)
    store.apply_access((roles[0]._replace(members=roles[0].members[:1]),))
    changes = store.check_access((roles[0]._replace(members=roles[0].members[:1]),))
    assert [(c.action, c.object) for c in changes] == [("loose-trust", "role/ci")]
    iam.update_assume_role_policy(RoleName="ci", PolicyDocument=json.dumps(trusting(claims(sub=MAIN, aud="x"))))
    assert store.check_access((roles[0]._replace(members=roles[0].members[:1]),)) == []


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "arn:aws:iam::*:role/app",
        f"arn:aws:iam::{HERE}:role/*",
        f"arn:aws:iam::{HERE}:group/app",
        f"x arn:aws:iam::{HERE}:role/app",
        f"arn:aws:iam::{HERE}:role/app\n",
        "oidc:repo:org/name",
        "age1abc",
    ],
)
def test_what_is_no_principal_of_iam_is_nobody(text):
    role = Role("r", (text,), ("**",), ("read",))
    assert members_of(role) == []
    assert compile_resource_policy((role,), "a", HERE) is None


def test_members_are_attached_by_account():
    role = Role("r", (APP_THERE, f"arn:aws:iam::{HERE}:user/ops/kim", f"arn:aws:iam::{HERE}:root"), ("**",), ("read",))
    assert entities_of(role, HERE) == {"user/kim"}
    assert entities_of(role, THERE) == {"role/app"}


def test_policy_longer_than_aws_takes_is_refused_before_the_call():
    role = Role("r", tuple(f"arn:aws:iam::{THERE}:role/app-{number:04d}" for number in range(600)), ("**",), ("read",))
    with pytest.raises(ConfigError, match="20480"):
        compile_resource_policy((role,), "a", HERE)
