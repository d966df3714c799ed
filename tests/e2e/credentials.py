"""Credentials made on the spot: right in form and checksum, valid nowhere, constant nowhere."""

from __future__ import annotations

import base64
import random
import string
import zlib
from urllib.parse import quote

B62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Forge:
    """Makes credentials from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self, length: int, alphabet: str = B62) -> str:
        return "".join(self._random.choice(alphabet) for _ in range(length))

    def crc62(self, body: str) -> str:
        number, digits = zlib.crc32(body.encode()), ""
        while number:
            number, digit = divmod(number, 62)
            digits = B62[digit] + digits
        return digits.rjust(6, "0")

    def github(self) -> str:
        body = self.text(30)
        return "gh" + "p_" + body + self.crc62(body)

    def npm(self) -> str:
        body = self.text(30)
        return "npm" + "_" + body + self.crc62(body)

    def stripe(self) -> str:
        return "sk_" + "live_" + self.text(24)

    def sendgrid(self) -> str:
        return "SG" + "." + self.text(22) + "." + self.text(43)

    def gitlab(self) -> str:
        return "glpat" + "-" + self.text(20)

    def hugging_face(self) -> str:
        return "hf" + "_" + self.text(34, string.ascii_letters)

    def openai(self) -> str:
        return "sk-" + "proj-" + self.text(74) + "T3Blbk" + "FJ" + self.text(74)

    def anthropic(self) -> str:
        return "sk-" + "ant-api03-" + self.text(93) + "AA"

    def slack(self) -> str:
        digits = string.digits
        return "xox" + "b-" + self.text(12, digits) + "-" + self.text(12, digits) + "-" + self.text(24)

    def digitalocean(self) -> str:
        return "dop_" + "v1_" + self.text(64, "0123456789abcdef")

    def aws_secret(self) -> str:
        return self.text(40, B62 + "+/")

    def password(self) -> str:
        return self.text(9) + self.text(1, "!%*+-") + self.text(10) + self.text(2, string.digits)


def spellings(value: str) -> list[bytes]:
    """Give every form in which ``value`` would be a leak: clear, URL, base64 at three alignments, hex."""
    raw = value.encode()
    forms = [raw, quote(value, safe="").encode(), raw.hex().encode()]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            inner = raw[(3 - shift) % 3 :]
            forms.append(encode(inner[: len(inner) // 3 * 3]))
    return sorted(set(forms))
