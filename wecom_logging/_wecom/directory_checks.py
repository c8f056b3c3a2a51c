"""What goes into the directory, checked against WeCom's limits and spelt as WeCom spells it.

Each check raises `MessageError` with the name of the field and the limit. Sources: the pages named in `directory`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._config import JOINERS_AND_SPACES, exact
from ..errors import MessageError

MAX_NAME = 64
MAX_TAG_NAME = 32
MAX_DEPARTMENTS_OF_MEMBER = 100
_USER_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}")
_MOBILE = re.compile(r"\+?[0-9][0-9 \-]{3,30}[0-9]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_GENDERS = {"male": "1", "female": "2"}


def is_user_id(value: str) -> bool:
    """Whether a text has the form of a user id."""
    return _USER_ID.fullmatch(value) is not None


def user_id(field: str, value: object) -> str:
    """A user id: 1 to 64 bytes of ``0-9A-Za-z_-@.``."""
    if not isinstance(value, str) or not is_user_id(value):
        raise MessageError(f"{field}: 1 to 64 of the characters 0-9 A-Z a-z _ - @ . are needed, the first 0-9 A-Z a-z")
    return value


def user_ids(field: str, values: Iterable[object]) -> list[int | str]:
    """User ids, each once."""
    return list(dict.fromkeys(user_id(field, value) for value in _several(field, values)))


def department_id(field: str, value: object) -> int:
    """A department's id: a whole number from 1 to 2³²−1, also as digits."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value.strip()):
        value = int(value)
    found = exact(value)
    if not isinstance(found, int) or not 1 <= found < 2**32:
        raise MessageError(f"{field}: an id is a whole number from 1 to 4294967295")
    return found


def department_ids(field: str, values: Iterable[object]) -> list[int | str]:
    """Departments' ids, each once."""
    return list(dict.fromkeys(department_id(field, value) for value in _several(field, values)))


tag_id = department_id
tag_ids = department_ids


def tag_name(value: object) -> str:
    """A tag's name: 1 to 32 characters."""
    return _text("name", value, MAX_TAG_NAME)


def mobile(field: str, value: object) -> str:
    """A mobile number: 5 to 32 bytes."""
    if not isinstance(value, str | int) or isinstance(value, bool) or not _MOBILE.fullmatch(str(value).strip()):
        raise MessageError(f"{field}: 5 to 32 digits are needed, such as 13800000000 or +852 5123 4567")
    return str(value).strip()


def email(field: str, value: object) -> str:
    """An e-mail address: 6 to 64 bytes."""
    is_one = isinstance(value, str) and _EMAIL.fullmatch(value) and value.isprintable()
    if not isinstance(value, str) or not is_one or not 6 <= len(value.encode()) <= 64:
        raise MessageError(f"{field}: an e-mail address of 6 to 64 bytes is needed")
    return value


def department(**fields: object) -> dict[str, Any]:
    """The body of ``department/create`` and ``department/update``."""
    return _spelt(fields, _OF_DEPARTMENT)


def _spelt(fields: Mapping[str, object], of: _Checks) -> dict[str, Any]:
    """What is given, checked, by WeCom's names."""
    body: dict[str, Any] = {}
    for field, value in fields.items():
        if value is not None:
            if field not in of:
                raise MessageError(f"{field[:40]}: a member has no such field")
            name, check = of[field]
            body[name] = check(field, value)
    return body


def _department_name(field: str, value: object) -> str:
    name = _text(field, value, MAX_NAME)
    if found := re.search(r'[\\:*?"<>|｜]', name):
        raise MessageError(f'{field}: it may not hold {found[0]} (nor any of \\ : * ? " < > |)')
    return name


def _order(_: str, value: object) -> int:
    found = exact(value)
    if not isinstance(found, int) or not 0 <= found < 2**32:
        raise MessageError("order: a whole number from 0 to 4294967295 is needed")
    return found


def member(fields: Mapping[str, object]) -> dict[str, Any]:
    """The body of ``user/create`` and ``user/update``."""
    body = _spelt(fields, _OF_MEMBER)
    if fields.get("leader_of") is not None:
        body["is_leader_in_dept"] = _leads(fields)
    return body


def _departments_of_member(_: str, value: object) -> list[int | str]:
    found = department_ids("departments", value if isinstance(value, Iterable) else [value])
    if not 1 <= len(found) <= MAX_DEPARTMENTS_OF_MEMBER:
        raise MessageError(f"departments: {len(found)} given, 1 to {MAX_DEPARTMENTS_OF_MEMBER} are needed")
    return found


def _leads(given: Mapping[str, Any]) -> list[int]:
    if given.get("departments") is None:
        raise MessageError("leader_of: give departments=… as well; it says which of them the member leads")
    departments = _departments_of_member("departments", given["departments"])
    leads = department_ids("leader_of", given["leader_of"])
    if strange := [str(id) for id in leads if id not in departments]:
        raise MessageError(f"leader_of: {', '.join(strange)} is not one of the member's departments")
    return [int(id in leads) for id in departments]


def _direct_leaders(_: str, value: object) -> Sequence[int | str]:
    found = user_ids("direct_leaders", value if isinstance(value, Iterable) else [value])
    if len(found) > 1:
        raise MessageError(f"direct_leaders: {len(found)} given, WeCom takes one")
    return found


def _gender(_: str, value: object) -> str:
    if value not in _GENDERS:
        raise MessageError("gender: 'male' or 'female' is needed")
    return _GENDERS[str(value)]


def _is_true(field: str, value: object) -> int:
    if not isinstance(value, bool):
        raise MessageError(f"{field}: True or False is needed")
    return int(value)


def _several(field: str, values: object) -> Iterable[object]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise MessageError(f"{field}: a list of ids is needed, not a {type(values).__name__}")
    return values


def _text(field: str, value: object, most: int, *, least: int = 1) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{field}: a string is needed, not a {type(value).__name__}")
    text = value.strip()
    if not least <= len(text) <= most:
        raise MessageError(f"{field}: {len(text)} characters, {least} to {most} are needed")
    if not text.translate(JOINERS_AND_SPACES).isprintable():
        raise MessageError(f"{field}: it holds a line break or another control character")
    return text


_Checks = Mapping[str, tuple[str, Callable[[str, object], object]]]
"""Of each field WeCom's name for it, and its check."""

_OF_DEPARTMENT: _Checks = {
    "id": ("id", department_id),
    "name": ("name", _department_name),
    "name_en": ("name_en", _department_name),
    "parent_id": ("parentid", department_id),
    "order": ("order", _order),
}
_OF_MEMBER: _Checks = {
    "user_id": ("userid", user_id),
    "new_user_id": ("new_userid", user_id),
    **{name: (name, partial(_text, most=MAX_NAME)) for name in ("name", "alias")},
    "position": ("position", partial(_text, most=128, least=0)),
    "telephone": ("telephone", partial(_text, most=32, least=0)),
    "mobile": ("mobile", mobile),
    **{name: (name, email) for name in ("email", "biz_mail")},
    "gender": ("gender", _gender),
    "departments": ("department", _departments_of_member),
    "main_department": ("main_department", department_id),
    "direct_leaders": ("direct_leader", _direct_leaders),
    "enabled": ("enable", _is_true),
    "leader_of": ("is_leader_in_dept", lambda field, value: value),  # by the departments, see `_leads`
}
