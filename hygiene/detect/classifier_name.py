"""What the name says that a value is assigned to."""

from __future__ import annotations

from hygiene.detect import regex as re
from hygiene.detect.memo import Memo

_PARTS = re.compile(rb"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[\x80-\xff]+")
_CAMEL = re.compile(rb"[a-z][A-Z]")
_CORE = (
    (rb"pass|pwd|psw|pw|passwort|kennwort|senha|contrase|mdp|haslo|heslo|passphrase|passcode|pin", "password"),
    (rb"secret", "secret"),
    (rb"token|jwt|bearer", "token"),
    (rb"key", "key"),
    (rb"auth|authorization|oauth|credential", "auth"),
    (rb"cred", "credential"),
    (rb"api", "api"),
    (rb"nonce|salt|seed", "nonce"),
    (rb"otp", "otp"),
    (rb"id|sid", "id"),
    (rb"private", "private"),
    (
        rb"access|consumer|client|session|refresh|bot|app|master|shared|signing|encryption|webhook|service|account",
        "qualifier",
    ),
    (rb"public|primary|foreign|cache|sort|partition|hot|map|object|property|translation", "not_secret_key"),
)
CORE_BUT_KEY = re.compile(
    rb"(?i)pass|pwd|psw|pw|secret|token|jwt|bearer|auth|cred|senha|contrase|mdp|haslo|heslo|kennwort|pin"
)
_MATCHERS = tuple((re.compile(rb"^(?:" + pattern + rb")", re.IGNORECASE), label) for pattern, label in _CORE)
_NEGATIVE = frozenset(
    b"""
    name names id ids url uri path file files dir arn ref type length size policy hint label placeholder field
    fields column param params env var header headers prefix suffix regex pattern error errors message msg
    title reset expired expiry ttl count enabled required hash method mode class form input text view
    controller service manager provider factory handler version code status format lifetime duration timeout
    expires expiration str strength validator confirm confirmation change changed update invalid ring board
    down up press event code index list map set store storage group role scope scopes uri endpoint host port
    server algorithm alg plugin module option options config settings info data state
    """.split()
)
_DERIVED = frozenset(
    b"""
    encrypted enc signature sig hash hashed checksum digest fingerprint public pub md5 sha1 sha256 verifier
    challenge
    """.split()
)
_QUESTION = frozenset(
    b"""
    is has have show hide use enable disable allow can should need require validate check get set reset forgot
    change no
    """.split()
)

NAME_FEATURES = (
    "name_length", "name_parts", *(f"name_{label}" for _, label in _CORE), "name_core_last", "name_core_at_end",
    "name_negative", "name_question",
    "name_derived", "name_dotted", "name_upper", "name_camel", "name_plural", "name_extra",
)  # fmt: skip


def parts_of(name: bytes) -> list[bytes]:
    """Split an identifier at underscores, dashes, dots, digits and camel case, in lower case."""
    return [part.lower() for part in _PARTS.findall(name)]


def name_features(name: bytes) -> tuple[float, ...]:
    """Describe a name, in the order of ``NAME_FEATURES``."""
    features: tuple[float, ...] = _features[name]
    return features


def _features_of(name: bytes) -> tuple[float, ...]:
    parts = parts_of(name)
    labels = [_labels[part] for part in parts]
    met = {label for found in labels for label in found}
    flags = [float(label in met) for _, label in _CORE]
    core = [bool(set(found) & {"password", "secret", "token", "key", "auth", "credential"}) for found in labels]
    last_core = max((index for index, is_core in enumerate(core) if is_core), default=-1)
    after = parts[last_core + 1 :]
    return (
        float(len(name)), float(len(parts)), *flags,
        float(last_core), float(bool(core) and core[-1]),
        float(sum(part in _NEGATIVE for part in after)), float(bool(parts) and parts[0] in _QUESTION),
        float(sum(part in _DERIVED for part in parts)), float(b"." in name), float(name.isupper()),
        float(bool(_CAMEL.search(name))),
        float(bool(parts) and parts[-1].endswith(b"s") and parts[-1] not in (b"pass", b"credentials")),
        float(len(after)),
    )  # fmt: skip


def _labels_of(part: bytes) -> list[str]:
    return [label for matcher, label in _MATCHERS if matcher.match(part)]


_MOST = 10_000  # names; a project has fewer
_labels = Memo(_labels_of, _MOST)
_features = Memo(_features_of, _MOST)


def kind_of_name(name: bytes) -> str:
    """Say what a name names: password, secret, token or (all else) key."""
    found = {label for part in parts_of(name) for label in _labels[part]}
    for kind in ("password", "secret", "token"):
        if kind in found:
            return kind
    if "credential" in found or "nonce" in found:
        return "secret"
    return "token" if "auth" in found or "otp" in found else "key"
