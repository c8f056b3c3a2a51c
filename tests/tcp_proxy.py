"""A TCP proxy between a client and a server of a test, which can refuse, reset and hold what passes."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
from collections.abc import Iterable

HOST = "127.0.0.1"


class TcpProxy:
    """Listens while its ``with`` block runs. ``fates`` says of each connection how many bytes to the server pass.

    None, and where nothing is said: all. After the others it is reset; with 0, before the server hears of it.
    """

    def __init__(self, target_port: int, fates: Iterable[int | None] = ()) -> None:
        self.target_port = target_port
        """May be changed: new connections go there."""
        self._fates = itertools.chain(fates, itertools.repeat(None))
        self._moving = threading.Event()
        self._moving.set()
        self._stopping = False
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def hold(self) -> None:
        """Nothing passes from now on; connections stay open, and new ones are taken."""
        self._moving.clear()

    def go_on(self) -> None:
        """What was held passes, and all that comes."""
        self._moving.set()

    def reset_all(self) -> None:
        """Cut all connections that there are."""
        with self._lock:
            for sock in self._sockets:
                _reset(sock)

    def __enter__(self) -> TcpProxy:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # a client soon has to wait for us
        self._listener.bind((HOST, 0))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._moving.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self.reset_all()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()
        for sock in self._sockets:
            sock.close()

    def _run(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name="tcp-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the listener was closed
                return
            self.connections += 1
            fate = next(self._fates)
            with self._lock:
                self._sockets.add(client)
            if fate == 0:
                _reset(client)
                continue
            server = socket.create_connection((HOST, self.target_port))
            with self._lock:
                self._sockets.add(server)
            self._run(self._pass, client, server, fate)
            self._run(self._pass, server, client, None)

    def _pass(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        left = most
        try:
            while data := source.recv(65536 if left is None else min(left, 65536)):
                self._moving.wait()
                target.sendall(data)
                if left is not None and (left := left - len(data)) <= 0:
                    _reset(source)
                    _reset(target)
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(target)


def _reset(sock: socket.socket) -> None:
    """RST, also under the hands of the thread that reads from it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RD)
        sock.close()
    except OSError:  # it is cut already
        pass
