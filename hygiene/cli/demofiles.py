"""The repository of ``hygiene demo``: a small shop with credentials in it, made on the spot."""

from __future__ import annotations

import os
import secrets
import shutil
import string
import subprocess
from pathlib import Path

_CONFIG = """\
[rules]
folders = ["security/rules"]       # a rule of our own, for the shop's tokens

[providers.shop]
hosts = ["http://{address}"]   # rotation may talk to this host
"""
_RULE = """\
[provider]
id = "shop"
name = "Shop"
docs = "https://shop.example/docs/tokens"

[[rules]]
id = "shop-token"
description = "Shop API token"
severity = "high"
confidence = "high"
impact = "Orders in the shop's name."
keywords = ["shop_"]
pattern = '''shop_[0-9A-Za-z]{{32}}'''
positive = ["TOKEN=shop_{{b62:32}}", '"token": "shop_{{b62:32}}"', "token: shop_{{b62:32}}"]
negative = ["TOKEN=shop_{{b62:20}}", "TOKEN=shop_{{fill:x:32}}", "my_shop_window"]

[rules.verify]
request = "GET http://{address}/me"
headers = {{ Authorization = "Bearer {{secret}}" }}
live = [200]
dead = [401]

[rules.rotate]
request = "POST http://{address}/token"
headers = {{ Authorization = "Bearer {{secret}}" }}
done = [200]
value = "/token"

[rules.revoke]
request = "DELETE http://{address}/token"
headers = {{ Authorization = "Bearer {{secret}}" }}
done = [204]
"""
_APP = """\
\"\"\"Greets the shop.\"\"\"

import urllib.request

API_TOKEN = "{token}"

request = urllib.request.Request("http://{address}/me", headers={{"Authorization": "Bearer " + API_TOKEN}})
print("the shop answers", urllib.request.urlopen(request).status)
"""
_DEPLOY = """\
#!/bin/sh
set -eu
SHOP_TOKEN="{token}"
echo "deploying with a token of ${{#SHOP_TOKEN}} characters"
"""
_DOTENV = """\
DEBUG=true
DB_PASSWORD={password}
"""


def write_shop(folder: Path, address: str, token: str) -> None:
    """Write the shop into ``folder`` and commit it there, with ``token`` in two files and a password in a third."""
    password = "".join(secrets.choice(string.ascii_letters + string.digits + "%+*!-") for _ in range(22)) + "7q"
    values = {"address": address, "token": token, "password": password}
    files = {
        ".hygiene.toml": _CONFIG,
        "security/rules/shop.toml": _RULE,
        "app.py": _APP,
        "deploy.sh": _DEPLOY,
        ".env": _DOTENV,
    }
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.format(**values))
    (folder / "deploy.sh").chmod(0o755)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Demo")
    git(folder, "config", "user.email", "demo@example.invalid")
    commit(folder, "Open the shop")


def commit(folder: Path, message: str) -> None:
    """Commit everything in ``folder``."""
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", message)


def git(folder: Path, *arguments: str) -> None:
    """Run git in ``folder``, without the user's own hooks and settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([shutil.which("git") or "git", *arguments], cwd=folder, env={**environment, **quiet}, check=True)
