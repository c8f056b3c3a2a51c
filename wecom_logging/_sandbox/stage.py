"""Who and what is there: members, departments, tags, bots, apps, limits; by ``/sandbox/…`` or by a file of seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from .corp import Corp
from .directory import ROOT, Department, Directory, Member, Tag
from .faults import read_fault
from .limits import Limit, SlidingWindow
from .refusal import Refusal, meaning, refuse_if
from .shapes import ANYTHING, LIMITED, WISHES, WrongField, check, fields, wrong_if
from .visibility import WHOLE, Json, Range, Sight, department_json, member_json, tag_json

MAX_BOTS = 1000
MAX_APPS = 1000
MOST_USED = 100
FIELD_OF = {60104: "mobile", 60106: "email", 60008: "name", 60010: "parent_id", 40071: "name"}

Wish = Mapping[str, Any]


@contextmanager
def as_wrong_field() -> Iterator[None]:
    """WeCom's no to what was asked for here."""
    try:
        yield
    except Refusal as no:
        text_of = no.detail or meaning(no.errcode)
        raise WrongField(FIELD_OF.get(no.errcode, ""), f"{text_of} ({no.errcode})") from None


def order(corp: Corp, wish: Wish) -> None:
    """A switch, or a fault."""
    corp.touch()
    match wish:
        case {"void_token": _}:
            corp.tokens.void_all()
        case {"aibot_connection": how}:
            corp.aibot.disturb(how)
        case {"token_mode": mode}:
            corp.tokens.mode = mode
        case {"path": _}:
            corp.faults.add(read_fault(wish))
        case _:  # another switch is a field, by its name
            ((name, to),) = wish.items()
            setattr(corp.aibot if name.startswith("aibot_") else corp, name.removeprefix("aibot_"), to)


def put_member(corp: Corp, wish: Wish) -> None:
    """Adds a member, or changes one, who is active then: has joined. What is absent stays as it is.

    Departments that are not there yet are made below the root.
    """
    user_id, leads, directory = wish["user_id"], frozenset(wish.get("leader_of", ())), corp.directory
    old = directory.member(user_id) or Member(user_id, user_id, (ROOT,), (0,), main_department=ROOT)
    ids = tuple(dict.fromkeys((*wish.get("departments", ()), *sorted(leads))))
    given = {name: wish[name] for name in ("name", "mobile", "email") if wish.get(name)}
    member = replace(old, activated=True, **given)
    if ids:
        member = replace(member, departments=ids, orders=(0,) * len(ids), leads=leads, main_department=ids[0])
    with as_wrong_field():
        for id in ids:
            _make_department(directory, id)
        directory.put_member(member)


def put_department(corp: Corp, wish: Wish) -> None:
    """Adds or changes; a parent that is not there yet is made below the root."""
    id, parent_id, directory = wish["id"], wish.get("parent_id") or ROOT, corp.directory
    with as_wrong_field():
        if id != ROOT:
            _make_department(directory, parent_id)
            refuse_if(id in directory.line(parent_id), 60010)
        name = wish.get("name") or f"部门 {id}"
        old = directory.departments.get(id, Department(id, name, parent_id))
        directory.put_department(replace(old, name=name, parent_id=0 if id == ROOT else parent_id))


def _make_department(directory: Directory, id: int) -> None:
    if id not in directory.departments:
        directory.put_department(Department(id, f"部门 {id}", ROOT))


def put_tag(corp: Corp, wish: Wish) -> None:
    """Adds or replaces, as an administrator does: contacts-sync may change it, apps may not. Unknown ids stay out."""
    id, directory = wish["id"], corp.directory
    users = frozenset(user.lower() for user in wish.get("users", ())) & directory.members.keys()
    departments = frozenset(wish.get("departments", ())) & directory.departments.keys()
    with as_wrong_field():
        directory.put_tag(Tag(id, wish.get("name") or f"标签 {id}", users, departments))


def put_bot(corp: Corp, wish: Wish) -> None:
    wrong_if(len(corp.bot_keys) >= MAX_BOTS, "key", f"{MAX_BOTS} bots are there already")
    corp.bot_keys[wish["key"]] = None


def put_app(corp: Corp, wish: Wish) -> None:
    """Adds an app, or changes one that is there: its visible range where one is given, and whether it is enabled."""
    agent_id, secret = wish["agent_id"], wish.get("secret", "")
    grant = corp.tokens.find(secret)
    wrong_if(grant is not None and grant.agent_id != agent_id, "secret", '"secret" belongs to another')
    is_new = agent_id not in corp.ranges
    missing = f'there is no app {agent_id}, and "secret", which makes one, is missing'
    wrong_if(is_new and not secret, "secret", missing)
    wrong_if(is_new and len(corp.ranges) >= MAX_APPS, "agent_id", f"{MAX_APPS} apps are there already")
    if secret:
        corp.add_app(secret, agent_id)
    visible = [tuple(wish.get(name, ())) for name in ("users", "departments", "tags")]
    if any(name in wish for name in ("users", "departments", "tags")):
        corp.ranges[agent_id] = Range(*visible)
    enabled = wish.get("enabled", agent_id not in corp.disabled)
    (corp.disabled.discard if enabled else corp.disabled.add)(agent_id)


def put_limits(corp: Corp, wish: Wish) -> None:
    """The limits of a channel from now on; none is no limit."""
    corp.rates[wish["channel"]].limits = tuple(Limit(**limit) for limit in wish["limits"])


KINDS: dict[str, tuple[str, Callable[[Corp, Wish], None]]] = {
    "departments": ("Department", put_department),
    "members": ("Member", put_member),
    "tags": ("Tag", put_tag),
    "bots": ("Bot", put_bot),
    "apps": ("App", put_app),
    "limits": ("Limits", put_limits),
    "faults": ("Order", order),
}
"""Each with its shape."""

SEEDS = fields("", **{kind: {"type": "array", "items": ANYTHING, "nullable": True} for kind in KINDS})


def put(corp: Corp, kind: str, wish: Any) -> None:
    """`WrongField` where it makes no sense."""
    shape, act = KINDS[kind]
    check(wish, WISHES[shape])
    act(corp, wish)


def seed(corp: Corp, data: object) -> None:
    """Lists of what is to be there, by kind; in the order of `KINDS`. `WrongField` has the place: members[2].mobile."""
    kinds: Any = {} if data is None else data
    check(kinds, SEEDS)
    for kind in KINDS:
        for i, item in enumerate(kinds.get(kind) or ()):
            try:
                put(corp, kind, item)
            except WrongField as wrong:
                place = f"{kind}[{i}]" + (f".{wrong.field}" if wrong.field else "")
                raise WrongField(place, f"{place}: {wrong}") from None


def reset(corp: Corp) -> None:
    """As it was after the start, seeds included."""
    corp.reset()
    for data in corp.seeds:
        seed(corp, data)


def list_members(corp: Corp) -> list[Json]:
    sight = Sight(corp.directory, WHOLE)
    return [member_json(corp.directory, one, sight, secret=True) for one in corp.directory.members.values()]


def list_departments(corp: Corp) -> list[Json]:
    sight = Sight(corp.directory, WHOLE)
    return [department_json(corp.directory, one, sight) for one in sight.departments()]


def list_tags(corp: Corp) -> list[Json]:
    sight = Sight(corp.directory, WHOLE)
    return [{"tagid": one.id, **tag_json(corp.directory, one, sight)} for one in corp.directory.tags.values()]


def list_bots(corp: Corp) -> list[Json]:
    return [{"key": key} for key in corp.bot_keys]


def list_apps(corp: Corp) -> list[Json]:
    """Without their secrets."""
    return [
        {"agent_id": id, "enabled": id not in corp.disabled, **{name: list(ids) for name, ids in asdict(seen).items()}}
        for id, seen in corp.ranges.items()
    ]


def list_limits(corp: Corp) -> list[Json]:
    """The limits of each channel, and how much of them is used by those who were counted last."""
    return [{"channel": channel, **_limits(corp.rates[channel])} for channel in LIMITED]


def _limits(window: SlidingWindow) -> Json:
    used = [
        {"who": "|".join(map(str, key if isinstance(key, tuple) else (key,))), "used": [taken for _, taken in taken_of]}
        for key, taken_of in window.fill(MOST_USED)
    ]
    return {"limits": [asdict(limit) for limit in window.limits], "used": used}
