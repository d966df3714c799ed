"""The hooks of coding assistants: which texts of an event to look at, and how each assistant wants its answer.

Two families are known by the names of their events: PascalCase (``PreToolUse``, ``UserPromptSubmit``,
``PostToolUse``: Claude Code, Codex and others that follow it) and camelCase (``beforeShellExecution``,
``beforeSubmitPrompt``: Cursor). Any other message gets a plain answer.

A glance at a message (``guardglance``) uses this, so nothing is imported that Python has not loaded by itself.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Part = tuple[str, bytes, str]  # name, text, path of the file that it is for

_PATH_KEYS = ("file_path", "path", "notebook_path", "filePath")
_CONTENT_KEYS = frozenset({"content", "new_string", "old_string", "new_source", "edits", "text"})
_READING_TOOLS = frozenset({"Read", "NotebookRead", "read_file", "view"})
_NOT_SENT = frozenset({"session_id", "transcript_path", "cwd", "hook_event_name", "tool_use_id", "workspace_roots",
                       "conversation_id", "generation_id"})  # fmt: skip
_LARGEST_FILE = 4 << 20  # bytes of a file that an assistant is about to read


def texts_of(message: "Any") -> "list[Part]":
    """Give the texts in ``message``, each named by its JSON pointer (RFC 6901), and the file that it would read.

    Beside name and text stands the path of the file that the text is for, empty for none.
    """
    texts = list(_strings(message, "", _path_in(message)))
    file = _file_read_by(message)
    return [*texts, file] if file else texts


def replaced(message: "Any", texts: "Mapping[str, str]", pointer: str = "") -> "Any":
    """Give ``message`` with each text whose pointer is in ``texts`` replaced."""
    if isinstance(message, str):
        return texts.get(pointer, message)
    if isinstance(message, dict):
        return {key: replaced(value, texts, _below(pointer, key)) for key, value in message.items()}
    if isinstance(message, list):
        return [replaced(value, texts, f"{pointer}/{index}") for index, value in enumerate(message)]
    return message


def answer(message: "Any", reason: str, redacted: "Any") -> "dict[str, Any]":
    """Give what the assistant that sent ``message`` expects; ``reason`` is empty where all may go on."""
    event = message.get("hook_event_name", "") if isinstance(message, dict) else ""
    if not isinstance(event, str) or not event:
        decision = "deny" if reason else "allow"
        return {"decision": decision, **({"reason": reason, "redacted": redacted} if reason else {})}
    if event[0].isupper():
        return _answer_pascal(event, reason)
    return _answer_camel(event, reason)


def _answer_pascal(event: str, reason: str) -> "dict[str, Any]":
    if not reason:
        return {}
    if event == "PreToolUse":
        decision = {"permissionDecision": "deny", "permissionDecisionReason": reason}
        return {"hookSpecificOutput": {"hookEventName": event, **decision}}
    return {"decision": "block", "reason": reason}


def _answer_camel(event: str, reason: str) -> "dict[str, Any]":
    if event == "beforeSubmitPrompt":
        return {"continue": not reason, **({"user_message": reason} if reason else {})}
    if not reason:
        return {"permission": "allow"}
    return {"permission": "deny", "user_message": reason, "agent_message": reason}


def _strings(value: "Any", pointer: str, path: str) -> "Iterator[Part]":
    if isinstance(value, str):
        yield pointer, value.encode("utf-8", "surrogatepass"), path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not (pointer == "" and key in _NOT_SENT):
                yield from _strings(inner, _below(pointer, key), path if pointer or key in _CONTENT_KEYS else "")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, f"{pointer}/{index}", path)


def _below(pointer: str, key: str) -> str:
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def _path_in(message: "Any") -> str:
    if not isinstance(message, dict):
        return ""
    inner = message.get("tool_input")
    for holder in (inner if isinstance(inner, dict) else {}, message):
        for key in _PATH_KEYS:
            if isinstance(holder.get(key), str):
                return str(holder[key])
    return ""


def _file_read_by(message: "Any") -> "Part | None":
    """Give the file that a reading tool is about to show the model."""
    if not isinstance(message, dict) or message.get("tool_name") not in _READING_TOOLS:
        return None
    if message.get("hook_event_name") not in ("PreToolUse", "preToolUse", None):
        return None
    path = os.path.join(str(message.get("cwd") or "."), _path_in(message))
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as stream:
            return f"file:{path}", stream.read(_LARGEST_FILE), path
    except (OSError, ValueError):
        return None
