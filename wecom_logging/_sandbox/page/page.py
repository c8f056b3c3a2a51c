"""What the page asks for: its files, and the news: what a page that has seen so much does not know yet, and how things
stand. All of it is bounded.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib.resources import files
from itertools import islice

from werkzeug.wrappers import Request, Response

from ..calls import Json, parameters, refused
from ..corp import Corp, variables
from ..filters import Filter
from ..journal import Exchange
from ..mailbox import KEPT, KEPT_BYTES, Message
from ..phones import ring_json
from ..refusal import remedy
from ..shapes import FILTERS, LINES, WrongField, read_query
from .phone import in_wechat, show, show_card

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Only files of the page's own run, and the browser itself refuses to make markup out of a text."""
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST = 16
HELD_S = 30
GATHER_S = 0.15
STORM_S = 0.5
STORM = 50
"""So many news at once are a storm: no person reads that fast, and a page that draws less answers a hand sooner."""
LOOK_S = 1.0
"""Windows empty themselves and tokens grow old without a call."""


class Page:
    """The files, and the stream of news that the page listens to. Nothing here changes anything.

    At most ``MOST`` pages listen at a time. A page that is slow gets the newest, not a queue. Of too many the oldest
    goes, unless it is younger than ``HELD_S``: one that is never read cannot be told from one that is.
    """

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._lock = threading.Lock()
        self._watchers: dict[_Watcher, float] = {}

    def file(self, request: Request) -> Response | None:
        found = FILES.get(request.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return None
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
        return Response(found.data, content_type=found.content_type, headers=headers)

    def events(self, request: Request) -> Response:
        if request.method != "GET":
            return Response(status=405)
        try:
            given = read_query({**FILTERS, "after": LINES}, parameters(request))
        except WrongField as wrong:
            return refused(400, str(wrong), wrong.field)
        after = request.headers.get("Last-Event-ID") or given.pop("after", "")
        news = self._open(after, Filter.read(given, self._corp))
        if news is None:
            return Response("too many pages are open\n", 503, content_type="text/plain")
        return Response(news, content_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _open(self, last_seen: str, wanted: Filter) -> Iterator[bytes] | None:
        """The events after ``last_seen``, without an end; None where too many are watching."""
        now = time.monotonic()
        with self._lock:
            if len(self._watchers) >= MOST:
                oldest, since = next(iter(self._watchers.items()))
                if now - since < HELD_S:
                    return None
                oldest.stopped = True
                del self._watchers[oldest]
            watcher = _Watcher(self._corp, Seen.parse(last_seen), wanted, self._leave)
            self._watchers[watcher] = now
        return watcher

    def _leave(self, watcher: _Watcher) -> None:
        with self._lock:
            self._watchers.pop(watcher, None)


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    content_type: str


def _read() -> dict[str, File]:
    found = {}
    for entry in files(__package__).joinpath("static").iterdir():
        kind = TYPES.get("." + entry.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/static/{entry.name}"
            found[path] = File(entry.read_bytes(), f"{kind}; charset=utf-8")
    return found


FILES = _read()


class _Watcher:
    """An iterator with a ``close`` that always gives its place back, begun or not."""

    def __init__(self, corp: Corp, seen: Seen, wanted: Filter, leave: Callable[[_Watcher], None]) -> None:
        self._corp = corp
        self._seen = seen
        self._wanted = wanted
        self._version = -1
        self._gather_s = GATHER_S
        self._leave = leave
        self.stopped = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._version >= 0 and self._corp.wait(self._gather_s):
            raise StopIteration
        self._corp.wait_for_news(self._version, LOOK_S)
        self._version = self._corp.version
        if self.stopped or self._corp.stopping.is_set():
            raise StopIteration
        self._seen, told = news(self._corp, self._seen, self._wanted)
        is_storm = not told["reset"] and max(len(told["messages"]), len(told["calls"])) >= STORM
        self._gather_s = STORM_S if is_storm else GATHER_S
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._seen}\ndata: {data}\n\n".encode(errors="replace")

    def close(self) -> None:
        self._leave(self)


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
    fitting = (numbered for numbered in reversed(kept) if wanted.fits(numbered[1]))
    messages = kept if wanted == ALL else list(islice(fitting, MOST_MESSAGES))[::-1]
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
        "token_mode": corp.tokens.mode,
        "trusted_ips": None if corp.trusted_ips is None else sorted(corp.trusted_ips)[:20],
        "contacts_details": corp.contacts_details,
        "phone_calls": corp.phone_calls,
        "rings": [ring_json(ring, now) for ring in corp.phones.newest(MOST_ROWS)],
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
