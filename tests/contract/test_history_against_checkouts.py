"""On generated repositories, the history holds exactly the leaks that a checkout of every commit holds.

Whatever way they are looked for: plain, encoded or in archives, by either engine, by 1, 2 or 8 processes, with a cold
or a warm memory.
"""

import base64
import io
import shutil
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygiene.detect import backlog
from hygiene.detect.compile import pattern_of_hint
from hygiene.detect.encodings.prefilter import hints
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.engine_re import ReEngine
from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted
from hygiene.detect.scan import scan
from hygiene.detect.seen import Notebook
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.registry import open_source
from hygiene.detect.sources.remembered import RememberedHistory
from tests.repository import Repository
from tests.unit.detect.sample import TOKEN, token

PATTERNS = (TOKEN, *map(pattern_of_hint, hints([b"tkn_"])))
EXAMINER = Examiner(HyperscanEngine(PATTERNS, compile_database(PATTERNS)), lambda: b"key", "low")
OTHER_ENGINE = Examiner(ReEngine(PATTERNS), lambda: b"key", "low")
PATHS = ("a", "b", "dir/c", "dir/sub/d", "e f", "\udcff.env", "new\nline")

edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), st.integers(0, 20))),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(st.sampled_from(["commit", "commit", "branch", "merge", "amend", "tag", "orphan"]), edits),
    min_size=1,
    max_size=8,
)


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("in/side"), data)
    return out.getvalue()


FORMS = (
    lambda _value: b"nothing\n",
    lambda value: b"key = '" + value + b"'\n",
    lambda value: b"data: " + base64.b64encode(b"key = '" + value + b"'\n") + b"\n",
    lambda value: b"seed: " + base64.b32encode(b"key " + value) + b"\n",
    lambda value: ("key = " + value.decode()).encode("utf-16"),
    lambda value: zipped(b"key = '" + value + b"'\n"),
    lambda value: zipped(b"data: " + base64.b64encode(b"the key is " + value) + b"\n"),
)


def apply(repository, changes):
    for path, content in changes:
        full = repository.folder / path
        if content is None or full.is_dir():
            if full.is_file():
                full.unlink()
        else:
            # The same value in several forms, and the same form with several values.
            repository.write(path, FORMS[content % len(FORMS)](token(content % 4)))


def grow(repository, plan):
    """Carry out ``plan``; a merge takes the other side's files, then changes some: what is in no parent counts too."""
    for number, (action, changes) in enumerate(plan):
        if action == "orphan":
            repository.git("checkout", "-q", "--orphan", f"orphan{number}")
        elif action == "branch":
            repository.git("checkout", "-q", "-b", f"branch{number}")
        elif action == "merge":
            others = repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
            other = others[number % len(others)]
            repository.git("merge", "-q", "--allow-unrelated-histories", "-s", "ours", "--no-commit", other)
        apply(repository, changes)
        if action == "amend":
            repository.git("add", "-A")
            repository.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended")
            continue
        repository.commit(f"step {number}")
        if action == "tag":
            repository.git("tag", "-a", f"v{number}", "-m", "a tag")


def leaks(source, jobs=1, examiner=EXAMINER):
    result = scan(source, examiner, Accepted, jobs=jobs)
    assert result.skipped == ()
    return result.findings


def places(findings):
    return {(place.path, finding.fingerprint) for finding in findings for place in finding.provenance}


def history(repository):
    return open_source("history", repository.folder, archives=True)


def remembered(repository, cache, jobs=1):
    """Scan with the memory that earlier calls left."""
    notebook = Notebook(repository.folder / ".git/hygiene", cache, "rules")
    source = RememberedHistory(repository.folder, notebook, EXAMINER)
    return source.completed(scan(source, EXAMINER, Accepted, jobs=jobs), Accepted())


def checkouts(repository):
    """Give the leaks in a checkout of every commit: the commits that hold each."""
    seen = {}
    folder = repository.folder.parent / "tree"
    for commit in repository.git("rev-list", "--all").splitlines():
        repository.git("worktree", "add", "-q", "--detach", "--force", str(folder), commit)
        (folder / ".git").unlink()
        for finding in leaks(open_source("directory", folder, archives=True)):
            seen.setdefault((finding.path, finding.fingerprint), set()).add(commit)
        shutil.rmtree(folder)
        repository.git("worktree", "prune")
    return seen


@pytest.fixture
def small_chunks(monkeypatch):
    """Let there be work for several processes."""
    for name in ("_FIRST_ITEMS", "_MOST_ITEMS"):
        monkeypatch.setattr(backlog, name, 3)


@pytest.mark.slow
@pytest.mark.usefixtures("small_chunks")
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_history_leaks_are_those_of_a_checkout_of_every_commit(tmp_path_factory, plan):
    repository = Repository(tmp_path_factory.mktemp("generated") / "repository")
    cache = repository.folder.parent / "cache"
    repository.commit("start", a=b"nothing yet\n")
    remembered(repository, cache)  # what comes after is new to it
    grow(repository, plan)
    seen = checkouts(repository)
    found = leaks(history(repository))
    assert places(found) == set(seen)
    for finding in found:
        for place in finding.provenance:
            assert {place.commit, place.last_commit} <= seen[place.path, finding.fingerprint]
    tip = repository.git("rev-list", "--all").splitlines()[0]
    since = leaks(open_source("commits", repository.folder, revisions=(tip,), archives=True))
    reached = set(repository.git("rev-list", tip).splitlines())
    assert places(since) == {leak for leak, holders in seen.items() if holders & reached}
    for jobs, examiner in ((2, EXAMINER), (8, EXAMINER), (1, OTHER_ENGINE), (2, OTHER_ENGINE)):
        assert leaks(history(repository), jobs, examiner) == found
    plain = leaks(HistorySource(repository.folder))
    for jobs in (1, 2, 8):  # warm in part, then wholly
        assert remembered(repository, cache, jobs).findings == plain
    shutil.rmtree(repository.folder.parent)
