"""What a subscriber may ask for: push, reply, welcome, rewrite a card, upload. All of it under the corp's lock.

https://developer.work.weixin.qq.com/document/path/101463. Pushes and replies of a chat share one limit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..content import check_content
from ..corp import Corp
from ..fields import Fields
from ..limits import Limit, Newest, SlidingWindow
from ..mailbox import Rewrite
from ..media import FILE, IMAGE, MIB, VIDEO, VOICE
from ..refusal import Refusal, known, refuse_if
from .content import PUSH_CHECKS, REPLY_CHECKS, STREAM, WELCOME_CHECKS, shown_of
from .state import Line, Ticket

LIMITS = (Limit(30, 60), Limit(1000, 3600))
STREAM_S = 600
STREAMS = 1000
SINGLE, GROUP = 1, 2

Given = dict[str, Any]
UPLOADED = (Limit(30, 60), Limit(1000, 3600))
LIFE_S = 1800
MIN_BYTES = 5
NAME_BYTES = 256
MAX_CHUNKS = 100
CHUNK_BYTES = 512 * 1024
OPEN_BYTES = 64 * MIB
KINDS = {
    kind.name: replace(kind, min_bytes=MIN_BYTES) for kind in (replace(IMAGE, max_bytes=2 * MIB), VOICE, VIDEO, FILE)
}
"""Copies of the page differ about images, 2 or 10 MB: here the smaller one."""


@dataclass(frozen=True, slots=True)
class Stream:
    message: str
    began: float
    finished: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A chat: ``id`` is a group's, or the member's in a single chat."""

    id: str
    users: tuple[str, ...]
    is_group: bool


class Commands:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._find = partial(corp.media.find, owner=corp.aibot.id)
        self._rate = corp.rates["aibot"] = SlidingWindow(corp.clock, *LIMITS)
        self._streams: Newest[tuple[str, str], Stream] = Newest(STREAMS)
        """Of a callback's req_id and an id that the bot chose."""
        uploads = Uploads(corp)
        self.known: dict[str, Callable[[Line, str, Fields], Given]] = {
            "aibot_send_msg": self._push,
            "aibot_respond_msg": self._reply,
            "aibot_respond_welcome_msg": self._welcome,
            "aibot_respond_update_msg": self._rewrite,
            "aibot_upload_media_init": lambda line, req_id, body: uploads.begin(body),
            "aibot_upload_media_chunk": lambda line, req_id, body: uploads.take(body),
            "aibot_upload_media_finish": lambda line, req_id, body: uploads.finish(body),
        }

    def run(self, line: Line, cmd: str, req_id: str, body: Fields) -> Given:
        return known(self.known.get(cmd), 40008, f"cmd {cmd[:60]!r} is unknown")(line, req_id, body)

    def _push(self, line: Line, req_id: str, body: Fields) -> Given:
        """Only where a member wrote to the bot before, and no ``text``. The answer has no id of the message."""
        place = self._addressed(body)
        self._post(body, place, *check_content(body, PUSH_CHECKS, self._find))
        return {}

    def _reply(self, line: Line, req_id: str, body: Fields) -> Given:
        """To what a member wrote, for 24 hours, as often as the bot likes."""
        ticket = self._ticket(line, req_id, "message")
        msgtype, content = check_content(body, REPLY_CHECKS, self._find)
        place = self._place(ticket)
        if msgtype == STREAM:
            self._stream(req_id, body, place, content)
        else:
            self._post(body, place, msgtype, content)
        return {}

    def _welcome(self, line: Line, req_id: str, body: Fields) -> Given:
        ticket = self._ticket(line, req_id, "enter")
        self._post(body, self._place(ticket), *check_content(body, WELCOME_CHECKS, self._find))
        del line.tickets[req_id]
        return {}

    def _rewrite(self, line: Line, req_id: str, body: Fields) -> Given:
        """Once for a click, within five seconds; for those whom ``userids`` names, or for all who see the card."""
        ticket = self._ticket(line, req_id, "click")
        is_other = body.text("response_type") != "update_template_card"
        body.refuse_if(is_other, "response_type", "must be update_template_card")
        card, message = body.part("template_card"), self._corp.mailbox.find(ticket.message)
        content = shown_of(card, self._find)
        if message is None:  # forgotten meanwhile: there is nothing to be seen
            del line.tickets[req_id]
            return {}
        refuse_if(card.text("task_id") != message.task_id, 42014)
        named = body.texts("userids")
        found = [user for id in named if (user := self._corp.aibot.plain(id))]
        users = tuple(user for user in dict.fromkeys(found) if user in message.cards)
        body.refuse_if(named and not users, "userids", "names no member who sees the card")
        users = users or tuple(message.cards)
        del line.tickets[req_id]
        rewrite = Rewrite(self._corp.clock(), ticket.user, users, dict(card.values))
        self._corp.mailbox.replace(message.rewritten(rewrite, content))
        return {}

    def _addressed(self, body: Fields) -> Place:
        """``chat_type`` 1 is a single chat, 2 a group; without one groups are looked through first."""
        id, kind = body.text("chatid"), body.number("chat_type")
        body.refuse_if(kind not in (0, SINGLE, GROUP), "chat_type", "must be 1 or 2")
        refuse_if(not id, 86201)
        state = self._corp.aibot
        group = state.groups.get(id) if kind != SINGLE else None
        refuse_if(group is not None and group.left, 93008)
        if group is not None and group.written:
            return Place(id, tuple(group.users), True)
        user = state.plain(id) if kind != GROUP and group is None else None
        if user is None or user.lower() not in state.written:
            raise Refusal(93006)
        return Place(user, (user,), False)

    def _place(self, ticket: Ticket) -> Place:
        group = self._corp.aibot.groups.get(ticket.chat)
        refuse_if(group is not None and group.left, 93008)
        return Place(ticket.chat, tuple(group.users) if group else (ticket.user,), group is not None)

    def _ticket(self, line: Line, req_id: str, kind: str) -> Ticket:
        """846605 for one that this connection never got, that is too old or used, or that wants another command."""
        ticket = line.tickets.get(req_id)
        if ticket is None or ticket.kind != kind or ticket.until < self._corp.clock():
            raise Refusal(846605)
        return ticket

    def _post(self, body: Fields, place: Place, msgtype: str, content: str) -> str:
        state, card = self._corp.aibot, body.part("template_card")
        is_card = msgtype == "template_card"
        refuse_if(is_card and place.is_group and not state.group_cards, 40008, "template_card is for single chats")
        task_id = card.text("task_id") if is_card else ""
        refuse_if(task_id in state.tasks, 42014)
        refuse_if(not self._rate.admits(place.id), 846607)
        cards = {user: dict(card.values) for user in place.users} if is_card else {}
        about = {"receivers": place.users, "chat": place.id, "task_id": task_id, "cards": cards}
        message = self._corp.post("aibot", msgtype, content, body, **about)
        if task_id:
            state.tasks[task_id] = message.id
        return message.id

    def _stream(self, req_id: str, body: Fields, place: Place, content: str) -> None:
        """A text that grows: the first frame is a message, those after it put their text in its place, for 10 min."""
        part, now = body.part(STREAM), self._corp.clock()
        key = req_id, part.text("id")
        stream = self._streams.get(key)
        if stream is None:
            stream = Stream(self._post(body, place, STREAM, content), now, False)
        elif stream.finished or stream.began + STREAM_S <= now:
            raise Refusal(846608)
        elif message := self._corp.mailbox.find(stream.message):
            self._corp.mailbox.replace(replace(message, content=content, request=body.as_bytes()))
        self._streams[key] = replace(stream, finished=part.flag("finish", False))


@dataclass(slots=True)
class Upload:
    kind: str
    name: str
    size: int
    count: int
    md5: str
    until: float
    chunks: dict[int, bytes] = field(default_factory=dict)


class Uploads:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._rate = SlidingWindow(corp.clock, *UPLOADED)
        self._open: dict[str, Upload] = {}

    def begin(self, body: Fields) -> dict[str, Any]:
        size, count = body.number("total_size"), body.number("total_chunks")
        for name in ("type", "filename", "total_size", "total_chunks"):
            body.missing_if(not body.has(name), name)
        kind = known(KINDS.get(body.text("type")), 40005)
        is_named = 0 < len(body.text("filename").encode()) <= NAME_BYTES
        body.refuse_if(not is_named, "filename", f"must have 1 to {NAME_BYTES} bytes")
        refuse_if(size < MIN_BYTES, 40006)
        refuse_if(size > kind.max_bytes, kind.too_large)
        body.refuse_if(not 1 <= count <= MAX_CHUNKS, "total_chunks", f"must be 1 to {MAX_CHUNKS}")
        refuse_if(not self._rate.admits(0), 45009)
        while self._open and sum(upload.size for upload in self._open.values()) + size > OPEN_BYTES:
            del self._open[next(iter(self._open))]
        id = secrets.token_urlsafe(24)
        until = self._corp.clock() + LIFE_S
        self._open[id] = Upload(kind.name, body.text("filename"), size, count, body.text("md5"), until)
        return {"upload_id": id}

    def take(self, body: Fields) -> dict[str, Any]:
        """In any order; a piece that comes again is the same piece."""
        upload, index = self._find(body), body.number("chunk_index", -1)
        body.refuse_if(not 0 <= index < upload.count, "chunk_index", f"must be 0 to {upload.count - 1}")
        try:
            data = base64.b64decode(body.text("base64_data"), validate=True)
        except (binascii.Error, ValueError):
            raise body.wrong("base64_data", "is no base64") from None
        others = sum(len(chunk) for at, chunk in upload.chunks.items() if at != index)
        if not 0 < len(data) <= CHUNK_BYTES or others + len(data) > upload.size:
            raise body.wrong("base64_data", f"must have 1 to {CHUNK_BYTES} bytes, and all no more than total_size")
        upload.chunks[index] = data
        return {}

    def finish(self, body: Fields) -> dict[str, Any]:
        upload = self._find(body)
        data = b"".join(upload.chunks[index] for index in sorted(upload.chunks))
        if len(upload.chunks) < upload.count or len(data) != upload.size:
            raise body.wrong("upload_id", f"has {len(data)} of {upload.size} bytes")
        refuse_if(upload.md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != upload.md5.lower(), 301019)
        media = self._corp.media.add(KINDS[upload.kind], upload.name, io.BytesIO(data), self._corp.aibot.id)
        del self._open[body.text("upload_id")]
        return {"type": media.kind, "media_id": media.id, "created_at": int(media.created)}

    def _find(self, body: Fields) -> Upload:
        upload = self._open.get(body.text("upload_id"))
        if upload is None or upload.until <= self._corp.clock():
            raise body.wrong("upload_id", "is unknown, or older than 30 minutes")
        return upload
