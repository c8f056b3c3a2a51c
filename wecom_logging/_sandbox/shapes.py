"""What is asked of the sandbox itself and what it answers, as JSON schemas of OpenAPI 3.0; what comes is checked by
the same schemas.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .aibot.state import CONNECTION
from .directory import MAX_ID
from .fields import encodes
from .mailbox import KEPT
from .phones import HOW
from .profile import USER_ID
from .tokens import MODES

Shape = Mapping[str, Any]
"""A schema, of which `check` knows what stands in this file: no more."""

MAX_LIST = 10_000
MAX_CHARS = 10_000
MAX_DELAY_S = 600
DAY_S = 24 * 3600
LATEST = 1e12
CHANNELS = ("app", "bot", "aibot", "person")
SIGNS = {"critical": "🚨", "error": "🔴", "warning": "🟠", "info": "🔵", "debug": "⚪", "over": "✅"}
"""With which the alerts of this package begin."""

TEXT: Shape = {"type": "string"}
LINES: Shape = {"type": "string", "maxLength": MAX_CHARS}
LINE: Shape = {**LINES, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", "title": "a text in one line"}
NEEDED: Shape = {**LINE, "minLength": 1, "title": "a text in one line, not empty"}
PATH: Shape = {
    **TEXT,
    "maxLength": 200,
    "pattern": "^/(cgi-bin/.+|aibot|aibot/.+)$",
    "title": "a path below /cgi-bin/ or /aibot/, or /aibot",
}
NEW_ID: Shape = {
    **TEXT,
    "maxLength": 64,
    "pattern": f"^{USER_ID.pattern}$",
    "title": "1 to 64 of 0-9 A-Z a-z _ - @ . beginning with a letter or digit",
}
FLAG: Shape = {"type": "boolean"}
NUMBER: Shape = {"type": "number"}
ANYTHING: Shape = {}
ANY_OBJECT: Shape = {"type": "object", "additionalProperties": ANYTHING}
LIMITED = ("app", "bot", "chat", "aibot")
LEVELS = [*SIGNS, *map(str.upper, SIGNS), *SIGNS.values()]
TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "string": str,
    "array": list,
    "object": dict,
}
WHOLE_NUMBER = re.compile("-?[0-9]{1,18}")


def whole(least: int, most: int, **more: Any) -> Shape:
    return {"type": "integer", "minimum": least, "maximum": most, **more}


def number(most: float, **more: Any) -> Shape:
    return {"type": "number", "minimum": 0, "maximum": most, **more}


def one_of(*values: object) -> Shape:
    return {"type": "string", "enum": list(values)}


def list_of(items: Shape, most: int = MAX_LIST) -> Shape:
    return {"type": "array", "items": items, "maxItems": most}


def fields(needed: str = "", **properties: Shape) -> Shape:
    """An object that has no others. ``needed`` are the names of those that must be there."""
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, "required": needed.split()} if needed else shape


def said(shape: Shape, description: str) -> Shape:
    return {**shape, "description": description}


ID = whole(1, MAX_ID)
ID_OR_0 = whole(0, MAX_ID)
CHANNEL = one_of(*LIMITED)
ERRCODE = whole(-(10**9), 10**9)
FAULT_NUMBER = whole(0, 999_999_999, description="of one fault")

SWITCHES: dict[str, Shape] = {
    "void_token": {"type": "boolean", "enum": [True]},
    "token_mode": one_of(*MODES),
    "trusted_ips": {**list_of({**TEXT, "maxLength": 100}, 1000), "nullable": True},
    "contacts_details": FLAG,
    "app_callback": said(FLAG, "whether the app has a callback URL, and so may send cards that answer back"),
    "phone_calls": said(one_of("ready", "not_linked", "not_enabled", "no_balance"), "whether apps may call phones"),
    "aibot_connection": one_of(*CONNECTION),
    "aibot_group_cards": FLAG,
    "aibot_open_userids": FLAG,
    "aibot_close_after_s": number(MAX_DELAY_S),
}
FAULT = fields(
    "path",
    path=PATH,
    times=whole(1, 10**9, default=1, nullable=True),
    errcode={**ERRCODE, "nullable": True},
    status=whole(200, 599, nullable=True),
    delay_s=number(MAX_DELAY_S, default=0),
    drop={**FLAG, "default": False},
    withhold={**FLAG, "default": False, "description": "of the AI bot: done, and not answered"},
)
WISHES: dict[str, Shape] = {
    "Order": {
        "oneOf": [*(fields(name, **{name: shape}) for name, shape in SWITCHES.items()), FAULT],
        "description": "a switch, which stays until the next one; or a fault with a path and one of errcode, status, "
        "delay_s, drop and withhold, of which delay_s goes with each of the others",
    },
    "Member": fields(
        "user_id",
        user_id=NEW_ID,
        name=LINE,
        departments=list_of(ID),
        mobile=LINE,
        email=LINE,
        leader_of=list_of(ID),
    ),
    "Department": fields("id", id=ID, name=LINE, parent_id={**ID, "nullable": True}),
    "Tag": fields("id", id=ID_OR_0, name=LINE, users=list_of(LINE), departments=list_of(ID)),
    "Bot": fields("key", key=NEEDED),
    "App": fields(
        "agent_id",
        agent_id=ID,
        secret=said(LINE, "needed for a new one"),
        enabled=FLAG,
        users=list_of(LINE),
        departments=list_of(ID),
        tags=list_of(ID_OR_0),
    ),
    "Limits": fields(
        "channel limits",
        channel=CHANNEL,
        limits=list_of(fields("count period_s", count=whole(1, 10**9), period_s=whole(1, 31 * DAY_S)), 10),
    ),
    "Said": fields(
        "chat user_id text",
        chat=said(NEEDED, "a group, or the member's own id for the single chat"),
        user_id=NEEDED,
        text=LINES,
        quote=said(LINES, "the id of a message, or a text"),
    ),
    "Click": fields(
        "card user_id key",
        card=said(NEEDED, "the task_id, or the id of the message"),
        user_id=NEEDED,
        key=LINES,
        selected={
            "type": "object",
            "additionalProperties": {"oneOf": [LINES, list_of(LINE)]},
            "description": "the option, or a list of them, of each question_key",
        },
    ),
    "Entered": fields("user_id", user_id=NEEDED),
    "Group": fields("chat users", chat=NEEDED, users=list_of(LINE), written={**FLAG, "default": False}),
    "Advance": fields(advance_s=number(366 * DAY_S)),
    "Answered": fields(
        "user_id how",
        user_id=NEEDED,
        how=said(one_of(*HOW), "with the call that rings, or where none does with the next one"),
    ),
}
"""By the names that they have in OpenAPI."""


WITHIN = dict.fromkeys(("since", "until"), number(LATEST, description="seconds since 1970"))
FILTERS: dict[str, Shape] = {
    "contains": said(LINES, "a part of what a person reads of it, in upper or lower case"),
    "not_contains": said(LINES, "what is in nothing that a person reads of it"),
    "channel": said(one_of(*CHANNELS, ""), "who sent it"),
    "receiver": said(LINES, "a member's user id, a bot's key or g:1 for the first bot, or a group's chatid"),
    "level": said(one_of(*LEVELS, ""), "the sign with which the alert begins, or its name"),
    "msgtype": said(LINES, "text, markdown, textcard …"),
    **WITHIN,
}
LISTED: dict[str, Shape] = {
    "order": said({**one_of("oldest", "newest"), "default": "oldest"}, "which comes first"),
    "limit": whole(1, KEPT, default=KEPT, description="the most that are given"),
    "after": said(LINES, "the id of a message: those that come after it in that order"),
}
WAITING: dict[str, Shape] = {
    "count": whole(0, KEPT, default=1, description="how many are wanted at least; with 0 none may come"),
    "at_most": whole(0, KEPT, description="more are a failure, so the whole time is waited for them"),
    "timeout": number(600, default=10, description="seconds"),
}
CALLED: dict[str, Shape] = {
    "path": PATH,
    "errcode": ERRCODE,
    "refused": said(FLAG, "whether WeCom refused it, by an errcode, an HTTP status, or no answer"),
    "discarded": said(FLAG, "whether it was left out for some receivers in silence"),
    **WITHIN,
}


class WrongField(ValueError):
    """The text is for the one who asked; ``field`` is where it is wrong, empty for the whole."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def wrong_if(wrong: object, field: str, text: str) -> None:
    if wrong:
        raise WrongField(field, text)


def check(value: object, shape: Shape, name: str = "", *, each: str = "") -> None:
    """`WrongField` where the value is not of that shape."""
    shape = _chosen(value, shape)
    if not shape or (value is None and shape.get("nullable")):
        return
    if not _is_of(value, shape) or not _is_within(value, shape):
        raise WrongField(name, f"{each}{_quoted(name)} must be {_said(shape)}")
    if isinstance(value, dict):
        _check_fields(value, shape)
    elif isinstance(value, list):
        for item in value:
            check(item, shape["items"], name, each="each of ")


def _check_fields(value: Mapping[str, Any], shape: Shape) -> None:
    fields, others = shape.get("properties", {}), shape["additionalProperties"]
    unknown = sorted(str(name) for name in value if name not in fields) if others is False else ()
    if unknown:
        known = ", ".join(sorted(fields)) or "none"
        raise WrongField(unknown[0], f"unknown fields: {', '.join(unknown)}; known are {known}")
    for name in shape.get("required", ()):
        wrong_if(name not in value, name, f"{_quoted(name)} is missing: {_said(fields[name])}")
    for name, item in value.items():
        check(item, fields.get(name, others), name)


def read_query(shapes: Mapping[str, Shape], given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of a URL, numbers as numbers."""
    found: dict[str, Any] = {}
    for name, text in given:
        wrong_if(name in found, name, f"{_quoted(name)} is there twice")
        found[name] = _parsed(text, shapes.get(name, {}).get("type", "string"))
    _check_fields(found, {"properties": shapes, "additionalProperties": False})
    return found


def _parsed(text: str, kind: str) -> object:
    if kind == "integer":
        return int(text) if WHOLE_NUMBER.fullmatch(text) else text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        return float(text) if kind == "number" else text
    except ValueError:  # `check` says so
        return text


def _chosen(value: object, shape: Shape) -> Shape:
    """Of alternatives the first of the value's type, whose first needed field it has; else the last."""
    alternatives: list[Shape] = shape.get("oneOf", [])
    for one in alternatives:
        lacks = isinstance(value, dict) and any(name not in value for name in one.get("required", ())[:1])
        if _is_of(value, one) and not lacks:
            return one
    return alternatives[-1] if alternatives else shape


def _is_of(value: object, shape: Shape) -> bool:
    return isinstance(value, TYPES[shape["type"]]) and (shape["type"] == "boolean" or not isinstance(value, bool))


def _is_within(value: Any, shape: Shape) -> bool:
    if "enum" in shape:
        return value in shape["enum"]
    if isinstance(value, str):
        fits = shape.get("minLength", 0) <= len(value) <= shape.get("maxLength", math.inf) and encodes(value)
        return fits and ("pattern" not in shape or re.fullmatch(shape["pattern"], value) is not None)
    if isinstance(value, list):
        return len(value) <= float(shape.get("maxItems", math.inf))
    return "minimum" not in shape or bool(shape["minimum"] <= value <= shape["maximum"])


def _said(shape: Shape) -> str:
    if "oneOf" in shape:
        return " or ".join(map(_said, shape["oneOf"]))
    if "enum" in shape:
        return f"one of {', '.join('true' if value is True else value for value in shape['enum'] if value)}"
    match shape["type"]:
        case "integer":
            return f"a whole number from {shape['minimum']} to {shape['maximum']}"
        case "number":
            return f"a number from {shape['minimum']:g} to {shape['maximum']:g}"
        case "boolean":
            return "true or false"
        case "string":
            return shape.get("title") or f"a text of at most {shape['maxLength']} characters"
        case "array":
            return f"a list of at most {shape['maxItems']}" if "maxItems" in shape else "a list"
    return "a JSON object"


def _quoted(name: str) -> str:
    return f'"{name}"' if name else "it"
