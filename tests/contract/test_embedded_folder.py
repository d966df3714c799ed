"""A store's folder in hostile hands: links, pipes, giants, odd names and modes; and branches that git has merged."""

import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from hygiene import crypto
from hygiene.config import Config, Role
from hygiene.errors import HygieneError, IntegrityError, StoreError, UsageError
from hygiene.prove.audited import audited
from hygiene.prove.log import open_log
from hygiene.secret import Secret
from hygiene.store.backends.embedded import layout
from hygiene.store.registry import open_store


def token():
    return str(uuid.uuid4())


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    for name in ("HYGIENE_IDENTITY", "HYGIENE_IDENTITY_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def store(home):
    made = open_store(f"embedded:{home}/team", Config(), notify=lambda key: None)
    made.put("shop/db", Secret(b"v"), token=token())
    return made


def again(store):
    return open_store(store.uri, Config())


@pytest.mark.parametrize("what", ["shop", "shop/db", ""])
def test_folder_that_is_a_link_is_refused_and_nothing_is_written_behind_it(store, home, what):
    outside = home / "outside"
    folder = store.root / "secrets" / what
    folder.rename(outside)
    folder.symlink_to(outside)
    before = sorted(outside.rglob("*"))
    for act in (
        lambda: again(store).get("shop/db"),
        lambda: again(store).put("shop/db", Secret(b"w"), token=token()),
        lambda: again(store).delete("shop/db"),
    ):
        with pytest.raises(IntegrityError, match="link"):
            act()
    assert sorted(outside.rglob("*")) == before


@pytest.mark.parametrize("what", ["policy", "access"])
def test_own_folder_that_is_a_link_is_refused(store, home, what):
    folder = store.root / what
    if folder.exists():
        folder.rename(home / "outside")
    folder.symlink_to(home / "outside")
    with pytest.raises(IntegrityError, match="link"):
        again(store).get("shop/db")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/hostname"), os.mkdir])
@pytest.mark.parametrize("what", ["record", "value", "policy", "request"])
def test_pipe_link_or_folder_in_place_of_a_file_is_an_error_and_nobody_waits(store, what, make):
    folder = layout.record_folder(store.root, "shop/db")
    path = {
        "record": folder / layout.RECORD,
        "value": next(folder.glob("@*.age")),
        "policy": store.root / "policy" / "000001.json",
        "request": store.root / "access" / "00000000" / "request.json",
    }[what]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    if what == "request":
        assert again(store).access_requests() == []
        assert again(store).get("shop/db") == Secret(b"v")
        return
    with pytest.raises(IntegrityError):
        again(store).get("shop/db")
    if what == "value":  # a new one takes its place
        again(store).put("shop/db", Secret(b"w"), token=token())
        assert again(store).get("shop/db") == Secret(b"w")
        return
    with pytest.raises(HygieneError):
        again(store).put("shop/db", Secret(b"w"), token=token())


def test_lock_that_is_a_link_is_refused_and_makes_no_file(store, home):
    (store.root / ".lock").unlink()
    (store.root / ".lock").symlink_to(home / "made")
    with pytest.raises(HygieneError):
        again(store).put("shop/db", Secret(b"w"), token=token())
    assert not (home / "made").exists()


def test_giant_in_place_of_a_record_is_refused_without_being_read_whole(store):
    with (layout.record_folder(store.root, "shop/db") / layout.RECORD).open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(IntegrityError, match="can't be read"):
        again(store).get("shop/db")


NAMES = [
    "../up", "a/../b", "/abs", "a//b", "a/", ".", "a/./b", "a\nb", "a\n", "a b", "a\0b", "a\\b", "~root", "a@b",
    "@record.json", "a%2e%2e", "\u0430bc", "a\u200bb", "\u202eabc", "ａ", "é", "", "a" * 257, "x/" * 128 + "x" * 9,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:20] for name in NAMES])
def test_odd_name_is_refused_by_every_method_before_anything_happens(store, name):
    before = sorted(path for path in store.root.rglob("*"))
    for act in (
        lambda: store.put(name, Secret(b"w"), token=token()),
        lambda: store.get(name),
        lambda: store.describe(name),
        lambda: store.delete(name),
        lambda: store.expire(name, None),
        lambda: store.reference(name),
    ):
        with pytest.raises(UsageError):
            act()
    assert sorted(path for path in store.root.rglob("*")) == before


def test_names_one_inside_the_other_live_side_by_side(store):
    names = ["a", "a/b", "a/b/c", "x" * 250, "y" * 100 + "/" + "z" * 150, "shop/db.d", "CON", "a-/.b"]
    for name in names:
        store.put(name, Secret(name.encode()), token=token())
    assert {told.name for told in again(store).list()} == {*names, "shop/db"}
    for name in names:
        assert again(store).get(name) == Secret(name.encode())


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_are_private_whatever_the_umask(home, mask):
    former = os.umask(mask)
    try:
        made = open_store(f"embedded:{home}/team", Config(), notify=lambda key: None)
        made.put("shop/db", Secret(b"v"), token=token())
        list(made.list())
    finally:
        os.umask(former)
    exposed = [
        path
        for root in (home / "team", home / "home")
        for path in (root, *root.rglob("*"))
        if path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    assert exposed == []


@pytest.mark.parametrize("folder", ["home", "home/audit"])
def test_home_that_anybody_may_write_is_trusted_for_nothing(store, home, folder):
    """Anybody could put an older memory, or another log, in the place of ours."""
    audited(store, open_log(home / "home" / "audit")).get("shop/db")
    (home / folder).chmod(0o777)
    with pytest.raises(HygieneError, match="anybody may write"):
        audited(again(store), open_log(home / "home" / "audit")).get("shop/db")
    (home / folder).chmod(0o1777)  # as /tmp is
    assert audited(again(store), open_log(home / "home" / "audit")).get("shop/db") == Secret(b"v")


def test_repository_copied_beside_itself_is_the_same_store_and_its_older_state_is_refused(store, home):
    """Two clones share the id: what was seen in one holds in the other."""
    subprocess.run(["cp", "-a", store.root, home / "clone"], check=True)
    store.put("shop/db", Secret(b"newer"), token=token())
    clone = open_store(f"embedded:{home}/clone", Config())
    with pytest.raises(IntegrityError, match="older than one seen"):
        clone.get("shop/db")


# Branches


class Branches:
    """A team's repository with the merge driver installed."""

    def __init__(self, home):
        self.root = home / "repo"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "x")
        self.git("config", "user.email", "x@example.org")
        self.git("config", "merge.hygiene-record.driver", "hygiene access merge %O %A %B %P")

    def git(self, *arguments, ok=True):
        programs = Path(sys.executable).parent
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        done = subprocess.run(["git", *arguments], cwd=self.root, env=environment, capture_output=True)
        assert done.returncode == 0 or not ok, done.stderr.decode()
        return done.returncode

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def store(self):
        return open_store(f"embedded:{self.root}/vault", Config(), notify=lambda key: None)

    def forked(self, here, there):
        """Do ``here`` on main and ``there`` on a branch, and merge; gives git's exit code."""
        self.commit()
        self.git("checkout", "-qb", "side")
        there(self.store())
        self.commit()
        self.git("checkout", "-q", "main")
        self.store().accept_present()
        here(self.store())
        self.commit()
        code = self.git("merge", "-q", "side", "-m", "merged", ok=False)
        self.store().accept_present()
        return code


@pytest.fixture
def branches(home):
    made = Branches(home)
    made.store().put("a", Secret(b"one"), token="1" * 32)
    return made


def _leaver():
    identity, _ = crypto.generate_identity()
    return Role("see", (str(identity.member),), ("**",), ("read",))


@pytest.mark.parametrize("re_encrypted_here", [True, False])
def test_value_encrypted_anew_on_one_branch_and_touched_on_the_other_is_not_lost(branches, re_encrypted_here):
    """The other branch's record names a file that git removes with the merge."""
    role = _leaver()
    branches.store().apply_access((role,))

    def leaves(store):
        store.apply_access((role._replace(members=()),))

    def touches(store):
        store.expire("a", None)
        store.put("a", Secret(b"two"), token="2" * 32)

    sides = (leaves, touches) if re_encrypted_here else (touches, leaves)
    assert branches.forked(*sides) == 0
    store = branches.store()
    assert store.get("a") == Secret(b"two")
    assert store.get("a", version="1" * 32) == Secret(b"one")
    assert store.describe("a").due is not None
    gone = crypto.parse_member(role.members[0]).recipient
    from hygiene.store.backends.embedded.policy import reader_id

    record = store._records.find("a")
    assert reader_id(gone) not in next(entry for entry in record.versions if entry.id == "1" * 32).readers
    changes = store.apply_access((role._replace(members=()),))
    assert {change.action for change in changes} <= {"re-encrypt", "mark-due"}
    assert store.check_access((role._replace(members=()),)) == []


@pytest.mark.parametrize("deleted_here", [True, False])
def test_deletion_for_good_and_a_new_value_merge_to_the_new_value(branches, deleted_here):
    def deletes(store):
        store.delete("a", recoverable=False)

    def changes(store):
        store.put("a", Secret(b"two"), token="2" * 32)

    assert branches.forked(*((deletes, changes) if deleted_here else (changes, deletes))) == 0
    assert branches.store().get("a") == Secret(b"two")
    assert [version.id for version in branches.store().describe("a").versions] == ["2" * 32]


def test_value_made_current_here_and_deleted_for_good_there_is_a_conflict_for_a_person(branches):
    branches.store().put("a", Secret(b"two"), token="2" * 32)
    branches.store().put("a", Secret(b"three"), token="3" * 32)

    def promotes(store):
        store.promote("a", "1" * 32, expect="3" * 32)

    def deletes(store):
        store.delete("a", recoverable=False)
        store.put("a", Secret(b"four"), token="4" * 32)

    assert branches.forked(promotes, deletes) in (0, 1)
    with pytest.raises(StoreError) if _unmerged(branches) else _nothing():
        assert branches.store().get("a") == Secret(b"four")


def _unmerged(branches):
    done = subprocess.run(["git", "diff", "--name-only", "--diff-filter=U"], cwd=branches.root, capture_output=True)
    return bool(done.stdout)


def _nothing():
    from contextlib import nullcontext

    return nullcontext()
