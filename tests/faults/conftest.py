"""A planted world for each test that looks for what leaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.world import World


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled rules, which all tests of a file share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def world(tmp_path: Path, cache: Path) -> World:
    """A repository with planted values, a home and a spy."""
    return World(tmp_path, cache)
