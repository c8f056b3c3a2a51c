"""What there is of the AI bot: its name and secret, its chats, its connections, its switches."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..directory import Directory
from ..fields import COMPACT
from ..limits import Newest

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

BOT_ID = "sandbox-aibot"
BOT_SECRET = "sandbox-aibot-secret"
NAME = "沙箱机器人"
GROUP = "sandbox-group"
CLOSE_AFTER_S = 2.0
CONNECTION = ("unsubscribe", "drop", "silence")
REMEMBERED = 10_000
TICKETS = 1000


@dataclass(slots=True)
class Group:
    """``written``: whether a member @-ed the bot there. ``left``: the bot was taken out of it."""

    id: str
    users: list[str]
    written: bool = True
    left: bool = False


class State:
    """``subscriber`` is the connection that WeCom sends to, ``lines`` are all that are open.

    ``used``: whether a program ever connected, or wrote to it. ``group_cards``: whether cards may be sent to groups.
    ``open_userids``: whether the bot learns encrypted ids in place of user ids. ``close_after_s``: how long a
    connection stays open after another one took its place.
    """

    def __init__(self, suffix: str = "") -> None:
        self.id = BOT_ID
        self.secret = BOT_SECRET + suffix
        self.subscriber: Line | None = None
        self.lines: list[Line] = []

    def begin(self, directory: Directory, creator: str) -> None:
        """Connections stay."""
        self._directory = directory
        self.groups = {GROUP: Group(GROUP, [creator])}
        self.written = {creator.lower()}
        self.entered: dict[str, int] = {}
        self.tasks: Newest[str, str] = Newest(REMEMBERED)
        self.used = bool(self.lines)
        self.group_cards = False
        self.open_userids = False
        self.close_after_s = CLOSE_AFTER_S

    def disturb(self, how: str) -> None:
        """``unsubscribe``: the subscription is gone, and the socket says nothing of it. ``drop``: all sockets end.
        ``silence``: they stay open, and nothing that comes is answered or done any more.
        """
        for line in self.lines:
            if how == "drop":
                line.end()
            line.silent = line.silent or how == "silence"
        if how != "silence":
            self.subscriber = None

    def shown(self, user_id: str) -> str:
        """The id by which the bot knows a member."""
        return open_userid(user_id) if self.open_userids else user_id

    def plain(self, id: str) -> str | None:
        """The member whom the bot calls so; None where there is none."""
        if self.open_userids:
            return all_open(self._directory).get(id)
        member = self._directory.member(id)
        return member.user_id if member else None


def open_userid(user_id: str) -> str:
    """A made-up one; the same member has always the same."""
    return "wo" + hashlib.sha256(f"open:{user_id.lower()}".encode()).hexdigest()[:30]


def all_open(directory: Directory) -> dict[str, str]:
    """From the encrypted id of each member to the plain one."""
    return {open_userid(member.user_id): member.user_id for member in directory.members.values()}


@dataclass(frozen=True, slots=True)
class Ticket:
    """The req_id of a callback: what came ("message", "click", "enter"), and until when it may be answered.

    ``chat`` is a group's id, or the member's in a single chat.
    """

    kind: str
    until: float
    chat: str
    user: str
    message: str = ""


class Line:
    """``silent``: nothing that comes is done or answered. ``sending`` keeps an answer before what follows from it.

    ``until``: when it ends unless it has subscribed.
    """

    def __init__(self, connection: Connection, ip: str, until: float) -> None:
        self._connection = connection
        self.ip = ip
        self.until = until
        self.subscribed = False
        self.sending = threading.Lock()
        self.silent = False
        self.tickets: Newest[str, Ticket] = Newest(TICKETS)

    def tell(self, frame: dict[str, Any]) -> bool:
        """Not under the corp's lock, because a client may read slowly. False where the connection is gone."""
        with self.sending:
            return self.write(frame)

    def write(self, frame: dict[str, Any]) -> bool:
        """While ``sending`` is held."""
        from websockets.exceptions import ConnectionClosed

        if self.silent:
            return False
        try:
            self._connection.send(json.dumps(frame, ensure_ascii=False, separators=COMPACT))
        except ConnectionClosed:
            return False
        return True

    def end(self) -> None:
        """The socket, without the handshake of WebSockets."""
        try:  # not that of TLS, while another thread reads
            socket.socket.shutdown(self._connection.socket, socket.SHUT_RDWR)
        except OSError:
            pass  # the client was faster
