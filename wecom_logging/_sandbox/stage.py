"""Who and what is there: members, departments, tags, bots, apps, limits; by ``/sandbox/…`` or by a file of seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from .corp import Corp
from .directory import MAX_ID, ROOT, Member
from .faults import read_fault
from .profile import USER_ID
from .ratelimit import Limit, SlidingWindow
from .refusal import TEXTS, Refusal
from .seeds import add_department, add_member, add_tag
from .tokens import MODES
from .visibility import Range
from .wishes import WrongField, an_object, needed, only, text, texts, true, whole, wholes

MAX_BOTS = 1000
MAX_APPS = 1000
MAX_LIMITS = 10
MAX_COUNT = 10**9
MAX_PERIOD_S = 31 * 24 * 3600
CHANNELS = ("app", "bot", "chat", "aibot")
FIELD_OF = {60104: "mobile", 60106: "email", 60008: "name", 60010: "parent_id", 40071: "name"}

Wish = Mapping[str, Any]
Json = dict[str, Any]


@contextmanager
def as_wrong_field() -> Iterator[None]:
    """WeCom's no to what was asked for here."""
    try:
        yield
    except Refusal as no:
        text_of = no.detail or TEXTS.get(no.errcode, "refused")
        raise WrongField(FIELD_OF.get(no.errcode, ""), f"{text_of} ({no.errcode})") from None


def order(corp: Corp, wish: Wish) -> None:
    """``{"void_token": true}``, ``{"token_mode": …}``, a restriction, or a fault; else `WrongField`.

    Restrictions: ``{"trusted_ips": ["10.0.0.1"]}`` (null: everybody again), ``{"contacts_details": false}``. Of the AI
    bot: `State.order`.
    """
    corp.touch()
    if corp.restrictions.order(wish) or corp.aibot.order(wish):
        return
    if "void_token" in wish:
        if dict(wish) != {"void_token": True}:
            raise WrongField("void_token", '"void_token" must be true and stand alone')
        corp.tokens.void_all()
    elif "token_mode" in wish:
        if len(wish) > 1 or wish["token_mode"] not in MODES:
            raise WrongField("token_mode", f'"token_mode" must be one of {", ".join(MODES)} and stand alone')
        corp.tokens.mode = wish["token_mode"]
    else:
        corp.faults.add(read_fault(wish))


def put_member(corp: Corp, wish: Wish) -> None:
    """Adds or replaces an active member; departments that are not there yet are made below the root."""
    only(wish, ("user_id", "name", "departments", "mobile", "email", "leader_of"))
    user_id = text(wish, "user_id", least=1)
    if not USER_ID.fullmatch(user_id):
        raise WrongField("user_id", '"user_id" must be 1 to 64 of 0-9 A-Z a-z _ - @ . and begin with a letter or digit')
    leads = frozenset(wholes(wish, "leader_of", 1, MAX_ID))
    ids = tuple(dict.fromkeys((*wholes(wish, "departments", 1, MAX_ID), *sorted(leads)))) or (ROOT,)
    member = Member(
        user_id, text(wish, "name") or user_id, ids, (0,) * len(ids), leads, main_department=ids[0],
        mobile=text(wish, "mobile"), email=text(wish, "email"),
    )  # fmt: skip
    with as_wrong_field():
        add_member(corp.directory, member)


def put_department(corp: Corp, wish: Wish) -> None:
    only(wish, ("id", "name", "parent_id"))
    id, parent_id = needed(wish, "id", 1, MAX_ID), whole(wish, "parent_id", 1, MAX_ID) or ROOT
    with as_wrong_field():
        add_department(corp.directory, id, text(wish, "name") or f"部门 {id}", parent_id)


def put_tag(corp: Corp, wish: Wish) -> None:
    only(wish, ("id", "name", "users", "departments"))
    id, users = needed(wish, "id", 0, MAX_ID), texts(wish, "users")
    departments = wholes(wish, "departments", 1, MAX_ID)
    with as_wrong_field():
        add_tag(corp.directory, id, text(wish, "name") or f"标签 {id}", users, departments)


def put_bot(corp: Corp, wish: Wish) -> None:
    only(wish, ("key",))
    key = text(wish, "key", least=1)
    if len(corp.bot_keys) >= MAX_BOTS:
        raise WrongField("key", f"{MAX_BOTS} bots are there already")
    corp.bot_keys[key] = None


def put_app(corp: Corp, wish: Wish) -> None:
    """Adds an app, or changes one that is there: its visible range where one is given, and whether it is enabled."""
    only(wish, ("agent_id", "secret", "enabled", "users", "departments", "tags"))
    agent_id, secret = needed(wish, "agent_id", 1, MAX_ID), text(wish, "secret")
    grant = corp.tokens.find(secret)
    if grant is not None and grant.agent_id != agent_id:
        raise WrongField("secret", '"secret" belongs to another')
    if not secret and agent_id not in corp.ranges:
        raise WrongField("secret", '"secret" is missing: the app is new')
    visible = Range(
        tuple(texts(wish, "users")),
        tuple(wholes(wish, "departments", 1, MAX_ID)),
        tuple(wholes(wish, "tags", 0, MAX_ID)),
    )
    enabled = true(wish, "enabled", agent_id not in corp.disabled)
    if len(corp.ranges) >= MAX_APPS and agent_id not in corp.ranges:
        raise WrongField("agent_id", f"{MAX_APPS} apps are there already")
    if secret:
        corp.add_app(secret, agent_id)
    if any(name in wish for name in ("users", "departments", "tags")):
        corp.ranges[agent_id] = visible
    (corp.disabled.discard if enabled else corp.disabled.add)(agent_id)


def put_limits(corp: Corp, wish: Wish) -> None:
    """The limits of a channel from now on; none is no limit."""
    only(wish, ("channel", "limits"))
    channel = wish.get("channel")
    if channel not in CHANNELS:
        raise WrongField("channel", f'"channel" must be one of {", ".join(CHANNELS)}')
    given = wish.get("limits")
    if not isinstance(given, list) or len(given) > MAX_LIMITS:
        raise WrongField("limits", f'"limits" must be a list of at most {MAX_LIMITS}')
    limits = []
    for item in given:
        only(an_object(item, "a limit"), ("count", "period_s"))
        limits.append(Limit(needed(item, "count", 1, MAX_COUNT), needed(item, "period_s", 1, MAX_PERIOD_S)))
    corp.rates[channel].set(tuple(limits))


KINDS: dict[str, Callable[[Corp, Wish], None]] = {
    "departments": put_department,
    "members": put_member,
    "tags": put_tag,
    "bots": put_bot,
    "apps": put_app,
    "limits": put_limits,
    "faults": order,
}


def seed(corp: Corp, data: object) -> None:
    """Lists of what is to be there, by kind; in the order of `KINDS`. `WrongField` has the place: members[2].mobile."""
    kinds = an_object({} if data is None else data, "a file of seeds")
    only(kinds, KINDS)
    for kind, put in KINDS.items():
        items = [] if kinds.get(kind) is None else kinds[kind]
        if not isinstance(items, list):
            raise WrongField(kind, f'"{kind}" must be a list')
        for i, item in enumerate(items):
            try:
                put(corp, an_object(item, "each of them"))
            except WrongField as wrong:
                place = f"{kind}[{i}]" + (f".{wrong.field}" if wrong.field else "")
                raise WrongField(place, f"{place}: {wrong}") from None


def list_bots(corp: Corp) -> list[Json]:
    return [{"key": key} for key in corp.bot_keys]


def list_apps(corp: Corp) -> list[Json]:
    """Without their secrets."""
    return [
        {"agent_id": id, "enabled": id not in corp.disabled, **{name: list(ids) for name, ids in asdict(seen).items()}}
        for id, seen in corp.ranges.items()
    ]


def list_limits(corp: Corp, most: int) -> list[Json]:
    """The limits of each channel, and how much of them is used by those who were counted last."""
    return [{"channel": channel, **_limits(corp.rates[channel], most)} for channel in CHANNELS]


def _limits(window: SlidingWindow, most: int) -> Json:
    used = [
        {
            "who": "|".join(map(str, key)) if isinstance(key, tuple) else str(key),
            "used": [taken for _, taken in taken_of],
        }
        for key, taken_of in window.fill(most)
    ]
    return {"limits": [asdict(limit) for limit in window.limits], "used": used}


def reset_limits(corp: Corp) -> None:
    """The limits of WeCom's documents, and nobody is counted."""
    for window in corp.rates.values():
        window.set(window.usual)
        window.clear()
