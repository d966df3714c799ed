"""Judgements: the shipped model, what it reads, and what it says."""

import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from hygiene.detect.classifier import FEATURES, Judgement, Sight, judge, look
from hygiene.detect.classifier_gate import Gate
from hygiene.detect.classifier_model import PATH, load_model, parse_model
from hygiene.detect.classifier_name import name_features, parts_of
from hygiene.detect.classifier_net import Net
from hygiene.detect.classifier_place import Place, Rest, place_of
from hygiene.detect.classifier_reject import hopeless
from hygiene.detect.classifier_value import value_features
from hygiene.detect.generic import Candidate, candidates, candidates_between, gathered
from hygiene.detect.guess import guesses, rule_of


def secret(length: int = 24, seed: int = 7) -> str:
    draw = random.Random(seed)
    return "".join(draw.choice(string.ascii_letters + string.digits) for _ in range(length))


def best(text: str, path: str) -> float:
    data = text.encode()
    return max((verdict.probability for verdict in judged(data, path, range(0, len(data), 8))), default=0.0)


def judged(data: bytes, path: str, hits) -> list[Judgement]:
    return judge(Net(load_model().words, look_at_all).sights(data, path, hits), data)


def look_at_all(text: bytes, candidate: Candidate, place: Place, on_line: int) -> Sight | None:
    model, value = load_model(), text[candidate.start : candidate.end]
    return look(text, candidate, place, on_line, value_features(value, model.bigrams, model.words))


def kept_by(looked: Callable[..., object], text: str, path: str) -> list[bytes]:
    data = text.encode()
    found = Net(load_model().words, looked).sights(data, path, range(0, len(data), 4))
    return [data[candidate.start : candidate.end] for candidate, _sight in found]


def everything(*_arguments) -> bool:
    return True


def gate(text: bytes, candidate: Candidate, place: Place, _on_line: int) -> list[float] | None:
    value, name = text[candidate.start : candidate.end], text[candidate.name_start : candidate.name_end]
    return Gate(load_model()).value_features(candidate, value, name, place)


def text_of(draw: random.Random) -> bytes:
    """Give lines that name credentials, with values on them, below them and far behind them."""
    value = secret(draw.choice([8, 24, 200]), draw.randrange(1000))
    forms = (
        f'password = "{value}"', f"token =\n    '{value}'", f'key = """\n{value}\n"""', f'"""The key of {value}."""',
        f'secret = """{value}', f'{{"kty": "RSA", "d": "{value}"}}', "-----BEGIN PRIVATE KEY-----", value,
        "-----END PRIVATE KEY-----", f"// auth {value}", "", "x = 1", f"api_key: {value} \\", "'''token'''",
    )  # fmt: skip
    return "\n".join(draw.choices(forms, k=draw.randrange(2, 60))).encode()


def test_net_reads_the_text_of_a_line_as_it_would_the_file():
    words, draw = load_model().words, random.Random(11)
    net, place = Net(words, everything), place_of("a.py")
    for number in range(300):
        data = text_of(draw)
        data = data * draw.choice([1, 1, 3]) + data[draw.randrange(len(data) + 1) :]
        places = range(number % 3, len(data), 7)

        def read(start: int, end: int, data: bytes = data) -> list[Candidate]:
            found = candidates_between(data, start, end)
            return [candidate for candidate in found if not hopeless(data, candidate, place, words)]

        found = [candidate for candidate, _sight in net.sights(data, "a.py", places)]
        assert found == gathered(data, places, read)


@pytest.mark.parametrize(
    ("text", "path"),
    [("token_type = 'qname-first'\n", "src/app.py"), ("token_type = 'first_parameter'\n", "lib/reader.py")],
)
def test_gate_rejects_what_rules_let_pass(text, path):
    assert kept_by(everything, text, path)
    assert kept_by(gate, text, path) == []


@pytest.mark.parametrize("name", ["password", "api_key", "client_secret", "auth_token"])
@pytest.mark.parametrize("length", [12, 20, 40])
def test_gate_lets_random_values_pass(name, length):
    value = secret(length)
    assert kept_by(gate, f'{name} = "{value}"\n', "src/app.py") == [value.encode()]


def test_judge_random_password_in_configuration_is_probable():
    assert best(f"[db]\nuser = shop\npassword = {secret(16)}\n", "conf/app.ini") > load_model().medium


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("password = get_password(user)\n", "src/app.py"),
        ("password: your_password_here\n", "docs/config.yml"),
        ("password: ${DB_PASSWORD}\n", "docker-compose.yml"),
        ('"password": "Password",\n', "src/locale/en.json"),
        ("tokenizer = 'bert-base-uncased'\n", "src/model.py"),
        ("primary_key = 'identifier'\n", "src/model.py"),
    ],
)
def test_judge_no_credential_is_improbable(text, path):
    assert best(text, path) < load_model().medium


@pytest.mark.parametrize(
    ("text", "hopeless"),
    [
        ("'PW' => 'Palaos',\n", True),
        ("PW = 'Palaos4711'\n", False),
        ("INVALID_PASSWORD_ERROR = '2d2a8bb4-ddc8-45e4-9b0f-8670d3a3e290'\n", True),
        ("'TaskKeyframeExtractor': 'Lykilrammaplokkari'\n", True),
        ("session_id = '{}'", True),
        ("secret_id = '{}'", False),
        ('publicKeyToken="b77a5c561934e089"', True),
        ("public_key = '{}'", True),
        ("foreignKey = '{}'", True),
        ("keyVaultName = '{}'", True),
        ("string(credentialsId: '{}')", True),
        ("turnkey = '{}'", False),
        ("api_version = '{}'", True),
        ("private_key = '{}'", False),
        ("minipass: npm:^3.0.0", True),
        (f"containsKeys('{'6aa3691a' * 8}.tar')", True),
        ("example.test/gopass v0.0.0-20210920133722-c8aef6fb66ef/go.mod", True),
        ("override the name, pass `--name <package>`", True),
        ('keyCPUQuota = "cpu-quota"', True),
        ("author = 'Ada Lovelace <ada@lovelace.test>'", True),
        ("authorization = '{}'", False),
        ("token = 'f351868b979d2efd512c712e4810fde4'", False),
        ("Bearer 5b618ef5d2f9080447a882e9d6e43610f9b619aecb2b236bb5adc900a2b3b586", False),
        ("Credit : @mwalcott3", True),
        ("become_token = 'BECOME-SUCCESS-abcdefghijklmnopqrstuvxyz'", True),
        ("Authorization: Basic dXNlcjo=", True),
        ("Zx9aPQ/eyJxZ8XCPQenXuET7EWKgQ9CJ0IQx1Y2GAggfq", True),
        ("https://host.test/eyJxZ8XCPQenXuET7E.eyJxZ8XCPQenXuET7E.WKgQ9CJ0IQx1Y2", False),
        ("reset_token = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}", True),
        ("key = 'MIIDXjCCAkagAwIBAgIUf0A6ygebPHdmubKEJHEelx4e'", True),
        ("key = 'MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEA'", False),
    ],
)
def test_net_leaves_out_what_cannot_be_a_credential(text, hopeless):
    data = text.replace("{}", secret()).encode()
    found = Net(load_model().words, everything).sights(data, "src/app.py", range(0, len(data), 4))
    assert hopeless == (not [c for c, _sight in found if c.kind != "near"])


def test_judge_tells_reasons_with_the_probability_first():
    data = f"api_token = '{secret()}'\n".encode()
    verdict = judged(data, "a.py", [14])[0]
    assert verdict.reasons[0] == f"classifier {verdict.probability:.2f}"
    assert "the name says token" in verdict.reasons


def test_model_features_are_those_of_the_code():
    assert load_model().features == FEATURES


SHIPPED = Path(PATH).read_bytes()


@pytest.mark.parametrize("content", [b"", b"something else\n{}\n", SHIPPED[:-1], SHIPPED + b"\0"])
def test_parse_model_damaged_file_is_refused(content):
    with pytest.raises(ValueError, match="classifier"):
        parse_model(content)


def test_net_looks_once_at_a_line_that_comes_again():
    looked: list[bytes] = []

    def look(text: bytes, candidate: Candidate, *_arguments) -> int:
        looked.append(text[candidate.start : candidate.end])
        return len(looked)

    net = Net(load_model().words, look)
    line = f"password = '{secret()}'\n"
    filler = "x = 1\n" * 60  # a line is remembered with what stands a little behind it
    first, second = ((head + line + filler).encode() for head in ("", "password = None\n\n"))
    for data in (first, second):
        (candidate, sight), *others = net.sights(data, "a.py", range(0, len(data), 4))
        assert (data[candidate.start : candidate.end].decode(), sight, others) == (secret(), 1, [])
    assert looked == [secret().encode()]


@pytest.mark.parametrize("times", [0, 1, 8, 9, 30])
def test_rest_counts_up_to_nine_times(times):
    value, name = b"horse-4711", b"token"
    data = b"token = 'horse-4711'\n" + b"horse\n" * times + b"token\n" * times
    candidate = Candidate("assign", 9, 19, 0, 5)
    assert (data[9:19], data[0:5]) == (value, name)
    assert Rest(data).holds(candidate) == (1, min(9, times), min(9, 1 + times))
    far = data[:21] + b"x" * 200_000 + data[21:]
    assert Rest(far).holds(candidate) == (1, 0, 1)


def test_guesses_name_rule_span_and_confidence():
    data = f"[db]\nuser = shop\npassword = {secret()}\n".encode()
    found = list(guesses(data, "conf/app.ini", [data.index(b"password") + 14]))
    assert [(guess.rule, data[guess.start : guess.end].decode()) for guess in found] == [("generic-password", secret())]
    assert found[0].confidence in ("medium", "high")


def test_rule_of_name_names_the_kind():
    data = b"client_secret = 'abcdefgh'"
    assert rule_of(candidates(data, "a", [20])[0], data) == "generic-secret"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (b"dbPassword", [b"db", b"password"]),
        (b"DB_PASSWORD", [b"db", b"password"]),
        (b"HTTPAuthKey2", [b"http", b"auth", b"key", b"2"]),
    ],
)
def test_parts_of_splits_at_case_and_marks(name, parts):
    assert parts_of(name) == parts


def test_name_features_are_of_fixed_length():
    assert len(name_features(b"")) == len(name_features(b"a_very.long-Name_of_password_field"))
