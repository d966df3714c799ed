import json
import subprocess
import sys
from pathlib import Path

import pytest

OWN = """
[provider]
id = "shop"
name = "Our shop"
verify = { steps = "Call it." }
rotate = { steps = "Make another." }
revoke = { steps = "Delete it." }
[[rules]]
id = "shop-key"
description = "Key of our shop"
severity = "high"
confidence = "high"
impact = "Reads orders."
keywords = ["shopkey_"]
pattern = '''shopkey_[0-9a-f]{32}'''
positive = ["K=shopkey_{hex:32}", '"k": "shopkey_{hex:32}"', "k: shopkey_{hex:32}"]
negative = ["K=shopkey_{hex:20}", "K=xshopkey_{hex:32}", "K=shopkey_{fill:0:32}"]
"""


def rules(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hygiene", "rules", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)


def test_rules_list_json_names_built_in_and_own_rules(tmp_path: Path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "shop.toml").write_text(OWN)
    (tmp_path / ".hygiene.toml").write_text('[rules]\nfolders = ["own"]\n')
    done = rules("list", "--json", cwd=tmp_path)
    names = {rule["id"] for rule in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"shop-key", "github-pat-classic"} <= names
    assert len(names) >= 400


def test_rules_explain_says_what_to_do_and_suggests_for_a_wrong_name(tmp_path: Path):
    done = rules("explain", "github-pat-classic", cwd=tmp_path)
    assert done.returncode == 0
    assert all(
        word in done.stdout for word in ("Holder:", "Is it live?", "POST https://api.github.com/credentials/revoke")
    )
    wrong = rules("explain", "github-pat-clasic", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "github-pat-classic" in wrong.stderr


@pytest.mark.slow
def test_rules_check_own_folder_passes_and_a_broken_one_exits_3(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(OWN)
    assert rules("check", ".", cwd=tmp_path).returncode == 0
    (tmp_path / "shop.toml").write_text(OWN.replace("K=shopkey_{hex:20}", "K=shopkey_{hex:32}"))
    done = rules("check", ".", cwd=tmp_path)
    assert done.returncode == 3
    assert "shop-key: speaks in" in done.stderr
