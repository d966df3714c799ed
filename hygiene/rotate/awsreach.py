"""What an AWS key may do: simulated by IAM where the key may ask for that, else the policies that its user has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# What an intruder would try first; one call of the simulation takes them all.
_TELLING = (
    *("iam:CreateUser", "iam:CreateAccessKey", "iam:AttachUserPolicy", "iam:PassRole", "sts:AssumeRole"),
    *("s3:ListAllMyBuckets", "s3:GetObject", "s3:PutObject", "s3:DeleteBucket"),
    *("secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt"),
    *("ec2:RunInstances", "ec2:TerminateInstances", "lambda:UpdateFunctionCode", "lambda:InvokeFunction"),
    *("rds:DeleteDBInstance", "dynamodb:Scan", "dynamodb:DeleteTable", "ecr:PutImage"),
    *("cloudtrail:StopLogging", "organizations:LeaveOrganization"),
)


def reach_of_user(iam: Any, arn: str) -> tuple[str, ...]:
    """Tell what the user ``arn`` may do, by a client of IAM that works for it; () where it may not ask."""
    simulated = _asked(lambda: _simulated(iam, arn))
    if simulated is not None:
        return tuple(simulated) or ("none of what an intruder tries first",)
    user = arn.rpartition("/")[2]
    found = [_asked(lambda ask=ask: list(ask(iam, user))) for ask in (_attached, _inline, _by_group)]  # type: ignore[misc]
    return tuple(policy for policies in found for policy in policies or ())


def _simulated(iam: Any, arn: str) -> list[str]:
    told = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(_TELLING), MaxItems=len(_TELLING))
    results = told["EvaluationResults"]
    return [str(one["EvalActionName"]) for one in results if one["EvalDecision"] == "allowed"]


def _attached(iam: Any, user: str) -> Iterator[str]:
    for policy in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
        yield f"policy {policy['PolicyName']}"


def _inline(iam: Any, user: str) -> Iterator[str]:
    for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
        document = iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
        yield f"policy {name} ({', '.join(_actions(document)) or 'allows nothing'})"


def _by_group(iam: Any, user: str) -> Iterator[str]:
    for group in iam.list_groups_for_user(UserName=user)["Groups"]:
        name = group["GroupName"]
        policies = iam.list_attached_group_policies(GroupName=name)["AttachedPolicies"]
        yield from (f"policy {policy['PolicyName']}, by the group {name}" for policy in policies)


def _actions(document: Any) -> list[str]:
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    allowed: list[str] = []
    for statement in [statements] if isinstance(statements, dict) else statements:
        if statement.get("Effect") == "Allow":
            actions = statement.get("Action", [])
            allowed += [actions] if isinstance(actions, str) else map(str, actions)
    return list(dict.fromkeys(allowed))


def _asked(ask: Callable[[], list[str]]) -> list[str] | None:
    """Ask, or None where the key may not, or the server does not know the question."""
    try:
        return ask()
    except (ClientError, BotoCoreError, KeyError):
        return None
