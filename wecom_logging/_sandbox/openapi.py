"""What can be asked of the sandbox itself: OpenAPI 3 at ``/sandbox/openapi.json``, for people ``/sandbox/docs``."""

from __future__ import annotations

import html
from typing import Any

Json = dict[str, Any]

WHOLE: Json = {"type": "integer"}
TEXT: Json = {"type": "string"}
ID: Json = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
IDS: Json = {"type": "array", "items": ID}
NAME: Json = {"type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", "maxLength": 10_000}
TEXTS: Json = {"type": "array", "items": NAME}
NEEDED: Json = {**NAME, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", "minLength": 1}
LINES: Json = {**TEXT, "maxLength": 10_000}
LEVELS = ["critical", "error", "warning", "info", "debug", "over", "🚨", "🔴", "🟠", "🔵", "⚪", "✅"]


def _object(needed: str = "", **properties: Json) -> Json:
    shape: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, "required": needed.split()} if needed else shape


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> Json:
    return {"type": "array", "items": _ref(name)}


SCHEMAS: dict[str, Json] = {
    "Message": {
        "type": "object",
        "required": ["id", "time", "channel", "msgtype", "content", "receivers", "key", "warning", "chat", "body"],
        "properties": {
            "id": {**TEXT, "description": "the msgid; a bot's message has one too, of the sandbox's own"},
            "time": {"type": "number", "description": "seconds since 1970, by the sandbox's clock"},
            "channel": {"enum": ["app", "bot", "aibot", "person"]},
            "msgtype": TEXT,
            "content": {**TEXT, "description": "what a phone shows of it, cut where WeCom cuts"},
            "touser": TEXT,
            "toparty": TEXT,
            "totag": TEXT,
            "receivers": {**TEXTS, "description": "the members whom it reached; empty for a bot"},
            "key": {**TEXT, "description": "the bot's"},
            "warning": {**TEXT, "description": "what was wrong with a request that was taken all the same, or empty"},
            "chat": {
                **TEXT,
                "description": "the group (appchat) where an app spoke; of the AI bot the group, or the member",
            },
            "user": {**TEXT, "description": "who wrote it, of what a person wrote to the AI bot"},
            "task_id": {**TEXT, "description": "of the AI bot's card"},
            "cards": {"type": "object", "description": "the AI bot's card as each member sees it now"},
            "rewrites": {"type": "array", "items": {"type": "object"}, "description": "what became of that card"},
            "body": {"type": "object", "description": "the request, as it was read"},
        },
    },
    "Fault": {
        "description": "one of errcode, status, delay_s, drop and withhold; delay_s goes with each of the others",
        **_object(
            "path",
            path={**TEXT, "pattern": "^/(cgi-bin/|aibot(/|$))", "maxLength": 200},
            times={"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1, "nullable": True},
            errcode={"type": "integer", "minimum": -(10**9), "maximum": 10**9, "nullable": True},
            status={"type": "integer", "minimum": 200, "maximum": 599, "nullable": True},
            delay_s={"type": "number", "minimum": 0, "maximum": 600, "default": 0},
            drop={"type": "boolean", "default": False},
            withhold={"type": "boolean", "default": False, "description": "of the AI bot: done, and not answered"},
        ),
    },
    "Switch": {
        "description": "a switch, which stays until the next one",
        "oneOf": [
            _object("void_token", void_token={"type": "boolean", "enum": [True]}),
            _object("token_mode", token_mode={**TEXT, "enum": ["same", "kill_old", "overlap"]}),
            _object(
                "trusted_ips",
                trusted_ips={"type": "array", "maxItems": 1000, "items": {**TEXT, "maxLength": 100}, "nullable": True},
            ),
            _object("contacts_details", contacts_details={"type": "boolean"}),
            _object("aibot_connection", aibot_connection={**TEXT, "enum": ["unsubscribe", "drop", "silence"]}),
            _object("aibot_group_cards", aibot_group_cards={"type": "boolean"}),
            _object("aibot_open_userids", aibot_open_userids={"type": "boolean"}),
            _object("aibot_close_after_s", aibot_close_after_s={"type": "number", "minimum": 0, "maximum": 600}),
        ],
    },
    "Member": _object(
        "user_id",
        user_id={**TEXT, "pattern": r"^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$"},
        name=NAME,
        departments=IDS,
        mobile=NAME,
        email=NAME,
        leader_of=IDS,
    ),
    "Department": _object("id", id=ID, name=NAME, parent_id={**ID, "nullable": True}),
    "Tag": _object("id", id={**ID, "minimum": 0}, name=NAME, users=TEXTS, departments=IDS),
    "Bot": _object("key", key=NEEDED),
    "App": _object(
        "agent_id",
        agent_id=ID,
        secret={**NAME, "description": "needed for a new one"},
        enabled={"type": "boolean"},
        users=TEXTS,
        departments=IDS,
        tags={"type": "array", "items": {**ID, "minimum": 0}},
    ),
    "Limits": _object(
        "channel limits",
        channel={**TEXT, "enum": ["app", "bot", "chat", "aibot"]},
        limits={
            "type": "array",
            "maxItems": 10,
            "items": _object(
                "count period_s",
                count={"type": "integer", "minimum": 1, "maximum": 10**9},
                period_s={"type": "integer", "minimum": 1, "maximum": 31 * 24 * 3600},
            ),
        },
    ),
    "Said": _object(
        "chat user_id text",
        chat={**NEEDED, "description": "a group, or the member's own id for the single chat"},
        user_id=NEEDED,
        text=LINES,
        quote={**LINES, "description": "the id of a message, or a text"},
    ),
    "Click": _object(
        "card user_id key",
        card={**NEEDED, "description": "the task_id, or the id of the message"},
        user_id=NEEDED,
        key=LINES,
        selected={"type": "object", "description": "the option, or a list of them, of each question_key"},
    ),
    "Entered": _object("user_id", user_id=NEEDED),
    "Group": _object("chat users", chat=NEEDED, users=TEXTS, written={"type": "boolean", "default": False}),
    "Callback": {
        "type": "object",
        "required": ["req_id"],
        "properties": {"req_id": {**TEXT, "description": "of the callback; empty where nobody was there to get it"}},
    },
    "Advance": _object(advance_s={"type": "number", "minimum": 0, "maximum": 366 * 24 * 3600}),
    "Clock": {
        "type": "object",
        "required": ["now", "ahead_s"],
        "properties": {"now": {"type": "number"}, "ahead_s": {"type": "number"}},
    },
    "Health": {
        "type": "object",
        "required": ["status", "strict", "now", "kept"],
        "properties": {
            "status": {"enum": ["ok"]},
            "strict": {"type": "boolean"},
            "now": {"type": "number"},
            "kept": {"type": "object", "description": "of messages, files and calls: bytes, and the most of them"},
        },
    },
    "Error": {
        "type": "object",
        "required": ["error", "field"],
        "properties": {
            "error": {**TEXT, "description": "a text for people"},
            "field": {**TEXT, "description": "what is wrong; empty for the whole"},
        },
    },
    "Empty": {"type": "object", "additionalProperties": False},
    "Anything": {"type": "array", "items": {"type": "object"}},
}


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


FILTERS = [
    _query("contains", TEXT, "a part of what a person reads of it, in upper or lower case"),
    _query("channel", {**TEXT, "enum": ["app", "bot", "aibot", "person", ""]}, "who sent it"),
    _query("receiver", TEXT, "a member's user id, a bot's key or g:1 for the first bot, or a group's chatid"),
    _query("level", {**TEXT, "enum": [*LEVELS, ""]}, "the sign with which the alert begins, or its name"),
    _query("msgtype", TEXT, "text, markdown, textcard …"),
    _query("since", {"type": "number", "minimum": 0, "maximum": 1e12}, "seconds since 1970"),
    _query("until", {"type": "number", "minimum": 0, "maximum": 1e12}, "seconds since 1970"),
]
WAITING = [
    _query("count", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1}, "how many are wanted"),
    _query("timeout", {"type": "number", "minimum": 0, "maximum": 600, "default": 10}, "seconds"),
]


def _answer(description: str, schema: str | Json) -> Json:
    shape = _ref(schema) if isinstance(schema, str) else schema
    return {"description": description, "content": {"application/json": {"schema": shape}}}


def _call(
    summary: str,
    answer: str | Json = "Empty",
    *,
    body: str | Json = "",
    parameters: list[Json] | None = None,
    at: str = "",
    at_schema: Json = TEXT,
    errors: tuple[int, ...] = (),
    file: bool = False,
) -> Json:
    """``at`` names the part of the path that is a parameter; ``errors`` are statuses besides 400 and 401."""
    in_path = [{"name": at, "in": "path", "required": True, "schema": at_schema}] if at else []
    why = {404: "there is none", 408: "too few came in time; messages has those that did", 409: "it cannot go"}
    call: Json = {
        "summary": summary,
        "parameters": [*in_path, *(parameters or [])],
        "responses": {
            "200": _answer("done", answer),
            **{str(status): _answer(why[status], "Error") for status in errors},
        },
    }
    if file:
        content = {"application/octet-stream": {"schema": {**TEXT, "format": "binary"}}}
        call["responses"]["200"] = {"description": "a download", "content": content}
    if body or parameters:
        call["responses"]["400"] = _answer("what was sent makes no sense", "Error")
    if body:
        shape = _ref(body) if isinstance(body, str) else body
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": shape}}}
    call["responses"]["401"] = {"description": "away from loopback: the token is missing"}
    return call


NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": 999_999_999}

PATHS: dict[str, Json] = {
    "/sandbox/messages": {
        "get": _call("what was delivered, oldest first", _list_of("Message"), parameters=FILTERS),
        "delete": _call("forget all of it"),
    },
    "/sandbox/messages/{id}": {
        "get": _call("one message", "Message", at="id", errors=(404,)),
        "delete": _call("forget one message", at="id", errors=(404,)),
    },
    "/sandbox/messages/{id}/files/{number}": {
        "get": _call(
            "a file that the message was sent with, as far as it is kept; 0 is the first",
            at="id",
            parameters=[{**_query("number", {**NUMBER, "maximum": 99}, ""), "in": "path", "required": True}],
            errors=(404,),
            file=True,
        )
    },
    "/sandbox/messages.jsonl": {"get": _call("the same, one JSON object a line", parameters=FILTERS, file=True)},
    "/sandbox/messages.zip": {
        "get": _call("messages.jsonl, and the files that messages were sent with", parameters=FILTERS, file=True)
    },
    "/sandbox/wait": {
        "get": _call(
            "wait until so many messages that fit are there; those that came before count",
            _list_of("Message"),
            parameters=[*WAITING, *FILTERS],
            errors=(408,),
        )
    },
    "/sandbox/health": {"get": _call("whether it runs, and what it keeps; needs no token", "Health")},
    "/sandbox/faults": {
        "get": _call("the faults that wait, each with its number", "Anything"),
        "post": _call(
            "let the next calls of a path fail, or turn a switch",
            body={"oneOf": [_ref("Fault"), _ref("Switch")]},
        ),
        "delete": _call(
            "remove all faults that wait, or one; switches stay",
            parameters=[_query("number", NUMBER, "of one fault")],
        ),
    },
    "/sandbox/members": {
        "get": _call("all members, as user/get shows them", "Anything"),
        "post": _call("add or replace an active member", body="Member"),
    },
    "/sandbox/members/{user_id}": {"delete": _call("remove a member", at="user_id", errors=(404,))},
    "/sandbox/departments": {
        "get": _call("all departments, each parent before its children", "Anything"),
        "post": _call("add or change a department", body="Department"),
    },
    "/sandbox/departments/{id}": {
        "delete": _call("remove an empty department", at="id", at_schema=ID, errors=(404, 409))
    },
    "/sandbox/tags": {
        "get": _call("all tags", "Anything"),
        "post": _call("add or replace a tag", body="Tag"),
    },
    "/sandbox/tags/{id}": {"delete": _call("remove a tag", at="id", at_schema={**ID, "minimum": 0}, errors=(404,))},
    "/sandbox/bots": {
        "get": _call("the keys of all bots", "Anything"),
        "post": _call("add a bot", body="Bot"),
    },
    "/sandbox/bots/{key}": {"delete": _call("remove a bot: its key is answered with 93000", at="key", errors=(404,))},
    "/sandbox/apps": {
        "get": _call("all apps, without their secrets", "Anything"),
        "post": _call("add an app, or change its visible range or whether it is enabled", body="App"),
    },
    "/sandbox/apps/{agent_id}": {"delete": _call("remove an app", at="agent_id", at_schema=ID, errors=(404,))},
    "/sandbox/limits": {
        "get": _call("the rate limits of each channel, and who has used how much", "Anything"),
        "post": _call("other limits for a channel; an empty list is none", body="Limits"),
        "delete": _call("the limits of WeCom's documents again, and nobody is counted"),
    },
    "/sandbox/aibot": {"get": _call("the AI bot: its chats, its connections, its switches", {"type": "object"})},
    "/sandbox/aibot/say": {"post": _call("somebody writes to the bot; in a group: with an @", "Callback", body="Said")},
    "/sandbox/aibot/click": {"post": _call("somebody clicks on a card of the bot", "Callback", body="Click")},
    "/sandbox/aibot/enter": {"post": _call("somebody opens the chat with the bot", "Callback", body="Entered")},
    "/sandbox/aibot/groups": {"post": _call("add or replace a group with the bot in it", body="Group")},
    "/sandbox/aibot/groups/{chat}": {"delete": _call("take the bot out of a group", at="chat", errors=(404,))},
    "/sandbox/clock": {
        "get": _call("the sandbox's time", "Clock"),
        "post": _call("let time pass for tokens, limits and media", "Clock", body="Advance"),
        "delete": _call("the real time again", "Clock"),
    },
    "/sandbox/openapi.json": {"get": _call("this document; needs no token", {"type": "object"})},
}

DOCUMENT: Json = {
    "openapi": "3.0.3",
    "info": {
        "title": "The sandbox of wecom-logging",
        "version": "1",
        "description": "A local WeCom: read what arrived, wait for it, and let things go wrong. "
        "WeCom's own calls are below /cgi-bin/ and as its documents describe them.",
        "license": {"name": "MIT"},
    },
    "servers": [{"url": "/"}],
    "security": [{}, {"token": []}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    },
}


def page() -> str:
    """The same for people: no script, no style of its own."""
    calls = [row for path, methods in PATHS.items() for row in _rows(path, methods)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>The sandbox\'s API</title>\n</head>\n<body>\n'
        f"<h1>The sandbox's API</h1>\n<p>{_text(DOCUMENT['info']['description'])} As a file for programs: "
        '<a href="/sandbox/openapi.json">openapi.json</a>. '
        "Where the sandbox has a token: <code>Authorization: Bearer TOKEN</code>.</p>\n"
        f"{''.join(calls)}</body>\n</html>\n"
    )


def _rows(path: str, methods: Json) -> list[str]:
    rows = []
    for method, call in methods.items():
        fields = [
            f"<li><code>{_text(p['name'])}</code> {_text(p.get('description', ''))}</li>" for p in call["parameters"]
        ]
        fields += [f"<li><code>{_text(name)}</code> {_text(why)}</li>" for name, why in _fields(call)]
        listed = f"<ul>{''.join(fields)}</ul>\n" if fields else ""
        head = f"<h2><code>{method.upper()} {_text(path)}</code></h2>\n"
        rows.append(f"{head}<p>{_text(call['summary'])}</p>\n{listed}")
    return rows


def _fields(call: Json) -> list[tuple[str, str]]:
    """The names in a request's body, each with what there is to say."""
    schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    found: list[tuple[str, str]] = []
    waiting = [schema]
    while waiting:
        shape = waiting.pop(0)
        shape = SCHEMAS[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
        waiting += shape.get("oneOf", [])
        needed = shape.get("required", [])
        for name, of in shape.get("properties", {}).items():
            kind = "|".join(map(str, of.get("enum", []))) or of.get("type", "")
            found.append((name, f"{kind}{', needed' if name in needed else ''}. {of.get('description', '')}".strip()))
    return found


def _text(value: object) -> str:
    return html.escape(str(value))
