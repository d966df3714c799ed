"""Where each backend of the contract suite keeps its secrets."""

import os
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

from hygiene.config import Config
from hygiene.secret import Secret
from hygiene.store.registry import open_store


class Place:
    """A place that stores can be opened on, as often as one likes."""

    def __init__(self, open, foreign):
        self.open = open
        self.foreign = foreign


@contextmanager
def embedded(request, tmp_path, monkeypatch):
    from hygiene.store.backends.embedded import EmbeddedStore, crypto
    from hygiene.store.backends.embedded.memory import Memory

    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
        monkeypatch.delenv(name, raising=False)

    def foreign(name, value):
        stranger = EmbeddedStore(
            tmp_path / "home" / "store",
            uri="embedded:",
            label="",
            identity=lambda create: crypto.find_identity(create=create),
            memory=Memory(tmp_path / "home"),
            notify=lambda key: None,
            owner="another-tool",
        )
        stranger.put(name, Secret(value), token="f" * 32)

    yield Place(lambda: open_store("embedded:", Config(), notify=lambda key: None), foreign)


@contextmanager
def aws(request, tmp_path, monkeypatch):
    import boto3

    server = request.getfixturevalue("moto_server")
    server.reset()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**settings, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)

    def foreign(name, value):
        client = boto3.client("secretsmanager", region_name="eu-central-1")
        client.create_secret(Name=f"team/app/{name}", SecretString=value.decode())

    yield Place(lambda: open_store("awssecrets://eu-central-1/team/app", Config()), foreign)


@contextmanager
def vault(request, tmp_path, monkeypatch):
    server = request.getfixturevalue("openbao_server")
    for name in [name for name in os.environ if name.startswith(("VAULT_", "BAO_", "ACTIONS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BAO_ADDR", server.url)
    monkeypatch.setenv("BAO_TOKEN", server.token)
    prefix = f"team/{uuid.uuid4()}"

    def foreign(name, value):
        kv = server.client().secrets.kv.v2
        kv.create_or_update_secret(f"{prefix}/{name}", {"value": value.decode()}, cas=0, mount_point="secret")

    yield Place(lambda: open_store(f"vault://secret/{prefix}", Config()), foreign)


@contextmanager
def conjur(request, tmp_path, monkeypatch):
    server = request.getfixturevalue("conjur_server")
    server.reset()
    for name in [name for name in os.environ if name.startswith(("CONJUR_", "HYGIENE_ID", "JWT_"))]:
        monkeypatch.delenv(name)
    settings = {"APPLIANCE_URL": server.url, "AUTHN_LOGIN": "admin", "AUTHN_API_KEY": server.keys["admin"]}
    for name, value in settings.items():
        monkeypatch.setenv(f"CONJUR_{name}", value)

    def foreign(name, value):
        now = datetime.now(UTC).isoformat()
        plain = {"annotations": {}, "values": [value], "policy": "team/app", "created": now}
        server.variables[f"team/app/{name}"] = plain

    yield Place(lambda: open_store("conjur://myorg/team/app", Config()), foreign)
    assert not server.violations, "\n".join(server.violations)


PLACES = [embedded, aws, vault, conjur]
