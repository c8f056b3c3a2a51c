"""``wecom-logging send``: one text into every channel that the environment configures.

``wecom-logging call``: one person's phone rings (紧急通知), which is prepaid. Tried against the sandbox only.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from .. import _config as config
from .._delivery.sender import Fate, fate
from .._lines import explained as warned
from .._text import inert
from .._text.cut import size, wrap
from .._text.said import labelled
from .._wecom import BotClient, WeComClient
from .._wecom.body import APP_BYTES, BOT_BYTES
from .._wecom.bot import bots
from .._wecom.channels import AppChannel
from .._wecom.directory import Members
from .._wecom.token import Access
from ..errors import ConfigurationError, MessageError, TransportError, WeComError
from ..model import Call, CallState, Markdown, Message, Outcome, Recipients, Text
from .doctor.outlook import on_call_now
from .doctor.recipients import members
from .environment import channels
from .parser import command
from .printing import left_out_of, print_json, refuse, say, say_error
from .texts import NOTHING, explained, inactive, language, remedy_of, sentences, text

Send = Callable[[Message], Outcome]

MOST_LOOKED_AT = 20
POLL_S = 2.0
WAIT_S = 75.0
"""How long somebody waits here for a call: WeCom ends one that nobody answers before that."""


@dataclass(frozen=True, slots=True)
class Way:
    """A channel. ``inactive``: who of its recipients gets nothing though WeCom takes it, and whether that is all."""

    name: str
    limits: Mapping[type, int]
    send: Send
    inactive: Callable[[], tuple[Sequence[str], bool]] = lambda: ((), False)


_MAX_PARTS = 10


def add(commands: Any) -> None:
    parser = command(commands, "send", "send.help", "send.about")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="send.text")
    parser.add_argument("--markdown", action="store_true", help="send.markdown")
    parser.add_argument("--json", action="store_true", help="send.json")
    parser.set_defaults(run=run)
    parser = command(commands, "call", "call.help", "call.about")
    parser.add_argument("name", metavar="NAME", help="call.name")
    parser.add_argument("--yes", action="store_true", help="call.yes")
    parser.add_argument("--json", action="store_true", help="call.json")
    parser.set_defaults(run=call)


def run(options: argparse.Namespace) -> int:
    if config.enabled(None) is False:
        refuse("usage.switched_off", 0)
    kind = Markdown if options.markdown else Text
    ways = _ways()
    given = options.text if options.text is not None else sys.stdin.read(1024 * 1024)
    if not given.strip():
        refuse("send.empty", 2)
    sent = [(one, [_sent(one.send, kind(part)) for part in _parts(given.strip(), one.limits[kind])]) for one in ways]
    arrived = True
    for way, outcomes in sent:
        inactive_users, is_all = way.inactive() if any(one.delivered for one in outcomes) else ([], False)
        for outcome in outcomes:
            arrived = arrived and outcome.delivered and not is_all
            if outcome.error is not None:
                say_error(outcome.error)
            if outcome.warning:
                say(warned(outcome.warning))
            if options.json:
                print_json(_shown(way.name, outcome, inactive_users))
            else:
                nobody = is_all and outcome.delivered
                left_out = () if nobody else (*left_out_of(outcome), *inactive_users)
                came = text(f"send.{'nobody' if nobody else outcome.reason}")
                came = text("send.not_to", outcome=came, names=", ".join(left_out)) if left_out else came
                print(inert.line(labelled(text(f"send.{way.name}"), language(), came)))
    return 0 if arrived else 1


def _sent(send: Send, message: Message) -> Outcome:
    """How it ended; a channel that fails does not keep the next from being tried."""
    try:
        return send(message)
    except (WeComError, MessageError) as error:
        return Outcome("failed" if isinstance(error, TransportError) else "rejected", error=error)


def _ways() -> list[Way]:
    found: list[Way] = []
    configured = channels()
    if "app" in configured:
        client = _client(config.recipients)  # before anything is read
        recipients = on_call_now(config.recipients())
        channel = AppChannel(client, recipients, duplicate_check_s=0)
        found.append(
            Way(
                "app",
                APP_BYTES,
                lambda message: channel.deliver(message, None, lambda: None),
                lambda: _inactive(client, channel, recipients),
            )
        )
    if "bot" in configured:
        found.append(Way("bot", BOT_BYTES, _through(bots())))
    if not found:
        raise ConfigurationError("WECOM_CORP_ID", "only_an_ai_bot")
    return found


def _client(*also: Callable[[Any], object]) -> WeComClient:
    """That of the app; all that is missing for it is named at once."""
    for_all = (config.corp_id, config.agent_id, config.app_secret)
    config.all_given(*(partial(check, None) for check in (*for_all, *also)))
    return WeComClient()


def _inactive(client: WeComClient, channel: AppChannel, recipients: Recipients) -> tuple[list[str], bool]:
    """The members who get nothing, each said with its remedy, and whether there are no others.

    WeCom takes a message to one who has not joined without a word.
    """
    members = Members(client, Access.APP)
    users = channel.receivers(Recipients(users=recipients.users)) if recipients.users else ()
    found = []
    for user_id in filter(None, users[:MOST_LOOKED_AT]):
        try:
            why = inactive(members.get(user_id).status)
        except TransportError:  # the message has gone, and nobody is to wait for more
            break
        except (WeComError, MessageError):  # who may not be looked at counts as active
            continue
        if why is not None:
            found.append(user_id)
            say(labelled(user_id, language(), sentences(*why)))
    return found, recipients.only_members and 0 < len(found) == len(users)


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
                say(text("send.one_bot", number=number, count=len(clients), error=explained(error)))
                del left[0]

    return send


def _parts(whole: str, most: int) -> list[str]:
    """The text, in numbered parts where it is too long for one message."""
    if size(whole) <= most:
        return [whole]
    parts = wrap(whole, most - size(f"({_MAX_PARTS}/{_MAX_PARTS})\n"))
    if len(parts) > _MAX_PARTS:
        say(text("send.cut", most=_MAX_PARTS))
    parts = parts[:_MAX_PARTS]
    return [f"({number}/{len(parts)})\n{part}" for number, part in enumerate(parts, 1)]


def _shown(name: str, outcome: Outcome, inactive_users: Sequence[str]) -> dict[str, Any]:
    error = outcome.error
    return {
        "channel": name,
        "outcome": outcome.reason,
        "msgid": outcome.msgid,
        "invalid_users": outcome.invalid_users,
        "invalid_departments": outcome.invalid_departments,
        "invalid_tags": outcome.invalid_tags,
        "unlicensed_users": outcome.unlicensed_users,
        "inactive_users": inactive_users,
        "error": str(error) if error is not None else "",
        "remedy": (remedy_of(error) if error is not None else NOTHING).both(),
    }


# call


def call(options: argparse.Namespace) -> int:
    if config.enabled(None) is False:
        refuse("usage.switched_off", 0)
    client = _client()
    (member,) = members(client, options.name)
    who = f"{member.name} ({member.user_id})" if member.name else member.user_id
    if not options.yes:
        refuse("call.would", 2, who=who)
    client.messages.send(Text(text("call.message")), users=[member.user_id])
    (made,) = client.phone.ring([member.user_id])
    state = None
    if made.code == 0:
        say(text("call.rings", who=who))
        state = _waited(client, made)
    if options.json:
        more = {} if state is None else {**asdict(state), "over": state.over}
        print_json({"user_id": member.user_id, "name": member.name, "call_id": made.call_id, "code": made.code, **more})
    elif state is None:
        print(inert.line(text("call.not_begun", who=who, code=made.code)))
    elif state.answered:
        print(inert.line(text("call.answered", who=who)))
    else:
        meaning = state.meaning_zh if language() == "zh" else state.meaning
        print(inert.line(text("call.not_answered", who=who, meaning=meaning)))
    return 0 if state is not None and state.answered else 1


def _waited(client: WeComClient, call: Call) -> CallState:
    """What became of it, or is as long as anybody waits. An answer is not waited out."""
    ends = time.monotonic() + WAIT_S
    while True:
        state = client.phone.state_of(call.user_id, call.call_id)
        if state.answered or state.over or time.monotonic() >= ends:
            return state
        time.sleep(POLL_S)
