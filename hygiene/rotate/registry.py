"""The providers, each in a file of its own that is imported only when it is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from hygiene.errors import ConfigError, UsageError
from hygiene.rotate.provider import Provider, Target
from hygiene.rotate.stored import fields_of
from hygiene.secret import Secret

PROVIDERS = {
    "aws_iam": "hygiene.rotate.providers.aws_iam:AwsIamProvider",
    "declared": "hygiene.rotate.providers.declared:DeclaredProvider",
    "gcp_service_account": "hygiene.rotate.providers.gcp_service_account:GcpServiceAccountProvider",
    "mariadb": "hygiene.rotate.providers.mariadb:MariadbProvider",
    "openbao_approle": "hygiene.rotate.providers.openbao_approle:OpenbaoAppRoleProvider",
    "openbao_database": "hygiene.rotate.providers.openbao_database:OpenbaoDatabaseProvider",
    "openbao_token": "hygiene.rotate.providers.openbao_token:OpenbaoTokenProvider",
    "postgresql": "hygiene.rotate.providers.postgresql:PostgresqlProvider",
    "rabbitmq": "hygiene.rotate.providers.rabbitmq:RabbitmqProvider",
    "redis": "hygiene.rotate.providers.redis:RedisProvider",
    "ssh": "hygiene.rotate.providers.ssh:SshProvider",
    "tls": "hygiene.rotate.providers.tls:TlsProvider",
    "command": "hygiene.rotate.providers.command:CommandProvider",
}
ALIASES = {
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "aws": "aws_iam",
    "generic": "command",
    "manual": "declared",
    "mysql": "mariadb",
    "openbao": "openbao_token",
    "postgres": "postgresql",
    "rediss": "redis",
    "vault": "openbao_token",
}
AWS = "aws_iam"
AWS_RULE = "aws-"  # how the rules begin that find AWS credentials
DECLARED = "declared"  # by the rule's tables; with none, by a person
_KEY_ID = re.compile(rb"A[KS]IA[A-Z2-7]{16}")
_EXTRAS = {
    "aws_iam": "aws",
    "gcp_service_account": "migrate",
    "mariadb": "mariadb",
    "postgresql": "postgres",
    "rabbitmq": "rabbitmq",
    "redis": "redis",
    "ssh": "migrate",
    "tls": "migrate",
}


def provider_name(name: str) -> str:
    """Give the registered name for ``name`` or an alias of it; raises UsageError for an unknown one."""
    name = ALIASES.get(name, name)
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider {name!r}", hint=f"known are {', '.join(sorted(PROVIDERS))}")
    return name


def guess_provider(labels: Mapping[str, str], value: Secret) -> str:
    """Name the provider of a stored value by its labels, or by its form; ``declared`` where neither tells."""
    scheme = value.reveal().partition(b"://")[0].partition(b"+")[0].decode("ascii", "ignore").lower()
    fields = fields_of(value) or {}
    if labels.get("provider"):
        return provider_name(labels["provider"])
    told = (labels.get("rule", "").partition("-")[0], scheme, str(fields.get("engine", "")))
    if {"secret", "secret_access_key", "aws_secret_access_key", "SecretAccessKey"} & set(fields) and any(
        str(text).startswith(("AKIA", "ASIA")) for text in fields.values()
    ):
        return "aws_iam"
    if {"role_id", "secret_id"} <= set(fields):
        return "openbao_approle"
    if fields.get("type") == "service_account" and "private_key_id" in fields:
        return "gcp_service_account"
    # A command is only run where someone names it: the rule "generic-password" says nothing of that.
    guesses = (ALIASES.get(name, name) for name in told if name)
    return next((name for name in guesses if name in PROVIDERS and name != "command"), DECLARED)


def is_key_id(value: Secret) -> bool:
    """Say whether ``value`` is the id of an AWS access key, and not its secret."""
    return _KEY_ID.fullmatch(value.reveal()) is not None


def open_provider(name: str, target: Target) -> Provider:
    """Make the provider ``name`` for ``target``; raises ConfigError when its extra is not installed."""
    name = provider_name(name)
    module, _, kind = PROVIDERS[name].partition(":")
    try:
        made = cast(Callable[[Target], Provider], getattr(import_module(module), kind))
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the provider {name} needs a package that is not installed ({error.name})",
            hint=f"pip install 'secret-hygiene[{_EXTRAS.get(name, 'all')}]'",
        ) from None
    return made(target)
