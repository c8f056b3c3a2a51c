"""appchat/…: groups that an app makes, and what it says there.

Pages: create https://developer.work.weixin.qq.com/document/path/90245, update /98913, get /98914, send /90248. For
apps that see the whole corp; an app may use its own groups alone (86008).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from .access import Answer, Asked
from .app import check_safe
from .content import APP_CHECKS, check_content
from .corp import Corp
from .directory import ROOT, Member
from .limits import Limit, Newest, SlidingWindow
from .media import APPS
from .refusal import known, refuse_if

CHAT_ID = re.compile(r"[0-9a-zA-Z]{1,32}")
NAME_CHARS = 50
MEMBERS = range(2, 2001)
MAX_CHATS = 1000
MEMBER_LIMITS = (Limit(200, 60), Limit(10_000, 24 * 3600))
CREATED = Limit(1000, 24 * 3600)
CHANGED = Limit(1000, 3600)
CHECKS = {name: check for name, check in APP_CHECKS.items() if name not in ("template_card", "miniprogram_notice")}


@dataclass(frozen=True, slots=True)
class Chat:
    """``users`` are the keys of members, in the order in which they came."""

    id: str
    name: str
    owner: str
    users: tuple[str, ...]
    agent_id: int


class Chats:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._chats: Newest[str, Chat] = Newest(MAX_CHATS)
        self._members = corp.rates["chat"] = SlidingWindow(corp.clock, *MEMBER_LIMITS)
        self._created = SlidingWindow(corp.clock, CREATED)
        self._changed = SlidingWindow(corp.clock, CHANGED)

    def create(self, asked: Asked) -> Answer:
        """Without an owner, one of the members is it: here the first."""
        agent_id, body = self._app(asked), asked.body
        id = body.text("chatid") or secrets.token_hex(16)
        refuse_if(not CHAT_ID.fullmatch(id), 86001)
        refuse_if(id in self._chats, 86215)
        users = self._keys(body.texts("userlist"))
        owner = self._owner(body.text("owner"), users)
        _check_size(users)
        refuse_if(not self._created.admits(0), 45009)
        self._chats[id] = Chat(id, body.text("name")[:NAME_CHARS], owner, users, agent_id)
        return {"chatid": id}

    def update(self, asked: Asked) -> Answer:
        agent_id, body = self._app(asked), asked.body
        chat = self._own(body.text("chatid"), agent_id)
        gone = set(self._keys(body.texts("del_user_list")))
        stay = [key for key in chat.users if key not in gone]
        users = tuple(dict.fromkeys([*stay, *self._keys(body.texts("add_user_list"))]))
        _check_size(users)
        owner = self._owner(body.text("owner") or (chat.owner if chat.owner in users else ""), users)
        refuse_if(not self._changed.admits(0), 45009)
        name = body.text("name")[:NAME_CHARS] or chat.name
        self._chats[chat.id] = replace(chat, name=name, owner=owner, users=users)
        return {}

    def get(self, asked: Asked) -> Answer:
        chat = self._own(asked.text("chatid"), self._app(asked))
        users = [member.user_id for member in self._people(chat)]
        owner = self._corp.directory.members.get(chat.owner)
        info = {"chatid": chat.id, "name": chat.name, "owner": owner.user_id if owner else "", "userlist": users}
        return {"chat_info": {**info, "chat_type": 0}}

    def send(self, asked: Asked) -> Answer:
        """No msgid comes back. Members who had their 200 a minute or 10 000 a day do not get it, in silence."""
        agent_id, body = self._app(asked), asked.body
        chat = self._own(body.text("chatid"), agent_id)
        msgtype, content = check_content(body, CHECKS, partial(self._corp.media.find, owner=APPS))
        check_safe(body, msgtype)
        people = self._people(chat)
        receivers = tuple(one.user_id for one in people if self._members.admits((agent_id, one.key)))
        self._corp.journal.discarded += len(people) - len(receivers)
        if receivers:
            self._corp.post("app", msgtype, content, body, receivers=receivers, chat=chat.id)
        return {}

    def _app(self, asked: Asked) -> int:
        agent_id = asked.app
        refuse_if(ROOT not in self._corp.ranges[agent_id].departments, 60011)
        return agent_id

    def _own(self, id: str, agent_id: int) -> Chat:
        refuse_if(not id, 86201)
        chat = known(self._chats.get(id), 86003)
        refuse_if(chat.agent_id != agent_id, 86008)
        return chat

    def _keys(self, user_ids: Iterable[str]) -> tuple[str, ...]:
        found = {id: self._corp.directory.member(id) for id in user_ids}
        refuse_if(not all(found.values()), 86216)
        return tuple(dict.fromkeys(member.key for member in found.values() if member))

    def _owner(self, user_id: str, users: tuple[str, ...]) -> str:
        if not user_id:
            return users[0] if users else ""
        refuse_if(user_id.lower() not in users, 86207)
        return user_id.lower()

    def _people(self, chat: Chat) -> list[Member]:
        return [self._corp.directory.members[key] for key in chat.users if key in self._corp.directory.members]


def _check_size(users: tuple[str, ...]) -> None:
    refuse_if(len(users) not in MEMBERS, 86006)
