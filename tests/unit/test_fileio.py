import errno
import os
import stat
import threading

import pytest

from hygiene import fileio
from hygiene.errors import ExitCode, WriteError


def test_write_atomic_new_file_is_private_and_whole(tmp_path):
    target = tmp_path / "a"
    fileio.write_atomic(target, b"content")
    assert target.read_bytes() == b"content"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_write_atomic_existing_file_keeps_its_mode(tmp_path):
    target = tmp_path / "script"
    target.write_bytes(b"old")
    target.chmod(0o755)
    fileio.write_atomic(target, b"new")
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new", 0o755)


def test_write_atomic_pipe_is_written_into_and_stays(tmp_path):
    target = tmp_path / "pipe"
    os.mkfifo(target)
    read = []
    reader = threading.Thread(target=lambda: read.append(target.read_bytes()), daemon=True)
    reader.start()
    fileio.write_atomic(target, b"content")
    reader.join(10)
    assert read == [b"content"]
    assert stat.S_ISFIFO(target.lstat().st_mode)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_write_atomic_failing_at_any_call_keeps_the_old_content_and_no_leftover(tmp_path, monkeypatch, call):
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fileio.os, call, full)
    with pytest.raises(WriteError, match="disk is full") as caught:
        fileio.write_atomic(target, b"new")
    assert caught.value.exit_code == ExitCode.STORE
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_append_durable_torn_write_is_cut_off(tmp_path, monkeypatch):
    log = tmp_path / "log"
    fileio.append_durable(log, b"one\n")
    real = os.write

    def short(descriptor, data):
        if len(data) > 3:
            return real(descriptor, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fileio.os, "write", short)
    with pytest.raises(WriteError):
        fileio.append_durable(log, b"two!\n")
    assert log.read_bytes() == b"one\n"


def test_create_exclusive_has_one_winner_among_many(tmp_path):
    target = tmp_path / "key"
    won = []
    threads = [
        threading.Thread(target=lambda n=n: won.append((fileio.create_exclusive(target, b"%d" % n), n)))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [n for created, n in won if created]
    assert len(winners) == 1
    assert target.read_bytes() == b"%d" % winners[0]
    assert os.listdir(tmp_path) == ["key"]


def test_locked_holds_others_back(tmp_path):
    order = []
    inside = threading.Event()

    def second():
        inside.wait()
        with fileio.locked(tmp_path / "lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with fileio.locked(tmp_path / "lock"):
        inside.set()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_sweep_temporary_removes_only_our_leftovers(tmp_path):
    (tmp_path / ".hygiene-tmp-00").write_bytes(b"x")
    (tmp_path / ".other").write_bytes(b"x")
    assert fileio.sweep_temporary(tmp_path) == 1
    assert os.listdir(tmp_path) == [".other"]


def test_is_private_group_writable_file_is_not(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"")
    file.chmod(0o600)
    assert fileio.is_private(file)
    file.chmod(0o620)
    assert not fileio.is_private(file)
    assert not fileio.is_private(tmp_path / "absent")


def test_make_private_folder_missing_parents_are_private_too(tmp_path):
    fileio.make_private_folder(tmp_path / "a" / "b")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o700, 0o700]
