"""The offline checks that rules name: one name, one function.

A passed check makes a finding certain; a failed one makes it low in confidence (tokens are cut off and edited in
documentation); None leaves it as the rule says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hygiene.detect.checksums import azure, crc, jwt, privatekey, randomness, structure, wallets

Check = Callable[[bytes], bool | None]

CHECKS: Mapping[str, Check] = {
    "age-bech32": wallets.check_age,
    "anthropic-tail": structure.check_anthropic,
    "argocd-jwt": jwt.check_argocd,
    "artifactory-reference": structure.check_artifactory_reference,
    "atlassian-crc32": crc.check_atlassian,
    "atlassian-server": structure.check_atlassian_server,
    "auth0-management-jwt": jwt.check_auth0_management,
    "aws-key-id": structure.check_aws_key_id,
    "aws-session": structure.check_aws_session,
    "azure-cask": azure.check_cask,
    "azure-devops-crc32": crc.check_azure_devops,
    "azure-entra": azure.check_entra,
    "azure-his": azure.check_his,
    "azure-sas": structure.check_sas,
    "base64-32": structure.check_base64_32,
    "base64-64": structure.check_base64_64,
    "basic-auth": structure.check_basic,
    "bedrock-name": structure.check_bedrock,
    "bip32-base58check": wallets.check_bip32,
    "bitbucket-crc32": crc.check_bitbucket,
    "bitwarden-parts": structure.check_bitwarden,
    "cargo-xor": structure.check_cargo_publishing,
    "cloudflare-crc32": crc.check_cloudflare,
    "cloudflare-tunnel-json": structure.check_cloudflare_tunnel,
    "confluent-crc32": crc.check_confluent,
    "datadog-crc32": crc.check_datadog,
    "discord-snowflake": structure.check_discord,
    "docker-config-json": structure.check_docker_config,
    "ethereum-range": wallets.check_ethereum,
    "github-crc32": crc.check_github,
    "github-fine-grained-sha256": structure.check_github_fine_grained,
    "gitlab-crc32": crc.check_gitlab,
    "google-service-account-json": structure.check_google_service_account,
    "grafana-api-json": structure.check_grafana_api_key,
    "grafana-cloud-json": structure.check_grafana_cloud,
    "grafana-crc32": crc.check_grafana,
    "groq-mark": structure.check_groq,
    "heroku-mark": structure.check_heroku,
    "jfrog-jwt": jwt.check_jfrog,
    "jwt": jwt.check_jwt,
    "jwt-shape": jwt.check_jwt_shape,
    "keeper-json": structure.check_keeper,
    "kubernetes-jwt": jwt.check_kubernetes,
    "mapbox-json": structure.check_mapbox,
    "matrix-crc32": crc.check_matrix,
    "nats-crc16": wallets.check_nkey,
    "neptune-json": structure.check_neptune,
    "netbird-crc32": crc.check_netbird,
    "nostr-bech32": wallets.check_nostr,
    "npm-crc32": crc.check_npm,
    "onepassword-json": structure.check_onepassword,
    "openai-mark": structure.check_openai,
    "pkcs12-der": privatekey.check_pkcs12,
    "polar-crc32": crc.check_polar,
    "private-key-clear": privatekey.check_clear_key,
    "private-key-encoded": privatekey.check_encoded_key,
    "private-key-encrypted": privatekey.check_encrypted_key,
    "pypi-macaroon": structure.check_pypi,
    "random": randomness.check_random,
    "random-hex": structure.check_databricks_style_hex,
    "rapidapi-marks": structure.check_rapidapi,
    "reviewboard-crc32": crc.check_reviewboard,
    "ripple-base58check": wallets.check_ripple,
    "sanctum-crc32": crc.check_sanctum,
    "scalr-jwt": jwt.check_scalr,
    "sentry-json": structure.check_sentry_organisation,
    "ses-smtp": structure.check_ses_smtp,
    "slack-rotating": structure.check_slack_rotating,
    "solana-length": wallets.check_solana,
    "stellar-crc16": wallets.check_stellar,
    "supabase-service-jwt": jwt.check_supabase_service,
    "supabase-sha256": structure.check_supabase,
    "telegram-mark": structure.check_telegram,
    "temporal-jwt": jwt.check_temporal,
    "tezos-base58check": wallets.check_tezos,
    "uuid-random": structure.check_uuid,
    "vault-batch": structure.check_vault_batch,
    "vault-service": structure.check_vault_service,
    "vercel-crc32": crc.check_vercel,
    "wif-base58check": wallets.check_wif,
    "wireguard-clamp": wallets.check_wireguard,
    "zuplo-crc32": crc.check_zuplo,
}
# Checks that look at the text around the secret too.
_WITH_SURROUNDINGS: Mapping[str, Callable[[bytes, bytes], bool | None]] = {
    "supabase-sha256": structure.check_supabase,
}
# Checks that only weed out what was plainly never drawn at random; they prove nothing.
PLAUSIBILITY = frozenset({"random", "random-hex", "uuid-random", "ethereum-range", "solana-length", "aws-key-id"})
# Checks that say whether a value has a shape that many have: what fails one may still be some other credential.
SHAPES = PLAUSIBILITY | {"base64-32", "base64-64", "basic-auth"}
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
