"""The hash chain of the audit log, without I/O: how an entry is made, and how a log is verified.

An entry is one line of canonical JSON (RFC 8785). With ``entry`` the line without ``hash`` and ``mac``:

    hash_n = SHA-256(0x00 || entry_n || hash_{n-1})      prev of the first entry is the log's random id
    mac_n  = HMAC-SHA-256(key_n, hash_n)                  key_{n+1} = HKDF-Expand(key_n), and key_n is erased

so an edit, a removal or a swap breaks the hashes, and one who recomputes the hashes lacks the past keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any, NamedTuple

import rfc8785

from hygiene.prove.event import INTENT, AuditEvent

START = "audit.start"
EPOCH = "audit.epoch"
CHECKPOINT = "audit.checkpoint"
_FIELDS = set(AuditEvent._fields) - {"log"}
_PROBLEMS_AT_MOST = 1000  # of a file that is no log at all
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_NEXT_KEY = b"hygiene audit next key\x01"  # info and counter of a one-block HKDF-Expand (RFC 5869)


class Head(NamedTuple):
    """Where a chain stands: all that the next entry needs."""

    log: str  # the log's id, 64 hex digits
    seq: int  # of the last entry; 0 before the first
    hash: str  # of the last entry; the log's id before the first
    mac: str  # of the last entry; empty before the first
    time: str  # of the last entry
    key: bytes  # the MAC key of the next entry


class Deed(NamedTuple):
    """What an entry tells, apart from who, when and in which place of the chain."""

    action: str
    object: str
    outcome: str
    detail: Mapping[str, str]


class Problem(NamedTuple):
    """One thing that a verification found wrong."""

    kind: str  # edited, rewritten, missing, swapped, inserted, unreadable, torn, truncated, clock, mac, signature
    seq: int  # the first bad entry
    line: int  # where it stands in its log, 1-based over all files; 0 when it does not stand anywhere
    message: str


def canonical(document: dict[str, Any]) -> bytes:
    """Give the RFC 8785 form of ``document``: strings, whole numbers below 2**53, and objects of them.

    For ASCII keys the standard library writes the same bytes, an order of magnitude faster.
    """
    text = _ENCODER.encode(document)
    inner = (key for value in document.values() if isinstance(value, dict) for key in value)
    if not all(key.isascii() for key in (*document, *inner)):
        return rfc8785.dumps(document)
    return text.encode()


def next_key(key: bytes) -> bytes:
    """Derive the key of the next entry; the way back does not exist."""
    return hmac_digest(key, _NEXT_KEY, "sha256")


def entry_after(head: Head, deed: Deed, *, time: str, actor: Mapping[str, str]) -> tuple[bytes, AuditEvent, Head]:
    """Make the entry that follows ``head``; gives its line (without newline), the event, and the new head."""
    before: dict[str, Any] = {"action": deed.action, "actor": dict(actor), "detail": dict(deed.detail)}
    after: dict[str, Any] = {
        "object": deed.object,
        "outcome": deed.outcome,
        "prev": head.hash,
        "prev_mac": head.mac,
        "seq": head.seq + 1,
        "time": time,
    }
    # Canonical JSON sorts its keys, so that hash and mac stand between these two halves.
    first, last = canonical(before)[:-1] + b",", canonical(after)[1:]
    digest = entry_hash(first + last, head.hash)
    mac = entry_mac(head.key, digest)
    event = AuditEvent(**before, **after, hash=digest, mac=mac, log=head.log)
    line = first + _sealed(digest, mac) + last
    return line, event, Head(head.log, event.seq, digest, mac, time, next_key(head.key))


def entry_hash(entry: bytes, prev: str) -> str:
    """Hash the canonical ``entry`` (without ``hash`` and ``mac``) onto ``prev`` (hex); gives hex."""
    return sha256(b"\x00" + entry + bytes.fromhex(prev)).hexdigest()


def entry_mac(key: bytes, digest: str) -> str:
    """Authenticate the entry with the hash ``digest`` (hex) by ``key``; gives hex."""
    return hmac_digest(key, bytes.fromhex(digest), "sha256").hex()


def unsealed(line: bytes, digest: str, mac: str) -> bytes:
    """Give ``line`` without its hash and mac, which is what the hash covers; ValueError where it has them not once."""
    sealed = _sealed(digest, mac)
    bare = line.replace(sealed, b"")
    if len(bare) != len(line) - len(sealed):
        raise ValueError("not an audit entry")
    return bare


def _sealed(digest: str, mac: str) -> bytes:
    return b'"hash":"%s","mac":"%s",' % (digest.encode(), mac.encode())


def parse_entry(line: bytes, log: str = "") -> AuditEvent:
    """Read one line; raises ValueError for anything that is not an entry."""
    try:
        return AuditEvent(**json.loads(line.decode()), log=log)
    except (TypeError, RecursionError) as error:
        raise ValueError("not an audit entry") from error


class Verifier:
    """Takes the lines of one log in order, and names what is wrong; a state machine without I/O.

    ``keys`` says which MAC keys are known: the key of the entry with that number. From there on every MAC
    is checked, until the keys change (an epoch entry). ``head`` is the state that the writer keeps beside the log,
    where it is at hand: the log must reach it, and what stands behind it must have been written with its key.
    ``anchors`` are the hashes of entries as they were kept outside: number of an entry → its hash.
    """

    def __init__(
        self,
        keys: Mapping[int, bytes] | None = None,
        head: Head | None = None,
        anchors: Mapping[int, str] | None = None,
    ) -> None:
        """Expect the log that ``head`` belongs to, or any."""
        self.log = head.log if head else ""
        self.problems: list[Problem] = []
        self.clock_steps: list[int] = []  # entries that say themselves that the clock went back
        self.epochs: list[int] = []
        self.intents: dict[int, tuple[str, str, str]] = {}  # without an outcome yet: time, action, object
        self.checkpoints: list[AuditEvent] = []
        self.macs = 0
        self.entries = 0
        self.seq = 0
        self.hash = self.log
        self.mac = ""
        self.first_time = ""
        self.time = ""
        self.start: AuditEvent | None = None
        self._head = head
        self._anchors = dict(anchors or {})
        self._last_anchor = max(self._anchors, default=0)
        self._keys = dict(keys or {})
        self._key: bytes | None = None
        self._missing: set[int] = set()
        self._gap = False  # the last line did not continue the one before, which has been said

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        self.entries += 1
        try:
            entry = json.loads(line.decode())
            claimed, mac, prev, seq, time = entry["hash"], entry["mac"], entry["prev"], entry["seq"], entry["time"]
            intent = int(entry["detail"].get("intent", 0))
            intact = entry_hash(unsealed(line, claimed, mac), prev) == claimed
            well_formed = type(seq) is int and type(time) is str and entry.keys() == _FIELDS
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            well_formed = False
        if not well_formed:
            self._unreadable()
            return
        if not intact:
            self._edited(claimed)
            return
        if seq != self.seq + 1:
            if not self._jump(seq):
                return
        elif prev != self.hash or entry["prev_mac"] != self.mac:
            self._break(seq, prev)
        self._gap = False
        self.seq, self.hash, self.mac = seq, claimed, mac
        if self._head is not None and seq == self._head.seq and (claimed, mac) != (self._head.hash, self._head.mac):
            self._problem("rewritten", seq, f"entry {seq} is not the one that was written last")
        if seq <= self._last_anchor and self._anchors.get(seq, claimed) != claimed:
            self._problem("rewritten", seq, f"entry {seq} is not the one that was anchored")
        self._check_mac(seq, claimed, mac)
        self._follow(seq, time, intent, entry)

    def torn(self) -> None:
        """Say that the last line has no end: a write was cut off, or the file was."""
        self.entries += 1
        self._problem("torn", self.seq + 1, "the last line is torn")

    def finish(self) -> None:
        """Say that no line follows."""
        if self.seq < self._last_anchor:
            what = f"entry {self._last_anchor} was anchored, and the log ends at {self.seq}"
            self.problems.append(Problem("truncated", self.seq + 1, 0, what))
        if self._head is not None and self.seq < self._head.seq:
            first, last = self.seq + 1, self._head.seq
            what = f"entry {first} is" if first == last else f"entries {first} to {last} are"
            self.problems.append(Problem("truncated", first, 0, f"{what} missing at the end"))
        self.problems = _one_each(self.problems)

    def _unreadable(self) -> None:
        self._problem("unreadable", self.seq + 1, f"entry {self.seq + 1} is not readable")
        self._skip()

    def _edited(self, claimed: str) -> None:
        # The number on a damaged line may be damaged too: it is named by its place.
        self._problem("edited", self.seq + 1, f"entry {self.seq + 1} was edited: its hash does not match")
        self._skip()
        self.hash = claimed

    def _skip(self) -> None:
        self.seq += 1
        self._gap = True
        self._key = None

    def _jump(self, seq: int) -> bool:
        """Handle an entry whose number is not the next; says whether to go on from it."""
        expected = self.seq + 1
        if seq > expected:
            last = seq - 1
            what = f"entry {expected} is" if last == expected else f"entries {expected} to {last} are"
            self._problem("missing", expected, f"{what} missing: entry {seq} stands in the place")
            self._missing.update(range(expected, min(seq, expected + 10_000)))
            self._key = None
            return True
        if seq in self._missing:
            self._missing.discard(seq)
            self._swapped(seq)
        else:
            self._problem("inserted", seq, f"two entries are numbered {seq}")
        return False

    def _swapped(self, seq: int) -> None:
        for index, problem in enumerate(self.problems):
            if problem.kind == "missing" and problem.seq == seq:
                message = f"entry {seq} stands out of order, after entry {self.seq}"
                self.problems[index] = problem._replace(kind="swapped", message=message)
                return
        self._problem("swapped", seq, f"entry {seq} stands out of order, after entry {self.seq}")

    def _break(self, seq: int, prev: str) -> None:
        if seq == 1:
            if self.log and prev != self.log:
                self._problem("rewritten", 1, "entry 1 starts another log")
            self.log = prev
        elif not self._gap and prev == self.hash:
            self._problem("edited", seq - 1, f"entry {seq - 1} was edited: its mac is not the one it had")
        elif not self._gap:
            # The next entry vouches for the one that it continues, and nothing vouches for the one that stands here.
            self._problem("rewritten", seq - 1, f"entry {seq - 1} was rewritten: entry {seq} continues another one")

    def _check_mac(self, seq: int, claimed: str, mac: str) -> None:
        key = self._keys.get(seq, self._key)
        if key is None:
            return
        self.macs += 1
        if not compare_digest(entry_mac(key, claimed), mac):
            self._problem("mac", seq, f"entry {seq} was not written by the holder of the log's key")
        self._key = next_key(key)

    def _follow(self, seq: int, time: str, intent: int, entry: dict[str, Any]) -> None:
        if time < self.time:
            if "clock_back" in entry["detail"]:
                self.clock_steps.append(seq)
            else:
                self._problem("clock", seq, f"entry {seq} is older than the one before it")
        self.time = time
        self.first_time = self.first_time or time
        if entry["outcome"] == INTENT:
            self.intents[seq] = (time, entry["action"], entry["object"])
        elif intent:
            self.intents.pop(intent, None)
        elif seq == 1:
            self.start = AuditEvent(**entry, log=self.log)
        elif entry["action"] == CHECKPOINT:
            self.checkpoints.append(AuditEvent(**entry, log=self.log))
        elif entry["action"] == EPOCH:
            self.epochs.append(seq)
            self._key = None

    def _problem(self, kind: str, seq: int, message: str) -> None:
        if len(self.problems) < _PROBLEMS_AT_MOST:
            self.problems.append(Problem(kind, seq, self.entries, message))


def _one_each(problems: list[Problem]) -> list[Problem]:
    """Keep the first problem said of each entry, in the order of the entries."""
    first: dict[int, Problem] = {}
    for problem in problems:
        first.setdefault(problem.seq, problem)
    return [first[seq] for seq in sorted(first)]
