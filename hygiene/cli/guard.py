"""``hygiene guard``: keeps secrets out of what a coding assistant is told, and out of what it writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hygiene.cli.assistants import answer, replaced, texts_of
from hygiene.cli.guardglance import LARGEST, received
from hygiene.cli.scanning import Wishes, open_scanning
from hygiene.detect.glance.prepare import prepare, store_values, use_values
from hygiene.detect.scan import scan
from hygiene.detect.sources.memory import MemorySource, Text
from hygiene.errors import ExitCode, HygieneError, UsageError
from hygiene.finding import Finding
from hygiene.places import cache_folder
from hygiene.report.terminal import printable

HELP = """\
Usage: hygiene guard < MESSAGE

  Reads a tool call or a prompt of a coding assistant as JSON, and answers as JSON whether it may go on.

  A message with a credential in it is denied, with the place and the kind but not the value. For an assistant
  whose hooks are known (hook_event_name), the answer has that assistant's form; any other message is answered
  {"decision": "allow"}, or {"decision": "deny", "reason": …, "redacted": the message without its values}.
  A tool that is about to read a file is denied when the file holds a credential. No network, no state.

  As a hook of Claude Code, in .claude/settings.json:
    {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "hygiene guard"}]}],
               "UserPromptSubmit": [{"hooks": [{"type": "command", "command": "hygiene guard"}]}]}}
  As a hook of Cursor, in .cursor/hooks.json:
    {"version": 1, "hooks": {"beforeSubmitPrompt": [{"command": "hygiene guard"}],
                             "beforeShellExecution": [{"command": "hygiene guard"}]}}
"""


def run(arguments: list[str]) -> int:
    """Answer the message on standard input; the exit code is 0 for any answer."""
    if arguments[1:] in (["-h"], ["--help"]):
        sys.stdout.write(HELP)
        return ExitCode.CLEAN
    if len(arguments) > 1:
        raise UsageError("hygiene guard takes no arguments", hint="hygiene guard --help")
    message = _read_message()
    json.dump(_answer(message), sys.stdout)
    sys.stdout.write("\n")
    return ExitCode.CLEAN


def _answer(message: Any) -> dict[str, Any]:
    try:
        texts = [Text(*part) for part in texts_of(message)]
        findings = _findings(texts)
    except HygieneError as error:
        # An assistant takes an exit code other than 2 for leave to go on.
        return answer(message, f"hygiene could not check this: {error.message}", None)
    return answer(message, _reason(findings), replaced(message, _redactions(texts, findings)))


def _read_message() -> Any:
    raw = received.pop() if received else sys.stdin.buffer.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise UsageError(f"the message is longer than {LARGEST >> 20} MiB")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        # Exit 2 stops the assistant: what can't be read can't be let through.
        raise UsageError("the message on standard input is not JSON") from error


def _findings(texts: Iterable[Text]) -> tuple[Finding, ...]:
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    scanning = open_scanning(here, root, Wishes())
    if root == here:  # the next clean message is answered at a glance
        prepare(cache_folder(), here, scanning.used, scanning.examiner.least)
    use_values(cache_folder())
    new = scan(MemorySource(texts), scanning.examiner, scanning.accepted).new
    store_values(cache_folder())
    return new


def _redactions(texts: Iterable[Text], findings: Iterable[Finding]) -> dict[str, str]:
    """Give each text that holds a value without it."""
    data = {text.name: text.data for text in texts}
    for finding in sorted(findings, key=lambda one: one.start, reverse=True):
        text = data[finding.blob]
        data[finding.blob] = text[: finding.start] + b"[%s redacted]" % finding.rule.encode() + text[finding.end :]
    touched = {finding.blob for finding in findings}
    return {name: data[name].decode("utf-8", "replace") for name in touched}


def _reason(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return ""
    kinds = "; ".join(dict.fromkeys(f"{one.description} in {printable(one.path or 'the text')}" for one in findings))
    return (
        f"hygiene stopped this: it holds a credential ({kinds}). Use a reference to a stored secret instead: "
        "hygiene secret put NAME stores one, hygiene run -- CMD gives it to a program."
    )
