from __future__ import annotations

import json
from pathlib import Path

import pytest

from hygiene.errors import ProviderError
from hygiene.rotate.jsonapi import JsonApi
from hygiene.rotate.provider import Check, Verdict
from hygiene.rotate.remembered import SECONDS, Remembered

LIVE = Check(Verdict.LIVE, "HTTP 200", "ann", scopes=("repo",))


def test_verdict_is_remembered_for_its_time(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "verdicts.json"
    first = Remembered(path, clock=lambda: 1000.0)
    first.put("v1:a", "declared", LIVE)
    first.put("v1:b", "declared", Check(Verdict.UNKNOWN, "HTTP 429"))
    first.save()
    assert path.stat().st_mode & 0o077 == 0
    later = Remembered(path, clock=lambda: 1000.0 + SECONDS - 1)
    assert later.get("v1:a") == ("declared", LIVE)
    assert later.get("v1:b") is None and later.get("v1:c") is None
    assert Remembered(path, clock=lambda: 1000.0 + SECONDS).get("v1:a") is None
    assert Remembered(path, clock=lambda: 999.0).get("v1:a") is None  # a clock that was set back proves nothing
    assert Remembered(path, seconds=0, clock=lambda: 1000.0).get("v1:a") is None


@pytest.mark.parametrize("text", ["", "[]", '{"v1:a": 1}', '{"v1:a": {"verdict": "live"}}', "\x00"])
def test_broken_cache_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "verdicts.json"
    path.write_text(text)
    assert Remembered(path).get("v1:a") is None


def test_forged_verdict_of_another_kind_is_not_believed(tmp_path: Path) -> None:
    entry = {"time": 1000.0, "provider": "x", "verdict": "unknown", "evidence": "", "identity": "", "scopes": []}
    path = tmp_path / "verdicts.json"
    path.write_text(json.dumps({"v1:a": entry, "v1:b": {**entry, "verdict": "live", "scopes": [1]}}))
    kept = Remembered(path, clock=lambda: 1000.0)
    assert kept.get("v1:a") is None and kept.get("v1:b") is None


def test_clear_http_takes_an_allowance_that_says_so() -> None:
    JsonApi("x", "https://bao.internal:8200", ["bao.internal:8200"])
    JsonApi("x", "http://bao.internal:8200", ["http://bao.internal:8200"])
    with pytest.raises(ProviderError, match="not a host"):
        JsonApi("x", "http://bao.internal:8200", ["bao.internal:8200", "bao.internal"])
