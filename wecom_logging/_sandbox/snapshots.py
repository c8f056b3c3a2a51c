"""Departments, members and tags as WeCom writes them, cut to what the caller sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .directory import Department, Directory, Member, Tag
from .visibility import Sight

SECRET = ("mobile", "gender", "email", "biz_mail", "avatar", "thumb_avatar", "qr_code", "address")
"""What apps made since 2022-06-20 are never told (https://developer.work.weixin.qq.com/document/path/90196)."""

Json = dict[str, Any]


def department_json(directory: Directory, department: Department, sight: Sight) -> Json:
    """``department_leader`` follows from the members' ``is_leader_in_dept`` (path/95351)."""
    leaders = [leader.user_id for leader in directory.leaders(department.id) if sight.sees_member(leader)]
    return {
        "id": department.id,
        "name": department.name,
        "name_en": department.name_en,
        "department_leader": leaders,
        "parentid": department.parent_id,
        "order": department.order,
    }


def member_json(directory: Directory, member: Member, sight: Sight, *, secret: bool) -> Json:
    """``user/get`` (path/90196); departments and leaders out of range are left out, and what is ``secret`` too."""
    shown = [i for i, id in enumerate(member.departments) if sight.sees_department(id)]
    bosses = [boss for id in member.direct_leader if (boss := directory.member(id)) and sight.sees_member(boss)]
    fields: Json = {
        "userid": member.user_id,
        "name": member.name,
        "department": [member.departments[i] for i in shown],
        "order": [member.orders[i] for i in shown],
        "is_leader_in_dept": [int(member.departments[i] in member.leads) for i in shown],
        "direct_leader": [boss.user_id for boss in bosses],
        "position": "",
        "mobile": member.mobile,
        "gender": "0",
        "email": member.email,
        "biz_mail": member.biz_mail,
        "avatar": "",
        "thumb_avatar": "",
        "qr_code": "",
        "address": "",
        "telephone": "",
        "alias": "",
        "extattr": {"attrs": []},
        "status": member.status,
        **member.profile,
    }
    if sight.sees_department(member.main_department):
        fields["main_department"] = member.main_department
    return fields if secret else {name: value for name, value in fields.items() if name not in SECRET}


def tag_json(directory: Directory, tag: Tag, sight: Sight) -> Json:
    """``tag/get`` (path/90213)."""
    members = [member for member in in_order(directory, tag.users) if sight.sees_member(member)]
    return {
        "tagname": tag.name,
        "userlist": [{"userid": member.user_id, "name": member.name} for member in members],
        "partylist": [id for id in sorted(tag.departments) if sight.sees_department(id)],
    }


def in_order(directory: Directory, keys: Iterable[str]) -> list[Member]:
    return sorted((directory.members[key] for key in keys), key=lambda member: member.number)
