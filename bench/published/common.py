"""The commonest credential types, and the rules of other scanners whose examples are of each.

Chosen from what leaks most and does most damage, then from what all or most scanners have in common: clouds, source
hosting and CI, payment, chat, mail, AI, monitoring, registries, databases, keys. What names something without opening
it (an app's or client's id, a host, a public key) is no credential here, whatever a scanner's list says of it.
"""

from __future__ import annotations

from typing import NamedTuple


class _Owners(NamedTuple):
    """The peers' own names for one type, blanks between them; Kingfisher's without their first word."""

    gitleaks: str = ""
    kingfisher: str = ""
    trufflehog: str = ""


COMMON: dict[str, _Owners] = {
    # clouds
    "AWS access key": _Owners("aws-access-token", "aws.1 aws.2", "access_keys"),
    "AWS session token": _Owners("", "aws.4", "session_keys"),
    "AWS AppSync key": _Owners("", "", "appsync"),
    "AWS Bedrock key": _Owners("aws-amazon-bedrock-api-key-long-lived aws-amazon-bedrock-api-key-short-lived"),
    "Google API key": _Owners("gcp-api-key", "google.4 google.6 youtube.1", "gemini googlegemini"),
    "Google OAuth client secret": _Owners("", "google.2 google.3", "googleoauth2"),
    "Google OAuth token": _Owners("", "google.oauth2.1", "refreshtoken"),
    "Google service account": _Owners("", "gcp.1 gcp.3", "gcp gcpapplicationdefaultcredentials"),
    "Azure client secret": _Owners("azure-ad-client-secret", "azure.3"),
    "Azure connection string": _Owners("", "azure.1 azure.2", "azureappconfigconnectionstring"),
    "Azure storage key": _Owners("", "azurestorage.key.1", "azure_storage"),
    "Azure shared-access signature": _Owners("", "", "azuresastoken"),
    "Azure Cosmos DB key": _Owners("", "", "azure_cosmosdb"),
    "Azure DevOps token": _Owners("", "azure.devops.1", "azuredevopspersonalaccesstoken"),
    "Azure OpenAI key": _Owners("", "azureopenai.1", "azure_openai"),
    "Azure Search key": _Owners("", "azuresearch.key.1", "azuresearchadminkey azuresearchquerykey"),
    "Azure Functions key": _Owners("", "", "azurefunctionkey"),
    "Azure container registry key": _Owners("", "", "azurecontainerregistry"),
    "Azure API management key": _Owners("", "", "azureapimanagementsubscriptionkey azuredirectmanagementkey"),
    "Alibaba Cloud key": _Owners(
        "alibaba-access-key-id alibaba-secret-key", "alibabacloud.1 alibabacloud.2", "alibaba"
    ),
    "DigitalOcean token": _Owners(
        "digitalocean-access-token digitalocean-pat digitalocean-refresh-token",
        "digitalocean.1 digitalocean.2 digitalocean.3",
        "digitaloceantoken",
    ),
    "IBM Cloud key": _Owners("", "ibm.1", "ibmclouduserkey"),
    "Scaleway key": _Owners("", "scaleway.1", "scalewaykey"),
    "Vultr key": _Owners("", "vultr.1", "vultrapikey"),
    "Yandex key": _Owners("yandex-access-token yandex-api-key yandex-aws-access-token", "yandex.1", "yandex"),
    "Cloudflare token": _Owners("cloudflare-api-key", "cloudflare.1", "cloudflareapitoken"),
    "Cloudflare global key": _Owners("cloudflare-global-api-key", "", "cloudflareglobalapikey"),
    "Cloudflare origin CA key": _Owners("cloudflare-origin-ca-key", "cloudflare.2", "cloudflarecakey"),
    "Fastly token": _Owners("fastly-api-token", "fastly.1", "fastlypersonaltoken"),
    "Heroku key": _Owners("heroku-api-key heroku-api-key-v2", "heroku.1", "heroku"),
    "Netlify token": _Owners("netlify-access-token", "netlify.1 netlify.2", "netlify"),
    "Vercel token": _Owners("", "vercel.1", "vercel"),
    "Fly.io token": _Owners("flyio-access-token", "", "flyio"),
    # source hosting, CI, code quality
    "GitHub personal token": _Owners("github-pat", "github.1", "github"),
    "GitHub fine-grained token": _Owners("github-fine-grained-pat", "github.7"),
    "GitHub OAuth token": _Owners("github-oauth", "github.2", "github_oauth2"),
    "GitHub app token": _Owners("github-app-token", "github.3", "githubapp"),
    "GitHub refresh token": _Owners("github-refresh-token", "github.4"),
    "GitLab personal token": _Owners("gitlab-pat gitlab-pat-routable", "gitlab.1", "gitlab"),
    "GitLab deploy token": _Owners("gitlab-deploy-token"),
    "GitLab runner token": _Owners(
        "gitlab-rrt gitlab-runner-authentication-token gitlab-runner-authentication-token-routable", "gitlab.2"
    ),
    "GitLab trigger token": _Owners("gitlab-ptt", "gitlab.3"),
    "GitLab job token": _Owners("gitlab-cicd-job-token"),
    "GitLab application secret": _Owners("gitlab-oauth-app-secret", "", "gitlaboauth2"),
    "GitLab agent token": _Owners("gitlab-kubernetes-agent-token"),
    "Bitbucket secret": _Owners("bitbucket-client-secret", "bitbucket.3", "bitbucketapppassword bitbucketdatacenter"),
    "CircleCI token": _Owners("", "circleci.1 circleci.2", "circleci"),
    "Travis CI token": _Owners("travisci-access-token", "travisci.1", "travisci"),
    "Buildkite token": _Owners("", "buildkite.1", "buildkite"),
    "Drone CI token": _Owners("droneci-access-token", "droneci.1", "droneci"),
    "Jenkins token": _Owners("", "jenkins.1"),
    "SonarQube token": _Owners("sonar-api-token", "sonarcloud.1 sonarqube.1 sonarqube.3", "sonarcloud"),
    "Codecov token": _Owners("codecov-access-token"),
    "Snyk token": _Owners("snyk-api-token", "snyk.1", "snykkey"),
    "Sourcegraph token": _Owners(
        "sourcegraph-access-token", "sourcegraph.1 sourcegraph.2 sourcegraph.3", "sourcegraph sourcegraphcody"
    ),
    "Artifactory key": _Owners("artifactory-api-key", "artifactory.1", "artifactory"),
    "Artifactory reference token": _Owners("artifactory-reference-token", "", "artifactoryreferencetoken"),
    # package registries
    "npm token": _Owners("npm-access-token", "npm.1 npm.2", "npmtoken npmtokenv2"),
    "PyPI token": _Owners("pypi-upload-token", "pypi.1", "pypi"),
    "RubyGems key": _Owners("rubygems-api-token", "rubygems.1", "rubygems"),
    "NuGet key": _Owners("", "nuget.1 nuget.2", "nugetapikey"),
    "crates.io token": _Owners("", "cratesio.1"),
    "Clojars token": _Owners("clojars-api-token"),
    "Docker Hub token": _Owners("", "dockerhub.1"),
    "Docker configuration": _Owners("", "", "docker"),
    # infrastructure, secrets managers, identity
    "Terraform token": _Owners("hashicorp-tf-api-token", "terraform.1", "terraformcloudpersonaltoken"),
    "Vault token": _Owners(
        "vault-batch-token vault-service-token", "", "hashicorpvaultbatchtoken hashicorpvaulttoken hashicorpvaultauth"
    ),
    "Pulumi token": _Owners("pulumi-api-token", "pulumi.1", "pulumi"),
    "Doppler token": _Owners("doppler-api-token", "doppler.1 doppler.2 doppler.3 doppler.4 doppler.5", "doppler"),
    "1Password token": _Owners("1password-service-account-token 1password-secret-key"),
    "OpenShift token": _Owners("openshift-user-token"),
    "Okta token": _Owners("okta-access-token", "okta.1", "okta"),
    "Auth0 secret": _Owners("", "auth0.2", "auth0managementapitoken auth0oauth"),
    "JumpCloud key": _Owners("", "jumpcloud.1", "jumpcloud"),
    "Tailscale key": _Owners("", "tailscale.1", "tailscale"),
    "ngrok token": _Owners("", "ngrok.1", "ngrok"),
    # payment
    "Stripe key": _Owners("stripe-access-token", "stripe.1 stripe.2", "stripe"),
    "Square token": _Owners("square-access-token square-secret", "square.1 square.2", "square squareapp"),
    "PayPal secret": _Owners("", "paypal.2", "paypaloauth"),
    "Braintree key": _Owners("", "", "braintreepayments"),
    "Plaid secret": _Owners("plaid-api-token plaid-secret-key", "", "plaidkey"),
    "Paystack key": _Owners("", "paystack.1", "paystack"),
    "Flutterwave key": _Owners("flutterwave-secret-key", "", "flutterwave"),
    "Razorpay key": _Owners("", "", "razorpay"),
    "Shopify token": _Owners(
        "shopify-access-token shopify-custom-access-token shopify-private-app-access-token shopify-shared-secret",
        "shopify.1",
        "shopify shopifyoauth",
    ),
    "Coinbase key": _Owners("coinbase-access-token", "coinbase.1"),
    # chat and social
    "Slack bot token": _Owners("slack-bot-token slack-legacy-bot-token", "slack.2", "slack"),
    "Slack user token": _Owners("slack-user-token slack-legacy-token slack-legacy-workspace-token"),
    "Slack app token": _Owners("slack-app-token", "slack.1"),
    "Slack rotating token": _Owners("slack-config-access-token slack-config-refresh-token"),
    "Slack webhook": _Owners("slack-webhook-url", "slack.4", "slackwebhook"),
    "Discord bot token": _Owners("discord-api-token", "discord.2", "discordbottoken"),
    "Discord webhook": _Owners("", "discord.1", "discordwebhook"),
    "Discord client secret": _Owners("discord-client-secret"),
    "Telegram bot token": _Owners("", "telegram.1", "telegrambottoken"),
    "Teams webhook": _Owners("microsoft-teams-webhook", "msteams.1 microsoftteamswebhook.1", "microsoftteamswebhook"),
    "Mattermost token": _Owners("mattermost-access-token", "", "mattermostpersonaltoken"),
    "LINE token": _Owners("", "line.1", "linemessaging"),
    "Facebook token": _Owners(
        "facebook-access-token facebook-page-access-token facebook-secret", "facebook.2 facebook.3", "facebookoauth"
    ),
    "Twitter secret": _Owners(
        "twitter-access-secret twitter-access-token twitter-api-secret twitter-api-key",
        "twitter.2 twitter.v1.1",
        "twitterconsumerkey",
    ),
    "Twitter bearer token": _Owners("twitter-bearer-token", "twitter.v2.1", "twitter"),
    "LinkedIn secret": _Owners("linkedin-client-secret", "linkedin.2"),
    "Twitch token": _Owners("twitch-api-token", "twitch.1", "twitch twitchaccesstoken"),
    # mail and messages
    "SendGrid key": _Owners("sendgrid-api-token", "sendgrid.1", "sendgrid"),
    "Mailgun key": _Owners("mailgun-private-api-token mailgun-signing-key", "mailgun.1 mailgun.2", "mailgun"),
    "Mailchimp key": _Owners("mailchimp-api-key", "mailchimp.1", "mailchimp"),
    "Mandrill key": _Owners("", "mandrill.1", "mandrill"),
    "Brevo key": _Owners("sendinblue-api-token", "sendinblue.1", "sendinbluev2"),
    "Postmark token": _Owners("", "postmark.1", "postmark"),
    "SparkPost key": _Owners("", "sparkpost.1", "sparkpost"),
    "Mailjet key": _Owners("", "mailjet.1", "mailjetbasicauth"),
    "Twilio key": _Owners("twilio-api-key", "twilio.1 twilio.2", "twilio twilioapikey"),
    "MessageBird key": _Owners("messagebird-api-token", "messagebird.1", "messagebird"),
    # artificial intelligence
    "OpenAI key": _Owners("openai-api-key", "openai.1", "openai openaiadmin"),
    "Anthropic key": _Owners("anthropic-api-key anthropic-admin-api-key", "anthropic.1", "anthropic"),
    "Hugging Face token": _Owners(
        "huggingface-access-token huggingface-organization-api-token", "huggingface.1", "huggingface"
    ),
    "Cohere key": _Owners("cohere-api-token"),
    "Perplexity key": _Owners("perplexity-api-key"),
    "Groq key": _Owners("", "groq.1", "groq"),
    "xAI key": _Owners("", "xai.1", "xai"),
    "DeepSeek key": _Owners("", "", "deepseek"),
    "OpenRouter key": _Owners("", "", "openrouter"),
    "Replicate token": _Owners("", "replicate.1", "replicate"),
    "NVIDIA key": _Owners("", "nvapi.1", "nvapi ngc"),
    "Pinecone key": _Owners("", "", "pinecone"),
    "LangSmith key": _Owners("", "", "langsmith"),
    "Langfuse key": _Owners("", "", "langfuse"),
    "ElevenLabs key": _Owners("", "elevenlabs.1", "elevenlabs"),
    "Deepgram key": _Owners("", "deepgram.1", "deepgram"),
    "AssemblyAI key": _Owners("", "assemblyai.1", "assemblyai"),
    "Weights & Biases key": _Owners("", "wandb.1", "weightsandbiases"),
    # monitoring, analytics, flags
    "Datadog key": _Owners("datadog-access-token", "datadog.1 datadog.2"),
    "New Relic key": _Owners(
        "new-relic-user-api-key new-relic-insert-key",
        "newrelic.1",
        "newrelicpersonalapikey newrelicuserkey newreliclicensekey newrelicinsightsinsertkey newrelicinsightsquerykey",
    ),
    "Grafana token": _Owners(
        "grafana-api-key grafana-cloud-api-token grafana-service-account-token",
        "grafana.1 grafana.2 grafana.3",
        "grafana grafanaserviceaccount",
    ),
    "Sentry token": _Owners(
        "sentry-access-token sentry-org-token sentry-user-token", "sentry.1", "sentryorgtoken sentrytoken"
    ),
    "Dynatrace token": _Owners("dynatrace-api-token", "dynatrace.1"),
    "PagerDuty key": _Owners("", "pagerduty.1", "pagerdutyapikey"),
    "Opsgenie key": _Owners("", "opsgenie.1", "opsgenie"),
    "Splunk token": _Owners("", "splunk.1", "splunkobservabilitytoken"),
    "Sumo Logic key": _Owners("sumologic-access-token", "", "sumologickey"),
    "Honeycomb key": _Owners("", "honeycomb.1", "honeycomb"),
    "LaunchDarkly key": _Owners("launchdarkly-access-token", "launchdarkly.1", "launchdarkly"),
    "PostHog key": _Owners("", "posthog.1", "posthog"),
    "Segment key": _Owners("", "segment.1 segment.2", "segmentapikey"),
    "Algolia key": _Owners("algolia-api-key", "algolia.1", "algoliaadminkey"),
    "RapidAPI key": _Owners("rapidapi-access-token", "rapidapi.1", "rapidapi"),
    # databases and data
    "MongoDB Atlas key": _Owners("", "mongodb.1"),
    "MongoDB address": _Owners("", "mongodb.3"),
    "PostgreSQL address": _Owners("", "postgres.1", "postgres"),
    "Redis address": _Owners("", "", "redis"),
    "AMQP address": _Owners("", "rabbitmq.1", "rabbitmq"),
    "Database connection string": _Owners("", "odbc.1", "jdbc sqlserver"),
    "PlanetScale secret": _Owners(
        "planetscale-api-token planetscale-oauth-token planetscale-password", "planetscale.1", "planetscale"
    ),
    "Databricks token": _Owners("databricks-api-token", "databricks.1 databricks.2", "databrickstoken"),
    "Confluent secret": _Owners("confluent-secret-key confluent-access-token", "confluent.2", "confluent"),
    "Supabase token": _Owners("", "supabase.1", "supabasetoken"),
    "ClickHouse key": _Owners("clickhouse-cloud-api-secret-key"),
    "Airtable token": _Owners(
        "airtable-api-key airtable-personnal-access-token", "airtable.1", "airtablepersonalaccesstoken airtableoauth"
    ),
    # productivity and customers
    "Notion token": _Owners("notion-api-token", "notion.1", "notion"),
    "Linear key": _Owners("linear-api-key linear-client-secret", "linear.1", "linearapi"),
    "Atlassian token": _Owners("atlassian-api-token", "atlassian.1 jira.2", "atlassian jiratoken jiradatacenterpat"),
    "Asana token": _Owners(
        "asana-client-secret", "asana.2 asana.3 asanaoauth.1", "asanaoauth asanapersonalaccesstoken"
    ),
    "Trello token": _Owners("trello-access-token", "trello.1 trello.2", "trelloapikey"),
    "Figma token": _Owners("", "figma.1 figma.2", "figmapersonalaccesstoken"),
    "HubSpot key": _Owners("hubspot-api-key", "hubspot.1", "hubspot_apikey"),
    "Postman key": _Owners("postman-api-token", "postman.1", "postman"),
    "Salesforce token": _Owners("", "salesforce.1", "salesforce salesforceoauth2 salesforcerefreshtoken"),
    "Zendesk key": _Owners("zendesk-secret-key", "", "zendeskapi"),
    "Intercom token": _Owners("intercom-api-key", "intercom.1", "intercom"),
    "Dropbox token": _Owners("dropbox-api-token", "dropbox.1", "dropbox"),
    "Box secret": _Owners("", "box.1 box.com.1", "box"),
    "Contentful token": _Owners("contentful-delivery-api-token", "contentful.1", "contentfulpersonalaccesstoken"),
    "Mapbox token": _Owners("", "mapbox.2 mapbox.3", "mapbox"),
    "Typeform token": _Owners("typeform-api-token", "typeform.1", "typeform"),
    "ClickUp token": _Owners("", "clickup.1", "clickuppersonaltoken"),
    # keys and generic forms
    "private key": _Owners("private-key", "pem.1 pem.2 privkey.1 privkey.2", "privatekey"),
    "age key": _Owners("age-secret-key", "age.2"),
    "JSON web token": _Owners("jwt jwt-base64", "jwt.1", "jwt"),
    "generic API key": _Owners("generic-api-key", "generic.1 generic.2", "generic"),
    "generic password": _Owners("", "generic.3 generic.5 generic.8"),
    "curl credentials": _Owners("curl-auth-header curl-auth-user"),
    "address with a password": _Owners("", "uri.1", "uri"),
    "netrc password": _Owners("", "netrc.1"),
}


_DETECT_SECRETS = {
    "artifactory": "Artifactory key",
    "aws_key": "AWS access key",
    "azure_storage_key": "Azure storage key",
    "basic_auth": "address with a password",
    "discord": "Discord bot token",
    "github_token": "GitHub personal token",
    "gitlab_token": "GitLab personal token",
    "ibm_cloud_iam": "IBM Cloud key",
    "jwt": "JSON web token",
    "keyword": "generic password",
    "mailchimp_key": "Mailchimp key",
    "npm": "npm token",
    "openai": "OpenAI key",
    "private_key": "private key",
    "pypi_token": "PyPI token",
    "sendgrid": "SendGrid key",
    "slack": "Slack bot token",
    "square_oauth": "Square token",
    "stripe_key": "Stripe key",
    "telegram_token": "Telegram bot token",
    "twilio": "Twilio key",
}


def common_types(peer: str) -> dict[str, str]:
    """Give our name of the type that each of the peer's rules belongs to."""
    if peer == "detect-secrets":
        return _DETECT_SECRETS
    prefix = "kingfisher." if peer == "kingfisher" else ""
    return {prefix + name: kind for kind, owners in COMMON.items() for name in getattr(owners, peer).split()}
