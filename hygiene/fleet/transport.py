"""Git that may reach other repositories: the one of git.py, opened for what a mirror's own address needs and no more.

Credentials come from the user's own helpers and SSH agent, or from a token of the environment; that goes to git in
its environment, for one host only, and never into an argument, a file or a mirror's configuration.
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from hygiene.errors import SourceError
from hygiene.git import Git

_TOKENS = {"github.com": ("GITHUB_TOKEN", "x-access-token"), "gitlab.com": ("GITLAB_TOKEN", "oauth2")}
_OPENED = re.compile(r"(protocol\.allow|core\.sshCommand|credential\.helper|core\.askPass)=")
_SECRET = re.compile(r"(\w+://)[^/@\s]*@")
SECONDS = 3600.0


class NetworkGit(Git):
    """Git in ``folder`` that may talk to the host of one address."""

    def __init__(self, folder: Path, url: str, token_hosts: dict[str, tuple[str, str]] | None = None) -> None:
        """Talk to ``url``; ``token_hosts``: per host, the variable that holds its token and the user to send it as."""
        super().__init__(folder)
        self.url = url
        self._tokens = {**_TOKENS, **(token_hosts or {})}

    def command(self, *arguments: str) -> list[str]:
        """Build the command line for ``arguments``."""
        words, kept = super().command(*arguments), ["git"]
        settings, rest = words[1 : len(words) - len(arguments)], words[len(words) - len(arguments) :]
        for setting in settings[1::2]:
            if not _OPENED.match(setting):
                kept += ["-c", setting]
        allowed = [part for scheme in self._schemes() for part in ("-c", f"protocol.{scheme}.allow=always")]
        return [*kept, "-c", "protocol.allow=never", *allowed, "-c", "fetch.recurseSubmodules=false", *rest]

    def environment(self) -> dict[str, str]:
        """Build the environment: nobody is asked anything; a token is for the address's host alone."""
        base = super().environment()
        base["GIT_ALLOW_PROTOCOL"] = ":".join(self._schemes())
        base["GIT_SSH_COMMAND"] = f"{os.environ.get('GIT_SSH_COMMAND', 'ssh')} -oBatchMode=yes"
        base.pop("GIT_NO_LAZY_FETCH", None)
        parts = urlsplit(self.url)
        variable, user = self._tokens.get(parts.hostname or "", ("", ""))
        token = os.environ.get(variable, "") if variable else ""
        if token and parts.scheme == "https":
            word = base64.b64encode(f"{user}:{token}".encode()).decode()
            number = int(base.get("GIT_CONFIG_COUNT", "0") or "0")
            base["GIT_CONFIG_COUNT"] = str(number + 1)
            base[f"GIT_CONFIG_KEY_{number}"] = f"http.https://{parts.netloc}/.extraHeader"
            base[f"GIT_CONFIG_VALUE_{number}"] = f"Authorization: Basic {word}"
        return base

    def reach(self, *arguments: str) -> bytes:
        """Run git against the address; raises SourceError, without a credential that the address may hold."""
        try:
            return self.run(*arguments, timeout=SECONDS)
        except SourceError as error:
            raise SourceError(_SECRET.sub(r"\1", error.message), hint=_SECRET.sub(r"\1", error.hint)) from None

    def _schemes(self) -> tuple[str, ...]:
        if "://" in self.url:
            scheme = self.url.partition("://")[0]
            return ("ssh",) if scheme == "git+ssh" else (scheme,)
        return ("file",) if self.url.startswith(("/", ".")) else ("ssh",)
