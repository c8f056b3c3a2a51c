"""tag/…: who made a tag may change it, everybody may read it, within sight.

Pages: create https://developer.work.weixin.qq.com/document/path/90210, update /90211, delete /90212, get /90213,
addtagusers /90214, deltagusers /90215, list /90216. Another's tag is 81011.
"""

from __future__ import annotations

from dataclasses import replace

from .access import Answer, Asked, Family
from .directory import MAX_ID, MAX_NODES, Tag
from .fields import Fields
from .refusal import known, refuse_if
from .visibility import tag_json

MAX_TAGS = 3000
NAME_CHARS = 32
MAX_USERS = 1000
MAX_PARTIES = 100


class Tags(Family):
    def create(self, asked: Asked) -> Answer:
        """Without ``tagid`` it is the largest one and one more. For too many tags there is no code: 40058."""
        body = asked.body
        name = _name(body)
        tags = self._directory.tags
        id = body.number("tagid", max(tags, default=0) + 1)
        refuse_if(not 0 <= id <= MAX_ID or id in tags, 40068)
        refuse_if(len(tags) >= MAX_TAGS, 40058, f"at most {MAX_TAGS} tags")
        self._directory.put_tag(Tag(id, name, owner=asked.agent_id))
        return {"errmsg": "created", "tagid": id}

    def update(self, asked: Asked) -> Answer:
        tag = self._named(asked)
        self._directory.put_tag(replace(tag, name=_name(asked.body)))
        return {"errmsg": "updated"}

    def delete(self, asked: Asked) -> Answer:
        self._directory.remove_tag(self._own(asked, asked.number("tagid")).id)
        return {"errmsg": "deleted"}

    def get(self, asked: Asked) -> Answer:
        return tag_json(self._directory, self._known(asked.number("tagid")), asked.sight)

    def list(self, asked: Asked) -> Answer:
        return {"taglist": [{"tagid": tag.id, "tagname": tag.name} for tag in self._directory.tags.values()]}

    def add(self, asked: Asked) -> Answer:
        tag = self._named(asked)
        users, departments, invalid = self._nodes(asked, too_many=81014, none=40070)
        users, departments = tag.users | users, tag.departments | departments
        refuse_if(len(users) + len(departments) > MAX_NODES, 81003)
        self._directory.put_tag(replace(tag, users=users, departments=departments))
        return invalid

    def remove(self, asked: Asked) -> Answer:
        """A member who is there but has not got the tag is no invalid one: the page speaks of illegal ids."""
        tag = self._named(asked)
        users, departments, invalid = self._nodes(asked, too_many=40035, none=40031)
        left = replace(tag, users=tag.users - users, departments=tag.departments - departments)
        self._directory.put_tag(left)
        return {"errmsg": "deleted", **invalid}

    def _known(self, id: int | None) -> Tag:
        return known(None if id is None else self._directory.tags.get(id), 40068)

    def _named(self, asked: Asked) -> Tag:
        return self._own(asked, asked.body.number("tagid", -1))

    def _own(self, asked: Asked, id: int | None) -> Tag:
        tag = self._known(id)
        refuse_if(tag.owner != asked.agent_id, 81011)
        return tag

    def _nodes(self, asked: Asked, *, too_many: int, none: int) -> tuple[frozenset[str], frozenset[int], Answer]:
        """Who is named, there and in sight; and those that are not, as they were written.

        Lists that are no lists are 40035, as its help says; so are two empty ones.
        """
        users, sight = _users(asked.body), asked.sight
        refuse_if(
            not isinstance(asked.body.values.get("partylist", []), list | None), 40035, "partylist must be a list"
        )
        parties = asked.body.numbers("partylist")
        refuse_if(not users and not parties, 40035)
        refuse_if(len(users) > MAX_USERS or len(parties) > MAX_PARTIES, too_many)
        seen = {id: member.key for id in users if (member := sight.member(id))}
        departments = frozenset(id for id in parties if sight.sees_department(id))
        wrong_users = "|".join(id for id in dict.fromkeys(users) if id not in seen)
        wrong_parties = [id for id in parties if id not in departments]
        refuse_if(not seen and not departments, none)
        lists = {"invalidlist": wrong_users, "invalidparty": wrong_parties}
        return frozenset(seen.values()), departments, {name: ids for name, ids in lists.items() if ids}


def _users(body: Fields) -> list[str]:
    items = body.values.get("userlist")
    if items is None:
        return []
    is_list = isinstance(items, list) and all(isinstance(item, str) for item in items)
    refuse_if(not is_list, 40035, "userlist must be a list")
    return list(items)


def _name(body: Fields) -> str:
    name = body.text("tagname")
    refuse_if(not 0 < len(name) <= NAME_CHARS, 40072)
    return name
