"""user/…, what contacts-sync alone may do: create, update, delete; and batch/invite, which apps may do too.

Pages: create https://developer.work.weixin.qq.com/document/path/90195, update /90197, delete /90198,
batchdelete /90199, invite /90975. A department that is not there is made by create and refused with 60123 by update.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .access import Answer, Asked, Family
from .corp import CREATOR
from .directory import MAX_NODES, ROOT, Department, Member
from .fields import Fields
from .media import APPS
from .profile import check_user_id, read_departments, read_leads, read_member, read_orders, read_profile
from .refusal import Refusal, known, refuse_if
from .visibility import check_sizes

UNPLACED = "其他"
MAX_DELETED = 200


class Members(Family):
    def create(self, asked: Asked) -> Answer:
        return self.add(asked.body)

    def add(self, body: Fields) -> Answer:
        """The new member is not activated yet: status 4."""
        user_id = check_user_id(body.text("userid"))
        refuse_if(self._directory.member(user_id), 60102)
        fields = self._read(body)
        refuse_if(not fields.get("name"), 60112)
        asked = read_departments(body) or (0,)
        refuse_if(0 in asked and self._directory.sibling(ROOT, UNPLACED) in asked, 40066)
        orders = read_orders(body, len(asked))
        leads = read_leads(body, asked) if body.has("is_leader_in_dept") else frozenset()
        main = self._main(body, asked, asked[0])
        self._check_room(asked)
        member = Member(user_id, departments=(), activated=False, profile=read_profile(body), **fields)
        _check_reachable(member)
        self._directory.check_contacts(member)  # before departments are made: a refusal leaves nothing behind
        made = self._make_missing(asked)
        place = {id: id or self._unplaced(asked) for id in asked}
        self._directory.put_member(
            replace(
                member,
                departments=tuple(place[id] for id in asked),
                orders=orders,
                leads=frozenset(place[id] for id in leads),
                main_department=place[main],
            )
        )
        more = {"created_department_list": {"department_info": made}} if made else {}
        return {"errmsg": "created", **more}

    def update(self, asked: Asked) -> Answer:
        return self.change(asked.body)

    def change(self, body: Fields) -> Answer:
        """What is absent stays as it is. An active member's mobile is the member's own: ignored, and no word of it."""
        old = self._known(body.text("userid"))
        if body.text("new_userid") not in ("", old.user_id):
            raise Refusal(301036)  # only for ids that WeCom made up, and the sandbox makes none up
        if old.activated:
            body = body.without("mobile")
        member = replace(old, **self._read(body), profile={**old.profile, **read_profile(body)})
        if old.mobile or old.email:
            _check_reachable(member)
        self._directory.put_member(self._moved(member, body))
        return {"errmsg": "updated"}

    def delete(self, asked: Asked) -> Answer:
        self._remove([self._known(asked.text("userid"))])
        return {"errmsg": "deleted"}

    def batchdelete(self, asked: Asked) -> Answer:
        """One wrong id, and no member is deleted."""
        ids = asked.body.texts("useridlist")
        refuse_if(not ids, 40063)
        refuse_if(len(ids) > MAX_DELETED, 40032)
        found = {id.lower(): self._directory.member(id) for id in ids}
        members = [member for member in found.values() if member]
        refuse_if(not members or len(members) < len(found), 40031)
        self._remove(members)
        return {"errmsg": "deleted"}

    def invite(self, asked: Asked) -> Answer:
        """No invitation is sent; what is wrong in the lists is told as WeCom tells it, in arrays."""
        body = asked.body
        users, parties, tags = body.texts("user"), body.numbers("party"), body.numbers("tag")
        check_sizes(len(users), len(parties), len(tags))
        parties, tags = list(dict.fromkeys(parties)), list(dict.fromkeys(tags))
        users = list(dict.fromkeys(users))
        invalid: dict[str, Any] = {
            "invaliduser": [id for id in users if not asked.sight.member(id)],
            "invalidparty": [id for id in parties if not asked.sight.sees_department(id)],
            "invalidtag": [id for id in tags if not asked.sight.knows_tag(id)],
        }
        refuse_if(sum(map(len, invalid.values())) == len(users) + len(parties) + len(tags), 81013, **invalid)
        return invalid

    def _read(self, body: Fields) -> dict[str, Any]:
        fields = read_member(body)
        refuse_if(not all(self._directory.member(id) for id in fields.get("direct_leader", ())), 60111)
        if body.text("avatar_mediaid"):
            self._corp.media.find(body.text("avatar_mediaid"), "image", APPS)
        return fields

    def _known(self, user_id: str) -> Member:
        return known(self._directory.member(check_user_id(user_id)), 60111)

    def _remove(self, members: Iterable[Member]) -> None:
        refuse_if(any(member.user_id == CREATOR for member in members), 301005)
        for member in members:
            self._directory.remove_member(member)

    def _moved(self, member: Member, body: Fields) -> Member:
        """Orders count only together with departments (path/90197)."""
        departments, orders, leads = member.departments, member.orders, member.leads
        if body.has("department"):
            departments = read_departments(body)
            refuse_if(not departments, 40066)
            refuse_if(not all(id in self._directory.departments for id in departments), 60123)
            self._check_room(id for id in departments if id not in member.departments)
            orders = read_orders(body, len(departments))
            leads &= set(departments)
        if body.has("is_leader_in_dept"):
            leads = read_leads(body, departments)
        usual = member.main_department if member.main_department in departments else departments[0]
        main = self._main(body, departments, usual)
        return replace(member, departments=departments, orders=orders, leads=leads, main_department=main)

    def _main(self, body: Fields, departments: tuple[int, ...], usual: int) -> int:
        main = body.number("main_department") or usual
        refuse_if(main not in departments, 60123)
        return main

    def _check_room(self, departments: Iterable[int]) -> None:
        refuse_if(any(self._directory.node_count(id) >= MAX_NODES for id in departments), 81001)

    def _make_missing(self, departments: tuple[int, ...]) -> list[dict[str, Any]]:
        """Makes the departments that are not there below the one for those who have none (path/90195, 2024-05)."""
        missing = [id for id in departments if id and id not in self._directory.departments]
        made = [Department(id, f"部门 {id}", self._unplaced(departments)) for id in missing]
        for department in made:
            self._directory.put_department(department)
        return [{"id": department.id, "name": department.name} for department in made]

    def _unplaced(self, asked: Iterable[int]) -> int:
        """The department 其他; made where it is missing, with an id that is not asked for."""
        id = self._directory.sibling(ROOT, UNPLACED)
        if id is None:
            id = self._directory.free_department_id(asked)
            self._directory.put_department(Department(id, UNPLACED, ROOT))
        return id


def _check_reachable(member: Member) -> None:
    refuse_if(not member.mobile and not member.email, 60129)
