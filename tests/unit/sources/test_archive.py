import bz2
import gzip
import io
import json
import lzma
import os
import random
import tarfile
import zipfile

import pytest

from hygiene.detect.containers.budget import Limits
from hygiene.detect.sources.archive import ArchiveSource
from hygiene.detect.sources.registry import open_source
from hygiene.errors import SourceError
from tests.unit.sources.gather import gather

zstd = pytest.importorskip("backports.zstd")
py7zr = pytest.importorskip("py7zr")


def zipped(files, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", options.pop("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files, mode="w", **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                archive.addfile(entry)
            else:
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def sevenzipped(files, **options):
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return out.getvalue()


def read(tmp_path, data, name="x", **options):
    """Give the files inside the archive ``data`` by path, and what was skipped."""
    (tmp_path / name).write_bytes(data)
    found, skipped = gather(ArchiveSource(tmp_path / name, **options))
    return {key.removeprefix("archive:"): value for key, value in found.items()}, skipped


FILES = {"a.txt": b"one", "sub/b": b"two", "empty": b""}
INSIDE = {f"x!/{name}": data for name, data in FILES.items()}


@pytest.mark.parametrize(
    "data",
    [
        zipped(FILES),
        zipped(FILES, compression=zipfile.ZIP_STORED),
        zipped(FILES, compression=zipfile.ZIP_BZIP2),
        zipped(FILES, compression=zipfile.ZIP_LZMA),
        tarred(FILES),
        tarred(FILES, format=tarfile.PAX_FORMAT),
        tarred(FILES, format=tarfile.USTAR_FORMAT),
        tarred(FILES, "w:gz"),
        tarred(FILES, "w:bz2"),
        tarred(FILES, "w:xz"),
        zstd.compress(tarred(FILES)),
        sevenzipped(FILES),
    ],
    ids=["zip", "stored", "zip-bz2", "zip-lzma", "gnu", "pax", "ustar", "tgz", "tbz", "txz", "tzst", "7z"],
)
def test_archive_gives_its_files(tmp_path, data):
    assert read(tmp_path, data) == (INSIDE, [])


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"one") + gzip.compress(b" two"),
        bz2.compress(b"one") + bz2.compress(b" two"),
        lzma.compress(b"one") + lzma.compress(b" two") + bytes(8),
        zstd.compress(b"one") + zstd.compress(b" two"),
    ],
    ids=["gz", "bz2", "xz", "zst"],
)
def test_archive_compressed_file_of_two_parts_gives_both(tmp_path, data):
    assert read(tmp_path, data) == ({"x": b"one two"}, [])


def test_archive_nested_archives_give_their_files(tmp_path):
    inner = zipped({"deep.txt": b"here", "more.gz": gzip.compress(b"and here")})
    data = tarred({"a.jar": zipped({"lib/b.zip": inner})}, "w:gz")
    assert read(tmp_path, data) == (
        {"x!/a.jar!/lib/b.zip!/deep.txt": b"here", "x!/a.jar!/lib/b.zip!/more.gz": b"and here"},
        [],
    )


def test_archive_name_does_not_decide_what_is_opened(tmp_path):
    data = zipped({"picture.png": zipped({"a": b"one"}), "fake.zip": b"just text"})
    assert read(tmp_path, data)[0] == {"x!/picture.png!/a": b"one", "x!/fake.zip": b"just text"}


def test_archive_hundred_deep_stops_and_says_so(tmp_path):
    data = b"the core"
    for _ in range(100):
        data = gzip.compress(data)
    found, skipped = read(tmp_path, data)
    assert found == {}
    assert [("16 containers" in skip.reason, skip.incomplete) for skip in skipped] == [(True, True)]


def test_archive_bomb_stops_and_says_so(tmp_path):
    data = zipped({f"{number}": bytes(3 << 20) for number in range(5)})
    assert len(data) < 20_000
    found, skipped = read(tmp_path, data, limits=Limits(free=8 << 20))
    assert 0 < sum(map(len, found.values())) <= 8 << 20
    assert ["unpacks to more than" in skip.reason for skip in skipped] == [True]


def test_archive_too_many_entries_stops_and_says_so(tmp_path):
    data = tarred({f"{number}": b"" for number in range(50)})
    found, skipped = read(tmp_path, data, limits=Limits(entries=20))
    assert len(found) == 20
    assert ["more than 20 entries" in skip.reason for skip in skipped] == [True]


def test_archive_large_inner_zip_is_skipped_and_the_rest_is_read(tmp_path):
    inner = zipped({"a": random.Random(1).randbytes(3 << 20)})
    found, skipped = read(tmp_path, tarred({"in.zip": inner, "b": b"two"}), limits=Limits(held=1 << 20))
    assert found == {"x!/b": b"two"}
    assert [skip.path for skip in skipped] == ["x!/in.zip"]


def test_archive_large_member_comes_in_windows(tmp_path):
    data = random.Random(2).randbytes(20 << 20)
    copied = sevenzipped({"a": data}, filters=[{"id": py7zr.FILTER_COPY}])
    for archive in (tarred({"a": data}), zipped({"a": data}, compression=zipfile.ZIP_STORED), copied):
        assert read(tmp_path, archive) == ({"x!/a": data}, [])


def test_archive_encrypted_zip_entry_is_skipped(tmp_path):
    data = bytearray(zipped({"a": b"one", "b": b"two"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    found, skipped = read(tmp_path, bytes(data))
    assert found == {"x!/b": b"two"}
    assert [(skip.path, "encrypted" in skip.reason) for skip in skipped] == [("x!/a", True)]


def test_archive_encrypted_7z_is_skipped(tmp_path):
    word = "not-" + os.urandom(4).hex()
    found, skipped = read(tmp_path, sevenzipped({"a": b"one"}, password=word))
    assert found == {}
    assert ["encrypted" in skip.reason for skip in skipped] == [True]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "C:\\..\\etc\\passwd"])
def test_archive_name_that_leads_out_is_read_and_writes_nothing(tmp_path, name):
    for data in (zipped({name: b"one"}), tarred({name: b"one"})):
        found, _ = read(tmp_path, data)
        ((path, content),) = found.items()
        assert content == b"one"
        assert ".." not in path
    assert [path.name for path in tmp_path.rglob("*")] == ["x"]


def test_archive_symlinks_are_text(tmp_path):
    assert read(tmp_path, tarred({"link": "/etc/shadow"}))[0] == {"x!/link": b"/etc/shadow"}


def packed():
    files = {"a": b"one", "b": os.urandom(5000)}
    yield from (zipped(files), tarred(files, "w:gz"), tarred(files, "w:xz"), tarred(files), sevenzipped(files))
    yield from (zstd.compress(tarred(files)), bz2.compress(tarred(files)))


@pytest.mark.parametrize("data", list(packed()), ids=["zip", "tgz", "txz", "tar", "7z", "zst", "bz2"])
def test_archive_damaged_anywhere_never_crashes(tmp_path, data):
    chance = random.Random(3)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        cut = bytes(broken[: chance.randint(len(broken) // 2, len(broken))])
        try:
            read(tmp_path, cut)
        except SourceError as error:
            assert "is no archive" in error.message


@pytest.mark.parametrize("data", list(packed()), ids=["zip", "tgz", "txz", "tar", "7z", "zst", "bz2"])
def test_archive_cut_off_says_so(tmp_path, data):
    _, skipped = read(tmp_path, data[: len(data) * 6 // 10])
    assert [skip.incomplete for skip in skipped] == [True]


def test_archive_tar_with_a_huge_header_is_refused(tmp_path):
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 6 << 30
    _, skipped = read(tmp_path, entry.tobuf() + bytes(4096))
    assert ["extended header" in skip.reason for skip in skipped] == [True]


def test_archive_rar_is_skipped_by_name(tmp_path):
    _, skipped = read(tmp_path, b"Rar!\x1a\x07\x01\x00" + bytes(600))
    assert [skip.reason for skip in skipped] == ["rar archives are not read"]


def test_archive_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("hygiene.detect.containers.sevenzip.import_module", _not_installed)
    _, skipped = read(tmp_path, sevenzipped(FILES))
    assert "secret-hygiene[archive]" in skipped[0].reason


def _not_installed(name):
    raise ImportError(name)


def test_archive_that_is_none_is_a_clear_error(tmp_path):
    with pytest.raises(SourceError):
        read(tmp_path, b"just text")


def test_archive_office_text_is_joined(tmp_path):
    body = b"<w:p><w:r><w:t>key: abc</w:t></w:r><w:r><w:t>def &amp; g</w:t></w:r></w:p><w:p><w:t>next</w:t></w:p>"
    found, _ = read(tmp_path, zipped({"word/document.xml": b"<w:document>" + body + b"</w:document>"}))
    assert found["x!/word/document.xml"].splitlines() == [b"key: abcdef & g", b"next"]


def image(layers):
    """Make what ``docker save`` writes: layers as tar files inside a tar."""
    files = {f"{number}/layer.tar": tarred(layer) for number, layer in enumerate(layers)}
    manifest = [{"Config": "config.json", "Layers": list(files)}]
    config = {"config": {"Env": ["KEY=in the environment"]}}
    return tarred({**files, "manifest.json": json.dumps(manifest).encode(), "config.json": json.dumps(config).encode()})


def test_archive_saved_image_gives_deleted_files_and_the_environment(tmp_path):
    data = image([{"app/.env": b"deleted later"}, {"app/.wh..env": b""}])
    found, skipped = read(tmp_path, data)
    assert found["x!/0/layer.tar!/app/.env"] == b"deleted later"
    assert b"in the environment" in found["x!/config.json"]
    assert skipped == []


def test_archive_oci_layout_gives_its_layers(tmp_path):
    blobs = tmp_path / "layout" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / "aa").write_bytes(tarred({"etc/key": b"one"}, "w:gz"))
    (blobs / "bb").write_bytes(zstd.compress(tarred({"etc/other": b"two"})))
    (tmp_path / "layout" / "index.json").write_bytes(b"{}")
    found, skipped = gather(ArchiveSource(tmp_path / "layout"))
    assert found == {
        "archive:blobs/sha256/aa!/etc/key": b"one",
        "archive:blobs/sha256/bb!/etc/other": b"two",
        "archive:index.json": b"{}",
    }
    assert skipped == []


def test_unpacked_directory_gives_files_in_archives_too(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"in/b": b"one"}))
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"two"))
    source = open_source("directory", tmp_path, archives=True)
    found, _ = gather(source)
    assert {found[name] for name in found} >= {b"one", b"two"}
    places = source.provenance(found)
    assert [place.path for place in places["path:a.zip!/in/b"]] == ["a.zip!/in/b"]
    assert [place.path for place in places["path:c.gz!/"]] == ["c.gz"]


def test_unpacked_history_places_the_file_in_its_archive(repository):
    commit = repository.commit(**{"a.zip": zipped({"in/b": b"one"})})
    source = open_source("history", repository.folder, archives=True)
    found, _ = gather(source)
    (name,) = [name for name, data in found.items() if data == b"one"]
    (place,) = source.provenance([name])[name]
    assert (place.kind, place.path, place.commit) == ("commit", "a.zip!/in/b", commit)
    assert source.commits == 1
