"""Rules, values and a source for tests of detection: every value is made on the spot."""

import random
import string
from collections.abc import Iterator, Sequence

from hygiene.detect.match import Pattern
from hygiene.detect.sources.protocol import Blob, Item
from hygiene.finding import Provenance, Skipped

TOKEN = Pattern(
    id="sample-token",
    description="Sample token",
    severity="critical",
    confidence="high",
    pattern=rb"(?:^|[^A-Za-z0-9_])(tkn_[A-Za-z0-9]{24})(?:[^A-Za-z0-9_]|$)",
    width=30,
    keywords=(b"tkn_",),
    priority=50,
    family="sample",
)
PASSWORD = Pattern(
    id="sample-password",
    description="Sample password",
    severity="medium",
    confidence="medium",
    pattern=rb"(?i)passw(?:or)?d[ ]{0,3}[=:][ ]{0,3}[\"']?([^\s\"']{6,64})",
    width=90,
    keywords=(b"passwd", b"password"),
    priority=10,
    family="password",
)
CHECKED = Pattern(
    id="sample-checked",
    description="Sample with a checksum",
    severity="high",
    confidence="medium",
    pattern=rb"chk-[0-9]{11}",
    width=15,
    keywords=(b"chk-",),
    checksum="digit-sum",
    family="checked",
)
PATTERNS = (TOKEN, PASSWORD, CHECKED)


def check(secret):
    return sum(map(int, secret[4:].decode())) % 10 == 0


def token(seed: int) -> bytes:
    """Make a sample token."""
    choice = random.Random(seed).choice
    return b"tkn" + b"_" + "".join(choice(string.ascii_letters + string.digits) for _ in range(24)).encode()


class ListSource:
    """A source over bytes in memory."""

    commits = 0

    def __init__(self, blobs: dict[str, bytes]) -> None:
        self.blobs = blobs

    def items(self) -> Iterator[Item]:
        for path, data in self.blobs.items():
            yield Item(f"path:{path}", len(data), path)

    def read(self, items: Sequence[Item]) -> Iterator[Blob]:
        for item in items:
            yield Blob(item.id, self.blobs[item.path], item.path)

    def provenance(self, ids):
        return {name: (Provenance("file", name.removeprefix("path:")),) for name in ids}

    def skipped(self) -> Sequence[Skipped]:
        return ()
