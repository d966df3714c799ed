"""What a value says of itself: its alphabet and entropy, whether it reads as words, as code or as a placeholder."""

from __future__ import annotations

import math
from _operator import ne, sub
from binascii import a2b_base64
from itertools import pairwise

from hygiene.detect import regex as re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_PLACEHOLDER = re.compile(  # on lower case: a pattern that ignores case can't tell by a byte where to begin
    rb"example|sample|dummy|fake|mock|placeholder|change.?me|change.?this|replace|insert|your|todo|fixme|xxx|foo|bar|baz|"
    rb"lorem|ipsum|redact|hidden|masked|here|invalid|none|null|undefined|test|demo|default|temp|local|passw|secret|"
    rb"token|admin|root|guest|welcome|letmein|qwerty|abc|123|user|my|some|valid|wrong|bad|new|old|value|string|key"
)
_REFERENCE = re.compile(
    rb"^(?:\$|%[A-Za-z_(]|<[^>]*>?$|\{|@\w+@|#\{|![a-z]+ |:\w+$|ENC[\[(]|\{cipher\}|vault:|op://|ref\+|arn:|env[:(.]|file:)|\$\{|\{\{|\$\(|<%|%[sd]\b|"
    rb"\{\w*\}|\}\}|\b(?:process|os|System)\.(?:env|getenv)",
)
_CODE = re.compile(
    rb"[\w)\]]\(|\(\)|=>|->|::|==|&&|\|\||;\s|\[\w*\]|\bself\.|\bthis\.|\bnew |\bfunction\b|\breturn\b|\.\.\."
)
_DOTTED = re.compile(rb"^[A-Za-z_$][\w$]*(?:(?:\.|->|::|/)[A-Za-z_$][\w$]*)+$")
_WORDS = re.compile(rb"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|[\x80-\xff]+")
_SEQUENCE = b"0123456789abcdefghijklmnopqrstuvwxyz"
_HEX = re.compile(rb"^(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)$")
_UUID = re.compile(rb"^\{?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\}?$")
_BASE64 = re.compile(rb"^[A-Za-z0-9+/_-]+={0,2}$")
_NUMBER = re.compile(rb"^[-+]?\d[\d_.,:-]*[a-zA-Z]{0,2}$")
_URL = re.compile(rb"^(?:[a-z][a-z0-9+.-]*:)?//|^[~./]|^[A-Za-z]:\\|^www\.")
_MAIL = re.compile(rb"^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$")
_FILE = re.compile(
    rb"\.(?:[ch]pp|js|ts|py|rb|go|java|json|ya?ml|xml|html?|css|png|jpe?g|svg|gif|txt|md|pem|key|crt|cer|p12|jks|conf|cfg|ini|sh|com|org|net|io|dev|local)$",
    re.IGNORECASE,
)
_SNAKE = re.compile(rb"^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$")
_KEBAB = re.compile(rb"^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$")
_CONSTANT = re.compile(rb"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
_CAMEL = re.compile(rb"^[a-z]+(?:[A-Z][a-z0-9]+)+$|^(?:[A-Z][a-z0-9]+){2,}$")
_IDENTIFIER = re.compile(rb"^[A-Za-z_$][\w$]*$")
_PUBLIC = re.compile(
    rb"^(?:MIGf|MIGJ|MIIBI|MIICI|MFkw|MFww|MHYw|MCow|AAAA[BCE]|ssh-|ecdsa-|"
    rb"-----BEGIN (?:CERT|PUBLIC|RSA PUBLIC|EC PARAM|DH PARAM|X509|SSH2))"
)
_KEY_MATERIAL = re.compile(
    rb"^(?:-----BEGIN[A-Z0-9 ]* PRIVATE KEY|MII[CEJ][A-Za-z]?[IwQ]|MIICd|MIIE[vow]|MHcC|MIGH|MC4C|LS0tLS1CRUdJTi)"
)
_NUMBERS = re.compile(rb"0x[0-9A-Fa-f]+|\d+")
_LOWER = re.compile(rb"^[a-z]+$")

CLASS_FEATURES = ("length", "lower", "upper", "digit", "special", "blank", "high", "classes")
VALUE_FEATURES = (
    "length", "lower", "upper", "digit", "special", "blank", "high", "entropy", "entropy_relative", "distinct",
    "longest_run",
    "classes", "switches", "bigram", "bigram_worst", "word_share", "words", "longest_word", "vowels", "consonants",
    "placeholder", "placeholder_share", "reference", "code", "dotted", "hex", "uuid", "base64", "number", "url", "mail",
    "file", "snake", "kebab", "constant", "camel", "identifier", "all_lower", "sequence", "periodic", "ellipsis",
    "padding",
    "first_class", "last_class", "escape", "ends_prose", "public_material", "key_material", "parts", "decodes",
    "decoded_words", "decoded_colon",
    "numbers", "numbers_distinct", "numbers_step", "jwt_parts", "jwt_encrypted", "jwt_claims",
)  # fmt: skip


def value_features(value: bytes, bigrams: bytes, words: Container[bytes]) -> list[float]:
    """Describe a value, in the order of ``VALUE_FEATURES``.

    Args:
        value: the candidate's bytes.
        bigrams: 27 x 27 table of how usual a pair of letters is (0 never … 255 commonest), row-major from letter 1.
        words: common words of code and prose, lower case.
    """
    text = value[:200]
    size = len(text)
    if not size:
        return [0.0] * len(VALUE_FEATURES)
    counts = [*map(text.count, set(text))]
    shape = text.translate(_CLASS_OF)
    lower, upper, digit, special, blank, high = map(shape.count, _CLASSES)
    entropy = math.log2(size) - sum([n * math.log2(n) for n in counts if n > 1]) / size
    classes = (lower > 0) + (upper > 0) + (digit > 0) + (special > 0)
    bigram, worst = _bigram(text, bigrams)
    share, number_of_words, longest = word_share(text, words)
    letters = text.lower()
    vowels = size - len(letters.translate(None, b"aeiou"))
    placeholder = _PLACEHOLDER.findall(letters)
    return [
        float(len(value)), lower / size, upper / size, digit / size, special / size, blank / size, high / size,
        entropy, entropy / math.log2(min(size, 64)) if size > 1 else 0.0, len(counts) / size, float(_longest_run(text)),
        float(classes), sum(map(ne, shape, shape[1:])) / size, bigram, worst, share, float(number_of_words),
        float(longest),
        vowels / max(1, lower + upper), float(_consonants(letters)),
        float(len(placeholder)), sum(map(len, placeholder)) / size, float(bool(_REFERENCE.search(text))),
        float(bool(_CODE.search(text))),
        float(bool(_DOTTED.match(text))), float(bool(_HEX.match(text))), float(bool(_UUID.match(text))),
        float(bool(_BASE64.match(text))),
        float(bool(_NUMBER.match(text))), float(bool(_URL.match(text))), float(bool(_MAIL.match(text))),
        float(bool(_FILE.search(text))),
        float(bool(_SNAKE.match(text))), float(bool(_KEBAB.match(text))), float(bool(_CONSTANT.match(text))),
        float(bool(_CAMEL.match(text))),
        float(bool(_IDENTIFIER.match(text))), float(bool(_LOWER.match(text))), _sequence(letters),
        float(_periodic(text)),
        float(b"..." in text or "…".encode() in text or b"***" in text), float(text.endswith(b"=")),
        float(shape[0]), float(shape[-1]), float(b"\\" in text), float(blank > 1 or text[-1:] in b".:?!"),
        float(bool(_PUBLIC.search(text))), float(_key_material(value)), float(text.count(b".")), *_decoded(value,
        words), *_numbers(value), *_jwt(value),
    ]  # fmt: skip


def class_features(value: bytes) -> tuple[float, ...]:
    """Describe of which classes of letters a value consists, in the order of ``CLASS_FEATURES``."""
    text = value[:200]
    size = len(text) or 1
    lower, upper, digit, special, blank, high = map(text.translate(_CLASS_OF).count, _CLASSES)
    classes = (lower > 0) + (upper > 0) + (digit > 0) + (special > 0)
    return len(value), lower / size, upper / size, digit / size, special / size, blank / size, high / size, classes


_CLASS_OF = bytes(
    1 if 97 <= c <= 122 else 2 if 65 <= c <= 90 else 3 if 48 <= c <= 57 else 5 if c in (32, 9) else 6 if c >= 128 else 4
    for c in range(256)
)
_LETTER_OF = bytes(c - 96 if 97 <= c <= 122 else c - 64 if 65 <= c <= 90 else 0 for c in range(256))
_CLASSES = (1, 2, 3, 4, 5, 6)  # lower, upper, digit, special, blank, high
_CONSONANTS = re.compile(rb"[bcdfghjklmnpqrstvwxz]+")
_RUN = re.compile(rb"(.)\1+", re.DOTALL)
_STEPS = tuple(int(step in (1, 255 * 2)) for step in range(255 * 2 + 1))  # by difference; -1 is the last
_PRINTABLE = bytes(range(32, 127))


def _longest_run(text: bytes) -> int:
    return max([run.end() - run.start() for run in _RUN.finditer(text)], default=1)


def _bigram(text: bytes, table: bytes) -> tuple[float, float]:
    letters = text.translate(_LETTER_OF)
    scores = [table[a * 27 + b] for a, b in pairwise(letters) if a and b]
    if not scores:
        return 0.0, 0.0
    scores.sort()
    return sum(scores) / len(scores), float(scores[len(scores) // 5])


def word_share(text: bytes, words: Container[bytes]) -> tuple[float, int, int]:
    """The share of a value's letters in known words (of three letters and more), how many words, and the longest."""
    covered = known = longest = letters = 0
    for match in _WORDS.findall(text):
        word = match.lower()
        letters += len(word)
        if len(word) >= 3 and word in words:
            covered += len(word)
            known += 1
            longest = max(longest, len(word))
    return (covered / letters if letters else 0.0), known, longest


def _consonants(letters: bytes) -> int:
    return max(map(len, _CONSONANTS.findall(letters)), default=0)


def _sequence(letters: bytes) -> float:
    """The share of the value that ascends or descends by one."""
    return sum(map(_STEPS.__getitem__, map(sub, letters, letters[1:]))) / len(letters)


def _periodic(text: bytes) -> int:
    """The period (up to eight) of which the value consists, or 0."""
    for period in range(1, 9):
        if len(text) >= 2 * period and text[period:] == text[:-period]:
            return period
    return 0


def is_reference(text: bytes) -> bool:
    """Whether the value names a variable, a template's hole or a place in a secret store."""
    return bool(_REFERENCE.search(text))


def is_public_material(text: bytes) -> bool:
    """Whether the value begins as public keys and certificates do."""
    return bool(_PUBLIC.match(text))


def is_encrypted(text: bytes) -> bool:
    """Whether the value is a key or a token that needs another secret to be of use (encrypted PEM, JWE)."""
    return _key_material(text) == 3 or (text.startswith(b"ey") and _jwt(text)[1] > 0)


def is_private_key(value: bytes) -> bool:
    """Whether a key block holds a key: PEM with a body, or DER that begins as PKCS #1 and #8 and SEC 1 do.

    All three are a sequence whose first member is a small version number; a certificate or a public key begins with
    another sequence (RFC 5208, RFC 5915, RFC 8017).
    """
    if value.startswith(b"-----"):
        return _key_material(value) > 1
    if value.startswith(b"LS0"):
        return True
    try:
        head = a2b_base64(value[:24].translate(_URL_SAFE))
    except ValueError:
        return False
    body = 2 + (head[1] & 0x7F if head[1] & 0x80 else 0)
    return head[:1] == b"0" and head[body : body + 2] == b"\x02\x01" and head[body + 2] < 4


def is_random_list(text: bytes) -> bool:
    """Whether the value is a list of numbers that neither repeat nor count up."""
    _, distinct, steps = _numbers(text)
    return distinct > 0.6 and steps < 0.3


def is_constant(text: bytes) -> bool:
    """Whether the value is written as constants' names are."""
    return bool(_CONSTANT.match(text))


def is_code(text: bytes) -> bool:
    """Whether the value has the marks of an expression."""
    return bool(_CODE.search(text))


def is_dotted(text: bytes) -> bool:
    """Whether the value is a chain of identifiers."""
    return bool(_DOTTED.match(text))


def is_prose(text: bytes) -> bool:
    """Whether the value has blanks or ends as a sentence does."""
    return text.count(b" ") > 1 or text[-1:] in b".:?!"


def _key_material(value: bytes) -> int:
    """0 no private key, 1 header alone, 2 with a body, 3 encrypted, 4 its body alone, 5 in base64."""
    if not _KEY_MATERIAL.match(value):
        return 0
    if value.startswith(b"-----"):
        head = value[:200]
        if b"ENCRYPTED" in head or b"Proc-Type" in head:
            return 3
        return 2 if len(value) > 100 else 1
    return 5 if value.startswith(b"LS0") else 4


def _decoded(value: bytes, words: Container[bytes]) -> tuple[float, float, float]:
    """Whether it is base64 of printable text (1) or of bytes (-1); the share of words in it; whether it has a colon."""
    if not 8 <= len(value) <= 200 or len(value.rstrip(b"=")) % 4 == 1 or not _BASE64.match(value):
        return 0.0, 0.0, 0.0
    try:
        text = a2b_base64(value.rstrip(b"=").translate(_URL_SAFE) + b"==")
    except ValueError:
        return 0.0, 0.0, 0.0
    if not text or len(text.translate(None, _PRINTABLE)) > 0.05 * len(text):
        return -1.0, 0.0, 0.0
    return 1.0, word_share(text, words)[0], float(b":" in text)


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def _numbers(value: bytes) -> tuple[float, float, float]:
    """Of a list of numbers: how many, the share of distinct ones, the share of steps by one or none."""
    if value.count(b",") < 7:
        return 0.0, 0.0, 0.0
    found = [int(text, 16) if text[:2] == b"0x" else int(text) for text in _NUMBERS.findall(value[:600])]
    steps = sum(-1 <= b - a <= 1 for a, b in pairwise(found))
    return float(len(found)), len(set(found)) / max(1, len(found)), steps / max(1, len(found))


def _jwt(value: bytes) -> tuple[float, float, float]:
    """Of a JSON web token: how many parts are there, whether it is encrypted (JWE), whether its second part is JSON."""
    if not value.startswith(b"ey"):
        return 0.0, 0.0, 0.0
    parts = value.split(b".")
    full = sum(map(bool, parts))
    return (
        float(full),
        float(len(parts) > 3 or b"ImVuYyI6" in parts[0] or b"iZW5jIj" in parts[0] or b"JlbmMiO" in parts[0]),
        float(full > 1 and parts[1].startswith(b"ey")),
    )
