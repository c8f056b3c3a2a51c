"""The page at ``/``: the newest messages, the last one first. No script, and no text of a message is markup in it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from html import escape

from .mailbox import Message

HEAD = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WeCom sandbox</title>
<style>
body { margin: 0 auto; max-width: 40rem; padding: 1rem; font: 1rem/1.5 sans-serif; background: #eee }
article { margin: 0 0 1rem; padding: .75rem; border-radius: .5rem; background: #fff }
small { color: #666; overflow-wrap: anywhere }
pre { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
</style>
"""

SHOWN = 200
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(messages: Iterable[Message]) -> str:
    newest = list(messages)[: -SHOWN - 1 : -1]
    return HEAD + ("".join(map(_article, newest)) or "<p>还没有消息 · No messages yet</p>\n")


def _article(message: Message) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(message.time))
    to = ", ".join(message.receivers) or message.key
    title = f"{at} · {message.channel} · {message.msgtype} → {to}"
    return f"<article><small>{escape(title)}</small><pre>{escape(message.content)}</pre></article>\n"
