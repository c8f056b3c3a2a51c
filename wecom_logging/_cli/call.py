"""``wecom-logging call``: one person's phone rings (紧急通知), which is prepaid. Tried against the sandbox only."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from functools import partial
from typing import Any

from .. import _config as config
from .._text import inert
from .._wecom import WeComClient
from ..model import Call, CallState, Member, Text
from .doctor.recipients import Refused, members
from .printing import print_json, say
from .texts import language, sentences, text

POLL_S = 2.0
WAIT_S = 75.0
"""How long somebody waits here: WeCom ends a call that nobody answers before that."""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "call",
        help="call.help",
        description="call.about",
    )
    parser.add_argument("name", metavar="NAME", help="call.name")
    parser.add_argument("--yes", action="store_true", help="call.yes")
    parser.add_argument("--json", action="store_true", help="call.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if config.enabled(None) is False:
        say(text("usage.switched_off"))
        return 0
    app = (config.corp_id, config.agent_id, config.app_secret)
    config.all_given(*(partial(check, None) for check in app))
    client = WeComClient()
    try:
        (member,) = members(client, options.name)
    except Refused as no:
        say(sentences(no.cause, no.remedy))
        return 1
    who = f"{member.name} ({member.user_id})" if member.name else member.user_id
    if not options.yes:
        say(text("call.would", who=who))
        return 2
    client.messages.send(Text(text("call.message")), users=[member.user_id])
    (call,) = client.phone.ring([member.user_id])
    state = None
    if call.code == 0:
        say(text("call.rings", who=who))
        state = _waited(client, call)
    _print(options, member, call, state, who)
    return 0 if state is not None and state.answered else 1


def _waited(client: WeComClient, call: Call) -> CallState:
    """What became of it, or is as long as anybody waits. An answer is not waited out."""
    ends = time.monotonic() + WAIT_S
    while True:
        state = client.phone.state_of(call.user_id, call.call_id)
        if state.answered or state.over or time.monotonic() >= ends:
            return state
        time.sleep(POLL_S)


def _print(options: argparse.Namespace, member: Member, call: Call, state: CallState | None, who: str) -> None:
    if options.json:
        more = {} if state is None else {**asdict(state), "over": state.over}
        print_json({"user_id": member.user_id, "name": member.name, "call_id": call.call_id, "code": call.code, **more})
        return
    if state is None:
        line = text("call.not_begun", who=who, code=call.code)
    elif state.answered:
        line = text("call.answered", who=who)
    else:
        line = text("call.not_answered", who=who, meaning=state.meaning_zh if language() == "zh" else state.meaning)
    print(inert.line(line))
