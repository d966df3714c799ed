"""Every backend, opened for the one contract suite. A backend that can't be had here is skipped with its reason."""

import pytest

from tests.contract.places import PLACES
from tests.servers.conjur import conjur
from tests.servers.moto import moto
from tests.servers.openbao import openbao


@pytest.fixture(params=PLACES, ids=[place.__name__ for place in PLACES])
def place(request, tmp_path, monkeypatch):
    """One backend: ``open()`` gives a fresh client of it, ``foreign(name, value)`` plants a stranger's secret."""
    with request.param(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory):
    with moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def openbao_server(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture(scope="session")
def conjur_server():
    with conjur() as server:
        yield server


@pytest.fixture
def store(place):
    return place.open()
