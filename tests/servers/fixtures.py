from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.servers.mariadb import Mariadb, mariadb
from tests.servers.moto import Moto, moto
from tests.servers.openbao import OpenBao, openbao
from tests.servers.postgres import Postgres, postgres
from tests.servers.rabbitmq import Rabbitmq, rabbitmq
from tests.servers.redis import RedisServer
from tests.servers.redis import redis_server as run_redis


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres(secrets.token_hex(16)) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with run_redis() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Mariadb]:
    with mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Rabbitmq]:
    with rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def bao_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao(tmp_path_factory.mktemp("bao")) as server:
        yield server
