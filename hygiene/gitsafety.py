"""What keeps git from running a scanned repository's programs: settings and variables for each call.

A scanned repository is hostile input. Its configuration may name programs (fsmonitor, hooks, external diff,
textconv, filters, pagers, signature checkers, credential helpers); none of the calls here lets git start one. Nor may
it hide history: replace refs, grafts and a forged commit graph are not followed.
"""

import os

SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.untrackedCache=false",
    "core.alternateRefsCommand=",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.commitGraph=false",
    "core.bigFileThreshold=64m",  # larger objects are streamed, not held in memory
    "core.packedGitWindowSize=1m",  # packs are mapped piece by piece, and what was mapped is given back:
    "core.packedGitLimit=64m",  # else a listing of a large repository holds all of its packs
    "core.deltaBaseCacheLimit=32m",
    "core.askPass=true",
    "core.sshCommand=false",
    "core.gitProxy=",
    "log.showSignature=false",
    "gpg.program=false",
    "diff.external=",
    "diff.noprefix=false",
    "diff.orderFile=/dev/null",
    "protocol.allow=never",
    "credential.helper=",
)
ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_ASKPASS": "true",
    "LC_ALL": "C",
}


def command(*arguments: str) -> list[str]:
    """Build the command line of git for ``arguments``."""
    return ["git", *(part for setting in SETTINGS for part in ("-c", setting)), *arguments]


def environment() -> dict[str, str]:
    """Build the environment that git runs in; GIT_DIR, GIT_INDEX_FILE and the quarantine are kept."""
    return {**os.environ, **ENVIRONMENT}
