"""What WeCom tells of its directory, as values. A field of a wrong type is empty; one that is needed raises."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import BadResponseError
from ..model import Change, Department, Member, Tag
from .directory_checks import is_user_id
from .messages import ids_in

T = TypeVar("T")
_GENDERS = {"1": "male", "2": "female"}
_STATUSES = {1: "active", 2: "disabled", 4: "not_activated", 5: "left"}


def text(item: Mapping[str, Any], name: str) -> str:
    """A text, empty where it is missing."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def user_id(item: Mapping[str, Any]) -> str:
    if not (found := text(item, "userid")):
        raise BadResponseError("the answer has no userid")
    return found


def found_user_id(answer: Mapping[str, Any]) -> str:
    """The user id that was asked for, which is one and means one: messages go to it."""
    found = user_id(answer)
    if not is_user_id(found):
        raise BadResponseError("the answer's userid is no user id")
    return found


def number(item: Mapping[str, Any], name: str) -> int:
    """A whole number that must be there."""
    value = item.get(name)
    if type(value) is not int:
        raise BadResponseError(f"the answer has no whole number {name}")
    return value


def department(item: object) -> Department:
    if not isinstance(item, dict):
        raise BadResponseError("the answer has no department")
    return Department(
        id=number(item, "id"),
        name=text(item, "name"),
        parent_id=number_or_none(item, "parentid") or 0,
        order=number_or_none(item, "order") or 0,
        leaders=_several(item, "department_leader", str),
        name_en=text(item, "name_en"),
    )


def departments(answer: Mapping[str, Any], name: str) -> list[Department]:
    return [department(item) for item in items(answer, name)]


def created_departments(answer: Mapping[str, Any]) -> tuple[int, ...]:
    """The ids in ``created_department_list``, which is there only if WeCom made some."""
    value = answer.get("created_department_list")
    rows = value.get("department_info") if isinstance(value, dict) else value
    items = [item for item in rows if isinstance(item, dict)] if isinstance(rows, list) else []
    return tuple(id for item in items if (id := number_or_none(item, "id")) is not None)


def member(item: Mapping[str, Any]) -> Member:
    ids_of_departments = _several(item, "department", int)
    leads = _several(item, "is_leader_in_dept", int)
    return Member(
        user_id=user_id(item),
        name=text(item, "name"),
        departments=ids_of_departments,
        mobile=text(item, "mobile"),
        email=text(item, "email"),
        biz_mail=text(item, "biz_mail"),
        alias=text(item, "alias"),
        position=text(item, "position"),
        gender=_GENDERS.get(str(item.get("gender")), ""),
        telephone=text(item, "telephone"),
        leader_of=tuple(id for id, leads_it in zip(ids_of_departments, leads, strict=False) if leads_it),
        main_department=number_or_none(item, "main_department"),
        direct_leaders=_several(item, "direct_leader", str),
        status=_STATUSES.get(number_or_none(item, "status") or 0, ""),
    )


def member_or_not(item: dict[str, Any]) -> Member | dict[str, Any]:
    """A JSON object of a list of members: a member, if it is one."""
    return member(item) if isinstance(item.get("userid"), str) else item


def members(answer: Mapping[str, Any]) -> list[Member]:
    """The members in ``userlist``, made by `member_or_not`."""
    value = answer.get("userlist", [])
    if not isinstance(value, list):
        raise BadResponseError("the answer's userlist is no list")
    return [item for item in value if isinstance(item, Member)]


def user_ids_of_page(answer: Mapping[str, Any]) -> Iterator[str]:
    """The user ids in the rows of a page of ``user/list_id``."""
    return (user_id(item) for item in items(answer, "dept_user"))


def tags(answer: Mapping[str, Any]) -> list[Tag]:
    return [Tag(number(item, "tagid"), text(item, "tagname")) for item in items(answer, "taglist")]


def tag_with_members(id: int, answer: Mapping[str, Any]) -> Tag:
    users = tuple(user_id(item) for item in items(answer, "userlist"))
    return Tag(id, text(answer, "tagname"), users, _several(answer, "partylist", int))


def change(answer: Mapping[str, Any]) -> Change:
    """What was not accepted; one text joined by | for tags, lists for invitations."""
    users = answer.get("invalidlist") if "invalidlist" in answer else answer.get("invaliduser")
    return Change(ids_in(users), _as_numbers(answer.get("invalidparty")), _as_numbers(answer.get("invalidtag")))


def all_refused(batch: Mapping[str, Sequence[int | str]]) -> Change:
    """The change that did nothing of ``batch``."""
    users, departments, tags = (batch.get(name, ()) for name in ("users", "departments", "tags"))
    return Change(tuple(map(str, users)), tuple(map(int, departments)), tuple(map(int, tags)))


def sum_of(changes: Sequence[Change]) -> Change:
    """Several changes as one."""
    return Change(
        tuple(id for one in changes for id in one.invalid_users),
        tuple(id for one in changes for id in one.invalid_departments),
        tuple(id for one in changes for id in one.invalid_tags),
    )


def part(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object, empty where it is missing."""
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def items(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list, which may be missing."""
    value = answer.get(name, [])
    if not isinstance(value, list):
        raise BadResponseError(f"the answer's {name} is no list")
    return [item for item in value if isinstance(item, dict)]


def number_or_none(item: Mapping[str, Any], name: str) -> int | None:
    """A whole number, None where it is missing."""
    value = item.get(name)
    return value if type(value) is int else None


def _several(item: Mapping[str, Any], name: str, kind: type[T]) -> tuple[T, ...]:
    value = item.get(name)
    return tuple(one for one in value if type(one) is kind) if isinstance(value, list) else ()


def _as_numbers(value: object) -> tuple[int, ...]:
    return tuple(int(id) for id in ids_in(value) if re.fullmatch("[0-9]{1,10}", id))
