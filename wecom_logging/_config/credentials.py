"""What a channel needs to be one, and whether it is on: credentials of an app and an AI bot, webhooks of bots."""

from __future__ import annotations

import re

from ..errors import ConfigurationError
from ..model import Secret
from .messages import items_of
from .values import api_base, checked_url, exact, is_web_url, required, secret, secret_text, text
from .variables import or_variable

SECRET_REMEDY = (
    "Give secret=…, or set WECOM_SECRET or WECOM_SECRET_FILE (管理后台 → 应用管理 → 自建 → the app → Secret)"
)


def corp_id(value: object) -> str:
    """The company's id (企业ID)."""
    return text(
        "corp_id",
        or_variable(value, "WECOM_CORP_ID"),
        remedy="Give corp_id=… or set WECOM_CORP_ID (管理后台 → 我的企业 → 企业信息 → 企业ID)",
    )


def app_secret(value: object) -> Secret:
    return required("secret", optional_app_secret(value), SECRET_REMEDY)


def optional_app_secret(value: object) -> Secret | None:
    """The app's Secret, None where it is given nowhere."""
    return secret("secret", value, "WECOM_SECRET")


def contacts_secret(value: object) -> Secret | None:
    """The Secret of the contacts sync (通讯录同步), None where it is given nowhere."""
    return secret("contacts_secret", value, "WECOM_CONTACTS_SECRET")


def heartbeat_url(value: object) -> Secret | None:
    """What is asked once a minute; None where it is given nowhere. It may be of a host inside, without encryption."""
    found = secret("heartbeat_url", value, "WECOM_HEARTBEAT_URL")
    if found is not None and not is_web_url(found.reveal()):
        raise ConfigurationError("heartbeat_url", "wrong_scheme", scheme="https://", such="https://hc-ping.com/…")
    return found


def agent_id(value: object) -> int:
    """The app's AgentId: a positive number, also as digits."""
    return required(
        "agent_id",
        optional_agent_id(value),
        "Give agent_id=… or set WECOM_AGENT_ID (管理后台 → 应用管理 → 自建 → the app → AgentId)",
    )


def app_identity(api_base: str, corp_id: str, agent_id: int | None) -> str:
    """What a channel of an app is called: equal for all handlers of one app, and without a secret."""
    return f"app {api_base} {corp_id} {agent_id}"


def optional_agent_id(value: object) -> int | None:
    """The app's AgentId, None where it is given nowhere."""
    value = or_variable(value, "WECOM_AGENT_ID")
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        value = int(value)
    found = exact(value)
    if not isinstance(found, int) or not 0 < found < 10**18:
        raise ConfigurationError("agent_id", "not_positive")
    return found


def aibot_id(value: object) -> str:
    return text(
        "bot_id",
        or_variable(value, "WECOM_AIBOT_ID"),
        remedy="Give bot_id=… or set WECOM_AIBOT_ID (工作台 → 智能机器人 → the bot → API 模式 → 使用长连接 → Bot ID)",
    )


def aibot_secret(value: object) -> Secret:
    """The AI bot's Secret, which is no app's."""
    return required(
        "secret",
        secret("secret", value, "WECOM_AIBOT_SECRET"),
        "Give secret=…, or set WECOM_AIBOT_SECRET or WECOM_AIBOT_SECRET_FILE",
    )


def enabled(value: object) -> bool | None:
    """The option, or WECOM_ENABLED (0, false, no and off mean no). None: neither says it, and `is_set_up` decides."""
    found = or_variable(value, "WECOM_ENABLED")
    word = "" if found is None else str(found).strip().lower()
    if found is not None and word not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise ConfigurationError("enabled", "not_a_choice", "WECOM_ENABLED: 1 or 0", choices="True, False")
    return None if found is None else word in ("1", "true", "yes", "on")


def webhook_entries(value: object) -> list[object]:
    """What stands for each bot: the items of a list, or of a text with commas or line breaks between them."""
    if isinstance(value, list | tuple):
        return items_of(value)
    text = required(
        "webhook",
        secret_text("webhook", value, "WECOM_WEBHOOK"),
        "Give webhook=… or set WECOM_WEBHOOK: the URL that the group shows under "
        "消息推送 (群机器人), or its key alone; several bots of one group in a list, or with commas between them",
    )
    return [Secret(part.strip()) for part in re.split("[,，\r\n]", text) if part.strip()]


def webhooks(value: object, base: str | None = None) -> list[tuple[str, Secret]]:
    """Like `webhook`, of each bot of a group."""
    entries = webhook_entries(value)
    if not entries:
        raise ConfigurationError("webhook", "empty")
    found: list[tuple[str, Secret]] = []
    for number, entry in enumerate(entries, 1):
        try:
            host, key = _webhook(entry, base)
            for other, (_, known) in enumerate(found, 1):
                if key == known:
                    raise ConfigurationError("webhook", "same_bot", other=other)
        except ConfigurationError as error:
            if len(entries) == 1:
                raise
            place = {"entry": number, "entries": len(entries)}
            raise ConfigurationError(error.field, error.code, error.remedy, **error.values, **place) from None
        found.append((host, key))
    return found


def webhook(value: object, base: str | None = None) -> tuple[str, Secret]:
    """The host (as an ``api_base``) and the key of a group bot, from its whole URL or its key alone."""
    found = webhooks(value, base)
    if len(found) > 1:
        raise ConfigurationError("webhook", "too_many", count=len(found), most=1)
    return found[0]


def bot_identity(api_base: str, key: Secret) -> str:
    """What a channel of a group's bot is called: equal for all handlers of one bot, and without a secret."""
    import hashlib

    return f"bot {api_base} {hashlib.sha256(key.reveal().encode()).hexdigest()[:16]}"


_WEBHOOK_PATH = "/cgi-bin/webhook/send"


def _webhook(value: object, base: str | None) -> tuple[str, Secret]:
    found = secret("webhook", value)
    address = "" if found is None else found.reveal()
    if re.fullmatch(r"[0-9A-Za-z_-]{1,128}", address):
        return base or api_base(None), Secret(address)
    if "://" not in address:
        raise ConfigurationError("webhook", "not_a_webhook")
    from urllib.parse import parse_qs

    parts, host = checked_url("webhook", address)
    if parts.path != _WEBHOOK_PATH:
        raise ConfigurationError("webhook", "wrong_path", path=_WEBHOOK_PATH)
    keys = parse_qs(parts.query).get("key", [])
    if len(keys) != 1 or not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", keys[0]):
        raise ConfigurationError("webhook", "no_key")
    return host, Secret(keys[0])
