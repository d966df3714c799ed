"""New values by policy: random text, passphrases, key pairs. All randomness is the operating system's."""

from __future__ import annotations

import secrets
import string
from math import log2
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from hygiene.errors import UsageError
from hygiene.secret import Secret

ALPHABETS = {
    "alphanumeric": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "url": string.ascii_letters + string.digits + "-_",
    "printable": string.ascii_letters + string.digits + "!#%&()*+,-./:;<=>?@[]^_{|}~",  # no quote, $, ` or \\
}
KEY_KINDS = ("ed25519", "rsa")
_LEAST_BITS = 60
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"
_SYLLABLES = 2  # a word: two consonant-vowel pairs and a final consonant, about 16.6 bits
_WORD_BITS = (_SYLLABLES + 1) * log2(len(_CONSONANTS)) + _SYLLABLES * log2(len(_VOWELS))


class KeyPair(NamedTuple):
    """A private key (OpenSSH form) and its public line."""

    private: Secret
    public: str


def generate_text(length: int, alphabet: str) -> Secret:
    """Make ``length`` characters out of ``alphabet`` (a name in ALPHABETS); UsageError below 60 bits."""
    letters = ALPHABETS[alphabet]
    _check_bits(length * log2(len(letters)), f"{length} characters of {alphabet}")
    return Secret("".join(secrets.choice(letters) for _ in range(length)).encode())


def generate_passphrase(words: int) -> Secret:
    """Make ``words`` pronounceable words joined by ``-``; UsageError below 60 bits."""
    _check_bits(words * _WORD_BITS, f"{words} words")
    return Secret("-".join(_word() for _ in range(words)).encode())


def generate_key_pair(kind: str, comment: str) -> KeyPair:
    """Make an Ed25519 or RSA (3072 bits) key pair."""
    key: Ed25519PrivateKey | RSAPrivateKey
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65_537, 3072)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(Secret(private), f"{public.decode()} {comment}")


def _word() -> str:
    pairs = "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES))
    return pairs + secrets.choice(_CONSONANTS)


def _check_bits(bits: float, what: str) -> None:
    if bits < _LEAST_BITS:
        raise UsageError(
            f"{what} hold {bits:.0f} bits, which can be guessed", hint=f"ask for at least {_LEAST_BITS} bits"
        )
