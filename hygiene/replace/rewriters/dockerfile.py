"""Dockerfile: nothing that a build writes into an image is safe, so only comments are rewritten."""

from __future__ import annotations

import re

from hygiene.replace.rewriters.protocol import Change, File, Skip, Target
from hygiene.replace.rewriters.rendered import LineFormat

_ADVICE = {
    "ENV": "delete it, and give the variable when the container starts: docker run -e, or compose",
    "ARG": "delete the default, and use a secret mount: RUN --mount=type=secret,id=NAME,env=NAME",
    "RUN": "use a secret mount: RUN --mount=type=secret,id=NAME,env=NAME, and docker build --secret id=NAME,env=NAME",
}


class Dockerfile(LineFormat):
    """Rewrites the comments of a Dockerfile."""

    comment = re.compile(rb"(?m)^[ \t]*#[^\r\n]*")

    def value_change(self, target: Target, file: File, hint: str) -> Change | Skip:
        """Leave the target, and say how its instruction gets the secret."""
        before = file.content[: target.start].decode(errors="replace")
        found = re.findall(r"(?im)^\s*(ENV|ARG|RUN|COPY|CMD|ENTRYPOINT|LABEL|HEALTHCHECK)\b", before)
        instruction = found[-1].upper() if found else ""
        return Skip(
            target,
            "it would stay in the layers of the image; images that were built hold it still",
            _ADVICE.get(instruction, "give it when the container starts, as a variable or a mounted file"),
        )
