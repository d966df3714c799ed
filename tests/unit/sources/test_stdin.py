import io
import os

import pytest

from hygiene.detect.sources.stdin import StdinSource
from tests.unit.sources.gather import gather


def blobs(data):
    source = StdinSource(io.BytesIO(data))
    return list(source.read(list(source.items()))), source


def test_stdin_plain_bytes_are_one_blob():
    (blob,), source = blobs(b"key = value\n")
    assert (blob.data, blob.path, blob.line) == (b"key = value\n", "-", 1)
    assert [place.kind for place in source.provenance([blob.id])[blob.id]] == ["stdin"]


def test_stdin_more_than_a_window_is_read_whole():
    data = os.urandom(20 << 20)
    found, _ = gather(StdinSource(io.BytesIO(data)))
    assert list(found.values()) == [data]


def test_stdin_git_diff_gives_added_lines_at_their_place(repository):
    repository.commit(**{"a.py": b"".join(b"line %d\n" % number for number in range(1, 41)), "gone": b"removed\n"})
    lines = [b"line %d\n" % number for number in range(1, 41)]
    lines[9:9] = [b"added at 10\n", b"added at 11\n"]
    lines[30] = b"changed at 31\n"
    repository.write("a.py", b"".join(lines))
    repository.write("new file", b"first\nsecond")
    repository.git("rm", "-q", "gone")
    repository.git("add", "-A")
    found, source = blobs(repository.git("diff", "--cached", "HEAD").encode() + b"\n")
    added = [(blob.path, blob.line, blob.data) for blob in found if blob.data.strip() and b"file mode" not in blob.data]
    assert added == [
        ("a.py", 10, b"added at 10\nadded at 11\n"),
        ("a.py", 31, b"changed at 31\n"),
        ("new file", 1, b"first\nsecond\n"),
    ]
    assert source.provenance(["stdin:a.py"])["stdin:a.py"][0].path == "a.py"


@pytest.mark.parametrize("name", ["with\ttab", "é", 'quo"te', "back\\slash"])
def test_stdin_git_diff_quoted_name_is_unquoted(repository, name):
    repository.write(name, b"added\n")
    repository.git("add", "-A")
    found, _ = blobs(repository.git("diff", "--cached").encode() + b"\n")
    assert [blob.path for blob in found if blob.data == b"added\n"] == [name]


def test_stdin_format_patch_message_is_read(repository):
    repository.commit(a=b"one\n")
    repository.commit("the subject holds a token", a=b"two\n")
    found, _ = blobs(repository.git("format-patch", "--stdout", "-1").encode() + b"\n")
    assert any(b"holds a token" in blob.data for blob in found)
    assert [(blob.path, blob.line) for blob in found if blob.data == b"two\n"] == [("a", 1)]
    assert not any(b"one\n" in blob.data for blob in found)


def test_stdin_added_line_that_looks_like_a_header_is_content(repository):
    repository.commit(a=b"x\n")
    repository.write("a", b"x\n++ b/not a header\n")
    found, _ = blobs(repository.git("diff").encode() + b"\n")
    assert [blob.path for blob in found if blob.data == b"++ b/not a header\n"] == ["a"]


def test_stdin_binary_patch_is_skipped_with_its_reason(repository):
    repository.commit(a=b"\0one")
    repository.write("a", b"\0two")
    source = StdinSource(io.BytesIO(repository.git("diff").encode() + b"\n"))
    _, skipped = gather(source)
    assert [(skip.path, skip.incomplete) for skip in skipped] == [("a", True)]


def merged(repository):
    """Make a merge that takes a line from each side, and adds one of its own."""
    repository.commit(a=b"one\ntwo\nthree\nfour\n")
    repository.git("checkout", "-q", "-b", "other")
    repository.commit(a=b"one\ntheirs\nthree\nfour\n")
    repository.git("checkout", "-q", "main")
    repository.commit(a=b"one\nours\nthree\nfour\n")
    repository.git("merge", "-q", "-s", "ours", "--no-commit", "other")
    repository.commit("merge", a=b"one\nours\ntheirs\nonly the merge\nthree\nfour\n")


@pytest.mark.parametrize("option", ["--cc", "-c"])
def test_stdin_diff_of_a_merge_gives_what_it_adds(repository, option):
    merged(repository)
    patch = repository.git("show", option, "--format=", "HEAD").encode() + b"\n"
    assert b"@@@ " in patch
    added = [(blob.path, blob.line, blob.data) for blob in blobs(patch)[0] if blob.data.strip()]
    assert added == [("a", 2, b"ours\ntheirs\nonly the merge\n")]


def test_stdin_diff_of_a_merge_counts_the_lines_of_every_parent(repository):
    merged(repository)
    repository.write("b", b"after\n")
    repository.git("add", "b")
    patch = repository.git("show", "--cc", "--format=", "HEAD").encode() + b"\n"
    patch += repository.git("diff", "--cached").encode() + b"\n"
    assert [blob.path for blob in blobs(patch)[0] if blob.data == b"after\n"] == ["b"]


def test_stdin_notebook_is_read_as_text_and_its_place_is_a_line():
    token = b"tkn_" + b"a1B2" * 6
    notebook = b'{"cells": [\n {"source": ["key = \\"%s\\"\\n"]}\n]}\n' % token
    (blob,), _ = blobs(notebook)
    assert blob.data == notebook
