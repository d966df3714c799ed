"""A scanned repository is hostile: nothing that it names is run, nothing that it says hides history."""

import os
import subprocess

import pytest

from hygiene.detect.sources.commits import CommitsSource
from hygiene.detect.sources.directory import DirectorySource
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.index import IndexSource
from tests.unit.sources.gather import gather

SETTINGS = {
    "fsmonitor": "[core]\n fsmonitor = PROGRAM",
    "hooks path": "[core]\n hooksPath = HOOKS",
    "external diff": "[diff]\n external = PROGRAM",
    "diff driver": '[diff "evil"]\n command = PROGRAM\n textconv = PROGRAM\n cachetextconv = true',
    "clean filter": '[filter "evil"]\n clean = PROGRAM\n smudge = PROGRAM\n process = PROGRAM\n required = true',
    "pager": "[core]\n pager = PROGRAM\n[pager]\n log = PROGRAM\n diff-index = true\n rev-list = PROGRAM",
    "signature check": "[log]\n showSignature = true\n[gpg]\n program = PROGRAM\n format = openpgp",
    "ssh signature check": '[log]\n showSignature = true\n[gpg]\n format = ssh\n[gpg "ssh"]\n program = PROGRAM',
    "alternate refs command": "[core]\n alternateRefsCommand = PROGRAM",
    "ssh command": "[core]\n sshCommand = PROGRAM\n gitProxy = PROGRAM\n askPass = PROGRAM",
    "credential helper": "[credential]\n helper = !PROGRAM",
    "aliases": "[alias]\n log = !PROGRAM\n cat-file = !PROGRAM\n rev-list = !PROGRAM\n ls-files = !PROGRAM",
    "editor": "[core]\n editor = PROGRAM\n[sequence]\n editor = PROGRAM",
    "include": "[include]\n path = included",
    "conditional include": '[includeIf "gitdir:/"]\n path = included',
    "trailers": '[trailer "x"]\n command = PROGRAM\n cmd = PROGRAM',
    "promisor remote": (
        "[core]\n repositoryformatversion = 1\n[extensions]\n partialClone = evil\n"
        '[remote "evil"]\n url = ext::PROGRAM\n promisor = true\n partialclonefilter = blob:none\n'
        '[protocol]\n allow = always\n[protocol "ext"]\n allow = always'
    ),
}


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\ntouch '{tmp_path}/was-run'\ncat\n")
    path.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).symlink_to(path)
    return path


@pytest.fixture
def hostile(repository, program, request):
    """A repository with signed commits, a missing blob, attributes for each driver, and one hostile setting."""
    repository.commit(a=b"one", gone=b"gone\n")
    repository.write(".gitattributes", b"* filter=evil diff=evil merge=evil\n")
    tip = repository.commit("two", a=b"two")
    raw = repository.git("cat-file", "commit", tip)
    signed = raw.replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\n", 1)
    signed_tip = repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed.encode() + b"\n")
    repository.git("reset", "-q", "--hard", signed_tip)
    repository.write("staged", b"three")
    repository.git("add", "staged")
    name = repository.blob(b"gone\n")
    (repository.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    setting = SETTINGS[request.param].replace("PROGRAM", str(program)).replace("HOOKS", str(program.parent / "hooks"))
    config = repository.folder / ".git/config"
    (repository.folder / ".git/included").write_text(SETTINGS["fsmonitor"].replace("PROGRAM", str(program)))
    config.write_text(f"{config.read_text()}\n{setting}\n")
    return repository


@pytest.mark.parametrize("hostile", SETTINGS, indirect=True)
def test_sources_program_named_in_the_configuration_is_never_run(hostile, tmp_path):
    for source in (
        IndexSource(hostile.folder),
        DirectorySource(hostile.folder, ignored=False),
        HistorySource(hostile.folder, unreachable=True),
        CommitsSource(hostile.folder, ("HEAD~1..HEAD",)),
    ):
        found, _ = gather(source)
        assert found
        assert source.provenance(found)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("hostile", ["fsmonitor", "include", "signature check", "clean filter"], indirect=True)
def test_plain_git_does_run_the_program_that_we_do_not(hostile, tmp_path):
    (hostile.folder / "a").write_bytes(b"changed")
    for command in (["status"], ["log"], ["diff"]):
        subprocess.run(["git", *command], cwd=hostile.folder, capture_output=True, timeout=60)
    assert (tmp_path / "was-run").exists()


def test_history_forged_commit_graph_hides_nothing(repository):
    first = repository.commit(a=b"one")
    repository.commit(a=b"two")
    repository.git("commit-graph", "write", "--reachable")
    graph = repository.folder / ".git/objects/info/commit-graph"
    graph.chmod(0o600)
    graph.write_bytes(graph.read_bytes().replace(bytes.fromhex(first), bytes(20)))
    found, _ = gather(HistorySource(repository.folder))
    assert {b"one", b"two"} <= set(found.values())
    name = repository.blob(b"one")
    assert HistorySource(repository.folder).provenance([name])[name][0].commit == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_sources_repository_of_another_user_is_refused_with_the_way_out(repository, monkeypatch):
    from hygiene.errors import SourceError

    repository.commit(a=b"one")
    repository.write("b", b"two")
    repository.git("add", "b")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for path in (repository.folder, *repository.folder.rglob("*")):
        os.chown(path, 1234, 1234, follow_symlinks=False)
    for source in (IndexSource(repository.folder), HistorySource(repository.folder)):
        with pytest.raises(SourceError) as error:
            list(source.items())
        assert "another user" in error.value.message
        assert "safe.directory" in error.value.hint
