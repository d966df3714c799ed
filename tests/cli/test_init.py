"""``hygiene init`` on real repositories: what is missing is proposed, done when asked for, and not asked for again."""

import os
import subprocess
import sys

import pytest

from tests.e2e.credentials import Forge


@pytest.fixture
def init(tmp_path):
    folder = tmp_path / "shop"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_", "AWS_", "GIT_"))
    }
    environment = kept | {"HYGIENE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}

    def run(*arguments, **own):
        command = [sys.executable, "-m", "hygiene", *arguments]
        return subprocess.run(command, cwd=folder, env=environment | own, capture_output=True, text=True)

    run.folder = folder
    return run


def test_init_without_a_terminal_proposes_and_changes_nothing(init):
    (init.folder / "app.py").write_text(f'token = "{Forge(3).github()}"\n')
    done = init("init")
    assert done.returncode == 0, done.stderr
    for words in ("write .hygiene.toml", "accept 1 known finding", "GitHub", "migrate --apply", "install the hooks"):
        assert words in done.stdout
    assert "nothing was changed" in done.stderr
    assert Forge(3).github() not in done.stdout + done.stderr
    assert sorted(path.name for path in init.folder.iterdir()) == [".git", "app.py"]


def test_init_yes_does_it_all_and_then_nothing_is_missing(init):
    (init.folder / "vendor").mkdir()
    (init.folder / "vendor/x.py").write_text(f'token = "{Forge(4).github()}"\n')
    (init.folder / "app.py").write_text(f'token = "{Forge(3).github()}"\n')
    done = init("init", "--yes")
    assert done.returncode == 0, done.stderr
    assert "3 of 3 steps" in done.stderr
    assert 'exclude = ["vendor/**"]' in (init.folder / ".hygiene.toml").read_text()
    assert init("scan").returncode == 0
    assert "was there when hygiene came" in (init.folder / ".hygiene.baseline.json").read_text()
    assert (init.folder / ".git/hooks/pre-push").exists()
    again = init("init", "--yes")
    assert again.stdout == "" and "nothing is missing" in again.stderr


def test_init_store_of_the_surroundings_is_proposed(init):
    assert init("init", "--yes", VAULT_ADDR="http://127.0.0.1:1").returncode == 0
    assert 'uri = "vault://secret/shop"' in (init.folder / ".hygiene.toml").read_text()
    assert init("scan").returncode == 0


def test_init_outside_of_a_repository_says_so(tmp_path):
    done = subprocess.run([sys.executable, "-m", "hygiene", "init"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4 and "git init" in done.stderr
