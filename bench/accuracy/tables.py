"""What features need beside the weights: which letters follow which, and which words are common."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

_WORD = re.compile(rb"[A-Za-z][a-z]+|[A-Z]+(?![a-z])")
_MOST_BYTES = 300_000  # of a file
_REPOSITORIES = 10  # that must use a word: what so many share says nothing of any


def read_tables(folder: Path) -> tuple[bytes, frozenset[bytes]]:
    """Count words by the number of repositories that use them: a table of bigrams, and the common words."""
    used: Counter[bytes] = Counter()
    for repository in sorted(folder.glob("data/*")):
        words: set[bytes] = set()
        for path in sorted(repository.rglob("*")):
            if path.is_file():
                words.update(word.lower() for word in _WORD.findall(path.read_bytes()[:_MOST_BYTES]))
        used.update(word for word in words if 3 <= len(word) <= 20)
    pairs: Counter[tuple[int, int]] = Counter()
    for word, count in used.items():
        if count >= _REPOSITORIES - 2:
            for pair in pairwise(word):
                pairs[pair] += count
    table = bytearray(27 * 27)
    most = math.log(max(pairs.values()) + 1)
    for (first, second), count in pairs.items():
        table[(first - 96) * 27 + second - 96] = int(255 * math.log(count + 1) / most)
    return bytes(table), frozenset(word for word, count in used.items() if count >= _REPOSITORIES)
