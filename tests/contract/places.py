"""Where each backend of the contract suite keeps its secrets."""

from contextlib import contextmanager

from hygiene.config import Config
from hygiene.secret import Secret
from hygiene.store.registry import open_store


class Place:
    """A place that stores can be opened on, as often as one likes."""

    def __init__(self, open, foreign):
        self.open = open
        self.foreign = foreign


@contextmanager
def embedded(request, tmp_path, monkeypatch):
    from hygiene.store.backends.embedded import EmbeddedStore, crypto
    from hygiene.store.backends.embedded.memory import Memory

    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
        monkeypatch.delenv(name, raising=False)

    def foreign(name, value):
        stranger = EmbeddedStore(
            tmp_path / "home" / "store",
            uri="embedded:",
            label="",
            identity=lambda create: crypto.find_identity(create=create),
            memory=Memory(tmp_path / "home"),
            notify=lambda key: None,
            owner="another-tool",
        )
        stranger.put(name, Secret(value), token="f" * 32)

    yield Place(lambda: open_store("embedded:", Config(), notify=lambda key: None), foreign)


PLACES = [embedded]
