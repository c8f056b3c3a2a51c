"""One WebSocket of the AI bot, and what may be answered on it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..fields import COMPACT

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

TICKETS = 1000


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
    """``silent``: nothing that comes is done or answered. ``sending`` keeps an answer before what follows from it."""

    def __init__(self, connection: Connection, since: float, ip: str) -> None:
        self._connection = connection
        self.since = since
        self.ip = ip
        self.sending = threading.Lock()
        self.silent = False
        self.tickets: dict[str, Ticket] = {}

    def keep(self, req_id: str, ticket: Ticket) -> None:
        """The newest thousand."""
        self.tickets[req_id] = ticket
        if len(self.tickets) > TICKETS:
            del self.tickets[next(iter(self.tickets))]

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

    def end(self, how: int) -> None:
        """The socket, without the handshake of WebSockets; ``how`` is that of ``shutdown``."""
        try:
            self._connection.socket.shutdown(how)
        except OSError:
            pass  # the client was faster
