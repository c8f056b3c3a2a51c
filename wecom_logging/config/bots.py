"""The webhooks of group bots: each has the host and the key of one bot."""

from __future__ import annotations

import re

from ..errors import ConfigurationError
from ..model import Secret
from .addresses import api_base, checked_url
from .people import items_of
from .secrets import secret, secret_text
from .values import required


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
