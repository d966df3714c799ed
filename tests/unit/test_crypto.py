"""Identities, members, signatures, sealed values; the age program is the judge of the format."""

import shutil
import subprocess

import keyring
import keyring.backend
import keyring.backends.fail
import pyrage
import pytest

from hygiene import crypto
from hygiene.errors import IdentityError
from hygiene.secret import Secret


def _ssh_key(folder, kind="ed25519", passphrase=""):
    path = folder / f"id_{kind}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", "2048", "-N", passphrase, "-C", "me", "-f", path], check=True)
    return path


def test_encrypt_two_recipients_each_opens_and_a_third_does_not():
    (one, _), (two, _), (three, _) = (crypto.generate_identity() for _ in range(3))
    sealed = crypto.encrypt(Secret(b"\x00value\xff"), [one.member.recipient, two.member.recipient])
    assert one.decrypt(sealed) == two.decrypt(sealed) == Secret(b"\x00value\xff")
    with pytest.raises(IdentityError):
        three.decrypt(sealed)


@pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed")
def test_encrypt_age_program_opens_it(tmp_path):
    identity, key = crypto.generate_identity()
    (tmp_path / "key").write_text(key + "\n")
    sealed = crypto.encrypt(Secret(b"value\n"), [identity.member.recipient])
    done = subprocess.run(["age", "-d", "-i", tmp_path / "key"], input=sealed, capture_output=True, check=True)
    assert done.stdout == b"value\n"


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_identity_decrypts_signs_and_round_trips_as_member(tmp_path, kind):
    identity = crypto.parse_identity(_ssh_key(tmp_path, kind).read_bytes())
    member = crypto.parse_member(str(identity.member))
    assert member == identity.member
    assert identity.decrypt(crypto.encrypt(Secret(b"v"), [member.recipient])) == Secret(b"v")
    assert crypto.verify(member.verify_key, identity.sign(b"m"), b"m")


def test_ssh_ed25519_public_key_alone_checks_the_signature(tmp_path):
    path = _ssh_key(tmp_path)
    member = crypto.parse_member(path.with_suffix(".pub").read_text())
    assert crypto.verify(member.verify_key, crypto.parse_identity(path.read_bytes()).sign(b"m"), b"m")


def test_ssh_identity_with_passphrase_asks_for_it(tmp_path):
    text = _ssh_key(tmp_path, passphrase="a long phrase").read_bytes()
    assert crypto.parse_identity(text, passphrase=lambda: "a long phrase").member.recipient.startswith("ssh-ed25519")
    for phrase in (None, lambda: "wrong"):
        with pytest.raises(IdentityError):
            crypto.parse_identity(text, passphrase=phrase)


def test_age_member_text_round_trips_and_checks_signatures():
    identity, key = crypto.generate_identity()
    member = crypto.parse_member(str(identity.member))
    assert member == crypto.parse_identity(key.encode()).member
    assert crypto.verify(member.verify_key, identity.sign(b"m"), b"m")
    assert not crypto.verify(member.verify_key, identity.sign(b"m"), b"M")


@pytest.mark.parametrize("text", ["", "age1xyz", "ssh-ed25519", "ssh-ed25519 AAAA", "age1 sign=AA==", "oidc:repo:a/b"])
def test_parse_member_broken_text_is_refused(text):
    with pytest.raises(IdentityError):
        crypto.parse_member(text)


def test_parse_member_short_sign_key_is_refused():
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with pytest.raises(IdentityError):
        crypto.parse_member(f"{recipient} sign=AAAA")


def test_find_identity_creates_a_private_file_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYGIENE_IDENTITY", raising=False)
    monkeypatch.delenv("HYGIENE_IDENTITY_KEY", raising=False)
    first = crypto.find_identity(create=True)
    assert crypto.find_identity(create=True).member == first.member
    path = tmp_path / "home" / "identity"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(IdentityError, match="others may read"):
        crypto.find_identity()


def test_find_identity_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("HYGIENE_IDENTITY_KEY", raising=False)
    monkeypatch.setenv("HYGIENE_IDENTITY", str(tmp_path / "nowhere"))
    with pytest.raises(IdentityError, match="nowhere"):
        crypto.find_identity(create=True)


def test_find_identity_damaged_key_is_not_quoted(monkeypatch):
    _, key = crypto.generate_identity()
    monkeypatch.setenv("HYGIENE_IDENTITY_KEY", key[:-1] + "Q" + "Q")
    with pytest.raises(IdentityError) as caught:
        crypto.find_identity()
    assert key[20:40] not in str(caught.value)


def test_seal_opens_only_for_the_same_identity():
    (one, _), (two, _) = crypto.generate_identity(), crypto.generate_identity()
    line = crypto.seal(one, Secret(b"v\n"))
    assert "\n" not in line
    assert crypto.unseal(one, line) == Secret(b"v\n")
    for identity, text in ((two, line), (one, "sealed:!!"), (one, "sealed:AAAA")):
        with pytest.raises(IdentityError):
            crypto.unseal(identity, text)


def test_derive_is_separated_by_purpose_and_stable():
    root = bytes(range(32))
    assert crypto.derive(root, "a") != crypto.derive(root, "b")
    assert crypto.derive(root, "a").hex().startswith(crypto.derive(root, "a", 16).hex())


@pytest.fixture
def keychain(monkeypatch):
    """A keyring of this process: the library's own seam for tests."""
    kept = {}

    class Memory(keyring.backend.KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return kept.get((service, username))

        def set_password(self, service, username, password):
            kept[service, username] = password

    former = keyring.get_keyring()
    keyring.set_keyring(Memory())
    monkeypatch.delenv("HYGIENE_IDENTITY_KEY", raising=False)
    monkeypatch.setenv("HYGIENE_IDENTITY", "keyring:")
    yield kept
    keyring.set_keyring(former)


def test_keyring_identity_is_made_once_and_found_again(keychain, tmp_path, monkeypatch):
    monkeypatch.setenv("HYGIENE_HOME", str(tmp_path))
    with pytest.raises(IdentityError, match="no identity"):
        crypto.find_identity()
    made = crypto.find_identity(create=True)
    assert crypto.find_identity().member == made.member
    assert list(keychain) == [("hygiene", "identity")]
    assert list(tmp_path.iterdir()) == []


def test_keyring_that_is_not_there_is_told(monkeypatch):
    monkeypatch.delenv("HYGIENE_IDENTITY_KEY", raising=False)
    monkeypatch.setenv("HYGIENE_IDENTITY", "keyring:work")
    former = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    with pytest.raises(IdentityError, match="NoKeyringError"):
        crypto.find_identity()
    keyring.set_keyring(former)
