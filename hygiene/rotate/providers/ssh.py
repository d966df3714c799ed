"""SSH private keys whose public halves stand in an ``authorized_keys`` file that we can write.

The new public key is put beside the old one with the same options, so both log in until the old line goes.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygiene.errors import ProviderError
from hygiene.fileio import locked, write_atomic
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.secret import Secret


class SshProvider:
    """Key pairs for logins."""

    name = "ssh"
    abilities = Abilities(overlap=True, self_service=False, idempotent_issue=True, propagation=0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; label: authorized_keys (a path)."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Make an Ed25519 key in OpenSSH's format."""
        _public_half(current)
        key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        return Secret(key)

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Write the new public key into a line like the old one's."""
        if prepared is None:
            raise ProviderError("an SSH key is made by the client")
        old, new = _public_half(current), _public_half(prepared)
        with locked(self._lock):
            lines = self._lines()
            if any(new in line for line in lines):
                return prepared
            model = next((line for line in lines if old in line), old)
            self._write([*lines, model.replace(old, new, 1)])
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Look whether the public half may log in."""
        try:
            public = _public_half(secret)
            found = any(public in line and not line.lstrip().startswith("#") for line in self._lines())
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        where = "stands" if found else "does not stand"
        return Check(Verdict.LIVE if found else Verdict.DEAD, f"the key {where} in {self._path.name}")

    def revoke(self, old: Secret, current: Secret) -> None:
        """Take the old key's lines out."""
        self.kill(old)

    def kill(self, secret: Secret) -> None:
        """Take the key's lines out."""
        public = _public_half(secret)
        with locked(self._lock):
            lines = self._lines()
            kept = [line for line in lines if public not in line]
            if kept != lines:
                self._write(kept)

    @property
    def _path(self) -> Path:
        path = self._target.labels.get("authorized_keys", "")
        if not path:
            raise ProviderError(
                "it is not known where the key may log in", hint="set the label authorized_keys to the file's path"
            )
        return Path(path).expanduser()

    @property
    def _lock(self) -> Path:
        return self._path.with_name(f".{self._path.name}.hygiene-lock")

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            raise ProviderError(f"there is no file {self._path}") from None
        except OSError as error:
            raise ProviderError(f"cannot read {self._path}: {error.strerror}") from None

    def _write(self, lines: list[str]) -> None:
        write_atomic(self._path, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def _public_half(secret: Secret) -> str:
    """Give type and key as they stand in a line, such as ``ssh-ed25519 AAAA…``."""
    try:
        key = serialization.load_ssh_private_key(secret.reveal(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        try:
            key = serialization.load_pem_private_key(secret.reveal(), None)  # type: ignore[assignment]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ProviderError("the stored value is not a private key without a passphrase") from None
    try:
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, AttributeError, UnsupportedAlgorithm):
        raise ProviderError("the stored key is of a kind that SSH does not use") from None
    return public.decode()
