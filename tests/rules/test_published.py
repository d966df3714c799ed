from bench.published.common import COMMON, common_types
from bench.published.golang import Reader, formatted
from bench.published.measure import measure, measure_published, missed_types
from bench.published.peers import (
    Published,
    read_detect_secrets,
    read_gitleaks,
    read_kingfisher,
    read_trufflehog,
)
from bench.published.types import COMMONEST
from hygiene.detect.rulecheck import RuleBench
from hygiene.detect.rules import load_rules
from hygiene.detect.template import fill_template


def test_published_commonest_types_are_found_and_their_lookalikes_are_not():
    rules = load_rules()
    groups = list(measure(rules, RuleBench(rules)))
    assert len(set(COMMONEST)) >= 150
    for credential, least, most in ((True, 0.95, 1.0), (False, 0.0, 0.02)):
        chosen = [group for group in groups if group.credential is credential]
        share = sum(group.heard for group in chosen) / sum(group.texts for group in chosen)
        assert least <= share <= most, [line for group in chosen for line in group.wrong][:40]


def test_published_common_types_are_counted_apart_and_made_up_ones_left_out():
    assert len(COMMON) >= 150
    assert common_types("kingfisher")["kingfisher.stripe.1"] == "Stripe key"
    token = fill_template("{from}ghp_{b62:30}{to}{crc62}", "published")
    published = [
        Published("a", f"GITHUB_TOKEN={token}", True),
        Published("a", "GITHUB_TOKEN=ghp_" + "0123456789" * 3 + "012345", True),
        Published("b", "nothing", True),
        Published("a", f"TOKEN={token}", False),  # what is a credential elsewhere is no false alarm
    ]
    groups = {group.kind: group for group in measure_published(RuleBench(load_rules()), published, {"a": "our name"})}
    common, drawn, every, negative, _ = groups.values()
    assert (common.texts, common.heard, common.any_confidence) == (2, 1, 2)
    assert missed_types(common) == {"our name": 1}
    assert (drawn.texts, drawn.heard, every.texts, negative.texts, negative.heard) == (1, 1, 3, 1, 0)


def test_golang_sums_lists_and_calls_are_read():
    reader = Reader({"name": "n"}, {"f": lambda text: text * 2, "fmt.Sprintf": formatted})
    text = '[]string{ // a comment\n "a\\n" + f("b") + `c"` , name, fmt.Sprintf("%s=%s", name, "v"),\n}'
    assert reader.value(text, 0)[0] == ['a\nbbc"', "n", "n=v"]


def test_peers_examples_are_read_from_their_sources(tmp_path):
    kingfisher = tmp_path / "kingfisher"
    kingfisher.mkdir()
    (kingfisher / "x.yml").write_text("rules:\n  - id: x.1\n    examples: ['a', 'b']\n    negative_examples: ['c']\n")
    assert [(each.type, each.text, each.credential) for each in read_kingfisher(kingfisher).found] == [
        ("x.1", "a", True), ("x.1", "b", True), ("x.1", "c", False)
    ]  # fmt: skip
    (tmp_path / "gitleaks/utils").mkdir(parents=True)
    (tmp_path / "gitleaks/rules").mkdir()
    (tmp_path / "gitleaks/utils/generate.go").write_text(
        'samples := map[string]string{\n// TODO: "no": "{s}",\n"yes": "{I}_{i}: {s}",\n}\nreplacer := x'
    )
    (tmp_path / "gitleaks/rules/x.go").write_text(
        'RuleID: "x",\ntps := utils.GenerateSampleSecrets("x", "p_"+secrets.NewSecret(utils.Hex("8")))\n'
        'tps = append(tps, "own")\nfps := []string{"no",}\nfps := odd.Call()\n'
    )
    reading = read_gitleaks(tmp_path / "gitleaks")
    assert reading.unread == 1
    assert [each.credential for each in reading.found] == [True, True, False]
    assert reading.found[0].text.startswith("X_x: p_") and len(reading.found[0].text) == 15
    (tmp_path / "trufflehog/acme").mkdir(parents=True)
    (tmp_path / "trufflehog/acme/acme_test.go").write_text(
        'valid = "v"\nkeyword = "k"\n{\ninput: fmt.Sprintf("%s = %s", keyword, valid),\nwant: []string{valid},\n},\n'
        "{\ninput: valid,\nwant: nil,\n},"
    )
    assert [(each.type, each.text, each.credential) for each in read_trufflehog(tmp_path / "trufflehog").found] == [
        ("acme", "k = v", True), ("acme", "v", False)
    ]  # fmt: skip


def test_peers_cases_in_python_are_read_from_their_sources(tmp_path):
    (tmp_path / "tests/plugins").mkdir(parents=True)
    (tmp_path / "tests/plugins/acme_test.py").write_text(
        "OWN_SECRET = 'x' + 'y'\nCASES = [('key = {}'.format(OWN_SECRET), OWN_SECRET), ('key = \"\"', None)]\n"
        "OTHERS = [('a' 'b', True), (b'c', False), (str(1), True)]\nvalue, other = 1, 2\n"
    )
    reading = read_detect_secrets(tmp_path)
    assert reading.unread == 1
    assert [(each.type, each.text, each.credential) for each in reading.found] == [
        ("acme", "key = xy", True), ("acme", 'key = ""', False), ("acme", "ab", True), ("acme", "c", False)
    ]  # fmt: skip
