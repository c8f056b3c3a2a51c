"""The fields of a member: form and length of each, with its own code where WeCom has one.

https://developer.work.weixin.qq.com/document/path/90195 (create) and /90197 (update).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .directory import MAX_ID, MAX_ORDER
from .fields import Fields
from .refusal import refuse_if

MAX_DEPARTMENTS = 100
MAX_LEADERS = 1
USER_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}")
MOBILE = re.compile(r"(\+[0-9]{1,4}[ -]?)?[0-9][0-9-]{3,30}[0-9]")
EMAIL = re.compile(r"[0-9A-Za-z._%+\-]+@[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?(?:\.[0-9A-Za-z-]+)+")
MOBILE_BYTES = range(5, 33)
EMAIL_BYTES = range(6, 65)
ANYTHING = re.compile(r"(?s:.*)")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the profile; 40058 is for those that have no code of their own."""

    max_chars: int
    errcode: int = 40058
    form: re.Pattern[str] = ANYTHING


TEXTS = {
    "name": Text(64, 60112, re.compile(r"(?s:.+)")),
    "alias": Text(64),
    "position": Text(128, 301012),
    "telephone": Text(32, 301013, re.compile(r"[0-9+,-]*")),
    "address": Text(128),
    "english_name": Text(64, 301014, re.compile(r"[0-9A-Za-z. _-]+")),
    "external_position": Text(12),
    "nickname": Text(64),
}
OBJECT_BYTES = 64 * 1024
OBJECTS = ("extattr", "external_profile")


def check_user_id(user_id: str) -> str:
    refuse_if(not user_id, 41009)
    refuse_if(not USER_ID.fullmatch(user_id), 40003)
    return user_id


def check_mobile(mobile: str) -> str:
    refuse_if(len(mobile) not in MOBILE_BYTES or not MOBILE.fullmatch(mobile), 60103)
    return mobile.removeprefix("+86").strip(" -")


def check_email(email: str) -> str:
    refuse_if(len(email.encode()) not in EMAIL_BYTES or not EMAIL.fullmatch(email), 60105)
    return email


CONTACTS: dict[str, Callable[[str], str]] = {"mobile": check_mobile, "email": check_email, "biz_mail": check_email}


def read_member(body: Fields) -> dict[str, Any]:
    """What the request says about a member, but for departments and profile; what is absent is absent here too."""
    found: dict[str, Any] = {}
    if body.has("name"):
        found["name"] = _text(body, "name")
    for field, check in CONTACTS.items():
        if body.has(field):
            value = body.text(field)
            found[field] = check(value) if value else ""
    if body.has("enable"):
        found["enabled"] = _zero_or_one(body, "enable", body.number("enable"))
    if body.has("direct_leader"):
        found["direct_leader"] = tuple(body.texts("direct_leader"))
        refuse_if(len(found["direct_leader"]) > MAX_LEADERS, 60257)
    body.flag("to_invite", True)
    return found


def read_profile(body: Fields) -> dict[str, Any]:
    """What is only kept and shown again."""
    found: dict[str, Any] = {name: _text(body, name) for name in TEXTS if name != "name" and body.has(name)}
    found |= {name: dict(_object(body, name).values) for name in OBJECTS if body.has(name)}
    if body.has("gender"):
        gender = body.values["gender"]  # some clients send a number
        body.refuse_if(isinstance(gender, bool) or str(gender) not in ("0", "1", "2"), "gender", 'must be "1" or "2"')
        found["gender"] = str(gender)  # 0 is not known
    return found


def read_departments(body: Fields) -> tuple[int, ...]:
    """40066 where an id is none or comes twice. 0 stands for the department of those who have none."""
    ids = tuple(body.numbers("department"))
    refuse_if(len(ids) > MAX_DEPARTMENTS, 60110)
    refuse_if(len(set(ids)) < len(ids) or not all(0 <= id <= MAX_ID for id in ids), 40066)
    return ids


def read_orders(body: Fields, count: int) -> tuple[int, ...]:
    """One for each department; all 0 where absent. Its length has no code of its own: that of the leaders serves."""
    orders = tuple(body.numbers("order")) if body.has("order") else (0,) * count
    refuse_if(len(orders) != count, 60132)
    body.refuse_if(not all(0 <= order <= MAX_ORDER for order in orders), "order", f"must be from 0 to {MAX_ORDER}")
    return orders


def read_leads(body: Fields, departments: tuple[int, ...]) -> frozenset[int]:
    flags = body.numbers("is_leader_in_dept")
    refuse_if(len(flags) != len(departments), 60132)
    pairs = zip(departments, flags, strict=True)
    return frozenset(id for id, flag in pairs if _zero_or_one(body, "is_leader_in_dept", flag))


def _object(body: Fields, name: str) -> Fields:
    part = body.part(name)
    body.refuse_if(len(part.as_bytes()) > OBJECT_BYTES, name, "is too large")
    return part


def _text(body: Fields, name: str) -> str:
    rule, value = TEXTS[name], body.text(name)
    wrong = len(value) > rule.max_chars or not rule.form.fullmatch(value)
    refuse_if(wrong, rule.errcode, "" if rule.errcode != 40058 else f"{name} is not allowed")
    return value


def _zero_or_one(body: Fields, name: str, value: int) -> bool:
    body.refuse_if(value not in (0, 1), name, "must be 0 or 1")
    return bool(value)
