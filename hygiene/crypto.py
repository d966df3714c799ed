"""Identities, encryption, signatures and sealed values.

Encryption is age (pyrage), so that the ``age`` program opens what we write; signatures are Ed25519; every
further key is derived from an identity's private bytes by HKDF-SHA-256 with a purpose of its own.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hmac
import os
import re
import stat
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pyrage
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hygiene.errors import IdentityError
from hygiene.fileio import PRIVATE_FILE, create_exclusive, make_private_folder
from hygiene.places import home_folder
from hygiene.secret import Secret

IDENTITY_FILE = "identity"
_AGE_KEY = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+")
_SIGN_PREFIX = "sign="
_SEALED_PREFIX = "sealed:"
_KEYRING = "keyring:"


class Member(NamedTuple):
    """The public half of an identity: what others need to encrypt to it and to check its signatures.

    Its text form is ``age1… sign=BASE64``, or an SSH public key (``ssh-ed25519 …``, whose key also signs).
    Without ``sign=`` an age or RSA member can read but not write.
    """

    recipient: str
    verify_key: bytes  # 32 bytes of Ed25519, or empty

    def __str__(self) -> str:
        if not self.verify_key or self.recipient.startswith("ssh-ed25519"):
            return self.recipient
        return f"{self.recipient} {_SIGN_PREFIX}{base64.b64encode(self.verify_key).decode()}"


class Identity:
    """A private key that opens records, signs them, and yields derived keys."""

    def __init__(self, opener: pyrage.x25519.Identity | pyrage.ssh.Identity, root: bytes, member: Member) -> None:
        """Use :func:`generate_identity`, :func:`parse_identity` or :func:`find_identity`."""
        self._opener = opener
        self._root = root
        self.member = member

    def decrypt(self, ciphertext: bytes) -> Secret:
        """Open an age file; raises :class:`IdentityError` when it was not encrypted to this identity."""
        try:
            return Secret(bytes(pyrage.decrypt(ciphertext, [self._opener])))
        except pyrage.DecryptError as error:
            raise IdentityError(
                "this identity does not open the record",
                hint="an owner can let you in: hygiene access plan, then hygiene access apply",
            ) from error

    def sign(self, message: bytes) -> bytes:
        """Sign ``message`` (Ed25519, RFC 8032); 64 bytes."""
        return self._signer().sign(message)

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Derive ``length`` bytes for ``purpose`` (HKDF-SHA-256, RFC 5869)."""
        return derive(self._root, purpose, length)

    def mac(self, purpose: str, message: bytes) -> bytes:
        """Compute HMAC-SHA-256 of ``message`` under the key for ``purpose``; only this identity can."""
        return hmac.digest(self.derive(purpose), message, "sha256")

    def _signer(self) -> Ed25519PrivateKey:
        if self.member.recipient.startswith("ssh-ed25519"):
            return Ed25519PrivateKey.from_private_bytes(self._root)
        return Ed25519PrivateKey.from_private_bytes(self.derive("sign"))

    def __repr__(self) -> str:
        return f"Identity({self.member.recipient[:24]}…)"


def derive(root: bytes, purpose: str, length: int = 32) -> bytes:
    """Derive ``length`` bytes from the secret ``root`` for ``purpose`` (HKDF-SHA-256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"hygiene/1/" + purpose.encode()).derive(root)


def generate_identity() -> tuple[Identity, str]:
    """Make an X25519 identity; gives it and its key in age's text form."""
    key = str(pyrage.x25519.Identity.generate())
    return _age_identity(key), key


def parse_identity(text: bytes, *, passphrase: Callable[[], str] | None = None) -> Identity:
    """Read an age identity file or an OpenSSH private key (Ed25519, RSA).

    ``passphrase`` is asked for when the SSH key is protected. Raises :class:`IdentityError`.
    """
    if b"PRIVATE KEY-----" in text:
        return _ssh_identity(text, passphrase)
    found = _AGE_KEY.search(text.decode("ascii", "replace"))
    if found is None:
        raise IdentityError("no age key and no OpenSSH private key in the identity")
    return _age_identity(found.group())


def find_identity(*, create: bool = False, passphrase: Callable[[], str] | None = None) -> Identity:
    """Find the user's identity: ``HYGIENE_IDENTITY_KEY``, the file ``HYGIENE_IDENTITY``, or the default file.

    ``HYGIENE_IDENTITY=keyring:`` (or ``keyring:NAME``) means the operating system's keyring. ``create`` makes the
    default file (0600) or the keyring's entry where there is none. Raises :class:`IdentityError`.
    """
    key = os.environ.get("HYGIENE_IDENTITY_KEY")
    if key:
        return parse_identity(key.encode(), passphrase=passphrase)
    override = os.environ.get("HYGIENE_IDENTITY")
    if override and override.startswith(_KEYRING):
        return _kept_identity(override.removeprefix(_KEYRING) or IDENTITY_FILE, create)
    path = Path(override) if override else home_folder() / IDENTITY_FILE
    if create and not override and not path.exists():
        _write_identity(path)
    return read_identity(path, passphrase=passphrase)


def _kept_identity(name: str, create: bool) -> Identity:
    try:
        # The keyring's own library is optional, and slow to import.
        keychain = import_module("hygiene.keychain")
    except ModuleNotFoundError as error:
        hint = "pip install 'secret-hygiene[keyring]'"
        raise IdentityError("the system's keyring needs the Python package keyring", hint=hint) from error
    key: Secret | None = keychain.read_key(name)
    if key is not None:
        return parse_identity(key.reveal())
    if not create:
        raise IdentityError(
            f"the system's keyring holds no identity {name!r}",
            hint="the first secret put makes one; or use the recovery key: HYGIENE_IDENTITY_KEY=AGE-SECRET-KEY-1…",
        )
    identity, text = generate_identity()
    keychain.keep_key(name, Secret.from_text(text))
    return identity


def ask_passphrase() -> str:
    """Ask for the passphrase of an SSH key on the terminal; raises :class:`IdentityError` where there is none."""
    if not sys.stdin.isatty():
        raise IdentityError("the SSH key needs its passphrase, and there is no terminal to ask on")
    return getpass.getpass("Passphrase of the SSH key: ")


def read_identity(path: Path, *, passphrase: Callable[[], str] | None = None) -> Identity:
    """Read the identity at ``path``; raises :class:`IdentityError` for a missing, broken or exposed one."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(1 << 16)
    except OSError as error:
        raise IdentityError(
            f"cannot read the identity {path}: {error.strerror}",
            hint="restore it from your backup, or use the recovery key: HYGIENE_IDENTITY_KEY=AGE-SECRET-KEY-1…",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise IdentityError(f"others may read the identity {path}", hint=f"chmod 600 {path}")
    try:
        return parse_identity(text, passphrase=passphrase)
    except IdentityError as error:
        raise IdentityError(f"{path}: {error.message}", hint=error.hint) from error


@lru_cache(1024)  # the same members are asked about at each access
def parse_member(text: str) -> Member:
    """Read the text form of a member; raises :class:`IdentityError` that names what is wrong."""
    words = text.split()
    if not words:
        raise IdentityError("an empty member")
    if words[0].startswith("ssh-"):
        return _ssh_member(text, words)
    if len(words) > 2 or not words[0].startswith("age1"):
        raise IdentityError(f"not a member: {text[:60]!r}", hint="use age1… sign=…, or an SSH public key")
    member = Member(words[0], _parse_verify_key(words[1]) if len(words) == 2 else b"")
    _recipient(member.recipient)
    return member


def encrypt(secret: Secret, recipients: Sequence[str]) -> bytes:
    """Encrypt to every one of ``recipients`` (age1… or SSH public keys) in the binary age format."""
    return bytes(pyrage.encrypt(secret.reveal(), [_recipient(recipient) for recipient in recipients]))


def verify(verify_key: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether ``signature`` is one of ``message`` by the Ed25519 key ``verify_key``."""
    try:
        Ed25519PublicKey.from_public_bytes(verify_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def seal(identity: Identity, secret: Secret) -> str:
    """Encrypt ``secret`` to ``identity`` itself, as one line of text for a journal."""
    return _SEALED_PREFIX + base64.b64encode(encrypt(secret, [identity.member.recipient])).decode()


def unseal(identity: Identity, sealed: str) -> Secret:
    """Open what :func:`seal` made; raises :class:`IdentityError` for anything else."""
    try:
        ciphertext = base64.b64decode(sealed.removeprefix(_SEALED_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise IdentityError("not a sealed value") from error
    return identity.decrypt(ciphertext)


def _age_identity(key: str) -> Identity:
    try:
        opener = pyrage.x25519.Identity.from_str(key)
    except pyrage.IdentityError:
        # The library's words may quote the key.
        raise IdentityError("the age key is damaged") from None
    root = str(opener).encode()
    signer = Ed25519PrivateKey.from_private_bytes(derive(root, "sign"))
    return Identity(opener, root, Member(str(opener.to_public()), signer.public_key().public_bytes_raw()))


def _ssh_identity(text: bytes, passphrase: Callable[[], str] | None) -> Identity:
    try:
        key = _load_ssh(text, passphrase)
        plain = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        opener = pyrage.ssh.Identity.from_buffer(plain)
    except (ValueError, UnsupportedAlgorithm, pyrage.IdentityError) as error:
        raise IdentityError(
            f"cannot use the SSH key: {type(error).__name__}", hint="is the passphrase right?"
        ) from None
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    if isinstance(key, Ed25519PrivateKey):
        return Identity(opener, key.private_bytes_raw(), Member(public, key.public_key().public_bytes_raw()))
    root = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = Ed25519PrivateKey.from_private_bytes(derive(root, "sign"))
    return Identity(opener, root, Member(public, signer.public_key().public_bytes_raw()))


def _load_ssh(text: bytes, passphrase: Callable[[], str] | None) -> Ed25519PrivateKey | RSAPrivateKey:
    try:
        key = serialization.load_ssh_private_key(text, None)
    except (TypeError, ValueError) as error:
        if passphrase is None or "assword" not in str(error):
            raise IdentityError("the SSH key needs its passphrase, or is damaged", hint="run on a terminal") from None
        key = serialization.load_ssh_private_key(text, passphrase().encode())
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey):
        raise IdentityError("only Ed25519 and RSA keys of SSH can open records")
    return key


def _ssh_member(text: str, words: list[str]) -> Member:
    if len(words) < 2:
        raise IdentityError(f"not an SSH public key: {text[:60]!r}")
    recipient = " ".join(words[:2])
    _recipient(recipient)
    if words[0] == "ssh-ed25519":
        return Member(recipient, base64.b64decode(words[1])[-32:])
    sign = next((word for word in words[2:] if word.startswith(_SIGN_PREFIX)), "")
    return Member(recipient, _parse_verify_key(sign) if sign else b"")


def _parse_verify_key(word: str) -> bytes:
    try:
        key = base64.b64decode(word.removeprefix(_SIGN_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32 or not word.startswith(_SIGN_PREFIX):
        raise IdentityError("a member's sign= is not the base64 of 32 bytes")
    return key


def _recipient(text: str) -> pyrage.x25519.Recipient | pyrage.ssh.Recipient:
    try:
        if text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text)
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise IdentityError(f"not a recipient: {text[:60]!r}") from error


def _write_identity(path: Path) -> None:
    identity, key = generate_identity()
    make_private_folder(path.parent)
    # When two first runs race, the loser reads the winner's file.
    create_exclusive(path, f"# public: {identity.member}\n{key}\n".encode(), mode=PRIVATE_FILE)
