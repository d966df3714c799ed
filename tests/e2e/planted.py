"""A repository with a long history of real code, and twenty credentials planted in five commits."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import NamedTuple

from tests.e2e.credentials import Forge

COMMITS = 500


class Planted(NamedTuple):
    """One credential and where it stands."""

    value: str
    path: str
    line: int
    variable: str
    author: str
    date: str


PYTHON = '''\
"""Settings of the shop."""

from __future__ import annotations

import hashlib

GITHUB_TOKEN = "{0}"
DB_PASSWORD = '{1}'


class Mail:
    sendgrid_api_key = "{2}"


def clients():
    return {{"stripe": "{3}", "timeout": 3}}


if __name__ == "__main__":
    values = [GITHUB_TOKEN, DB_PASSWORD, Mail.sendgrid_api_key, clients()["stripe"]]
    print(hashlib.sha256("\\n".join(values).encode()).hexdigest())
'''
JAVASCRIPT = """\
'use strict';
const crypto = require('crypto');

const npmToken = '{0}';
const config = {{
  openaiApiKey: "{1}",
  retries: 3,
  slack: {{ token: '{2}' }},
}};

function connect(password = '{3}') {{
  return password;
}}

const values = [npmToken, config.openaiApiKey, config.slack.token, connect()];
console.log(crypto.createHash('sha256').update(values.join('\\n')).digest('hex'));
"""
SHELL = """\
#!/bin/bash
set -eu

export GITLAB_TOKEN="{0}"
AWS_SECRET_ACCESS_KEY={1}
HF_TOKEN='{2}'
readonly ADMIN_PASSWORD="{3}"

printf '%s\\n%s\\n%s\\n%s' "$GITLAB_TOKEN" "$AWS_SECRET_ACCESS_KEY" "$HF_TOKEN" "$ADMIN_PASSWORD" |
    sha256sum | cut -d" " -f1
"""
DOTENV = """\
# local settings
DEBUG=true
ANTHROPIC_API_KEY={0}
DIGITALOCEAN_TOKEN="{1}"
REDIS_PASSWORD='{2}'
export SESSION_SECRET={3}
PORT=8080
"""
YAML = """\
# the worker's settings
worker:
  threads: 4
  github_token: {0}
  database:
    host: db.internal.shop
    password: "{1}"
  stripe_secret_key: '{2}'
  smtp:
    user: mailer
    password: {3}  # rotated by hand
"""


def plant(folder: Path, seed: int = 20) -> list[Planted]:
    """Make the repository in ``folder``; gives what was planted."""
    forge = Forge(seed)
    files = [
        ("app/settings.py", PYTHON, [forge.github(), forge.password(), forge.sendgrid(), forge.stripe()]),
        ("web/config.js", JAVASCRIPT, [forge.npm(), forge.openai(), forge.slack(), forge.password()]),
        ("deploy.sh", SHELL, [forge.gitlab(), forge.aws_secret(), forge.hugging_face(), forge.password()]),
        (".env", DOTENV, [forge.anthropic(), forge.digitalocean(), forge.password(), forge.text(40)]),
        ("config/app.yaml", YAML, [forge.github(), forge.password(), forge.stripe(), forge.password()]),
    ]
    if not (folder / ".git").exists():
        _real_history(folder)
    planted = []
    for number, (path, template, values) in enumerate(files):
        author, date = f"Planter {number}", f"2025-03-0{number + 1}T12:00:00+01:00"
        _commit(folder, path, template.format(*values), author, date)
        planted += [Planted(v, path, _line(template, values, v), "", author, date) for v in values]
    return planted


def git(folder: Path, *arguments: str, **environment: str) -> str:
    """Run git as a user would."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, env={**os.environ, **environment}
    )
    return done.stdout.decode()


def _line(template: str, values: list[str], value: str) -> int:
    text = template.format(*values)
    return text[: text.index(value)].count("\n") + 1


def _commit(folder: Path, path: str, text: str, author: str, date: str) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    if text.startswith("#!"):
        target.chmod(0o755)
    git(folder, "add", "-f", path)
    identity = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": "p@example.com", "GIT_AUTHOR_DATE": date}
    git(folder, "commit", "-qm", f"Add {path}", **identity)


def _real_history(folder: Path) -> None:
    """Commit the standard library's modules one by one, as real code with a real length of history."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for key, value in {"user.name": "Shop", "user.email": "shop@example.com", "gc.auto": "0"}.items():
        git(folder, "config", key, value)
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:100]
    stream = []
    for number in range(COMMITS):
        source = modules[number % len(modules)]
        lines = source.read_bytes().splitlines(keepends=True)
        content = b"".join(lines[: max(1, len(lines) * (number // len(modules) + 1) // 5)])
        message = f"Extend {source.name}".encode()
        stream.append(
            b"commit refs/heads/main\ncommitter Shop <shop@example.com> %d +0000\ndata %d\n%s\n"
            b"M 100644 inline lib/%s\ndata %d\n%s\n"
            % (1_600_000_000 + number * 60, len(message), message, source.name.encode(), len(content), content)
        )
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet"], input=b"".join(stream), check=True)
    git(folder, "reset", "-q", "--hard")
