"""What was left ready is used only if nobody else can have written it, and while all that it rests on is as it was."""

import os

import pytest

from hygiene.detect.glance.ready import GENERIC, RULE, read_ready
from tests.glance.conftest import TOKEN


@pytest.fixture
def ready_file(hooked, cache):
    (path,) = cache.glob("ready-*")
    return path


@pytest.fixture
def rules_file(hooked, cache):
    (path,) = cache.glob("rules-*")
    return path


def is_refused(cache, root):
    try:
        return read_ready(str(cache), str(root)) is None
    except (OSError, ValueError, EOFError, TypeError):
        return True


def test_ready_after_an_ordinary_scan_is_there(hooked, cache):
    ready = read_ready(str(cache), str(hooked.folder))
    assert ready is not None
    assert set(ready.kinds[:2]) == {RULE, GENERIC}
    assert ready.least == "medium"


@pytest.mark.parametrize("which", ["ready_file", "rules_file"])
def test_ready_file_that_others_may_write_is_refused(request, hooked, cache, which):
    request.getfixturevalue(which).chmod(0o622)
    assert is_refused(cache, hooked.folder)


def test_ready_in_a_folder_that_others_may_write_is_refused(hooked, cache):
    cache.chmod(0o777)
    assert is_refused(cache, hooked.folder)


@pytest.mark.parametrize("which", ["ready_file", "rules_file"])
def test_ready_link_to_a_good_file_is_refused(request, hooked, cache, tmp_path, which):
    path = request.getfixturevalue(which)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert is_refused(cache, hooked.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("which", ["ready_file", "rules_file"])
def test_ready_file_of_another_user_is_refused(request, hooked, cache, which):
    os.chown(request.getfixturevalue(which), 65534, -1)
    assert is_refused(cache, hooked.folder)


def test_ready_replaced_rules_are_refused(hooked, cache, rules_file):
    content = rules_file.read_bytes()
    rules_file.unlink()
    rules_file.write_bytes(content)
    rules_file.chmod(0o600)
    assert is_refused(cache, hooked.folder)


def test_ready_of_another_project_is_refused(hooked, cache, ready_file, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    assert is_refused(cache, tmp_path / "elsewhere")


@pytest.mark.parametrize("length", [0, 5, 100])
def test_ready_cut_file_is_looked_past(hooked, ready_file, length):
    ready_file.write_bytes(ready_file.read_bytes()[:length])
    hooked.stage(b=TOKEN)
    assert hooked.hook() == (1, "look")


def test_ready_missing_cache_is_made_again(hooked, cache):
    for path in cache.iterdir():
        path.unlink()
    assert hooked.hook() == (0, "look")
    assert hooked.hook() == (0, "glance")


def test_ready_many_projects_keep_the_newest(hooked, cache):
    for number in range(20):
        hooked.write(".hygiene.toml", b'[rules]\nfolders = ["rules"]\nonly = true\n# %d\n' % number)
        assert hooked.hook() == (0, "look")
    assert hooked.hook() == (0, "glance")
    assert len(list(cache.glob("ready-*"))) == 16
