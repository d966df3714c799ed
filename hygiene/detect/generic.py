"""Candidates for generic credentials: the wide net whose catch the classifier sorts.

The engine's generic rules (``rules/generic.toml``) say only where a credential's name, scheme or header stands. Here
the lines around those places are read closely, in plain Python: what is the name, what is assigned to it, and how. A
candidate is a place, not a verdict.
"""

from __future__ import annotations

from hygiene.detect import regex as re
from hygiene.detect.memo import Memo
from hygiene.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

WINDOW = 400  # bytes of a line that are read to each side of a hit: a minified line costs no more than a normal one
MAX_VALUE = 4096
MAX_CANDIDATES = 20_000  # a file: bounds the work on dumps and word lists


class Candidate(NamedTuple):
    """A value that may be a credential, and the name that makes one think so; half-open byte offsets."""

    kind: str  # assign, near, header, url, flag, key-block, token, bytes
    start: int
    end: int
    name_start: int
    name_end: int
    operator: bytes = b""
    quote: bytes = b""


# What makes an identifier the name of a credential (see docs/adr/0040).
_NAMES = (
    b"key", b"pass", b"token", b"secret", b"auth", b"api", b"pwd", b"cred", b"psw", b"otp", b"nonce", b"salt", b"jwt",
    b"kennwort", b"contrase", b"senha", b"haslo", b"heslo", b"mnemonic",
)  # fmt: skip
_SHORT_NAME = re.compile(rb"(?:^|[^a-z])pw(?:$|[^a-z])|(?:pw|mdp|dsn|psk)$")
_IDENTIFIER = re.compile(rb"[A-Za-z_$@\x80-\xff](?:[\w$@.\x80-\xff]|-(?=[\w]))*")
_AFTER = re.compile(
    rb"""["'`\\*]{0,4}[\])}]{0,3}["']?
    (?:(?:,|\r?\n)\s{0,80}["']?[Vv]alue["']?(?=[ \t]{0,4}:)|</key>\s{0,80}<string(?=>))?  # name and value apart
    (?P<gap>[ \t]{0,40})
    (?:(?::\s*|[ \t]+)(?:[&*]?[\w.\[\]<>?|]{1,40})(?:[ \t]+(?==[^=])|(?==[^=\s])))?  # a type between name and value
    (?P<op>:=|=>|->|<-|===?|!==?|[+.]=|\?\??=|\|\||;s:\d{1,4}:|[=:,>(]|\{|(?=\s)|(?=["'`]))\s{0,20}
    (?P<wrap>(?:(?:new|return|await|not|final|const|static|with:)\s+)?(?:[&*]?[\w.:<>\[\]]{0,48}[({\[]\s{0,4}){0,2})
    (?:[rbufRBLU@$&]{1,2}(?=["'`]))?
    (?P<value>"{3}[^"]{1,4096}"{3}|"(?:[^"\\\n]|\\.){1,4096}"?|'(?:[^'\\\n]|\\.){1,4096}'?|`[^`\n]{1,4096}`?|
      \\+"[^"\\\n]{1,4096}\\+"|\\+'[^'\\\n]{1,4096}\\+'|[^\s"'`]{1,4096})
    """,
    re.VERBOSE,
)
_STRING = re.compile(rb"""(["'`])((?:(?!\1)[^\\\n]|\\.){3,4096})\1""")
_MORE = re.compile(rb"""\s*,\s*(["'`])((?:(?!\1)[^\\\n]|\\.){3,4096})\1""")
_HEADER = re.compile(
    rb"(?i)\b(Basic|Bearer|Token|ApiKey|Api-Key|GenieKey|SSWS|Splunk|Digest|OAuth)(?:\s{1,4}|%20|\+)([A-Za-z0-9+/=_.~\-%:]{4,4096})"
)
_URL = re.compile(rb"(?i)\b([a-z][a-z0-9+.%-]{1,30})://([^\s\"'`<>/?#:]{0,200}):([^\s\"'`<>/]{1,300})@(?=[\w\[{$<%.-])")
_FLAG = re.compile(
    rb"""(?<![\w-])(--?[A-Za-z][\w-]{0,40}|/[A-Za-z]\w{1,30}:)(?:\s+|=|(?<=:))(?!-)["']?(?:[\w.+@-]{1,60}:["']?)?([^\s"'`]{3,300})"""
)
_SQL = re.compile(
    rb"""(?i)\b(identified\s+by|password\s+for\s+\S+\s*=|ConvertTo-SecureString(?:\s+-String)?)\s+(\\?["'`]?)([^\s"'`\\;]{3,300})"""
)
_BLOCK = re.compile(
    rb"-----BEGIN[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----|"
    rb"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{20,}|\bMI[IG][A-Za-z0-9+/]{40,}=*"
)
_BLOCK_MARKS = (b"-----BEGIN", b"LS0tLS1CRUdJTi", b"MI")
_BLOCK_END = re.compile(rb"-----END[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----")
_TOKEN = re.compile(
    rb"\b(?=[eACFIKMNPQRSTUXxky\d])(?:"  # what all alternatives begin with: few places are read closer
    rb"(?<![\w/+])eyJ[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*){0,4}|(?<=/)eyJ[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*){1,4}|A(?:KI|SI|RO|NP|ID|IP|GP|BI|CC)A[A-Z0-9]{12,17}\b|"
    rb"(?:AC|AD|AL|CA|CF|CL|CN|CR|FW|IP|KS|MM|NO|PK|PN|QU|RE|SC|SD|SK|SM|TR|UT|XE|XR)[0-9a-f]{32}\b|"
    rb"\d{9,14}-[0-9a-z_]{32}\.apps\.googleusercontent\.com|AIza[0-9A-Za-z_-]{30,36}(?![\w-])|key-[0-9a-z]{32}\b|"
    rb"xox[a-z]-[0-9A-Za-z-]{10,}|ya29\.[\w-]{10,})"
)
_NUMBER = rb"(?:0x[0-9A-Fa-f]{1,2}|\d{1,3})"
_BYTES = re.compile(
    rb"(\w*(?:[Kk]ey|[Tt]oken|[Ss]ecret|[Aa]uth)[\w.]*)[ \t:=]+(?:[\w.\[\]]{0,40}[{(]|\[)\s*"
    rb"(" + _NUMBER + rb"(?:\s*,\s*" + _NUMBER + rb"){7,})"
)
_NUMBERS = re.compile(rb"\d\s*,\s*(?:" + _NUMBER + rb"\s*,\s*){6}\d")  # found faster than what holds them
_LEAST_COMMAS = 7
# What a line must hold, in lower case, for an expression to be worth its time.
_SCHEMES = (b"basic", b"bearer", b"token", b"api", b"geniekey", b"ssws", b"splunk", b"digest", b"oauth")
_STATEMENTS = (b"identified", b"password", b"securestring")
_JWK = re.compile(rb"""kty\\?["'`]?\s*[:=]\s*\\?["'`](?:RSA|EC|OKP|oct)""")
_JWK_MEMBER = re.compile(rb"""(?<![\w$])([dk])\\?["'`]?\s{0,3}[:=]\s{0,3}\\?["'`]([\w+/=-]{16,4096})""")
_JWK_REACH = 3000
# What begins a line whose value has its name on a line above: a string, a value of a list or a plist, a closing tag.
_CONTINUED = re.compile(rb"""\s*(?:[+.(]?\s*[bru@]?["'`]|["']?[Vv]alue["']?\s*:|<string>|</)""")
_CONTINUING = b"+.(bru@\"'`Vv<"  # what it begins with
_CLOSED = re.compile(rb"\s*</")
_WEAK_SCHEMES = (b"token", b"digest", b"oauth", b"apikey", b"api-key")
_TRAILING = b",;)]}>"
_NEXT_PAIR = re.compile(rb";\s{0,4}[A-Za-z][\w .]{0,40}=")  # of a connection string
_PAIR_REACH = 48


def candidates(data: bytes, path: str, hits: Sequence[int]) -> list[Candidate]:
    """Find the candidates on the lines that hold the given hits.

    Args:
        data: the blob.
        path: where it stands (a hint).
        hits: offsets just after what the engine's generic rules matched, in any order.

    Returns:
        Candidates in the order of their place, each span once.
    """
    return gathered(data, hits, lambda start, end: list(candidates_between(data, start, end)))


def gathered(data: bytes, hits: Sequence[int], on_line: Callable[[int, int], Sequence[Candidate]]) -> list[Candidate]:
    """Join what ``on_line`` gives for each line that holds ``hits``: in the order of their place, each span once."""
    found: dict[tuple[int, int], Candidate] = {}
    block_end = 0
    for start, end in _windows(data, hits):
        if start < block_end:
            continue
        here = on_line(start, end)
        if not here:
            continue
        block_end = max(block_end, _key_block_end(here))
        for candidate in here:
            found.setdefault((candidate.start, candidate.end), candidate)
        if len(found) >= MAX_CANDIDATES:
            break
    return sorted(found.values(), key=lambda candidate: (candidate.start, candidate.end))


def moved(candidate: Candidate, by: int) -> Candidate:
    """Give ``candidate`` with its offsets moved by so many bytes."""
    kind, start, end, name_start, name_end, operator, quote = candidate
    return Candidate(kind, start + by, end + by, name_start + by, name_end + by, operator, quote)


def _key_block_end(found: Iterable[Candidate]) -> int:
    """Give where the last key block among ``found`` ends: what stands inside of it is no candidate."""
    return max((candidate.end for candidate in found if candidate.kind == "key-block"), default=0)


def _windows(data: bytes, hits: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the lines that hold the hits as half-open spans, each once, in order; long lines cut around their hits."""
    done = -1
    for after in sorted(hits):
        hit = max(0, after - 1)
        if hit < done:
            continue
        start, end = _window(data, hit)
        start, done = max(start, done), end
        yield start, end


def _window(data: bytes, hit: int) -> tuple[int, int]:
    """The line of a hit, cut to ``WINDOW`` bytes each side."""
    low = max(0, hit - WINDOW)
    start = data.rfind(b"\n", low, hit) + 1 or low
    if (
        start > low and data[start : hit + 1].lstrip()[:1] in _CONTINUING and _CONTINUED.match(data, start, hit + 1)
    ):  # the value stands below its name
        is_closed = _CLOSED.match(data, start, hit + 1)
        start = data.rfind(b"\n", low, start - 1) + 1 or low
        if is_closed and start > low:  # <password>, its value and its end on three lines
            start = data.rfind(b"\n", low, start - 1) + 1 or low
    end = data.find(b"\n", hit, hit + WINDOW)
    return start, (min(len(data), hit + WINDOW) if end < 0 else end)


def candidates_between(data: bytes, start: int, end: int) -> Iterator[Candidate]:
    """Give the candidates whose name stands in a window; their values may reach beyond its end."""
    line = data[start:end]
    blocked: tuple[int, int] = (0, 0)
    for special in _special(data, line, start):
        if special.kind == "key-block":
            blocked = (special.start, special.end)
        yield special
    for word in _IDENTIFIER.finditer(line):
        name = word[0]
        if not _named[name] or len(name) > 120:
            continue
        name_start = start + word.start()
        if not blocked[0] <= name_start < blocked[1]:
            yield from _assigned(data, end, name_start, start + word.end())


def _assigned(data: bytes, end: int, name_start: int, name_end: int) -> Iterator[Candidate]:
    after = _AFTER.match(data, name_end, min(len(data), end + MAX_VALUE))
    quoted = False
    if after:
        first, last, quote = _unquoted(data, *after.span("value"))
        if last - first >= 3 and not (after.group("op") == b"," and b"\n" in data[after.start("op") : first]):
            operator = after.group("op")[:2] or (b" " if after.group("gap") else b"")
            yield Candidate("assign", first, last, name_start, name_end, operator, quote)
            quoted = bool(quote)
            more = (
                _MORE.match(data, after.end("value"), end) if quote and operator in (b"[", b":", b"=", b"(") else None
            )
            if more:
                yield Candidate("near", more.start(2), more.end(2), name_start, name_end, b",", more.group(1))
    if not quoted:
        line_end = data.find(b"\n", name_end, end)
        reach = min(line_end if line_end >= 0 else end, name_end + 120)
        for count, string in enumerate(_STRING.finditer(data, name_end, reach)):
            if count == 2 or string.start() - name_end > 60:
                break
            yield Candidate("near", string.start(2), string.end(2), name_start, name_end, b"", string.group(1))


def _unquoted(data: bytes, start: int, end: int) -> tuple[int, int, bytes]:
    """The span of a value without its quotes, and the quote."""
    first = data[start : start + 1]
    if data[start : start + 3] == b'"""':
        return start + 3, end - 3, b'"""'
    if first == b"\\":
        while data[start : start + 1] == b"\\":
            start += 1
        end -= 1
        while data[end - 1 : end] == b"\\":
            end -= 1
        return start + 1, end, b'\\"'
    if first in (b'"', b"'", b"`"):
        return start + 1, end - (data[end - 1 : end] == first and end - start > 1), first
    while end > start and data[end - 1] in _TRAILING:
        end -= 1
    cut = data.find(b"<", start, end)
    if data.find(b";", start, end) > start and (pair := _NEXT_PAIR.search(data, start + 1, end + _PAIR_REACH)):
        end = min(end, pair.start())
    return start, (cut if start < cut < end else end), b""


def _is_name(identifier: bytes) -> bool:
    lowered = identifier.lower()
    return _holds(lowered, _NAMES) or _SHORT_NAME.search(lowered) is not None


_named = Memo(_is_name, 50_000)


def _holds(line: bytes, words: Sequence[bytes]) -> bool:
    for word in words:  # noqa: SIM110 - a generator takes longer than the search
        if word in line:
            return True
    return False


def _special(data: bytes, line: bytes, start: int) -> Iterator[Candidate]:
    lowered = line.lower()
    for m in _BLOCK.finditer(line) if _holds(line, _BLOCK_MARKS) else ():
        close = _BLOCK_END.search(data, start + m.end(), start + m.end() + 20000) if line[m.start()] == 45 else None
        yield Candidate(
            "key-block", start + m.start(), close.end() if close else start + m.end(), start, start + m.start()
        )
    if b"kty" in line and (jwk := _JWK.search(line)):
        first = max(data.rfind(b"{", 0, start + jwk.start()), start + jwk.start() - _JWK_REACH, 0)
        last = data.find(b"}", start + jwk.end(), start + jwk.end() + _JWK_REACH)
        for m in _JWK_MEMBER.finditer(data, first, last if last >= 0 else start + jwk.end() + _JWK_REACH):
            yield Candidate("jwk", m.start(2), m.end(2), m.start(1), m.end(1), b":", b'"')
    for m in _TOKEN.finditer(line):
        yield Candidate("token", start + m.start(), start + m.end(), start, start + m.start())
    for m in _HEADER.finditer(line) if _holds(lowered, _SCHEMES) else ():
        if m.group(1).lower() in _WEAK_SCHEMES and b"uthoriz" not in line:
            continue
        yield Candidate("header", start + m.start(2), start + m.end(2), start + m.start(1), start + m.end(1), b" ")
    for m in _URL.finditer(line) if b"://" in line else ():
        yield Candidate("url", start + m.start(3), start + m.end(3), start + m.start(1), start + m.end(2), b":")
    for m in _SQL.finditer(line) if _holds(lowered, _STATEMENTS) else ():
        yield Candidate(
            "assign", start + m.start(3), start + m.end(3), start + m.start(1), start + m.end(1), b" ", m.group(2)[-1:]
        )
    for m in _FLAG.finditer(line) if b"-" in line or b"/" in line else ():
        yield Candidate("flag", start + m.start(2), start + m.end(2), start + m.start(1), start + m.end(1), b" ")
    for m in _BYTES.finditer(line) if line.count(b",") >= _LEAST_COMMAS and _NUMBERS.search(line) else ():
        yield Candidate("bytes", start + m.start(2), start + m.end(2), start + m.start(1), start + m.end(1), b"{")
