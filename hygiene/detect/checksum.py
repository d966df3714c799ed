"""The offline checks that rules name: one name, one function.

A passed check makes a finding certain; a failed one makes it low in confidence (tokens are cut off and edited in
documentation); None leaves it as the rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

Check = Callable[..., bool | None]


def _late(place: str) -> Check:
    """Give the function ``place`` in ``checksums``, imported when it is first called: a commit needs one or none."""

    def check(*texts: bytes) -> bool | None:
        module, _, name = place.partition(".")
        function: Check = getattr(import_module(f"hygiene.detect.checksums.{module}"), name)
        return function(*texts)

    return check


CHECKS: Mapping[str, Check] = {
    "age-bech32": _late("wallets.check_age"),
    "anthropic-tail": _late("structure.check_anthropic"),
    "argocd-jwt": _late("jwt.check_argocd"),
    "artifactory-reference": _late("structure.check_artifactory_reference"),
    "atlassian-crc32": _late("crc.check_atlassian"),
    "atlassian-server": _late("structure.check_atlassian_server"),
    "auth0-management-jwt": _late("jwt.check_auth0_management"),
    "aws-key-id": _late("structure.check_aws_key_id"),
    "aws-session": _late("structure.check_aws_session"),
    "azure-cask": _late("azure.check_cask"),
    "azure-devops-crc32": _late("crc.check_azure_devops"),
    "azure-entra": _late("azure.check_entra"),
    "azure-his": _late("azure.check_his"),
    "azure-sas": _late("structure.check_sas"),
    "base64-32": _late("structure.check_base64_32"),
    "base64-64": _late("structure.check_base64_64"),
    "basic-auth": _late("structure.check_basic"),
    "bedrock-name": _late("structure.check_bedrock"),
    "bip32-base58check": _late("wallets.check_bip32"),
    "bitbucket-crc32": _late("crc.check_bitbucket"),
    "bitwarden-parts": _late("structure.check_bitwarden"),
    "cargo-xor": _late("structure.check_cargo_publishing"),
    "cloudflare-crc32": _late("crc.check_cloudflare"),
    "cloudflare-tunnel-json": _late("structure.check_cloudflare_tunnel"),
    "confluent-crc32": _late("crc.check_confluent"),
    "datadog-crc32": _late("crc.check_datadog"),
    "discord-snowflake": _late("structure.check_discord"),
    "docker-config-json": _late("structure.check_docker_config"),
    "ethereum-range": _late("wallets.check_ethereum"),
    "github-crc32": _late("crc.check_github"),
    "github-fine-grained-sha256": _late("structure.check_github_fine_grained"),
    "gitlab-crc32": _late("crc.check_gitlab"),
    "google-service-account-json": _late("structure.check_google_service_account"),
    "grafana-api-json": _late("structure.check_grafana_api_key"),
    "grafana-cloud-json": _late("structure.check_grafana_cloud"),
    "grafana-crc32": _late("crc.check_grafana"),
    "groq-mark": _late("structure.check_groq"),
    "heroku-mark": _late("structure.check_heroku"),
    "jfrog-jwt": _late("jwt.check_jfrog"),
    "jwt": _late("jwt.check_jwt"),
    "jwt-shape": _late("jwt.check_jwt_shape"),
    "keeper-json": _late("structure.check_keeper"),
    "kubernetes-jwt": _late("jwt.check_kubernetes"),
    "mapbox-json": _late("structure.check_mapbox"),
    "matrix-crc32": _late("crc.check_matrix"),
    "nats-crc16": _late("wallets.check_nkey"),
    "neptune-json": _late("structure.check_neptune"),
    "netbird-crc32": _late("crc.check_netbird"),
    "nostr-bech32": _late("wallets.check_nostr"),
    "npm-crc32": _late("crc.check_npm"),
    "onepassword-json": _late("structure.check_onepassword"),
    "openai-mark": _late("structure.check_openai"),
    "pkcs12-der": _late("privatekey.check_pkcs12"),
    "polar-crc32": _late("crc.check_polar"),
    "private-key-clear": _late("privatekey.check_clear_key"),
    "private-key-encoded": _late("privatekey.check_encoded_key"),
    "private-key-encrypted": _late("privatekey.check_encrypted_key"),
    "pypi-macaroon": _late("structure.check_pypi"),
    "random": _late("randomness.check_random"),
    "random-hex": _late("structure.check_databricks_style_hex"),
    "rapidapi-marks": _late("structure.check_rapidapi"),
    "reviewboard-crc32": _late("crc.check_reviewboard"),
    "ripple-base58check": _late("wallets.check_ripple"),
    "sanctum-crc32": _late("crc.check_sanctum"),
    "scalr-jwt": _late("jwt.check_scalr"),
    "sentry-json": _late("structure.check_sentry_organisation"),
    "ses-smtp": _late("structure.check_ses_smtp"),
    "slack-rotating": _late("structure.check_slack_rotating"),
    "solana-length": _late("wallets.check_solana"),
    "stellar-crc16": _late("wallets.check_stellar"),
    "supabase-service-jwt": _late("jwt.check_supabase_service"),
    "supabase-sha256": _late("structure.check_supabase"),
    "telegram-mark": _late("structure.check_telegram"),
    "temporal-jwt": _late("jwt.check_temporal"),
    "tezos-base58check": _late("wallets.check_tezos"),
    "uuid-random": _late("structure.check_uuid"),
    "vault-batch": _late("structure.check_vault_batch"),
    "vault-service": _late("structure.check_vault_service"),
    "vercel-crc32": _late("crc.check_vercel"),
    "wif-base58check": _late("wallets.check_wif"),
    "wireguard-clamp": _late("wallets.check_wireguard"),
    "zuplo-crc32": _late("crc.check_zuplo"),
}
# Checks that look at the text around the secret too.
_WITH_SURROUNDINGS: Mapping[str, Check] = {
    "supabase-sha256": _late("structure.check_supabase"),
}
# Checks that only weed out what was plainly never drawn at random; they prove nothing.
PLAUSIBILITY = frozenset({"random", "random-hex", "uuid-random", "ethereum-range", "solana-length", "aws-key-id"})
# Checks that say whether a value has a shape that many have: what fails one may still be some other credential.
SHAPES = PLAUSIBILITY | {"base64-32", "base64-64", "basic-auth"}
# Checks of tokens that a fixed text tells from all else. A failure leaves open whether the token was edited, invented
# or made in a form that is new: what looks drawn at random is shown with medium confidence (ADR 0149).
ANCHORED = frozenset(
    (
        *("age-bech32", "artifactory-reference", "atlassian-crc32", "azure-cask", "azure-entra", "azure-his"),
        *("bedrock-name", "bitbucket-crc32", "bitwarden-parts", "cargo-xor", "cloudflare-crc32", "confluent-crc32"),
        *("github-crc32", "github-fine-grained-sha256", "gitlab-crc32", "grafana-cloud-json", "grafana-crc32"),
        *("mapbox-json", "netbird-crc32", "npm-crc32", "onepassword-json", "polar-crc32", "pypi-macaroon"),
        *("reviewboard-crc32", "sentry-json", "slack-rotating", "vault-batch", "vault-service", "vercel-crc32"),
        "zuplo-crc32",
    )
)
# Checks that say what a thing is, not that it is of use to whoever finds it: a pass leaves what the rule says.
DESCRIPTIVE = frozenset({"private-key-encrypted"})


def check_secret(name: str, secret: bytes, around: bytes = b"") -> bool | None:
    """Run the check ``name`` on ``secret``; ``around`` is the text that it was found in.

    "" is no check and gives None. A secret that a check can't even take apart has failed it.
    """
    if not name:
        return None
    try:
        if name in _WITH_SURROUNDINGS:
            return _WITH_SURROUNDINGS[name](secret, around)
        return CHECKS[name](secret)
    except (ValueError, IndexError, OverflowError):
        return False
