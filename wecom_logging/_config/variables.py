"""The variables ``WECOM_…``: which there are, and how one is read. What no option and no command reads is an error."""

from __future__ import annotations

import os
import re

from ..errors import ConfigurationError

VARIABLES: dict[str, frozenset[str]] = {
    channel: frozenset(f"WECOM_{name}" for name in names.split())
    for channel, names in {
        "app": "CORP_ID AGENT_ID SECRET SECRET_FILE CONTACTS_SECRET CONTACTS_SECRET_FILE USERS DEPARTMENTS TAGS",
        "bot": "WEBHOOK WEBHOOK_FILE",
        "aibot": "AIBOT_ID AIBOT_SECRET AIBOT_SECRET_FILE AIBOT_CHATS AIBOT_ANSWERERS AIBOT_URL",
        "all": "API_BASE STATE RATE_LIMIT LANGUAGE TIMEZONE QUIET_HOURS DUTY ENABLED EXIT_TIMEOUT HEARTBEAT_URL "
        "HEARTBEAT_URL_FILE",
    }.items()
}
"""Those of each handler, and of all, as `options.toml` tells them: to read that takes a start 10 ms."""

NEEDED = {
    "app": "WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_SECRET",
    "bot": "WECOM_WEBHOOK",
    "aibot": "WECOM_AIBOT_ID, WECOM_AIBOT_SECRET, WECOM_AIBOT_CHATS",
}
"""Those without which a handler cannot send."""

_OTHERS = frozenset(f"WECOM_{name}" for name in ("SANDBOX_TOKEN", "HANDLER", "REPORT", "USER_ID"))
"""Of the sandbox; and settings of Django and Scrapy, which many keep in the environment."""

_OF_KUBERNETES = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d+_(TCP|UDP|SCTP)\w*)")
"""What each container gets for a service of a name such as ``wecom-proxy``: nobody has written it."""


def is_set_up(*credentials: object, channel: str) -> bool:
    """Says whether one of the credentials is given, or a variable is set that this channel alone has."""
    return any(one is not None for one in credentials) or any(map(os.environ.get, VARIABLES[channel]))


def check_variables() -> None:
    """Raises `ConfigurationError` for variables ``WECOM_…`` that nothing reads: a misspelt one would be missed."""
    known = _OTHERS.union(*VARIABLES.values())
    wrong = sorted(
        name
        for name, value in os.environ.items()
        if value and name.upper().startswith("WECOM_") and name not in known and not _OF_KUBERNETES.fullmatch(name)
    )
    if not wrong:
        return
    import difflib

    bare = {name.replace("_", ""): name for name in sorted(known, reverse=True)}
    close = [difflib.get_close_matches(name.upper().replace("_", ""), bare, 1, 0.8) for name in wrong]
    meant = ", ".join(dict.fromkeys(bare[one] for found in close for one in found))
    if meant:
        raise ConfigurationError(", ".join(wrong), "misspelt_variable", close=meant)
    raise ConfigurationError(", ".join(wrong), "unknown_variable", "Unset it, or give it another name")


def variable(name: str) -> str | None:
    """The text of an environment variable; None where it is not set, or empty. Raises `ConfigurationError`."""
    found = os.environ.get(name) or None
    if found is not None and is_quoted(found):
        raise ConfigurationError(name, "quoted")
    return found


def is_quoted(text: str) -> bool:
    """Says whether a text begins or ends with a quotation mark."""
    return bool({text.strip()[:1], text.strip()[-1:]} & {*"\"'`“”‘’"})


def or_variable(value: object, name: str, default: object = None) -> object:
    """An option that is given, else its environment variable, unless that is empty, else the default."""
    return variable(name) or default if value is None else value
