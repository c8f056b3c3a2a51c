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
from dataclasses import dataclass
from typing import Protocol

from .._incidents import life
from .._incidents.incident import Incident
from .._render import inert
from .._render.card import LENGTH_QUESTION, Pressed, card, no_card, offered, pressed
from .._render.words import CODE_UNKNOWN, LETTERS_ONLY, MAY_NOT, PAIRED, Language
from .._state.windows import Windows
from .._wecom.aibot import upload
from .._wecom.long_connection import LongConnection
from .._wecom.web_socket import Json
from ..errors import MessageError, StateError, WeComError
from ..model import Digest
from .command import Command, read
from .desk import Desk, IsSeen, chats_of
from .length import seconds
from .pairing import Pairing

ALL = ((30, 60.0), (1000, 3600.0))
"""What WeCom lets go into one chat, replies and pushes together."""
ANSWERS = ((15, 60.0), (500, 3600.0))
"""How many of them are answers: whoever types or clicks without an end must not hold up the alerts of a chat."""
MEANT_S = 1.0
"""How old may be what is known of the chats of other processes' alerts; whoever writes may ask no more often."""
KNOWN_EVENTS = 1000
MAX_ID = 128
"""Characters of an id of WeCom; what is longer is none, and must not fill the memory or the state."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What one handler sends through the bot, into which chats, and who else may answer."""

    find: Callable[[], Job | None]
    chats: frozenset[str]
    answerers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who did something, and where: ``chat`` is the group's id, or the user's in a chat with the bot alone."""

    user: str
    chat: str
    is_group: bool


class Reception:
    """Hears what comes through ``connection``, and lets ``desk`` do it."""

    def __init__(
        self,
        connection: LongConnection,
        desk: Desk,
        channel: str,
        *,
        windows: Windows,
        language: Language = "en",
        pairing: Pairing,
        plain_id: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self._desk = desk
        self._channel = channel
        self._joined: tuple[Joined, ...] = ()  # another one each time: threads read it while a handler joins
        self._windows = windows
        self._meant: frozenset[str] = frozenset()
        self._meant_until = float("-inf")
        self._language = language
        self._pairing = pairing
        self._plain_id = plain_id
        self._clock = clock
        self.reset_after_fork()
        self._heard: OrderedDict[str, None] = OrderedDict()
        self.tell: Callable[[str], object] = lambda line: None
        """Gets a line about each thing that was done, for a terminal."""
        connection.listener = self

    def reset_after_fork(self) -> None:
        """In a forked child: the threads that joined, uploaded or answered are not here."""
        self._joining, self._uploading, self._answered = threading.Lock(), threading.Lock(), Windows()

    def join(self, job: Job, chats: Iterable[str], answerers: Mapping[str, str]) -> None:
        """A handler more sends through this bot into these chats."""
        with self._joining:
            self._joined = (*self._wanted(), Joined(weakref.ref(job), frozenset(chats), dict(answerers)))

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
        return self._pairing.is_asked or bool(self._wanted())

    def hear(self, frame: Json) -> None:
        """One event, in the connection's thread."""
        body, req_id = frame["body"], frame["headers"]["req_id"]
        asker = _asker(body)
        message = body.get("msgid")
        if asker is None or (isinstance(message, str) and message in self._heard):
            return
        if isinstance(message, str) and 0 < len(message) <= MAX_ID:
            self._heard[message] = None
        while len(self._heard) > KNOWN_EVENTS:
            self._heard.popitem(last=False)
        if frame.get("cmd") == "aibot_msg_callback":
            self._typed(asker, body, req_id)
            return
        event = body.get("event")
        kind = event.get("eventtype") if isinstance(event, dict) else None
        if kind == "template_card_event" and isinstance(event.get("template_card_event"), dict):
            self._clicked(asker, event["template_card_event"], req_id)
        elif kind == "enter_chat" and self._may(asker) and self._has_room(asker):
            welcome = self._desk.do(Command("help"), self._name(asker), _where(asker)).text
            self.connection.post("aibot_respond_welcome_msg", {"msgtype": "text", "text": {"content": welcome}}, req_id)

    # Typed words.

    def _typed(self, asker: Asker, body: Json, req_id: str) -> None:
        text = _text_of(body)
        quoted = _text_of(body.get("quote"))
        if not self._has_room(asker):
            return
        answer, file = self._answer(asker, text, quoted)
        self.connection.post("aibot_respond_msg", {"msgtype": "markdown", "markdown": {"content": answer}}, req_id)
        self._attach(asker, "alert", file)

    def _answer(self, asker: Asker, text: str | None, quoted: str | None) -> tuple[str, str]:
        """A text, and what does not stand in it as a file."""
        language = self._language
        if text is None:
            return (LETTERS_ONLY if self._may(asker) else MAY_NOT).within(language), ""
        command = read(text, quoted or "")
        if command.verb == "pair" and not command.why:
            is_known = self._pairing.heard(command.code, asker.chat, asker.user, is_group=asker.is_group)
            return (PAIRED if is_known else CODE_UNKNOWN).within(language), ""
        if not self._may(asker):
            return MAY_NOT.within(language), ""
        reply = self._desk.do(command, self._name(asker), _where(asker), self._is_seen(asker))
        self._report(reply.text if reply.incident is not None and reply.other is None else "")
        return reply.text, reply.file

    # Clicks.

    def _clicked(self, asker: Asker, event: Json, req_id: str) -> None:
        task_id, key = event.get("task_id"), event.get("event_key")
        found = pressed(key) if isinstance(key, str) else None
        if found is None or not isinstance(task_id, str) or not self._has_room(asker):
            return
        if not self._may(asker):
            self._push(asker, MAY_NOT.within(self._language))
            return
        if found.verb in ("details", "list"):
            reply = self._desk.do(Command(found.verb, found.short_id), self._name(asker), _where(asker))
            self._push(asker, reply.text)
            self._attach(asker, found.short_id, reply.file)
            return
        incident = self._find(found.short_id)
        if incident is not None and not _is_outdated(incident, found):
            command = Command(found.verb, found.short_id, _length(event, incident))
            reply = self._desk.do(command, self._name(asker), _where(asker), self._is_seen(asker))
            incident = reply.incident or self._find(found.short_id)
            self._report(reply.text if reply.other is None else "")
        self.connection.post(
            "aibot_respond_update_msg",
            {"response_type": "update_template_card", "template_card": self._card(incident, found, task_id)},
            req_id,
        )

    def _find(self, short_id: str) -> Incident | None:
        try:
            found, _ = self._desk.find(short_id)
        except StateError:
            return None
        return found[0][2] if found else None

    def _card(self, incident: Incident | None, found: Pressed, task_id: str) -> Json:
        """The incident as it is now."""
        now = time.time()
        if incident is None:
            body = no_card(found.short_id, self._language, now)
        else:
            last = incident.answers.journal[-1:]
            made = max([now, incident.began, incident.since, *(answer.at for answer in last)])  # a clock may go back
            lengths = offered(incident.answers.quiet_limit_s)
            in_force = incident.answers.now
            if in_force is not None and (life.comes_again(incident) or 0 < in_force.until <= now):
                in_force = None
            verb = "" if in_force is None else in_force.verb
            body = card(_digest(incident, found.short_id, now), self._language, made, lengths=lengths, in_force=verb)
        return {**body, "task_id": task_id}

    def _push(self, asker: Asker, text: str) -> None:
        """A text beside a click: that has room for a card alone."""
        body = {"chatid": asker.chat, "msgtype": "markdown", "markdown": {"content": text}}
        self.connection.post("aibot_send_msg", body)

    def _attach(self, asker: Asker, name: str, text: str) -> None:
        """A file, by a thread of its own: an upload has several answers to wait for. One at a time."""
        if text and self._uploading.acquire(blocking=False):
            try:
                threading.Thread(
                    target=self._upload,
                    args=(asker, f"{name}.txt", text),
                    name="wecom-logging-aibot-file",
                    daemon=True,
                ).start()
            except RuntimeError:  # no thread to be had: the next details may get one
                self._uploading.release()
                self.connection.say("details", "a file of details could not be sent: no thread can be started")

    def _upload(self, asker: Asker, name: str, text: str) -> None:
        try:
            media_id = upload(self.connection, name, text.encode("utf-8", "replace"))
            self.connection.post(
                "aibot_send_msg", {"chatid": asker.chat, "msgtype": "file", "file": {"media_id": media_id}}
            )
        except (WeComError, MessageError) as error:
            self.connection.say("details", f"a file of details could not be sent: {error}")
        finally:
            self._uploading.release()

    # Who, and how often.

    def _may(self, asker: Asker) -> bool:
        is_known = self._user(asker) in self._answerers or asker.user in self._answerers
        return asker.chat in self._chats or is_known or self._is_meant(asker.chat)

    def _is_meant(self, chat: str) -> bool:
        """Whether an alert of another process went into a chat: those in it may answer."""
        if chat not in self._meant and (now := self._clock()) >= self._meant_until:
            self._meant, self._meant_until = self._desk.chats(self._channel), now + MEANT_S
        return chat in self._meant

    def _name(self, asker: Asker) -> str:
        user = self._user(asker)
        return inert.line(self._answerers.get(user) or self._answerers.get(asker.user) or user)

    def _user(self, asker: Asker) -> str:
        return self._plain_id(asker.user)

    def _has_room(self, asker: Asker) -> bool:
        """Whether WeCom takes an answer into this chat now: what cannot be answered is not done either."""
        now = self._clock()
        if self._answered.wait((asker.chat,), ANSWERS, now) > 0 or self._windows.reserve((asker.chat,), ALL, now) > 0:
            return False
        return self._answered.reserve((asker.chat,), ANSWERS, now) <= 0

    def _is_seen(self, asker: Asker) -> IsSeen:
        """What went into this chat alone: all its readers see the answer."""

        def is_seen(channel: str, incident: Incident) -> bool:
            return channel == self._channel and frozenset(chats_of(incident) or self._chats) == {asker.chat}

        return is_seen

    def _report(self, line: str) -> None:
        if line:
            self.tell(line)


def _asker(body: Json) -> Asker | None:
    sender = body.get("from")
    user = sender.get("userid") if isinstance(sender, dict) else None
    if not isinstance(user, str) or not user or len(user) > MAX_ID:
        return None
    chat = body.get("chatid")
    if isinstance(chat, str) and len(chat) > MAX_ID:
        return None
    is_group = isinstance(chat, str) and bool(chat) and body.get("chattype") != "single"
    return Asker(user, str(chat) if is_group else user, is_group)


def _where(asker: Asker) -> str:
    """The place of an answer, as `incidents` shows it."""
    return f"chat {asker.chat}"[:64]


def _text_of(message: object) -> str | None:
    """What was typed, or spoken; None where it has no words."""
    if not isinstance(message, Mapping):
        return None
    kind = message.get("msgtype")
    if kind == "mixed":
        items = message.get("mixed", {}).get("msg_item") if isinstance(message.get("mixed"), Mapping) else None
        texts = [_text_of(item) for item in items] if isinstance(items, list) else []
        return " ".join(filter(None, texts)) or None
    part = message.get(kind) if isinstance(kind, str) and kind in ("text", "voice", "markdown") else None
    content = part.get("content") if isinstance(part, Mapping) else None
    return content if isinstance(content, str) else None


def _length(event: Json, incident: Incident) -> float:
    """Which length of the drop-down was chosen; without one, the first that is offered."""
    items = event.get("selected_items")
    items = items.get("selected_item") if isinstance(items, dict) else items
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("question_key") == LENGTH_QUESTION:
            ids = item.get("option_ids")
            ids = ids.get("option_id") if isinstance(ids, dict) else ids
            for one in ids if isinstance(ids, list) else ():
                if isinstance(one, str) and len(one) < 16 and (found := seconds(one)) is not None:
                    return found
    lengths = offered(incident.answers.quiet_limit_s)
    return (seconds(lengths[0]) if lengths else None) or incident.answers.quiet_limit_s


def _is_outdated(incident: Incident, found: Pressed) -> bool:
    """Whether it is another one since, or somebody did something with it after the card was made."""
    began = incident.since if life.comes_again(incident) else incident.began
    return began > found.made + 1.0 or any(answer.at > found.made + 0.001 for answer in incident.answers.journal)


def _digest(incident: Incident, short_id: str, now: float) -> Digest:
    """As a card shows it: with what a person did last, also where that has been told."""
    last = incident.answers.journal[-1] if incident.answers.journal and not life.comes_again(incident) else None
    return Digest(
        incident.first.alert,
        answer=last,
        answered_s=0.0 if last is None else max(now - last.at, 0.0),
        count=max(incident.untold, 1),
        total=max(life.total(incident), 1),
        since=incident.began,
        last=incident.last,
        hosts=incident.hosts,
        processes=incident.processes,
        short_id=short_id,
    )


class Job(Protocol):
    """A handler's pipeline."""

    def finished(self) -> bool:
        """Whether nothing will ever be sent by it again."""
