"""An AI bot (智能机器人): as a channel, its one connection in this process, and who is behind its encrypted user ids.

It pushes into the chats in which a person wrote to it before. Sources:
https://developer.work.weixin.qq.com/document/path/101463 and …/101521
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from .._masking.redact import remember
from .._runtime.clock import within
from .._runtime.warn import warn_once
from .._text.sha256 import sha256
from ..errors import APIError, BadResponseError, MessageError, TransportError, WeComError
from ..model import Call, File, Image, Markdown, Message, Outcome, Recipients, Secret, TemplateCard, Text
from ..model.message import Answerable
from .body import AIBOT_BYTES, AIBOT_MEDIA, MAX_AIBOT_BYTES, Json, check_bytes, content
from .directory_checks import is_user_id
from .errcodes import Verdict, lookup
from .http import load_libraries
from .long_connection import LongConnection
from .messages import check_upload
from .token import Access, Caller

_CHUNK = 512 * 1024
_KNOWN = 64
_DECIDES_S = 2.0
TASK_ID_USED = 42014
CHAT_REFUSED = frozenset((93001, 93006, 93008))
"""No person wrote to the bot there, or it is not in that group."""
_FINAL = (Verdict.PAYLOAD, Verdict.TARGET, Verdict.UNKNOWN)
_REFUSALS = 2
"""After so many cards that a chat has refused, one after the other, it gets the words at once."""


class AIBotChannel:
    """Messages into chats: user ids, and ids of groups. ``chats`` are those of alerts that come from this process.

    What another process has left goes into the chats that it was meant for. Other recipients have no meaning here.
    """

    max_bytes: Mapping[type, int] = AIBOT_BYTES
    mentions = False

    def __init__(self, connection: LongConnection, chats: tuple[str, ...]) -> None:
        self.connection = connection
        self.chats = chats
        self.identity = connection.identity
        self._refused: dict[str, int] = {}
        """How many cards a chat has refused, one after the other."""
        self._arrived: OrderedDict[str, dict[str, WeComError | None]] = OrderedDict()

    def load(self) -> None:
        import websocket  # noqa: F401 # loading it is the purpose

        load_libraries()

    def begin(self) -> None:
        """Open the connection, in a thread of its own, and know whether it is this process's."""
        with contextlib.suppress(WeComError):  # said by the first message
            self.connection.decide(_DECIDES_S)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process sends, and this one has to wait."""
        return self.connection.is_elsewhere

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return self.addressed(recipients).chats

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return Recipients(chats=(recipients and recipients.chats) or self.chats)

    def known(self, recipients: Recipients | None) -> Recipients:
        return self.addressed(recipients)

    def deliver(
        self, message: Message | Answerable, recipients: Recipients | None, before_try: Callable[[], None]
    ) -> Outcome:
        """Push it into each chat, into none twice. What a chat refuses for good does not keep it from the others."""
        before_try()
        chats = self.receivers(recipients)
        key = sha256(repr((chats, message))).hexdigest()
        arrived = self._arrived.setdefault(key, {})
        while len(self._arrived) > _KNOWN:
            self._arrived.popitem(last=False)
        later: WeComError | None = None
        for chat in chats:
            if chat in arrived:
                continue
            try:
                self._push(chat, message)
                arrived[chat] = None
            except WeComError as error:
                if _is_final(error):
                    arrived[chat] = error
                else:
                    later = later or error
                    if isinstance(error, TransportError):
                        break
        if later is not None:
            raise later
        del self._arrived[key]
        failed = {chat: error for chat, error in arrived.items() if error is not None}
        if len(failed) == len(chats):
            raise next(iter(failed.values()))
        same: dict[str, list[str]] = {}
        for chat, why in failed.items():
            same.setdefault(str(why), []).append(chat)
        warning = "; ".join(f"chat {', '.join(those)}: {why}" for why, those in same.items())
        return Outcome("partial" if failed else "delivered", invalid_users=tuple(failed), warning=warning)

    def _push(self, chat: str, message: Message | Answerable) -> None:
        if not isinstance(message, Answerable):
            self._send(chat, message)
            return
        if (refused := self._refused.pop(chat, 0)) < _REFUSALS:
            card, mark = dict(message.card.body), sha256(chat).hexdigest()[:8]
            card["task_id"] = f"{card['task_id']}-{mark}"  # no two cards of a bot have the same
            try:
                self._send(chat, TemplateCard(card))
            except APIError as error:
                if error.errcode == TASK_ID_USED:  # it has arrived: a process that ended since had sent it
                    return
                if lookup(error.errcode).verdict is not Verdict.PAYLOAD:
                    raise
                refused += 1
            else:
                return
        self._refused[chat] = refused
        while len(self._refused) > _KNOWN:
            del self._refused[next(iter(self._refused))]
        self._send(chat, message.words)

    def _send(self, chat: str, message: Message) -> None:
        body: dict[str, Any] = {"chatid": chat, **content(_as_markdown(message))}
        self.connection.request("aibot_send_msg", body)

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        return ()

    def upload(self, name: str, data: bytes) -> File:
        return File(upload(self.connection, name, data))

    def picture(self, data: bytes) -> Image:
        return Image(upload(self.connection, "picture.png", data, "image"))


def upload(connection: LongConnection, name: str, data: bytes, kind: str = "file") -> str:
    """Upload a file (20 MiB) or an image (2 MiB) and return its ``media_id``: three days, this bot only.

    Raises `MessageError` and `WeComError`. Not in the connection's own thread: it waits for the answers.
    """
    check_upload(name, data, kind, AIBOT_MEDIA)
    chunks = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()  # WeCom's checksum, not a secret's
    init = {"type": kind, "filename": name, "total_size": len(data), "total_chunks": len(chunks), "md5": digest}
    upload_id = _id(connection.request("aibot_upload_media_init", init), "upload_id")
    for index, chunk in enumerate(chunks):
        piece = base64.b64encode(chunk).decode()
        body = {"upload_id": upload_id, "chunk_index": index, "base64_data": piece}
        connection.request("aibot_upload_media_chunk", body)
    return _id(connection.request("aibot_upload_media_finish", {"upload_id": upload_id}), "media_id")


def _id(answer: Mapping[str, Any], name: str) -> str:
    body = answer.get("body")
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, str) or not found:
        raise BadResponseError(f"the answer to the upload has no {name}")
    return found


def _is_final(error: WeComError) -> bool:
    """Whether the same message into the same chat cannot be taken later, too."""
    if not isinstance(error, APIError):
        return not isinstance(error, TransportError)
    return error.errcode in CHAT_REFUSED or lookup(error.errcode).verdict in _FINAL


def _as_markdown(message: Message) -> Message:
    """What an AI bot takes: it has no text. Raises `MessageError`."""
    if isinstance(message, Text):
        message = Markdown("```\n" + message.content.replace("```", "'''") + "\n```")
    elif isinstance(message, Markdown):
        message = Markdown(quotes_apart(message.content))
    if isinstance(message, Image) and not message.media_id:
        raise MessageError("image.media_id: an AI bot sends an image that was uploaded")
    if not isinstance(message, Markdown | TemplateCard | File | Image):
        raise MessageError(f"{type(message).__name__}: an AI bot sends markdown, cards, files and images")
    if isinstance(message, Markdown):
        check_bytes("markdown.content", message.content, MAX_AIBOT_BYTES)
    return message


_END_OF_QUOTE = re.compile(r"^>.*\n(?!>|\n)", re.MULTILINE)


def quotes_apart(text: str) -> str:
    """With an empty line after each quote: in the second markdown the line after one belongs to it."""
    return _END_OF_QUOTE.sub(r"\g<0>\n", text)


def words(text: str) -> Json:
    """A text in markdown, as it is sent."""
    return content(Markdown(quotes_apart(text)))


_ENCRYPTED = re.compile(r"w[om][0-9A-Za-z_-]{20,62}")
_MOST = 1000
_LOOK_UP_S = 2.0
"""A click waits for it, and has 5 s."""
KEPT_S = 3600.0
_BACK_OFF_S = 60.0
"""For so long no id is looked up after that failed."""


class People:
    """Who is behind a user id that the bot tells. Where WeCom does not say, the id stays as it is."""

    def __init__(
        self, client: Caller, say: Callable[[str, str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._say = say
        self._clock = clock
        self._plain: dict[str, tuple[str, float]] = {}
        self._names: dict[str, tuple[str, float]] = {}
        self._back_off_until = float("-inf")

    def plain(self, id: str) -> str:
        """The user id of one that may be encrypted. Takes a call of the client, once for each: two seconds at most."""
        return self._looked_up(id, self._plain, self._asked, float("inf")) if _ENCRYPTED.fullmatch(id) else id

    def name(self, id: str) -> str:
        """What a member is called, looked up once an hour; of two with one name each has the id beside it."""
        if _ENCRYPTED.fullmatch(id) or not is_user_id(id):
            return id
        name = self._looked_up(id, self._names, self._called, KEPT_S)
        is_shared = any(found == name and other != id for other, (found, _) in self._names.items())
        return f"{name} ({id})" if is_shared else name

    def _looked_up(self, id: str, known: dict[str, tuple[str, float]], ask: Callable[[str], str], kept_s: float) -> str:
        found, ends = known.get(id, (id, float("-inf")))
        now = self._clock()
        if now < ends or now < self._back_off_until:
            return found
        try:
            with within(time.monotonic() + _LOOK_UP_S):
                found = ask(id)
        except WeComError as error:
            self._back_off_until = now + _BACK_OFF_S
            self._say("openuserid", f"a user id of the AI bot could not be looked up: {error}")
            return found
        if len(known) >= _MOST:
            known.clear()
        known[id] = (found, now + kept_s)
        return found

    def _called(self, id: str) -> str:
        from .directory import Members  # a click needs it, and no log call

        try:
            return Members(self._client, Access.APP).get(id).name or id
        except APIError as error:
            if error.retryable:
                raise
            return id  # none that the app sees

    def _asked(self, id: str) -> str:
        answer = self._client.call("batch/openuserid_to_userid", {"open_userid_list": [id]})
        rows = answer.get("userid_list")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("open_userid") == id and isinstance(row.get("userid"), str):
                return str(row["userid"])
        return id


_connections: weakref.WeakValueDictionary[tuple[str, str], LongConnection] = weakref.WeakValueDictionary()


def connection_of(url: str, bot_id: str, secret: Secret, timeout_s: float) -> LongConnection:
    """The one connection that all handlers of a bot have."""
    found = _connections.get((url, bot_id))
    if found is None or found.secret != secret:
        found = _connections[url, bot_id] = LongConnection(url, bot_id, secret, timeout_s=timeout_s, say=warn_once)
        remember(secret.reveal())
    return found
