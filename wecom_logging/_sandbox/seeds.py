"""What a test puts into the directory by hand: the short way, past WeCom's checks of form, never into nonsense."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .directory import ROOT, Department, Directory, Member, Tag
from .refusal import Refusal


def add_department(directory: Directory, id: int, name: str, parent_id: int) -> None:
    """Adds or changes; a parent that is not there yet is made below the root."""
    if parent_id not in directory.departments and id != ROOT:
        directory.put_department(Department(parent_id, f"部门 {parent_id}", ROOT))
    if id != ROOT and id in directory.line(parent_id):
        raise Refusal(60010)
    old = directory.departments.get(id, Department(id, name, parent_id))
    directory.put_department(replace(old, name=name, parent_id=0 if id == ROOT else parent_id))


def add_member(directory: Directory, member: Member) -> None:
    """Adds or replaces; departments that are not there yet are made below the root."""
    for id in member.departments:
        if id not in directory.departments:
            directory.put_department(Department(id, f"部门 {id}", ROOT))
    directory.put_member(member)


def add_tag(directory: Directory, id: int, name: str, users: Iterable[str], departments: Iterable[int]) -> None:
    """Adds or replaces, as an administrator does: contacts-sync may change it, apps may not."""
    people = frozenset(user.lower() for user in users) & directory.members.keys()
    directory.put_tag(Tag(id, name, people, frozenset(departments) & directory.departments.keys()))
