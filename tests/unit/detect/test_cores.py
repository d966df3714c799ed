"""How many processes a scan starts: what the system lets it use, not what the machine has."""

import os
import subprocess
import sys

import pytest

from hygiene.detect.workers import usable_cores

HERE = len(os.sched_getaffinity(0))


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))

    def make(mine, **limits):
        (tmp_path / "mine").write_text(mine)
        for place, text in limits.items():
            file = tmp_path / "groups" / place.replace("__", "/").replace("cpu_", "cpu.")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return usable_cores(tmp_path / "groups", tmp_path / "mine")

    return make


@pytest.mark.parametrize(
    ("text", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 16), ("", 16)]
)
def test_cores_of_a_container_are_its_quota_rounded_up(groups, text, cores):
    assert groups("0::/\n", cpu_max=text) == cores


def test_cores_of_a_service_are_the_least_quota_above_it(groups):
    limits = {"a__b__cpu_max": "400000 100000", "a__cpu_max": "300000 100000", "c__cpu_max": "100000 100000"}
    assert groups("0::/a/b\n", **limits) == 3


def test_cores_of_version_one_are_found(groups):
    limits = {"cpu,cpuacct__x__cpu_cfs_quota_us": "500000\n", "cpu,cpuacct__x__cpu_cfs_period_us": "100000\n"}
    assert groups("4:cpu,cpuacct:/x\n3:memory:/y\n", **limits) == 5
    assert groups("nonsense\n", cpu__cpu_cfs_quota_us="-1\n", cpu__cpu_cfs_period_us="100000\n") == 16


def test_cores_are_never_more_than_the_affinity():
    code = "from hygiene.detect.workers import usable_cores; print(usable_cores())"
    one = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", one, sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"1"
    assert usable_cores() <= HERE
