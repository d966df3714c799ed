"""``hygiene secret export``: the reference manifest in the forms that other tools read. No values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from hygiene.errors import UsageError
from hygiene.reference import Reference
from hygiene.replace.manifest import FILE_NAME, read_manifest

_FORMATS = ("vals", "summon", "eso", "op", "dotenv-vault-refs")
_Manifest = Mapping[str, Reference]


@click.command()
@click.option(
    "--format", "form", type=click.Choice(("vals", "summon", "eso", "op", "dotenv-vault-refs")), required=True
)
@click.option("--manifest", default=FILE_NAME, show_default=True, type=click.Path(dir_okay=False))
@click.option("--name", default="app", show_default=True, help="eso: the Kubernetes Secret's and its store's name.")
@click.option("--vault", default="Private", show_default=True, help="op: the 1Password vault.")
def export(form: str, manifest: str, name: str, vault: str) -> None:
    """Write the manifest for vals, summon, the External Secrets Operator, 1Password's op, or as a .env of references.

    The last, dotenv-vault-refs, is what vault-env of the Bank-Vaults project reads: NAME=vault:MOUNT/data/PATH#FIELD.
    """
    entries = read_manifest(Path(manifest))
    if not entries:
        raise UsageError(f"{manifest} names no secret", hint="hygiene migrate writes it, or write it by hand")
    writers: dict[str, Callable[[_Manifest], str]] = {
        "vals": _vals,
        "summon": _summon,
        "eso": lambda found: _eso(found, name),
        "op": lambda found: _op(found, vault),
        "dotenv-vault-refs": _dotenv,
    }
    click.echo(writers[form](entries), nl=False)


def _vals(entries: _Manifest) -> str:
    return "".join(f"{name}: {json.dumps(str(reference))}\n" for name, reference in entries.items())


def _summon(entries: _Manifest) -> str:
    # summon hands the path to whichever provider is set up; its AWS provider takes NAME#field.
    return "".join(
        f"{name}: !var {json.dumps(reference.path + (f'#{reference.field}' if reference.field else ''))}\n"
        for name, reference in entries.items()
    )


def _eso(entries: _Manifest, name: str) -> str:
    data = []
    for variable, reference in entries.items():
        remote = {"key": reference.path}
        if reference.field:
            remote["property"] = reference.field
        if reference.version or reference.stage:
            remote["version"] = reference.version or reference.stage or ""
        data.append({"secretKey": variable, "remoteRef": remote})
    document = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"name": name, "kind": "SecretStore"},
            "target": {"name": name},
            "data": data,
        },
    }
    return json.dumps(document, indent=2) + "\n"  # JSON is YAML


def _op(entries: _Manifest, vault: str) -> str:
    # Item names keep to the characters that op's references allow.
    return "".join(
        f"{name}=op://{vault}/{re.sub('[^A-Za-z0-9_. -]', '-', reference.path)}/{reference.field or 'password'}\n"
        for name, reference in entries.items()
    )


def _dotenv(entries: _Manifest) -> str:
    strange = [name for name, reference in entries.items() if reference.scheme not in ("vault", "openbao")]
    if strange:
        raise UsageError(f"not in Vault: {', '.join(strange)}", hint="--format vals knows every store")
    return "".join(f"{name}={_vault_path(reference)}\n" for name, reference in entries.items())


def _vault_path(reference: Reference) -> str:
    version = f"#{reference.version}" if reference.version else ""
    mount, _, path = reference.path.partition("/")
    path = path if path.startswith("data/") else f"data/{path}"
    return f"vault:{mount}/{path}#{reference.field.strip('/') or 'value'}{version}"


COMMANDS = (export,)
