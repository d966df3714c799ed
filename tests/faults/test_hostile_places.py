"""What a stranger may have left in a repository or folder: read, or told; never a hang or a silent gap."""

import os
import random
import subprocess
import sys

import pytest

from hygiene.detect.sources.commits import CommitsSource
from hygiene.detect.sources.directory import DirectorySource
from hygiene.detect.sources.history import HistorySource
from hygiene.detect.sources.index import IndexSource
from hygiene.errors import SourceError
from tests.e2e.credentials import Forge
from tests.repository import Repository
from tests.unit.sources.gather import by_path, gather


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


def assert_told_or_whole(source, *contents):
    """Assert that ``source`` gives all of ``contents``, or says what it lacks, or that it can't be read."""
    try:
        found, skipped = gather(source)
    except SourceError as error:
        assert error.message
        return
    assert set(contents) <= set(found.values()) or any(skip.incomplete for skip in skipped)


def overwrite(path, data):
    path.chmod(0o600)
    path.write_bytes(data)


def test_history_alternates_in_a_circle_end(repository, tmp_path):
    repository.commit(a=b"one")
    repository.git("clone", "-q", "--shared", ".", str(tmp_path / "clone"))
    alternates = repository.folder / ".git/objects/info/alternates"
    alternates.write_text(f"{tmp_path}/clone/.git/objects\n{repository.folder}/.git/objects\n")
    assert_told_or_whole(HistorySource(tmp_path / "clone"), b"one")
    assert_told_or_whole(HistorySource(repository.folder), b"one")


@pytest.mark.parametrize("text", ["nonsense\n", "", "ref: refs/heads/none\n", "0123456789" * 4 + "\n", "ref: HEAD\n"])
def test_history_broken_head_is_told_or_the_rest_is_read(repository, text):
    repository.commit(a=b"one")
    (repository.folder / ".git/HEAD").write_text(text)
    assert_told_or_whole(HistorySource(repository.folder), b"one")


@pytest.mark.parametrize("pointer", [".git", "../other/.git", "/dev/stdin", "a/b\0c"])
def test_history_pointer_to_a_git_folder_in_a_circle_is_told(tmp_path, pointer):
    for name, target in (("here", pointer), ("other", "../here/.git")):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".git").write_text(f"gitdir: {target}\n")
    with pytest.raises(SourceError):
        gather(HistorySource(tmp_path / "here"))


@pytest.mark.parametrize("extension", ["refStorage = reftable", "nobodyKnows = this", "objectFormat = md5"])
def test_history_of_a_format_that_git_does_not_know_is_told(repository, extension):
    repository.commit(a=b"one")
    with (repository.folder / ".git/config").open("a") as config:
        config.write(f"[core]\n repositoryFormatVersion = 1\n[extensions]\n {extension}\n")
    assert_told_or_whole(HistorySource(repository.folder), b"one")
    with pytest.raises(SourceError):
        if "refStorage" in extension:
            raise SourceError("a git that knows it reads it")
        gather(HistorySource(repository.folder))


@pytest.mark.parametrize("text", ["nonsense\n", "# pack-refs with:\n\0\0\0", "0123456789" * 4 + " refs/heads/\n"])
def test_history_broken_packed_refs_are_told(repository, text):
    repository.commit(a=b"one")
    repository.git("pack-refs", "--all")
    (repository.folder / ".git/packed-refs").write_text(text)
    assert_told_or_whole(HistorySource(repository.folder), b"one")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["multi-pack-index", "multi-pack-index-*.bitmap", "multi-pack-index-*.rev"])
@pytest.mark.parametrize("seed", range(3))
def test_history_damaged_index_of_packs_hides_nothing(repository, kind, seed):
    contents = []
    for number in range(6):
        contents.append(b"text %d\n" % number)
        repository.commit(**{f"f{number}": contents[-1]})
        repository.git("repack", "-q")
    repository.git("-c", "pack.writeReverseIndex=true", "multi-pack-index", "write", "--bitmap")
    for file in (repository.folder / ".git/objects/pack").glob(kind):
        data = bytearray(file.read_bytes())
        data[random.Random(seed).randrange(len(data))] ^= 0x41
        overwrite(file, data)
    assert_told_or_whole(HistorySource(repository.folder), *contents)
    assert_told_or_whole(CommitsSource(repository.folder, ("HEAD",)), *contents)


def test_history_tag_of_a_tag_of_a_tag_ends(repository):
    """Each is an object that only the next one names: one question to git for each would take minutes."""
    target, kind = repository.commit(a=b"one"), "commit"
    lines = []
    for number in range(1, 2001):
        text = f"object {target}\ntype {kind}\ntag t\ntagger A <a@example.org> {number} +0000\n\nmessage {number}\n"
        lines.append(f"tag {number}")
        target = (
            repository.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode()) if number < 40 else target
        )
        kind = "tag"
    repository.git("update-ref", "refs/tags/deep", target)
    source = HistorySource(repository.folder)
    found, skipped = gather(source)
    assert skipped == []
    (first,) = [name for name, data in found.items() if data.endswith(b"message 1\n")]
    assert source.provenance([first])[first][0].path == "refs/tags/deep"


def test_index_that_is_split_or_sparse_is_read(repository):
    repository.write("in/a", b"one")
    repository.write("out/b", b"two")
    repository.commit()
    repository.git("update-index", "--split-index")
    repository.write("in/c", b"three")
    repository.git("add", "in/c")
    assert by_path(IndexSource(repository.folder)) == {"in/c": b"three"}
    repository.git("sparse-checkout", "init", "--cone", "--sparse-index")
    repository.git("sparse-checkout", "set", "in")
    repository.write("in/d", b"four")
    repository.git("add", "in/d")
    assert not (repository.folder / "out").exists()
    assert by_path(IndexSource(repository.folder)) == {"in/c": b"three", "in/d": b"four"}
    assert b"two" in gather(HistorySource(repository.folder))[0].values()
    assert set(by_path(DirectorySource(repository.folder, ignored=False))) == {"in/a", "in/c", "in/d"}


@pytest.mark.parametrize("damage", [lambda data: data[:20], lambda data: b"", lambda data: b"DIRC" + bytes(40)])
def test_index_that_is_damaged_is_told(repository, damage):
    repository.commit(a=b"one")
    index = repository.folder / ".git/index"
    index.write_bytes(damage(index.read_bytes()))
    repository.write("b", b"two")
    assert_told_or_whole(IndexSource(repository.folder), b"two") if index.stat().st_size else None
    with pytest.raises(SourceError):
        if not index.stat().st_size:
            raise SourceError("an empty index is none: everything is deleted")
        gather(IndexSource(repository.folder))


def test_directory_deeper_than_a_path_may_be_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    top = os.open(tmp_path, os.O_RDONLY)
    folder = top
    for _ in range(30):
        os.mkdir("x" * 200, dir_fd=folder)
        folder = os.open("x" * 200, os.O_RDONLY, dir_fd=folder)
    with os.fdopen(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=folder), "wb") as file:
        file.write(b"two")
    found, skipped = gather(DirectorySource(tmp_path))
    assert b"one" in found.values()
    assert b"two" in found.values() or any(skip.incomplete for skip in skipped)
    subprocess.run(["rm", "-rf", str(tmp_path / ("x" * 200))], check=True)


def test_directory_folder_that_turns_into_a_link_out_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"outside the root")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/secret").write_bytes(b"inside")
    source = DirectorySource(root)
    items = list(source.items())
    (root / "sub").rename(root / "moved")
    (root / "sub").symlink_to(outside)
    assert b"outside the root" not in [blob.data for blob in source.read(items)]
    assert [skip.path for skip in source.skipped()] == ["sub/secret"]


def scan(folder, *arguments, user=""):
    command = [sys.executable, "-m", "hygiene", "scan", *arguments]
    if user:
        command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
    environment = {**os.environ, "HYGIENE_HOME": str(folder.parent / "home")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_scan_of_a_file_of_six_gigabytes_is_whole_and_in_bounded_memory(tmp_path):
    folder = tmp_path / "w"
    folder.mkdir()
    with (folder / "large").open("wb") as file:
        file.seek(6 << 30)
        file.write(f'\ntoken = "{Forge(7).github()}"\n'.encode())
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'hygiene', 'scan', '--jobs', '1'], stdout=subprocess.DEVNULL)\n"
        "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, check=True)
    code, peak = map(int, done.stdout.split())
    assert code == 1
    assert peak < 300 << 10


@pytest.mark.parametrize(
    ("break_", "arguments"),
    [
        (lambda folder: (folder / ".git/packed-refs").write_text("nonsense\n"), ("--history",)),
        (lambda folder: (folder / ".git/index").write_bytes(b"DIRC" + bytes(40)), ("--staged",)),
        (
            lambda folder: (folder / ".git/objects/info/alternates").write_text("/nowhere\n"),
            ("--history", "--jobs", "2"),
        ),
        (lambda folder: (folder / ".git/shallow").mkdir(), ("--history",)),
    ],
)
def test_scan_of_a_broken_repository_never_says_clean_where_it_could_not_look(repository, break_, arguments):
    repository.commit(a=f'token = "{Forge(8).github()}"\n'.encode())
    break_(repository.folder)
    done = scan(repository.folder, *arguments)
    assert done.returncode in (1, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1 or "hygiene: error:" in done.stderr or "INCOMPLETE" in done.stdout
