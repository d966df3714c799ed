"""pre-receive on a real bare repository, reached by file:// and by ssh to this machine."""

import getpass
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hooks.conftest import BIN, secret
from tests.servers.process import accepts, free_port, running

TOKEN = secret("received")
LINE = f'token = "{TOKEN}"\n'
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@pytest.fixture
def bare(plain, tmp_path):
    """A bare repository with the hook, and a clone without hooks whose first commit it has."""
    remote = tmp_path / "remote.git"
    plain.git("init", "-q", "--bare", "-b", "main", str(remote))
    hook = remote / "hooks" / "pre-receive"
    cache = plain.environment["HYGIENE_CACHE"]
    hook.write_text(f"#!/bin/sh\nHYGIENE_CACHE={cache} exec {BIN}/hygiene hook pre-receive\n")
    hook.chmod(0o755)
    plain.git("config", "--unset", "core.hooksPath")
    save(plain, "README", "text\n")
    return plain, remote


@pytest.fixture(params=["file", "ssh"])
def served(request, bare, tmp_path):
    repository, remote = bare
    if request.param == "file":
        repository.git("remote", "add", "origin", f"file://{remote}")
        yield repository
        return
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("not installed: openssh-server and openssh-client")
    with sshd(tmp_path) as (port, key):
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o LogLevel=ERROR"
        repository.environment["GIT_SSH_COMMAND"] = f"ssh -F /dev/null -i {key} {options}"
        repository.git("remote", "add", "origin", f"ssh://{getpass.getuser()}@127.0.0.1:{port}{remote}")
        yield repository


@contextmanager
def sshd(folder):
    """Run an ssh server of our own, which lets one key in; gives its port and that key."""
    port = free_port()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with running([SSHD, "-D", "-e", "-f", str(config)], log=folder / "sshd.log", ready=accepts(port)):
        yield port, folder / "user"


def save(repository, path, text):
    repository.write(path, text)
    repository.git("add", "-A")
    repository.git("commit", "-qnm", f"change {path}")


def push(repository, *refs):
    done = repository.git("push", "-q", "origin", *refs, ok=False)
    said = (done.stdout + done.stderr).decode()
    assert TOKEN not in said
    return done.returncode, said


def test_receive_refuses_middle_commit_tag_message_and_new_branch_and_lets_others_pass(served):
    assert push(served, "main") == (0, "")
    save(served, "app.py", LINE)
    save(served, "app.py", "")
    save(served, "other.py", "x = 1\n")
    code, said = push(served, "main")
    assert code != 0 and "app.py:1:10" in said and "taken out by" in said
    served.git("tag", "-am", f"release with {TOKEN}", "v1", "origin/main")
    code, said = push(served, "v1")
    assert code != 0 and "push stopped" in said
    served.git("checkout", "-q", "-b", "topic", "origin/main")
    save(served, "app.py", LINE)
    code, said = push(served, "topic")
    assert code != 0 and "app.py:1:10" in said
    served.git("checkout", "-q", "-b", "fine", "origin/main")
    save(served, "more.py", "y = 2\n")
    served.git("tag", "-am", "release", "v2", "fine")
    assert push(served, "fine", "v2") == (0, "")
    assert push(served, "--delete", "fine") == (0, "")
    left = served.git("ls-remote", "origin").stdout.decode().split()
    assert {name for name in left if name.startswith("refs/")} == {"refs/heads/main", "refs/tags/v2", "refs/tags/v2^{}"}


@pytest.mark.slow
def test_receive_of_ten_thousand_commits_finds_the_one_in_the_middle(bare):
    repository, remote = bare
    repository.git("remote", "add", "origin", f"file://{remote}")
    assert push(repository, "main")[0] == 0
    stream = [b"reset refs/heads/main\nfrom refs/heads/main^0\n\n"]
    for number in range(10_000):
        text = (LINE if number == 5_000 else f"value = {number}\n").encode()
        stream.append(
            b"commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 1\nx" % (1_700_000_000 + number)
            + b"\nM 100644 inline file%d.py\ndata %d\n%s\n" % (number % 500, len(text), text)
        )
    repository.git("fast-import", "--quiet", "--force", input=b"".join(stream))
    code, said = push(repository, "main")
    assert code != 0
    assert "1 credential found" in said and "file0.py:1:10" in said
