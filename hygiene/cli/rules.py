"""`hygiene rules`: list, prove, explain and import rules."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from hygiene.config import find_config, read_config
from hygiene.detect.gitleaksrules import import_gitleaks
from hygiene.detect.rulecheck import check_rules
from hygiene.detect.ruleguide import explain_rule, suggest_rule
from hygiene.detect.rules import RuleSet, load_rules
from hygiene.errors import ExitCode, UsageError
from hygiene.fileio import write_atomic


@click.group()
def command() -> None:
    """What is looked for: list the rules, prove them, explain one, import gitleaks' rules."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
@click.option("--provider", default="", help="Only the rules of this provider.")
def list_rules(as_json: bool, provider: str) -> int:
    """List the rules in force here: the built-in ones and the project's own."""
    rules = [rule for rule in _configured().rules if not provider or rule.provider == provider]
    if as_json:
        keys = ("id", "provider", "description", "severity", "confidence", "checksum", "generic", "impact", "docs")
        click.echo(json.dumps([{key: getattr(rule, key) for key in keys} for rule in rules], indent=2))
        return ExitCode.CLEAN
    width = max((len(rule.id) for rule in rules), default=0)
    for rule in rules:
        click.echo(f"{rule.id:{width}}  {rule.severity:8}  {rule.description}")
    click.echo(f"{len(rules)} rules of {len({rule.provider for rule in rules})} providers", err=True)
    return ExitCode.CLEAN


@command.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> int:
    """Prove the rules (those in FOLDER, else all) on their own and one another's examples.

    Exits 3 when a rule fails.
    """
    rules = load_rules([folder]) if folder else _configured()
    only = {rule.id for rule in load_rules([folder], only=True).rules} if folder else set()
    report = check_rules(rules, only)
    for label, figure in (
        ("rules", report.rules),
        ("providers", report.providers),
        ("with an offline check", report.with_check),
        ("positive examples", report.positive),
        ("negative examples", report.negative),
        ("problems", len(report.problems)),
    ):
        click.echo(f"{label:22} {figure:6}")
    for problem in report.problems:
        click.echo(f"{problem.rule}: {problem.message}", err=True)
    return ExitCode.CONFIG if report.problems else ExitCode.CLEAN


@command.command("explain")
@click.argument("name", metavar="ID")
def explain(name: str) -> int:
    """Say what a rule finds, how sure it is, and what to do about a finding."""
    rules = _configured()
    for rule in rules.rules:
        if rule.id == name:
            click.echo(explain_rule(rule), nl=False)
            return ExitCode.CLEAN
    raise UsageError(f"there is no rule {name!r}", hint=suggest_rule(name, rules))


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the rules here instead of to stdout.")
def import_rules(file: Path, output: Path | None) -> int:
    """Turn a gitleaks configuration into a rule file of ours; what can't be expressed is said on stderr."""
    imported = import_gitleaks(file, {rule.id for rule in load_rules().rules})
    if output is None:
        sys.stdout.write(imported.text)
    else:
        write_atomic(output, imported.text.encode())
    for note in imported.notes:
        click.echo(note, err=True)
    click.echo(f"{imported.rules} rules imported, {imported.skipped} left out", err=True)
    return ExitCode.CLEAN


def _configured() -> RuleSet:
    config = read_config(find_config(Path.cwd(), None))
    base = config.path.parent if config.path else Path.cwd()
    folders = [base / folder for folder in config.rule_folders]
    return load_rules(folders, disable=config.disable, only=config.only_own_rules)
