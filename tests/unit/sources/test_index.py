import os

import pytest

from hygiene.detect.sources.index import IndexSource
from tests.repository import Repository
from tests.unit.sources.gather import by_path, contents, gather


def test_index_first_commit_gives_all_that_is_staged(repository):
    repository.write("a.txt", b"one")
    repository.git("add", "a.txt")
    assert by_path(IndexSource(repository.folder)) == {"a.txt": b"one"}


def test_index_nothing_staged_gives_nothing(repository):
    repository.commit(a=b"one")
    assert gather(IndexSource(repository.folder)) == ({}, [])


def test_index_reads_the_staged_bytes_never_the_working_tree(repository):
    repository.commit(a=b"one")
    repository.write("a", b"staged")
    repository.git("add", "a")
    repository.write("a", b"later")
    repository.write("b", b"not staged")
    assert by_path(IndexSource(repository.folder)) == {"a": b"staged"}


def test_index_pickled_copy_reads_the_same(repository):
    repository.write("a", b"one")
    repository.git("add", "a")
    assert contents(IndexSource(repository.folder)) == [b"one"]


def test_index_deleted_file_gives_nothing(repository):
    repository.commit(a=b"one")
    repository.git("rm", "-q", "a")
    assert gather(IndexSource(repository.folder)) == ({}, [])


def test_index_renamed_and_edited_file_is_read(repository):
    repository.commit(a=b"line\n" * 50)
    repository.git("mv", "a", "b")
    repository.write("b", b"line\n" * 50 + b"more\n")
    repository.git("add", "b")
    assert by_path(IndexSource(repository.folder)) == {"b": b"line\n" * 50 + b"more\n"}


def test_index_intent_to_add_is_not_staged(repository):
    repository.write("a", b"one")
    repository.git("add", "-N", "a")
    assert by_path(IndexSource(repository.folder)) == {}


def test_index_same_content_twice_is_read_once_with_both_places(repository):
    repository.write("a", b"one")
    repository.write("b", b"one")
    repository.git("add", "-A")
    source = IndexSource(repository.folder)
    assert [item.size for item in source.items()] == [0]
    places = source.provenance([repository.blob(b"one")])
    assert [place.path for place in places[repository.blob(b"one")]] == ["a", "b"]


@pytest.mark.parametrize(
    "name", [b"with space", b"new\nline", b"tab\t", b"\xff\xfe.env", b"-dash", "é".encode(), b'q"']
)
def test_index_odd_file_name_keeps_its_bytes(repository, name):
    repository.write(name, b"one")
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder)) == {os.fsdecode(name): b"one"}


def test_index_binary_attributes_do_not_hide_a_file(repository):
    repository.write(".gitattributes", b"*.env -diff binary\n")
    repository.write("x.env", "key=ü".encode("utf-16"))
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder))["x.env"] == "key=ü".encode("utf-16")


def test_index_symlink_gives_its_target_text(repository):
    (repository.folder / "link").symlink_to("some/target")
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder)) == {"link": b"some/target"}


def test_index_file_that_replaces_a_symlink_is_read(repository):
    (repository.folder / "link").symlink_to("some/target")
    repository.commit()
    (repository.folder / "link").unlink()
    repository.write("link", b"now a file")
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder)) == {"link": b"now a file"}


def test_index_submodule_is_listed_as_skipped(repository, tmp_path):
    other = Repository(tmp_path / "other")
    commit = other.commit(a=b"one")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    found, skipped = gather(IndexSource(repository.folder))
    assert found == {}
    assert [(skip.path, skip.incomplete) for skip in skipped] == [("sub", False)]


def test_index_lfs_pointer_is_read_and_listed_as_skipped(repository):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
    repository.write("big.bin", pointer)
    repository.git("add", "-A")
    found, skipped = gather(IndexSource(repository.folder))
    assert list(found.values()) == [pointer]
    assert [skip.path for skip in skipped] == ["big.bin"]


def test_index_conflict_gives_every_side(repository):
    repository.commit(a=b"base")
    repository.git("checkout", "-q", "-b", "other")
    repository.commit(a=b"theirs")
    repository.git("checkout", "-q", "main")
    repository.commit(a=b"ours")
    with pytest.raises(AssertionError):
        repository.git("merge", "-q", "other")
    found, _ = gather(IndexSource(repository.folder))
    assert set(found.values()) == {b"base", b"ours", b"theirs"}


def test_index_honours_an_alternate_index(repository, monkeypatch):
    repository.commit(a=b"one")
    other = repository.folder / ".git" / "next-index"
    repository.write("b", b"in the other index")
    repository.git("read-tree", "HEAD", GIT_INDEX_FILE=str(other))
    repository.git("add", "b", GIT_INDEX_FILE=str(other))
    assert by_path(IndexSource(repository.folder)) == {}
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert by_path(IndexSource(repository.folder)) == {"b": b"in the other index"}


def test_index_name_that_could_be_a_token_is_an_item(repository):
    name = "backup-" + "a1B2c3D4" * 4 + ".txt"
    repository.write(name, b"one")
    repository.git("add", "-A")
    found, _ = gather(IndexSource(repository.folder))
    assert found[f"name:{name}"] == name.encode()


def test_index_from_a_subfolder_gives_paths_from_the_root(repository):
    repository.write("sub/a", b"one")
    repository.write("b", b"two")
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder / "sub")) == {"sub/a": b"one", "b": b"two"}


def test_index_missing_object_is_skipped_with_its_reason(repository):
    name = repository.blob(b"never written")
    repository.git("update-index", "--add", "--info-only", "--cacheinfo", f"100644,{name},gone")
    found, skipped = gather(IndexSource(repository.folder))
    assert found == {}
    assert [(skip.path, skip.incomplete) for skip in skipped] == [("gone", True)]


def test_index_large_object_comes_in_windows(repository, monkeypatch):
    data = os.urandom(300_000)
    for module in ("objects", "windows"):
        monkeypatch.setattr(f"hygiene.detect.sources.{module}.WINDOW", 100_000)
    monkeypatch.setattr("hygiene.detect.sources.windows.windows.__kwdefaults__", {"size": 100_000})
    repository.write("a", data)
    repository.write("b", b"after")
    repository.git("add", "-A")
    assert by_path(IndexSource(repository.folder)) == {"a": data, "b": b"after"}
