"""Whether the lines of a log continue one another; a state machine without I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, NamedTuple

from hygiene.prove.chain import (
    ANCHORED,
    CHECKPOINT,
    EPOCH,
    Head,
    entry_hash,
    entry_mac,
    next_key,
    parse_entry,
    unsealed,
)
from hygiene.prove.event import INTENT, AuditEvent

_FIELDS = set(AuditEvent._fields) - {"log"}
_PROBLEMS_AT_MOST = 1000  # of a file that is no log at all
# What nearly every line of a sound log is, so that it need not be parsed: all else takes the long way.
_TEXT = rb'"[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-f]{4})[^"\\]*+)*+"'
_TEXTS = rb'\{(?:%b:%b(?:,(?=")|(?=\})))*+\}' % (_TEXT, _TEXT)
_ORDINARY = re.compile(
    rb'\{"action":(?!"audit\.)%b,"actor":%b,"detail":(%b),"hash":"(.{64})","mac":"(.{64})",'
    rb'"object":%b,"outcome":"([a-z]++)","prev":"(.{64})","prev_mac":"(.{64})","seq":([1-9][0-9]{0,15}+),'
    rb'"time":"([0-9T:.Z-]{24})"\}' % (_TEXT, _TEXTS, _TEXTS, _TEXT)
)
_OUTCOME_OF = re.compile(rb'"intent":"([0-9]{1,16}+)"')
_INTENT = INTENT.encode()
_CONTROL = bytes(range(0x20))  # JSON escapes them
_SEALED_LENGTH = len('"hash":"",') + len('"mac":"",') + 2 * 64


class Problem(NamedTuple):
    """One thing that a verification found wrong."""

    kind: str  # edited, rewritten, missing, swapped, inserted, unreadable, torn, truncated, clock, mac, signature
    seq: int  # the first bad entry
    line: int  # where it stands in its log, 1-based over all files; 0 when it does not stand anywhere
    message: str


class Verifier:
    """Takes the lines of one log in order, and names what is wrong; a state machine without I/O.

    ``keys`` says which MAC keys are known: the key of the entry with that number. From there on every MAC
    is checked, until the keys change (an epoch entry). ``head`` is the state that the writer keeps beside the log,
    where it is at hand: the log must reach it, and what stands behind it must have been written with its key.
    ``anchors`` are the hashes of entries as they were kept outside: number of an entry → its hash.
    ``after`` is the entry that the first line follows, where that is not the beginning of the log.
    """

    def __init__(
        self,
        keys: Mapping[int, bytes] | None = None,
        head: Head | None = None,
        anchors: Mapping[int, str] | None = None,
        after: Head | None = None,
    ) -> None:
        """Expect the log that ``head`` belongs to, or any."""
        self.log = after.log if after else head.log if head else ""
        self.problems: list[Problem] = []
        self.clock_steps: list[int] = []  # entries that say themselves that the clock went back
        self.epochs: list[int] = []
        self.checkpoints: list[AuditEvent] = []
        self.anchorings: list[AuditEvent] = []
        self.macs = 0
        self.entries = 0
        self.seq = after.seq if after else 0
        self.hash = after.hash if after else self.log
        self.mac = after.mac if after else ""
        self.first_time = ""
        self.time = after.time if after else ""
        self.start: AuditEvent | None = None
        self._open: dict[int, bytes] = {}  # the lines of intents without an outcome yet
        self._answered: set[int] = set()  # intents that are not among these lines, and have their outcome
        self._head = head
        self._anchors = dict(anchors or {})
        self._last_anchor = max(self._anchors, default=0)
        self._keys = dict(keys or {})
        self._key: bytes | None = None
        self._missing: set[int] = set()
        self._gap = False  # the last line did not continue the one before, which has been said

    @property
    def intents(self) -> dict[int, tuple[str, str, str]]:
        """Intents without an outcome: number of the entry → time, action and object."""
        events = ((seq, parse_entry(line)) for seq, line in sorted(self._open.items()))
        return {seq: (event.time, event.action, event.object) for seq, event in events}

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        self.entries += 1
        if not self._continues(line):
            self._judge(line)

    def _continues(self, line: bytes) -> bool:
        """Take ``line`` if it is an ordinary entry that follows the last one and has nothing wrong."""
        parts = _ORDINARY.fullmatch(line)
        if parts is None or self._gap or not (line.isascii() or _is_utf8(line)):
            return False
        if len(line.translate(None, _CONTROL)) != len(line):
            return False
        detail, claimed, mac, outcome, prev, prev_mac, seq, time = parts.groups()
        if prev != self.hash.encode() or prev_mac != self.mac.encode() or int(seq) != self.seq + 1:
            return False
        sealed = parts.start(2) - len(b'"hash":"')
        entry = line[:sealed] + line[sealed + _SEALED_LENGTH :]
        if entry_hash(entry, self.hash) != claimed.decode() or time.decode() < self.time:
            return False
        self._accept(self.seq + 1, claimed.decode(), mac.decode())
        self.time = time.decode()
        self.first_time = self.first_time or self.time
        if outcome == _INTENT:
            self._open[self.seq] = line
        elif named := _OUTCOME_OF.search(detail):
            self._close(int(named[1]))
        return True

    def _judge(self, line: bytes) -> None:
        """Take any line, and say what is wrong with it."""
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
        self._accept(seq, claimed, mac)
        self._follow(line, entry, intent)

    def _accept(self, seq: int, claimed: str, mac: str) -> None:
        """Go on to entry ``seq``; holds it against what is known of it."""
        self.seq, self.hash, self.mac = seq, claimed, mac
        if self._head is not None and seq == self._head.seq and (claimed, mac) != (self._head.hash, self._head.mac):
            self._problem("rewritten", seq, f"entry {seq} is not the one that was written last")
        if seq <= self._last_anchor and self._anchors.get(seq, claimed) != claimed:
            self._problem("rewritten", seq, f"entry {seq} is not the one that was anchored")
        self._check_mac(seq, claimed, mac)

    def follows(self, former: Verifier) -> bool:
        """Say whether this one, unfed, begins where ``former`` ended and found nothing wrong."""
        end = (former.log, former.seq, former.hash, former.mac, former.time)
        return not former.problems and end == (self.log, self.seq, self.hash, self.mac, self.time)

    def join(self, former: Verifier) -> None:
        """Take over what ``former`` found in the lines before ours."""
        self.entries += former.entries
        self.macs += former.macs
        self.first_time, self.start = former.first_time, former.start
        self.clock_steps[:0], self.epochs[:0] = former.clock_steps, former.epochs
        self.checkpoints[:0], self.anchorings[:0] = former.checkpoints, former.anchorings
        self._open |= {seq: line for seq, line in former._open.items() if seq not in self._answered}
        self._answered |= former._answered

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

    def _close(self, intent: int) -> None:
        if self._open.pop(intent, None) is None:
            self._answered.add(intent)

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

    def _follow(self, line: bytes, entry: dict[str, Any], intent: int) -> None:
        seq, time = self.seq, entry["time"]
        if time < self.time:
            if "clock_back" in entry["detail"]:
                self.clock_steps.append(seq)
            else:
                self._problem("clock", seq, f"entry {seq} is older than the one before it")
        self.time = time
        self.first_time = self.first_time or time
        if entry["outcome"] == INTENT:
            self._open[seq] = line
        elif intent:
            self._close(intent)
        elif seq == 1:
            self.start = AuditEvent(**entry, log=self.log)
        elif entry["action"] == CHECKPOINT:
            self.checkpoints.append(AuditEvent(**entry, log=self.log))
        elif entry["action"] == ANCHORED:
            self.anchorings.append(AuditEvent(**entry, log=self.log))
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


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
