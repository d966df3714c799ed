"""MariaDB accounts.

With an admin credential the account accepts either password for a while (``IDENTIFIED VIA … OR …``, 10.4 and
later), so clients have no gap. Without one the account changes its own password, and the old one dies at once.
Only hashes that we computed are sent, so that no log holds a password.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.constants import ER

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import Login, check_host, new_password, parse_login, with_login
from hygiene.secret import Secret

_PORT = 3306
_SECONDS = 10
_LOGIN_SECONDS = 1.0
_LOCKED = 4151
_EXPIRED = 1862
_LOST = (2006, 2013)
_IDENTIFIED = re.compile(r" IDENTIFIED (?:BY|VIA|WITH) .*?(?= REQUIRE | WITH |\Z)", re.DOTALL)


class MariadbProvider:
    """Passwords of accounts with the plugin mysql_native_password."""

    name = "mariadb"

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: user, host, port, database, account (``user@host`` as the server has it)."""
        self._target = target
        overlap = target.admin is not None
        self.abilities = Abilities(overlap=overlap, self_service=not overlap, idempotent_issue=True, propagation=5.0)

    def prepare(self, current: Secret) -> Secret | None:
        """Make a password for the same account."""
        return with_login(current, password=new_password())

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Let the account accept the new password, beside the old one where an admin acts."""
        if prepared is None:
            raise ProviderError("a MariaDB password is chosen by the client")
        old, new = _hash(self._login(current).password), _hash(self._login(prepared).password)
        if self._target.admin is None:
            with self._session(current) as session:
                self._run(session, "SET PASSWORD = %s", new)
            return prepared
        account = self._account(current, prepared)
        with self._session(current) as session:
            either = "mysql_native_password USING %s OR mysql_native_password USING %s"
            self._run(session, f"ALTER USER %s@%s IDENTIFIED VIA {either}", *account, old, new)
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Log in, and ask as which account."""
        try:
            login = self._login(secret)
            with self._connect(login, login) as session, session.cursor() as cursor:
                cursor.execute("SELECT CURRENT_USER()")
                account = str(cursor.fetchone()[0])
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        except pymysql.MySQLError as error:
            return _check_from_refusal(error, login.user)
        return Check(Verdict.LIVE, "login accepted", identity=account)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell the account's grants, without the hash of its password that the server adds."""
        login = self._login(secret)
        try:
            with self._connect(login, login) as session:
                rows = self._run(session, "SHOW GRANTS")
        except pymysql.MySQLError as error:
            raise ProviderError(f"MariaDB does not tell what the account may do: {_reason(error)}") from None
        return tuple(_IDENTIFIED.sub("", str(row[0])).removeprefix("GRANT ") for row in rows)

    def revoke(self, old: Secret, current: Secret) -> None:
        """Leave the account the current password only, and end its sessions."""
        with self._session(current) as session:
            if self._target.admin is not None:
                account = self._account(current, old)
                new = _hash(self._login(current).password)
                self._run(session, "ALTER USER %s@%s IDENTIFIED VIA mysql_native_password USING %s", *account, new)
            self._end_sessions(session, self._login(old).user)

    def kill(self, secret: Secret) -> None:
        """Lock the account, or give it a password that nobody knows; end its sessions."""
        with self._session(secret) as session:
            if self._target.admin is not None:
                self._run(session, "ALTER USER %s@%s ACCOUNT LOCK", *self._account(secret, secret))
            else:
                self._run(session, "SET PASSWORD = %s", _hash(new_password()))
            self._end_sessions(session, self._login(secret).user)

    def _account(self, *secrets: Secret) -> tuple[str, str]:
        """Give user and host of the account as the server has it: by the label, or by logging in with what works."""
        named = self._target.labels.get("account", "")
        for secret in secrets if not named else ():
            check = self.verify(secret)
            if check.verdict is Verdict.LIVE and "@" in check.identity:
                named = check.identity
                break
        user, at, host = named.rpartition("@")
        if not at:
            raise ProviderError("it is not known which account this is", hint="set the label account, as user@host")
        return user, host

    def _end_sessions(self, session: Any, user: str) -> None:
        ids = self._run(
            session, "SELECT id FROM information_schema.processlist WHERE user = %s AND id <> CONNECTION_ID()", user
        )
        # None of them tells its password. One that is just logging in with the new one gets the time to end.
        time.sleep(_LOGIN_SECONDS if ids else 0)
        for (number,) in ids:
            try:
                self._run(session, "KILL CONNECTION %s", int(number))
            except ProviderError as error:
                if "Unknown thread" not in error.message:
                    raise

    def _run(self, session: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            with session.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall())
        except pymysql.MySQLError as error:
            if error.args and error.args[0] in _LOST:
                raise OutcomeUnknownError("the connection broke while the account was changed") from None
            raise ProviderError(f"MariaDB refused: {_reason(error)}") from None

    def _login(self, secret: Secret) -> Login:
        login = parse_login(secret, self._target.labels)
        if not login.user:
            raise ProviderError("the stored value names no user", hint="set the label user")
        return login

    @contextmanager
    def _session(self, current: Secret) -> Iterator[Any]:
        actor = self._login(self._target.admin or current)
        try:
            session = self._connect(actor, self._login(current))
        except pymysql.MySQLError as error:
            raise ProviderError(f"cannot log in to MariaDB as {actor.user}: {_reason(error)}") from None
        if "MariaDB" not in session.get_server_info():
            session.close()
            raise ProviderError("this server is MySQL, and only MariaDB is supported", hint="rotate it by hand")
        with session:
            yield session

    def _connect(self, login: Login, subject: Login) -> Any:
        host, port = check_host(subject, self._target.hosts, self.name, _PORT)
        return pymysql.connect(
            host=host,
            port=port,
            user=login.user,
            password=login.password,
            database=(login.database or None) if login == subject else None,
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            write_timeout=_SECONDS,
            autocommit=True,
            local_infile=False,
        )


def _check_from_refusal(error: pymysql.MySQLError, user: str) -> Check:
    code = error.args[0] if error.args else 0
    if code in (ER.ACCESS_DENIED_ERROR, _LOCKED):
        return Check(Verdict.DEAD, "login refused")
    if code in (ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR, _EXPIRED):
        return Check(Verdict.LIVE, f"login accepted, but: {_reason(error)}", identity=user)
    return Check(Verdict.UNKNOWN, _reason(error))


def _hash(password: str) -> str:
    """Give what mysql_native_password keeps: SHA-1 of the SHA-1."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()  # noqa: S324


def _reason(error: pymysql.MySQLError) -> str:
    return str(error.args[1] if len(error.args) > 1 else error).splitlines()[0][:200]
