"""Whom a message reaches, within what the app sees (https://developer.work.weixin.qq.com/document/path/90236)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .directory import Directory, Tag
from .refusal import Refusal
from .visibility import Sight

MAX_USERS = 1000
MAX_PARTIES = 100
MAX_TAGS = 100
MAX_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a message reaches, and the ids that reach nobody, lower-cased, in the order of the request."""

    receivers: tuple[str, ...]
    invaliduser: tuple[str, ...] = ()
    invalidparty: tuple[str, ...] = ()
    invalidtag: tuple[str, ...] = ()

    def invalid(self) -> dict[str, Any]:
        """The three fields of WeCom's answer: ids joined by ``|``; a list without any is left out."""
        lists = {"invaliduser": self.invaliduser, "invalidparty": self.invalidparty, "invalidtag": self.invalidtag}
        return {name: "|".join(ids) for name, ids in lists.items() if ids}


def find_audience(directory: Directory, sight: Sight, touser: str, toparty: str, totag: str) -> Audience:
    """Resolves the three lists. 82001 where all are empty, 81013 where nothing in them exists or may be seen."""
    if touser.strip() == "@all":
        return Audience(_in_order(directory, sight.keys()))
    users, parties, tags = _ids(touser), _ids(toparty), _ids(totag)
    check_sizes(len(users), len(parties), len(tags))
    seen = {id for id in users if id in directory.members and sight.sees_member(directory.members[id])}
    departments = {id: number for id in parties if (number := _number(id)) and sight.sees_department(number)}
    known = {id: tag for id in tags if (tag := directory.tags.get(_number(id))) and sight.sees_tag(tag)}
    keys = seen | sight.keys_below(departments.values()) | _tagged(directory, sight, list(known.values()))
    audience = Audience(
        _in_order(directory, keys),
        tuple(id for id in users if id not in seen),
        tuple(id for id in parties if id not in departments),
        tuple(id for id in tags if id not in known),
    )
    if (audience.invaliduser, audience.invalidparty, audience.invalidtag) == (users, parties, tags):
        raise Refusal(81013, **audience.invalid())
    return audience


def check_sizes(users: int, parties: int, tags: int) -> None:
    """The three lists of a message, or of an invitation."""
    if not (users or parties or tags):
        raise Refusal(82001)
    if users > MAX_USERS:
        raise Refusal(40032)
    if parties > MAX_PARTIES:
        raise Refusal(82002)
    if tags > MAX_TAGS:
        raise Refusal(82003)


def _tagged(directory: Directory, sight: Sight, tags: list[Tag]) -> set[str]:
    """The members of tags that are in range: the others get nothing, and nobody is told."""
    keys = set().union(*(tag.users for tag in tags)) | sight.keys_below({id for tag in tags for id in tag.departments})
    return {key for key in keys if sight.sees_member(directory.members[key])}


def _in_order(directory: Directory, keys: set[str]) -> tuple[str, ...]:
    members = sorted((directory.members[key] for key in keys), key=lambda member: member.number)
    return tuple(member.user_id for member in members)


def _ids(joined: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id.strip().lower() for id in joined.split("|") if id.strip()))


def _number(id: str) -> int:
    """Of "7"; -1 for what is no id, as "x" and "07" are not."""
    plain = id.isascii() and id.isdigit() and len(id) <= MAX_DIGITS
    return int(id) if plain and str(int(id)) == id else -1
