"""What a pattern may cost.

Hyperscan runs in linear time whatever the pattern; ``re``, which confirms a match and finds its group, does
not. So a pattern is refused where ``re`` could backtrack without end: a repeated group that can match one text in
two ways, or a chain of repeats that compete for the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from hygiene.detect.syntax import Node, PatternError, parse_pattern, width

_UNBOUNDED = 2000  # a repeat without an end, and with it the text that a confirmation looks at, counts as this long
_MAX_PATHS = 20_000_000


def check_pattern(pattern: bytes) -> str:
    """Say what is wrong with ``pattern``; "" if it is sound."""
    try:
        tree = parse_pattern(pattern)
        re.compile(pattern)
        if width(tree)[0] == 0:
            return "can match nothing at all"
        _refuse_ambiguous_repeats(tree)
        if _paths(tree, 0)[0] > _MAX_PATHS:
            return "chains repeats that compete for the same text; bound them, or put something fixed between them"
    except PatternError as error:
        return str(error)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is not a pattern: {error}"
    return ""


class _Edges(NamedTuple):
    """Where a part may begin and end, as numbers of its sets (Glushkov's construction)."""

    empty: bool
    first: tuple[int, ...]
    last: tuple[int, ...]


class _Positions:
    """The sets of a part, and which may follow which; a counted repeat counts as an endless one."""

    def __init__(self) -> None:
        self.masks: list[int] = []
        self.follow: list[set[int]] = []
        self.twice = False  # one place follows another in two ways, as in (a+)+

    def edges(self, node: Node) -> _Edges:
        if node.kind == "anchor":
            return _Edges(True, (), ())
        if node.kind == "set":
            self.masks.append(node.mask)
            self.follow.append(set())
            here = (len(self.masks) - 1,)
            return _Edges(False, here, here)
        if node.kind == "repeat":
            inner = self.edges(node.parts[0])
            if node.most != 1:
                self._link(inner.last, inner.first)
            return inner._replace(empty=inner.empty or node.least == 0)
        inner_edges = [self.edges(part) for part in node.parts]
        return self._either(inner_edges) if node.kind == "alt" else self._sequence(inner_edges)

    def _either(self, edges: list[_Edges]) -> _Edges:
        return _Edges(
            any(edge.empty for edge in edges),
            tuple(place for edge in edges for place in edge.first),
            tuple(place for edge in edges for place in edge.last),
        )

    def _sequence(self, edges: list[_Edges]) -> _Edges:
        empty, first, last = True, (), ()  # type: tuple[bool, tuple[int, ...], tuple[int, ...]]
        for edge in edges:
            self._link(last, edge.first)
            first = first + edge.first if empty else first
            last = last + edge.last if edge.empty else edge.last
            empty = empty and edge.empty
        return _Edges(empty, first, last)

    def _link(self, ends: tuple[int, ...], starts: tuple[int, ...]) -> None:
        for end in ends:
            self.twice |= not self.follow[end].isdisjoint(starts)
            self.follow[end].update(starts)

    def collide(self, places: Iterable[int]) -> bool:
        seen = 0
        for place in places:
            if seen & self.masks[place]:
                return True
            seen |= self.masks[place]
        return False


def _refuse_ambiguous_repeats(node: Node) -> None:
    for part in node.parts:
        _refuse_ambiguous_repeats(part)
    if node.kind != "repeat" or 0 <= node.most <= 1 or node.parts[0].kind == "set":
        return
    positions = _Positions()
    edges = positions.edges(node)
    inner = node.parts[0]
    # A body of fixed length cuts the text in one way only, as long as no branch of it can take another's place.
    if width(inner)[0] == 0 and width(inner)[1] != 0:
        raise PatternError("repeats a group that can match nothing")
    if positions.twice or any(positions.collide(places) for places in (edges.first, *positions.follow)):
        raise PatternError("repeats a group that can match the same text in several ways (it could backtrack for ever)")


def _paths(node: Node, after: int) -> tuple[int, int]:
    """How many ways ``re`` may try ``node`` before ``after`` (the bytes that may come next), and its first bytes."""
    if node.kind == "set":
        return 1, node.mask
    if node.kind == "anchor":
        return 1, after
    if node.kind == "alt":
        return _branch_paths(node, after)
    if node.kind == "repeat":
        count, first = _paths(node.parts[0], after)
        most = _UNBOUNDED if node.most < 0 else min(node.most, _UNBOUNDED)
        choices = max(1, most - node.least + 1) if first & after else 1
        return count * choices, first | after if node.least == 0 else first
    total, follow = 1, after
    for part in reversed(node.parts):
        count, follow = _paths(part, follow)
        total *= count
    return total, follow


def _branch_paths(node: Node, after: int) -> tuple[int, int]:
    branches = [(_prefix(part), *_paths(part, after)) for part in node.parts]
    first = 0
    for _, _, mask in branches:
        first |= mask
    # Only branches that can match the same text are tried one after the other.
    rivals = [sum(count for other, count, _ in branches if _agree(prefix, other)) for prefix, _, _ in branches]
    return max(rivals), first


def _prefix(node: Node) -> list[int]:
    """The sets that every match of ``node`` begins with, as far as they are certain."""
    if node.kind == "set":
        return [node.mask]
    prefix: list[int] = []
    for part in node.parts if node.kind == "seq" else ():
        inner = _prefix(part)
        prefix += inner
        if part.kind not in ("set", "anchor") and len(inner) != width(part)[1]:
            break
    return prefix


def _agree(one: list[int], other: list[int]) -> bool:
    return all(mine & theirs for mine, theirs in zip(one, other, strict=False))
