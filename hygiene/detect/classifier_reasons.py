"""The reasons of a judgement in words, for ``--format json`` and for the person who must decide."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# feature, at least, at most, what it means; the first of each group that holds is told
_WORDS = (
    ("name_password", 1, 9, "the name says password"),
    ("name_secret", 1, 9, "the name says secret"),
    ("name_token", 1, 9, "the name says token"),
    ("name_key", 1, 9, "the name says key"),
    ("name_derived", 1, 9, "the name speaks of something public or derived"),
    ("name_negative", 1, 9, "the name ends in a word that seldom names a credential"),
    ("key_material", 1, 9, "private key material"),
    ("public_material", 1, 1, "public key material"),
    ("jwt_encrypted", 1, 1, "an encrypted token"),
    ("placeholder_share", 0.5, 1, "reads like a placeholder"),
    ("word_share", 0.8, 1, "made of common words"),
    ("reference", 1, 1, "a reference or a template"),
    ("uuid", 1, 1, "a UUID"),
    ("hex", 1, 1, "hexadecimal"),
    ("entropy_relative", 0.9, 1, "looks random"),
    ("same_value", 3, 99, "the same text stands several times in this file"),
    ("role_test", 1, 1, "in a test"),
    ("role_example", 1, 1, "in an example"),
    ("role_sample", 1, 1, "in an example"),
    ("role_doc", 1, 1, "in documentation"),
    ("role_locale", 1, 1, "in a translation"),
    ("comment", 1, 1, "in a comment"),
    ("neighbours", 1, 99, "a user, host or account stands beside it"),
)


def reasons_for(row: Sequence[float], probability: float, features: tuple[str, ...]) -> tuple[str, ...]:
    """Say what a row of features means, the probability first."""
    told = [f"classifier {probability:.2f}"]
    for index, least, most, words in _indexed(features):
        if least <= row[index] <= most and words not in told:
            told.append(words)
    return tuple(told)


def _indexed(features: tuple[str, ...]) -> tuple[tuple[int, float, float, str], ...]:
    if features not in _tables:
        _tables[features] = tuple((features.index(name), least, most, words) for name, least, most, words in _WORDS)
    return _tables[features]


_tables: dict[tuple[str, ...], tuple[tuple[int, float, float, str], ...]] = {}
