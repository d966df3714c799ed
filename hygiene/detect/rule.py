"""What a rule is: plain data (strings, bytes, numbers, tuples, dicts), so that a set of them can be cached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Rule(NamedTuple):
    """One kind of credential."""

    id: str
    provider: str  # the provider's id: the name of its file
    description: str
    severity: str  # one of hygiene.finding.SEVERITIES
    confidence: str  # one of hygiene.finding.CONFIDENCES, before checksum and classifier
    keywords: tuple[bytes, ...]  # one of them stands in every match, in any case: for a prefilter
    pattern: bytes  # borders included; the secret is group 1
    checksum: str = ""  # a name in hygiene.detect.checksum.CHECKS
    exclude_paths: tuple[str, ...] = ()  # globs
    exclude_values: tuple[str, ...] = ()  # patterns, searched in the secret
    family: str = ""  # rules of one family give one secret the same fingerprint
    priority: int = 50  # where two rules match overlapping secrets, the higher one speaks
    fast: bytes = b""  # matches wherever the pattern does, and more; for the engine that sees all bytes
    generic: bool = False  # a candidate that the classifier judges
    impact: str = ""  # what its holder can do
    docs: str = ""
    positive: tuple[str, ...] = ()  # templates, see hygiene.detect.template
    negative: tuple[str, ...] = ()
    verify: Mapping[str, Any] = {}  # a request and what answers mean, or steps and a link
    rotate: Mapping[str, Any] = {}
    revoke: Mapping[str, Any] = {}


class RuleSet(NamedTuple):
    """The rules of a run, in the order of their ids, and a digest of all that went into them."""

    rules: tuple[Rule, ...]
    digest: str
