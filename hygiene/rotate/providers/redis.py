"""Redis users (ACL, Redis 6 and later): a user may have several passwords, so old and new overlap.

Only SHA-256 sums of the values are sent where they are set, never the values.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from hygiene.errors import OutcomeUnknownError, ProviderError
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import Login, check_host, new_password, parse_login, with_login
from hygiene.secret import Secret

_PORT = 6379
_SECONDS = 10
_LOGIN_SECONDS = 1.0
_DEFAULT_USER = "default"


class RedisProvider:
    """Passwords of Redis users."""

    name = "redis"
    abilities = Abilities(overlap=True, self_service=True, idempotent_issue=True, propagation=5.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: user, host, port, tls (``true``)."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Make a password for the same user."""
        return with_login(current, password=new_password())

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Add the password to those of the user."""
        if prepared is None:
            raise ProviderError("a Redis password is chosen by the client")
        login = self._login(prepared)
        with self._session(current, login) as session:
            self._set(session, login.user, f"#{_digest(login.password)}")
            self._persist(session)
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Log in, and ask as whom: a wrong password could leave the connection to the default user."""
        try:
            login = self._login(secret)
            with self._connect(login, login) as session:
                who = str(session.execute_command("ACL WHOAMI"))
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        except redis.AuthenticationError as error:
            dead = "WRONGPASS" in str(error) or "invalid username-password" in str(error)
            return Check(Verdict.DEAD if dead else Verdict.UNKNOWN, "login refused" if dead else _reason(error))
        except NoPermissionError:
            return Check(Verdict.LIVE, "login accepted; the user may not ask who it is", identity=login.user)
        except redis.RedisError as error:
            return Check(Verdict.UNKNOWN, _reason(error))
        if who != login.user:
            return Check(Verdict.UNKNOWN, f"logged in as {who} and not as {login.user}")
        return Check(Verdict.LIVE, "login accepted", identity=who)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell the commands, keys and channels that the user may use; () where it may not ask."""
        login = self._login(secret)
        try:
            with self._connect(login, login) as session:
                told = session.acl_getuser(login.user) or {}
        except NoPermissionError:
            return ()
        except redis.RedisError as error:
            raise ProviderError(f"Redis does not tell what {login.user} may do: {_reason(error)}") from None
        return tuple(
            f"{what}: {words}" for what in ("commands", "keys", "channels") if (words := _words(told.get(what)))
        )

    def revoke(self, old: Secret, current: Secret) -> None:
        """Take the old password away, and end the user's connections."""
        login = self._login(old)
        with self._session(current, login) as session:
            try:
                self._set(session, login.user, f"!{_digest(login.password)}")
            except ProviderError as error:
                if "does not exist" not in error.message:
                    raise
            self._end_connections(session, login.user)
            self._persist(session)

    def kill(self, secret: Secret) -> None:
        """Switch the user off, and end its connections."""
        login = self._login(secret)
        with self._session(secret, login) as session:
            self._set(session, login.user, "off")
            self._persist(session)
            self._end_connections(session, login.user)

    def _set(self, session: Any, user: str, rule: str) -> None:
        try:
            session.execute_command("ACL SETUSER", user, rule)
        except (redis.ConnectionError, redis.TimeoutError):
            raise OutcomeUnknownError("the connection to Redis broke while the user was changed") from None
        except redis.RedisError as error:
            raise ProviderError(f"Redis refused to change {user}: {_reason(error)}") from None

    def _persist(self, session: Any) -> None:
        """Write the change to the server's ACL or configuration file, where it has one."""
        for command in ("ACL SAVE", "CONFIG REWRITE"):
            try:
                session.execute_command(command)
            except NoPermissionError:
                raise ProviderError(
                    f"the change is made, but may be lost when Redis restarts: no right to {command}",
                    hint='name an admin: [providers.redis] admin = "ref+…", then hygiene rotate --resume',
                ) from None
            except (redis.ConnectionError, redis.TimeoutError):
                raise OutcomeUnknownError("the connection to Redis broke while the change was saved") from None
            except redis.ResponseError:
                continue  # no such file: the next way, or nothing that outlives the server
            return

    def _end_connections(self, session: Any, user: str) -> None:
        try:
            there = [client["id"] for client in session.client_list() if client.get("user") == user]
            # None of them tells its password. One that is just logging in with the new one gets the time to end.
            time.sleep(_LOGIN_SECONDS)
            for number in there:
                session.execute_command("CLIENT KILL", "ID", number, "SKIPME", "yes")
        except redis.RedisError as error:
            raise ProviderError(f"Redis did not end the connections of {user}: {_reason(error)}") from None

    def _login(self, secret: Secret) -> Login:
        login = parse_login(secret, self._target.labels)
        return login if login.user else login._replace(user=_DEFAULT_USER)

    @contextmanager
    def _session(self, current: Secret, subject: Login) -> Iterator[Any]:
        actor = self._login(self._target.admin or current)
        try:
            with self._connect(actor, subject) as session:
                session.ping()
                yield session
        except NoPermissionError as error:
            raise ProviderError(f"Redis does not allow {actor.user} to change users: {_reason(error)}") from None
        except redis.RedisError as error:
            raise ProviderError(f"cannot log in to Redis as {actor.user}: {_reason(error)}") from None

    def _connect(self, login: Login, subject: Login) -> Any:
        host, port = check_host(subject, self._target.hosts, self.name, _PORT)
        return redis.Redis(
            host=host,
            port=port,
            username=login.user,
            password=login.password,
            ssl=subject.scheme == "rediss" or self._target.labels.get("tls") == "true",
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )


def _words(told: Any) -> str:
    """Join what the client gives as a text or a list, by the server's version."""
    return told if isinstance(told, str) else " ".join(map(str, told or ()))


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _reason(error: redis.RedisError) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:200]
