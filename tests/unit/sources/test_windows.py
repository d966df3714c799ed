import io
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.detect.sources import windows as module
from hygiene.detect.sources.windows import advance, windows


@pytest.fixture(autouse=True, scope="module")
def small_overlap():
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "OVERLAP", 8)
    yield
    patch.undo()


def place(data, offset):
    before = data[:offset]
    line = before.count(b"\n") + 1
    tail = before.rpartition(b"\n")[2]
    return line, 1 + len(tail) - sum(0x80 <= byte < 0xC0 for byte in tail)


@given(st.binary(max_size=400), st.integers(9, 50))
def test_windows_cover_all_bytes_with_their_places(data, size):
    parts = list(windows(io.BytesIO(data).read, "id", "path", size=size))
    assert parts[0].start == 0
    for before, after in pairwise(parts):
        assert after.start == before.start + len(before.data) - 8
        assert after.data[:8] == before.data[-8:]
    assert parts[-1].start + len(parts[-1].data) == len(data)
    for part in parts:
        assert part.data == data[part.start : part.start + len(part.data)]
        assert (part.line, part.column) == place(data, part.start)
        assert len(part.data) <= size


def test_windows_short_reads_give_whole_windows():
    data = random.Random(1).randbytes(300)
    stream = io.BytesIO(data)
    parts = list(windows(lambda count: stream.read(min(count, 7)), "id", "path", size=100))
    assert [len(part.data) for part in parts[:-1]] == [100] * (len(parts) - 1)


def test_advance_counts_characters_not_bytes():
    assert advance("ключ".encode(), 3, 5) == (3, 9)
    assert advance("a\nключ".encode(), 3, 5) == (4, 5)
