"""Keys, certificates and revocation lists of a local authority, as PEM: read, made anew, signed. No I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from hygiene.errors import ProviderError
from hygiene.secret import Secret

_BACKDATED = timedelta(minutes=5)  # for clocks that are behind
_LIST_DAYS = 30  # until the next list, where the last one does not tell
_OF_THE_OLD_KEY = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)


class Pair(NamedTuple):
    """A private key and its certificate, and what else stood in the text (a chain)."""

    key: CertificateIssuerPrivateKeyTypes
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def pair_from_secret(secret: Secret) -> Pair:
    """Read a key and its certificate from one PEM text. Raises ProviderError."""
    text = secret.reveal()
    try:
        key = serialization.load_pem_private_key(text, None)
        certificates = x509.load_pem_x509_certificates(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ProviderError(
            "the stored value is not a private key with its certificate",
            hint="store both as PEM in one text, the key without a passphrase",
        ) from None
    if not isinstance(
        key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    ):
        raise ProviderError("keys of this kind sign no certificates")
    return Pair(key, certificates[0], tuple(certificates[1:]))


def secret_from_pair(pair: Pair) -> Secret:
    """Write a pair as one PEM text, without a passphrase."""
    private = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = (one.public_bytes(serialization.Encoding.PEM) for one in (pair.certificate, *pair.chain))
    return Secret(b"".join((private, *public)))


def renewed(old: Pair, authority: Pair) -> Pair:
    """Make a key of the same kind, and a certificate for what the old one was for, signed by ``authority``."""
    key = _new_key(old.key)
    return Pair(key, _signed(_request(key, old.certificate), old.certificate, authority), old.chain)


def _new_key(old: CertificateIssuerPrivateKeyTypes) -> CertificateIssuerPrivateKeyTypes:
    if isinstance(old, rsa.RSAPrivateKey):
        return rsa.generate_private_key(65537, max(old.key_size, 2048))
    if isinstance(old, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(old.curve)
    if isinstance(old, ed448.Ed448PrivateKey):
        return ed448.Ed448PrivateKey.generate()
    return ed25519.Ed25519PrivateKey.generate()


def _request(key: CertificateIssuerPrivateKeyTypes, old: x509.Certificate) -> x509.CertificateSigningRequest:
    """Ask for what the old certificate had, with the new key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(old.subject)
    for extension in old.extensions:
        if not isinstance(extension.value, _OF_THE_OLD_KEY):
            builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, _digest(key))


def _signed(request: x509.CertificateSigningRequest, old: x509.Certificate, authority: Pair) -> x509.Certificate:
    if not request.is_signature_valid:
        raise ProviderError("the request for a certificate is not signed by its key")
    lifetime = old.not_valid_after_utc - old.not_valid_before_utc
    begin = datetime.now(UTC) - min(_BACKDATED, lifetime / 10)
    builder = (
        x509.CertificateBuilder(extensions=list(request.extensions))
        .subject_name(request.subject)
        .issuer_name(authority.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(min(begin + lifetime, authority.certificate.not_valid_after_utc))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    return builder.sign(authority.key, _digest(authority.key))


def next_list(last: x509.CertificateRevocationList | None, revoked: x509.Certificate, authority: Pair) -> bytes:
    """Write the revocation list with one entry more, a number higher, for as long as the last one was meant to hold."""
    now, number, days = datetime.now(UTC), 1, timedelta(days=_LIST_DAYS)
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    for entry in last or ():
        builder = builder.add_revoked_certificate(entry)
    if last is not None:
        number = 1 + _number_of(last)
        days = (last.next_update_utc - last.last_update_utc) if last.next_update_utc else days
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(revoked.serial_number)
        .revocation_date(now)
        .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        .build()
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        builder.add_revoked_certificate(entry)
        .last_update(now)
        .next_update(now + days)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(issuer, critical=False)
    )
    return builder.sign(authority.key, _digest(authority.key)).public_bytes(serialization.Encoding.PEM)


def _number_of(last: x509.CertificateRevocationList) -> int:
    try:
        return last.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the names that the certificate speaks for, and its uses: what a thief of the key may do."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _digest(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
