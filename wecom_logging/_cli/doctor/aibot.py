"""An AI bot, as WeCom sees it. To ask needs its one connection, which a program may have: only with ``--send``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import config
from ..._wecom.aibot import AIBotChannel
from ..._wecom.long_connection import LongConnection
from ...errors import MessageError, WeComError
from .delivery import test_message
from .findings import Words
from .notes import Notes


def look_at_aibot(notes: Notes, options: Mapping[str, Any], timeout_s: float, *, send: bool) -> None:
    """Connect, and send one message into each chat."""
    if notes.skipped("aibot"):
        return
    if not send:
        notes.unknown("aibot", _NOT_TRIED, _SEND)
        return
    get = options.get
    connection = LongConnection(
        config.aibot_url(get("url")), config.aibot_id(get("bot_id")), config.aibot_secret(get("secret"))
    )
    connection.timeout_s = timeout_s
    try:
        channel = AIBotChannel(connection, config.chats(get("chats")))
        outcome = channel.deliver(test_message(), None, lambda: None)
    except (WeComError, MessageError) as error:
        notes.refused("aibot", error)
    else:
        if outcome.invalid_users:
            names = ", ".join(outcome.invalid_users)
            notes.bad("aibot", Words(f"sent, but not into {names}", f"已发送，但以下会话未收到：{names}"), _PAIR)
        else:
            notes.good("aibot", Words("sent; look for it in its chats", "已发送，请在会话中查看"))
    finally:
        connection.close()


_NOT_TRIED = Words(
    "its connection was not tried: that of a running program would end", "未尝试连接：会挤掉正在运行的程序"
)
_SEND = Words("Stop the program and give --send.", "请先停止程序，再加 --send。")
_PAIR = Words(
    "Somebody writes to the bot there (in a group with @); `wecom-logging answers pair` tells the id of a chat.",
    "请先在该会话中给机器人发消息（群里需 @ 它）；会话编号可用 `wecom-logging answers pair` 获取。",
)
