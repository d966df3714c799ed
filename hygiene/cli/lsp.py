"""``hygiene lsp``: a language server on stdio that underlines a credential as it is typed, and offers the ways on."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from hygiene import __version__
from hygiene.cli.scanning import Scanning, Wishes, open_scanning
from hygiene.config import FILE_NAME as CONFIG
from hygiene.config import PYPROJECT
from hygiene.detect.baseline import FILE_NAME as BASELINE
from hygiene.detect.scan import scan
from hygiene.detect.sources.memory import MemorySource, Text
from hygiene.errors import ExitCode, HygieneError
from hygiene.finding import Finding
from hygiene.report.terminal import printable

_SOURCE = "hygiene"
_MIGRATE = "hygiene.migrate"
_LARGEST = 4 << 20  # characters of a text that is still scanned at every key
_SEVERITIES = {
    "critical": types.DiagnosticSeverity.Error,
    "high": types.DiagnosticSeverity.Error,
    "medium": types.DiagnosticSeverity.Warning,
    "low": types.DiagnosticSeverity.Information,
}
_LINE = re.compile(r"\r\n|\n|\r")  # as the protocol ends lines
_COMMENTS = {  # by extension: what begins a comment that ends with the line
    "//": ".c .cc .cpp .cs .go .h .java .js .jsx .kt .mjs .php .rs .scala .swift .ts .tsx",
    "--": ".hs .lua .sql",
    ";": ".ini",
}
_NO_COMMENTS = (".json", ".html", ".xml", ".md")


class Server(LanguageServer):
    """The server with what it scans by, one scanning a repository, and the findings of each open text."""

    def __init__(self) -> None:
        """Serve no text yet."""
        super().__init__("hygiene", __version__)
        self._scannings: dict[Path, Scanning] = {}
        self.findings: dict[str, tuple[Finding, ...]] = {}

    def look(self, document: TextDocument) -> None:
        """Scan ``document`` as it stands in the editor, and publish what is new in it."""
        try:
            self.findings[document.uri] = self._scan(document)
        except HygieneError as error:
            self.findings[document.uri] = ()
            hint = f" ({error.hint})" if error.hint else ""
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, f"{error.message}{hint}"))
        found = [_diagnostic(document, finding) for finding in self.findings[document.uri]]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, found, version=document.version)
        )

    def forget(self) -> None:
        """Read configuration and baseline anew at the next look."""
        self._scannings.clear()

    def _scan(self, document: TextDocument) -> tuple[Finding, ...]:
        data = document.source.encode("utf-8", "replace")
        path = path_of(document.uri)
        root = _root(path)
        if len(data) > _LARGEST:
            return ()
        if root not in self._scannings:
            self._scannings[root] = open_scanning(root, root if (root / ".git").exists() else None, Wishes())
        scanning = self._scannings[root]
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        source = MemorySource([Text(document.uri, data, name)])
        return scan(source, scanning.examiner, scanning.accepted, exclude=scanning.config.exclude).new


@click.command("lsp", short_help="A language server for editors, on stdio.")
def command() -> int:
    """Serve an editor: credentials are underlined as they are typed, and code actions allow or migrate them.

    \b
    Neovim:  vim.lsp.start({ name = "hygiene", cmd = { "hygiene", "lsp" }, root_dir = vim.fs.root(0, ".git") })
    Helix:   [language-server.hygiene] command = "hygiene", args = ["lsp"]
    """
    logging.disable()  # what a client sends is text with credentials: no log may repeat it
    make_server().start_io()
    return ExitCode.CLEAN


def make_server() -> Server:
    """Make the server with all that it answers to."""
    server = Server()
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(_opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(_saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)(_actions)
    server.command(_MIGRATE)(_migrate)
    return server


def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.look(server.workspace.get_text_document(params.text_document.uri))


def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    server.look(server.workspace.get_text_document(params.text_document.uri))


def _saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    if path_of(params.text_document.uri).name in (CONFIG, BASELINE, PYPROJECT):
        server.forget()
    for document in list(server.workspace.text_documents.values()):
        server.look(document)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.findings.pop(params.text_document.uri, None)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


def _actions(server: Server, params: types.CodeActionParams) -> list[types.Command | types.CodeAction]:
    document = server.workspace.get_text_document(params.text_document.uri)
    actions: list[types.Command | types.CodeAction] = []
    for finding in server.findings.get(document.uri, ()):
        diagnostic = _diagnostic(document, finding)
        if (
            diagnostic.range.start.line <= params.range.end.line
            and params.range.start.line <= diagnostic.range.end.line
        ):
            actions.append(_migration(document))
            if allow := _allowance(document, finding, diagnostic):
                actions.append(allow)
    return actions


def _migration(document: TextDocument) -> types.Command:
    # A bare command, which the protocol allows: lsprotocol's clients take an action with a command for one anyway.
    title = "hygiene: move it into a store, leave a reference"
    return types.Command(title, _MIGRATE, arguments=[document.uri])


def _allowance(document: TextDocument, finding: Finding, diagnostic: types.Diagnostic) -> types.CodeAction | None:
    """Write the mark beside the line; None where the format has no comment that ends with the line."""
    comment = comment_of(path_of(document.uri))
    if not comment:
        return None
    line = diagnostic.range.end.line
    text = _LINE.split(document.source)[line]
    end = types.Position(line, document.position_codec.client_num_units(text))
    mark = f"  {comment} hygiene: allow {finding.rule} {finding.fingerprint[:15]} reason="
    edit = types.WorkspaceEdit(changes={document.uri: [types.TextEdit(types.Range(end, end), mark)]})
    title = "hygiene: allow this value here (write the reason)"
    return types.CodeAction(title, types.CodeActionKind.QuickFix, diagnostics=[diagnostic], edit=edit)


def _migrate(server: Server, uri: str) -> None:
    """Run migrate on the file as it was saved; the editor sees the file change."""
    path = path_of(uri)
    command = [sys.executable, "-P", "-m", "hygiene", "migrate", "--apply", "--allow-dirty", str(path)]
    done = subprocess.run(command, cwd=path.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    fine = done.returncode == ExitCode.CLEAN
    # A new store's recovery key stands on stderr: it is no message for an editor's log.
    told = done.stdout.strip() if fine else done.stderr.strip().partition("\n")[0]
    kind = types.MessageType.Info if fine else types.MessageType.Error
    server.window_show_message(types.ShowMessageParams(kind, told or f"hygiene migrate ended with {done.returncode}"))


def _diagnostic(document: TextDocument, finding: Finding) -> types.Diagnostic:
    data = document.source.encode("utf-8", "replace")
    return types.Diagnostic(
        types.Range(_position(document, data[: finding.start]), _position(document, data[: finding.end])),
        printable(f"{finding.description}: {finding.secret.redacted()}"),
        severity=_SEVERITIES[finding.severity],
        code=finding.rule,
        source=_SOURCE,
    )


def _position(document: TextDocument, before: bytes) -> types.Position:
    lines = _LINE.split(before.decode("utf-8", "replace"))
    return types.Position(len(lines) - 1, document.position_codec.client_num_units(lines[-1]))


def comment_of(path: Path) -> str:
    """Give what begins a comment in a file like ``path``; "" where none ends with the line."""
    if path.suffix in _NO_COMMENTS:
        return ""
    return next((mark for mark, suffixes in _COMMENTS.items() if path.suffix in suffixes.split()), "#")


def path_of(uri: str) -> Path:
    """Give the file that ``uri`` names; a text that was never saved has only a name."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path.cwd() / (parts.path.lstrip("/") or "untitled")


def _root(path: Path) -> Path:
    return next((folder for folder in path.parents if (folder / ".git").exists()), path.parent)
