"""What a page that has seen so much does not know yet, and how things stand. All of it is bounded."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from itertools import islice

from ..board import list_heartbeats, list_panels
from ..calls import Json
from ..corp import Corp, variables
from ..filters import Filter
from ..journal import Exchange
from ..mailbox import KEPT, KEPT_BYTES, Message
from ..phones import ring_json
from ..refusal import remedy
from .phone import in_wechat, show, show_card

MOST_MESSAGES = 200
MOST_CALLS = 200
MOST_RECEIVERS = 60
MOST_ROWS = 12
MOST_FAULTS = 50
MOST_CHATS = 24
MOST_SINGLE = 6

ALL = Filter()
EXCHANGE = tuple(field.name for field in fields(Exchange))


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest message, call and change that a page has; of another epoch it has nothing that holds."""

    epoch: int = 0
    message: int = 0
    call: int = 0
    change: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}.{self.message}.{self.call}.{self.change}"

    @classmethod
    def parse(cls, text: str) -> Seen:
        found = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})", text, re.ASCII)
        return cls(*map(int, found.groups())) if found else cls()


def news(corp: Corp, seen: Seen, wanted: Filter) -> tuple[Seen, Json]:
    """The lock is held while things are picked up, not while they are looked through and drawn."""
    with corp.lock:
        changed = corp.mailbox.changed(seen.change)
        reset = seen.epoch != corp.mailbox.epoch or changed is None
        if reset or changed is None:
            seen, changed = Seen(corp.mailbox.epoch), []
        changed = [numbered for numbered in changed if numbered[0] <= seen.message][-MOST_MESSAGES:]
        changes = corp.mailbox.changes
        kept = corp.mailbox.newest(MOST_MESSAGES if wanted == ALL else KEPT, after=seen.message)
        calls = corp.journal.newest(MOST_CALLS, after=seen.call)
        state = _state(corp)
        bots = {key: number for number, key in enumerate(corp.bot_keys, 1)}
    messages = _fitting(kept, wanted)
    with corp.lock:
        names = _names(corp, [*messages, *changed], state["aibot"])
    told = {
        "reset": reset,
        "messages": [_message(number, message, bots, names) for number, message in messages],
        "changed": [_message(number, message, bots, names) for number, message in changed],
        "calls": [_call(number, exchange) for number, exchange in calls],
        "names": names,
        **state,
    }
    if reset:
        told["exports"] = variables(corp.suffix)
    newest = Seen(seen.epoch, state["messages_in_all"], state["calls_in_all"], changes)
    return newest, told


def _fitting(kept: list[tuple[int, Message]], wanted: Filter) -> list[tuple[int, Message]]:
    """The newest that fit, oldest first."""
    if wanted == ALL:
        return kept
    fitting = (numbered for numbered in reversed(kept) if wanted.fits(numbered[1]))
    return list(islice(fitting, MOST_MESSAGES))[::-1]


def _names(corp: Corp, messages: list[tuple[int, Message]], aibot: Json | None) -> dict[str, str]:
    """Of receivers and of members who may be mentioned: the members by id, where they are not too many."""
    ids = {id for _, message in messages for id in (*message.receivers[:MOST_RECEIVERS], message.user)}
    ids |= {id for chat in (aibot or {"chats": []})["chats"] for id in chat["users"]}
    ids |= {ring.user_id for ring in corp.phones.newest(MOST_ROWS)}
    first = [member.user_id for _, member in zip(range(MOST_ROWS), corp.directory.members.values(), strict=False)]
    found = (corp.directory.member(id) for id in [*first, *sorted(ids)])
    return {member.user_id: member.name for member in found if member is not None}


def _message(number: int, message: Message, bots: dict[str, int], names: dict[str, str]) -> Json:
    if message.channel == "bot":
        to = [f"g:{bots.get(message.key, 0)}"]
    elif message.channel in ("aibot", "person"):
        to = [f"a:{message.chat}"]
    else:
        to = [f"u:{id}" for id in message.receivers[:MOST_RECEIVERS]]
    return {
        "number": number,
        "id": message.id,
        "time": message.time,
        "channel": message.channel,
        "msgtype": message.msgtype,
        "to": to,
        "in_all": max(len(message.receivers), 1),
        "wechat": message.channel == "app" and in_wechat(message.msgtype),
        "warning": message.warning,
        "nodes": show(message, names),
        **({"user": message.user} if message.user else {}),
        **_faces(message, names),
    }


def _faces(message: Message, names: dict[str, str]) -> Json:
    """Where not all see the same card: each that there is, and who sees which."""
    cards: list[Json] = []
    seen = {}
    for user, card in islice(message.cards.items(), MOST_RECEIVERS):
        if card not in cards:
            cards.append(card)
        seen[user] = cards.index(card)
    return {"faces": [show_card(message, card, names) for card in cards], "seen": seen} if len(cards) > 1 else {}


def _call(number: int, exchange: Exchange) -> Json:
    fields = {name: getattr(exchange, name) for name in EXCHANGE}  # asdict takes ten times as long
    call: Json = {"number": number, **fields}
    if exchange.errcode:
        call["remedy"] = remedy(exchange.errcode)
    return call


def _state(corp: Corp) -> Json:
    now = corp.clock()
    return {
        "now": now,
        "messages_in_all": corp.mailbox.count,
        "calls_in_all": corp.journal.shown,
        "kept": {"messages": len(corp.mailbox), "most": KEPT, "bytes": corp.mailbox.size, "most_bytes": KEPT_BYTES},
        "beats": [[b.second, b.delivered, b.failed, b.discarded] for b in corp.journal.beats()],
        "sums": [corp.journal.delivered, corp.journal.failed, corp.journal.discarded],
        "limits": _limits(corp),
        "tokens": _tokens(corp, now),
        "token_mode": corp.tokens.mode,
        "trusted_ips": None if corp.trusted_ips is None else sorted(corp.trusted_ips)[:20],
        "contacts_details": corp.contacts_details,
        "phone_calls": corp.phone_calls,
        "checkin": corp.checkin,
        "rings": [ring_json(ring, now) for ring in corp.phones.newest(MOST_ROWS)],
        "panels": list_panels(corp),
        "heartbeats": list_heartbeats(corp),
        "aibot": _aibot(corp),
        "faults": corp.faults.as_json()[:MOST_FAULTS],
    }


def _aibot(corp: Corp) -> Json | None:
    """The AI bot's chats, as soon as it is used; single chats too in which no member wrote yet."""
    state = corp.aibot
    if not state.used:
        return None
    written = [member.user_id for key in state.written if (member := corp.directory.members.get(key))]
    first = [member.user_id for member in islice(corp.directory.members.values(), MOST_SINGLE)]
    singles = [{"chat": id, "group": False, "users": [id]} for id in dict.fromkeys([*first, *sorted(written)])]
    groups = [
        {"chat": group.id, "group": True, "users": group.users[:MOST_RECEIVERS]}
        for group in state.groups.values()
        if not group.left
    ]
    return {
        "chats": [*singles[:1], *groups, *singles[1:]][:MOST_CHATS],
        "subscribers": int(state.subscriber is not None),
        "connections": len(state.lines),
        "group_cards": state.group_cards,
        "open_userids": state.open_userids,
    }


def _limits(corp: Corp) -> list[Json]:
    bots = {key: number for number, key in enumerate(corp.bot_keys, 1)}
    rows = []
    for channel in ("bot", "app", "aibot"):
        for key, limits in corp.rates[channel].fill(MOST_ROWS):
            agent_id, user = key if isinstance(key, tuple) else (0, key)  # an app's members are its own
            who = {"bot": f"g:{bots.get(str(key), 0)}", "app": f"u:{user}"}.get(channel, f"a:{key}")
            rows += [
                {"who": who, "agent_id": agent_id, "used": used, "count": limit.count, "period_s": limit.period_s}
                for limit, used in limits
            ]
    return rows


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
