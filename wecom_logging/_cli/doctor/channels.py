"""An app, a group's bot and an AI bot, as WeCom sees them; and a test message through each.

Of an app: its secret, its agent_id, whether it is enabled, from where it may call, whom it sees.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ... import _config as config
from ..._render.times import local_time
from ..._text import inert
from ..._text.said import Said
from ..._wecom import BotClient, WeComClient
from ..._wecom.aibot import AIBotChannel
from ..._wecom.channels import AppChannel
from ..._wecom.directory import MAX_BYTES, Departments, Tags
from ..._wecom.explained import warned
from ..._wecom.long_connection import LongConnection
from ..._wecom.token import Access
from ...errors import APIError, MessageError, WeComError
from ...model import Outcome, Recipients, Text
from ..printing import left_out_of
from ..texts import (
    cause_of,
    language,
    listed,
    of_errcode,
    remedy_of,
    remedy_of_field,
    said,
    text,
)
from .findings import Notes
from .recipients import KINDS

MAX_SHOWN = 10
_CONTACTS_SECRET_GIVEN = 48002
_NOT_TRUSTED = 60020
_OUT_OF_RANGE = 60011
_SWITCHED_OFF = 50003
_USED_UP = (40014, 42001)
_FOR_ALL_SECRETS = (40013, 41002, 45009, 301007)
"""The company is wrong, or this address is banned: another secret would be answered alike."""
_OTHER_APP = (40056, 301002)


def look_at_app(notes: Notes, client: WeComClient, ip: str) -> None:
    """``ip`` is the address that WeCom saw, if it is known."""
    if notes.blocked_by:
        notes.skip("token", "app", "trusted_ip", "visible_range")
        return
    try:
        answer = client.call("agent/get", query={"agentid": str(client.agent_id)}, max_bytes=MAX_BYTES)
    except WeComError as error:
        _note_refusal(notes, error, ip)
    else:
        notes.good("token", said("found.token_given"))
        name = str(answer.get("name") or answer.get("agentid") or "")
        if answer.get("close") == 1:
            notes.bad("app", *of_errcode(_SWITCHED_OFF), subject=name)
            notes.blocked_by = "app"
        else:
            notes.good("app", said("found.app_enabled"), name)
        notes.good("trusted_ip", said("found.calls_from", where=ip or said("found.here")))
        if not notes.skipped("visible_range"):
            _note_range(notes, client, answer)
    if client.contacts_secret is not None:
        _look_at_contacts(notes, client)


def _note_refusal(notes: Notes, error: WeComError, ip: str) -> None:
    errcode = error.errcode if isinstance(error, APIError) else 0
    if not isinstance(error, APIError) or error.path == "gettoken" or errcode in _USED_UP:
        notes.refused("token", error)
        notes.blocked_by = "token"
        notes.down = notes.down or errcode in _FOR_ALL_SECRETS
        notes.skip("app", "trusted_ip", "visible_range")
        return
    notes.good("token", said("found.token_given"))
    if errcode == _NOT_TRUSTED:
        notes.refused("trusted_ip", error, error.ip or ip)
        notes.blocked_by = "trusted_ip"
        notes.skip("app", "visible_range")
        return
    if errcode == _CONTACTS_SECRET_GIVEN:
        notes.bad("app", said("found.contacts_secret_given"), said("found.set_both"), errcode=errcode)
    else:
        notes.refused("app", error)
    notes.blocked_by = "app"
    notes.skip("trusted_ip", "visible_range")
    if errcode in _OTHER_APP:
        notes.blocked_by = ""  # the token is good: recipients can be looked up with it


def _note_range(notes: Notes, client: WeComClient, answer: dict[str, Any]) -> None:
    users = [str(item.get("userid")) for item in _items(answer, "allow_userinfos", "user") if isinstance(item, dict)]
    departments = [str(id) for id in _items(answer, "allow_partys", "partyid")]
    tags = [str(id) for id in _items(answer, "allow_tags", "tagid")]
    if not (users or departments or tags):
        notes.bad("visible_range", said("found.empty_range"), of_errcode(_OUT_OF_RANGE)[1])
        notes.blocked_by = "visible_range"
        return
    names = Departments(client, Access.APP)
    departments = _named(departments, lambda: {id: names.get(id).name for id in departments[:MAX_SHOWN]})
    tags = _named(tags, lambda: {str(tag.id): tag.name for tag in Tags(client, Access.APP).list()})
    rows = []
    for row, items in (("found.members", users), ("found.departments", departments), ("found.tags", tags)):
        more = [f"… ({len(items)})"] if len(items) > MAX_SHOWN else []
        rows += [said(row, names=listed([*items[:MAX_SHOWN], *more]))] if items else []
    notes.good("visible_range", listed(rows, "; ", "；"))


def _items(answer: dict[str, Any], name: str, inner: str) -> list[Any]:
    found = answer.get(name)
    items = found.get(inner) if isinstance(found, dict) else None
    return items if isinstance(items, list) else []


def _named(ids: list[str], names: Callable[[], dict[str, str]]) -> list[str]:
    """With their names, where WeCom tells them; the ids alone say enough."""
    try:
        found = names() if ids else {}
    except (WeComError, MessageError):  # or what WeCom told is no id
        found = {}
    return [f"{found[id]} ({id})" if found.get(id) else id for id in ids]


def _look_at_contacts(notes: Notes, client: WeComClient) -> None:
    if (notes.down or notes.blocked_by == "trusted_ip") and notes.skipped("contacts"):
        return  # the answer would be the same
    try:
        client.call("user/list_id", {"limit": 1}, access=Access.CONTACTS)
    except APIError as error:
        is_of_app = error.errcode == _CONTACTS_SECRET_GIVEN
        cause = said("found.app_secret_given") if is_of_app else cause_of(error)
        is_wrong = is_of_app or error.path == "gettoken"  # of which the table's remedy speaks of the app's
        remedy = remedy_of_field("contacts_secret") if is_wrong else remedy_of(error)
        notes.bad("contacts", cause, remedy, errcode=error.errcode, warning=True)
    except WeComError as error:
        notes.refused("contacts", error)
    else:
        notes.good("contacts", said("found.contacts_good"))


# a group's bot


_WRONG_KEY = 93000
_BAD_PARAMETER = 40058
"""What an upload with a malformed key is answered with."""


def look_at_bot(notes: Notes, client: BotClient, number: str) -> None:
    """Upload a few bytes, which no person sees: who may do that may send. ``number`` says which of several it is."""
    if notes.skipped("bot", number):
        return
    try:
        client.upload("doctor.txt", b"wecom-logging doctor\n")
    except APIError as error:
        remedy = of_errcode(_WRONG_KEY if error.errcode == _BAD_PARAMETER else error.errcode)[1]
        notes.bad("bot", cause_of(error), remedy, subject=number, errcode=error.errcode)
        notes.blocked_by = "bot"
    except WeComError as error:
        notes.refused("bot", error, number)
    else:
        notes.good("bot", said("found.key_good"), number)


# an AI bot


def look_at_aibot(notes: Notes, options: Mapping[str, Any], timeout_s: float, *, send: bool) -> None:
    """Connect, and send one message into each chat."""
    if notes.skipped("aibot"):
        return
    if not send:
        notes.unknown("aibot", said("found.not_tried"), said("found.stop_and_send"))
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
            notes.bad("aibot", said("found.not_into", names=names), said("found.pair"), warning=True)
        else:
            notes.good("aibot", said("found.sent_into_chats"))
    finally:
        connection.close()


# a test message


def send_through_app(notes: Notes, client: WeComClient, recipients: Recipients) -> None:
    """Send one message to the recipients of alerts that no route takes elsewhere.

    WeCom takes one to a member who has not joined without a word: whom the look at the recipients found so is named.
    """
    channel = AppChannel(client, recipients)
    bad = {one.subject for one in notes.findings if one.check == "recipient" and one.ok is False}
    missing = [text for kind in KINDS for text in getattr(recipients, kind) if f"{kind} {text}" in bad]
    _send(notes, lambda: channel.deliver(test_message(), None, lambda: None), missing=missing)


def send_through_bot(notes: Notes, client: BotClient, number: str) -> None:
    """Send one message into the group; ``number`` says through which of several bots."""
    _send(notes, lambda: client.send(test_message()), number)


def test_message() -> Text:
    """One with the time: WeCom shows the very same text to the same people once in half an hour."""
    host = inert.in_text(inert.line(socket.gethostname()))
    now = local_time(time.time(), language()).isoformat(sep=" ", timespec="seconds")
    return Text(text("found.test", host=host, now=now))


def _send(notes: Notes, send: Callable[[], Outcome], number: str = "", *, missing: Sequence[str] = ()) -> None:
    if notes.skipped("send", number):
        return
    try:
        outcome = send()
    except (WeComError, MessageError) as error:
        notes.refused("send", error, number)
        return
    # WeCom answers in lower case
    left_out = {text.casefold(): text for text in (*left_out_of(outcome), *missing)}.values()
    warning = Said(outcome.warning, warned(outcome.warning, "zh"))
    if left_out or warning.en:
        but = said("found.not_to", names=listed(left_out)) if left_out else said("found.but", warning=warning)
        notes.bad("send", but, said("found.see_recipients"), subject=number, warning=True)
    else:
        notes.good("send", said("found.sent"), number)
