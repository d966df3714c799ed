"""What is no credential beyond doubt: the cheap first stage, which spares most candidates the model."""

from __future__ import annotations

from binascii import a2b_base64

from hygiene.detect import regex as re
from hygiene.detect.classifier_gate import JUDGED
from hygiene.detect.classifier_name import CORE_BUT_KEY
from hygiene.detect.classifier_place import Place
from hygiene.detect.classifier_value import (
    is_code,
    is_constant,
    is_dotted,
    is_encrypted,
    is_private_key,
    is_prose,
    is_public_material,
    is_random_list,
    is_reference,
    word_share,
)
from hygiene.detect.generic import Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_CODE_LANGUAGE = 1
_CONFIG_LANGUAGE = 2
_PROSE_AFTER = re.compile(rb" +[A-Za-z\x80-\xff]{2}")
_DIGITS_AND_MARKS = re.compile(rb"[0-9@#$%^&*+=~|_/\\\\]")
_LETTERS = re.compile(rb"[A-Za-z .,:;!?'-]+")
_ALPHANUMERIC = re.compile(rb"[A-Za-z0-9\x80-\xff]")
_ENGLISH = re.compile(rb"[a-z]+[.,;:]?")  # "Basic knowledge"
# A digest, a public nonce (Content-Security-Policy, WebSocket), a salt, the token of a form, a host before a colon, the
# name of a .NET assembly's public key, thanks to somebody, a search, a film's pictures, the code of an error, a column
# that points elsewhere, a version, the name of a vault, where Jenkins and .NET keep a credential, authors, and apes.
_NO_SECRET_NAME = re.compile(
    rb"(?:sha[-_]?\d{1,3}|md5|checksum|digest|fingerprint)$|^nonce$|websocket|salt$|authenticity_token$|"
    rb"\.(?:com|org|net|io)$|public[_-]?key(?:_?token)?$|credits?$|cnonce$|"
    rb"keywords?$|keyframe|_error$|authors?$|"
    rb"(?:foreign|mon)[-_]?keys?\b|keying$|key[-_]?hash$|(?:api|key)[-_]?version$|key[-_]?vault[-_]?(?:name|to\w*|ur[il])$|"
    rb"^(?:credentials|usersecrets)id$"
)
# What a lock file says of a package, a version of a Go module, an option of a command, a file named by a digest.
_WRITTEN = re.compile(
    rb"(?:npm|workspace|patch|portal|link|file):[~^>=<*@./\w]|v\d+\.\d+\.\d+(?:[-+/ ]|$)|--[a-z][\w-]*(?:[ =]|$)|"
    rb"[0-9a-f]{32,128}\.[a-z]{2,4}$"
)
_ID_NAME = re.compile(rb"(?:[_-]|[a-z](?=I))(?i:id)$")
_KEY_ID = re.compile(
    rb"(?=[0-9x]*[A-F])(?:0x)?(?:[0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{40})"
)  # OpenPGP's short, long id and fingerprint
_PALAU = re.compile(rb"(?:[a-z]{2}_)?PW")  # the code of a country, in lists of their names
_CAPITALS = re.compile(rb"[A-Z]{2,12}")
_ALPHABET = b"abcdefghijkl"
_HOLES = (b"#{", b"${")  # what stands after the hole of a template is no argument
_DER = re.compile(rb"MI[IG][\w+/]{40}")  # a sequence of 128 bytes and more, in base64
_DIGIT = re.compile(rb"\d")
_PROSE_WORDS = 3


def hopeless(data: bytes, candidate: Candidate, place: Place, words: Container[bytes]) -> bool:
    """Whether a candidate cannot be a credential.

    The order is by cost. Every test was measured on labelled code to lose (nearly) nothing: see ``docs/model-card.md``.
    """
    value = data[candidate.start : candidate.end]
    if is_public_material(value) or is_encrypted(value):
        return True
    if candidate.kind == "bytes":
        return not is_random_list(value)
    if candidate.kind == "key-block" or _DER.match(value):
        return not is_private_key(value)
    return candidate.kind in JUDGED and _is_out(data, candidate, place, words)


def _is_out(data: bytes, candidate: Candidate, place: Place, words: Container[bytes]) -> bool:
    """Whether what stands under a name, in a header or behind a flag cannot be a credential."""
    value = data[candidate.start : candidate.end]
    if candidate.operator == b"," and data[candidate.name_start - 2 : candidate.name_start] in _HOLES:
        return True
    spelt = data[candidate.name_start : candidate.name_end]
    name = spelt.lower()
    bare_code = not candidate.quote and place.language == _CODE_LANGUAGE
    if (
        len(value) < 4
        or _is_unlike_any(candidate, value, spelt)
        or (not candidate.quote and _is_bare_nonsense(data, candidate, value, place))
        or is_constant(value)
        or _is_foreign_prose(value, place)
        or _letters(name).endswith(_letters(value.lower()) or b"-")
        or (bare_code and is_code(value))
    ):
        return True
    return _is_worded(candidate, value, word_share(value, words), (bare_code, name))


def _letters(text: bytes) -> bytes:
    """Give a text without what joins words: ``keyCPUQuota = "cpu-quota"`` only repeats itself."""
    return text.translate(None, b"_-. ")


def _is_unlike_any(candidate: Candidate, value: bytes, spelt: bytes) -> bool:
    """Whether a value has the shape of something else: cut short, hardly a letter, a digest or public id by name."""
    name = spelt.lower()
    if value[:6].lower() == b"basic " and _has_no_password(value[6:]):
        return True
    if (
        _WRITTEN.match(value)
        or _ALPHABET in value.lower()
        or value.endswith(b"...")
        or len(_ALPHANUMERIC.findall(value)) < 3
    ):
        return True
    if candidate.kind == "header":
        return bool(_ENGLISH.fullmatch(value)) or (name == b"basic" and _has_no_password(value))
    if _NO_SECRET_NAME.search(name) or (_ID_NAME.search(spelt) and b"secret" not in name):
        return True
    if (name in (b"token", b"key") and _CAPITALS.fullmatch(value)) or (
        _PALAU.fullmatch(spelt) and not _DIGIT.search(value)
    ):
        return True
    return b"key" in name and bool(_KEY_ID.fullmatch(value))


def _has_no_password(value: bytes) -> bool:
    """Whether the value of a Basic header decodes to a user and an empty password."""
    try:
        return a2b_base64(value).endswith(b":")
    except ValueError:
        return False


def _is_bare_nonsense(data: bytes, candidate: Candidate, value: bytes, place: Place) -> bool:
    """Whether a value without quotes is a reference, or the first word of a sentence."""
    if is_reference(value):
        return True
    if candidate.operator != b":" or place.language != _CONFIG_LANGUAGE:
        return False
    return bool(_PROSE_AFTER.match(data, candidate.end, candidate.end + 20))


def _is_foreign_prose(value: bytes, place: Place) -> bool:
    """Whether a value is letters and blanks in a language whose words are not known here."""
    if not value.isascii():
        return not _DIGITS_AND_MARKS.search(value)
    return place.translation and bool(_LETTERS.fullmatch(value))


def _is_worded(candidate: Candidate, value: bytes, worded: tuple[float, int, int], around: tuple[bool, bytes]) -> bool:
    """Whether a value reads as words where a credential would not."""
    share, count, _ = worded
    bare_code, name = around
    if len(_DIGIT.findall(value)) * 3 > len(value):  # the letters between digits may be anything
        return False
    if share > 0.99:
        if candidate.kind in ("flag", "header"):
            return True
        loose = not candidate.quote and (bare_code or count > 1 or candidate.operator in (b" ", b""))
        return loose or not CORE_BUT_KEY.search(name) or (count >= _PROSE_WORDS and is_prose(value))
    if bare_code and share > 0.6 and is_dotted(value):
        return True
    return share > 0.8 and count >= _PROSE_WORDS and is_prose(value)
