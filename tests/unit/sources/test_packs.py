"""Objects that are read from packs here are those that git gives."""

import random

import pytest

from hygiene.detect.sources.delta import is_available, long_copies, sizes
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.objects import ObjectReader
from hygiene.detect.sources.packs import open_packs
from hygiene.detect.sources.protocol import Item
from hygiene.git import Git
from tests.repository import Repository

pytestmark = pytest.mark.skipif(not is_available, reason="needs the extra history")


def grown(folder, *init):
    """Make a repository whose file grows and changes, all in one pack."""
    repository, draw = Repository(folder, *init), random.Random(4)
    lines = [b"line %d: %d\n" % (number, draw.randrange(1 << 40)) for number in range(400)]
    for number in range(40):
        lines[draw.randrange(400)] = b"changed in %d\n" % number
        repository.commit(f"commit {number}", big=b"".join(lines), small=b"%d" % number)
    repository.git("gc", "-q", "--aggressive", "--prune=now")
    return repository


@pytest.fixture(params=["sha1", "sha256"])
def repository(tmp_path, request):
    return grown(tmp_path / "repository", f"--object-format={request.param}")


def blobs_of_git(folder, items):
    reader = ObjectReader(Git(folder))
    try:
        return {blob.id: blob.data for blob in reader.read(items)}
    finally:
        reader.close()


def test_history_reads_from_packs_what_git_reads(repository):
    source = HistorySource(repository.folder)
    items = [item for item in source.items() if ":" not in item.id]
    found = list(source.read(items))
    assert [blob.id for blob in found] == [item.id for item in items]
    assert {blob.id: blob.data for blob in found} == blobs_of_git(repository.folder, items)
    told = [blob for blob in found if blob.kin and blob.kin.copies]
    assert len(told) > 20
    by_key = {blob.kin.key: blob.data for blob in found if blob.kin}
    for blob in told:
        base = by_key[blob.kin.base]
        assert all(blob.data[begin:][:size] == base[there:][:size] for begin, size, there in blob.kin.copies)
        assert sum(size for _begin, size, _there in blob.kin.copies) > len(blob.data) // 2


def test_packs_object_that_is_not_packed_is_left_to_git(repository):
    name = repository.git("hash-object", "-w", "--stdin", stdin=b"loose")
    packs = open_packs(Git(repository.folder))
    assert packs is not None
    assert packs.read(name, "") is None


@pytest.mark.parametrize("seed", range(12))
def test_packs_damaged_byte_gives_what_git_gives_or_nothing(tmp_path, seed):
    repository = grown(tmp_path / "repository")
    items = [
        Item(name, 0, "") for name in repository.git("rev-list", "--all", "--objects", "--no-object-names").split()
    ]
    whole = blobs_of_git(repository.folder, items)
    (pack,) = (repository.folder / ".git/objects/pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[random.Random(seed).randrange(12, len(data) - 20)] ^= 0x55
    pack.chmod(0o600)
    pack.write_bytes(data)
    packs = open_packs(Git(repository.folder))
    assert packs is not None
    read = [blob for item in items if (blob := packs.read(item.id, ""))]
    assert read
    assert all(blob.data == whole[blob.id] for blob in read)


def test_long_copies_join_what_two_instructions_copy():
    delta = (
        bytes([0x90, 0x4E, 0x90, 0x4E]) + bytes([0xB0, 0x88, 0x13]) + bytes([0xB3, 0x88, 0x13, 0x88, 0x13]) + b"\3abc"
    )
    assert sizes(delta) == (10000, 10000, 4)
    assert long_copies(delta, 4) == [(0, 10000, 0)]
