"""``wecom-logging answers``: hold an AI bot's connection for all programs of a state, and tell the id of a chat."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from .. import _config as config
from .._answers.desk import Desk
from .._answers.pairing import CODE_S, Paired, Pairing
from .._answers.reception import Reception
from .._render.times import local_time
from .._runtime.warn import warn_once
from .._state.shared import SharedLease, alone
from .._text import inert
from .._wecom.long_connection import LongConnection
from ..handlers import WeComAIBotHandler
from .environment import configured, ended_by_signal, opened
from .parser import command
from .printing import refuse, say
from .texts import explained, language, text

_LOOK_S = 0.5


def add(commands: Any) -> None:
    parser = command(commands, "answers", "answers.help", "answers.about")
    parser.set_defaults(run=serve)
    verbs = parser.add_subparsers(metavar="[VERB]")
    command(verbs, "pair", "answers.pair", "answers.pair_about").set_defaults(run=pair_chat)


def serve(options: argparse.Namespace) -> int:
    """Until a signal ends it."""
    shared = opened(warn_once)  # or it says that there is none
    ended = ended_by_signal()
    handler = WeComAIBotHandler()
    reception = handler._reception()
    if reception is None:
        refuse("usage.switched_off", 0)
    connection = reception.connection
    reception.tell = lambda line: print(
        f"{local_time(time.time(), language()):%m-%d %H:%M:%S} {inert.line(line)}", flush=True
    )
    connection.start()
    said = ""
    while not ended.wait(_LOOK_S):
        now, error = "", connection.error
        if connection.is_open:
            now = text("answers.connected")
        elif connection.is_elsewhere:
            now = text("answers.elsewhere") if shared.is_well else ""  # else nobody knows, which is said already
        elif error is not None:
            now = text("answers.not_connected", why=explained(error))
        if now and now != said:
            print(now, flush=True)
            said = now
    handler.close()
    return 0


def pair_chat(options: argparse.Namespace) -> int:
    """The code, and what came of it."""
    shared = configured(None) or alone
    connection = LongConnection(
        config.aibot_url(None), config.aibot_id(None), config.aibot_secret(None), say=lambda cause, line: say(line)
    )
    if shared is not alone:
        connection.lease = SharedLease(shared, f"aibot {connection.bot_id}")
    pairing = Pairing(connection.bot_id, shared)
    channel, reader = connection.identity, config.reader()
    desk = Desk(list, language=reader)
    Reception(connection, desk, channel, windows=shared.windows(channel), pairing=pairing)
    code = pairing.ask()
    print(f"{text('answers.type_this', minutes=round(CODE_S / 60))}\n\n    绑定 {code}\n", flush=True)
    try:
        found = _wait(connection, pairing)
    finally:
        connection.close()
    chat, user = inert.line(found.chat), inert.line(found.user)
    others = [one for one in os.environ.get("WECOM_AIBOT_CHATS", "").split(",") if one.strip()]
    chats = ",".join(dict.fromkeys([*others, chat]))
    print(text("answers.group" if found.is_group else "answers.chat", chat=chat, user=user), end="\n\n")
    print(f"  export WECOM_AIBOT_CHATS={chats}")
    return 0


def _wait(connection: LongConnection, pairing: Pairing) -> Paired:
    """Raises `WeComError` where the connection cannot be had, and no other process has it; `Refusal` after a while."""
    connection.start()
    ends = time.monotonic() + CODE_S
    while True:
        if time.monotonic() >= ends:
            refuse("answers.too_late", 1)
        if (found := pairing.look()) is not None:
            time.sleep(_LOOK_S)  # the answer in the chat is on its way
            return found
        if connection.error is not None and not (connection.is_open or connection.is_elsewhere):
            raise connection.error
        time.sleep(_LOOK_S)
