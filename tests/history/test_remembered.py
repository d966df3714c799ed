"""A scan that remembers gives what a scan of everything gives, whatever happened in between."""

import base64
import random

import pytest

from hygiene.detect.baseline import Baseline, Entry
from hygiene.detect.compile import pattern_of_hint
from hygiene.detect.encodings.prefilter import hints
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted
from hygiene.detect.scan import scan
from hygiene.detect.seen import Notebook
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.remembered import RememberedHistory
from tests.repository import Repository
from tests.unit.detect.sample import PASSWORD, TOKEN, token

PATTERNS = (TOKEN, PASSWORD)
ENGINE = HyperscanEngine(PATTERNS, compile_database(PATTERNS))


class Bench:
    def __init__(self, tmp_path):
        self.repository = Repository(tmp_path / "work")
        self.cache = tmp_path / "cache"

    def examiner(self):
        return Examiner(ENGINE, lambda: b"key", "medium")

    def source(self, key="rules"):
        return RememberedHistory(self.repository.folder, self.notebook(key), self.examiner())

    def notebook(self, key="rules"):
        return Notebook(self.repository.folder / ".git" / "hygiene", self.cache, key)

    def whole(self):
        return self._scan(HistorySource(self.repository.folder))

    def again(self, key="rules"):
        source = self.source(key)
        return source.completed(self._scan(source), Accepted())

    def _scan(self, source):
        return scan(source, self.examiner(), Accepted)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def listed(source):
    return {item.path for item in source.items()}


def test_remembered_nothing_new_gives_the_same_and_lists_nothing(bench):
    bench.repository.commit(a=token(1), b=b"clean", c=b"password=hunter42x")
    first = bench.again()
    assert len(first.findings) == 2
    assert listed(bench.source()) == set()
    assert bench.again() == first == bench.whole()


def test_remembered_new_commit_reads_only_what_it_adds(bench):
    bench.repository.commit(a=token(1), b=b"clean")
    bench.again()
    bench.repository.commit(d=token(2))
    assert listed(bench.source()) == {"d", ""}  # "": the commit itself
    assert bench.again() == bench.whole()
    assert listed(bench.source()) == set()


def test_remembered_commit_that_touches_a_finding_places_all_anew(bench):
    bench.repository.commit(a=token(1), b=b"clean", c=token(3))
    bench.again()
    bench.repository.commit(a=b"gone")
    assert listed(bench.source()) == {"a", "c", ""}
    found = bench.again()
    assert found == bench.whole()
    assert {place.last_commit for finding in found.findings for place in finding.provenance} == set(
        bench.repository.git("rev-list", "HEAD").split()
    )


def test_remembered_commit_that_another_ref_held_before_places_all_anew(bench):
    bench.repository.commit(a=token(1))
    bench.repository.git("checkout", "-q", "-b", "topic")
    bench.repository.commit(b=token(2))
    bench.repository.git("checkout", "-q", "main")
    bench.again()
    bench.repository.git("merge", "-q", "--ff-only", "topic")
    assert "a" in listed(bench.source())
    assert bench.again() == bench.whole()


def test_remembered_new_first_commit_names_leaks_anew(bench):
    bench.repository.commit(a=token(1))
    bench.again()
    bench.repository.git("checkout", "-q", "--orphan", "other")
    bench.repository.commit("other root", z=b"clean")
    bench.repository.git("merge", "-q", "--allow-unrelated-histories", "-m", "joined", "main")
    bench.repository.git("checkout", "-q", "main")
    bench.repository.git("merge", "-q", "--ff-only", "other")  # ahead, but not along first parents
    bench.repository.git("branch", "-q", "-D", "other")
    assert "a" in listed(bench.source())


def test_remembered_value_that_stood_encoded_is_found_anew(bench):
    text = base64.b64encode(b"# a line\nkey = '" + token(1) + b"'\n") + b"\n"
    bench.repository.commit(a=text, b=token(2))
    patterns = (*PATTERNS, *map(pattern_of_hint, hints([b"tkn_", b"password"])))
    engine = HyperscanEngine(patterns, compile_database(patterns))
    bench.examiner = lambda: Examiner(engine, lambda: b"key", "medium")
    first = bench.again()
    assert {finding.encoding for finding in first.findings} == {"", "base64"}
    assert listed(bench.source()) == set()
    assert bench.again() == first == bench.whole()


def test_remembered_object_that_is_gone_is_told(bench):
    repository = bench.repository
    repository.commit(a=token(1), b=token(2))
    bench.again()
    name = repository.blob(token(1))
    (repository.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    found = bench.again()
    assert [skip.path for skip in found.skipped] == ["a"]
    assert found.incomplete
    assert [finding.path for finding in found.findings] == ["b"]


def test_remembered_is_judged_by_what_is_accepted_now(bench):
    bench.repository.commit(a=token(1))
    (finding,) = bench.again().findings
    source = bench.source()
    baseline = Baseline(b"key", {finding.fingerprint: Entry(finding.fingerprint, finding.rule, "a")})
    (known,) = source.completed(bench._scan(source), Accepted(baseline)).findings
    assert known.status == "baselined"
    (again,) = bench.again().findings
    assert again.status == "new"


def test_remembered_other_rules_read_all(bench):
    bench.repository.commit(a=token(1), b=b"clean")
    bench.again()
    assert bench.source("others")._memory is None


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_remembered_damaged_or_forged_note_is_not_believed(bench, at):
    bench.repository.commit(a=token(1))
    bench.again()
    (note,) = (bench.repository.folder / ".git/hygiene/seen").iterdir()
    content = bytearray(note.read_bytes())
    content[at] ^= 1
    note.write_bytes(content)
    assert bench.notebook().read() is None
    assert bench.again().findings == bench.whole().findings


def test_remembered_note_with_the_seal_of_another_user_is_not_believed(bench):
    bench.repository.commit(a=token(1))
    bench.again()
    (bench.cache / "seen-seal").write_bytes(b"x" * 32)
    assert bench.notebook().read() is None


def test_remembered_note_that_others_may_write_is_not_believed(bench):
    bench.repository.commit(a=token(1))
    bench.again()
    (note,) = (bench.repository.folder / ".git/hygiene/seen").iterdir()
    note.chmod(0o666)
    assert bench.notebook().read() is None


def test_remembered_missing_object_is_told_each_time(bench):
    repository = bench.repository
    repository.commit(a=token(1), b=b"gone")
    name = repository.blob(b"gone")
    place = repository.folder / ".git/objects" / name[:2] / name[2:]
    content = place.read_bytes()
    place.unlink()
    assert bench.again().incomplete
    assert bench.again().incomplete
    place.write_bytes(content)
    assert not bench.again().incomplete


def test_remembered_partial_clone_is_remembered_until_it_fetches(bench, tmp_path):
    repository = bench.repository
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit(a=token(1), b=b"clean")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{repository.folder}", str(clone))

    def source():
        return RememberedHistory(clone, Notebook(clone / "hygiene", bench.cache, "rules"), bench.examiner())

    def again():
        remembered = source()
        return remembered.completed(scan(remembered, bench.examiner(), Accepted), Accepted())

    first = again()
    assert first.incomplete
    assert list(source().items()) == []
    assert again() == first
    repository.git("-C", str(clone), "cat-file", "blob", repository.blob(token(1)))  # which fetches it
    assert len(again().findings) == 1


@pytest.mark.parametrize("fetch", ["--deepen=1", "--unshallow"])
def test_remembered_shallow_clone_that_is_deepened_reads_what_came(bench, tmp_path, fetch):
    origin = Repository(tmp_path / "origin")
    for number in (1, 2, 3):
        origin.commit(a=token(number))
    origin.git("clone", "-q", "--depth", "1", f"file://{origin.folder}", str(bench.repository.folder / "clone"))
    bench.repository.folder = bench.repository.folder / "clone"
    assert len(bench.again().findings) == 1
    bench.repository.git("fetch", "-q", fetch)
    deeper = bench.again()
    assert len(deeper.findings) == (2 if fetch == "--deepen=1" else 3)
    assert deeper.incomplete == (fetch == "--deepen=1")
    assert bench.again() == deeper == bench.whole()


def test_remembered_holds_no_value(bench):
    bench.repository.commit(a=token(1))
    bench.again()
    for path in [*bench.cache.rglob("*"), *(bench.repository.folder / ".git/hygiene").rglob("*")]:
        if path.is_file():
            assert token(1) not in path.read_bytes()


@pytest.mark.parametrize("place", ["subject", "name", "branch"])
def test_remembered_value_in_what_would_be_remembered_is_not_written_down(bench, place):
    bench.repository.commit(a=token(1))
    value = token(2).decode()
    if place == "subject":
        bench.repository.commit(f"use {value}", b=b"text")
    elif place == "name":
        bench.repository.commit(**{f"{value}.txt": b"text"})
    else:
        bench.repository.git("branch", value)
    first = bench.again()
    for path in [*bench.cache.rglob("*"), *(bench.repository.folder / ".git/hygiene").rglob("*")]:
        if path.is_file():
            assert token(2) not in path.read_bytes()
    assert bench.again() == first == bench.whole()


ACTS = ("commit", "commit", "commit", "commit", "secret", "secret", "secret", "remove", "branch")
ACTS += ("switch", "merge", "tag", "reset", "drop", "stash")


def step(repository, choose):
    """Do something to the repository, as people do."""
    branches = repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    act = choose.choice(
        ["commit"] * 4 + ["secret"] * 3 + ["remove", "branch", "switch", "merge", "tag", "reset", "drop", "stash"]
    )
    name = f"f{choose.randrange(4)}"
    if act == "commit":
        repository.commit(**{name: b"text %d\n" % choose.randrange(1000)})
    elif act == "secret":
        repository.commit(**{name: b"password=hunter%02dx\n" % choose.randrange(4) + token(choose.randrange(4))})
    elif act == "remove":
        repository.git("rm", "-q", "--ignore-unmatch", name)
        repository.commit()
    elif act == "branch":
        repository.git("checkout", "-q", "-B", f"b{choose.randrange(4)}")
    elif act == "switch":
        repository.git("checkout", "-q", "-f", choose.choice(branches))
    elif act == "merge":
        repository.git("merge", "-q", "-s", "ours", "-m", "merge", choose.choice(branches))
    elif act == "tag":
        repository.git("tag", "-f", "-a", "-m", choose.choice(["note", token(7).decode()]), f"t{choose.randrange(2)}")
    elif act == "reset":
        repository.git("reset", "-q", "--hard", "HEAD^" if choose.random() < 0.7 and repository.day > 3 else "HEAD")
    elif act == "drop":
        for branch in [branch for branch in branches if branch.startswith("b")][:1]:
            repository.git("checkout", "-q", "-f", "main")
            repository.git("branch", "-q", "-D", branch)
    elif act == "stash":
        repository.write(name, token(choose.randrange(20, 24)))
        repository.git("add", "-A")
        repository.git("stash", "-q")


@pytest.mark.parametrize("seed", range(6))
def test_remembered_any_history_gives_what_a_scan_of_everything_gives(bench, seed):
    choose = random.Random(seed)
    for number in range(5):
        bench.repository.commit(**{f"f{number}": b"start %d" % number})
    for _ in range(12):
        try:
            step(bench.repository, choose)
        except AssertionError:
            continue  # git refused: nothing to reset, nothing to stash
        if choose.random() < 0.6:
            assert bench.again().findings == bench.whole().findings
    assert bench.again().findings == bench.whole().findings
