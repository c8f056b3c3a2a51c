"""Handles the events of an AI bot (clicks, typed lines) and answers them; `Desk` carries out the commands in them.

The incident is changed first, the answer follows. There is at most one answer for each event. Whoever writes from
another chat and is no answerer gets a refusal.

Source: https://developer.work.weixin.qq.com/document/path/101463
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from typing import Protocol

from .._incidents.known import Known
from .._render.card import pressed
from .._render.times import local_time
from .._render.words import CODE_UNKNOWN, LETTERS_ONLY, MAY_NOT, NO_CODE, PAIRED, STATE_AWAY, TOO_MANY
from .._runtime.windows import ANSWER, Windows
from .._text import inert
from .._wecom.aibot import words
from .._wecom.body import Json
from .._wecom.long_connection import LongConnection
from ..errors import StateError
from .command import Command, read
from .desk import Desk, IsSeen, Person, chats_of, further_chats_of
from .events import MAX_ID, Asker, asker_of, is_outdated, length_of, text_of
from .pairing import Pairing
from .reply import Reply, card_of, command_line

ALL = ((30, 60.0), (1000, 3600.0))
"""What WeCom lets go into one chat, replies and pushes together."""
ANSWERS = ((15, 60.0), (500, 3600.0))
"""How many of them are answers: a person who types or clicks without an end must not hold up the alerts of a chat."""
TOLD = ((1, 60.0),)
"""How often a chat is told that its commands are too many."""
STRANGER, STRANGERS = ((3, 60.0),), ((60, 60.0),)
"""How often one who may do nothing, as far as is known, is answered, and all of them: the rest is not looked at."""
MEANT_S = 1.0
"""How old may be what is known of the chats of other processes' alerts; whoever writes may ask no more often."""
KNOWN_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Joined:
    """What one handler sends through the bot, into which chats, and who else may answer."""

    find: Callable[[], Job | None]
    chats: frozenset[str]
    answerers: Mapping[str, str]


@dataclass(eq=False, repr=False)
class Reception:
    """Hears what comes through ``connection``, and lets ``desk`` do it."""

    connection: LongConnection
    desk: Desk
    channel: str
    _: KW_ONLY
    windows: Windows
    pairing: Pairing
    plain_id: Callable[[str], str] = str
    called: Callable[[str], str] = str
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._joined: tuple[Joined, ...] = ()  # another one each time: threads read it while a handler joins
        self._meant: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._meant_until = float("-inf")
        self.reset_after_fork()
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._groups: set[str] = set()
        self._listed: dict[str, Command] = {}
        self.tell: Callable[[str], object] = lambda line: None
        """Gets a line about each thing that was done, for a terminal."""
        self.connection.listener = self

    def reset_after_fork(self) -> None:
        """In a forked child: the threads that joined or answered are not here."""
        self._joining, self._answered = threading.Lock(), Windows()

    def join(self, job: Job, chats: Iterable[str], answerers: Mapping[str, str]) -> None:
        """A handler more sends through this bot into these chats."""
        with self._joining:
            others = [one for one in self._wanted() if one.find() is not job]
            self._joined = (*others, Joined(weakref.ref(job), frozenset(chats), dict(answerers)))

    def _wanted(self) -> list[Joined]:
        """Without the handlers that are gone or have sent their last: whose chats may say nothing any more."""
        return [one for one in self._joined if (job := one.find()) is not None and not job.finished()]

    @property
    def _chats(self) -> frozenset[str]:
        return frozenset[str]().union(*(one.chats for one in self._wanted()))

    @property
    def _answerers(self) -> dict[str, str]:
        return {user: name for one in self._wanted() for user, name in one.answerers.items()}

    def is_wanted(self) -> bool:
        """Whether a handler is left that may send, or a code is asked for."""
        return self.pairing.is_asked or bool(self._wanted())

    def hear(self, frame: Json) -> None:
        """One event, in the connection's thread."""
        body, req_id = frame["body"], frame["headers"]["req_id"]
        asker = asker_of(body)
        message = body.get("msgid")
        if asker is None or (isinstance(message, str) and message in self._heard):
            return
        if isinstance(message, str) and 0 < len(message) <= MAX_ID:
            self._heard[message] = None
        if asker.is_group and len(self._groups) < KNOWN_EVENTS:
            self._groups.add(asker.chat)
        while len(self._heard) > KNOWN_EVENTS:
            self._heard.popitem(last=False)
        if frame.get("cmd") == "aibot_msg_callback":
            self._typed(asker, body, req_id)
            return
        event = body.get("event")
        kind = event.get("eventtype") if isinstance(event, dict) else None
        if kind == "template_card_event" and isinstance(event.get("template_card_event"), dict):
            self._clicked(asker, event["template_card_event"], req_id)
        elif kind == "enter_chat" and self._has_room(asker) and self._may(asker):
            welcome = self.desk.do(Command("help"), self._person(asker), asker.where).text
            self.connection.post("aibot_respond_welcome_msg", {"msgtype": "text", "text": {"content": welcome}}, req_id)

    # Typed words.

    def _typed(self, asker: Asker, body: Json, req_id: str) -> None:
        text = text_of(body)
        quoted = text_of(body.get("quote"))
        if not self._has_room(asker):
            return
        self.connection.post("aibot_respond_msg", words(self._answer(asker, text, quoted)), req_id)

    def _answer(self, asker: Asker, text: str | None, quoted: str | None) -> str:
        language = self.desk.language
        if text is None:
            return (LETTERS_ONLY if self._may(asker) else MAY_NOT).within(language)
        command = read(text, quoted or "", local_time(self.desk.time_s(), language))
        if command.verb == "pair" and not command.why:
            is_known = self.pairing.heard(command.code, asker.chat, asker.user, is_group=asker.is_group)
            return (PAIRED if is_known else CODE_UNKNOWN).within(language)
        if command.verb == "pair" and self.pairing.is_waiting():
            return NO_CODE.within(language, command_line("pair", language, ""))
        if not self._may(asker, command.short_id):
            return MAY_NOT.within(language)
        if command.verb == "give" and not command.why:
            others = self.desk.recipients(command.short_id, self._chats, self._answerers, self.called)
            for group in self._groups:
                others.pop(group.lower(), None)
            if (whom := others.get(command.whom)) is None:
                return self.desk.no_recipient(command.whom, others.values()).text
            command = replace(command, whom=whom.name, whom_id=whom.user)
        first, *further = self.desk.each(command)
        reply = self._done(asker, first)
        if reply.is_of_scope and not reply.why:
            self._tell_others(asker, reply.text)
        more = [
            self._done(asker, one).text if self._may(asker, one.short_id) else MAY_NOT.within(language)
            for one in further
        ]
        return "\n".join([reply.text, *dict.fromkeys(more)])

    def _done(self, asker: Asker, command: Command) -> Reply:
        reply = self.desk.do(self._turned(asker, command), self._person(asker), asker.where, self._is_seen(asker))
        if reply.done:
            self.tell(reply.text)
        self._note(asker, reply)
        return reply

    def _tell_others(self, asker: Asker, text: str) -> None:
        """Sends a line about a maintenance into the other chats of the handlers of this bot."""
        for chat in sorted(self._chats - {asker.chat}):
            if self.windows.reserve((f"{ANSWER}{chat}",), ALL, self.clock()) <= 0:
                self.connection.post("aibot_send_msg", {"chatid": chat, **words(text)})

    def _turned(self, asker: Asker, command: Command) -> Command:
        """The page after the one that this chat has seen last, where that is asked for."""
        if command.verb != "list":
            return command
        if not command.page:
            before = self._listed.get(asker.chat, replace(command, page=0))
            command = replace(before, page=before.page + 1)
        if asker.chat in self._listed or len(self._listed) < KNOWN_EVENTS:
            self._listed[asker.chat] = command
        return command

    # Clicks.

    def _clicked(self, asker: Asker, event: Json, req_id: str) -> None:
        task_id, key = event.get("task_id"), event.get("event_key")
        found = pressed(key) if isinstance(key, str) else None
        if found is None or not isinstance(task_id, str) or not self._has_room(asker):
            return
        if not self._may(asker, found.short_id):
            self._push(asker, MAY_NOT.within(self.desk.language))
            return
        if found.verb in ("details", "list"):
            command = self._turned(asker, Command(found.verb, found.short_id))
            reply = self.desk.do(command, self._person(asker), asker.where)
            self._push(asker, reply.text)
            return
        try:
            incident = self._find(found.short_id)
            if incident is None or is_outdated(incident, found):
                reply = self.desk.outdated(Command(found.verb, found.short_id), incident, self._person(asker))
            else:
                command = Command(found.verb, found.short_id, length_of(event, incident))
                reply = self.desk.carry_out(command, self._person(asker), asker.where, self._is_seen(asker))
                incident = reply.incident or self._find(found.short_id)
        except StateError:  # the card stays as it is
            self._push(asker, STATE_AWAY.within(self.desk.language))
            return
        card = card_of(incident, found, task_id, self.desk.language, self.desk.time_s())
        body = {"response_type": "update_template_card", "template_card": card}
        self.connection.post("aibot_respond_update_msg", body, req_id)
        if reply.done:
            self.tell(reply.text)
        else:
            self._note(asker, reply)
        is_of_job = reply.incident is not None and any(one.job for one in reply.incident.answers[-1:])
        if (reply.why or is_of_job) and self._has_room(asker):  # of jobs, no card says it
            self._push(asker, reply.text)

    def _note(self, asker: Asker, reply: Reply) -> None:
        """Who is refused sees what another did: no message tells it there again."""
        if reply.why in ("other", "outdated") and reply.incident is not None:
            with suppress(StateError):  # then it is told twice
                self.desk.seen(reply.incident.short_id, asker.where)

    def _find(self, short_id: str) -> Known | None:
        found = self.desk.find(short_id)
        return found[0][2] if found else None

    def _push(self, asker: Asker, text: str) -> None:
        """A text beside a click: that has room for a card alone."""
        self.connection.post("aibot_send_msg", {"chatid": asker.chat, **words(text)})

    # Who, and how often.

    def _may(self, asker: Asker, short_id: str = "") -> bool:
        """Says whether a person may do something, with the incident of an id if there is one: who got it may."""
        if self._is_known(asker) or self._is_meant(asker.chat):
            return True
        told = self.desk.told(short_id) if short_id else None
        told = self._told if told is None else told  # who may answer something hears that there is no such id
        return asker.chat in told or self._user(asker).lower() in map(str.lower, told)

    def _is_known(self, asker: Asker) -> bool:
        """Whether that can be said without a look into the state."""
        if asker.chat in self._chats or asker.chat in self._meant:
            return True
        answerers = self._answerers
        return asker.user in answerers or (bool(answerers) and self._user(asker) in answerers)

    def _is_meant(self, chat: str) -> bool:
        """Says whether an alert of another process went into a chat, whose members may answer. Looks, too, who got any
        alert."""
        if chat not in self._meant and (now := self.clock()) >= self._meant_until:
            self._meant, self._told = self.desk.chats(self.channel), self.desk.told() or frozenset()
            self._meant_until = now + MEANT_S
        return chat in self._meant

    def _person(self, asker: Asker) -> Person:
        user = self._user(asker)
        name = self._answerers.get(user) or self._answerers.get(asker.user) or user
        return Person(inert.line(self.called(user) if name in (user, asker.user) else name), user)

    def _user(self, asker: Asker) -> str:
        return self.plain_id(asker.user)

    def _has_room(self, asker: Asker) -> bool:
        """Whether WeCom takes an answer into this chat now: what cannot be answered is not done either."""
        now = self.clock()
        if not self._is_known(asker):
            one, of_all = (f"one {asker.user}",), ("all",)
            if self._answered.wait(one, STRANGER, now) > 0 or self._answered.reserve(of_all, STRANGERS, now) > 0:
                return False
            return self._answered.reserve(one, STRANGER, now) <= 0
        answers = (f"{ANSWER}{asker.chat}",)
        if self._answered.wait(answers, ANSWERS, now) > 0 or self.windows.reserve(answers, ALL, now) > 0:
            is_first = self._answered.reserve((f"told {asker.chat}",), TOLD, now) <= 0
            if is_first and self.windows.reserve(answers, ALL, now) <= 0:
                self._push(asker, TOO_MANY.within(self.desk.language))
            return False
        return self._answered.reserve(answers, ANSWERS, now) <= 0

    def _is_seen(self, asker: Asker) -> IsSeen:
        """What went into this chat alone: all its readers see the answer."""

        def is_seen(channel: str, incident: Known) -> bool:
            chats = {*(chats_of(incident) or self._chats), *further_chats_of(incident)}
            return channel == self.channel and chats == {asker.chat}

        return is_seen


class Job(Protocol):
    """A handler's pipeline."""

    def finished(self) -> bool:
        """Whether nothing will ever be sent by it again."""
