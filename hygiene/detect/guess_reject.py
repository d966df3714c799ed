"""What the classifier believes and is nothing all the same: shapes too rare in labelled code for it to learn them.

Asked of the few candidates that would become findings, so that it costs a scan nothing.
"""

from __future__ import annotations

from binascii import a2b_base64
from importlib import import_module

from hygiene.detect import regex as re
from hygiene.detect.classifier_place import place_of
from hygiene.detect.generic import Candidate
from hygiene.detect.known import is_known_example, is_placeholder, is_sequence

_PROSE_LANGUAGE = 4
_HEAD = 8192  # bytes in which a zero tells a binary file, as git does
_BEFORE = 40
# The id of a key (TUF, JWK), who owns it, a list of services, a switch of PowerShell, the key of a map, what is
# encrypted or public, a version, and an access key's id in a signed address.
_NO_SECRET_NAME = re.compile(
    rb"(?i)(?:^|[^a-z])keyids?$|owner$|apis$|by-?pass$|(?:cache|sort|partition|routing|dedup|object)[_-]?key$|"
    rb"sealed|pub[_-]?key$|commit$|revision$|amz[_-]credential$|"
    rb"key[_-]?(?:down|up|press)|key[_-]?name$|public[_-]?token$|"
    rb"encrypted[_-]?key$|authors?$"
)
# A value under a name of its own, that of an object: not the one that was near.
_OTHER_NAME = re.compile(
    rb"""(?i)(?:\bMAC id|\b(?:node|service|container|network|task|volume)_id|style-?sheet-?token)"""
    rb"""\\?["']?\s{0,3}[=:,]\s{0,3}\\?["']?$"""
)
_INNER_API = re.compile(rb"[a-z]api[a-z]|[A-Z]API[A-Z]")  # rapid, capital
_NOUN = re.compile(rb"(?i)key|tok|secret|pass|auth|pwd|psw|cred|salt|otp|jwt")
_MASKED_END = re.compile(rb"([#*xX])\1{5,}$")
# A sign that no key or token has: such a value was masked, mangled or is something else. People choose it in passwords.
_ODD = re.compile(rb"[\w+/=.:-]{4,}[?<>!#^][\w+/=.:-]{4,}")
_CHOSEN = re.compile(rb"(?i)pass|pwd|psw|pw|pin|user|secret|cred|salt|contrase|senha|kennwort|haslo|heslo")
_SHORT_SLACK = re.compile(rb"xox[bp]-\d{1,7}-")  # ids of workspaces and users have more digits
_MASK = re.compile(rb"[#*]{6}")
_USER = re.compile(rb"--?u(?:ser(?:name)?)?")
_BARE_KEY = re.compile(rb"(?i)key\w?$")
_QUALIFIED = re.compile(
    rb"(?i)acc|api|app|auth|client|consumer|cred|encr|lic|master|pass|priv|secret|serv|shared|sign|subscr|token|user"
)
_GUID = re.compile(rb"""(?i)[gu]uid[\w.]{0,12}\(\s{0,4}["'`]$""")
_UUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SECRET_ID = re.compile(rb"(?i)(?:\w+_)?secret_?id")
_SWARM_ID = re.compile(rb"[0-9a-z]{25}")
_FILE = re.compile(
    rb"[\w./\\~-]{1,200}\.(?:jks|p12|pfx|pem|crt|cer|csr|der|keystore|truststore|ya?ml|json|properties|conf|txt)"
)
_ELSEWHERE = re.compile(rb"(?:config|registry|file)://|iQ[EI][zc]BA")  # what stands elsewhere; OpenPGP's signatures
_NUMBERS = re.compile(rb"\d+")
_ROOTS = ((1, 3), (1, 2), (2, 5), (2, 16), (0, 4))  # of the object identifiers in use: ISO, ITU-T
_HALF = 128
# In hex: OpenPGP's public key or subkey (tags 6 and 14, RFC 9580), an algorithm's identifier, a public key (RFC 5280).
_PUBLIC_HEX = re.compile(
    rb"(?i)(?:(?:98|b8)[0-9a-f]{2}|(?:99|b9)[0-9a-f]{4}|c[6e](?:[0-9a-f]{2}|[c-d][0-9a-f]{3}))0[3456][0-9a-f]{30,}|"
    rb"30(?:81)?[0-9a-f]{2}(?:30[0-9a-f]{2})?06[0-9a-f]{2}2[ab][0-9a-f]+"
)
# Base64 of {"iv": and {"aead": as Laravel and MinIO encrypt, and of {"version":3, a source map.
_JSON = (b"eyJpdiI6", b"eyJhZWFk", b"eyJ2ZXJzaW9uIjoz")
_PUBLIC_NKEY = re.compile(rb"[UACNO][A-Z2-7]{55}")  # of NATS; seeds begin with S
# Base64 of "-----BEGIN PRIVATE KEY-----", a line's end and at once "-----END".
_EMPTY_BLOCK = re.compile(rb"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tC(?:i0tLS0tRU5E|lxuLS0t)")
_ADDRESS = re.compile(rb"[a-z][a-z0-9+.-]{1,30}://[^\s/@:]*:[^\s/@]+@")  # whose password is a candidate of its own
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{6,}={0,2}")
_BASIC = b"Basic "
_WORDS = re.compile(rb"[a-z]+(?:[ _:-][a-z]+)*[0-9]?")
_CREDENTIAL = re.compile(rb"secret|pass|token|user|admin|key")


def is_refuted(data: bytes, path: str, candidate: Candidate) -> bool:
    """Whether a believed ``candidate`` of ``data``, which stands at ``path``, is no credential beyond doubt."""
    value = data[candidate.start : candidate.end]
    if candidate.kind == "bytes":
        return _is_object_identifier(value)
    if candidate.kind == "key-block":
        return bool(_EMPTY_BLOCK.match(value))
    name = data[candidate.name_start : candidate.name_end]
    return (
        (candidate.kind == "flag" and _is_user(data, candidate, name))
        or is_known_example(value)
        or b"EXAMPLE" in value
        or bool(_OTHER_NAME.search(data, max(0, candidate.start - _BEFORE), candidate.start))
        or value.startswith(_JSON)
        or bool(_NO_SECRET_NAME.search(name))
        or bool(_INNER_API.search(name) and not _NOUN.search(name))
        or bool(_ODD.fullmatch(value) and not _CHOSEN.search(name))
        or bool(_SHORT_SLACK.match(value))
        or bool(_MASKED_END.search(value) or _MASK.match(data, candidate.end))
        or bool(_SECRET_ID.fullmatch(name) and _SWARM_ID.fullmatch(value))
        or bool(_FILE.fullmatch(value) or _ELSEWHERE.match(value))
        or bool(_PUBLIC_HEX.fullmatch(value) or _PUBLIC_NKEY.fullmatch(value))
        or is_sequence(value)
        or (candidate.kind != "url" and bool(_ADDRESS.match(value)))
        or _is_escaped_word(value)
        or bool(
            _UUID.fullmatch(value) and _is_identifier(name, data[max(0, candidate.start - _BEFORE) : candidate.start])
        )
        or _is_encoded_placeholder(value)
        or (b"\0" in data[:_HEAD] and not (value.isascii() and value.decode().isprintable()))
        or (data[candidate.name_end : candidate.start].isspace() and _is_next_word(name, value, path))
    )


def _is_identifier(name: bytes, before: bytes) -> bool:
    """Whether a UUID is no credential: it is read as one, or its name is that of a key in a map."""
    return bool(_GUID.search(before) or (_BARE_KEY.search(name) and not _QUALIFIED.search(name)))


def _is_user(data: bytes, candidate: Candidate, name: bytes) -> bool:
    """Whether what follows an option is a user without a password, or the option is the user of an address."""
    if data.endswith(b"//", 0, candidate.name_start + 1):
        return True
    return bool(_USER.fullmatch(name)) and b":" not in data[candidate.name_end : candidate.end]


def _is_object_identifier(value: bytes) -> bool:
    """Whether a list of numbers is no key: offsets that only grow, or an object identifier below a known root."""
    if b"x" in value:
        return False
    numbers = [int(text) for text in _NUMBERS.findall(value)]
    is_small = sum(number < _HALF for number in numbers) * 4 > len(numbers) * 3
    return numbers == sorted(numbers) or (tuple(numbers[:2]) in _ROOTS and is_small)


def _is_encoded_placeholder(value: bytes) -> bool:
    """Whether base64 hides a placeholder or plain words, as Kubernetes' examples do."""
    value = value[len(_BASIC) :] if value.startswith(_BASIC) else value
    if not _BASE64.fullmatch(value):
        return False
    bare = value.rstrip(b"=")
    if len(bare) % 4 == 1:
        return False
    text = a2b_base64(bare + b"=" * (-len(bare) % 4)).strip()
    if not text.isascii() or not text.decode().isprintable():
        return False
    return is_placeholder(text) or bool(_WORDS.fullmatch(text.lower()) and _CREDENTIAL.search(text.lower()))


def _is_escaped_word(value: bytes) -> bool:
    """Whether percents escape a word of a language that is written with more than ASCII."""
    if b"%" not in value:
        return False
    text: str = import_module("urllib.parse").unquote(value.decode("latin-1"))  # takes longer to load than a commit
    return not text.isascii() and text.isalpha()


def _is_next_word(name: bytes, value: bytes, path: str) -> bool:
    """Whether a value is the word that follows "password" in a text of some language."""
    return b" " not in name and value.rstrip(b".,;:!?").isalpha() and place_of(path).language == _PROSE_LANGUAGE
