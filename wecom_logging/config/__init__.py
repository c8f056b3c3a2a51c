"""Options from arguments, environment and files, checked at once. Each error names the field and how to set it.

An option that is not given is read from its environment variable; a secret also from a file that the variable
``…_FILE`` names. The value of a secret option may say where it is: ``env:NAME`` or ``file:PATH``.
"""

from .addresses import DEFAULT_AIBOT_URL, DEFAULT_API_BASE, StateURL, aibot_url, api_base, is_loopback, state
from .bots import webhook, webhook_entries, webhooks
from .credentials import (
    SECRET_REMEDY,
    VARIABLES,
    agent_id,
    aibot_id,
    aibot_secret,
    app_secret,
    contacts_secret,
    corp_id,
    enabled,
    is_set_up,
    optional_agent_id,
    optional_app_secret,
)
from .messages import ANSWERS, FRAMES, LINK_FIELDS, OVERFLOWS, RateRules, language, language_of_locale, link, rate_limit
from .people import JOINERS_AND_SPACES, MAX_CHATS, answerers, chats, ids, recipients, routes
from .secrets import secret
from .values import LARGEST, MOST, all_given, choice, exact, function, level, number, optional_text, text, whole

__all__ = [
    "ANSWERS",
    "DEFAULT_AIBOT_URL",
    "DEFAULT_API_BASE",
    "FRAMES",
    "JOINERS_AND_SPACES",
    "LARGEST",
    "LINK_FIELDS",
    "MAX_CHATS",
    "MOST",
    "OVERFLOWS",
    "SECRET_REMEDY",
    "VARIABLES",
    "RateRules",
    "StateURL",
    "agent_id",
    "aibot_id",
    "aibot_secret",
    "aibot_url",
    "all_given",
    "answerers",
    "api_base",
    "app_secret",
    "chats",
    "choice",
    "contacts_secret",
    "corp_id",
    "enabled",
    "exact",
    "function",
    "ids",
    "is_loopback",
    "is_set_up",
    "language",
    "language_of_locale",
    "level",
    "link",
    "number",
    "optional_agent_id",
    "optional_app_secret",
    "optional_text",
    "rate_limit",
    "recipients",
    "routes",
    "secret",
    "state",
    "text",
    "webhook",
    "webhook_entries",
    "webhooks",
    "whole",
]
