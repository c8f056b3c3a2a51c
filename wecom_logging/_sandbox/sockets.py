"""WebSockets (RFC 6455) at the sandbox's own port: a request for one is handed to the handler of its path.

The handshake and the frames are those of the library websockets, which is loaded with the first request for one.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

    Handler = Callable[[Connection, Request], None]

MAX_FRAME_BYTES = 1024 * 1024
SEND_S = 5
"""A client that does not read loses its connection."""
SILENT = logging.Logger("wecom-sandbox", logging.CRITICAL + 1)
"""Outside the program's tree of loggers: what is said here must never become an alert."""


class Sockets:
    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def on(self, path: str, handler: Handler) -> None:
        """``handler(connection, request)`` runs in a thread of its own, and the connection ends when it returns.

        ``path`` is the whole path of the URL; ``""`` stands for every path that has no handler. ``connection.recv()``
        raises ``websockets.exceptions.ConnectionClosed`` when the client goes or the sandbox stops; let it pass. No
        token was asked for, so away from loopback the handler has to know its client by a secret.
        """
        self._handlers[path] = handler

    def find(self, request: Request) -> Handler | None:
        """None where the request is an ordinary one, or no handler is there for its path."""
        if request.headers.get("Upgrade", "").strip().lower() != "websocket":
            return None
        return self._handlers.get(request.path) or self._handlers.get("")


def converse(request: Request, handler: Handler) -> Response | None:
    """Until one side ends it. A response where the handshake is wrong."""
    from websockets.exceptions import ConnectionClosed
    from websockets.http11 import Request as Asked
    from websockets.server import ServerProtocol
    from websockets.sync.connection import Connection

    if request.method != "GET":
        return Response(status=405)
    protocol = ServerProtocol(max_size=MAX_FRAME_BYTES, logger=SILENT)
    # The head of the request once more: the library reads the handshake from bytes, and no body behind it.
    headers = [f"{name}: {value}" for name, value in request.headers.items() if name != "Content-Length"]
    protocol.receive_data("\r\n".join(["GET / HTTP/1.1", *headers, "", ""]).encode("ascii", "replace"))
    asked = next(iter(protocol.events_received()), None)
    if not isinstance(asked, Asked):
        return Response(status=400)
    answer = protocol.accept(asked)
    if answer.status_code != 101:
        return Response(bytes(answer.body), answer.status_code, headers=list(answer.headers.raw_items()))
    protocol.send_response(answer)
    wire: socket.socket = request.environ["werkzeug.socket"]
    wire.sendall(b"".join(protocol.data_to_send()))
    wire.settimeout(SEND_S)  # of sending: what comes is waited for by the library
    connection = Connection(wire, protocol)
    try:
        handler(connection, request)
    except ConnectionClosed:
        pass  # as each connection ends
    finally:
        connection.close()
    return None
