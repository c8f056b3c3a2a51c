"""The corp's departments, members and tags, with the indices that keep a corp of ten thousand quick.

It holds whatever it is given, but for what must be unique; the other rules stand beside the calls that have them.
User ids ignore case (https://developer.work.weixin.qq.com/document/path/90195), so that members are kept by the
lower-cased id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .refusal import Refusal, meaning, refuse_if

ROOT = 1
MAX_ID = 2**31 - 1
MAX_ORDER = 2**32 - 1
MAX_LEVELS = 15
MAX_NODES = 30_000
ACTIVE, DISABLED, NOT_ACTIVATED = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Department:
    id: int
    name: str
    parent_id: int
    name_en: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """``orders`` goes along with ``departments``; ``profile`` holds what no rule looks at again, by WeCom's names.

    ``number`` tells who came first; the directory gives it.
    """

    user_id: str
    name: str
    departments: tuple[int, ...]
    orders: tuple[int, ...] = ()
    leads: frozenset[int] = frozenset()
    main_department: int = ROOT
    mobile: str = ""
    email: str = ""
    biz_mail: str = ""
    direct_leader: tuple[str, ...] = ()
    activated: bool = True
    enabled: bool = True
    profile: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def key(self) -> str:
        return self.user_id.lower()

    @property
    def status(self) -> int:
        if not self.enabled:
            return DISABLED
        return ACTIVE if self.activated else NOT_ACTIVATED


@dataclass(frozen=True, slots=True)
class Tag:
    """``users`` are lower-cased ids. ``owner`` is the app that made it; None: contacts-sync or an administrator."""

    id: int
    name: str
    users: frozenset[str] = frozenset()
    departments: frozenset[int] = frozenset()
    owner: int | None = None


def same_mobile(mobile: str) -> str:
    """One spelling for each number: +86 may be left out, spaces and dashes mean nothing (path/90195)."""
    return mobile.replace(" ", "").replace("-", "").removeprefix("+86")


class Directory:
    def __init__(self) -> None:
        self.departments: dict[int, Department] = {}
        self.members: dict[str, Member] = {}
        self.tags: dict[int, Tag] = {}
        self._children: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._siblings: dict[tuple[int, str], int] = {}
        self._people: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._leaders: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._contacts: dict[tuple[str, str], str] = {}
        self._tag_names: dict[str, int] = {}
        self._count = 0
        self._next_department = ROOT + 1
        self.put_department(Department(ROOT, "沙箱公司", 0))

    # departments

    def put_department(self, department: Department) -> None:
        """Adds or changes. 60008 where a sibling has one of its names."""
        names = {department.name, department.name_en} - {""}
        refuse_if(any(self.sibling(department.parent_id, name) not in (None, department.id) for name in names), 60008)
        self._forget_department(self.departments.get(department.id))
        self.departments[department.id] = department
        self._children[department.parent_id][department.id] = None
        for name in names:
            self._siblings[department.parent_id, name] = department.id

    def remove_department(self, id: int) -> None:
        self._forget_department(self.departments.pop(id))
        for tag in [tag for tag in self.tags.values() if id in tag.departments]:
            self.put_tag(replace(tag, departments=tag.departments - {id}))

    def _forget_department(self, old: Department | None) -> None:
        if old is not None:
            self._children[old.parent_id].pop(old.id, None)
            for name in {old.name, old.name_en} - {""}:
                del self._siblings[old.parent_id, name]

    def sibling(self, parent_id: int, name: str) -> int | None:
        """The department of that name below ``parent_id``."""
        return self._siblings.get((parent_id, name))

    def children(self, id: int) -> tuple[int, ...]:
        return tuple(self._children[id]) if id in self._children else ()

    def free_department_id(self, reserved: Iterable[int] = ()) -> int:
        id = self._next_department
        while id in self.departments or id in reserved:
            id += 1
        self._next_department = id
        return id

    def subtree(self, id: int) -> Iterator[int]:
        """The department and all below it, each parent before its children."""
        waiting = [id]
        while waiting:
            here = waiting.pop()
            yield here
            waiting += reversed(self.children(here))

    def line(self, id: int) -> Iterator[int]:
        """The department and those above it, up to the root."""
        while id in self.departments:
            yield id
            id = self.departments[id].parent_id

    def node_count(self, id: int) -> int:
        return len(self.children(id)) + len(self.people(id))

    def leaders(self, id: int) -> list[Member]:
        return [self.members[key] for key in self._leaders.get(id, ())]

    # members

    def put_member(self, member: Member) -> Member:
        """Adds or changes; refuses like `check_contacts`."""
        self.check_contacts(member)
        old = self.members.get(member.key)
        self._count += old is None
        member = replace(member, number=old.number if old else self._count)
        self._forget_member(old)
        self.members[member.key] = member
        for id in member.departments:
            self._people[id][member.key] = None
        for id in member.leads:
            self._leaders[id][member.key] = None
        self._contacts |= dict.fromkeys(_contacts_of(member), member.key)
        return member

    def check_contacts(self, member: Member) -> None:
        """60104, 60106 and 60145 where another member has the mobile or one of the addresses."""
        for contact, errcode in _contacts_of(member).items():
            owner = self._contacts.get(contact, member.key)
            if owner != member.key:  # clients read the id out of the text
                detail = f"{meaning(errcode)}:{self.members[owner].user_id}"
                raise Refusal(errcode, detail, alone=True)

    def remove_member(self, member: Member) -> None:
        self._forget_member(member)
        del self.members[member.key]
        for tag in [tag for tag in self.tags.values() if member.key in tag.users]:
            self.put_tag(replace(tag, users=tag.users - {member.key}))

    def _forget_member(self, old: Member | None) -> None:
        if old is not None:
            for id in old.departments:
                del self._people[id][old.key]
            for id in old.leads:
                del self._leaders[id][old.key]
            for contact in _contacts_of(old):
                del self._contacts[contact]

    def member(self, user_id: str) -> Member | None:
        return self.members.get(user_id.lower())

    def people(self, department: int) -> Mapping[str, None]:
        """The keys of a department's own members."""
        return self._people.get(department, {})

    def owner_of(self, kind: str, value: str) -> Member | None:
        """Who has this ``mobile``, ``email`` or ``biz_mail``."""
        key = self._contacts.get((kind, same_mobile(value) if kind == "mobile" else value.lower()))
        return None if key is None else self.members[key]

    # tags

    def put_tag(self, tag: Tag) -> None:
        """Adds or changes; 40071 where another has the name."""
        refuse_if(self._tag_names.get(tag.name, tag.id) != tag.id, 40071)
        old = self.tags.get(tag.id)
        if old is not None:
            del self._tag_names[old.name]
        self.tags[tag.id] = tag
        self._tag_names[tag.name] = tag.id

    def remove_tag(self, id: int) -> None:
        del self._tag_names[self.tags.pop(id).name]


def _contacts_of(member: Member) -> dict[tuple[str, str], int]:
    """What must be one member's only, and the code for it."""
    found = {
        ("mobile", same_mobile(member.mobile)): 60104,
        ("email", member.email.lower()): 60106,
        ("biz_mail", member.biz_mail.lower()): 60145,
    }
    return {contact: errcode for contact, errcode in found.items() if contact[1]}
