"""The forty probes that an expert would run first: each a test with its number, on real repositories and hooks."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.credentials import spellings
from tests.hooks.conftest import BIN, CHECKOUT, Repository, environment, framework, secret

__all__ = ["environment"]  # the fixture of the hook tests

TOKEN = secret("probe")
LINE = f'token = "{TOKEN}"\n'


class Project(Repository):
    """A repository whose hooks are ours, and the commands that a person types in it."""

    def hygiene(self, *arguments, code=None, **options):
        """Run hygiene; the value must not stand in what it says."""
        done = subprocess.run(
            [BIN / "hygiene", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=100,
            **options,
        )
        said = done.stdout + done.stderr
        assert b"Traceback" not in said and b"internal error" not in said, said.decode("utf-8", "replace")
        assert not any(form in said for form in spellings(TOKEN)), said
        assert code in (None, done.returncode), said.decode("utf-8", "replace")
        return done

    def save(self, *paths, message="unchecked"):
        """Commit without the hooks, as someone who skips them; gives the commit."""
        self.git("add", *(paths or ("-A",)))
        self.git("commit", "-qnm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD").stdout.decode().strip()

    def push(self, *arguments):
        done = self.git("push", "-q", "origin", *arguments, ok=False)
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")

    def with_remote(self, base: Path):
        """Give it a remote that has its first commit."""
        self.git("init", "-q", "--bare", str(base / "remote.git"))
        self.git("remote", "add", "origin", str(base / "remote.git"))
        self.write("README", "text\n")
        self.save()
        assert self.push("main")[0] == 0
        return self


def stopped(outcome, *words):
    """Say that a commit or push was stopped by us, with ``words``, and without the value."""
    code, said = outcome
    assert code != 0, said
    assert "stopped" in said
    assert not any(form.decode() in said for form in spellings(TOKEN))
    for word in words:
        assert word in said, said
    return said


def make(folder, environment):
    project = Project(folder, environment)
    project.folder.mkdir(parents=True)
    project.git("init", "-q", "-b", "main")
    return project


@pytest.fixture
def environment_of_probes(environment, tmp_path):
    return environment | {"HYGIENE_HOME": str(tmp_path / "data")}


@pytest.fixture
def project(tmp_path, environment_of_probes):
    """A repository with our hooks as plain git hooks."""
    project = make(tmp_path / "work", environment_of_probes)
    project.git("config", "core.hooksPath", str(CHECKOUT / "hooks"))
    return project


@pytest.fixture
def bare_project(tmp_path, environment_of_probes):
    """A repository without hooks."""
    return make(tmp_path / "work", environment_of_probes)


@pytest.fixture(params=["git", "pre-commit", "prek"])
def any_project(request, project):
    """A repository with our hooks, by each way to set them up."""
    return project if request.param == "git" else framework(request.param, project)


@pytest.fixture
def pushing(project, tmp_path):
    return project.with_remote(tmp_path)
