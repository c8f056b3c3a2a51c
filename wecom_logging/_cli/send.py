"""``wecom-logging send``: one text into every channel that the environment configures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .. import _config as config
from .._delivery.sender import Fate, fate
from .._render.layout import MAX_PARTS
from .._text import inert
from .._text.cut import size, wrap
from .._wecom import BotClient, WeComClient
from .._wecom.body import APP_BYTES, BOT_BYTES
from .._wecom.bot import bots
from .._wecom.channels import AppChannel
from ..errors import ConfigurationError, MessageError, TransportError, WeComError
from ..model import Markdown, Message, Outcome, Text
from .environment import channels
from .printing import print_json, say, say_error

Send = Callable[[Message], Outcome]


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "send",
        help="send TEXT, or standard input, with the WECOM_… variables of the environment",
        description="Sends to the app's recipients (WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_SECRET, WECOM_USERS …), "
        "to the bot's group (WECOM_WEBHOOK), or to both, whichever are set. Sends at once or fails, and leaves nothing "
        "in the state of WECOM_STATE. With WECOM_ENABLED=0 nothing is sent.",
    )
    parser.add_argument("text", nargs="?", metavar="TEXT", help="without it, standard input is read")
    parser.add_argument("--markdown", action="store_true", help="send as markdown (which WeChat does not show)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if config.enabled(None) is False:
        say("switched off: WECOM_ENABLED=0; nothing is sent / 已关闭，不发送")
        return 0
    kind = Markdown if options.markdown else Text
    channels = _channels()
    text = options.text if options.text is not None else sys.stdin.read(1024 * 1024)
    if not text.strip():
        say("nothing to send: TEXT is empty")
        return 2
    outcomes = [
        (name, _sent(send, kind(part)))
        for name, limits, send in channels
        for part in _parts(text.strip(), limits[kind])
    ]
    for name, outcome in outcomes:
        if outcome.error is not None:
            say_error(outcome.error)
        if outcome.warning:
            say(outcome.warning)
        print_json(_shown(name, outcome)) if options.json else print(inert.line(_sentence(name, outcome)))
    return 0 if all(outcome.delivered for _, outcome in outcomes) else 1


def _sent(send: Send, message: Message) -> Outcome:
    """How it ended; a channel that fails does not keep the next from being tried."""
    try:
        return send(message)
    except (WeComError, MessageError) as error:
        return Outcome("failed" if isinstance(error, TransportError) else "rejected", error=error)


def _channels() -> list[tuple[str, Any, Send]]:
    found: list[tuple[str, Any, Send]] = []
    configured = channels()
    if "app" in configured:
        app = (config.corp_id, config.agent_id, config.app_secret, config.recipients)
        config.all_given(*(partial(check, None) for check in app))  # before anything is read
        channel = AppChannel(WeComClient(), config.recipients(), duplicate_check_s=0)
        found.append(("app", APP_BYTES, lambda message: channel.deliver(message, None, lambda: None)))
    if "bot" in configured:
        found.append(("bot", BOT_BYTES, _through(bots())))
    if not found:
        raise ConfigurationError("WECOM_CORP_ID", "only_an_ai_bot")
    return found


def _through(clients: Sequence[BotClient]) -> Send:
    """Through the first of a group's bots that may send."""
    left = list(enumerate(clients, 1))

    def send(message: Message) -> Outcome:
        while True:
            number, client = left[0]
            try:
                return client.send(message)
            except WeComError as error:
                if len(left) == 1 or fate(error) is Fate.REJECT:
                    raise
                say(f"bot {number} of {len(clients)}: {error}")
                del left[0]

    return send


def _parts(text: str, most: int) -> list[str]:
    """The text, in numbered parts where it is too long for one message."""
    if size(text) <= most:
        return [text]
    parts = wrap(text, most - size(f"({MAX_PARTS}/{MAX_PARTS})\n"))
    if len(parts) > MAX_PARTS:
        say(f"the text is cut after {MAX_PARTS} messages")
    parts = parts[:MAX_PARTS]
    return [f"({number}/{len(parts)})\n{part}" for number, part in enumerate(parts, 1)]


def _shown(name: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "channel": name,
        "outcome": outcome.reason,
        "msgid": outcome.msgid,
        "invalid_users": outcome.invalid_users,
        "invalid_departments": outcome.invalid_departments,
        "invalid_tags": outcome.invalid_tags,
        "unlicensed_users": outcome.unlicensed_users,
        "error": str(outcome.error) if outcome.error is not None else "",
    }


def _sentence(name: str, outcome: Outcome) -> str:
    refused = [*outcome.invalid_users, *outcome.invalid_departments, *outcome.invalid_tags, *outcome.unlicensed_users]
    return f"{name}: {outcome.reason}" + (f" (not to {', '.join(refused)})" if refused else "")
