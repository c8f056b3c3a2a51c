"""What a page that has seen so much does not know yet, and how things stand. All of it is bounded."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from ..corp import Corp
from ..inspector import Exchange
from ..mailbox import KEPT, Message
from ..remedies import remedy
from .phone import in_wechat, show

MOST_MESSAGES = 200
MOST_CALLS = 200
MOST_RECEIVERS = 20
MOST_ROWS = 12
MOST_FAULTS = 50

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest message and call that a page has; of another epoch it has nothing that holds."""

    epoch: int = 0
    message: int = 0
    call: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}.{self.message}.{self.call}"

    @classmethod
    def parse(cls, text: str) -> Seen:
        found = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})", text, re.ASCII)
        return cls(*map(int, found.groups())) if found else cls()


def news(corp: Corp, seen: Seen) -> tuple[Seen, Json]:
    """The lock is held while things are picked up, not while they are drawn."""
    with corp.lock:
        reset = seen.epoch != corp.mailbox.epoch
        if reset:
            seen = Seen(corp.mailbox.epoch)
        messages = corp.mailbox.newest(MOST_MESSAGES, after=seen.message)
        calls = corp.inspector.newest(MOST_CALLS, after=seen.call)
        state = _state(corp)
        bots = {key: number for number, key in enumerate(corp.bot_keys, 1)}
        names = _names(corp, messages)
    told = {
        "reset": reset,
        "messages": [_message(number, message, bots, names) for number, message in messages],
        "calls": [_call(number, exchange) for number, exchange in calls],
        "names": names,
        **state,
    }
    newest = Seen(seen.epoch, state["messages_in_all"], state["calls_in_all"])
    return newest, told


def _names(corp: Corp, messages: list[tuple[int, Message]]) -> dict[str, str]:
    """Of receivers and of whoever may be mentioned: the members by id, where they are not too many."""
    ids = {id for _, message in messages for id in message.receivers[:MOST_RECEIVERS]}
    first = [member.user_id for _, member in zip(range(MOST_ROWS), corp.directory.members.values(), strict=False)]
    found = (corp.directory.member(id) for id in [*first, *sorted(ids)])
    return {member.user_id: member.name for member in found if member is not None}


def _message(number: int, message: Message, bots: dict[str, int], names: dict[str, str]) -> Json:
    if message.channel == "bot":
        to = [f"g:{bots.get(message.key, 0)}"]
    else:
        to = [f"u:{id}" for id in message.receivers[:MOST_RECEIVERS]]
    return {
        "number": number,
        "time": message.time,
        "channel": message.channel,
        "msgtype": message.msgtype,
        "to": to,
        "in_all": max(len(message.receivers), 1),
        "wechat": message.channel == "app" and in_wechat(message.msgtype),
        "nodes": show(message, names),
    }


def _call(number: int, exchange: Exchange) -> Json:
    fields = asdict(exchange)
    if exchange.errcode:
        fields["remedy"] = remedy(exchange.errcode)
    return {"number": number, **fields}


def _state(corp: Corp) -> Json:
    now = corp.clock()
    return {
        "now": now,
        "messages_in_all": corp.mailbox.count,
        "calls_in_all": corp.inspector.count,
        "kept": {"messages": len(corp.mailbox), "most": KEPT, "bytes": corp.mailbox.size},
        "beats": [[b.second, b.delivered, b.failed, b.discarded] for b in corp.pulse.beats(now)],
        "sums": [corp.pulse.delivered, corp.pulse.failed, corp.pulse.discarded],
        "limits": _limits(corp),
        "tokens": _tokens(corp, now),
        "token_mode": corp.tokens.mode,
        "trusted_ips": None if corp.restrictions.trusted_ips is None else sorted(corp.restrictions.trusted_ips)[:20],
        "contacts_details": corp.restrictions.contacts_details,
        "faults": [
            {"number": number, **asdict(fault)} for number, fault in list(corp.faults.waiting().items())[:MOST_FAULTS]
        ],
    }


def _limits(corp: Corp) -> list[Json]:
    bots = {key: number for number, key in enumerate(corp.bot_keys, 1)}
    rows = []
    for channel in ("bot", "app"):
        for key, limits in corp.rates[channel].fill(MOST_ROWS):
            who = f"g:{bots.get(str(key), 0)}" if channel == "bot" else f"u:{_user(key)}"
            rows += [
                {"who": who, "used": used, "count": limit.count, "period_s": limit.period_s} for limit, used in limits
            ]
    return rows


def _user(key: object) -> str:
    """Members are counted for each app."""
    return str(key[1]) if isinstance(key, tuple) else str(key)


def _tokens(corp: Corp, now: float) -> list[Json]:
    return [
        {
            "agent_id": token.grant.agent_id,
            "print": hashlib.sha256(token.value.encode()).hexdigest()[:8],
            "age_s": now - token.issued,
            "left_s": token.ends - now,
            "current": current,
        }
        for token, current in corp.tokens.newest(MOST_ROWS)
    ]
