import bz2
import gzip
import io
import json
import lzma
import os
import random
import shutil
import struct
import subprocess
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


def arred(files):
    out = [b"!<arch>\n"]
    for name, data in files.items():
        head = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (name.encode() + b"/", 0, 0, 0, 0o644, len(data))
        out += [head, data, b"\n" * (len(data) % 2)]
    return b"".join(out)


def cpioed(files):
    out = []
    for name, data in (*files.items(), ("TRAILER!!!", b"")):
        fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += [head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)]
    return b"".join(out)


def rpm_header(content):
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, len(content)) + bytes(16) + content


def rpmed(files, compress=gzip.compress, header=b"a script"):
    signature = rpm_header(b"abc")
    lead = b"\xed\xab\xee\xdb" + bytes(92)
    return lead + signature + bytes(-len(signature) % 8) + rpm_header(header) + compress(cpioed(files))


def debbed(files, compress="w:xz"):
    control = tarred({"./control": b"Package: x\n"}, "w:gz")
    return arred({"debian-binary": b"2.0\n", "control.tar.gz": control, "data.tar.xz": tarred(files, compress)})


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


def test_archive_deb_gives_what_it_installs_and_its_scripts(tmp_path):
    found, skipped = read(tmp_path, debbed({"./etc/shop.conf": b"one", "./odd": b"two"}))
    assert found == {
        "x!/debian-binary": b"2.0\n",
        "x!/control.tar.gz!/control": b"Package: x\n",
        "x!/data.tar.xz!/etc/shop.conf": b"one",
        "x!/data.tar.xz!/odd": b"two",
    }
    assert skipped == []


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
@pytest.mark.parametrize("compression", ["gzip", "xz", "zstd", "none"])
def test_archive_deb_of_dpkg_is_read(tmp_path, compression):
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n")
    (root / "etc").mkdir()
    (root / "etc/shop.conf").write_bytes(b"one")
    (root / "etc/odd").write_bytes(b"abc" * 999)
    subprocess.run(
        ["dpkg-deb", f"-Z{compression}", "-b", "root", "x.deb"], cwd=tmp_path, check=True, capture_output=True
    )
    found, skipped = gather(ArchiveSource(tmp_path / "x.deb"))
    inside = {name.rpartition("!/")[2]: data for name, data in found.items()}
    assert inside["etc/shop.conf"] == b"one"
    assert inside["etc/odd"] == b"abc" * 999
    assert b"Package: x" in inside["control"]
    assert skipped == []


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstd.compress, bz2.compress])
def test_archive_rpm_gives_its_files_and_its_header(tmp_path, compress):
    found, skipped = read(tmp_path, rpmed(FILES, compress, b"a script with a word"))
    inside = {name.rpartition("!/")[2]: data for name, data in found.items()}
    assert inside["a.txt"] == b"one"
    assert inside["sub/b"] == b"two"
    assert b"a script with a word" in inside["(header)"]
    assert skipped == []


@pytest.mark.parametrize("size", [b"-1        ", b"1_0       ", b"9999999999", b"          "])
def test_archive_ar_with_a_false_size_says_so(tmp_path, size):
    data = arred({"a": b"one", "b": b"two"})
    _, skipped = read(tmp_path, data.replace(b"%-10d" % 3, size))
    assert [skip.incomplete for skip in skipped] == [True]


def test_archive_zip_with_millions_of_entries_is_refused_before_they_are_held(tmp_path):
    """The list of entries alone would take gigabytes of memory."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    count = 10_000_000
    size = len(entry) * count
    zip64 = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, size, 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with (tmp_path / "x").open("wb") as file:
        file.write(b"PK\x03\x04")  # a hole where the entries would be: nothing reads them
        file.truncate(size)
        file.seek(size)
        file.write(zip64 + locator + end)
    _, skipped = gather(ArchiveSource(tmp_path / "x"))
    assert ["too long to be held" in skip.reason for skip in skipped] == [True]


@pytest.mark.parametrize("head", [b"MSCF", b"xar!", b"LZIP\1", b"\x04\x22\x4d\x18", b"\x1f\x9d", b"hsqs"])
def test_archive_kind_that_is_not_read_is_named(tmp_path, head):
    _, skipped = read(tmp_path, head + bytes(600))
    assert [(skip.reason.endswith("archives are not read"), skip.incomplete) for skip in skipped] == [(True, True)]


def test_archive_long_line_and_nothing_but_nul_are_read(tmp_path):
    files = {"line": b"x" * (3 << 20), "nul": bytes(1 << 20)}
    assert read(tmp_path, tarred(files, "w:gz"), limits=Limits(free=64 << 20))[0] == {
        f"x!/{name}": data for name, data in files.items()
    }


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
    yield from (debbed(files), rpmed(files), cpioed(files))


KINDS = ["zip", "tgz", "txz", "tar", "7z", "zst", "bz2", "deb", "rpm", "cpio"]


@pytest.mark.parametrize("data", list(packed()), ids=KINDS)
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


@pytest.mark.parametrize("data", list(packed()), ids=KINDS)
def test_archive_cut_off_says_so(tmp_path, data):
    _, skipped = read(tmp_path, data[: len(data) * 6 // 10])
    assert {skip.incomplete for skip in skipped} == {True}


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
