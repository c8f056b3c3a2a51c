"""The other side of the sandbox, below ``/sandbox/``: what was delivered, and everything that can be set.

Bad input is 400 with ``error``, a text for people, and ``field``; so is what a call does not know.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict
from itertools import islice
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response

from . import shapes, stage
from .aibot.people import AiBot
from .calls import Call, Calls, Json, Refused, document, there
from .corp import Corp
from .directory import ROOT
from .downloads import as_lines, as_list, files_of
from .files import answer_picture
from .filters import Filter, find_messages, read_bounds, wait_for
from .journal import KEPT_CHARS as CALLS_CHARS
from .journal import Call as Made
from .mailbox import KEPT_BYTES, Message
from .media import KEPT_BYTES as FILES_BYTES
from .ringing import answer_ring, list_rings
from .shapes import FILTERS, LATEST, LISTED, whole


def find_calls(corp: Corp, since: float = 0.0, until: float = LATEST, **wanted: object) -> list[Made]:
    """Those of which all holds that is wanted."""
    with corp.lock:
        made = corp.journal.calls()
    found = []
    for one in made:
        facts = {"path": one.path, "errcode": one.errcode, "refused": one.refused, "discarded": one.discarded > 0}
        found += [one] if since <= one.time <= until and wanted.items() <= facts.items() else []
    return found


def list_calls(corp: Corp, **wanted: Any) -> list[Json]:
    return [asdict(one) for one in find_calls(corp, **wanted)]


def count_calls(corp: Corp, **wanted: Any) -> list[Json]:
    sums: dict[tuple[str, int | None, int], list[int]] = {}
    for one in find_calls(corp, **wanted):
        row = sums.setdefault((one.path, one.errcode, one.status), [0, 0])
        row[0] += 1
        row[1] += one.discarded
    names = ("path", "errcode", "status", "count", "discarded")
    return [dict(zip(names, (*key, *row), strict=True)) for key, row in sums.items()]


def get_messages(corp: Corp, **wanted: Any) -> Response:
    return _answer_list(_listed(corp, wanted))


def get_lines(corp: Corp, **wanted: Any) -> Response:
    return _download(as_lines(_listed(corp, wanted)), "messages.jsonl")


def delete_messages(corp: Corp, **wanted: Any) -> None:
    fitting = [message.id for message in find_messages(corp, Filter.read(wanted, corp))]
    with corp.changing():
        corp.mailbox.remove(*fitting)


def get_file(corp: Corp, id: str, number: int) -> Response:
    found = there(next(islice(files_of(corp, _message(corp, id)), number, None), None), "file")
    return _download(found.data, found.name)


def get_message(corp: Corp, id: str) -> Json:
    return _message(corp, id).as_json()


def delete_message(corp: Corp, id: str) -> None:
    corp.mailbox.remove(_message(corp, id).id)


def wait(corp: Corp, count: int = 1, at_most: int | None = None, timeout: float = 10.0, **wanted: Any) -> Response:
    count, most = read_bounds(count, at_most)
    found = wait_for(corp, Filter.read(wanted, corp), count, timeout, most)
    if most is not None and len(found) > most:
        why, status = f"{len(found)} came, and at most {most} were wanted", 409
    elif len(found) < count:
        why, status = f"{len(found)} of {count} came", 408
    else:
        return _answer_list(found)
    return _answer_list(found, f'{{"error": "{why}", "field": "", "messages": ', "}", status)


def get_health(corp: Corp) -> Json:
    kept = {
        "messages": {
            "count": len(corp.mailbox),
            "in_all": corp.mailbox.count,
            "bytes": corp.mailbox.size,
            "most_bytes": KEPT_BYTES,
        },
        "files": {"bytes": corp.media.size, "most_bytes": FILES_BYTES},
        "calls": {"bytes": 4 * corp.journal.chars, "most_bytes": 4 * CALLS_CHARS},
    }
    return {"status": "ok", "strict": corp.strict, "now": corp.clock(), "kept": kept}


def get_picture(corp: Corp, id: str) -> Response:
    return there(answer_picture(corp, id), "picture")


def get_faults(corp: Corp) -> list[Json]:
    return corp.faults.as_json()


def delete_faults(corp: Corp, **wanted: Any) -> None:
    """Restrictions and the mode of tokens stay."""
    corp.faults.remove(**wanted)


def delete_member(corp: Corp, user_id: str) -> None:
    corp.directory.remove_member(there(corp.directory.member(user_id), "member"))


def delete_department(corp: Corp, id: int) -> None:
    directory = corp.directory
    _known(id, directory.departments, "department")
    if id == ROOT or directory.children(id) or directory.people(id):
        raise Refused(409, "it is the root, or not empty", "id")
    directory.remove_department(id)


def delete_tag(corp: Corp, id: int) -> None:
    _known(id, corp.directory.tags, "tag")
    corp.directory.remove_tag(id)


def delete_bot(corp: Corp, key: str) -> None:
    _known(key, corp.bot_keys, "bot")
    del corp.bot_keys[key]


def delete_app(corp: Corp, agent_id: int) -> None:
    _known(agent_id, corp.ranges, "app")
    corp.remove_app(agent_id)


def delete_limits(corp: Corp, channel: str = "") -> None:
    for window in [corp.rates[channel]] if channel else corp.rates.values():
        window.reset()


def get_aibot(corp: Corp) -> Json:
    return AiBot(corp).as_json()


def say(corp: Corp, wish: Json) -> Json:
    return {"req_id": AiBot(corp).say(**wish)}


def click(corp: Corp, wish: Json) -> Json:
    return {"req_id": AiBot(corp).click(**wish)}


def enter(corp: Corp, wish: Json) -> Json:
    return {"req_id": AiBot(corp).enter(**wish)}


def put_group(corp: Corp, wish: Json) -> None:
    AiBot(corp).add_group(**wish)


def delete_group(corp: Corp, chat: str) -> None:
    _known(chat, corp.aibot.groups, "group")
    AiBot(corp).leave(chat)


def get_clock(corp: Corp) -> Json:
    return {"now": corp.clock(), "ahead_s": corp.clock.ahead_s}


def advance_clock(corp: Corp, wish: Json) -> Json:
    corp.clock.advance(wish.get("advance_s", 0))
    return get_clock(corp)


def reset_clock(corp: Corp) -> Json:
    """No call is counted any more, because that was in the future."""
    corp.clock.reset()
    for window in corp.rates.values():
        window.clear()
    return get_clock(corp)


def get_openapi(corp: Corp) -> Json:
    return document(CALLS.by_path)


def _listed(corp: Corp, wanted: Json) -> list[Message]:
    listing = {name: wanted.pop(name) for name in LISTED if name in wanted}
    return find_messages(corp, Filter.read(wanted, corp), **listing)


def _message(corp: Corp, id: str) -> Message:
    return there(corp.mailbox.find(id), "message")


def _known(id: object, known: Collection[object], what: str) -> None:
    there(True if id in known else None, what)


def _answer_list(messages: Iterable[Message], before: str = "", after: str = "", status: int = 200) -> Response:
    listed = before.encode() + as_list(messages) + after.encode()
    return Response(listed, status, content_type="application/json; charset=UTF-8")


def _download(data: bytes, name: str) -> Response:
    plain = re.fullmatch(r"[\w.-]+", name, re.ASCII)
    named = f"filename={name}" if plain else f"filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    headers = {"Content-Disposition": f"attachment; {named}"}
    return Response(data, content_type="application/octet-stream", headers=headers)


LISTING: Json = {"query": {**FILTERS, **LISTED}, "alone": True}

CALLS = Calls(
    Call(
        "GET messages",
        get_messages,
        "what was delivered, in pages where limit and after are given",
        **LISTING,
    ),
    Call("GET messages.jsonl", get_lines, "the same, one JSON object a line", **LISTING),
    Call(
        "DELETE messages",
        delete_messages,
        "forget those that fit, all where nothing is given",
        query=FILTERS,
        alone=True,
    ),
    Call(
        "GET messages/{id}/files/{number}",
        get_file,
        "a file that the message was sent with, as far as it is kept; 0 is the first",
        at={"number": whole(0, 99)},
    ),
    Call("GET messages/{id}", get_message, "one message"),
    Call("DELETE messages/{id}", delete_message, "forget one message"),
    Call(
        "GET wait",
        wait,
        "wait until so many messages that fit are there, or whether too many come; those that came before count",
        query={**shapes.WAITING, **FILTERS},
        errors=(408, 409),
        alone=True,
    ),
    Call(
        "GET calls",
        list_calls,
        "the calls of WeCom's API and the AI bot's commands, oldest first",
        query=shapes.CALLED,
    ),
    Call("GET calls/counts", count_calls, "how often each call was answered how", query=shapes.CALLED),
    Call(
        "POST reset",
        stage.reset,
        "as after the start: no messages, calls and faults, the first members, limits and clock",
    ),
    Call("GET health", get_health, "whether it runs, and what it keeps; needs no token"),
    Call("GET pictures/{id}", get_picture),
    Call("GET faults", get_faults, "the faults that wait, each with its number"),
    Call("POST faults", stage.order, "let the next calls of a path fail, or turn a switch", body="Order"),
    Call(
        "DELETE faults",
        delete_faults,
        "remove the faults that fit, all where nothing is given; switches stay",
        query={"number": shapes.FAULT_NUMBER, "path": shapes.PATH},
    ),
    Call("GET members", stage.list_members, "all members, as user/get shows them"),
    Call("POST members", stage.put_member, "add a member, or change one; it is active then: has joined", body="Member"),
    Call("DELETE members/{user_id}", delete_member, "remove a member"),
    Call("GET departments", stage.list_departments, "all departments, each parent before its children"),
    Call("POST departments", stage.put_department, "add or change a department", body="Department"),
    Call(
        "DELETE departments/{id}", delete_department, "remove an empty department", at={"id": shapes.ID}, errors=(409,)
    ),
    Call("GET tags", stage.list_tags, "all tags"),
    Call("POST tags", stage.put_tag, "add or replace a tag", body="Tag"),
    Call("DELETE tags/{id}", delete_tag, "remove a tag", at={"id": shapes.ID_OR_0}),
    Call("GET bots", stage.list_bots, "the keys of all bots"),
    Call("POST bots", stage.put_bot, "add a bot", body="Bot"),
    Call("DELETE bots/{key}", delete_bot, "remove a bot: its key is answered with 93000"),
    Call("GET apps", stage.list_apps, "all apps, without their secrets"),
    Call("POST apps", stage.put_app, "add an app, or change its visible range or whether it is enabled", body="App"),
    Call("DELETE apps/{agent_id}", delete_app, "remove an app", at={"agent_id": shapes.ID}),
    Call("GET limits", stage.list_limits, "the rate limits of each channel, and who has used how much"),
    Call("POST limits", stage.put_limits, "other limits for a channel; an empty list is none", body="Limits"),
    Call(
        "DELETE limits",
        delete_limits,
        "WeCom's limits again, and counting begins anew; of one channel, or of all",
        query={"channel": shapes.CHANNEL},
    ),
    Call("GET aibot", get_aibot, "the AI bot: its chats, its connections, its switches"),
    Call("POST aibot/say", say, "a person writes to the bot; in a group: with an @", body="Said", alone=True),
    Call("POST aibot/click", click, "a person clicks on a card of the bot", body="Click", alone=True),
    Call("POST aibot/enter", enter, "a person opens the chat with the bot", body="Entered", alone=True),
    Call("POST aibot/groups", put_group, "add or replace a group with the bot in it", body="Group"),
    Call("DELETE aibot/groups/{chat}", delete_group, "take the bot out of a group"),
    Call("GET clock", get_clock, "the sandbox's time"),
    Call("POST clock", advance_clock, "let time pass for tokens, limits and media", body="Advance"),
    Call("DELETE clock", reset_clock, "the real time again"),
    Call("GET rings", list_rings, "the calls of members' phones, the newest first"),
    Call("POST rings", answer_ring, "a member answers the phone, refuses, …", body="Answered"),
    Call("GET openapi.json", get_openapi, "this document; needs no token"),
)
