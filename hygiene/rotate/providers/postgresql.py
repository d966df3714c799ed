"""PostgreSQL roles.

The server only ever sees a SCRAM verifier that we computed (RFC 5803), so that no statement log holds a
password. A role has one password: overlap needs two roles that take turns (label ``roles = "app_a,app_b"``)
and an admin credential; otherwise the old password dies at the moment of the change, and clients have a gap
until the store hands out the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import Login, check_host, new_password, parse_login, with_login
from hygiene.secret import Secret

_PORT = 5432
_SECONDS = 10
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_END_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s and pid <> pg_backend_pid()"
_WORDS = ("superuser", "makes roles", "makes databases", "replicates", "passes row security")
_ATTRIBUTES = (
    "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
    "from pg_roles where rolname = current_user"
)
_MEMBER_OF = (
    "select rolname from pg_roles where pg_has_role(current_user, oid, 'member') and rolname <> current_user "
    "and not (select rolsuper from pg_roles where rolname = current_user) order by 1"
)
_DATABASES = (
    "select datname from pg_database where datallowconn and has_database_privilege(datname, 'connect') order by 1"
)
_TABLES = (
    "select count(*) filter (where has_table_privilege(c.oid, 'select')), "
    "count(*) filter (where has_table_privilege(c.oid, 'insert, update, delete, truncate')), count(*), "
    "current_database() from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
)
_REFUSED = ("password authentication failed", "is not permitted to log in", "does not support SCRAM")


class PostgresqlProvider:
    """Passwords of login roles."""

    name = "postgresql"

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: user, host, port, database, sslmode, roles."""
        self._target = target
        self._roles = tuple(filter(None, (role.strip() for role in target.labels.get("roles", "").split(","))))
        if self._roles and len(set(self._roles)) < 2:
            raise ProviderError('the label roles names the roles that take turns, for example "app_a,app_b"')
        if self._roles and target.admin is None:
            raise ProviderError(
                "alternating roles need an admin credential", hint='name one: [providers.postgresql] admin = "ref+…"'
            )
        self.abilities = Abilities(
            overlap=bool(self._roles),
            self_service=not self._roles,
            idempotent_issue=True,
            propagation=5.0,
            same_identity=not self._roles,
        )

    def prepare(self, current: Secret) -> Secret | None:
        """Make a password, for the same role or for the next of the alternating ones."""
        user = self._next_role(self._login(current).user) if self._roles else None
        return with_login(current, user=user, password=new_password())

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Give the role of ``prepared`` its password."""
        if prepared is None:
            raise ProviderError("a PostgreSQL password is chosen by the client")
        login = self._login(prepared)
        with self._session(current, login) as session:
            self._set_password(session, login)
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Log in, and ask who we are."""
        try:
            login = self._login(secret)
            host, port = check_host(login, self._target.hosts, self.name, _PORT)
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        try:
            with self._connect(login, host, port) as session:
                if not session.pgconn.used_password:
                    return Check(Verdict.UNKNOWN, "the server asks for no password, so a login proves nothing")
                row = session.execute("select current_user").fetchone()
        except psycopg.Error as error:
            return _check_from_refusal(str(error), login.user)
        return Check(Verdict.LIVE, "login accepted", identity=str(row[0]) if row else login.user)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell attributes, memberships, databases, and how many tables of this one it reads and changes."""
        with self._session(secret, self._login(secret), admin=False) as session:
            try:
                return tuple(_reach(session))
            except psycopg.Error as error:
                raise ProviderError(f"PostgreSQL does not tell what the role may do: {_reason(error)}") from None

    def revoke(self, old: Secret, current: Secret) -> None:
        """End the old role's sessions, and take its password away where the roles alternate."""
        login = self._login(old)
        with self._session(current, login) as session:
            try:
                if login.user != self._login(current).user:
                    session.execute(sql.SQL("alter role {} password null").format(sql.Identifier(login.user)))
                session.execute(_END_SESSIONS, (login.user,))
            except psycopg.Error as error:
                raise ProviderError(f"PostgreSQL did not end what {login.user} had: {_reason(error)}") from None

    def kill(self, secret: Secret) -> None:
        """Take the role's password away, and end its sessions."""
        login = self._login(secret)
        with self._session(secret, login) as session:
            try:
                session.execute(sql.SQL("alter role {} password null").format(sql.Identifier(login.user)))
                session.execute(_END_SESSIONS, (login.user,))
            except psycopg.Error as error:
                raise ProviderError(f"PostgreSQL did not lock {login.user} out: {_reason(error)}") from None

    def _next_role(self, user: str) -> str:
        if user not in self._roles:
            raise ProviderError(f"the stored user {user} is none of the alternating roles {', '.join(self._roles)}")
        return self._roles[(self._roles.index(user) + 1) % len(self._roles)]

    def _login(self, secret: Secret) -> Login:
        login = parse_login(secret, self._target.labels)
        if not login.user:
            raise ProviderError("the stored value names no user", hint="set the label user")
        return login

    def _set_password(self, session: psycopg.Connection, login: Login) -> None:
        verifier = session.pgconn.encrypt_password(login.password.encode(), login.user.encode(), b"scram-sha-256")
        statement = sql.SQL("alter role {} with {}password {}").format(
            sql.Identifier(login.user), sql.SQL("login " if self._roles else ""), sql.Literal(verifier.decode())
        )
        try:
            session.execute(statement)
        except psycopg.errors.UndefinedObject:
            raise ProviderError(
                f"PostgreSQL has no role {login.user}",
                hint=f"make it once, as a member of the group that owns the tables: create role {login.user} login",
            ) from None
        except psycopg.Error as error:
            if error.sqlstate is None:  # the connection broke: the server may have acted
                raise OutcomeUnknownError("the connection broke while the password was changed") from None
            raise ProviderError(f"PostgreSQL refused the new password: {_reason(error)}") from None

    @contextmanager
    def _session(self, current: Secret, subject: Login, *, admin: bool = True) -> Iterator[psycopg.Connection]:
        """Log in to the server of ``subject``, as the ``admin`` if there is one, else with ``current``."""
        host, port = check_host(subject, self._target.hosts, self.name, _PORT)
        login = self._login((self._target.admin if admin else None) or current)
        try:
            session = self._connect(login, host, port)
        except psycopg.Error as error:
            raise ProviderError(f"cannot log in to PostgreSQL as {login.user}: {_reason(error)}") from None
        with session:
            yield session

    def _connect(self, login: Login, host: str, port: int) -> psycopg.Connection:
        # Of a URL's options only sslmode is taken: others name files and programs of this machine.
        mode = dict(login.options).get("sslmode") or self._target.labels.get("sslmode", "prefer")
        return psycopg.connect(
            host=host,
            port=port,
            user=login.user,
            password=login.password,
            dbname=login.database or "postgres",
            sslmode=mode if mode in _SSL_MODES else "verify-full",
            connect_timeout=_SECONDS,
            options="-c statement_timeout=10000",
            application_name="hygiene",
            autocommit=True,
        )


def _reach(session: psycopg.Connection) -> Iterator[str]:
    attributes = session.execute(_ATTRIBUTES).fetchone() or ()
    yield from (word for word, has in zip(_WORDS, attributes, strict=False) if has)
    for words, question in (("member of", _MEMBER_OF), ("connects to", _DATABASES)):
        if found := [str(row[0]) for row in session.execute(question)]:
            yield f"{words} {', '.join(found)}"
    reads, changes, tables, database = session.execute(_TABLES).fetchone() or (0, 0, 0, "")
    yield f"reads {reads} and changes {changes} of {tables} tables in {database}"


def _check_from_refusal(words: str, user: str) -> Check:
    # A failed connection carries no SQLSTATE, only the server's words; those of another language stay unknown.
    if any(phrase in words for phrase in _REFUSED) or f'role "{user}" does not exist' in words:
        return Check(Verdict.DEAD, "login refused")
    if "FATAL" in words and "database" in words and "does not exist" in words:
        return Check(Verdict.LIVE, "login accepted, but there is no such database", identity=user)
    return Check(Verdict.UNKNOWN, words.splitlines()[0][:200] if words else "no answer")


def _reason(error: psycopg.Error) -> str:
    # Not the whole text: a statement quoted in it would show the verifier.
    primary = error.diag.message_primary
    return primary or (str(error).splitlines() or ["no reason given"])[0][:200]
