"""How long an editor and a coding assistant wait: the language server after a key, and guard for a tool call.

Run: python bench/speed/editor.py. Beside guard, in the same run, stands what starting Python alone takes.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lsprotocol import types
from pytest_lsp import ClientServerConfig
from race import HYGIENE

KEYS = 60
CALLS = 15
LINES = 400  # of the file that is typed in


def told(name, seconds):
    ordered = sorted(seconds)
    worst = ordered[int(len(ordered) * 0.95)]
    print(f"{name:34} median {statistics.median(ordered) * 1000:6.1f} ms   95% {worst * 1000:6.1f} ms")


async def typing(folder):
    client = ClientServerConfig(server_command=[HYGIENE, "lsp"]).client_factory()
    await client.start_io(HYGIENE, "lsp", env=dict(os.environ))
    await client.initialize_session(types.InitializeParams(types.ClientCapabilities(), root_uri=folder.as_uri()))
    uri = (folder / "app.py").as_uri()
    text = "".join(f"value_{number} = compute({number}, timeout=30)\n" for number in range(LINES))
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 0, text)))
    await client.wait_for_notification("textDocument/publishDiagnostics")
    waits = []
    for key in range(KEYS):
        text += "x"
        start = time.perf_counter()
        change = types.TextDocumentContentChangeWholeDocument(text)
        identifier = types.VersionedTextDocumentIdentifier(key + 1, uri)
        client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        await client.wait_for_notification("textDocument/publishDiagnostics")
        waits.append(time.perf_counter() - start)
    await client.shutdown_session()
    return waits


def calls(folder, command, message):
    waits = []
    for _ in range(CALLS):
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, input=message, stdout=subprocess.DEVNULL, check=True)
        waits.append(time.perf_counter() - start)
    return waits[1:]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", name], check=True)
        told(f"lsp: a key in {LINES} lines", asyncio.run(typing(folder)))
        tool = {"command": "pytest -q tests && git status"}
        message = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": tool}
        told("guard: a tool call", calls(folder, [HYGIENE, "guard"], json.dumps(message).encode()))
        told("python -c pass", calls(folder, [sys.executable, "-c", "pass"], b""))


if __name__ == "__main__":
    main()
