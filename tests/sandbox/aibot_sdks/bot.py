"""A bot made with wecom-aibot-python-sdk. What it does goes to stdout, a JSON array a line.

The SDK always speaks TLS and trusts certifi alone, so that the sandbox's CA is added to the TLS context of its module.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable
from typing import Any

import aibot.ws
from aibot import WSClient, WSClientOptions

CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "A17 · 312 errors"},
    "button_list": [{"text": "I take it", "style": 1, "key": "ack:A17"}],
    "task_id": "a17",
}


class Silent:
    def debug(self, *_: object) -> None: ...

    info = warn = error = debug


def tell(action: str, outcome: str = "ok") -> None:
    print(json.dumps([action, outcome]), flush=True)


async def tried(action: str, call: Awaitable[Any]) -> None:
    try:
        await call
    except RuntimeError as error:
        tell(action, str(error).partition("errcode=")[2].partition(",")[0] or str(error))
    else:
        tell(action)


def taken(who: str) -> dict[str, Any]:
    return {**CARD, "main_title": {"title": f"A17 · taken by {who}"}}


async def main() -> None:
    aibot.ws._SSL_CONTEXT.load_verify_locations(os.environ["SSL_CERT_FILE"])
    options = WSClientOptions(
        bot_id=os.environ["WECOM_AIBOT_ID"],
        secret=os.environ["WECOM_AIBOT_SECRET"],
        ws_url=os.environ["WECOM_AIBOT_URL"],
        logger=Silent(),
        heartbeat_interval=100,
        reconnect_interval=50,
    )
    client = WSClient(options)
    kicks, tasks = 0, []

    def on_authenticated() -> None:
        tell("subscribe")
        if not kicks:
            tasks.append(asyncio.ensure_future(push()))

    async def push() -> None:
        card = {"msgtype": "template_card", "template_card": CARD}
        await tried("push a card", client.send_message("sandbox-user", card))
        markdown = {"msgtype": "markdown", "markdown": {"content": "x"}}
        await tried("push to a stranger", client.send_message("nobody", markdown))

    async def on_click(frame: dict[str, Any]) -> None:
        click = frame["body"]["event"]["template_card_event"]
        tell("click", f"{click['event_key']} {click['task_id']}")
        await tried("rewrite", client.update_template_card(frame, taken(frame["body"]["from"]["userid"])))
        await tried("rewrite again", client.update_template_card(frame, taken("nobody")))

    async def on_text(frame: dict[str, Any]) -> None:
        tell("message", frame["body"]["text"]["content"])
        await tried("stream", client.reply_stream(frame, "s1", "thinking"))
        await tried("stream, its end", client.reply_stream(frame, "s1", "thought", True))

    async def on_enter(frame: dict[str, Any]) -> None:
        await tried("welcome", client.reply_welcome(frame, {"msgtype": "text", "text": {"content": "welcome"}}))

    def on_disconnected(reason: str) -> None:
        nonlocal kicks
        kicks += 1
        tell("disconnected")

    client.on("error", lambda error: tell("error", str(error)))
    client.on("authenticated", on_authenticated)
    client.on("event.template_card_event", on_click)
    client.on("message.text", on_text)
    client.on("event.enter_chat", on_enter)
    client.on("disconnected", on_disconnected)
    await client.connect()
    await asyncio.Event().wait()


asyncio.run(main())
