"""What an import would do: the rows of a file compared with the directory. It reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..._wecom import WeComClient
from ...errors import MessageError
from .csv_table import MemberTable, Row
from .department_path import Path, Place, Tree
from .entry import Duplicates, Entry, check_new, entry

Names = tuple[str, ...]
Refuse = Callable[[Row, str], None]

IN_THE_WAY = "user_id: the directory has this member already; give --update to change members that exist"


@dataclass(slots=True)
class Plan:
    """``missing`` are the paths of departments to be made, each after those above it; ``known`` the user ids so far."""

    tree: Tree
    known: set[str]
    create: list[Entry] = field(default_factory=list)
    update: list[Entry] = field(default_factory=list)
    missing: list[Names] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """All, in the order of the file."""
        return sorted(self.create + self.update, key=lambda found: found.row.line)


def check_rows(table: MemberTable, *, update: bool, refuse: Refuse) -> list[Entry]:
    """The rows that hold to WeCom's limits and to each other; the others are refused."""
    if not update:
        needed = {"name", "mobile" if "mobile" in table.fields else "email"}
        if missing := sorted(needed - set(table.fields)):
            raise MessageError(f"line 1: the columns {', '.join(missing)} are missing; new members need them")
    duplicates = Duplicates()
    found = []
    for row in table.rows:
        try:
            one = entry(row)
            duplicates.check(one)
        except MessageError as error:
            refuse(row, str(error))
        else:
            found.append(one)
    return found


def compare(
    entries: list[Entry],
    client: WeComClient,
    call: Callable[[Callable[[], Plan]], Plan],
    *,
    update: bool,
    refuse: Refuse,
) -> Plan:
    """Which members exist, and which departments do not. ``call`` makes the requests."""
    plan = call(lambda: Plan(_tree(client, entries), {user_id.lower() for user_id in client.members.ids()}))
    missing: dict[Names, None] = {}
    for one in entries:
        exists = one.key in plan.known
        try:
            if exists and not update:
                raise MessageError(IN_THE_WAY)
            if not exists:
                check_new(one.fields)
            _check_places(one, plan.tree)
        except MessageError as error:
            refuse(one.row, str(error))
            continue
        (plan.update if exists else plan.create).append(one)
        for names in _names_to_make(one.places, plan.tree):
            missing[names] = None
    plan.missing = list(missing)
    return plan


def _tree(client: WeComClient, entries: list[Entry]) -> Tree:
    """With names only where a path wants them: they may be closed to the contacts sync, ids are not."""
    tree = Tree(client.departments.ids())
    if any(isinstance(place, Path) for one in entries for place in one.places):
        for department in client.departments.list():
            tree.add(department)
    return tree


def _check_places(one: Entry, tree: Tree) -> None:
    """WeCom would make a department for an unknown id; here it is rather a slip of the pen."""
    for place in one.places:
        if isinstance(place, int) and place not in tree:
            raise MessageError(f"departments: there is no department {place} (one of that name is written /{place})")
    if one.departments:
        own = {_same(place, tree) for place in one.departments}
        for field, places in (("leader_of", one.leader_of), ("main_department", one.main)):
            if strange := [str(place) for place in places if _same(place, tree) not in own]:
                raise MessageError(f"{field}: {', '.join(strange)} is not one of the member's departments")


def _same(place: Place, tree: Tree) -> int | Names:
    """One spelling for each department."""
    if isinstance(place, int):
        return place
    names = tree.names_of(place)
    return tree.find(names) or names


def _names_to_make(places: Iterable[Place], tree: Tree) -> Iterable[Names]:
    for place in places:
        if isinstance(place, Path):
            names = tree.names_of(place)
            yield from (names[:end] for end in range(1, len(names) + 1) if tree.find(names[:end]) is None)
