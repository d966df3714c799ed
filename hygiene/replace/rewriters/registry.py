"""The rewriters, each imported only when a file of its kind is rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatch
from functools import lru_cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

from hygiene.replace.rewriters.protocol import Rewriter

_ROOM = "hygiene.replace.rewriters."

# By file name first (globs over the name, or over the path where they hold a slash), then by extension.
_NAMES = (
    (".env", "dotenv:Dotenv"),
    (".env.*", "dotenv:Dotenv"),
    ("*.env", "dotenv:Dotenv"),
    (".envrc", "shell:Shell"),
    (".bashrc", "shell:Shell"),
    (".bash_profile", "shell:Shell"),
    (".profile", "shell:Shell"),
    (".zshrc", "shell:Shell"),
    ("PKGBUILD", "shell:Shell"),
    ("Dockerfile", "dockerfile:Dockerfile"),
    ("Dockerfile.*", "dockerfile:Dockerfile"),
    ("Containerfile", "dockerfile:Dockerfile"),
    (".npmrc", "lines:Npmrc"),
    (".netrc", "lines:Netrc"),
    ("_netrc", "lines:Netrc"),
    (".pypirc", "lines:Pypirc"),
    ("pip.conf", "lines:PipConf"),
    ("pip.ini", "lines:PipConf"),
    ("requirements*.txt", "lines:Requirements"),
    ("id_rsa", "prose:KeyFile"),
    ("id_ed25519", "prose:KeyFile"),
    ("id_ecdsa", "prose:KeyFile"),
    ("README", "prose:Prose"),
    ("Pipfile", "toml:Toml"),
    (".gitconfig", "lines:Lines"),
    ("credentials", "lines:Lines"),
    ("Rakefile", "ruby:Ruby"),
    ("Gemfile", "ruby:Ruby"),
    ("Vagrantfile", "ruby:Ruby"),
    ("Capfile", "ruby:Ruby"),
    ("Fastfile", "ruby:Ruby"),
)
_EXTENSIONS = {
    "python:Python": "py pyw pyi pxd pyx wsgi",
    "javascript:JavaScript": "js mjs cjs jsx",
    "javascript:TypeScript": "ts mts cts",
    "javascript:Tsx": "tsx",
    "shell:Shell": "sh bash zsh ksh bats",
    "yaml:Yaml": "yml yaml",
    "go:Go": "go",
    "java:Java": "java",
    "kotlin:Kotlin": "kt kts",
    "csharp:CSharp": "cs",
    "ruby:Ruby": "rb rake gemspec ru",
    "php:Php": "php phtml inc",
    "rust:Rust": "rs",
    "scala:Scala": "scala sc sbt",
    "powershell:PowerShell": "ps1 psm1 psd1",
    "json:Json": "json jsonc json5 tfstate webmanifest",
    "notebook:Notebook": "ipynb",
    "toml:Toml": "toml",
    "xml:Xml": "xml plist config csproj props targets xsd wsdl",
    "lines:Lines": "ini cfg conf cnf rsp ldif desktop service",
    "lines:Properties": "properties",
    "lines:Page": "html htm xhtml vue svelte",
    "hcl:Hcl": "tf hcl tfvars",
    "sql:Sql": "sql",
    "prose:Prose": "md markdown rst txt adoc asciidoc text",
    "prose:KeyFile": "pem key p8 ppk asc",
    "dockerfile:Dockerfile": "dockerfile",
}
_BY_EXTENSION = {ext: plugin for plugin, extensions in _EXTENSIONS.items() for ext in extensions.split()}
_INTERPRETERS = (
    (re.compile(rb"\bpython[0-9.]*\b"), "python:Python"),
    (re.compile(rb"\b(?:node|nodejs|bun)\b"), "javascript:JavaScript"),
    (re.compile(rb"\bruby\b"), "ruby:Ruby"),
    (re.compile(rb"\bphp\b"), "php:Php"),
    (re.compile(rb"\bpwsh\b"), "powershell:PowerShell"),
    (re.compile(rb"\b(?:ba|z|k|da|a)?sh\b"), "shell:Shell"),
)
_ASSIGNMENT = re.compile(rb"\s*(?:export\s+)?[\w.\-]+\s*[=:]|\s*\[[^\]]+\]\s*\Z")
_MOSTLY = 0.6
_TEMPLATE_ENDINGS = (".example", ".sample", ".dist", ".template", ".tmpl", ".orig", ".bak", ".default")


def find_rewriter(path: str, content: bytes) -> Rewriter | None:
    """Give the rewriter for the file at ``path`` (forward slashes), or None where there is none."""
    plugin = _plugin_of(PurePosixPath(path)) or _plugin_of_shebang(content)
    if plugin == "xml:Xml" and not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        plugin = "lines:Lines"  # .config is an ending of both
    if not plugin and _reads_as_lines(path, content):
        plugin = "lines:Lines"
    return _load(plugin) if plugin else None


def _reads_as_lines(path: str, content: bytes) -> bool:
    """Say whether a file without a telling name holds mostly lines of the form ``key = value``."""
    if PurePosixPath(path).suffix.lower() not in ("", *_TEMPLATE_ENDINGS):
        return False
    lines = [
        line for line in content[:20_000].splitlines() if line.strip() and not line.lstrip().startswith((b"#", b";"))
    ]
    assigned = sum(_ASSIGNMENT.match(line) is not None for line in lines)
    return bool(lines) and assigned > len(lines) * _MOSTLY


def _plugin_of(path: PurePosixPath) -> str:
    for pattern, plugin in _NAMES:
        if fnmatch(str(path) if "/" in pattern else path.name, pattern):
            return plugin
    suffix = path.suffix.lower()
    if suffix in _TEMPLATE_ENDINGS and path.stem:
        return _plugin_of(path.with_suffix(""))
    return _BY_EXTENSION.get(suffix.removeprefix("."), "")


def _plugin_of_shebang(content: bytes) -> str:
    first = content[:200].partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return ""
    return next((plugin for pattern, plugin in _INTERPRETERS if pattern.search(first)), "")


@lru_cache
def _load(plugin: str) -> Rewriter:
    module, _, name = plugin.partition(":")
    return cast(Callable[[], Rewriter], getattr(import_module(_ROOM + module), name))()
