"""Values that look like credentials and are none: placeholders, documented examples, references to a store.

Each test looks at the value alone. Words are only believed where chance can't have written them: a long word
anywhere, a short one where it makes up a good part of the value. Shapes and examples are those of the
providers' public documentation; known keys are recognised by their beginning, none stands here whole.
"""

from __future__ import annotations

from hygiene.detect import regex as re

# Long enough that a random token holds one less than once in a billion.
_LONG_WORDS = (
    *("example", "placeholder", "changeme", "change_me", "change-me", "changethis", "change_this", "change-this"),
    *("replaceme", "replace_me", "replace-me", "replace_with", "replace-with", "redacted", "goeshere", "goes-here"),
    *("goes_here", "insertyour", "insert_your", "insert-your", "put_your", "put-your", "putyour", "your_", "your-"),
    *("yourapi", "yourkey", "yourtoken", "yoursecret", "yourpass", "yourorg", "youraccount", "yourproject"),
    *("dummykey", "dummytoken", "dummysecret", "fakekey", "faketoken", "fakesecret", "notasecret", "not_a_secret"),
    *("not-a-secret", "notreal", "not_real", "not-real", "foobarbaz", "loremipsum", "deadbeef", "cafebabe", "xxxxx"),
    *("mysecret", "my_secret", "my-secret", "mytoken", "my_token", "my-token", "my_api", "my-api", "secret-here"),
    *(
        "secret_here",
        "token_here",
        "token-here",
        "key_here",
        "key-here",
        "keyhere",
        "tokenhere",
        "undefined",
        "qwertyuiop",
    ),
)
_SHORT_WORDS = (
    *("test", "fake", "mock", "dummy", "sample", "demo", "your", "todo", "fixme", "foo", "bar", "baz", "xxx", "none"),
    *("null", "hidden", "masked", "removed", "invalid", "default", "temp", "abc123", "qwerty", "insert", "enter"),
)
_SHORT_SHARE = 0.3
_WHOLE = frozenset(
    (
        *("none", "null", "nil", "undefined", "true", "false", "n/a", "na", "nope", "tbd", "todo", "test", "testing"),
        *("string", "password", "passwd", "secret", "token", "key", "apikey", "api_key", "empty", "hidden", "unset"),
    )
)
_SEQUENCES = (
    *(b"0123456789", b"1234567890", b"9876543210", b"abcdefghijklmnopqrstuvwxyz", b"0123456789abcdef"),
    *(b"1234567890abcdef", b"abcdef1234567890", b"1a2b3c4d5e6f", b"a1b2c3d4e5f6"),
)
_SEQUENCE_LENGTH = 6
_PIECES = frozenset(
    sequence[start : start + _SEQUENCE_LENGTH]
    for sequence in _SEQUENCES
    for start in range(len(sequence) - _SEQUENCE_LENGTH + 1)
)
_FILL = re.compile(rb"([xX*.#?0_\-+])\1{5,}|([1-9a-wyzB-WYZ])\2{7,}")
_MASKED = re.compile(rb"\*{3}|\.{3}|\xe2\x80\xa6|\xe2\x80\xa2{1,}|(?:\xe2\x80\xa2){2}|<[a-z _-]+>|\[[a-z _-]+\]", re.I)
_LEAST_DRAWN = 16
_SEPARATORS = re.compile(rb"[-_.:/+=\s]")
_LETTERS = re.compile(rb"[A-Za-z]+")

_EXAMPLE_UUIDS = frozenset(
    (
        *(b"123e4567-e89b-12d3-a456-426614174000", b"f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        *(b"6ba7b810-9dad-11d1-80b4-00c04fd430c8", b"550e8400-e29b-41d4-a716-446655440000"),
    )
)
_EXAMPLE_STARTS = (
    *(b"wJalrXUtnFEMI", b"je7MtGbClwBF", b"Eby8vdM02xNO", b"C2y6yDjf5", b"AIzaSyD-9tSrke", b"ghp_16C7e42F"),
    *(b"gho_16C7e42F", b"ghs_16C7e42F", b"ghu_16C7e42F", b"ghr_1B4a2e77", b"secret_scanning_", b"sk_test_4eC39H"),
    *(b"sk_test_BQokik", b"pk_test_TYooMQ", b"sk_test_26PHem9", b"key-3ax6x", b"6fe4476e", b"5HueCGU8rM", b"KwdMAjGm"),
    *(b"ac0974bec39a17e3", b"0xac0974bec39a17e3"),
    # Google's own documentation and samples.
    *(b"AIzaSyDaGmWKa4", b"AIzaSyAnLA7Nfe", b"AIzaSyCkEhVjf3", b"AIzaSyDMAScliy", b"AIzaSyD3asb-2p"),
    *(b"AIzayDNSXIbFml", b"AIzaSyAdOS2zB6", b"AIzaSyASWm6HmT", b"AIzaSyANUvH9H9", b"AIzaSyA5_iVawF"),
    *(b"AIzaSyA4UrcGxg", b"AIzaSyDSb51JiI", b"AIzaSyBF2RrAIm", b"AIzaSyBcE-OOIb", b"AIzaSyB8qGxt4e"),
    *(b"AIzaSyA8vmApnr",),
)
# Digests of nothing, and git's empty tree and blob.
_EMPTY_DIGESTS = (
    *(b"d41d8cd98f00b204e9800998ecf8427e", b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    *(b"e3b0c44298fc1c14", b"4b825dc642cb6eb9", b"e69de29bb2d1"),
)
_EXAMPLE_PARTS = (
    b"EXAMPLEKEY",
    b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1",
    b"SflKxwRJSMe",
    b"T00000000/B00000000",
    b"examplePublicKey",
)

_REFERENCE = re.compile(
    rb"""(?xi)
    (?: \$\{\{.*\}\} | \$\{[^}:]+(?::?[?][^}]*|:?-)?\} | \$\([^)]*\) | \$(?!aact_)[A-Za-z_][A-Za-z0-9_.]*
      | %[A-Za-z_][A-Za-z0-9_]*% | ![A-Za-z_][A-Za-z0-9_]*! | \{\{.*\}\} | \{[A-Za-z0-9_.$ -]*\} | \[\[.*\]\]
      | <[^<>]+> | @[A-Za-z_][A-Za-z0-9_.]*@ | \#\{[^}]*\} | __[A-Za-z0-9_]+__
      | %\([A-Za-z0-9_]+\)[sd] | %[-+0-9.]*[sdvqr@]
      | <%.*%> | `[^`]*` | \?
      | (?:ref|secretref)\+[a-z0-9]+://.* | secretref:.* | secret://.* | op://.*
      | dp://.* | sm://.* | vault://.* | vault:secret/.*
      | gcp-sm:.* | keyring:.* | keychain://.* | env:[A-Z_].* | env\.[A-Z_]\w* | file:/+\S*
      | ssm://.* | bws:.* | akeyless:/.*
      | infisical:.* | arn:aws[a-z-]*:(?:secretsmanager|ssm|kms):.* | \{\{resolve:.*
      | \$\{(?:ssm|env|aws|cf|self|var|file|secrets?)[.:].*\}
      | @Microsoft\.KeyVault\(.*\) | https://[a-z0-9-]+\.vault\.azure\.net/(?:secrets|keys|certificates)/.*
      | projects/[^/]+/secrets/[^/]+(?:/versions/.*)? | !(?:var|vault|secret|encrypted|ref|sub|getatt|importvalue)\b.*
      | (?:/run/secrets|/etc|/var|/usr|/home|/opt|/tmp|/Users|~|\.\.?)/\S*
      # encrypted where it stands
      | ENC\[[A-Z0-9_]+,.* | \$ANSIBLE_VAULT;.* | ENC\(.*\) | \{cipher\}.* | encrypted:.* | EJ\[1:.*
      | secure:.* | vault:v[0-9]+:.*
      | AQICAH[A-Za-z0-9+/=]{60,} | CiQA[A-Za-z0-9+/=_-]{60,}
      | v1:[A-Za-z0-9+/]{16}:[A-Za-z0-9+/=]{16,} | eyJhbGciOiJSU0EtT0FFUC.*
      )""",
    re.DOTALL,
)


def is_placeholder(value: bytes) -> bool:
    """Say whether ``value`` is no credential but holds one's place: empty, filled, masked, a sequence, a word."""
    if len(value) < 3 or value.strip().lower().decode("latin-1") in _WHOLE:
        return True
    return _is_filled(value) or is_sequence(value) or _holds_word(value) or is_known_example(value)


def is_known_example(value: bytes) -> bool:
    """Say whether ``value`` is a key that documentation shows to everyone."""
    low = value.lower()
    return (
        low in _EXAMPLE_UUIDS
        or value.startswith(_EXAMPLE_STARTS)
        or low.startswith(_EMPTY_DIGESTS)
        or any(part in value for part in _EXAMPLE_PARTS)
    )


def is_reference(value: bytes) -> bool:
    """Say whether ``value`` is a variable, a template, a reference to a store, a path, or encrypted where it stands.

    A variable with a default, ``${NAME:-value}``, is none: the default may be the credential.
    """
    return bool(_REFERENCE.fullmatch(value.strip()))


def _is_filled(value: bytes) -> bool:
    bare = _SEPARATORS.sub(b"", value)
    if len(set(bare)) <= 2 or _MASKED.search(value):
        return True
    found = _FILL.search(value)
    if found and found.end() - found.start() >= max(6, len(value) // 8):
        return not (found[0].isdigit() and _goes_on(value, found.end()))
    tail = bare[len(bare) // 3 :]
    return any(len(tail) >= 3 * size and tail == (tail[:size] * len(tail))[: len(tail)] for size in range(1, 9))


def _goes_on(value: bytes, end: int) -> bool:
    """Whether a part that may have been drawn follows the digits of an id that end there, as in Slack's tokens."""
    rest = value.rpartition(b"-")[2]
    return end <= len(value) - len(rest) and len(rest) >= _LEAST_DRAWN and not is_placeholder(rest)


def is_sequence(value: bytes) -> bool:
    """Whether more than half of a value counts up or down; less of that stands in tokens that somebody has edited."""
    low = value.lower()
    counted: set[int] = set()
    for piece in _PIECES:
        at = low.find(piece)
        while at >= 0:
            counted.update(range(at, at + _SEQUENCE_LENGTH))
            at = low.find(piece, at + 1)
    return len(counted) > len(low) // 2


def _holds_word(value: bytes) -> bool:
    low = value.lower().decode("latin-1")
    if any(word in low for word in _LONG_WORDS):
        return True
    covered = sum(len(word) for word in _SHORT_WORDS if word in low)
    return covered > _SHORT_SHARE * len(low)
