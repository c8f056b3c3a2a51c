"""Tokens that tell by their form what they are: one table, compiled into one pattern.

A row is the service, the signs that a token begins with, what follows them, and who says so. A letter before ``{`` is
an alphabet: ``h`` hexadecimal digits, ``l`` small letters and digits, ``u`` capitals and digits, ``a`` letters and
digits, ``w`` these and ``_-``, ``e`` these and ``=``, ``b`` base64 of any kind. The braces hold the least length.
How the table is kept up to date: docs/comparison.md.
"""

from __future__ import annotations

import re
from functools import cache

from .patterns import Rule, lazy, replace

_ALPHABETS = {
    "h": "[0-9A-Fa-f]",
    "l": "[0-9a-z]",
    "u": "[0-9A-Z]",
    "a": "[0-9A-Za-z]",
    "w": r"[0-9A-Za-z_-]",
    "e": r"[0-9A-Za-z_=-]",
    "b": r"[0-9A-Za-z_+/=-]",
}

SHAPES = (
    # Clouds
    ("Alibaba Cloud access key id", "LTAI", "a{12}", "help.aliyun.com"),
    ("Tencent Cloud secret id", "AKID", "a{13}", "cloud.tencent.com"),
    ("Amazon Web Services access key id", "AKIA", "u{16}", "docs.aws.amazon.com"),
    ("Amazon Web Services temporary key id", "ASIA", "u{16}", "docs.aws.amazon.com"),
    ("Amazon Web Services access key id", "ABIA", "u{16}", "docs.aws.amazon.com"),
    ("Amazon Web Services access key id", "ACCA", "u{16}", "docs.aws.amazon.com"),
    ("Amazon Bedrock API key", "ABSK", "b{100}", "docs.aws.amazon.com"),
    ("Amazon Bedrock API key", "bedrock-api-key-", "b{20}", "docs.aws.amazon.com"),
    ("Google API key", "AIza", "w{30}", "cloud.google.com"),
    ("Google OAuth client secret", "GOCSPX-", "w{20}", "developers.google.com"),
    ("Google OAuth access token", "ya29.", "w{20}", "developers.google.com"),
    ("Google OAuth refresh token", "1//0", "w{30}", "developers.google.com"),
    ("DigitalOcean token", "dop_v1_", "h{40}", "docs.digitalocean.com"),
    ("DigitalOcean token", "doo_v1_", "h{40}", "docs.digitalocean.com"),
    ("DigitalOcean token", "dor_v1_", "h{40}", "docs.digitalocean.com"),
    ("Cloudflare origin CA key", "v1.0-", "h{20}-h{100}", "developers.cloudflare.com"),
    ("Heroku API key", "HRKU-", "w{40}", "devcenter.heroku.com"),
    ("Scalingo token", "tk-us-", "w{40}", "developers.scalingo.com"),
    ("Databricks token", "dapi", "h{32}", "docs.databricks.com"),
    ("Yandex Cloud access key", "YCAJE", "w{18}", "yandex.cloud"),
    ("Yandex Cloud secret key", "YCM", "w{35}", "yandex.cloud"),
    ("Yandex Cloud secret key", "YCP", "w{35}", "yandex.cloud"),
    ("Yandex Cloud API key", "AQVN", "w{35}", "yandex.cloud"),
    ("Yandex Cloud token", "t1.", "a{5,20}.w{40}", "yandex.cloud"),
    ("Fly.io token", "fm1r_", "b{40}", "fly.io/docs"),
    ("Fly.io token", "fm2_", "b{40}", "fly.io/docs"),
    ("Fly.io token", "fo1_", "w{40}", "fly.io/docs"),
    # Source, packages, builds
    ("GitHub token", "ghp_", "a{30}", "docs.github.com"),
    ("GitHub OAuth token", "gho_", "a{30}", "docs.github.com"),
    ("GitHub user token", "ghu_", "a{30}", "docs.github.com"),
    ("GitHub server token", "ghs_", "a{30}", "docs.github.com"),
    ("GitHub refresh token", "ghr_", "a{30}", "docs.github.com"),
    ("GitHub fine-grained token", "github_pat_", "w{20}", "docs.github.com"),
    ("GitLab token", "glpat-", "w{16}(?:.a{8})?", "docs.gitlab.com"),
    ("GitLab deploy token", "gldt-", "w{16}", "docs.gitlab.com"),
    ("GitLab trigger token", "glptt-", "h{20}", "docs.gitlab.com"),
    ("GitLab runner token", "glrt-", "w{16}(?:.a{8})?", "docs.gitlab.com"),
    ("GitLab runner token", "glrtr-", "w{16}", "docs.gitlab.com"),
    ("GitLab job token", "glcbt-", "w{16}", "docs.gitlab.com"),
    ("GitLab feature flags", "glffct-", "w{16}", "docs.gitlab.com"),
    ("GitLab feed token", "glft-", "w{16}", "docs.gitlab.com"),
    ("GitLab mail token", "glimt-", "w{16}", "docs.gitlab.com"),
    ("GitLab agent token", "glagent-", "w{30}", "docs.gitlab.com"),
    ("GitLab OAuth secret", "gloas-", "w{30}", "docs.gitlab.com"),
    ("GitLab SCIM token", "glsoat-", "w{16}", "docs.gitlab.com"),
    ("GitLab runner registration", "GR1348941", "w{16}", "docs.gitlab.com"),
    ("GitLab session", "_gitlab_session=", "a{20}", "docs.gitlab.com"),
    ("npm token", "npm_", "a{30}", "github.com/npm/documentation"),
    ("PyPI token", "pypi-", "w{20}", "github.com/pypi/warehouse"),
    ("RubyGems token", "rubygems_", "h{40}", "guides.rubygems.org"),
    ("Clojars token", "CLOJARS_", "a{40}", "github.com/clojars"),
    ("Docker Hub token", "dckr_pat_", "w{20}", "docs.docker.com"),
    ("Docker Hub organisation token", "dckr_oat_", "w{20}", "docs.docker.com"),
    ("Artifactory API key", "AKCp", "a{50}", "jfrog.com/help"),
    ("Artifactory reference token", "cmVmd", "a{50}", "jfrog.com/help"),
    ("Sourcegraph token", "sgp_", "h{40}", "docs.sourcegraph.com"),
    ("Sourcegraph token", "sgp_", "h{16}_h{40}", "docs.sourcegraph.com"),
    ("Sourcegraph token", "sgp_", "local_h{40}", "docs.sourcegraph.com"),
    ("Sourcegraph token", "slk_", "h{64}", "docs.sourcegraph.com"),
    ("Harness token", "pat.", "a{22}.a{24}.a{20}", "developer.harness.io"),
    ("Harness token", "sat.", "a{22}.a{24}.a{20}", "developer.harness.io"),
    ("Pulumi token", "pul-", "h{40}", "pulumi.com/docs"),
    ("Prefect token", "pnu_", "l{30}", "docs.prefect.io"),
    ("Prefect token", "pnb_", "l{30}", "docs.prefect.io"),
    ("Terraform Cloud token", ".atlasv1.", "e{60}", "developer.hashicorp.com"),
    ("Vault service token", "hvs.", "w{20}", "developer.hashicorp.com"),
    ("Vault batch token", "hvb.", "w{40}", "developer.hashicorp.com"),
    ("Vault recovery token", "hvr.", "w{20}", "developer.hashicorp.com"),
    ("Vault token of earlier versions", "s.", "a{24}", "developer.hashicorp.com"),
    ("Doppler token", "dp.pt.", "a{40}", "docs.doppler.com"),
    ("Doppler service token", "dp.st.", "w{40}", "docs.doppler.com"),
    ("Infisical token", "st.", "h{24}.h{32}.h{32}", "infisical.com/docs"),
    ("1Password service account", "ops_eyJ", "b{100}", "developer.1password.com"),
    ("1Password secret key", "A3-", "u{6}-(?:u{11}|u{6}-u{5})-u{5}-u{5}-u{5}", "support.1password.com"),
    ("age secret key", "AGE-SECRET-KEY-1", "u{50}", "age-encryption.org"),
    # Models
    ("OpenAI, Anthropic, DeepSeek, DashScope", "sk-", "w{20}", "platform.openai.com"),
    ("Hugging Face token", "hf_", "a{30}", "huggingface.co/docs"),
    ("Hugging Face organisation token", "api_org_", "a{30}", "huggingface.co/docs"),
    ("Perplexity key", "pplx-", "a{40}", "docs.perplexity.ai"),
    ("Groq key", "gsk_", "a{40}", "console.groq.com"),
    ("xAI key", "xai-", "a{60}", "docs.x.ai"),
    ("Replicate token", "r8_", "a{35}", "replicate.com/docs"),
    ("Cohere and other keys", "co_", "a{40}", "docs.cohere.com"),
    ("LangSmith key", "lsv2_", "(?:pt|sk)_h{32}_h{10}", "docs.smith.langchain.com"),
    ("NVIDIA key", "nvapi-", "w{60}", "docs.nvidia.com"),
    ("Notion token", "ntn_", "a{40}", "developers.notion.com"),
    ("Notion token of earlier versions", "secret_", "a{43}", "developers.notion.com"),
    # Messages and mail
    ("Slack token", "xoxa-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack bot token", "xoxb-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack cookie token", "xoxc-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack cookie token", "xoxd-", "b{20}", "api.slack.com"),
    ("Slack refresh token", "xoxe-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack configuration token", "xoxe.", "xox[bp]-w{10}", "api.slack.com"),
    ("Slack token", "xoxo-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack user token", "xoxp-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack refresh token", "xoxr-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack workspace token", "xoxs-", "[0-9]{1,16}-w{8}", "api.slack.com"),
    ("Slack application token", "xapp-", "[0-9]-w{10}", "api.slack.com"),
    ("SendGrid key", "SG.", "e{16}(?:.e{30})?", "sendgrid.com/docs"),
    ("Brevo key", "xkeysib-", "h{60}-a{16}", "developers.brevo.com"),
    ("Brevo SMTP key", "xsmtpsib-", "h{60}-a{16}", "developers.brevo.com"),
    ("Mailgun key", "key-", "h{32}", "documentation.mailgun.com"),
    ("Mailgun public key", "pubkey-", "h{32}", "documentation.mailgun.com"),
    ("Twilio key id", "SK", "[0-9a-f]{32}", "twilio.com/docs"),
    ("Twilio account id", "AC", "[0-9a-f]{32}", "twilio.com/docs"),
    ("Intercom token", "dG9rO", "b{40}", "developers.intercom.com"),
    # Money and shops
    ("Stripe secret key", "sk_live_", "a{10}", "docs.stripe.com"),
    ("Stripe test key", "sk_test_", "a{10}", "docs.stripe.com"),
    ("Stripe key", "sk_prod_", "a{10}", "docs.stripe.com"),
    ("Stripe restricted key", "rk_live_", "a{10}", "docs.stripe.com"),
    ("Stripe restricted key", "rk_test_", "a{10}", "docs.stripe.com"),
    ("Stripe restricted key", "rk_prod_", "a{10}", "docs.stripe.com"),
    ("Stripe webhook secret", "whsec_", "b{20}", "docs.stripe.com"),
    ("Square token", "EAAA", "w{60}", "developer.squareup.com"),
    ("Square token", "sq0atp-", "w{22}", "developer.squareup.com"),
    ("Square secret", "sq0csp-", "w{40}", "developer.squareup.com"),
    ("Braintree token", "access_token$", "(?:production|sandbox)[$]l{16}[$]h{32}", "developer.paypal.com"),
    ("Shopify token", "shpat_", "h{30}", "shopify.dev"),
    ("Shopify token", "shpca_", "h{30}", "shopify.dev"),
    ("Shopify token", "shppa_", "h{30}", "shopify.dev"),
    ("Shopify secret", "shpss_", "h{30}", "shopify.dev"),
    ("Shippo key", "shippo_live_", "h{40}", "docs.goshippo.com"),
    ("Shippo key", "shippo_test_", "h{40}", "docs.goshippo.com"),
    ("EasyPost key", "EZAK", "a{54}", "docs.easypost.com"),
    ("EasyPost test key", "EZTK", "a{54}", "docs.easypost.com"),
    ("Flutterwave public key", "FLWPUBK_TEST-", "h{32}-X", "developer.flutterwave.com"),
    ("Flutterwave secret key", "FLWSECK_TEST-", "h{12}", "developer.flutterwave.com"),
    ("Flutterwave key", "FLWSECK-", "h{32}-X", "developer.flutterwave.com"),
    ("Plaid token", "access-sandbox-", "h{8}-h{4}-h{4}-h{4}-h{12}", "plaid.com/docs"),
    ("Plaid token", "access-development-", "h{8}-h{4}-h{4}-h{4}-h{12}", "plaid.com/docs"),
    ("Plaid token", "access-production-", "h{8}-h{4}-h{4}-h{4}-h{12}", "plaid.com/docs"),
    ("Lob key", "live_pub_", "h{30}", "docs.lob.com"),
    ("Duffel token", "duffel_live_", "e{43}", "duffel.com/docs"),
    ("Duffel token", "duffel_test_", "e{43}", "duffel.com/docs"),
    # Data, watching, work
    ("Grafana Cloud token", "glc_", "b{30}", "grafana.com/docs"),
    ("Grafana service account", "glsa_", "a{32}_h{8}", "grafana.com/docs"),
    ("Sentry organisation token", "sntrys_", "b{40}", "docs.sentry.io"),
    ("Sentry user token", "sntryu_", "h{60}", "docs.sentry.io"),
    ("Datadog key", "ddapi_", "a{32}", "docs.datadoghq.com"),
    ("Dynatrace token", "dt0c01.", "a{24}.a{64}", "docs.dynatrace.com"),
    ("Dynatrace token", "dt0s01.", "a{8}.a{64}", "docs.dynatrace.com"),
    ("New Relic user key", "NRAK-", "a{27}", "docs.newrelic.com"),
    ("New Relic browser key", "NRJS-", "h{19}", "docs.newrelic.com"),
    ("New Relic insert key", "NRII-", "w{32}", "docs.newrelic.com"),
    ("PlanetScale password", "pscale_pw_", "e{32}", "planetscale.com/docs"),
    ("PlanetScale token", "pscale_tkn_", "e{32}", "planetscale.com/docs"),
    ("PlanetScale OAuth token", "pscale_oauth_", "e{32}", "planetscale.com/docs"),
    ("Neon key", "napi_", "l{40}", "neon.tech/docs"),
    ("Supabase token", "sbp_", "h{40}", "supabase.com/docs"),
    ("Supabase secret key", "sb_secret_", "w{22}", "supabase.com/docs"),
    ("ClickHouse Cloud key", "4b1d", "a{38}", "clickhouse.com/docs"),
    ("Airtable token", "pat", "a{14}.h{60}", "airtable.com/developers"),
    ("Airtable key", "keyy", "a{13}", "airtable.com/developers"),
    ("Linear key", "lin_api_", "a{35}", "linear.app/developers"),
    ("Linear OAuth token", "lin_oauth_", "h{60}", "linear.app/developers"),
    ("Postman key", "PMAK-", "h{24}-h{34}", "learning.postman.com"),
    ("ReadMe key", "rdme_", "l{60}", "docs.readme.com"),
    ("Frame.io token", "fio-u-", "e{60}", "developer.frame.io"),
    ("Typeform token", "tfp_", "e{50}", "developer.typeform.com"),
    ("Atlassian token", "ATATT3", "e{20}", "developer.atlassian.com"),
    ("Atlassian token", "ATCTT3", "e{20}", "developer.atlassian.com"),
    ("Bitbucket token", "ATBB", "a{28}", "developer.atlassian.com"),
    ("Adobe client secret", "p8e-", "h{32}", "developer.adobe.com"),
    ("42 client secret", "s-s4t2ud-", "h{60}", "api.intra.42.fr"),
    ("42 client secret", "s-s4t2af-", "h{60}", "api.intra.42.fr"),
    ("Settlemint token", "sm_pat_", "a{16}", "console.settlemint.com"),
    ("Settlemint token", "sm_aat_", "a{16}", "console.settlemint.com"),
    ("Settlemint token", "sm_sat_", "a{16}", "console.settlemint.com"),
    ("Figma token", "figd_", "w{40}", "figma.com/developers"),
    ("Mapbox secret token", "sk.eyJ", "w{40}.w{20}", "docs.mapbox.com"),
    ("Mapbox token", "pk.eyJ", "w{40}.w{20}", "docs.mapbox.com"),
    ("OpenShift token", "sha256~", "w{40}", "docs.openshift.com"),
    ("Tailscale key", "tskey-", "[a-z]{1,10}-a{12}", "tailscale.com/kb"),
    ("LaunchDarkly key", "sdk-", "h{8}-h{4}-h{4}-h{4}-h{12}", "launchdarkly.com/docs"),
    ("Facebook token", "EAA", "a{100}", "developers.facebook.com"),
    # More clouds, stores, builds and tools
    ("Alibaba Cloud STS token", "CAIS", "b{200}", "help.aliyun.com"),
    ("Volcengine access key id", "AKLT", "a{20}", "volcengine.com/docs"),
    ("Baidu Cloud access key id", "ALTAK-", "w{16}", "cloud.baidu.com/doc"),
    ("DingTalk signing secret", "SEC", "[0-9a-f]{64}", "open.dingtalk.com"),
    ("ModelScope token", "ms-", "h{8}-h{4}-h{4}-h{4}-h{12}", "modelscope.cn/docs"),
    ("Amazon Web Services session token", "IQoJb3JpZ2luX2Vj", "b{60}", "docs.aws.amazon.com"),
    ("Amazon Web Services session token", "FwoGZXIvYXdz", "b{60}", "docs.aws.amazon.com"),
    ("MongoDB Atlas secret", "mdb_sa_sk_", "w{40}", "mongodb.com/docs"),
    ("Dropbox token", "sl.", "e{100}", "dropbox.com/developers"),
    ("Netlify token", "nfp_", "a{36}", "docs.netlify.com"),
    ("Deno Deploy token", "ddp_", "a{36}", "docs.deno.com"),
    ("NuGet key", "oy2", "l{43}", "learn.microsoft.com"),
    ("Octopus Deploy key", "API-", "u{26}", "octopus.com/docs"),
    ("SonarQube token", "sqp_", "l{40}", "docs.sonarsource.com"),
    ("SonarQube token", "squ_", "l{40}", "docs.sonarsource.com"),
    ("SonarQube token", "sqa_", "l{40}", "docs.sonarsource.com"),
    ("CircleCI token", "CCIPAT_", "a{16}_h{40}", "circleci.com/docs"),
    ("CircleCI project token", "CCIPRJ_", "a{16}_h{40}", "circleci.com/docs"),
    ("Buildkite token", "bkua_", "h{40}", "buildkite.com/docs"),
    ("Infracost key", "ico-", "a{32}", "infracost.io/docs"),
    ("Endor Labs key", "endr+", "w{16}", "docs.endorlabs.com"),
    ("Defined Networking key", "dnkey-", "e{26}-e{52}", "docs.defined.net"),
    ("Authress key", "authress_", "a{5,30}.a{4,6}.acc_a{10,32}.b{30}", "authress.io/knowledge-base"),
    ("Authress key", "scauth_", "a{5,30}.a{4,6}.acc_a{10,32}.b{30}", "authress.io/knowledge-base"),
    ("Snyk token", "snyk_uat.", "h{8}.e{40}", "docs.snyk.io"),
    ("Doppler CLI token", "dp.ct.", "a{40}", "docs.doppler.com"),
    ("Doppler SCIM token", "dp.scim.", "a{40}", "docs.doppler.com"),
    ("Doppler audit token", "dp.audit.", "a{40}", "docs.doppler.com"),
    ("Contentful token", "CFPAT-", "w{43}", "contentful.com/developers"),
    ("Trello token", "ATTA", "h{60}", "developer.atlassian.com"),
    ("PostHog key", "phx_", "a{40}", "posthog.com/docs"),
    ("PostHog project key", "phc_", "a{40}", "posthog.com/docs"),
    ("Honeycomb key", "hcaik_", "l{50}", "docs.honeycomb.io"),
    ("WakaTime key", "waka_", "h{8}-h{4}-h{4}-h{4}-h{12}", "wakatime.com/developers"),
    ("Resend key", "re_", "a{8}_a{20}", "resend.com/docs"),
    ("Pinecone key", "pcsk_", "w{50}", "docs.pinecone.io"),
    ("LaunchDarkly token", "api-", "h{8}-h{4}-h{4}-h{4}-h{12}", "launchdarkly.com/docs"),
    ("Lob key", "live_", "[0-9a-f]{35}", "docs.lob.com"),
    ("Lob key", "test_", "[0-9a-f]{35}", "docs.lob.com"),
    ("GoCardless token", "live_", "e{40}", "developer.gocardless.com"),
    ("GoCardless token", "sandbox_", "e{40}", "developer.gocardless.com"),
    ("X bearer token", "AAAAAAAAAAAAAAAAAAAAA", "[0-9A-Za-z%]{80}", "docs.x.com"),
    ("JSON Web Token in base64", "ZXlK", "b{60}", "RFC 7519"),
    # JSON Web Tokens, signed or encrypted, whose first part may be cut off
    ("JSON Web Token", "eyJ", "w{12}(?:.b{1}){0,4}", "RFC 7519"),
    ("JSON Web Token", "eyG", "w{16}.b{16}.b{16}", "RFC 7519"),
)

# Those whose sign is not at their beginning.
_IN_THE_MIDDLE = (
    ("Microsoft Entra client secret", "Q~", r"[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,}", "learn.microsoft.com"),
    ("MaxMind license key", "_mmk", r"[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk", "dev.maxmind.com"),
    ("Microsoft Azure storage key", "==", r"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{86}==", "learn.microsoft.com"),
    ("Mailchimp key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}\b", "mailchimp.com/developer"),
    ("New Relic license key", "NRAL", r"[0-9A-Za-z]{32,36}NRAL", "docs.newrelic.com"),
    ("Firebase server key", ":APA91", r"AAAA[0-9A-Za-z_-]{7}:APA91[0-9A-Za-z_-]{100,}", "firebase.google.com/docs"),
    ("Telegram bot token", ":A", r"[0-9]{5,16}:A[0-9A-Za-z_-]{33,}", "core.telegram.org"),
    ("Facebook application token", "|", r"[0-9]{15,16}\|[0-9A-Za-z_-]{27,}", "developers.facebook.com"),
)

_ADDRESSES = (  # who knows such an address may post
    ("hooks.slack.com", r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]+", "api.slack.com"),
    ("/hook/", r"(/bot/v2/hook/)[\w/-]+", "open.feishu.cn"),
    ("/webhooks/", r"(/api/webhooks/)[\w/-]+", "discord.com/developers"),
    (
        "webhook.office.com",
        r"(webhook\.office\.com/webhookb2/(?:[\w@-]{1,90}/IncomingWebhook/)?+)[\w@/-]+",
        "learn.microsoft.com",
    ),
    ("hc-ping.com", r"(hc-ping\.com/)[\w-]{20,}", "healthchecks.io/docs"),
)

_LEAST = 15  # signs of the shortest token in the tables
_LONG = lazy(rf"[0-9a-z_-]{{{_LEAST}}}")
_ALPHABET = lazy(r"(?<![a-z])([hluaweb])\{(\d+)(,\d+)?\}")


_GOES_ON = lazy(r"[0-9A-Za-z+]")
_DIGIT = lazy(r"\d")


def _form(rest: str) -> str:
    def one(found: re.Match[str]) -> str:
        return f"{_ALPHABETS[found[1]]}{{{found[2]}{found[3] or ','}}}"

    return _ALPHABET.sub(one, rest.replace(".", r"\."))


def _is_token(found: re.Match[str]) -> bool:
    """A token begins where no other word goes on; one that names a thing, or is a row of x, is none."""
    at, text = found.start(), found[0]
    if at and _GOES_ON.match(found.string, at - 1):
        return False
    rest = text[6:]
    capitals = sum(sign.isupper() for sign in rest)
    return len(set(rest)) > 5 and (_DIGIT.search(rest) is not None or (len(rest) > 26 and 3 * capitals > len(rest)))


@cache
def _table() -> dict[str, Rule]:
    """Prefix → rule: one search for each prefix that a text has."""
    forms: dict[str, list[str]] = {}
    for _, prefix, rest, _ in SHAPES:
        forms.setdefault(prefix, []).append(_form(rest))
    longest_first = sorted(forms.items(), key=lambda row: -len(row[0]))
    found = {prefix: f"{re.escape(prefix)}(?:{'|'.join(rests)})" for prefix, rests in longest_first}
    found |= {sign: form for _, sign, form, _ in _IN_THE_MIDDLE}
    return {sign: Rule(form, 0, (), _is_token) for sign, form in found.items()}


URLS = (
    *(Rule(form, 1, (word,)) for word, form, _ in _ADDRESSES),
    Rule(r"(?<=bot)\d{6,12}:[\w-]{30,}", 0, ("bot",)),  # Telegram's
)


def without_tokens(text: str, small: str) -> str:
    """``text`` with the tokens of the table as ``***``. ``small`` is it in small letters."""
    for word in small.split():
        if len(word) >= _LEAST and _LONG.search(word):
            break
    else:
        return text  # no word is long enough: so are most lines
    for sign, rule in _table().items():
        if sign in text:
            text = replace(rule, text)
    return text
