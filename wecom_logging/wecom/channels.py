"""The doors through which a handler's messages leave: an app, or a group's bot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

from ..model import File, Message, Outcome, Recipients
from .bot import BotClient
from .client import WeComClient
from .limits import APP_BYTES, BOT_BYTES

DUPLICATE_CHECK_S = 1800
"""An alert whose answer was lost is sent again, byte for byte, and WeCom shows it once: each has its own number."""

EVERYBODY_LOG = ""
"""The log of messages whose receivers are not named."""


class Channel(Protocol):
    """What the pipeline knows of a door."""

    identity: str
    """Equal for all handlers of one app or bot, and without a secret."""
    max_bytes: Mapping[type, int]
    """UTF-8 bytes by message class."""
    mentions: bool
    """Whether messages may mention people."""

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        """In whose logs of the rate limit a message stands."""

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        """Send one message in one round of at most three tries; raises `WeComError` or `MessageError`."""

    def upload(self, name: str, data: bytes) -> File:
        """Upload a file for a message."""


class AppChannel:
    """App messages to members, departments and tags; ``recipients`` are those of alerts that name none."""

    max_bytes = APP_BYTES
    mentions = False

    def __init__(self, client: WeComClient, recipients: Recipients) -> None:
        self._client = client
        self._recipients = recipients
        self.identity = f"app {client.api_base} {client.corp_id} {client.agent_id}"

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        found = recipients or self._recipients
        return found.users if found.only_members else (EVERYBODY_LOG,)

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        return self._client.messages.deliver(
            message, recipients or self._recipients, duplicate_check_s=DUPLICATE_CHECK_S, before_try=before_try
        )

    def upload(self, name: str, data: bytes) -> File:
        return File(self._client.media.upload(name, data))


class BotChannel:
    """Messages into a bot's group; recipients have no meaning here."""

    max_bytes = BOT_BYTES
    mentions = True

    def __init__(self, client: BotClient) -> None:
        self._client = client
        self.identity = f"bot {client.api_base} {hashlib.sha256(client.key.reveal().encode()).hexdigest()[:16]}"

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return (EVERYBODY_LOG,)

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        return self._client.deliver(message, before_try=before_try)

    def upload(self, name: str, data: bytes) -> File:
        return File(self._client.upload(name, data))
