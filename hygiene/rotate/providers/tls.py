"""TLS keys whose certificates a local authority signs: a new pair, and the old one in the revocation list.

The admin credential is the authority: its key and certificate, as PEM in one text. We make key and certificate before
anything changes, so a lost one is never valid anywhere; old and new are both accepted until the list names the old one.
The new certificate has the old one's subject, names, uses and lifetime.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from hygiene.errors import ProviderError
from hygiene.fileio import locked, write_atomic
from hygiene.rotate.certificates import Pair, names_of, next_list, pair_from_secret, renewed, secret_from_pair
from hygiene.rotate.provider import Abilities, Check, Target, Verdict
from hygiene.secret import Secret

_MODE = 0o644


class TlsProvider:
    """Keys with a certificate of one local authority."""

    name = "tls"
    abilities = Abilities(overlap=True, self_service=False, idempotent_issue=True, propagation=1.0)

    def __init__(self, target: Target) -> None:
        """Rotate for ``target``; label: crl, the file of the revocation list (PEM)."""
        self._target = target

    def prepare(self, current: Secret) -> Secret | None:
        """Make a key of the same kind, and let the authority sign its request."""
        return secret_from_pair(renewed(pair_from_secret(current), self._authority()))

    def issue(self, current: Secret, prepared: Secret | None) -> Secret:
        """Give what was prepared: a certificate is valid once it is signed, unless the list names it."""
        if prepared is None:
            raise ProviderError("a key is made by the client")
        if pair_from_secret(prepared).certificate.serial_number in self._listed(self._authority()):
            raise ProviderError("the new certificate was revoked already")
        return prepared

    def verify(self, secret: Secret) -> Check:
        """Check key, certificate, signature, time and revocation list, as a server does."""
        try:
            pair, authority = pair_from_secret(secret), self._authority()
            revoked = self._listed(authority)
        except ProviderError as error:
            return Check(Verdict.UNKNOWN, error.message, hint=error.hint)
        return _check(pair, authority.certificate, revoked)

    def revoke(self, old: Secret, current: Secret) -> None:
        """Name the old certificate in the revocation list."""
        self.kill(old)

    def kill(self, secret: Secret) -> None:
        """Name the certificate in the revocation list, and sign that anew."""
        certificate, authority = pair_from_secret(secret).certificate, self._authority()
        path = self._list_path()
        with locked(path.with_name(path.name + ".lock"), wait=True):
            last = self._read_list(authority)
            if last is not None and last.get_revoked_certificate_by_serial_number(certificate.serial_number):
                return
            write_atomic(path, next_list(last, certificate, authority), mode=_MODE)

    def _authority(self) -> Pair:
        if self._target.admin is None:
            raise ProviderError(
                "certificates are signed by an authority",
                hint='name its key and certificate (PEM in one secret): [providers.tls] admin = "ref+…"',
            )
        return pair_from_secret(self._target.admin)

    def _list_path(self) -> Path:
        path = self._target.labels.get("crl", "")
        if not path:
            raise ProviderError("it is not known where the revocation list is", hint="set the label crl: a file")
        return Path(path)

    def _listed(self, authority: Pair) -> frozenset[int]:
        last = self._read_list(authority)
        return frozenset(entry.serial_number for entry in last or ())

    def _read_list(self, authority: Pair) -> x509.CertificateRevocationList | None:
        """Read the list; None before there is one. Raises ProviderError for one of another authority."""
        path = self._list_path()
        try:
            last = x509.load_pem_x509_crl(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ProviderError(f"cannot read the revocation list {path}: {type(error).__name__}") from None
        if not last.is_signature_valid(authority.certificate.public_key()):  # type: ignore[arg-type]
            raise ProviderError(f"the revocation list {path} is not signed by the authority")
        return last


def _check(pair: Pair, authority: x509.Certificate, revoked: frozenset[int]) -> Check:
    certificate, now = pair.certificate, datetime.now(UTC)
    check = Check(Verdict.UNKNOWN, identity=certificate.subject.rfc4514_string(), scopes=names_of(certificate))
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return check._replace(evidence="the certificate is of another authority")
    if pair.key.public_key() != certificate.public_key():
        return check._replace(evidence="the certificate belongs to another key")
    if certificate.serial_number in revoked:
        return check._replace(verdict=Verdict.DEAD, evidence="named by the revocation list")
    if certificate.not_valid_after_utc < now:
        return check._replace(verdict=Verdict.DEAD, evidence=f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now:
        return check._replace(evidence="not valid yet: a clock is wrong")
    return check._replace(verdict=Verdict.LIVE, evidence="signed, in time, and not revoked")
