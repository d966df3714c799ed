"""RabbitMQ users, changed through the management API by an admin.

A user has one password, so clients have a gap until the store hands out the new one. Only a salted hash is
sent to be kept.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import ssl
from typing import Any
from urllib.parse import quote

import pika
from pika.exceptions import (
    AMQPError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from hygiene.errors import ProviderError
from hygiene.rotate.jsonapi import JsonApi, RefusedError, basic
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.rotate.stored import Login, check_host, new_password, parse_login, with_login
from hygiene.secret import Secret

_PORTS = {"amqps": 5671}
_PORT = 5672
_SECONDS = 10
_NOT_ALLOWED = 530  # the connection's reply code for a virtual host that is not the user's

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells failed logins at length; we tell them once


class RabbitmqProvider:
    """Passwords of users."""

    name = "rabbitmq"
    abilities = Abilities(overlap=False, self_service=False, idempotent_issue=True, propagation=5.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; labels: user, host, port, database (virtual host), management (the API's address)."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Make a password for the same user."""
        return with_login(current, password=new_password())

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Give the user its new password."""
        if prepared is None:
            raise ProviderError("a RabbitMQ password is chosen by the client")
        login = self._login(prepared)
        self._set(login.user, _hash(login.password))
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Log in by AMQP: most users may not use the management API."""
        try:
            login = self._login(secret)
            host, port = check_host(login, self._target.hosts, self.name, _PORTS.get(login.scheme, _PORT))
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        parameters = pika.ConnectionParameters(
            host=host,
            port=port,
            virtual_host=login.database or "/",
            credentials=pika.PlainCredentials(login.user, login.password),
            ssl_options=pika.SSLOptions(ssl.create_default_context(), host) if login.scheme == "amqps" else None,
            connection_attempts=1,
            socket_timeout=_SECONDS,
            blocked_connection_timeout=_SECONDS,
            stack_timeout=_SECONDS,
        )
        try:
            pika.BlockingConnection(parameters).close()
        except (AMQPError, OSError) as error:
            return _check_from_refusal(error, login.user)
        return Check(Verdict.LIVE, "login accepted", identity=login.user)

    def reach(self, secret: Secret) -> tuple[str, ...]:
        """Tell the user's tags, and what it may configure, write and read in each virtual host."""
        path = f"/api/users/{quote(self._login(secret).user, safe='')}"
        told, granted = self._call("GET", path), self._call("GET", f"{path}/permissions")
        tags = told.get("tags", []) if isinstance(told, dict) else []
        tags = tags.split(",") if isinstance(tags, str) else tags  # a text before version 3.9
        rights = [one for one in granted if isinstance(one, dict)] if isinstance(granted, list) else []
        return (
            *(f"tag {tag}" for tag in tags if tag),
            *(
                f"in {one.get('vhost')}: configures {one.get('configure')!r}, writes {one.get('write')!r}, "
                f"reads {one.get('read')!r}"
                for one in rights
            ),
        )

    def revoke(self, old: Secret, current: Secret) -> None:
        """End the user's connections; the old password died when the new one was set."""
        self._end_connections(self._login(old).user)

    def kill(self, secret: Secret) -> None:
        """Take the user's password away, and end its connections."""
        user = self._login(secret).user
        self._set(user, "")
        self._end_connections(user)

    def _set(self, user: str, password_hash: str) -> None:
        path = f"/api/users/{quote(user, safe='')}"
        try:
            told: dict[str, Any] = self._call("GET", path)
        except RefusedError as error:
            if error.status != 404:
                raise
            raise ProviderError(f"RabbitMQ has no user {user}") from None
        algorithm = {"hashing_algorithm": "rabbit_password_hashing_sha256"} if password_hash else {}
        self._call("PUT", path, {"password_hash": password_hash, "tags": told.get("tags", []), **algorithm})

    def _end_connections(self, user: str) -> None:
        for connection in self._call("GET", "/api/connections?columns=name,user") or ():
            if connection.get("user") == user:
                try:
                    self._call("DELETE", f"/api/connections/{quote(connection['name'], safe='')}")
                except RefusedError as error:
                    if error.status != 404:
                        raise

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        if self._target.admin is None:
            raise ProviderError(
                "RabbitMQ users are changed by an admin", hint='name one: [providers.rabbitmq] admin = "ref+…"'
            )
        admin = parse_login(self._target.admin, {})
        base = self._target.labels.get("management", "")
        if not base:
            raise ProviderError("it is not known where the management API is", hint="set the label management")
        api = JsonApi(self.name, base, self._target.hosts)
        headers = basic(admin.user, admin.password)
        return api.call(method, path, headers=headers, body=body, ok=(200, 201, 204)).value

    def _login(self, secret: Secret) -> Login:
        login = parse_login(secret, self._target.labels)
        if not login.user:
            raise ProviderError("the stored value names no user", hint="set the label user")
        return login


def _check_from_refusal(error: Exception, user: str) -> Check:
    if isinstance(error, ProbableAuthenticationError):
        return Check(Verdict.DEAD, "login refused")
    denied = isinstance(error, (ConnectionClosedByBroker, ChannelClosedByBroker)) and error.reply_code == _NOT_ALLOWED
    if denied or isinstance(error, ProbableAccessDeniedError):
        return Check(Verdict.LIVE, "login accepted, but not to this virtual host", identity=user)
    return Check(Verdict.UNKNOWN, f"no answer ({type(error).__name__})")


def _hash(password: str) -> str:
    """Give what RabbitMQ keeps: a salt of 4 bytes, and SHA-256 over it and the password, in base64."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
