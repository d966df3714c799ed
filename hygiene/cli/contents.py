"""What ``hygiene --help`` and the shell's completion list: each command in a few words, by the steps of the loop.

Here, and not only beside the commands, since to import all of them takes longer than to do what most of them do.
"""

from __future__ import annotations

CONTENTS = {
    "Find": {
        "scan": "Find leaked credentials in files, commits, archives.",
        "baseline": "Known findings: create, update, audit, prune, import.",
        "rules": "What is looked for: list, check, explain, import.",
        "verify": "Ask providers which credentials still work.",
    },
    "Store": {
        "secret": "Put, read and look after stored secrets.",
        "run": "Run a program with its secrets in its environment.",
        "render": "Write a file with its references resolved.",
        "access": "Who may read, write and rotate what.",
    },
    "Replace": {
        "migrate": "Move secrets into a store, leave references.",
        "purge": "Prepare a history without the secrets.",
    },
    "Rotate": {
        "rotate": "Issue, store and prove a new value; revoke the old one last.",
        "revoke": "Make a value worthless at once.",
        "respond": "Scan the history and rotate what leaked; for pipelines.",
    },
    "Prove": {
        "audit": "The log of every access, and the story of every exposure.",
    },
    "Many repositories": {
        "fleet": "Scan them, and see who has what to do.",
    },
    "Set up": {
        "init": "Configuration, baseline, hooks and store, proposed.",
        "install": "The git hooks that stop a credential.",
        "doctor": "Check that all of it works; each fault with its fix.",
        "hook": "What git and pre-commit call.",
        "guard": "What a coding assistant calls before it acts.",
        "lsp": "A language server for editors.",
    },
    "Learn": {
        "demo": "Once round the loop, on a repository made on the spot.",
        "explain": "What an exit code means, and what mends it.",
        "completions": "Completion for bash, zsh or fish.",
        "manual": "Man pages, reference pages, the configuration's schema.",
    },
}
