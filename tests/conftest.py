from __future__ import annotations

import pytest

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def rule_cache(request, tmp_path_factory):
    """Share the compiled rules: compiling them takes ten seconds, and a test that needs a cold cache says so."""
    cache = getattr(request.config, "cache", None)  # not there without pytest's own cache
    folder = cache.mkdir("hygiene") if cache else tmp_path_factory.mktemp("rules")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYGIENE_CACHE", str(folder))
        yield folder
