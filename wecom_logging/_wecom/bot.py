"""`BotClient`: a group's bot (群机器人, 消息推送), which needs nothing but its webhook. It raises; it does not log.

Source: https://developer.work.weixin.qq.com/document/path/99110
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import _config as config
from .._masking.redact import remember
from .._runtime.hiding import hiding_frames
from ..model import Message, Outcome, Secret, Text
from .body import BOT_MEDIA, check_bot_message, content, encode
from .http import Transport, in_a_round
from .messages import check_upload, format_warning, media_id


def bots(webhook: object = None, *, api_base: str | None = None, timeout: float = 10.0) -> list[BotClient]:
    """A client for each bot of a group: ``webhook`` may be a list, or a text with commas between them."""
    base = None if api_base is None else config.api_base(api_base)
    return [BotClient(key, api_base=host, timeout=timeout) for host, key in config.webhooks(webhook, base)]


class BotClient:
    """Sends into one group. ``webhook`` is the whole URL that the group shows, or its key alone.

    Not given, it is read from ``WECOM_WEBHOOK`` (or the file that ``WECOM_WEBHOOK_FILE`` names); it may be
    ``"env:NAME"`` or ``"file:PATH"``. ``api_base`` is for a key alone. ``timeout`` is for one request in all, in
    seconds. Raises `ConfigurationError`.
    """

    @hiding_frames
    def __init__(
        self,
        webhook: str | Secret | None = None,
        *,
        api_base: str | None = None,
        timeout: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base = None if api_base is None else config.api_base(api_base)
        self.api_base: str
        self.key: Secret
        self.api_base, self.key = config.webhook(webhook, base)
        self._transport = Transport(self.api_base, timeout_s=config.timeout(timeout))
        self._sleep = sleep
        remember(self.key.reveal())

    def __repr__(self) -> str:
        return f"BotClient({self.api_base}, key={self.key})"

    def send(self, message: Message | str) -> Outcome:
        """Send one message; a string is sent as text.

        Takes `Text` (2 048 bytes in UTF-8), `Markdown` and `MarkdownV2` (4 096 bytes), `Image` (2 MiB), `News`, `File`
        and `TemplateCard`. WeCom allows 20 messages a minute, then answers 45009 (`RateLimitedError`). Raises
        `MessageError` before the request, `WeComError` after at most three tries.
        """
        return self.deliver(Text(message) if isinstance(message, str) else message)

    def deliver(self, message: Message, *, before_try: Callable[[], None] | None = None) -> Outcome:
        """Like `send`; ``before_try`` is called before each request and may raise, which ends the round."""
        check_bot_message(message)
        data = encode(content(message))

        def attempt() -> dict[str, Any]:
            if before_try is not None:
                before_try()
            return self._transport.call("POST", "webhook/send", query={"key": self.key}, body=data)

        return Outcome("delivered", warning=format_warning(in_a_round(attempt, sleep=self._sleep)))

    def upload(self, name: str, data: bytes, *, type: str = "file") -> str:
        """Upload a file (20 MiB) or voice (AMR, 2 MiB) and return its ``media_id``: three days, this bot only."""
        check_upload(name, data, type, BOT_MEDIA)
        query: dict[str, str | Secret] = {"key": self.key, "type": type}

        def attempt() -> dict[str, Any]:
            return self._transport.call("POST", "webhook/upload_media", query=query, files={"media": (name, data)})

        return media_id(in_a_round(attempt, sleep=self._sleep))

    def close(self) -> None:
        """Close the connections of the calling thread."""
        self._transport.close()
