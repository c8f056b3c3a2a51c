"""department/…: the tree, its names and its limits (https://developer.work.weixin.qq.com/document/path/90204).

Pages: create /90205, update /90206, delete /90207, list /90208, simplelist /95350, get /95351. A department that is not
there is 60003, a parent 60004. Of the name's length one page says 64 characters and the list of codes says 32; the
page counts here, but for ``name_en``, which was seen refused above 32. The root is the first of the 15 levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from .access import Answer, Asked, Family
from .directory import MAX_ID, MAX_LEVELS, MAX_NODES, MAX_ORDER, ROOT, Department
from .fields import Fields
from .refusal import known, refuse_if
from .visibility import department_json

NAME_CHARS = 64
NAME_EN_CHARS = 32
FORBIDDEN = re.compile(r'[\\:*?"<>|｜]')


class Departments(Family):
    def create(self, asked: Asked) -> Answer:
        return {"errmsg": "created", "id": self.add(asked.body)}

    def add(self, body: Fields) -> int:
        names = _name(body, "name"), _name(body, "name_en", needed=False)
        id = body.number("id") if body.has("id") else self._directory.free_department_id()
        body.refuse_if(not ROOT < id <= MAX_ID, "id", f"must be from 2 to {MAX_ID}")
        parent_id = self._parent(body)
        refuse_if(id == parent_id, 60010)
        refuse_if(id in self._directory.departments, 60008)
        self._check_room(parent_id, levels=1)
        self._directory.put_department(Department(id, names[0], parent_id, names[1], _order(body)))
        return id

    def update(self, asked: Asked) -> Answer:
        self.change(asked.body)
        return {"errmsg": "updated"}

    def change(self, body: Fields) -> None:
        """What is absent stays as it is."""
        old = self._known(body.number("id"))
        name = _name(body, "name") if body.has("name") else old.name
        name_en = _name(body, "name_en", needed=False) if body.has("name_en") else old.name_en
        order = _order(body) if body.has("order") else old.order
        parent_id = old.parent_id
        if body.has("parentid") and body.number("parentid") != parent_id:
            parent_id = self._parent(body)
            refuse_if(old.id in self._directory.line(parent_id), 60010)
            self._check_room(parent_id, levels=self._height(old.id))
        self._directory.put_department(replace(old, name=name, name_en=name_en, order=order, parent_id=parent_id))

    def delete(self, asked: Asked) -> Answer:
        department = self._known(asked.number("id"))
        refuse_if(department.id == ROOT, 60007)
        refuse_if(self._directory.children(department.id), 60006)
        refuse_if(self._directory.people(department.id), 60005)
        self._directory.remove_department(department.id)
        return {"errmsg": "deleted"}

    def list(self, asked: Asked) -> Answer:
        """With all below ``id``; without it, or with 0, all that the caller sees."""
        return {"department": [department_json(self._directory, one, asked.sight) for one in self._below(asked)]}

    def simplelist(self, asked: Asked) -> Answer:
        found = self._below(asked)
        return {"department_id": [{"id": one.id, "parentid": one.parent_id, "order": one.order} for one in found]}

    def get(self, asked: Asked) -> Answer:
        department = self._seen(asked)
        return {"department": department_json(self._directory, department, asked.sight)}

    def _below(self, asked: Asked) -> Iterable[Department]:
        if not asked.number("id"):
            return asked.sight.departments()
        top = self._seen(asked).id
        return (self._directory.departments[below] for below in self._directory.subtree(top))

    def _known(self, id: int | None) -> Department:
        return known(self._directory.departments.get(id or 0), 60003)

    def _seen(self, asked: Asked) -> Department:
        department = self._known(asked.number("id"))
        refuse_if(not asked.sight.sees_department(department.id), 60011)
        return department

    def _parent(self, body: Fields) -> int:
        parent_id = body.number("parentid")
        refuse_if(parent_id not in self._directory.departments, 60004)
        return parent_id

    def _check_room(self, parent_id: int, *, levels: int) -> None:
        """Whether a tree of so many levels fits below the parent."""
        refuse_if(sum(1 for _ in self._directory.line(parent_id)) + levels > MAX_LEVELS, 81002)
        refuse_if(max(self._directory.node_count(parent_id), len(self._directory.departments)) >= MAX_NODES, 81001)

    def _height(self, id: int) -> int:
        return 1 + max(map(self._height, self._directory.children(id)), default=0)


def _name(body: Fields, field: str, *, needed: bool = True) -> str:
    name = body.text(field)
    body.refuse_if(needed and body.values.get(field) == "", field, "exceed min utf8 words 1")
    refuse_if(needed and not name, 60001)
    body.refuse_if(field == "name_en" and len(name) > NAME_EN_CHARS, field, f"exceed max length {NAME_EN_CHARS}")
    refuse_if(len(name) > NAME_CHARS, 60001)
    refuse_if(FORBIDDEN.search(name), 60009)
    return name


def _order(body: Fields) -> int:
    order = body.number("order")
    body.refuse_if(not 0 <= order <= MAX_ORDER, "order", f"must be from 0 to {MAX_ORDER}")
    return order
