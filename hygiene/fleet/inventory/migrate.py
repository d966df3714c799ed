"""Takes the inventory's schema from one step to another, with its data."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy import text as sql

import hygiene
from hygiene.errors import ConfigError

_BESIDE = Path(__file__).parent / "migrations"
_SHIPPED = Path(hygiene.__file__).parent / "migrations"  # of a wheel, which has the rest of this room in an archive
_LOCK = 0x68796769656E65  # "hygiene": one migration at a time, whoever starts it


def upgrade(engine: Engine, step: str = "head") -> None:
    """Bring the schema up to ``step``. Raises :class:`ConfigError` where a later version of hygiene made it."""
    _run(engine, step, up=True)


def downgrade(engine: Engine, step: str) -> None:
    """Take the schema back to ``step`` (``base``: none)."""
    _run(engine, step, up=False)


def _run(engine: Engine, step: str, *, up: bool) -> None:
    config = Config()
    config.set_main_option("script_location", str(_BESIDE if _BESIDE.is_dir() else _SHIPPED).replace("%", "%%"))
    with engine.begin() as connection:
        _lock(connection)
        config.attributes["connection"] = connection
        try:
            (command.upgrade if up else command.downgrade)(config, step)
        except CommandError as error:
            raise ConfigError(
                f"the inventory's schema is not known to this version: {error}", hint="use the newest hygiene"
            ) from error


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sql("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
