"""On generated repositories, the history holds exactly the leaks that a checkout of every commit holds."""

import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.examine import Examiner
from hygiene.detect.findings import Accepted
from hygiene.detect.scan import scan
from hygiene.detect.sources.commits import CommitsSource
from hygiene.detect.sources.directory import DirectorySource
from hygiene.detect.sources.history import HistorySource
from tests.repository import Repository
from tests.unit.detect.sample import TOKEN, token

EXAMINER = Examiner(HyperscanEngine((TOKEN,), compile_database((TOKEN,))), lambda: b"key", "low")
PATHS = ("a", "b", "dir/c", "dir/sub/d", "e f", "\udcff.env", "new\nline")

edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), st.integers(0, 12))),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(st.sampled_from(["commit", "commit", "branch", "merge", "amend", "tag", "orphan"]), edits),
    min_size=1,
    max_size=8,
)


def apply(repository, changes):
    for path, content in changes:
        full = repository.folder / path
        if content is None or full.is_dir():
            if full.is_file():
                full.unlink()
        else:
            lines = b"" if content % 3 == 0 else b"key = '" + token(content) + b"'\n"
            repository.write(path, b"text %d\n" % content + lines)


def grow(repository, plan):
    """Carry out ``plan``; a merge takes the other side's files, then changes some: what is in no parent counts too."""
    repository.commit("start", a=b"nothing yet\n")
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


def leaks(source, jobs=1):
    result = scan(source, EXAMINER, Accepted, jobs=jobs)
    assert result.skipped == ()
    return result.findings


def places(findings):
    return {(place.path, finding.fingerprint) for finding in findings for place in finding.provenance}


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_history_leaks_are_those_of_a_checkout_of_every_commit(tmp_path_factory, plan):
    repository = Repository(tmp_path_factory.mktemp("generated") / "repository")
    grow(repository, plan)
    commits = repository.git("rev-list", "--all").splitlines()
    seen = {}
    for commit in commits:
        folder = repository.folder.parent / "tree"
        repository.git("worktree", "add", "-q", "--detach", "--force", str(folder), commit)
        (folder / ".git").unlink()
        for finding in leaks(DirectorySource(folder)):
            seen.setdefault((finding.path, finding.fingerprint), set()).add(commit)
        shutil.rmtree(folder)
        repository.git("worktree", "prune")
    found = leaks(HistorySource(repository.folder))
    assert places(found) == set(seen)
    for finding in found:
        for place in finding.provenance:
            assert {place.commit, place.last_commit} <= seen[place.path, finding.fingerprint]
    since = leaks(CommitsSource(repository.folder, (commits[0],)))
    reached = set(repository.git("rev-list", commits[0]).splitlines())
    assert places(since) == {leak for leak, holders in seen.items() if holders & reached}
    chosen = random.Random(len(plan)).choice([2, 8])
    assert leaks(HistorySource(repository.folder), jobs=chosen) == found
    shutil.rmtree(repository.folder.parent)
