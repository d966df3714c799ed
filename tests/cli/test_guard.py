import json
import os
import subprocess
import sys

import pytest

from tests.e2e.credentials import Forge, spellings

TOKEN = Forge(31).github()


@pytest.fixture
def guard(tmp_path):
    environment = {**os.environ, "HYGIENE_HOME": str(tmp_path / "home")}

    def ask(message, *, raw=None):
        stdin = json.dumps(message).encode() if raw is None else raw
        done = subprocess.run(
            [sys.executable, "-m", "hygiene", "guard"], cwd=tmp_path, env=environment, input=stdin, capture_output=True
        )
        assert not any(form in done.stdout + done.stderr for form in spellings(TOKEN))
        return done.returncode, json.loads(done.stdout or b"null"), done.stderr.decode()

    ask.folder = tmp_path
    return ask


def test_guard_clean_messages_may_go_on(guard):
    assert guard({"prompt": "write a test"})[:2] == (0, {"decision": "allow"})
    assert guard({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}})[1] == {}
    assert guard({"hook_event_name": "beforeShellExecution", "command": "ls"})[1] == {"permission": "allow"}
    assert guard({"hook_event_name": "beforeSubmitPrompt", "prompt": "hi"})[1] == {"continue": True}


def test_guard_message_of_unknown_kind_is_denied_and_given_back_without_the_value(guard):
    message = {"text": f"use {TOKEN} and go", "other": ["fine", {"deep/er~": f"x={TOKEN}"}], "n": 3}
    code, answer, _ = guard(message)
    assert code == 0
    assert answer["decision"] == "deny"
    assert answer["redacted"]["text"] == "use [github-pat-classic redacted] and go"
    assert answer["redacted"]["other"] == ["fine", {"deep/er~": "x=[github-pat-classic redacted]"}]
    assert answer["redacted"]["n"] == 3


@pytest.mark.parametrize(
    ("message", "decision"),
    [
        (
            {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": f"x {TOKEN}"}},
            lambda a: a["hookSpecificOutput"]["permissionDecision"],
        ),
        (
            {"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": {"file_path": "a", "content": TOKEN}},
            lambda a: a["hookSpecificOutput"]["permissionDecision"],
        ),
        ({"hook_event_name": "UserPromptSubmit", "prompt": TOKEN}, lambda a: a["decision"]),
        ({"hook_event_name": "PostToolUse", "tool_response": {"stdout": TOKEN}}, lambda a: a["decision"]),
        ({"hook_event_name": "beforeShellExecution", "command": TOKEN}, lambda a: a["permission"]),
        ({"hook_event_name": "beforeSubmitPrompt", "prompt": TOKEN}, lambda a: {False: "deny"}[a["continue"]]),
    ],
)
def test_guard_known_assistant_is_answered_in_its_own_form(guard, message, decision):
    code, answer, _ = guard(message)
    assert code == 0
    assert decision(answer) in ("deny", "block")


def test_guard_reading_a_file_with_a_credential_is_denied(guard):
    (guard.folder / "settings.py").write_text(f'TOKEN = "{TOKEN}"\n')
    (guard.folder / "clean.py").write_text("x = 1\n")
    message = {"hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"file_path": "settings.py"}}
    assert guard(message)[1]["hookSpecificOutput"]["permissionDecision"] == "deny"
    message["tool_input"]["file_path"] = "clean.py"
    assert guard(message)[1] == {}
    message["tool_input"]["file_path"] = "absent.py"
    assert guard(message)[1] == {}


@pytest.mark.parametrize("raw", [b"", b"not json", b"{" * 100_000, b"\xff\xfe"])
def test_guard_what_is_not_json_stops_the_assistant(guard, raw):
    code, answer, error = guard(None, raw=raw)
    assert code == 2
    assert answer is None
    assert "JSON" in error


def test_guard_broken_configuration_denies_and_says_why(guard):
    (guard.folder / ".hygiene.toml").write_text("[scna]\n")
    code, answer, _ = guard({"prompt": "hi"})
    assert (code, answer["decision"]) == (0, "deny")
    assert "scna" in answer["reason"]


@pytest.mark.parametrize("message", [None, 3, "text", [], [TOKEN], {"a": None}, {"hook_event_name": 4}])
def test_guard_any_json_is_answered(guard, message):
    code, answer, _ = guard(message)
    assert code == 0
    assert answer["decision"] == ("deny" if message == [TOKEN] else "allow")


def test_guard_answers_the_same_at_a_glance(guard):
    (guard.folder / "clean.py").write_text("x = 1\n")
    (guard.folder / "settings.py").write_text(f'TOKEN = "{TOKEN}"\n')
    spelt = json.dumps({"prompt": TOKEN}).replace(TOKEN[:4], "".join(f"\\u{ord(letter):04x}" for letter in TOKEN[:4]))

    def reading(path):
        return {"hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"file_path": path}}

    messages = [
        *({"prompt": "write a test"}, {"hook_event_name": "beforeShellExecution", "command": "ls"}, None, 3, "é\ud800"),
        *({"hook_event_name": "beforeSubmitPrompt", "prompt": "hi"}, reading("clean.py"), reading("settings.py")),
        *({"prompt": TOKEN}, [{"a": [TOKEN]}], {"prompt": "x" * (1 << 21)}, {"hook_event_name": "PostToolUse"}),
    ]
    raws = [*(json.dumps(message).encode() for message in messages), spelt.encode(), b" {} x", b"NaN", b"[" * 9999]
    looked = [guard(None, raw=raw) for raw in raws]
    (guard.folder / ".git").mkdir()  # a glance is for a repository, whose rules an ordinary run has left ready
    guard({"prompt": "hi"})
    assert [guard(None, raw=raw) for raw in raws] == looked
    assert looked[messages.index({"prompt": TOKEN})][1]["decision"] == "deny"
    assert looked[len(messages)][1]["decision"] == "deny"
