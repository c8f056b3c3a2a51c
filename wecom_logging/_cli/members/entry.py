"""A row of a member file as the client takes it, checked against WeCom's limits before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..._render import inert
from ..._wecom import directory_checks as checks
from ...errors import MessageError
from ...model import Member
from . import department_path
from .csv_table import Row
from .department_path import Path, Place

_PLAIN = ("user_id", "name", "mobile", "email", "biz_mail", "alias", "position", "telephone")
_GENDERS = {"male": "male", "男": "male", "1": "male", "female": "female", "女": "female", "2": "female"}
_TRUTHS = {"1": True, "true": True, "yes": True, "是": True, "0": False, "false": False, "no": False, "否": False}
_FIRST_PLACEHOLDER = 2**31
"""WeCom's own ids of departments are below."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``fields`` are ready for the client but for those about departments, of which a path may not exist yet.

    ``main`` is the main department, if one is given.
    """

    row: Row
    user_id: str
    fields: dict[str, Any]
    departments: tuple[Place, ...] = ()
    leader_of: tuple[Place, ...] = ()
    main: tuple[Place, ...] = ()

    @property
    def key(self) -> str:
        """User ids are unique whatever their case."""
        return self.user_id.lower()

    @property
    def places(self) -> Iterator[Place]:
        """All the departments that it names."""
        yield from (*self.departments, *self.leader_of, *self.main)

    def with_ids(self, id_of: Callable[[Place], int]) -> dict[str, Any]:
        """All fields but the user id, with the ids of its departments."""
        found = dict(self.fields)
        if self.departments:
            found["departments"] = [id_of(place) for place in self.departments]
        if self.leader_of:
            found["leader_of"] = [id_of(place) for place in self.leader_of]
        if self.main:
            found["main_department"] = id_of(self.main[0])
        return found


def entry(row: Row) -> Entry:
    """The member in a row. Raises `MessageError` that names the column."""
    cells = row.cells
    fields: dict[str, Any] = {name: cells[name] for name in _PLAIN if name in cells}
    user_id = checks.user_id("user_id", fields.pop("user_id", None))
    if "gender" in cells:
        fields["gender"] = _word("gender", cells["gender"], _GENDERS)
    if "enabled" in cells:
        fields["enabled"] = _word("enabled", cells["enabled"], _TRUTHS)
    if "direct_leaders" in cells:
        fields["direct_leaders"] = [part.strip() for part in re.split("[;；]", cells["direct_leaders"]) if part.strip()]
    places = {name: department_path.read(name, cells.get(name, "")) for name in ("departments", "leader_of")}
    main = department_path.read("main_department", cells.get("main_department", ""))
    if len(main) > 1:
        raise MessageError(f"main_department: {len(main)} given, one is needed")
    found = Entry(row, user_id, fields, **places, main=main)
    _check(found)
    return found


def check_new(fields: dict[str, Any]) -> None:
    """What a member needs to be created."""
    if not fields.get("name"):
        raise MessageError("name: it is missing, and a new member needs one")
    if not fields.get("mobile") and not fields.get("email"):
        raise MessageError("mobile: it is missing, and so is email; WeCom needs one of the two")


def _word(field: str, text: str, words: dict[str, Any]) -> Any:
    if text.strip().lower() not in words:
        raise MessageError(f"{field}: one of {' '.join(words)} is needed")
    return words[text.strip().lower()]


def _check(found: Entry) -> None:
    """The client's checks, with placeholders for departments that have no id yet."""
    numbers: dict[Place, int] = {}
    fields = found.with_ids(
        lambda place: place if isinstance(place, int) else numbers.setdefault(place, _FIRST_PLACEHOLDER + len(numbers))
    )
    if len({type(place) for place in found.places}) > 1 or len({_exact(place) for place in found.places}) > 1:
        fields.pop("leader_of", None)  # whether two spellings mean the same department shows later
    checks.member({"user_id": found.user_id, **fields})


def _exact(place: Place) -> bool | None:
    return place.exact if isinstance(place, Path) else None


class Duplicates:
    """What must be one member's only, and the line that had it first."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def check(self, found: Entry) -> None:
        """Raises `MessageError` where an earlier row has something of this one."""
        own = list(_unique(found))
        for column, value in own:
            if first := self._lines.get((column, value)):
                raise MessageError(f"{column}: line {first} has the same")
        self._lines |= dict.fromkeys(own, found.row.line)


def _unique(found: Entry) -> Iterable[tuple[str, str]]:
    yield "user_id", found.key
    for name in ("email", "biz_mail"):
        if name in found.fields:
            yield name, found.fields[name].lower()
    if "mobile" in found.fields:
        yield "mobile", found.fields["mobile"].replace(" ", "").replace("-", "").removeprefix("+86")


def cells_of(member: Member, path_of: Callable[[int], str]) -> list[str]:
    """A member as a row of a file with all `csv_table.COLUMNS`.

    What no name may hold is shown as an escape: a file is also looked at on a terminal.
    """
    enabled = {"disabled": "0", "active": "1", "not_activated": "1"}
    cells = [
        member.user_id,
        member.name,
        ";".join(map(path_of, member.departments)),
        member.mobile,
        member.email,
        member.biz_mail,
        member.alias,
        member.position,
        member.gender,
        member.telephone,
        ";".join(map(path_of, member.leader_of)),
        "" if member.main_department is None else path_of(member.main_department),
        ";".join(member.direct_leaders),
        enabled.get(member.status, ""),
    ]
    return [inert.line(cell) for cell in cells]
