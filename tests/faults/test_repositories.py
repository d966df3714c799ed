"""Repositories that are broken, huge or odd: read, or with a reason in skipped; never a hang or a silent gap."""

import os
import random
import subprocess
import sys

import pytest

from hygiene.detect.sources.commits import CommitsSource
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.index import IndexSource
from hygiene.errors import SourceError
from tests.repository import Repository
from tests.unit.sources.gather import gather

pytestmark = pytest.mark.slow


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
def packed(repository):
    """A repository of one pack, with deltas; its files by content."""
    chance = random.Random(5)
    for number in range(20):
        lines = [b"%d %d\n" % (line, chance.random() < 0.01) for line in range(300)]
        repository.commit(f"commit {number}", big=b"".join(lines), **{f"f{number}": chance.randbytes(2000)})
    repository.git("gc", "-q", "--aggressive", "--prune=now")
    return repository


def test_history_million_refs_is_read(repository):
    commit = repository.commit(a=b"one")
    names = sorted(f"refs/heads/b{number:07d}" for number in range(1_000_000))
    lines = "".join(f"{commit} {name}\n" for name in names)
    packed = repository.folder / ".git" / "packed-refs"
    packed.write_text(f"# pack-refs with: peeled fully-peeled sorted \n{lines}")
    source = HistorySource(repository.folder)
    found, skipped = gather(source)
    assert b"one" in found.values()
    assert skipped == []
    name = repository.blob(b"one")
    (place,) = source.provenance([name])[name]
    assert place.commit == commit
    assert len(place.refs) == 10


@pytest.mark.parametrize("seed", range(25))
def test_history_pack_with_a_damaged_byte_is_no_silent_gap(packed, seed):
    whole, skipped = gather(HistorySource(packed.folder))
    assert skipped == []
    (pack,) = (packed.folder / ".git/objects/pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[random.Random(seed).randrange(12, len(data) - 20)] ^= 0x55
    pack.chmod(0o600)
    pack.write_bytes(data)
    found, skipped = gather(HistorySource(packed.folder))
    assert all(found[name] == whole[name] for name in found if name in whole)
    if set(whole) - set(found):
        assert any(skip.incomplete for skip in skipped)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_history_pack_cut_off_is_no_silent_gap(packed, share):
    whole, _ = gather(HistorySource(packed.folder))
    (pack,) = (packed.folder / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[: int(pack.stat().st_size * share)])
    source = HistorySource(packed.folder)
    try:
        found, skipped = gather(source)
    except SourceError:
        return
    assert set(whole) - set(found)
    assert any(skip.incomplete for skip in skipped)


@pytest.mark.parametrize("suffix", ["pack", "idx"])
def test_history_pack_or_index_gone_is_no_silent_gap(packed, suffix):
    (file,) = (packed.folder / ".git/objects/pack").glob(f"*.{suffix}")
    file.unlink()
    source = HistorySource(packed.folder)
    try:
        _, skipped = gather(source)
    except SourceError:
        return
    assert any(skip.incomplete for skip in skipped)


def test_history_ref_to_nothing_is_no_silent_gap(repository):
    repository.commit(a=b"one")
    (repository.folder / ".git/refs/heads/broken").write_text("0123456789" * 4 + "\n")
    source = HistorySource(repository.folder)
    try:
        found, skipped = gather(source)
    except SourceError:
        return
    assert b"one" in found.values()
    assert any(skip.incomplete for skip in skipped)


def test_history_alternate_that_is_gone_is_no_silent_gap(packed, tmp_path):
    clone = tmp_path / "clone"
    packed.git("clone", "-q", "--shared", ".", str(clone))
    (packed.folder / ".git").rename(tmp_path / "elsewhere")
    source = HistorySource(clone)
    try:
        _, skipped = gather(source)
    except SourceError:
        return
    assert any(skip.incomplete for skip in skipped)


def test_history_missing_tree_is_no_silent_gap(repository):
    repository.write("sub/a", b"one")
    repository.commit()
    tree = repository.git("rev-parse", "HEAD:sub")
    (repository.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()
    _, skipped = gather(HistorySource(repository.folder))
    assert any(skip.incomplete for skip in skipped)


def test_commits_treeless_partial_clone_is_no_silent_gap(packed, tmp_path):
    packed.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    packed.git("clone", "-q", "--bare", "--filter=tree:0", f"file://{packed.folder}", str(clone))
    for source in (HistorySource(clone), CommitsSource(clone, ("HEAD~3..HEAD",))):
        try:
            _, skipped = gather(source)
        except SourceError:
            continue
        assert any(skip.incomplete for skip in skipped)


@pytest.mark.parametrize("source", [HistorySource, IndexSource, lambda folder: CommitsSource(folder, ("HEAD",))])
def test_sources_configuration_that_is_a_pipe_does_not_hang(repository, monkeypatch, source):
    repository.commit(a=b"one")
    os.mkfifo(repository.folder / ".git/pipe")
    with (repository.folder / ".git/config").open("a") as config:
        config.write("[include]\n path = pipe\n")
    for module in ("hygiene.git", "hygiene.detect.sources.index"):
        monkeypatch.setattr(f"{module}.PATIENCE", 2)
    with pytest.raises(SourceError, match="no answer"):
        list(source(repository.folder).items())


def test_history_large_object_is_read_in_bounded_memory(repository):
    size = 300 << 20
    with (repository.folder / "big").open("wb") as file:
        file.truncate(size)
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    repository.git("-c", "core.compression=1", "add", "big")
    repository.commit("big")
    script = (
        "import sys;from pathlib import Path;from psutil import Process\n"
        "from hygiene.detect.sources.history import HistorySource\n"
        "source=HistorySource(Path(sys.argv[1])); last=b''; most=0\n"
        "def peak(pid):\n"
        "    rest = Path(f'/proc/{pid}/status').read_text().partition('VmHWM:')[2]\n"
        "    return int(rest.split()[0]) if rest else 0\n"  # one that has ended has no memory
        "for blob in source.read(list(source.items())):\n"
        "    last = blob.data[-7:] if blob.start else last\n"
        "    most = max(most, peak('self'), *(peak(git.pid) for git in Process().children()))\n"
        "print(last.decode(), most)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(repository.folder)], capture_output=True, check=True, timeout=300
    )
    words = done.stdout.decode().rsplit(" ", 1)
    assert words[0] == "the end"
    assert int(words[1]) < 300 << 10
