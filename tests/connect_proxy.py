"""An HTTP proxy of the kind that companies have: it opens tunnels (CONNECT) for whoever knows the password."""

from __future__ import annotations

import base64
import socket
import threading

HOST = "127.0.0.1"


class ConnectProxy:
    """Listens while its ``with`` block runs. Every tunnel leads to one port of this machine."""

    def __init__(self, target_port: int, *, login: str = "", port: int = 0) -> None:
        self._target_port = target_port
        self._wanted = base64.b64encode(login.encode()).decode() if login else ""
        self._wanted_port = port
        self.asked: list[str] = []
        """The first lines of all that was asked."""

    def __enter__(self) -> ConnectProxy:
        self._listener = socket.create_server((HOST, self._wanted_port))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            _cut(sock)

    def url(self, login: str = "") -> str:
        return f"http://{login}{'@' if login else ''}{HOST}:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the listener was closed
                return
            self._sockets.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := client.recv(4096)):
                return
            head += data
        self.asked.append(head.decode("latin-1").split("\r\n")[0])
        if self._wanted and f"Basic {self._wanted}".encode() not in head:
            client.sendall(b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
            _cut(client)
            return
        server = socket.create_connection((HOST, self._target_port))
        self._sockets.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:  # one side has gone: so does the other
        pass
    _cut(source)
    _cut(target)


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is cut already
        pass
    sock.close()
