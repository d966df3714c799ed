"""Each offline check on values generated right, and on the same with one character wrong."""

import pytest

from hygiene.detect.checksum import CHECKS, PLAUSIBILITY, check_secret
from hygiene.detect.template import fill_template

DRAWS = 12
# check, a template that is right, and the same with one character wrong
CASES = [
    ("github-crc32", "ghp_{b62:30}{crc62}", "ghp_{b62:30}{crc62}{spoil}"),
    ("github-crc32", "ghr_{b62:70}{crc62}", "ghr_{b62:70}{crc62}{spoil}"),
    (
        "github-fine-grained-sha256",
        "{from}github_pat_1{b62:21}_{b62:43}{sha256-b32}{b62:8}",
        "{from}github_pat_1{b62:21}_{b62:43}{sha256-b32}{spoil}{b62:8}",
    ),
    ("npm-crc32", "npm_{b62:30}{crc62}", "npm_{b62:30}{crc62}{spoil}"),
    ("vercel-crc32", "vcp_{b62:50}{crc62}", "vcp_{b62:50}{crc62}{spoil}"),
    ("cloudflare-crc32", "cfut_{b62:40}{crc-hex}", "cfut_{b62:40}{crc-hex}{spoil}"),
    ("zuplo-crc32", "zpka_{lc36:32}{to}_{crc-hex}", "zpka_{lc36:32}{to}_{crc-hex}{spoil}"),
    ("grafana-crc32", "{from}glsa_{b62:32}{to}_{crc-hex-little}", "{from}glsa_{b62:32}{to}_{crc-hex-little}{spoil}"),
    ("atlassian-crc32", "{from}ATATT3xFfGF0{b64u:171}={crc-HEX}", "{from}ATATT3xFfGF0{b64u:171}={crc-HEX}{spoil}"),
    ("bitbucket-crc32", "{from}ATBB{b62:24}{crc-HEX}", "{from}ATBB{b62:24}{crc-HEX}{spoil}"),
    ("gitlab-crc32", "{from}glpat-{gitlab-payload}{crc36}", "{from}glpat-{gitlab-payload}{crc36}{spoil}"),
    ("confluent-crc32", "cflt{b64:54}{crc-b64-little}", "cflt{b64:54}{crc-b64-little}{spoil}"),
    ("polar-crc32", "polar_oat_{b62:37}{crc62}", "polar_oat_{b62:37}{crc62}{spoil}"),
    ("netbird-crc32", "nbp_{b62:30}{crc62}", "nbp_{b62:30}{crc62}{spoil}"),
    ("matrix-crc32", "{from}syt_YWxpY2U_{az:20}{to}_{crc62}", "{from}syt_YWxpY2U_{az:20}{to}_{crc62}{spoil}"),
    ("sanctum-crc32", "12|{b62:40}{crc-hex}", "12|{b62:40}{crc-hex}{spoil}"),
    ("reviewboard-crc32", "rbp_{b62:40}{crc62}", "rbp_{b62:40}{crc62}{spoil}"),
    ("cargo-xor", "cio_tp_{b62:31}{xor62}", "cio_tp_{b62:31}{xor62}{spoil}"),
    ("azure-his", "{azure-his:+ASt:64}", "{azure-his:+ASt:64}{spoil}"),
    ("azure-his", "{azure-his:ACDb:64}", "{azure-his:ACDb:64}{spoil}"),
    ("azure-his", "{azure-his:+ASb:32}", "{azure-his:+ASb:32}{spoil}"),
    ("azure-his", "{azure-his:+ACR:39}", "{azure-his:+ACR:39}{spoil}"),
    ("azure-his", "{azure-his:AzSe:39}", "{azure-his:AzSe:39}{spoil}"),
    ("azure-his", "{azure-his:AzFu:40}", "{azure-his:AzFu:40}{spoil}"),
    ("azure-cask", "{azure-cask:AZDO}", "{azure-cask:AZDO}{spoil}"),
    ("azure-entra", "{entra}", "{entra}{spoil}"),
    ("pypi-macaroon", "{pypi}", "{pypi}{spoil:5}"),
    ("slack-rotating", "{slack-rotating:xoxe.xoxb-1-}", "{slack-rotating:xoxe.xoxb-1-}{spoil:12}"),
    ("slack-rotating", "{slack-rotating:xoxe-1-}", "{slack-rotating:xoxe-1-}{spoil:7}"),
    ("discord-snowflake", "{discord}", "{discord}{spoil:2}"),
    ("vault-service", "{vault-service}", "{vault-service}{spoil:5}"),
    ("vault-batch", "{vault-batch}", "{vault-batch}{spoil:4}"),
    ("sentry-json", "{sentry-org}", "{sentry-org}{spoil:8}"),
    ("grafana-cloud-json", "glc_{json64:o=1:n=x:k=}", "glc_{json64:o=1:n=x:k=}{spoil:1}"),
    ("grafana-api-json", "{json64:k=:n=ci:id=1}", "{json64:k=:n=ci:id=1}{spoil:1}"),
    ("onepassword-json", "ops_{json64:secretKey=}", "ops_{json64:secretKey=}{spoil:1}"),
    ("cloudflare-tunnel-json", "{json64:a=:t=:s=}", "{json64:a=:t=:s=}{spoil:1}"),
    ("mapbox-json", "sk.{json64url:u=x:a=}.sig", "sk.{json64url:u=x:a=}.sig{spoil:1}"),
    ("keeper-json", "{json64:hostname=k:privateKey=}", "{json64:hostname=k:privateKey=}{spoil:1}"),
    ("neptune-json", "{json64:api_address=a:api_key=}", "{json64:api_address=a:api_key=}{spoil:1}"),
    (
        "google-service-account-json",
        "{json64:private_key=:client_email=}",
        "{json64:private_key=:client_email=}{spoil:1}",
    ),
    ("docker-config-json", "{json64:auths=}", "{json64:auths=}{spoil:1}"),
    ("artifactory-reference", "{artifactory-reference}", "{artifactory-reference}{spoil:1}"),
    ("atlassian-server", "{atlassian-server}", "{atlassian-server}{spoil:1}"),
    ("basic-auth", "{basic}", "{basic}{spoil:8}"),
    ("ses-smtp", "{ses-smtp}", "{ses-smtp}{spoil:0}"),
    ("bedrock-name", "{bedrock}", "{bedrock}{spoil:5}"),
    ("base64-32", "{base64-of:32}", "{base64-of:32}{spoil:42}"),
    ("base64-64", "{base64-of:64}", "{base64-of:64}{spoil:85}"),
    ("bitwarden-parts", "0.{uuid}.{b62:30}:{base64-of:16}", "0.{uuid}{spoil:8}.{b62:30}:{base64-of:15}"),
    ("wif-base58check", "{wif}", "{wif}{spoil}"),
    ("wif-base58check", "{wif:plain}", "{wif:plain}{spoil}"),
    ("bip32-base58check", "{bip32}", "{bip32}{spoil}"),
    ("ripple-base58check", "{ripple}", "{ripple}{spoil}"),
    ("tezos-base58check", "{tezos}", "{tezos}{spoil}"),
    ("stellar-crc16", "{stellar}", "{stellar}{spoil}"),
    ("nats-crc16", "{nkey}", "{nkey}{spoil}"),
    ("age-bech32", "{age}", "{age}{spoil}"),
    ("nostr-bech32", "{nostr}", "{nostr}{spoil}"),
    ("jwt", "{jwt}", "{jwt}{spoil:1}"),
    ("jwt", "{jwt}", "{jwt:expired}"),
    ("jwt-shape", "{jwt:expired}", "{jwt}{spoil:1}"),
    ("argocd-jwt", "{jwt:iss=argocd}", "{jwt:iss=argocd}{spoil:1}"),
    ("scalr-jwt", "{jwt:jti=at-v0}", "{jwt:jti=at-v0}{spoil:1}"),
    ("jfrog-jwt", "{jwt:iss=jfac@01}", "{jwt:iss=jfac@01}{spoil:1}"),
    ("kubernetes-jwt", "{jwt:iss=kubernetes/serviceaccount}", "{jwt:iss=kubernetes/serviceaccount}{spoil:1}"),
    ("supabase-service-jwt", "{jwt:role=service_role}", "{jwt:role=service_role}{spoil:1}"),
    ("temporal-jwt", "{jwt:account_id=a:iss=temporal.io}", "{jwt:account_id=a:iss=temporal.io}{spoil:1}"),
    ("private-key-clear", "{pem:rsa}", "{pem:rsa}{spoil:42}"),
    ("private-key-clear", "{pem:ec}", "{pem:ec}{spoil:33}"),
    ("private-key-clear", "{pem:pkcs8}", "{pem:pkcs8}{spoil:30}"),
    ("private-key-clear", "{pem:ed25519}", "{pem:ed25519}{spoil:29}"),
    ("private-key-clear", "{pem:openssh}", "{pem:openssh}{spoil:37}"),
    ("private-key-clear", "{pem:pgp}", "{pem:pgp-encrypted}"),
    ("private-key-encrypted", "{pem:openssh-encrypted}", "{pem:openssh}"),
    ("private-key-encrypted", "{pem:pkcs8-encrypted}", "{pem:pkcs8}"),
    ("private-key-encrypted", "{pem:pgp-encrypted}", "{pem:pgp}"),
    ("private-key-encoded", "{base64:pem:rsa}", "{base64:pem:rsa}{spoil:20}"),
    ("pkcs12-der", "{pkcs12}", "{pkcs12}{spoil:0}"),
    ("wireguard-clamp", "{wireguard}", "{wireguard}{spoil:41}A"),
]


@pytest.mark.parametrize(("check", "right", "wrong"), CASES)
def test_check_secret_right_value_passes_and_one_wrong_character_fails(check, right, wrong):
    for draw in range(DRAWS):
        assert check_secret(check, fill_template(right, f"{draw}").encode()) is True
        assert check_secret(check, fill_template(wrong, f"{draw}").encode()) is False


@pytest.mark.parametrize(
    ("check", "right"),
    [
        ("openai-mark", "sk-proj-{b64u:58}T3BlbkFJ{b64u:58}"),
        ("anthropic-tail", "sk-ant-api03-{b64u:93}AA"),
        ("heroku-mark", "{heroku}"),
        ("groq-mark", "gsk_{b62:20}WGdyb3FY{b62:24}"),
        ("rapidapi-marks", "{b62:10}msh{b62:15}p1{b62:6}jsn{b62:11}"),
        ("telegram-mark", "{dig:10}:AA{b64u:33}"),
        ("datadog-crc32", "ddpat_{b62:22}_{b62:43}{crc62}"),
        ("aws-session", "IQoJb3JpZ2lu{b64:200}"),
    ],
)
def test_check_secret_mark_that_was_only_observed_raises_but_never_lowers(check, right):
    assert check_secret(check, fill_template(right, "a").encode()) is True
    assert check_secret(check, fill_template("{b62:80}", "a").encode()) is None


@pytest.mark.parametrize("form", ["{escaped:pem:rsa}", "{indented:pem:openssh}", "{oneline:pem:pkcs8}"])
def test_check_secret_private_key_in_any_quoting_is_read(form):
    assert check_secret("private-key-clear", fill_template(form, "a").encode()) is True


def test_check_secret_supabase_key_passes_only_beside_its_project():
    key = fill_template("{from}sb_secret_{b64u:22}{to}_{supabase:qwhgzprtkxwvbnmlsdfy}", "a").encode()
    assert check_secret("supabase-sha256", key, b"https://qwhgzprtkxwvbnmlsdfy.supabase.co " + key) is True
    assert check_secret("supabase-sha256", key, b"https://aaaabbbbccccddddeeee.supabase.co " + key) is None


def test_check_secret_shared_access_signature_fails_once_expired():
    assert check_secret("azure-sas", b"sv=2024-11-04&se=2099-01-01T00:00:00Z&sig=x") is None
    assert check_secret("azure-sas", b"sv=2024-11-04&se=2020-01-01T00:00:00Z&sig=x") is False


@pytest.mark.parametrize("check", sorted(CHECKS))
@pytest.mark.parametrize(
    "value", [b"", b".", b"_", b"\xff\xfe\x00", b"x" * 9, b"a.b.c", b"-----BEGIN PRIVATE KEY-----"]
)
def test_check_secret_nonsense_never_raises(check, value):
    assert check_secret(check, value) in (True, False, None)


def test_plausibility_checks_are_known():
    assert set(CHECKS) > PLAUSIBILITY


def test_check_secret_anthropic_key_of_full_length_without_its_end_fails():
    assert check_secret("anthropic-tail", fill_template("sk-ant-api03-{b64u:93}BB", "a").encode()) is False
