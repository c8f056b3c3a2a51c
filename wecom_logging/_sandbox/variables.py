"""The variables of the environment that point a program at the sandbox."""

from __future__ import annotations

from .aibot.state import BOT_ID, BOT_SECRET, GROUP
from .corp import AGENT_ID, APP_SECRET, BOT_KEY, CONTACTS_SECRET, CORP_ID, CREATOR

SECRET = ("WECOM_SECRET", "WECOM_CONTACTS_SECRET", "WECOM_WEBHOOK", "WECOM_AIBOT_SECRET")


def variables(suffix: str = "") -> dict[str, str]:
    """All but the sandbox's addresses, ``WECOM_API_BASE`` and ``WECOM_AIBOT_URL``. ``suffix`` is that of secrets."""
    values = {
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_AGENT_ID": str(AGENT_ID),
        "WECOM_SECRET": APP_SECRET,
        "WECOM_CONTACTS_SECRET": CONTACTS_SECRET,
        "WECOM_USERS": CREATOR,
        "WECOM_WEBHOOK": BOT_KEY,
        "WECOM_AIBOT_ID": BOT_ID,
        "WECOM_AIBOT_SECRET": BOT_SECRET,
        "WECOM_AIBOT_CHATS": f"{CREATOR},{GROUP}",
    }
    return {name: f"{value}{suffix}" if name in SECRET else value for name, value in values.items()}
