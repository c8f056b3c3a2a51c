"""A test message through each channel, and whom WeCom left out of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ..._text import inert
from ..._wecom import BotClient, WeComClient
from ..._wecom.channels import AppChannel
from ...errors import MessageError, WeComError
from ...model import Outcome, Recipients, Text
from .findings import Words
from .notes import Notes


def send_through_app(notes: Notes, client: WeComClient, recipients: Recipients) -> None:
    """Send one message to the recipients of alerts that no route takes elsewhere."""
    channel = AppChannel(client, recipients)
    _send(notes, lambda: channel.deliver(test_message(), None, lambda: None))


def send_through_bot(notes: Notes, client: BotClient, number: str) -> None:
    """Send one message into the group; ``number`` says through which of several bots."""
    _send(notes, lambda: client.send(test_message()), number)


def test_message() -> Text:
    """One with the time: WeCom shows the very same text to the same people once in half an hour."""
    host = inert.in_text(inert.line(socket.gethostname()))
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    return Text(f"wecom-logging doctor: a test message / 测试消息 from {host}, {now}")


def _send(notes: Notes, send: Callable[[], Outcome], number: str = "") -> None:
    if notes.skipped("send", number):
        return
    try:
        outcome = send()
    except (WeComError, MessageError) as error:
        notes.refused("send", error, number)
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
            subject=number,
        )
    else:
        notes.good("send", Words("sent; look for it in WeCom", "已发送，请在企业微信中查看"), number)


_SEE_RECIPIENTS = Words(
    "Correct these recipients, or add them to the visible range of the app (管理后台 → 应用管理 → 自建 → the app → "
    "可见范围); whoever has no licence needs one.",
    "请更正这些接收人，或将其加入应用的可见范围（管理后台 → 应用管理 → 自建 → 对应应用 → 可见范围）；"
    "没有接口许可的成员需先分配许可。",
)
