"""What rules declare of their providers: how to verify, rotate and revoke."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hygiene.config import Config
from hygiene.detect.rules import Rule, load_rules
from hygiene.rotate.declared import has_request, request_host

Tables = Mapping[str, Mapping[str, Any]]


class RuleTables:
    """The tables of built-in rules, and of a project's own."""

    def __init__(self, config: Config) -> None:
        """Read rules by ``config``, when one is first asked for."""
        self._config = config

    def of(self, rule_id: str) -> tuple[Tables, frozenset[str]]:
        """Give the tables of a rule, and the hosts that they may name without leave of the configuration.

        Only built-in rules have such hosts: a rule in a repository could send the credential anywhere.
        """
        if not rule_id:
            return {}, frozenset()
        if rule_id in self._built_in:
            return _tables(self._built_in[rule_id]), self._fixed_hosts
        own = self._own.get(rule_id)
        return (_tables(own), frozenset()) if own else ({}, frozenset())

    def provider_of(self, rule_id: str) -> str:
        """Give the provider that a rule names, or ""."""
        rule = self._built_in.get(rule_id) or (self._own.get(rule_id) if rule_id else None)
        return rule.provider if rule else ""

    def verifiable(self) -> dict[str, str]:
        """Name the built-in rules whose credentials can be asked for over HTTP, each with the host that is asked."""
        return {name: request_host(rule.verify) for name, rule in self._built_in.items() if has_request(rule.verify)}

    @cached_property
    def _built_in(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in load_rules().rules}

    @cached_property
    def _own(self) -> Mapping[str, Rule]:
        if not self._config.rule_folders or self._config.path is None:
            return {}
        folders = [self._config.path.parent / folder for folder in self._config.rule_folders]
        return {rule.id: rule for rule in load_rules(folders, only=True).rules}

    @cached_property
    def _fixed_hosts(self) -> frozenset[str]:
        actions = [table for rule in self._built_in.values() for table in _tables(rule).values()]
        tables = [*actions, *(inner for table in actions for inner in table.values() if isinstance(inner, Mapping))]
        return frozenset(host for host in map(request_host, filter(has_request, tables)) if "{" not in host)


def _tables(rule: Rule) -> Tables:
    return {"verify": rule.verify, "rotate": rule.rotate, "revoke": rule.revoke}
