"""A TCP proxy on 127.0.0.1 that is slow, silent or rude on demand: put before a server, it is a bad network."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time


class Proxy:
    """Passes on what comes. ``latency_s`` before each piece for the server.

    ``stalled``: nothing passes; ``mute``: no answer does. ``reset_every``: each so many pieces the client is reset, and
    the server never sees that piece.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self.latency_s = 0.0
        self.stalled = self.mute = False
        self.reset_every = 0
        self._pieces = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    client.close()
                    continue
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            while piece := source.recv(65536):
                if to_server:
                    self._pieces += 1
                    time.sleep(self.latency_s)
                    if self.reset_every and self._pieces % self.reset_every == 0:
                        source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                if not (self.stalled or (self.mute and not to_server)):
                    target.sendall(piece)
