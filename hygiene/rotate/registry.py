"""The providers, each in a file of its own that is imported only when it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from hygiene.errors import ConfigError, UsageError
from hygiene.rotate.provider import Provider, Target

PROVIDERS = {
    "aws_iam": "hygiene.rotate.providers.aws_iam:AwsIamProvider",
    "postgresql": "hygiene.rotate.providers.postgresql:PostgresqlProvider",
}
ALIASES = {"aws": "aws_iam", "postgres": "postgresql"}
_EXTRAS = {"aws_iam": "aws", "postgresql": "postgres"}


def provider_name(name: str) -> str:
    """Give the registered name for ``name`` or an alias of it; raises UsageError for an unknown one."""
    name = ALIASES.get(name, name)
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider {name!r}", hint=f"known are {', '.join(sorted(PROVIDERS))}")
    return name


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
