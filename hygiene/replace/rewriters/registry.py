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
_TEMPLATE_ENDINGS = (".example", ".sample", ".dist", ".template", ".tmpl", ".orig", ".bak", ".default")


def find_rewriter(path: str, content: bytes) -> Rewriter | None:
    """Give the rewriter for the file at ``path`` (forward slashes), or None where there is none."""
    plugin = _plugin_of(PurePosixPath(path)) or _plugin_of_shebang(content)
    return _load(plugin) if plugin else None


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
