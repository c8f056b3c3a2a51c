"""What people do with the AI bot: they write to it, click on its cards, open its chat."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..corp import Corp
from ..mailbox import Message, new_id
from ..shapes import WrongField, wrong_if
from ..stage import put
from .content import Choice, choose, question_of
from .state import CONNECTION, NAME, Group, Line, Ticket

MESSAGE_S = 24 * 3600
EVENT_S = 5
DAY_S, CHINA_S = 24 * 3600, 8 * 3600
MAX_GROUPS = 1000
LOOK_S = 1.0

Selected = Mapping[str, str | Sequence[str]]


class AiBot:
    """The AI bot of a sandbox, from the side of the people in WeCom.

        sandbox.aibot.wait_for_subscriber()
        sandbox.aibot.say("sandbox-user", "sandbox-user", "list")
        (card,) = sandbox.wait(channel="aibot", msgtype="template_card")
        sandbox.aibot.click(card["task_id"], "sandbox-user", "ack:a17")

    A chat is a group's id ("sandbox-group"), or a member's user id for the single chat with the bot. What happens
    while no bot is subscribed is lost, as with WeCom: ``say``, ``click`` and ``enter`` give the callback's req_id, and
    "" where it was lost. ValueError where something makes no sense.
    """

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._state = corp.aibot

    @property
    def subscribers(self) -> int:
        """0 or 1: whether a connection is subscribed."""
        with self._corp.lock:
            return int(self._state.subscriber is not None)

    @property
    def connections(self) -> int:
        """How many WebSockets are open, those too that lost their subscription."""
        with self._corp.lock:
            return len(self._state.lines)

    def wait_for_subscriber(self, timeout: float = 10.0) -> None:
        """TimeoutError where no bot subscribed within ``timeout`` seconds."""
        ends = time.monotonic() + timeout
        with self._corp.changed:
            while self._state.subscriber is None:
                left = ends - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no bot subscribed within {timeout:g} s")
                self._corp.changed.wait(min(left, LOOK_S))

    def say(self, chat: str, user_id: str, text: str, *, quote: str = "") -> str:
        """A member writes; in a group that means with an @ of the bot. ``quote``: the id of a message, or a text.

        From then on the bot may push to that chat. Who writes in a group is in it.
        """
        with self._corp.lock:
            user_id = self._member(user_id)
            group, chat = self._chat(chat, user_id)
            wrong_if(not text.strip(), "text", '"text" is empty')
            if group is not None and f"@{NAME}" not in text:
                text = f"@{NAME} {text}"
            if group is not None:
                group.written = True
                group.users += [] if user_id in group.users else [user_id]
            else:
                self._state.written.add(user_id.lower())
            body: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
            if quote:
                quoted = self._corp.mailbox.find(quote)
                body["quote"] = {"msgtype": "text", "text": {"content": quoted.content if quoted else quote}}
            id, now, sent = new_id(), self._corp.clock(), json.dumps(body, ensure_ascii=False).encode()
            receivers = tuple(group.users) if group else (user_id,)
            said = Message(id, now, "person", "text", text, sent, receivers=receivers, chat=chat, user=user_id)
            self._corp.mailbox.add(said)
            self._state.used = True
            self._corp.touch()
            ticket = Ticket("message", now + MESSAGE_S, chat, user_id)
            callback = self._callback(ticket, {**body, "msgid": id})
        return _hand(*callback)

    def click(self, card: str, user_id: str, key: str, *, selected: Selected | None = None) -> str:
        """A member clicks on a card as it is now for that member.

        ``card``: its task_id, or the id of its message. ``key``: of a button, of what submits a vote or a choice, of an
        entry of its menu; or the ``question`` of a jump of type 3, which the member then writes. ``selected``: the
        option, or the options, of each question_key; what is not there is as the card has it at first.
        """
        with self._corp.lock:
            user_id = self._member(user_id)
            message = self._corp.mailbox.find(self._state.tasks.get(card, card))
            if message is None or not message.cards:
                raise WrongField("card", f"there is no card {card!r}")
            wrong_if(user_id not in message.cards, "user_id", f"{user_id!r} does not see it")
            now = message.cards[user_id]
            question = question_of(now, key)
            if not question:
                choice = choose(now, key, selected or {})
                ticket = Ticket("click", self._corp.clock() + EVENT_S, message.chat, user_id, message.id)
                event = {"eventtype": "template_card_event", "template_card_event": _event(now, message, choice)}
                callback = self._callback(ticket, {"msgtype": "event", "event": event})
        if question:
            return self.say(message.chat, user_id, question)
        return _hand(*callback)

    def enter(self, user_id: str) -> str:
        """A member opens the single chat. WeCom tells the bot of the first time of each day, and so ""."""
        with self._corp.lock:
            user_id = self._member(user_id)
            now = self._corp.clock()
            day = int((now + CHINA_S) // DAY_S)
            if self._state.entered.get(user_id.lower()) == day:
                return ""
            self._state.entered[user_id.lower()] = day
            ticket = Ticket("enter", now + EVENT_S, user_id, user_id)
            callback = self._callback(ticket, {"msgtype": "event", "event": {"eventtype": "enter_chat"}})
        return _hand(*callback)

    def add_group(self, chat: str, users: Sequence[str], *, written: bool = False) -> None:
        """A group with the bot in it; ``written``: a member @-ed it there, so that it may push. Replaces one."""
        with self._corp.changing():
            members = list(dict.fromkeys(map(self._member, users)))
            wrong_if(not chat or self._corp.directory.member(chat), "chat", '"chat" must be an id that no member has')
            is_full = len(self._state.groups) >= MAX_GROUPS and chat not in self._state.groups
            wrong_if(is_full, "chat", f"{MAX_GROUPS} groups are there already")
            self._state.groups[chat] = Group(chat, members, written)

    def leave(self, chat: str) -> None:
        """A member takes the bot out of a group: 93008 from then on."""
        with self._corp.changing():
            wrong_if(chat not in self._state.groups, "chat", f"there is no group {chat!r}")
            self._state.groups[chat].left = True

    def lose_subscription(self) -> None:
        """The sockets stay open, and everything but ``ping`` is answered with 846609."""
        self._order("aibot_connection", CONNECTION[0])

    def drop(self) -> None:
        """All sockets end, without a word."""
        self._order("aibot_connection", CONNECTION[1])

    def go_silent(self) -> None:
        """All sockets stay open, and nothing that comes on them is done or answered any more."""
        self._order("aibot_connection", CONNECTION[2])

    def allow_group_cards(self, allowed: bool = True) -> None:
        """Whether cards may be sent to groups; not at first: 40008."""
        self._order("aibot_group_cards", allowed)

    def hide_userids(self, hidden: bool = True) -> None:
        """Whether the bot learns encrypted ids, as one does whose maker is no super administrator; not at first."""
        self._order("aibot_open_userids", hidden)

    def close_after(self, seconds: float) -> None:
        """How long a connection whose place another one took stays open; 2 s at first."""
        self._order("aibot_close_after_s", seconds)

    def as_json(self) -> dict[str, Any]:
        """What ``GET /sandbox/aibot`` gives."""
        state = self._state
        with self._corp.lock:
            singles = [
                {"chat": member.user_id, "is_group": False, "users": [member.user_id], "written": True, "left": False}
                for key in sorted(state.written)
                if (member := self._corp.directory.members.get(key))
            ]
            groups = [
                {"chat": one.id, "is_group": True, "users": one.users[:], "written": one.written, "left": one.left}
                for one in state.groups.values()
            ]
            return {
                "bot_id": state.id,
                "name": NAME,
                "subscribers": int(state.subscriber is not None),
                "connections": len(state.lines),
                "chats": [*singles, *groups],
                "group_cards": state.group_cards,
                "open_userids": state.open_userids,
                "close_after_s": state.close_after_s,
            }

    def _order(self, switch: str, to: object) -> None:
        with self._corp.lock:
            put(self._corp, "faults", {switch: to})

    def _member(self, user_id: str) -> str:
        member = self._corp.directory.member(user_id)
        if member is None:
            raise WrongField("user_id", f"there is no member {user_id!r}")
        return member.user_id

    def _chat(self, chat: str, user_id: str) -> tuple[Group | None, str]:
        """A group; or none, and the member whose single chat it is."""
        group = self._state.groups.get(chat)
        if group is not None:
            wrong_if(group.left, "chat", f"the bot was taken out of {chat!r}")
            return group, chat
        wrong_if(chat.lower() != user_id.lower(), "chat", f"{chat!r} is no group, nor the single chat of {user_id!r}")
        return None, user_id

    def _callback(self, ticket: Ticket, body: dict[str, Any]) -> tuple[Line | None, str, dict[str, Any]]:
        """Whom it goes to, the req_id that may be answered there, and the frame."""
        line, req_id = self._state.subscriber, new_id()
        if line is not None:
            line.tickets[req_id] = ticket
        is_group = ticket.chat in self._state.groups
        head = {
            "msgid": new_id(),
            "create_time": int(self._corp.clock()),
            "aibotid": self._state.id,
            "chattype": "group" if is_group else "single",
            "from": {"userid": self._state.shown(ticket.user)},
            **({"chatid": ticket.chat} if is_group else {}),
        }
        cmd = "aibot_msg_callback" if ticket.kind == "message" else "aibot_event_callback"
        return line, req_id, {"cmd": cmd, "headers": {"req_id": req_id}, "body": {**head, **body}}


def _event(card: Mapping[str, Any], message: Message, choice: Choice) -> dict[str, Any]:
    items = [{"question_key": name, "option_ids": {"option_id": ids}} for name, ids in choice.selected.items()]
    return {
        "card_type": card["card_type"],
        "event_key": choice.key,
        "task_id": message.task_id,
        **({"selected_items": {"selected_item": items}} if items else {}),
    }


def _hand(line: Line | None, req_id: str, frame: dict[str, Any]) -> str:
    return req_id if line is not None and line.tell(frame) else ""
