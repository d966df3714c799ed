import os

import pytest

from hygiene.detect.sources.commits import CommitsSource
from hygiene.detect.sources.history import HistorySource
from hygiene.errors import SourceError, UsageError
from tests.repository import Repository
from tests.unit.sources.gather import contents, gather


def places(source):
    """Give the places of each blob, by its bytes."""
    found, _ = gather(source)
    return {found[name]: where for name, where in source.provenance(found).items()}


def test_history_gives_every_version_with_its_first_commit(repository):
    first = repository.commit("first", a=b"one")
    second = repository.commit("second", a=b"two")
    found = places(HistorySource(repository.folder))
    (one,) = found[b"one"]
    (two,) = found[b"two"]
    assert (one.kind, one.path, one.commit, one.last_commit) == ("commit", "a", first, first)
    assert (two.path, two.commit, two.last_commit) == ("a", second, second)
    assert (one.author, one.email, one.message_subject) == ("Ann Author", "ann@example.com", "first")
    assert one.date == "2020-09-14T13:26:40+01:00"
    assert one.refs == ("HEAD", "refs/heads/main")


def test_history_pickled_copy_reads_the_same(repository):
    commit = repository.commit(a=b"one")
    raw = repository.git("cat-file", "commit", commit).encode() + b"\n"
    assert contents(HistorySource(repository.folder)) == sorted([b"one", raw])


def test_history_counts_commits(repository):
    repository.commit(a=b"one")
    repository.commit(a=b"two")
    source = HistorySource(repository.folder)
    gather(source)
    assert source.commits == 2


def test_history_blob_in_two_paths_has_both_places_the_oldest_first(repository):
    repository.commit(b=b"one")
    repository.commit(a=b"one")
    assert [place.path for place in places(HistorySource(repository.folder))[b"one"]] == ["b", "a"]


def test_history_removed_file_names_the_last_commit_that_held_it(repository):
    first = repository.commit(a=b"one")
    middle = repository.commit(b=b"other")
    (repository.folder / "a").unlink()
    repository.commit("remove")
    (place,) = places(HistorySource(repository.folder))[b"one"]
    assert (place.commit, place.last_commit) == (first, middle)


def test_history_commit_message_is_read_and_placed(repository):
    commit = repository.commit("the token is in here")
    (text,) = [data for data in contents(HistorySource(repository.folder)) if b"the token" in data]
    assert text.startswith(b"tree ")
    (place,) = HistorySource(repository.folder).provenance([commit])[commit]
    assert (place.kind, place.commit) == ("message", commit)


def test_history_tag_message_is_read_and_placed(repository):
    repository.commit(a=b"one")
    repository.git("tag", "-a", "v1", "-m", "secret words")
    repository.git("tag", "-a", "v2", "-m", "outer", "v1")
    repository.git("tag", "-d", "v1")
    found = places(HistorySource(repository.folder))
    (inner,) = [where for data, where in found.items() if b"secret words" in data]
    assert [(place.kind, place.path) for place in inner] == [("tag", "refs/tags/v2")]


def test_history_merge_only_content_is_found(repository):
    repository.commit(a=b"base")
    repository.git("checkout", "-q", "-b", "other")
    repository.commit(a=b"theirs")
    repository.git("checkout", "-q", "main")
    repository.commit(a=b"ours")
    repository.git("merge", "-q", "-s", "ours", "--no-commit", "other")
    merge = repository.commit("merge", a=b"in no parent")
    (place,) = places(HistorySource(repository.folder))[b"in no parent"]
    assert (place.commit, place.path) == (merge, "a")


def test_history_octopus_merge_content_is_found(repository):
    repository.commit(a=b"base")
    for name in ("x", "y", "z"):
        repository.git("checkout", "-q", "-b", name, "main")
        repository.commit(**{name: name.encode()})
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-commit", "x", "y", "z")
    merge = repository.commit("octopus", a=b"in no parent")
    assert len(repository.git("rev-list", "--parents", "-1", merge).split()) == 4
    (place,) = places(HistorySource(repository.folder))[b"in no parent"]
    assert place.commit == merge


def test_history_stashes_all_of_them_and_notes_are_found(repository):
    repository.commit(a=b"one")
    for text in (b"older stash", b"newer stash"):
        repository.write("a", text)
        repository.git("stash", "-q")
    repository.git("notes", "add", "-m", "a note")
    found = places(HistorySource(repository.folder))
    assert b"older stash" in found
    assert b"newer stash" in found
    assert b"a note\n" in found


def test_history_amended_commit_only_counts_when_unreachable_is_asked_for(repository):
    repository.commit(a=b"one")
    repository.write("a", b"amended away")
    repository.git("commit", "-q", "-a", "--amend", "-m", "x")
    repository.write("a", b"kept")
    repository.git("commit", "-q", "-a", "--amend", "-m", "x")
    repository.git("hash-object", "-w", "--stdin", stdin=b"dangling blob")
    assert b"amended away" not in places(HistorySource(repository.folder))
    found = places(HistorySource(repository.folder, unreachable=True))
    assert [(place.kind, place.path) for place in found[b"amended away"]] == [("commit", "a")]
    assert [place.kind for place in found[b"dangling blob"]] == ["unreachable"]


def test_history_dangling_commit_without_reflog_is_placed_when_asked_for(repository):
    repository.commit(a=b"one")
    lost = repository.commit(a=b"lost")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    found = places(HistorySource(repository.folder, unreachable=True))
    assert [place.commit for place in found[b"lost"]] == [lost]


def test_history_replace_ref_hides_nothing(repository):
    repository.commit(a=b"one")
    repository.git("replace", repository.blob(b"one"), repository.git("hash-object", "-w", "--stdin", stdin=b"clean"))
    found = places(HistorySource(repository.folder))
    assert b"one" in found


def test_history_graft_hides_nothing(repository):
    repository.commit(a=b"one")
    tip = repository.commit(a=b"two")
    repository.write(".git/info/grafts", tip.encode() + b"\n")
    assert b"one" in places(HistorySource(repository.folder))


def test_history_ref_and_file_names_that_could_be_tokens_are_read(repository):
    word = "a1B2c3D4" * 4
    repository.commit(**{f"{word}.txt": b"one"})
    (repository.folder / f"{word}.txt").unlink()
    repository.commit("removed")
    repository.git("branch", f"fix/{word}")
    found = places(HistorySource(repository.folder))
    assert [place.kind for place in found[f"refs/heads/fix/{word}".encode()]] == ["ref"]
    assert [place.path for place in found[f"{word}.txt".encode()]] == [f"{word}.txt"]


@pytest.mark.parametrize("name", [b"new\nline", b"\xff\xfe.env", b":colon", b"tab\t"])
def test_history_odd_file_name_keeps_its_bytes(repository, name):
    repository.write(name, b"one")
    repository.commit()
    (place,) = places(HistorySource(repository.folder))[b"one"]
    assert place.path == os.fsdecode(name)


def test_history_sha256_repository_is_read(tmp_path):
    repository = Repository(tmp_path / "r", "--object-format=sha256")
    repository.commit(a=b"one")
    (place,) = places(HistorySource(repository.folder))[b"one"]
    assert len(place.commit) == 64


def test_history_bare_repository_is_read(repository, tmp_path):
    repository.commit(a=b"one")
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert b"one" in places(HistorySource(tmp_path / "bare"))


def test_history_linked_worktree_sees_all(repository, tmp_path):
    repository.commit(a=b"one")
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    linked = Repository.__new__(Repository)
    linked.folder, linked.day = tmp_path / "tree", 9
    linked.commit(a=b"only in the worktree")
    for folder in (repository.folder, tmp_path / "tree"):
        assert b"only in the worktree" in places(HistorySource(folder))


def test_history_objects_of_an_alternate_are_read(repository, tmp_path):
    repository.commit(a=b"one")
    repository.git("clone", "-q", "--shared", ".", str(tmp_path / "clone"))
    assert b"one" in places(HistorySource(tmp_path / "clone"))


def test_history_shallow_clone_says_so(repository, tmp_path):
    repository.commit(a=b"one")
    repository.commit(a=b"two")
    repository.git("clone", "-q", "--depth=1", f"file://{repository.folder}", str(tmp_path / "clone"))
    found, skipped = gather(HistorySource(tmp_path / "clone"))
    assert b"two" in found.values()
    assert [skip.incomplete for skip in skipped] == [True]
    assert "shallow" in skipped[0].reason


def test_history_partial_clone_says_what_is_missing_and_fetches_nothing(repository, tmp_path):
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit(a=b"one")
    repository.commit(a=b"two")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{repository.folder}", str(clone))
    found, skipped = gather(HistorySource(clone))
    assert b"one" not in found.values()
    assert sorted(skip.path for skip in skipped) == sorted([repository.blob(b"one"), repository.blob(b"two")])
    assert all(skip.incomplete for skip in skipped)


def test_history_trees_that_are_not_walked_are_told_and_no_failure(repository, monkeypatch):
    monkeypatch.setattr("hygiene.detect.sources.history.WALKED_TREES", 1)
    repository.commit(a=b"one")
    repository.commit(a=b"two")
    _, skipped = gather(HistorySource(repository.folder))
    assert [(skip.reason.split(":")[0], skip.incomplete) for skip in skipped] == [("2 trees", False)]


def test_history_missing_loose_object_is_no_silent_gap(repository):
    repository.commit(a=b"one")
    name = repository.blob(b"one")
    (repository.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    _, skipped = gather(HistorySource(repository.folder))
    assert [(skip.path, skip.incomplete) for skip in skipped] == [(name, True)]


def test_history_missing_commit_is_no_silent_gap(repository):
    first = repository.commit(a=b"one")
    repository.commit(a=b"two")
    (repository.folder / ".git/objects" / first[:2] / first[2:]).unlink()
    found, skipped = gather(HistorySource(repository.folder))
    assert {b"one", b"two"} <= set(found.values())
    assert any(skip.incomplete for skip in skipped)


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"\0" + data[1:], lambda data: data[:-6], lambda data: b"", lambda data: data[:3] + b"\xff" * 9],
)
def test_history_corrupt_loose_object_is_skipped_and_the_rest_is_read(repository, damage):
    repository.commit(a=b"one", b=b"two", c=b"three")
    name = repository.blob(b"two")
    loose = repository.folder / ".git/objects" / name[:2] / name[2:]
    loose.chmod(0o600)
    loose.write_bytes(damage(loose.read_bytes()))
    found, skipped = gather(HistorySource(repository.folder))
    assert {b"one", b"three"} <= set(found.values())
    assert any(skip.path == name and skip.incomplete for skip in skipped)


def test_history_outside_of_git_is_a_clear_error(tmp_path):
    with pytest.raises(SourceError) as error:
        list(HistorySource(tmp_path).items())
    assert "not a git repository" in error.value.message
    assert error.value.hint


def test_history_empty_repository_gives_nothing(repository):
    assert gather(HistorySource(repository.folder)) == ({}, [])


def test_commits_give_only_what_the_range_adds(repository):
    base = repository.commit(a=b"old", b=b"same")
    repository.commit("added", a=b"added, then removed")
    tip = repository.commit("tip", a=b"new")
    source = CommitsSource(repository.folder, (f"{base}..{tip}",))
    found = places(source)
    assert {data for data in found if not data.startswith(b"tree")} == {b"added, then removed", b"new"}
    assert source.commits == 2
    (place,) = found[b"new"]
    assert (place.commit, place.path) == (tip, "a")


def test_commits_of_a_pull_request_count_from_the_merge_base(repository):
    repository.commit(a=b"base")
    repository.git("checkout", "-q", "-b", "topic")
    tip = repository.commit(b=b"topic")
    repository.git("checkout", "-q", "main")
    target = repository.commit(c=b"main went on")
    for range_ in (f"{target}..{tip}", f"{target}...{tip}"):
        found = places(CommitsSource(repository.folder, (range_,)))
        assert b"topic" in found
        assert b"base" not in found
    assert b"main went on" not in places(CommitsSource(repository.folder, (f"{target}..{tip}",)))


def test_commits_not_on_a_remote_are_found(repository, tmp_path):
    repository.commit(a=b"pushed")
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "remote"))
    repository.git("remote", "add", "origin", str(tmp_path / "remote"))
    repository.git("fetch", "-q", "origin")
    tip = repository.commit(a=b"to push")
    found = places(CommitsSource(repository.folder, (tip, "--not", "--remotes=origin")))
    assert b"to push" in found
    assert b"pushed" not in found


def test_commits_empty_range_gives_nothing(repository):
    tip = repository.commit(a=b"one")
    assert gather(CommitsSource(repository.folder, (f"{tip}..{tip}",))) == ({}, [])


def test_commits_unknown_revision_is_a_clear_error(repository):
    repository.commit(a=b"one")
    with pytest.raises(SourceError) as error:
        list(CommitsSource(repository.folder, ("nowhere..HEAD",)).items())
    assert "no such commit" in error.value.message


def test_commits_option_instead_of_a_revision_is_refused(repository):
    with pytest.raises(UsageError):
        CommitsSource(repository.folder, ("--output=/tmp/x",))


def test_commits_range_over_the_edge_of_a_shallow_clone_says_so(repository, tmp_path):
    repository.commit(a=b"one")
    repository.commit(a=b"two")
    repository.commit(a=b"three")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth=2", f"file://{repository.folder}", str(clone))
    _, skipped = gather(CommitsSource(clone, ("HEAD",)))
    assert [skip.incomplete for skip in skipped] == [True]
    assert gather(CommitsSource(clone, ("HEAD~1..HEAD",)))[1] == []


def test_commits_symbolic_missing_object_is_skipped(repository):
    base = repository.commit(a=b"one")
    repository.commit(b=b"two")
    name = repository.blob(b"two")
    (repository.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    _, skipped = gather(CommitsSource(repository.folder, (f"{base}..HEAD",)))
    assert [(skip.path, skip.incomplete) for skip in skipped] == [(name, True)]
