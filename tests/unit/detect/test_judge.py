"""Which of several rules speaks for one secret, with the rules that are shipped."""

from __future__ import annotations

import random
import string
from base64 import b64encode

import pytest

from hygiene.detect.compile import patterns_from_rules
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.examine import Examiner
from hygiene.detect.rules import RuleSet, load_rules
from hygiene.detect.sources.protocol import Blob
from hygiene.detect.template import fill_template

CHOSEN = {
    "docker-config-auth",
    "github-pat-classic",
    "private-key",
    "private-key-encrypted",
    "sentry-dsn",
    "slack-legacy-token",
    "stellar-seed",
}


@pytest.fixture(scope="module")
def engine() -> HyperscanEngine:
    rules = load_rules()
    kept = tuple(rule for rule in rules.rules if rule.generic or rule.id in CHOSEN)
    patterns = patterns_from_rules(RuleSet(kept, rules.digest))
    return HyperscanEngine(patterns, compile_database(patterns))


def spoken(engine: HyperscanEngine, text: str, path: str = "conf/app.json", least: str = "low") -> set[tuple[str, str]]:
    hits = Examiner(engine, lambda: b"key", least).examine(Blob("1", text.encode(), path))
    return {(engine.patterns[hit.rule].id, hit.confidence) for hit in hits}


def letters(count: int) -> bytes:
    draw = random.Random(count)
    return bytes(draw.choice(range(128, 256)) for _ in range(count))


def test_judge_shape_that_fails_leaves_the_value_to_the_classifier(engine):
    value = b64encode(letters(24)).decode()
    (found,) = spoken(engine, f'{{"auths": {{"hub": {{"auth": "{value}"}}}}}}\n', ".docker/config.json")
    assert found[0] == "generic-token"
    assert found[1] != "low"


def test_judge_shape_that_holds_speaks_for_its_rule(engine):
    value = b64encode(b"deploy:" + "".join(random.Random(3).choices(string.ascii_letters, k=17)).encode()).decode()
    assert ("docker-config-auth", "high") in spoken(engine, f'{{"auths": {{"hub": {{"auth": "{value}"}}}}}}\n')


def test_judge_checksum_that_fails_hides_the_value_from_the_classifier(engine):
    token = fill_template("{from}ghp_{b62:30}{to}{crc62}{spoil:12}", "a")
    assert spoken(engine, f'"github_token": "{token}"\n') == {("github-pat-classic", "medium")}


def test_judge_checksum_that_fails_on_what_was_written_by_hand_is_of_low_confidence(engine):
    token = "ghp_" + "LoginWithMyGithubTokenFromTheSettings"[:36]
    assert spoken(engine, f'"github_token": "{token}"\n') == {("github-pat-classic", "low")}


def test_judge_check_of_a_shape_without_fixed_text_that_fails_is_of_low_confidence(engine):
    assert ("stellar-seed", "low") in spoken(engine, fill_template('"seed": "{stellar}{spoil}"\n', "a"))


def test_judge_repeated_digits_of_an_id_make_no_placeholder_of_a_token_that_goes_on(engine):
    for tail, confidence in (("{hex:32}", "high"), ("{fill:a:32}", "low")):
        text = fill_template(f'"k": "xoxa-2-5{{fill:1:9}}-3{{fill:1:10}}-{tail}"\n', "a")
        assert ("slack-legacy-token", confidence) in spoken(engine, text)


def test_judge_value_that_stands_twice_on_its_line_is_no_less_a_credential(engine):
    value = fill_template("{lc36:32}", "a")
    for line in (f"acme token = '{value}'\n", f"acme token = '{value}' | '{value}'\n"):
        assert {(rule, level) for rule, level in spoken(engine, line) if level != "low"} == {("generic-token", "high")}


def test_judge_encrypted_key_is_of_low_confidence(engine):
    text = fill_template("{pem:pkcs8-encrypted}\n", "b")
    assert spoken(engine, text, "id.pem") == {("private-key-encrypted", "low")}
    assert spoken(engine, text, "id.pem", "medium") == set()


def test_judge_clear_key_is_of_high_confidence(engine):
    assert spoken(engine, fill_template("{pem:pkcs8}\n", "c"), "id.pem") == {("private-key", "high")}


def test_judge_documented_key_is_not_guessed(engine):
    value = "6fe4476e" + letters(12).hex()  # begins like the key of Algolia's documentation
    assert not spoken(engine, f'apiKey: "{value}",')
    assert spoken(engine, f'apiKey: "9{value[1:]}",')
