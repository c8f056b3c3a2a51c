"""What an app sees: members, departments with all below them, and the members of tags; contacts-sync sees everything.

https://developer.work.weixin.qq.com/document/path/90227 shows a range, /90665 says that contacts-sync has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .directory import ROOT, Department, Directory, Member, Tag


@dataclass(frozen=True, slots=True)
class Range:
    """The visible range (可见范围) that an administrator gave to an app. It may name what is not there (yet)."""

    users: tuple[str, ...] = ()
    departments: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As ``agent/get`` writes it."""
        return {
            "allow_userinfos": {"user": [{"userid": user} for user in self.users]},
            "allow_partys": {"partyid": list(self.departments)},
            "allow_tags": {"tagid": list(self.tags)},
        }


WHOLE = Range(departments=(ROOT,))


class Sight:
    """A range, applied to the directory as it is at the time of one call."""

    def __init__(self, directory: Directory, visible: Range) -> None:
        self._directory = directory
        self._range = visible
        tags = [directory.tags[id] for id in visible.tags if id in directory.tags]
        self._users = {user.lower() for user in visible.users}.union(*(tag.users for tag in tags))
        self._tops = set(visible.departments).union(*(tag.departments for tag in tags))

    def sees_department(self, id: int) -> bool:
        """Whether it is there and in range; an unknown one is not."""
        return any(above in self._tops for above in self._directory.line(id))

    def sees_member(self, member: Member) -> bool:
        return member.key in self._users or any(self.sees_department(id) for id in member.departments)

    def sees_tag(self, tag: Tag) -> bool:
        """An app may write to a tag that is in its range, or that leads to somebody there."""
        if ROOT in self._tops or tag.id in self._range.tags or any(map(self.sees_department, tag.departments)):
            return True
        return any(self.sees_member(self._directory.members[key]) for key in tag.users)

    def knows_tag(self, id: int) -> bool:
        tag = self._directory.tags.get(id)
        return tag is not None and self.sees_tag(tag)

    def departments(self) -> Iterator[Department]:
        """All that are visible, each parent before its children."""
        for top in self._tops & self._directory.departments.keys():
            if not any(
                above in self._tops for above in self._directory.line(self._directory.departments[top].parent_id)
            ):
                yield from (self._directory.departments[id] for id in self._directory.subtree(top))

    def keys(self) -> set[str]:
        """All visible members."""
        return self.keys_below(self._tops) | (self._users & self._directory.members.keys())

    def keys_below(self, departments: Iterable[int]) -> set[str]:
        """The members of departments and of all below them, without asking who may see them."""
        keys: set[str] = set()
        for top in departments:
            for id in self._directory.subtree(top):
                keys |= self._directory.people(id).keys()
        return keys
