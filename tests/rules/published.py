"""The 150 commonest credential types in realistic surroundings, written from the providers' documented formats.

A list of our own: each rule named here is put into places where such credentials are found (settings, code, URLs,
headers, escaped text), and beside it stand texts of the same outline that are none. ``rates`` gives both shares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hygiene.detect.rulecheck import RuleBench
from hygiene.detect.rules import Rule, load_rules
from hygiene.detect.template import fill_template

COMMONEST = [
    "adafruit-key",
    "airtable-token",
    "alibaba-access-key-id",
    "alibaba-access-key-secret",
    "anthropic-api-key",
    "anthropic-admin-key",
    "anthropic-oauth-token",
    "apify-token",
    "artifactory-api-key",
    "artifactory-reference-token",
    "asana-token",
    "atlassian-api-token",
    "auth0-client-secret",
    "aws-access-key-id",
    "aws-bedrock-key",
    "aws-secret-access-key",
    "aws-session-token",
    "aws-temporary-key-id",
    "azure-ai-key",
    "azure-container-registry-key",
    "azure-cosmos-db-key",
    "azure-devops-pat",
    "azure-entra-client-secret",
    "azure-functions-key",
    "azure-openai-key",
    "azure-search-key",
    "azure-service-bus-key",
    "azure-shared-access-key",
    "azure-storage-account-key",
    "azure-storage-account-key-old",
    "bitbucket-access-token",
    "bitbucket-app-password",
    "bitcoin-wif",
    "brave-search-key",
    "brevo-key",
    "buildkite-user-token",
    "cerebras-key",
    "circleci-personal-token",
    "circleci-token-old",
    "clojars-token",
    "cloudflare-global-key",
    "cloudflare-token-old",
    "cloudflare-user-token",
    "cloudinary-url",
    "codecov-token",
    "cohere-key",
    "confluent-secret",
    "contentful-token",
    "crates-io-token",
    "databricks-token",
    "datadog-api-key",
    "datadog-app-key",
    "deepgram-key",
    "deepseek-key",
    "digitalocean-pat",
    "discord-bot-token",
    "discord-webhook",
    "docker-hub-pat",
    "doppler-token",
    "dropbox-token",
    "dynatrace-token",
    "elevenlabs-key",
    "fastly-token",
    "figma-token",
    "firecrawl-key",
    "fireworks-key",
    "fly-token",
    "flutterwave-secret-key",
    "gcp-hmac-key-id",
    "gcp-service-account-key",
    "github-oauth-token",
    "github-pat-classic",
    "github-pat-fine-grained",
    "github-installation-token",
    "github-user-to-server-token",
    "gitlab-deploy-token",
    "gitlab-pat",
    "gitlab-pat-routable",
    "gitlab-runner-token",
    "gitlab-trigger-token",
    "google-api-key",
    "google-oauth-access-token",
    "google-oauth-client-secret",
    "google-oauth-refresh-token",
    "grafana-cloud-token",
    "grafana-service-account-token",
    "groq-key",
    "heroku-key",
    "heroku-key-old",
    "hubspot-token",
    "huggingface-token",
    "ibm-cloud-api-key",
    "infura-key",
    "intercom-token",
    "jina-key",
    "jwt",
    "langfuse-key",
    "langsmith-key",
    "launchdarkly-key",
    "linear-key",
    "linode-token",
    "mailchimp-key",
    "mailgun-key",
    "mapbox-secret-token",
    "meta-access-token",
    "mistral-key",
    "mongodb-atlas-service-secret",
    "neon-api-key",
    "netlify-token",
    "newrelic-license-key",
    "newrelic-user-key",
    "npm-token",
    "npm-token-legacy",
    "notion-token",
    "notion-token-old",
    "nuget-key",
    "nvidia-key",
    "okta-token",
    "onepassword-service-token",
    "openai-key",
    "openrouter-key",
    "pagerduty-key",
    "perplexity-key",
    "pinecone-key",
    "planetscale-password",
    "planetscale-token",
    "plaid-access-token",
    "postman-key",
    "posthog-personal-key",
    "private-key",
    "private-key-base64",
    "pulumi-token",
    "pypi-token",
    "replicate-token",
    "rubygems-key",
    "salesforce-session",
    "sendgrid-key",
    "sentry-organisation-token",
    "sentry-user-token",
    "shopify-access-token",
    "shopify-shared-secret",
    "slack-app-token",
    "slack-bot-token",
    "slack-session-token",
    "slack-user-token",
    "slack-webhook",
    "snyk-token",
    "sonarqube-token",
    "square-access-token",
    "stripe-restricted-key",
    "stripe-secret-key",
    "supabase-management-token",
    "supabase-secret-key",
    "supabase-service-role-key",
    "tailscale-key",
    "tavily-key",
    "teams-webhook",
    "telegram-bot-token",
    "terraform-token",
    "together-key",
    "twilio-api-key-sid",
    "twilio-auth-token",
    "twitter-bearer-token",
    "vault-batch-token",
    "vault-service-token",
    "vercel-personal-token",
    "voyage-key",
    "wandb-key",
    "xai-key",
    "age-identity",
]

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w+)=(\S+)")
SURROUNDINGS = (
    "export {name}={value}\n",
    "{name}: '{value}'\n",
    '{{"env": {{"{name}": "{value}"}}}}',
    'const {name} = "{value}"; // for the deployment\n',
    'self.{name} = os.environ.get("{name}", "{value}")\n',
    "ENV {name} {value}\n",
    '<add key="{name}" value="{value}" />',
    'log = "started\\n{name}={value}\\nready"\n',
    "- name: {name}\n  value: {value}\n",
    '  "{name}" => "{value}",\n',
    "[section]\n{name} = {value} ; set by hand\n",
    '{{\\"{name}\\":\\"{value}\\"}}',
)


class Sample(NamedTuple):
    """A text, and the rule that should or should not speak for it."""

    rule: str
    text: str


def positives(rule: Rule) -> Iterator[Sample]:
    """A rule's own examples, and its first assignment in every surrounding."""
    for number, template in enumerate(rule.positive):
        yield Sample(rule.id, fill_template(template, f"published {rule.id} {number}"))
    found = _ASSIGNMENT.fullmatch(rule.positive[0])
    if found is None:
        return
    for number, surrounding in enumerate(SURROUNDINGS):
        value = fill_template(found[2], f"published {rule.id} {number} value")
        yield Sample(rule.id, surrounding.format(name=found[1], value=value))


def negatives(rule: Rule) -> Iterator[Sample]:
    """A rule's own negative examples, and places that hold no value at all."""
    for number, template in enumerate(rule.negative):
        yield Sample(rule.id, fill_template(template, f"published {rule.id} {number}"))
    found = _ASSIGNMENT.fullmatch(rule.positive[0])
    if found is None:
        return
    for value in (
        "${" + found[1] + "}",
        "<your-key>",
        "changeme",
        "os.environ['X']",
        "{{ secrets.X }}",
        "xxxxxxxxxxxxxxxx",
    ):
        yield Sample(rule.id, f'{found[1]} = "{value}"\n')


class Rates(NamedTuple):
    """Shares of samples for which some specific rule speaks."""

    types: int
    positives: int
    found: float
    negatives: int
    alarms: float
    missed: tuple[Sample, ...]
    false: tuple[Sample, ...]


def rates() -> Rates:
    """Scan all samples with all rules, as a scan at default confidence does."""
    rules = load_rules()
    bench = RuleBench(rules)
    chosen = [rule for rule in rules.rules if rule.id in COMMONEST]
    yes = [sample for rule in chosen for sample in positives(rule)]
    no = [sample for rule in chosen for sample in negatives(rule)]
    missed = tuple(sample for sample in yes if not bench.speakers(sample.text))
    false = tuple(sample for sample in no if sample.rule in bench.speakers(sample.text))
    return Rates(len(chosen), len(yes), 1 - len(missed) / len(yes), len(no), len(false) / len(no), missed, false)
