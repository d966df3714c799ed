"""Opens the inventory: SQLite by default, PostgreSQL by URL; brings its schema up to date; survives an outage."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from hygiene.errors import ConfigError, StoreError, UsageError
from hygiene.fileio import make_private_folder
from hygiene.fleet.inventory.models import Setting
from hygiene.fleet.key import FleetKey, fleet_folder

Answer = TypeVar("Answer")
Work = Callable[[Session], Answer]

HEAD = "0004"  # the newest step of migrations/versions
_PATIENCE = 180.0  # seconds for which a database may be gone
_FIRST_PATIENCE = 15.0  # … when it is opened: a wrong address looks like an outage
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_VARIABLE = "HYGIENE_FLEET_DATABASE"
_KEY_ID = "key"
_WRITER = 0x68796769656E66  # of one transaction at a time that writes results


_LASTING = (  # in the words of an error: waiting does not help
    "no such", "readonly", "malformed", "not a database", "is full", "authentication", "unable to open",
    "does not exist",
)  # fmt: skip


class InventoryError(StoreError):
    """The inventory can't be reached, read or written."""


class Inventory:
    """The database, by transactions that are tried again while it is away."""

    def __init__(
        self, engine: Engine, *, patience: float = _PATIENCE, told: Callable[[str], None] | None = None
    ) -> None:
        """Use ``engine``; ``told`` hears, once an outage, that the database is away."""
        self.engine = engine
        self._patience = patience
        self._tell = told or (lambda _words: None)

    def run(self, work: Work[Answer], *, at_most: float = math.inf) -> Answer:
        """Do ``work`` in one transaction. It may be called again, so it must only touch its session.

        A commit whose outcome got lost may have happened: what must happen once asks the database first.
        Raises :class:`InventoryError` when the database stays away, for ``at_most`` so many seconds.
        """
        patience = min(self._patience, at_most)
        deadline, pause, told = time.monotonic() + patience, _FIRST_PAUSE, False
        while True:
            try:
                with Session(self.engine, expire_on_commit=False) as session, session.begin():
                    return work(session)
            except (OperationalError, InterfaceError, DBAPIError) as error:
                if not _is_outage(error):
                    raise _inventory_error(self.engine.url, error) from None
                if time.monotonic() + pause > deadline:
                    raise _inventory_error(self.engine.url, error) from None
                if not (told or _is_taken(error)):
                    self._tell(f"the inventory does not answer: waiting up to {patience:.0f} s")
                    told = True
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def database_url(chosen: str = "") -> URL:
    """Give the URL of the inventory: ``chosen``, the variable HYGIENE_FLEET_DATABASE, or a file of the user.

    Raises :class:`UsageError` for a password on the command line, where every user of the machine can read it.
    """
    text = chosen or os.environ.get(_VARIABLE, "")
    if not text:
        return URL.create("sqlite", database=os.fspath(make_private_folder(fleet_folder()) / "inventory.sqlite"))
    try:
        url = make_url(text if ":" in text else f"sqlite:///{text}")
    except ArgumentError as error:
        raise UsageError("the database is no URL", hint="sqlite:///FILE or postgresql://USER@HOST/NAME") from error
    if chosen and url.password:
        raise UsageError("a password does not belong on a command line", hint=f"put the URL into {_VARIABLE}")
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"no inventory in {url.get_backend_name()}", hint="SQLite and PostgreSQL are supported")
    return url


def open_inventory(
    url: URL, key: FleetKey | None = None, *, patience: float = _PATIENCE, told: Callable[[str], None] | None = None
) -> Inventory:
    """Open the inventory at ``url``, its schema made or brought up to date.

    With ``key`` the inventory is bound to it: another key would give the same secret another name.
    Raises :class:`InventoryError`, or :class:`ConfigError` for another key.
    """
    inventory = Inventory(_engine(url), patience=patience, told=told)
    try:
        inventory.run(lambda session: session.execute(text("select 1")).all(), at_most=_FIRST_PATIENCE)
    except InventoryError as error:
        raise InventoryError(error.message, hint=f"is it the right one? --database or {_VARIABLE} names it") from None
    if _step(inventory.engine) != HEAD:
        import_module("hygiene.fleet.inventory.migrate").upgrade(inventory.engine)
    if key is not None:
        inventory.run(lambda session: _bind(session, key))
    return inventory


def write_alone(session: Session) -> None:
    """Let no other transaction that calls this write until this one is over: two scans never wait for each other."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITER})
    else:  # SQLite begins to write with the first statement that could
        session.execute(text("update setting set value = value where id = 0"))


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError(f"no driver for {url.drivername}", hint="pip install 'secret-hygiene[fleet]'") from error


def _sqlite(url: URL) -> Engine:
    if url.database and not Path(url.database).exists():
        descriptor = os.open(url.database, os.O_CREAT | os.O_RDWR, 0o600) if Path(url.database).parent.is_dir() else -1
        if descriptor < 0:
            raise UsageError(f"there is no folder for {url.database}")
        os.close(descriptor)
    engine = create_engine(url, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own, so that a schema step is one
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _step(engine: Engine) -> str:
    if not inspect(engine).has_table("alembic_version"):
        return ""
    with engine.connect() as connection:
        return str(connection.execute(text("select version_num from alembic_version")).scalar() or "")


def _bind(session: Session, key: FleetKey) -> None:
    known = session.scalar(select(Setting).where(Setting.name == _KEY_ID))
    if known is None:
        session.add(Setting(name=_KEY_ID, value=key.id))
    elif known.value != key.id:
        raise ConfigError(
            "this inventory was made with another key of the fleet",
            hint="HYGIENE_FLEET_KEY names the file that holds the right one",
        )


def _is_outage(error: DBAPIError) -> bool:
    """Say whether trying again may help: the connection went, or the database is locked, starting or stopping."""
    if error.connection_invalidated:
        return True
    words = str(error.orig).lower()
    return isinstance(error, OperationalError) and not any(sign in words for sign in _LASTING)


def _is_taken(error: DBAPIError) -> bool:
    """Say whether SQLite only lets another scan write first."""
    return "locked" in str(error.orig).lower()


def _inventory_error(url: URL, error: DBAPIError) -> InventoryError:
    reason = str(error.orig).strip().splitlines()[:1] or [type(error.orig).__name__]
    where = url.render_as_string(hide_password=True)
    hint = "what was finished is kept: run it again"
    if "is full" in reason[0]:
        hint = f"free some space; {hint}"
    return InventoryError(f"the inventory {where}: {reason[0]}", hint=hint)
