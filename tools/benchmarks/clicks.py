"""``python -m tools.benchmarks.clicks``: how soon a click is answered, beside a bot that only rewrites the card.

A click goes from the sandbox to the program, which stores what was done in a Valkey and rewrites the card; the
time ends when the sandbox has the new card. The other bot keeps nothing: it is what a user would write in twenty
lines. Then the connection is left alone for a minute: how often its threads wake up.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tests.valkey_server import Server
from wecom_logging import WeComAIBotHandler
from wecom_logging._answers import reception
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.long_connection import LongConnection

ME = "sandbox-user"
CLICKS = 200
IDLE_S = 60.0


def timed(wecom: Sandbox, task_id: str, clicks: int) -> list[float]:
    """Seconds of each click, in order; every second one takes back what the one before did."""
    found = []
    message = next(one for one in wecom.messages(channel="aibot") if one.get("task_id") == task_id)

    def kept() -> Any:
        return wecom._corp.mailbox.find(message["id"])

    for number in range(clicks):
        keys = [one["key"] for one in kept().cards[ME]["button_list"]]
        wanted = ("take", "undo")[number % 2]
        key = next(one for one in keys if one.startswith(wanted))
        before, began = (None, *kept().rewrites)[-1], time.perf_counter()
        wecom.aibot.click(task_id, ME, key)
        while (None, *kept().rewrites)[-1] is before:
            time.sleep(0.0002)
        found.append(time.perf_counter() - began)
    return sorted(found)


def plain_bot(wecom: Sandbox, ready: threading.Event) -> None:
    """One that pushes a card and rewrites it at each click."""
    import websocket

    socket = websocket.create_connection(wecom.environment["WECOM_AIBOT_URL"], timeout=60)
    names = {"bot_id": wecom.environment["WECOM_AIBOT_ID"], "secret": wecom.environment["WECOM_AIBOT_SECRET"]}
    buttons = [{"text": "take", "key": "take"}, {"text": "undo", "key": "undo"}]
    card: dict[str, Any] = {"card_type": "button_interaction", "main_title": {"title": "x"}, "button_list": buttons}
    card["task_id"] = "plain-1"

    def send(cmd: str, req_id: str, body: dict[str, Any]) -> None:
        socket.send(json.dumps({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}))

    send("aibot_subscribe", "aibot_subscribe_1", names)
    send("aibot_send_msg", "1", {"chatid": ME, "msgtype": "template_card", "template_card": card})
    for _ in range(2):
        socket.recv()
    ready.set()
    for _ in range(CLICKS):
        while (frame := json.loads(socket.recv())).get("cmd") != "aibot_event_callback":
            pass
        body = {"response_type": "update_template_card", "template_card": card}
        send("aibot_respond_update_msg", frame["headers"]["req_id"], body)
    socket.close()


def shown(name: str, times: list[float]) -> str:
    half, most = times[len(times) // 2], times[int(len(times) * 0.99) - 1]
    return f"| {name} | {half * 1000:.1f} ms | {most * 1000:.1f} ms |"


@contextmanager
def counted(kind: Any) -> Iterator[list[float]]:
    """The processor time of each turn that is made meanwhile."""
    turns: list[float] = []
    turn = kind.turn

    def timed_turn(self: Any) -> float:
        began = time.thread_time()
        try:
            wait: float = turn(self)
            return wait
        finally:
            turns.append(time.thread_time() - began)

    with patch.object(kind, "turn", timed_turn):
        yield turns


def main() -> None:
    with Sandbox() as wecom:
        ready = threading.Event()
        bot = threading.Thread(target=plain_bot, args=(wecom, ready))
        bot.start()
        ready.wait(30)
        plain = timed(wecom, "plain-1", CLICKS)
        bot.join(30)
    server = Server()
    unlimited = patch.multiple(reception, ALL=(), ANSWERS=())
    with Sandbox() as wecom, patch.dict(os.environ, wecom.environment), unlimited:
        handler = WeComAIBotHandler(chats=[ME], state=server.url)
        log = logging.Logger("shop")
        log.addHandler(handler)
        log.error("the disk is full")
        assert handler.flush(30)
        (card,) = wecom.messages(channel="aibot", msgtype="template_card")
        ours = timed(wecom, card["task_id"], CLICKS)
        time.sleep(3)
        with counted(LongConnection) as connection, counted(Pipeline) as worker:
            time.sleep(IDLE_S)
        handler.close()
    server.close()
    print("| a click until its new card is there | half of them | P99 |\n|---|---:|---:|")
    print(shown("a bot that keeps nothing", plain))
    print(shown("WeComAIBotHandler, with Valkey", ours))
    print(f"\n{CLICKS} clicks each, on loopback. Idle for {IDLE_S:.0f} s, the connection's thread woke up ", end="")
    print(f"{len(connection)} times ({sum(connection) * 1000:.1f} ms of its time), the worker's {len(worker)} times.")


if __name__ == "__main__":
    main()
