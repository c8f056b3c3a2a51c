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
    ("Cloudflare origin CA key", "v1.0-", "l{20}-l{100}", "developers.cloudflare.com"),
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
    ("Harness token", "pat.", "w{22}.a{24}.a{20}", "developer.harness.io"),
    ("Harness token", "sat.", "w{22}.a{24}.a{20}", "developer.harness.io"),
    ("Pulumi token", "pul-", "h{40}", "pulumi.com/docs"),
    ("Prefect token", "pnu_", "a{30}", "docs.prefect.io"),
    ("Prefect token", "pnb_", "a{30}", "docs.prefect.io"),
    ("Vault service token", "hvs.", "w{20}", "developer.hashicorp.com"),
    ("Vault batch token", "hvb.", "w{36}", "developer.hashicorp.com"),
    ("Vault recovery token", "hvr.", "w{20}", "developer.hashicorp.com"),
    ("Vault token of earlier versions", "s.", "a{24}", "developer.hashicorp.com"),
    ("Doppler token", "dp.pt.", "a{40}", "docs.doppler.com"),
    ("Doppler service token", "dp.st.", "(?:[a-z0-9_-]{2,35}.)?w{40}", "docs.doppler.com"),
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
    ("xAI key", "xai-", "w{60}", "docs.x.ai"),
    ("Replicate token", "r8_", "a{35}", "replicate.com/docs"),
    ("Cohere and other keys", "co_", "a{40}", "docs.cohere.com"),
    ("LangSmith key", "lsv2_", "(?:pt|sk)_h{32}_h{10}", "docs.smith.langchain.com"),
    ("NVIDIA key", "nvapi-", "w{60}", "docs.nvidia.com"),
    ("Notion token", "ntn_", "a{40}", "developers.notion.com"),
    ("Notion token of earlier versions", "secret_", "a{43}", "developers.notion.com"),
    # Messages and mail
    ("Slack token", "xoxa-", "w{10}", "api.slack.com"),
    ("Slack bot token", "xoxb-", "w{20}", "api.slack.com"),
    ("Slack cookie token", "xoxc-", "w{20}", "api.slack.com"),
    ("Slack cookie token", "xoxd-", "b{20}", "api.slack.com"),
    ("Slack refresh token", "xoxe-", "w{20}", "api.slack.com"),
    ("Slack configuration token", "xoxe.", "xox[bp]-w{10}", "api.slack.com"),
    ("Slack token", "xoxo-", "w{20}", "api.slack.com"),
    ("Slack user token", "xoxp-", "w{20}", "api.slack.com"),
    ("Slack refresh token", "xoxr-", "w{10}", "api.slack.com"),
    ("Slack workspace token", "xoxs-", "w{20}", "api.slack.com"),
    ("Slack application token", "xapp-", "w{16}", "api.slack.com"),
    ("SendGrid key", "SG.", "e{16}(?:.e{30})?", "sendgrid.com/docs"),
    ("Brevo key", "xkeysib-", "h{60}-a{16}", "developers.brevo.com"),
    ("Brevo SMTP key", "xsmtpsib-", "h{60}-a{16}", "developers.brevo.com"),
    ("Mailgun key", "key-", "h{32}", "documentation.mailgun.com"),
    ("Mailgun public key", "pubkey-", "h{32}", "documentation.mailgun.com"),
    ("Twilio key id", "SK", "h{32}", "twilio.com/docs"),
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
    ("Square token", "EAAA", "w{22}", "developer.squareup.com"),
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
    ("Flutterwave public key", "FLWPUBK_TEST-", "l{32}-X", "developer.flutterwave.com"),
    ("Flutterwave secret key", "FLWSECK_TEST-", "l{12}", "developer.flutterwave.com"),
    ("Flutterwave key", "FLWSECK-", "l{32}-X", "developer.flutterwave.com"),
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
    ("Supabase token", "sbp_", "l{40}", "supabase.com/docs"),
    ("Supabase secret key", "sb_secret_", "w{22}", "supabase.com/docs"),
    ("ClickHouse Cloud key", "4b1d", "a{38}", "clickhouse.com/docs"),
    ("Airtable token", "pat", "a{14}.h{60}", "airtable.com/developers"),
    ("Airtable key", "keyy", "a{13}", "airtable.com/developers"),
    ("Linear key", "lin_api_", "a{35}", "linear.app/developers"),
    ("Linear OAuth token", "lin_oauth_", "h{60}", "linear.app/developers"),
    ("Postman key", "PMAK-", "h{24}-h{34}", "learning.postman.com"),
    ("ReadMe key", "rdme_", "l{60}", "docs.readme.com"),
    ("Frame.io token", "fio-u-", "e{60}", "developer.frame.io"),
    ("Typeform token", "tfp_", "e{40}", "developer.typeform.com"),
    ("Atlassian token", "ATATT3", "e{20}", "developer.atlassian.com"),
    ("Atlassian token", "ATCTT3", "e{20}", "developer.atlassian.com"),
    ("Bitbucket token", "ATBB", "a{24}", "developer.atlassian.com"),
    ("Adobe client secret", "p8e-", "w{32}", "developer.adobe.com"),
    ("42 client secret", "s-s4t2ud-", "h{60}", "api.intra.42.fr"),
    ("42 client secret", "s-s4t2af-", "h{60}", "api.intra.42.fr"),
    ("Settlemint token", "sm_pat_", "a{16}", "console.settlemint.com"),
    ("Settlemint token", "sm_aat_", "a{16}", "console.settlemint.com"),
    ("Settlemint token", "sm_sat_", "a{16}", "console.settlemint.com"),
    ("Figma token", "figd_", "w{40}", "figma.com/developers"),
    ("Mapbox secret token", "sk.eyJ", "w{40}.w{20}", "docs.mapbox.com"),
    ("Mapbox token", "pk.eyJ", "w{40}.w{20}", "docs.mapbox.com"),
    ("OpenShift token", "sha256~", "w{40}", "docs.openshift.com"),
    ("Tailscale key", "tskey-", "[a-z]{1,10}-a{12}(?:-a{16})?", "tailscale.com/kb"),
    ("LaunchDarkly key", "sdk-", "l{8}-l{4}-l{4}-l{4}-l{12}", "launchdarkly.com/docs"),
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
    ("CircleCI token", "CCIPAT_", "a{16}_l{40}", "circleci.com/docs"),
    ("CircleCI project token", "CCIPRJ_", "a{16}_h{40}", "circleci.com/docs"),
    ("Buildkite token", "bkua_", "l{40}", "buildkite.com/docs"),
    ("Infracost key", "ico-", "a{32}", "infracost.io/docs"),
    ("Endor Labs key", "endr+", "w{16}", "docs.endorlabs.com"),
    ("Defined Networking key", "dnkey-", "e{26}-e{52}", "docs.defined.net"),
    ("Authress key", "authress_", "a{5,30}.a{4,6}.acc_w{10,32}.b{30}", "authress.io/knowledge-base"),
    ("Authress key", "scauth_", "a{5,30}.a{4,6}.acc_a{10,32}.b{30}", "authress.io/knowledge-base"),
    ("Snyk token", "snyk_uat.", "h{8}.e{40}", "docs.snyk.io"),
    ("Doppler CLI token", "dp.ct.", "a{40}", "docs.doppler.com"),
    ("Doppler SCIM token", "dp.scim.", "a{40}", "docs.doppler.com"),
    ("Doppler audit token", "dp.audit.", "a{40}", "docs.doppler.com"),
    ("Contentful token", "CFPAT-", "w{43}", "contentful.com/developers"),
    ("Trello token", "ATTA", "h{60}", "developer.atlassian.com"),
    ("PostHog key", "phx_", "w{40}", "posthog.com/docs"),
    ("PostHog project key", "phc_", "a{40}", "posthog.com/docs"),
    ("Honeycomb key", "hcaik_", "l{50}", "docs.honeycomb.io"),
    ("WakaTime key", "waka_", "h{8}-h{4}-h{4}-h{4}-h{12}", "wakatime.com/developers"),
    ("Resend key", "re_", "a{8}_a{20}", "resend.com/docs"),
    ("Pinecone key", "pcsk_", "w{50}", "docs.pinecone.io"),
    ("LaunchDarkly token", "api-", "l{8}-l{4}-l{4}-l{4}-l{12}", "launchdarkly.com/docs"),
    ("Lob key", "live_", "[0-9a-f]{35}", "docs.lob.com"),
    ("Lob key", "test_", "[0-9a-f]{35}", "docs.lob.com"),
    ("GoCardless token", "live_", "e{40}", "developer.gocardless.com"),
    ("GoCardless token", "sandbox_", "e{40}", "developer.gocardless.com"),
    ("X bearer token", "AAAAAAAAAAAAAAAAAAAAA", "[0-9A-Za-z%]{80}", "docs.x.com"),
    ("JSON Web Token in base64", "ZXlK", "b{48}", "RFC 7519"),
    ("Amazon Web Services access key id", "A3T", "u{17}", "docs.aws.amazon.com"),
    ("Amazon MWS token", "amzn.mws.", "h{8}-h{4}-h{4}-h{4}-h{12}", "developer-docs.amazon.com"),
    ("Amazon AppSync key", "da2-", "l{26}", "docs.aws.amazon.com"),
    ("Google API key bound to an account", "AQ.Ab", "w{40}", "cloud.google.com"),
    ("Google OAuth code", "4/0A", "w{60}", "developers.google.com"),
    ("Alibaba Cloud temporary key id", "STS.", "a{20}", "help.aliyun.com"),
    ("Baidu Qianfan key", "bce-v3/ALTAK-", "w{16}/h{40}", "cloud.baidu.com/doc"),
    ("Baidu Cloud access key id of earlier forms", "ALTAK", "a{20}", "cloud.baidu.com/doc"),
    ("JD Cloud access key id", "JDC_", "u{28}", "docs.jdcloud.com"),
    ("Volcengine Ark key", "ark-", "h{8}-h{4}-h{4}-h{4}-h{12}", "volcengine.com/docs"),
    ("Databricks key", "dkea", "h{32}", "docs.databricks.com"),
    ("GitLab workspace token", "glwt-", "w{16}", "docs.gitlab.com"),
    ("Doppler service account", "dp.sa.", "a{40}", "docs.doppler.com"),
    ("Atlassian Data Center token", "BBDC-", "b{40}", "confluence.atlassian.com"),
    ("Docker Swarm join token", "SWMTKN-1-", "l{40}-l{20}", "docs.docker.com"),
    ("k3s server token", "K10", "h{64}::server:h{32}", "docs.k3s.io"),
    ("Portainer token", "ptr_", "b{40}", "docs.portainer.io"),
    ("Vercel Blob token", "vercel_blob_rw_", "a{16}_a{30}", "vercel.com/docs"),
    ("Render key", "rnd_", "a{28}", "render.com/docs"),
    ("Authress key", "sc_", "a{5,30}.a{4,6}.acc_w{10,32}.b{30}", "authress.io/knowledge-base"),
    ("Authress key", "ext_", "a{5,30}.a{4,6}.acc_w{10,32}.b{30}", "authress.io/knowledge-base"),
    ("ElevenLabs key", "sk_", "h{48}", "elevenlabs.io/docs"),
    ("Cerebras key", "csk-", "l{48}", "inference-docs.cerebras.ai"),
    ("Firecrawl key", "fc-", "h{32}", "docs.firecrawl.dev"),
    ("Fireworks key", "fw_", "a{24}", "docs.fireworks.ai"),
    ("Langfuse public key", "pk-lf-", "l{8}-l{4}-l{4}-l{4}-l{12}", "langfuse.com/docs"),
    ("Kaggle token", "KGAT_", "h{32}", "kaggle.com/docs"),
    ("Brave Search key", "BSA", "w{28}", "brave.com/search"),
    ("PubNub publish key", "pub-c-", "l{8}-l{4}-l{4}-l{4}-l{12}", "pubnub.com/docs"),
    ("PubNub subscribe key", "sub-c-", "l{8}-l{4}-l{4}-l{4}-l{12}", "pubnub.com/docs"),
    ("PubNub secret key", "sec-c-", "a{40}", "pubnub.com/docs"),
    ("HubSpot token", "pat-na1-", "h{8}-h{4}-h{4}-h{4}-h{12}", "developers.hubspot.com"),
    ("HubSpot token", "pat-eu1-", "h{8}-h{4}-h{4}-h{4}-h{12}", "developers.hubspot.com"),
    ("Razorpay key", "rzp_live_", "a{14}", "razorpay.com/docs"),
    ("Razorpay key", "rzp_test_", "a{14}", "razorpay.com/docs"),
    ("Mercado Pago token", "APP_USR-", "w{30}", "mercadopago.com/developers"),
    ("Pagar.me key", "ak_live_", "a{24}", "docs.pagar.me"),
    ("Square application id", "sq0idp-", "w{22}", "developer.squareup.com"),
    ("Instagram token", "IGQV", "w{100}", "developers.facebook.com"),
    ("ClickUp token", "pk_", "[0-9]{1,16}_u{32}", "developer.clickup.com"),
    ("Adafruit IO key", "aio_", "a{28}", "io.adafruit.com"),
    ("Zoho token", "1000.", "h{32}.h{32}", "zoho.com/crm"),
    ("Teamwork token", "tkn.v1_", "b{60}", "apidocs.teamwork.com"),
    ("Segment token", "sgp_", "a{64}", "segment.com/docs"),
    ("Fleetbase key", "flb_live_", "a{20}", "docs.fleetbase.io"),
    ("pganalyze key", "pgar_", "a{27}", "pganalyze.com/docs"),
    ("New Relic admin key", "NRAA-", "h{27}", "docs.newrelic.com"),
    ("New Relic REST key", "NRRA-", "h{40}", "docs.newrelic.com"),
    ("New Relic query key", "NRIQ-", "w{32}", "docs.newrelic.com"),
    ("Rootly key", "rootly_", "h{64}", "docs.rootly.com"),
    ("Voiceflow key", "VF.DM.", "l{24}.a{16}", "docs.voiceflow.com"),
    ("Ubidots token", "BBFF-", "a{30}", "docs.ubidots.com"),
    ("Cal.com key", "cal_live_", "h{32}", "cal.com/docs"),
    ("Zuplo key", "zpka_", "h{32}_h{8}", "zuplo.com/docs"),
    ("StackHawk key", "hawk.", "w{20}.w{20}", "docs.stackhawk.com"),
    ("SpectralOps token", "spu-", "h{32}", "guides.spectralops.io"),
    ("TruffleHog key", "thog-key-", "h{16}", "docs.trufflesecurity.com"),
    ("Scrapfly key", "scp-live-", "h{32}", "scrapfly.io/docs"),
    ("SAML response in base64", "PHNhbWxw", "b{60}", "docs.oasis-open.org"),
    # JSON Web Tokens, signed or encrypted, whose first part may be cut off
    ("JSON Web Token", "eyJ", "w{12}(?:.b{1}){0,4}", "RFC 7519"),
    ("JSON Web Token", "eyG", "w{16}.b{16}.b{16}", "RFC 7519"),
)

# Those whose sign is not at their beginning.
_IN_THE_MIDDLE = (
    ("Microsoft Entra client secret", "Q~", r"[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,}", "learn.microsoft.com"),
    ("MaxMind license key", "_mmk", r"[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk", "dev.maxmind.com"),
    ("Mailchimp key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}\b", "mailchimp.com/developer"),
    ("Terraform Cloud token", ".atlasv1.", r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,}", "developer.hashicorp.com"),
    ("Salesforce session", "!", r"00D[0-9A-Za-z]{9,15}![0-9A-Za-z._]{60,}", "developer.salesforce.com"),
    ("Salesforce consumer key", "3MVG9", r"3MVG9[0-9A-Za-z_.]{60,}", "developer.salesforce.com"),
    ("Microsoft Azure key", "JQQJ9", r"[0-9A-Za-z+/]{52}JQQJ9[0-9A-Za-z+/]{20,30}", "learn.microsoft.com"),
    ("Microsoft Azure registry key", "+ACR", r"[0-9A-Za-z+/]{42}\+ACR[0-9A-Za-z]{6}", "learn.microsoft.com"),
    ("Microsoft Azure function key", "AzFu", r"[0-9A-Za-z_-]{44}AzFu[0-9A-Za-z_-]{6}==", "learn.microsoft.com"),
    ("Microsoft Azure search key", "AzSe", r"[0-9A-Za-z]{42}AzSe[0-9A-Za-z]{6}", "learn.microsoft.com"),
    (
        "a password's hash of crypt",
        "$",
        r"\$(?:[1567y]|apr1|2[abxy]|argon2(?:id|i|d)|scrypt|pbkdf2(?:-sha\d{1,3})?)\$[0-9A-Za-z./+=,$*-]{20,512}",
        "passlib.readthedocs.io",
    ),
    (
        "a password's hash of Django or Werkzeug",
        "pbkdf2",
        r"pbkdf2[_:]sha\d{1,3}[$:]\d{1,9}\$[^\s$'\"]{1,64}\$[0-9A-Za-z+/=]{20,}",
        "docs.djangoproject.com",
    ),
    (
        "a password's hash of Werkzeug",
        "scrypt:",
        r"scrypt:\d{1,7}:\d{1,3}:\d{1,3}\$[^\s$'\"]{1,64}\$[0-9a-f]{32,}",
        "werkzeug.palletsprojects.com",
    ),
    (
        "a password's hash of PostgreSQL",
        "SCRAM-SHA-",
        r"SCRAM-SHA-\d{1,3}\$\d{1,7}:[0-9A-Za-z+/=]{8,64}\$[0-9A-Za-z+/=]{20,}:[0-9A-Za-z+/=]{20,}",
        "postgresql.org/docs",
    ),
    ("a password's hash of LDAP", "SHA}", r"\{S?SHA\d{0,3}\}[0-9A-Za-z+/=]{20,}", "openldap.org/doc"),
    ("New Relic license or mobile key", "NR", r"[0-9A-Za-z]{32,44}(?:NRAL|-NRMA)", "docs.newrelic.com"),
    ("Firebase server key", ":APA91", r"AAAA[0-9A-Za-z_-]{7}:APA91[0-9A-Za-z_-]{100,}", "firebase.google.com/docs"),
    ("Telegram bot token", ":A", r"[0-9]{5,16}:A[0-9A-Za-z_-]{33,}", "core.telegram.org"),
)

_ADDRESSES = (  # who knows such an address may post
    ("hooks.slack.com", r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]+", "api.slack.com"),
    ("/hook/", r"(/bot/v2/hook/)[\w/-]+", "open.feishu.cn"),
    ("/hook", r"(/hooks?/)(?=[\w-]*\d)[\w-]{24,}", "zulip.com/api"),
    ("/webhooks/", r"(/api/webhooks/)[\w/-]+", "discord.com/developers"),
    (
        "webhook.office.com",
        r"(webhook\.office\.com/webhookb2/(?:[\w@-]{1,90}/IncomingWebhook/)?+)[\w@/-]+",
        "learn.microsoft.com",
    ),
    ("office.com/webhook/", r"(office\.com/webhook/)[\w@/-]+", "learn.microsoft.com"),
    ("/webhook", r"(/webhooks?/(?:\w{1,40}/)?)[0-9a-f-]{32,}(?:/[0-9a-f-]{32,})?", "tines.com/docs"),
    ("/hooks/catch/", r"(/hooks/catch/)[\w/-]+", "zapier.com/help"),
    ("ifttt.com/trigger", r"(ifttt\.com/trigger/[\w-]{1,64}/(?:json/)?with/key/)[\w-]+", "ifttt.com"),
    ("ftqq.com/", r"(ftqq\.com/)\w{20,}(?=\.send)", "sct.ftqq.com"),
    ("api.day.app/", r"(api\.day\.app/)\w{20,}", "bark.day.app"),
    (".make.com/", r"(\bhook\.[a-z0-9.]{2,12}make\.com/)\w{20,}", "make.com/help"),
    ("hc-ping.com", r"(hc-ping\.com/)[\w-]{20,}", "healthchecks.io/docs"),
)

_LEAST = 15  # signs of the shortest token in the tables
_LONG = lazy(rf"[0-9a-z_-]{{{_LEAST}}}|q~|\$\w{{1,2}}\$")  # or those with other signs
_LEAST_LONG = 28
_TOO_LONG = 4096
_BEGINNING = lazy(r"([0-9a-z]{1,3})[0-9a-z]*")  # a token begins where no other word goes on
_ALPHABET = lazy(r"(?<![a-z])([hluaweb])\{(\d+)(,\d+)?\}")


_GOES_ON = lazy(r"[0-9A-Za-z+]")
_DIGIT = lazy(r"\d")
_NO_NAME = lazy(r"[A-Z][A-Z]|\d[a-z]|[a-z][A-Z](?![a-z])")
"""What hardly stands in ``someLongName2``."""
_SHORT_WORD = lazy(r"(?<![0-9A-Za-z])(?:[a-z][a-z0-9]{0,15}|[A-Z][A-Z0-9]{1,7})$")


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
    letters = rest[-26:].isalpha() and found.string[found.end() : found.end() + 1] not in ("_", "-")
    no_word = len(rest) > 26 and (3 * capitals > len(rest) or (letters and not capitals))
    no_word |= len(rest) > 11 and len(_NO_NAME.findall(rest)) * 6 > len(rest) and not rest.isupper()
    return len(set(rest)) > 5 and (no_word or _DIGIT.search(rest) is not None)


def _is_drawn(found: re.Match[str]) -> bool:
    """Thirty letters and digits or more in no order, behind a word and a sign: of a service that nobody knows."""
    at, text = found.start(), found[0]
    drawn = len(_DIGIT.findall(text)) > 1 and len(_NO_NAME.findall(text)) > 3
    mixed = not text.islower() and not text.isupper() and len({*text.lower()} - {*"0123456789abcdef"}) > 4
    before = _SHORT_WORD.search(found.string[max(at - 17, 0) : at])
    return mixed and drawn and before is not None and "sha" not in before[0]  # sha512-…, the sum of a file


def _is_numbered(found: re.Match[str]) -> bool:
    """Facebook's tokens begin with the number of the application, those of Laravel's Sanctum with a row's."""
    before, text = found.string[max(found.start() - 15, 0) : found.start()], found[0][1:]
    laravel = found[1] == "|" and before[-1:].isdigit() and 40 <= len(text) <= 48 and text.isalnum()
    return (laravel or (before.isdigit() and len(before) == 15)) and _DIGIT.search(text) is not None


# Those without a sign of their own: what has to stand in a long word of the text, in small letters, and the rule.
_LONG_WORDS = (
    # Microsoft Azure's keys of storage
    (lazy(r"[0-9a-z+/]{86}=="), Rule(r"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{86}==", 0, (), _is_token)),
    # Mailgun's and Zhipu's keys
    (
        lazy(r"[0-9a-f]{32}[.-][0-9a-z]{8}"),
        Rule(
            r"(?<![0-9a-f])[0-9a-f]{32}(?:-[0-9a-f]{8}-[0-9a-f]{8}(?![0-9a-f])|\.[0-9A-Za-z]{16}(?![\w.]))",
            0,
            (),
            _is_token,
        ),
    ),
    # Discord's bots
    (
        lazy(r"[mno][\w-]{23,27}\.[\w-]{6}\.[\w-]{27}"),
        Rule(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])", 0, (), _is_token),
    ),
    # Applications of Facebook, Laravel
    (lazy(r"\d[|%][0-9a-z_-]{27}"), Rule(r"([|%])[0-9A-Za-z_-]{27,512}", 1, (), _is_numbered)),
    # Of services whose name nobody knows: rnd_…
    (lazy(r"[_-][0-9a-z]{30}"), Rule(r"([_-])[0-9A-Za-z]{30,512}(?![0-9A-Za-z])", 1, (), _is_drawn)),
)


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


@cache
def _by_beginning() -> tuple[dict[str, list[tuple[int, str, Rule]]], list[tuple[int, str, Rule]]]:
    """Rows of the table by their first three letters or digits, in small letters, and those to look for everywhere."""
    anywhere = {sign for _, sign, _, _ in _IN_THE_MIDDLE}
    found: dict[str, list[tuple[int, str, Rule]]] = {}
    others = []
    for place, (prefix, rule) in enumerate(_table().items()):
        if prefix in anywhere or (len(prefix) < 3 and prefix.isalnum()):
            others.append((place, prefix, rule))
        else:
            found.setdefault(_BEGINNING.findall(prefix.lower())[0], []).append((place, prefix, rule))
    return found, others


def _candidates(words: list[str]) -> list[tuple[int, str, Rule]]:
    """Rows of the table that these words may have, in its order: a search for each would cost most of masking."""
    rows, found = _by_beginning()
    beginnings = rows.keys() & _BEGINNING.findall("\n".join(words))
    return sorted([*found, *(row for begin in beginnings for row in rows[begin])], key=_place) if beginnings else found


def _place(row: tuple[int, str, Rule]) -> int:
    return row[0]


URLS = (
    *(Rule(form, 1, (word,)) for word, form, _ in _ADDRESSES),
    Rule(  # a link of a mail
        r"(/(?:token|verify)s?/)(?=[\w-]*\d)[\w-]{24,}",
        1,
        ("token", "verify"),
    ),
    Rule(r"(?<=bot)\d{6,12}:[\w-]{30,}", 0, ("bot",)),  # Telegram's
)


def without_tokens(text: str, small: str) -> str:
    """``text`` with the tokens of the table as ``***``. ``small`` is it in small letters."""
    words = [word for word in small.split() if len(word) >= _LEAST]
    for word in words:
        if (len(word) >= _LEAST_LONG or _DIGIT.search(word)) and _LONG.search(word):
            break
    else:
        return text  # no word is long enough: so are most lines
    for _, prefix, rule in _candidates(words):
        if prefix in text:
            text = replace(rule, text)
    if long := [word for word in words if len(word) >= _LEAST_LONG]:
        for sign, rule in _LONG_WORDS:
            for word in long:
                if len(word) > _TOO_LONG or sign.search(word):  # one search would hold the interpreter for too long
                    text = replace(rule, text)
                    break
    return text
