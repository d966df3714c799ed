import os
import socket

import pytest

from hygiene.detect.sources.directory import DirectorySource
from hygiene.errors import SourceError
from tests.unit.sources.gather import by_path, contents, gather


def test_directory_gives_files_of_all_depths_but_git_s(repository):
    repository.write("a", b"one")
    repository.write("sub/deep/b", b"two")
    repository.write("empty", b"")
    assert by_path(DirectorySource(repository.folder)) == {"a": b"one", "sub/deep/b": b"two", "empty": b""}


def test_directory_pickled_copy_reads_the_same(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    assert contents(DirectorySource(tmp_path)) == [b"one"]


def test_directory_one_file_gives_that_file(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    assert by_path(DirectorySource(tmp_path / "a")) == {"a": b"one"}


def test_directory_symlinks_are_text_and_never_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"outside the root")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(root)
    found = by_path(DirectorySource(root))
    assert found == {
        "folder": os.fsencode(outside),
        "file": os.fsencode(outside / "secret"),
        "loop": os.fsencode(root),
    }


def test_directory_pipes_and_sockets_are_skipped_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(tmp_path, os.O_RDONLY)
        os.fchdir(folder)
        listener.bind("socket")
        found, skipped = gather(DirectorySource(tmp_path))
    assert found == {}
    assert {skip.path: skip.incomplete for skip in skipped} == {"pipe": False, "socket": False}


def test_directory_file_that_turns_into_a_pipe_does_not_hang(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    source = DirectorySource(tmp_path)
    items = list(source.items())
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    assert list(source.read(items)) == []
    assert [skip.path for skip in source.skipped()] == ["a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_directory_unreadable_file_and_folder_are_skipped(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "a").chmod(0)
    (tmp_path / "sub").mkdir(mode=0)
    _, skipped = gather(DirectorySource(tmp_path))
    assert {skip.path: skip.incomplete for skip in skipped} == {"a": True, "sub/": True}


def test_directory_file_that_vanishes_is_skipped(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    source = DirectorySource(tmp_path)
    items = list(source.items())
    (tmp_path / "a").unlink()
    assert [blob.data for blob in source.read(items)] == [b"two"]
    assert [(skip.path, skip.incomplete) for skip in source.skipped()] == [("a", True)]


def test_directory_file_that_grows_is_read_to_its_end(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    source = DirectorySource(tmp_path)
    items = list(source.items())
    (tmp_path / "a").write_bytes(b"one and more")
    assert [blob.data for blob in source.read(items)] == [b"one and more"]


def test_directory_sparse_large_file_comes_in_windows(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(40 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    source = DirectorySource(tmp_path)
    last = None
    for last in source.read(list(source.items())):
        assert len(last.data) <= 16 << 20
    assert last is not None
    assert last.data.endswith(b"the end")
    assert last.start + len(last.data) == (40 << 20) + 7


def test_directory_ignored_files_are_left_out_on_request(repository):
    repository.write(".gitignore", b"*.log\n")
    repository.write("a.log", b"ignored")
    repository.write("b", b"untracked")
    repository.commit(c=b"tracked")
    repository.write("d.log", b"tracked although ignored")
    repository.git("add", "-f", "d.log")
    assert set(by_path(DirectorySource(repository.folder, ignored=False))) == {".gitignore", "b", "c", "d.log"}
    assert "a.log" in by_path(DirectorySource(repository.folder))


def test_directory_ignored_files_outside_of_git_is_an_error(tmp_path):
    with pytest.raises(SourceError):
        list(DirectorySource(tmp_path, ignored=False).items())


@pytest.mark.parametrize("name", [b"new\nline", b"\xff\xfe.env", b"-dash", b" "])
def test_directory_odd_file_name_keeps_its_bytes(repository, name):
    repository.write(name, b"one")
    assert by_path(DirectorySource(repository.folder)) == {os.fsdecode(name): b"one"}
    assert by_path(DirectorySource(repository.folder, ignored=False)) == {os.fsdecode(name): b"one"}


def test_directory_a_telling_folder_name_is_looked_at_once(tmp_path):
    for path in ("plain/a", "key-0123456789abcdef/a", "key-0123456789abcdef/b", "key-0123456789abcdef/sub/c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"one")
    (tmp_path / "plain/name-0123456789abcdef").write_bytes(b"two")
    names = [item.path for item in DirectorySource(tmp_path).items() if item.id.startswith("name:")]
    assert names == ["key-0123456789abcdef/a", "plain/name-0123456789abcdef"]
