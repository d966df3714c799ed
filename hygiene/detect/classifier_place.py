"""What a candidate's place says: the file's role and language, the line, its neighbours, the rest of the file."""

from __future__ import annotations

from hygiene.detect import regex as re
from hygiene.detect.generic import WINDOW, Candidate
from hygiene.record import NamedTuple

ROLES = (
    "test", "spec", "mock", "fixture", "example", "sample", "docs", "doc", "vendor", "resource", "conf", "setting",
    "lang", "locale",
    "template", "docker", "kube", "script", "build", "internal", "client", "server", "lib", "src", "api", "app",
    "assets", "public", "record",
)  # fmt: skip
_SYNONYMS = {
    "config": ("conf"),
    "i18n": "locale",
    "k8s": "kube",
    "fake": "mock",
    "cassette": "record",
    "third_party": "vendor",
    "node_modules": "vendor",
}
_LANGUAGES = {
    "code": (
        "py js jsx ts tsx mjs cjs java kt kts scala go rb cs c cc cpp h hpp m mm swift rs php pl pm hs "
        "lua dart groovy vue erl ex exs clj r jl vb pas"
    ),
    "config": (
        "yml yaml json toml ini cfg conf properties env tf tfvars tfstate hcl config xml plist ldif rsp "
        "manifest example sample dist template tpl cf"
    ),
    "shell": "sh bash zsh bats ps1 psm1 bat cmd fish dockerfile makefile",
    "prose": "md rst txt adoc html htm log snap textile org csv",
    "data": "sql lock map min svg po strings resx xliff arb pem key crt cer pub",
}
_LANGUAGE_OF = {ending: index + 1 for index, endings in enumerate(_LANGUAGES.values()) for ending in endings.split()}
_COMMENT = re.compile(rb"^\s*(?:#|//|/?\*|--|;|<!--|%|\"\"\"|'''|REM\b)", re.IGNORECASE)
_NEIGHBOUR = re.compile(  # as all that is sought in a line: on lower case
    rb"user|login|email|e-mail|host|database|account|client.?id|consumer|access.?key|username|server|port\b"
)
_CALLED = re.compile(rb"assert|expect|should|equal|test|mock|fake|stub|example|given|when|verify")
_TRANSLATION = re.compile(r"locale|i18n|l10n|lang|translat|\.(?:po|pot|xliff|xlf|resx|arb|strings|rrc)$|messages_")
_PROSE_AFTER = re.compile(rb"\s+[^\W\d]{2,}|\s+[\x80-\xff]|[.,]\s+[A-Za-z]")
_CORE = re.compile(rb"[A-Za-z]+")
_NO_WORD = 20  # bytes
_REACH = 100_000  # bytes
_MOST = 9  # times that are told apart
_ASCII = bytes(range(128))
_WRAPPED = re.compile(rb"[A-Za-z_]\w*[({\[]")
OPERATORS = {
    b"": 0,
    b" ": 1,
    b"=": 2,
    b":": 3,
    b"=>": 4,
    b":=": 5,
    b"==": 6,
    b"(": 7,
    b",": 8,
    b">": 9,
    b"===": 6,
    b"!=": 10,
    b"->": 11,
    b"<-": 11,
    b"{": 7,
}
QUOTES = {b"": 0, b'"': 1, b"'": 2, b"`": 3, b'"""': 4, b'\\"': 5}
KINDS = {"assign": 0, "near": 1, "header": 2, "url": 3, "flag": 4, "key-block": 5, "token": 6, "bytes": 7, "jwk": 8}

ELSEWHERE = ("same_value", "core_elsewhere", "same_name")
_UNSEEN = (0.0,) * len(ELSEWHERE)
PLACE_FEATURES = (
    "kind", "operator", "quote", "language", *(f"role_{role}" for role in ROLES), "comment", "line_length",
    "before_length", "after_length", "after_class",
    "unquoted_code", "distance", "neighbours", "called",
    *ELSEWHERE, "value_is_name", "value_has_name",
    "others_on_line", "strings_on_line", "indent",
    "name_is_quoted", "before_class", "multi_line", "prose_after", "foreign", "wrapped", "user_before",
)  # fmt: skip

_FOLLOWING = 240  # bytes in which the two lines after are looked for


class Place(NamedTuple):
    """What is the same for all candidates of a file."""

    roles: tuple[float, ...]
    ending: bytes
    language: int
    translation: bool  # a file of texts in some language
    number: int  # the same for places that are the same in all this


_MOST_PLACES = 4096
_places: dict[str, Place] = {}
_numbers: dict[object, int] = {}


def place_of(path: str) -> Place:
    """Read a path's roles, ending and class of language (0 unknown, 1 code, 2 config, 3 shell, 4 prose, 5 data)."""
    place = _places.get(path)
    if place is None:
        if len(_places) >= _MOST_PLACES:
            _places.clear()
        place = _places[path] = _read_place(path)
    return place


def _read_place(path: str) -> Place:
    lowered = path.lower()
    for word, role in _SYNONYMS.items():
        lowered = lowered.replace(word, role)
    name = lowered.rsplit("/", 1)[-1]
    ending = name.rsplit(".", 1)[-1] if "." in name else ("" if name not in _LANGUAGE_OF else name)
    what = (
        tuple(float(role in lowered) for role in ROLES),
        ending.encode("utf-8", "replace")[:12],
        _LANGUAGE_OF.get(ending, 0),
        bool(_TRANSLATION.search(lowered)),
    )
    return Place(*what, _numbers.setdefault(what, len(_numbers)))


class Line(NamedTuple):
    """The line of a candidate, cut to a window, and what follows it."""

    start: int
    end: int
    before: bytes  # on the line, before the name
    between: bytes
    after: bytes  # on the line, after the value
    following: bytes


def line_of(data: bytes, candidate: Candidate) -> Line:
    """Cut out what stands around a candidate: 200 bytes each side on its line, and the two lines after it."""
    low = max(0, candidate.name_start - 200)
    start = data.rfind(b"\n", low, candidate.name_start) + 1 or low
    high = min(len(data), candidate.end + 200)
    end = data.find(b"\n", candidate.end, high)
    end = high if end < 0 else end
    later = data[end + 1 : end + _FOLLOWING].split(b"\n")[:2]
    return Line(
        start, end, data[start : candidate.name_start], data[candidate.name_end : candidate.start],
        data[candidate.end : end],
        b"\n".join(later),
    )  # fmt: skip


class Around(NamedTuple):
    """What stands around a candidate."""

    line: Line
    on_line: int  # how many candidates the line holds


def place_features(data: bytes, candidate: Candidate, place: Place, around: Around) -> list[float]:
    """Describe a candidate's place, in the order of ``PLACE_FEATURES``.

    What ``ELSEWHERE`` names is 0: that takes a look at the rest of the file.
    """
    line = around.line
    value = data[candidate.start : candidate.end]
    name = data[candidate.name_start : candidate.name_end].lower()
    lowered = value.lower()
    whole = data[line.start : line.end]
    before = line.before.lower()
    after = line.after.lstrip(b"\"'`\\")
    return [
        float(KINDS[candidate.kind]), float(OPERATORS.get(candidate.operator, 12)),
        float(QUOTES.get(candidate.quote, 6)), float(place.language), *place.roles,
        float(bool(_COMMENT.match(whole))), float(len(whole)), float(len(line.before)), float(len(line.after)),
        float(_first_class(after)),
        float(candidate.quote == b"" and place.language == 1), float(candidate.start - candidate.name_end),
        float(len(_NEIGHBOUR.findall(line.following.lower()))),
        float(len(_CALLED.findall(before))),
        *_UNSEEN,
        float(lowered == name), float(bool(name) and (name in lowered or lowered in name)), float(around.on_line),
        float(whole.count(b'"') + whole.count(b"'")), float(len(whole) - len(whole.lstrip())),
        float(line.between[:1] in (b'"', b"'", b"`", b"\\")),
        float(_first_class(line.before.rstrip(b" \t\"'`")[-1:])), float(b"\n" in value),
        float(bool(_PROSE_AFTER.match(line.after))), _foreign(line), float(bool(_WRAPPED.search(line.between))),
        float(bool(_NEIGHBOUR.search(before))),
    ]  # fmt: skip


def _first_class(text: bytes) -> int:
    """The class of the first byte: 0 nothing, 1 letter or digit, then one number for each mark that matters."""
    if not text:
        return 0
    return b",;)]}.+ \\&<:#(/=-|\"'".find(text[:1]) + 3 if not text[:1].isalnum() else 1


def _foreign(line: Line) -> float:
    """The share of the surroundings that is outside ASCII, or escaped so: translations."""
    text = line.before + line.after + line.following
    outside = 0 if text.isascii() else len(text.translate(None, _ASCII))
    outside += 4 * text.count(b"\\u")
    return outside / (len(text) + 1)


class Rest:
    """The rest of a candidate's file: how often it holds what the candidate consists of."""

    def __init__(self, data: bytes) -> None:
        """Look in ``data``, the whole file."""
        self._data = data
        self._counts: dict[bytes, int] = {}

    def holds(self, candidate: Candidate) -> tuple[float, float, float]:
        """Give ``ELSEWHERE``: how often value, longest letters, and name stand here (up to 9, 100 KB each way)."""
        if not 3 <= candidate.end - candidate.start <= 200:
            return 0.0, 0.0, 0.0
        value = self._data[candidate.start : candidate.end]
        name = self._data[candidate.name_start : candidate.name_end]
        core = max(_CORE.findall(value), key=len, default=b"")
        same = others = 0
        if 4 <= len(core) < len(value):
            cores = self._count(core, candidate, 2 * _MOST)
            same = self._count(value, candidate, _MOST) if cores > 1 else cores  # what holds the value holds its core
            others = min(_MOST, cores - same)
        else:
            same = self._count(value, candidate, _MOST)
        if same > 1 and len(value) >= _NO_WORD:
            same = max(1, same - self._again(value, candidate))
        names = self._count(name, candidate, _MOST) if 3 <= len(name) <= 60 else 0
        return float(same), float(others), float(names)

    def _again(self, value: bytes, candidate: Candidate) -> int:
        """How often a value that is too long for a word stands on its line again: written twice, it is no less one."""
        low = self._data.rfind(b"\n", max(0, candidate.start - WINDOW), candidate.start) + 1
        high = self._data.find(b"\n", candidate.end, candidate.end + WINDOW)
        line = self._data[low or candidate.start : high if high >= 0 else candidate.end + WINDOW]
        return max(0, line.count(value) - 1)

    def _count(self, text: bytes, candidate: Candidate, most: int) -> int:
        low, high = max(0, candidate.start - _REACH), candidate.end + _REACH
        if low or high < len(self._data):
            return _count(self._data, text, low, high, most)
        found = self._counts.get(text)
        if found is None:
            found = self._counts[text] = _count(self._data, text, low, high, 2 * _MOST)
        return min(most, found)


def _count(data: bytes, text: bytes, low: int, high: int, most: int) -> int:
    """Count ``text`` as ``bytes.count`` does, but no further than to ``most``: names come often."""
    count, at = 0, data.find(text, low, high)
    while at >= 0:
        count += 1
        if count == most:
            break
        at = data.find(text, at + len(text), high)
    return count
