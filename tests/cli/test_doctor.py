import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def doctor(tmp_path):
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    environment = {**os.environ, "HYGIENE_HOME": str(tmp_path / "home")}

    def run(*arguments, stdin=""):
        command = [sys.executable, "-m", "hygiene", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, input=stdin, capture_output=True, text=True)

    def results():
        done = run("doctor", "--json")
        found = {}
        for result in json.loads(done.stdout):
            found.setdefault(result["check"], []).append(result)
        return done.returncode, found

    results.run, results.folder, results.home = run, folder, tmp_path / "home"
    return results


def test_doctor_new_repository_has_warnings_with_their_fix_and_exits_0(doctor):
    code, found = doctor()
    assert code == 0
    assert found["hooks"][0]["state"] == "warn"
    assert found["hooks"][0]["fix"] == "hygiene install"


def test_doctor_everything_in_place_is_ok(doctor):
    doctor.run("install")
    doctor.run("secret", "put", "shop/x", stdin="a-value-of-some-length")
    (doctor.folder / "secrets.toml").write_text('X = "ref+embedded://shop/x"\n')
    code, found = doctor()
    assert code == 0, found
    assert {r["state"] for results in found.values() for r in results} == {"ok"}


def test_doctor_reference_that_does_not_resolve_is_named_and_exits_5(doctor):
    doctor.run("secret", "put", "shop/x", stdin="a-value-of-some-length")
    (doctor.folder / "secrets.toml").write_text('X = "ref+embedded://shop/x"\nY = "ref+embedded://shop/absent"\n')
    code, found = doctor()
    assert code == 5
    assert "Y" in found["references"][0]["found"]
    assert found["references"][-1]["found"] == "1 of 2 resolve"


def test_doctor_changed_audit_log_exits_6(doctor):
    doctor.run("secret", "put", "shop/x", stdin="a-value-of-some-length")
    log = next((doctor.home / "audit").glob("*.jsonl"))
    log.write_bytes(log.read_bytes().replace(b"shop/x", b"shop/y", 1))
    code, found = doctor()
    assert code == 6
    assert found["audit"][0]["state"] == "fail"


def test_doctor_readable_data_folder_is_a_failure(doctor):
    doctor.run("secret", "put", "shop/x", stdin="a-value-of-some-length")
    doctor.home.chmod(0o755)
    code, found = doctor()
    assert code == 5
    assert found["permissions"][0]["fix"].startswith("chmod")


def test_doctor_broken_config_is_named_and_the_other_checks_go_on(doctor):
    (doctor.folder / ".hygiene.toml").write_text("[scna]\n")
    code, found = doctor()
    assert code == 3
    assert "scna" in found["rules"][0]["found"]
    assert "audit" in found
