"""An HTTP server on 127.0.0.1 that answers like WeCom after a settable delay, in a process of its own.

    with Server(delay_s=0.05) as server:
        …                                   # post to server.url
        print(server.look().messages)

Whatever is not WeCom's gets a 200 too, so that peers with formats of their own can be measured. It counts requests, and
the different marks (``bmk`` and six letters from a to j) in the bodies that it accepted, also in gzipped ones.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any

HOST = "127.0.0.1"
CONTROL = "/benchmarks/"
_MARK = re.compile(rb"bmk[a-j]{6}")
_LETTERS = str.maketrans("0123456789", "abcdefghij")


def mark(number: int) -> str:
    """A word of letters for a number below a million: no grouping takes two of them for the same."""
    return "bmk" + f"{number:06}".translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server counted since it was last reset."""

    requests: int
    messages: int
    """Those that WeCom would have shown: message/send and webhook/send, answered with errcode 0."""
    refused: int
    marks: int


class Probe:
    """Asks a server what it has seen, from whatever process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._port = int(url.rpartition(":")[2])
        self._line: http.client.HTTPConnection | None = None

    def look(self) -> Seen:
        return Seen(**self._ask("look"))

    def seen_at(self, word: str) -> float | None:
        """``time.monotonic()`` when a mark first came in, None if it has not."""
        found: float | None = self._ask(f"mark/{word}")["at"]
        return found

    def reset(self) -> None:
        self._ask("reset")

    def _ask(self, what: str) -> dict[str, Any]:
        if self._line is None:
            self._line = http.client.HTTPConnection(HOST, self._port, timeout=10)
        self._line.request("GET", CONTROL + what)
        answer: dict[str, Any] = json.loads(self._line.getresponse().read())
        return answer


class Server(Probe):
    """The child process, for as long as the ``with`` block runs. ``per_minute`` is WeCom's limit, 0 for none."""

    def __init__(self, *, delay_s: float = 0.0, per_minute: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(delay_s), str(per_minute)],
            stdin=subprocess.PIPE,  # its end is the child's end
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        super().__init__(f"http://{HOST}:{int(self._process.stdout.readline())}")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._line is not None:
            self._line.close()
        self._process.communicate()


class _Counts:
    """What `Seen` shows, and the limit."""

    def __init__(self, per_minute: int) -> None:
        self.lock = threading.Lock()
        self.per_minute = per_minute
        self.reset()

    def reset(self) -> None:
        self.requests = self.messages = self.refused = 0
        self.marks: dict[bytes, float] = {}
        self.accepted_at: deque[float] = deque()

    def take(self, path: str, body: bytes) -> dict[str, object]:
        """Count one request and give the answer to it."""
        now = time.monotonic()
        with self.lock:
            self.requests += 1
            if path.endswith(("/message/send", "/webhook/send")):
                while self.accepted_at and now - self.accepted_at[0] >= 60:
                    self.accepted_at.popleft()
                if self.per_minute and len(self.accepted_at) >= self.per_minute:
                    self.refused += 1
                    return {"errcode": 45009, "errmsg": "api freq out of limit"}
                self.accepted_at.append(now)
                self.messages += 1
            for word in _MARK.findall(body):
                self.marks.setdefault(word, now)
        token = {"access_token": "benchmarks", "expires_in": 7200} if path.endswith("/gettoken") else {}
        return {"errcode": 0, "errmsg": "ok", "msgid": "benchmarks", **token}

    def control(self, what: str) -> dict[str, object]:
        with self.lock:
            if what == "reset":
                self.reset()
            if what.startswith("mark/"):
                return {"at": self.marks.get(what[5:].encode())}
            return {
                "requests": self.requests,
                "messages": self.messages,
                "refused": self.refused,
                "marks": len(self.marks),
            }


def _serve(line: socket.socket, counts: _Counts, delay_s: float) -> None:
    """One kept-alive connection."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with line, line.makefile("rb") as reader:
        try:
            while first := reader.readline():
                headers = {}
                while (header := reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.partition(b":")
                    headers[name.strip().lower()] = value.strip()
                body = reader.read(int(headers.get(b"content-length", b"0")))
                path = first.split()[1].decode("latin-1").partition("?")[0]
                if path.startswith(CONTROL):
                    answer = counts.control(path.removeprefix(CONTROL))
                else:
                    if headers.get(b"content-encoding") == b"gzip":
                        body = gzip.decompress(body)
                    time.sleep(delay_s)
                    answer = counts.take(path, body)
                data = json.dumps(answer).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
                line.sendall(head.encode() + data)
                if headers.get(b"connection", b"").lower() == b"close":
                    return
        except (OSError, ValueError, IndexError):
            return  # the client went away


def _accept(listener: socket.socket, counts: _Counts, delay_s: float) -> None:
    while True:
        line, _ = listener.accept()
        threading.Thread(target=_serve, args=(line, counts, delay_s), daemon=True).start()


def main() -> None:
    delay_s, per_minute = float(sys.argv[1]), int(sys.argv[2])
    listener = socket.create_server((HOST, 0), backlog=512)
    threading.Thread(target=_accept, args=(listener, _Counts(per_minute), delay_s), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
