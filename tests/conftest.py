from __future__ import annotations

import signal

import pytest

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def signals():
    """Take signals as usual: a shell has what it starts in the background ignore some, and children inherit that."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def rule_cache(request, tmp_path_factory):
    """Share the compiled rules: compiling them takes ten seconds, and a test that needs a cold cache says so."""
    cache = getattr(request.config, "cache", None)  # not there without pytest's own cache
    folder = cache.mkdir("hygiene") if cache else tmp_path_factory.mktemp("rules")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYGIENE_CACHE", str(folder))
        yield folder
