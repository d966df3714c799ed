"""Every attack on the lines of a log, tried."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hygiene.prove.chain import Deed, Head, entry_after, parse_entry
from hygiene.prove.verifier import Verifier

LOG = "ab" * 32
KEY = b"k" * 32


def chain(count: int = 8, times: list[str] | None = None) -> tuple[list[bytes], list[Head]]:
    heads, lines = [Head(LOG, 0, LOG, "", "", KEY)], []
    for number in range(1, count + 1):
        time = times[number - 1] if times else f"2026-11-24T10:00:0{number}.000Z"
        deed = Deed("secret.get", f"ref+embedded://shop/{number}", "ok", {"note": 'ünï\t"q"'})
        line, _, head = entry_after(heads[-1], deed, time=time, actor={"user": "ada"})
        lines.append(line)
        heads.append(head)
    return lines, heads


def verify(lines: list[bytes], head: Head | None = None, keys: dict[int, bytes] | None = None) -> Verifier:
    verifier = Verifier(keys, head)
    for line in lines:
        verifier.feed(line)
    verifier.finish()
    return verifier


def first(verifier: Verifier) -> tuple[str, int]:
    return (verifier.problems[0].kind, verifier.problems[0].seq) if verifier.problems else ("", 0)


def test_chain_untouched_verifies_with_every_mac():
    lines, heads = chain()
    verifier = verify(lines, heads[-1], {1: KEY})
    assert verifier.problems == []
    assert (verifier.seq, verifier.macs, verifier.log) == (8, 8, LOG)


def test_hash_is_what_an_independent_reader_computes():
    lines, _ = chain(2)
    entry = json.loads(lines[1])
    hashed = {key: value for key, value in entry.items() if key not in ("hash", "mac")}
    expected = sha256(b"\x00" + rfc8785.dumps(hashed) + bytes.fromhex(entry["prev"])).hexdigest()
    assert entry["hash"] == expected
    assert rfc8785.dumps(entry) == lines[1]


@pytest.mark.parametrize("victim", range(8))
def test_one_byte_changed_anywhere_in_an_entry_names_that_entry(victim):
    lines, heads = chain()
    for place in range(len(lines[victim])):
        changed = bytearray(lines[victim])
        changed[place] ^= 0x01
        damaged = [*lines[:victim], bytes(changed), *lines[victim + 1 :]]
        kind, seq = first(verify(damaged, heads[-1]))
        assert (kind in ("edited", "unreadable", "rewritten"), seq) == (True, victim + 1), (place, kind, seq)


@pytest.mark.parametrize("victim", range(8))
def test_one_line_dropped_names_the_missing_entry(victim):
    lines, heads = chain()
    kind, seq = first(verify(lines[:victim] + lines[victim + 1 :], heads[-1]))
    assert (kind, seq) == ("truncated" if victim == 7 else "missing", victim + 1)


@pytest.mark.parametrize("victim", range(7))
def test_two_lines_swapped_names_the_first_of_them(victim):
    lines, heads = chain()
    lines[victim], lines[victim + 1] = lines[victim + 1], lines[victim]
    verifier = verify(lines, heads[-1])
    assert first(verifier) == ("swapped", victim + 1)
    assert len(verifier.problems) == 1


def test_distant_lines_swapped_are_named():
    lines, heads = chain()
    lines[1], lines[5] = lines[5], lines[1]
    assert verify(lines, heads[-1]).problems[0].seq == 2


def test_line_repeated_is_inserted():
    lines, heads = chain()
    assert first(verify([*lines[:3], lines[2], *lines[3:]], heads[-1])) == ("inserted", 3)


def test_entry_forged_with_recomputed_hash_is_rewritten():
    lines, heads = chain()
    forged, _, _ = entry_after(
        heads[3]._replace(key=b"x" * 32),
        Deed("secret.get", "other", "ok", {}),
        time="2026-11-24T10:00:04.000Z",
        actor={},
    )
    verifier = verify([*lines[:3], forged, *lines[4:]], heads[-1])
    assert first(verifier) == ("rewritten", 4)


def test_whole_log_recomputed_without_the_key_is_named_by_mac_and_by_head():
    _, heads = chain()
    head = Head(LOG, 0, LOG, "", "", b"thief" * 6)
    forged = []
    for number in range(8):
        deed = Deed("secret.get", "ref+embedded://harmless", "ok", {})
        line, _, head = entry_after(head, deed, time=f"2026-11-24T10:00:0{number + 1}.000Z", actor={})
        forged.append(line)
    assert first(verify(forged, None, {1: KEY})) == ("mac", 1)
    assert first(verify(forged, heads[-1])) == ("rewritten", 8)
    assert first(verify(forged)) == ("", 0)  # not detectable without key, state or anchor


def test_past_rewritten_with_todays_key_is_named_by_the_verifiers_key():
    lines, heads = chain()
    stolen = heads[5].key  # what lies on the disk after entry 5
    head = heads[2]._replace(key=stolen)
    forged = []
    for number in range(3, 9):
        deed = Deed("secret.get", "ref+embedded://harmless", "ok", {})
        line, _, head = entry_after(head, deed, time=f"2026-11-24T10:00:0{number}.000Z", actor={})
        forged.append(line)
    assert first(verify([*lines[:2], *forged], None, {1: KEY})) == ("mac", 3)


def test_tail_cut_is_truncated_and_tells_the_range():
    lines, heads = chain()
    verifier = verify(lines[:5], heads[-1])
    assert first(verifier) == ("truncated", 6)
    assert "6 to 8" in verifier.problems[0].message


def test_everything_removed_is_truncated():
    _, heads = chain()
    assert first(verify([], heads[-1])) == ("truncated", 1)


def test_entry_of_another_log_is_named():
    lines, heads = chain()
    other, _, _ = entry_after(Head("cd" * 32, 0, "cd" * 32, "", "", KEY), Deed("a", "b", "ok", {}), time="1", actor={})
    assert first(verify([other, *lines[1:]], heads[-1])) == ("rewritten", 1)


def test_clock_that_goes_back_is_named_unless_the_entry_says_so():
    times = [f"2026-11-24T10:00:0{n}.000Z" for n in (1, 2, 3, 1, 5)]
    lines, heads = chain(5, times)
    assert first(verify(lines, heads[-1])) == ("clock", 4)
    said, _, _ = entry_after(heads[3], Deed("a", "b", "ok", {"clock_back": times[2]}), time=times[0], actor={})
    verifier = verify([*lines[:3], said])
    assert verifier.problems == []
    assert verifier.clock_steps == [4]


def test_intent_without_outcome_is_kept_and_matched_ones_are_not():
    head = Head(LOG, 0, LOG, "", "", KEY)
    lines = []
    for outcome, detail in (("intent", {}), ("intent", {}), ("ok", {"intent": "1"})):
        line, _, head = entry_after(head, Deed("secret.put", "x", outcome, detail), time="2026", actor={})
        lines.append(line)
    assert list(verify(lines).intents) == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{" * 9,
        b"[" * 100_000,
        b'{"hash":1,"prev":2,"seq":3,"time":4,"mac":5,"detail":6}',
    ],
)
def test_line_that_is_no_entry_is_unreadable_and_never_a_traceback(line):
    lines, heads = chain(3)
    assert first(verify([lines[0], line, lines[2]], heads[-1])) == ("unreadable", 2)


def test_file_of_garbage_names_entry_1():
    assert first(verify([b"\x00garbage"] * 5000)) == ("unreadable", 1)


def test_torn_last_line_is_named():
    lines, _ = chain(3)
    verifier = Verifier()
    verifier.feed(lines[0])
    verifier.torn()
    verifier.finish()
    assert first(verifier) == ("torn", 2)


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_any_text_survives_the_chain(text, detail):
    line, event, head = entry_after(
        Head(LOG, 0, LOG, "", "", KEY),
        Deed(
            "a", _utf8(text), "ok", {_utf8(k): _utf8(v) for k, v in detail.items() if k not in ("intent", "clock_back")}
        ),
        time="t",
        actor={},
    )
    assert verify([line], head, {1: KEY}).problems == []
    assert parse_entry(line, LOG) == event


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
