"""The last yards: the bot's key, and a test message through each channel."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ...errors import APIError, WeComError
from ...model import Outcome, Recipients, Text
from ...render import inert
from ...wecom import BotClient, WeComClient
from ...wecom.channels import AppChannel
from ...wecom.errcodes import lookup
from .findings import Words
from .notes import Notes
from .words import cause_of

_WRONG_KEY = 93000
_BAD_PARAMETER = 40058
"""What an upload with a malformed key is answered with."""


def look_at_bot(notes: Notes, client: BotClient) -> None:
    """Upload a few bytes, which nobody sees: whoever may do that may send."""
    if notes.skipped("bot"):
        return
    try:
        client.upload("doctor.txt", b"wecom-logging doctor\n")
    except APIError as error:
        row = lookup(_WRONG_KEY if error.errcode == _BAD_PARAMETER else error.errcode)
        notes.bad("bot", cause_of(error), Words(row.remedy, row.remedy_zh), errcode=error.errcode)
        notes.blocked_by = "bot"
    except WeComError as error:
        notes.refused("bot", error)
    else:
        notes.good("bot", Words("WeCom takes its key", "Webhook 的 key 有效"))


def send_through_app(notes: Notes, client: WeComClient, recipients: Recipients) -> None:
    """Send one message to the recipients of alerts that no route takes elsewhere."""
    channel = AppChannel(client, recipients)
    _send(notes, lambda: channel.deliver(_message(), None, lambda: None))


def send_through_bot(notes: Notes, client: BotClient) -> None:
    _send(notes, lambda: client.send(_message()))


def _message() -> Text:
    """With the time: WeCom shows the very same text to the same people once in half an hour."""
    host = inert.in_text(inert.line(socket.gethostname()))
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    return Text(f"wecom-logging doctor: a test message / 测试消息 from {host}, {now}")


def _send(notes: Notes, send: Callable[[], Outcome]) -> None:
    outcome = notes.ask("send", send)
    if outcome is None:
        return
    left_out = [*outcome.invalid_users, *outcome.invalid_departments, *outcome.invalid_tags, *outcome.unlicensed_users]
    if left_out or outcome.warning:
        names = ", ".join(left_out)
        notes.bad(
            "send",
            Words(
                f"sent, but not to {names}" if left_out else f"sent, but: {outcome.warning}",
                f"已发送，但以下接收人未收到：{names}" if left_out else f"已发送，但有警告：{outcome.warning}",
            ),
            _SEE_RECIPIENTS,
        )
    else:
        notes.good("send", Words("sent; look for it in WeCom", "已发送，请在企业微信中查看"))


_SEE_RECIPIENTS = Words(
    "Correct these recipients, or add them to the visible range of the app (管理后台 → 应用管理 → 自建 → the app → "
    "可见范围); whoever has no licence needs one.",
    "请更正这些接收人，或将其加入应用的可见范围（管理后台 → 应用管理 → 自建 → 对应应用 → 可见范围）；"
    "没有接口许可的成员需先分配许可。",
)
