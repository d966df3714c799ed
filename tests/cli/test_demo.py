import os
import re
import subprocess
import sys


def test_demo_goes_once_round_the_loop_and_touches_nothing_of_the_user(tmp_path):
    environment = {**os.environ, "HYGIENE_HOME": str(tmp_path / "mine"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "hygiene", "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for word in ("scan --history", "migrate --apply", "the shop answers 200", "rotated", "CLOSED", "entries verify"):
        assert word in done.stdout
    assert len(done.stdout.splitlines()) < 80
    assert not re.search(r"shop_[0-9A-Za-z]{32}", done.stdout + done.stderr)
    assert list(tmp_path.iterdir()) == []
