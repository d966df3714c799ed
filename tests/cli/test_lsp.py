"""The language server, driven by a real client over stdio."""

import asyncio
import os
import subprocess
import sys

import pytest
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from tests.e2e.credentials import Forge, spellings

TOKEN = Forge(61).github()
LINE = f'token = "{TOKEN}"\n'
SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "hygiene", "lsp"])


class Editor:
    """An editor with one open file."""

    def __init__(self, client: LanguageClient, uri: str) -> None:
        self.client = client
        self.uri = uri
        self.version = 1

    def open(self, text: str) -> None:
        item = types.TextDocumentItem(self.uri, "python", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, text: str) -> None:
        self.version += 1
        identifier = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [whole]))

    async def diagnostics(self) -> list[types.Diagnostic]:
        """Wait until the server has spoken, and give what it underlines."""
        await asyncio.wait_for(self.client.wait_for_notification("textDocument/publishDiagnostics"), 60)
        found = list(self.client.diagnostics[self.uri])
        assert not any(form.decode() in repr(found) for form in spellings(TOKEN))
        return found

    async def actions(self, line: int) -> tuple[list[types.CodeAction], list[types.Command]]:
        """Give the edits and the commands that the server offers on ``line``."""
        place = types.Range(types.Position(line, 0), types.Position(line, 1))
        params = types.CodeActionParams(types.TextDocumentIdentifier(self.uri), place, types.CodeActionContext([]))
        offered = await self.client.text_document_code_action_async(params) or []
        edits = [action for action in offered if isinstance(action, types.CodeAction)]
        return edits, [action for action in offered if isinstance(action, types.Command)]


def session(tmp_path, monkeypatch, work, name="app.py"):
    """Run ``work(editor)`` with an editor in a new repository."""
    folder = tmp_path / "work"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(folder)

    async def run():
        client = await start()
        await client.initialize_session(
            types.InitializeParams(capabilities=types.ClientCapabilities(), root_uri=folder.as_uri())
        )
        try:
            await work(Editor(client, (folder / name).as_uri()))
        finally:
            await client.shutdown_session()
            await client.stop()

    async def start():
        client = SERVER.client_factory()
        await client.start_io(*SERVER.server_command, env=dict(os.environ))
        return client

    asyncio.run(run())
    return folder


def test_lsp_underlines_what_is_typed_at_its_place_in_utf16(tmp_path, monkeypatch):
    async def work(editor):
        editor.open("x = 1\n")
        assert await editor.diagnostics() == []
        editor.change("x = 1\r\n" + f'"🔑é" ; token = "{TOKEN}"\n')
        (found,) = await editor.diagnostics()
        assert found.source == "hygiene" and found.code == "github-pat-classic"
        start = len('"🔑é" ; token = "'.encode("utf-16-le")) // 2
        assert (found.range.start.line, found.range.start.character) == (1, start)
        assert (found.range.end.line, found.range.end.character) == (1, start + len(TOKEN))
        editor.change("x = 1\n")
        assert await editor.diagnostics() == []

    session(tmp_path, monkeypatch, work)


def test_lsp_allowing_writes_a_mark_that_the_server_honours(tmp_path, monkeypatch):
    async def work(editor):
        editor.open(LINE)
        assert len(await editor.diagnostics()) == 1
        (allow,), _ = await editor.actions(0)
        (edit,) = allow.edit.changes[editor.uri]
        assert edit.range.start.character == len(LINE) - 1
        editor.change(LINE.rstrip("\n") + edit.new_text + "sample\n")
        assert await editor.diagnostics() == []
        editor.change(LINE.rstrip("\n").replace(TOKEN, Forge(62).github()) + edit.new_text + "sample\n")
        assert len(await editor.diagnostics()) == 1

    session(tmp_path, monkeypatch, work)


def test_lsp_migrating_moves_the_value_out_of_the_file(tmp_path, monkeypatch):
    async def work(editor):
        path = tmp_path / "work" / "app.py"
        path.write_text(LINE)
        editor.open(LINE)
        await editor.diagnostics()
        _, (migrate,) = await editor.actions(0)
        params = types.ExecuteCommandParams(migrate.command, migrate.arguments)
        await asyncio.wait_for(editor.client.workspace_execute_command_async(params), 120)
        assert "os.environ" in path.read_text()
        assert TOKEN not in path.read_text()
        assert not any("AGE-SECRET-KEY" in message.message for message in editor.client.messages)

    session(tmp_path, monkeypatch, work)


def test_lsp_broken_configuration_is_told_and_does_not_end_the_server(tmp_path, monkeypatch):
    async def work(editor):
        config = tmp_path / "work" / ".hygiene.toml"
        config.write_text("[scna]\n")
        editor.open(LINE)
        assert await editor.diagnostics() == []
        assert any("scna" in message.message for message in editor.client.log_messages)
        config.write_text("")
        saved = types.TextDocumentIdentifier(config.as_uri())
        editor.client.text_document_did_save(types.DidSaveTextDocumentParams(saved))
        assert len(await editor.diagnostics()) == 1

    session(tmp_path, monkeypatch, work)


@pytest.mark.parametrize("name", ["data.json", "page.html"])
def test_lsp_file_without_line_comments_offers_no_mark(tmp_path, monkeypatch, name):
    async def work(editor):
        editor.open(f'{{"token": "{TOKEN}"}}\n')
        assert len(await editor.diagnostics()) == 1
        edits, commands = await editor.actions(0)
        assert edits == [] and len(commands) == 1

    session(tmp_path, monkeypatch, work, name)
