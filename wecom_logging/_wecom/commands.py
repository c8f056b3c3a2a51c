"""`Commands`: what any thread asks of a bot's long connection, and what becomes of it; the first is to subscribe.

Source: https://developer.work.weixin.qq.com/document/path/101463
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import AnswerLostError, BadResponseError, RequestTimeout, WeComError
from ..model import Secret
from .body import Json, decode, errcode_of
from .errcodes import api_error
from .web_socket import WebSocket, as_ours, connect

MAX_WAITING = 1000
_IDS = itertools.count(1)


def new_id(cmd: str) -> str:
    """A ``req_id`` of our own: both official SDKs begin it with the command, too."""
    return f"{cmd}_{os.getpid()}_{next(_IDS)}"


def frame_of(cmd: str, req_id: str, body: Mapping[str, Any] | None = None) -> str:
    frame: Json = {"cmd": cmd, "headers": {"req_id": req_id}}
    if body is not None:
        frame["body"] = body
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()


def too_late(host: str) -> WeComError:
    """Of what was not written."""
    return RequestTimeout(f"the connection to {host} was not open in time")


def lost(host: str) -> WeComError:
    """Of what was written."""
    return AnswerLostError(f"{host} did not answer: it is not known whether the message arrived")


@dataclass(slots=True, eq=False)
class Command:
    """``done`` is set when ``answer`` is there: WeCom's, not checked, or why there is none."""

    cmd: str
    req_id: str
    frame: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: Json | WeComError | None = None
    is_written: bool = False
    is_repeated: bool = False

    def end(self, answer: Json | WeComError) -> None:
        self.answer = answer
        self.done.set()


class Commands:
    """Those that wait to be written, and those that wait for an answer. Any thread may ask."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._queue: deque[Command] = deque()
        self._asked: dict[str, Command] = {}
        self._waited_for: dict[str, Command] = {}

    @property
    def wait(self) -> bool:
        """Whether one waits to be written."""
        return bool(self._queue)

    @property
    def are_done(self) -> bool:
        """Whether none waits, and no thread for an answer."""
        return not (self._queue or self._waited_for)

    def ask(self, cmd: str, body: Mapping[str, Any]) -> Command:
        """One more, and wait for its answer; `withdraw` ends that."""
        command = self.put(cmd, body)
        self._waited_for[command.req_id] = command
        return command

    def put(self, cmd: str, body: Mapping[str, Any] | None, req_id: str = "") -> Command:
        """One more. It has ended where too many wait."""
        req_id = req_id or new_id(cmd)
        command = Command(cmd, req_id, frame_of(cmd, req_id, body))
        with self._lock:
            is_full = len(self._queue) >= MAX_WAITING
            if not is_full:
                self._queue.append(command)
        if is_full:
            command.end(too_late(self._host))
        return command

    def withdraw(self, command: Command, error: WeComError | None) -> Json:
        """By who has waited long enough: the answer, or its error; ``error`` is why nothing could be written."""
        self._waited_for.pop(command.req_id, None)
        with self._lock:
            self._asked.pop(command.req_id, None)
            with contextlib.suppress(ValueError):  # it is written
                self._queue.remove(command)
            if command.answer is None:
                command.answer = lost(self._host) if command.is_written else error or too_late(self._host)
        if isinstance(command.answer, WeComError):
            raise command.answer.with_traceback(None)
        return command.answer

    # The thread of the connection.

    def to_write(self) -> Command | None:
        """The next, which counts as written from now on."""
        with self._lock:
            if not self._queue:
                return None
            command = self._queue.popleft()
            command.is_written = True
            self._asked[command.req_id] = command
            while len(self._asked) > MAX_WAITING:  # answers to what no thread waits for may never come
                del self._asked[next(iter(self._asked))]
            return command

    def waits_for(self, req_id: str) -> bool:
        """Whether that is the id of one of ours to which an answer is to come: no event of WeCom's has it."""
        return req_id in self._waited_for

    def answered(self, req_id: str) -> Command | None:
        """The one that this is the answer to."""
        with self._lock:
            return self._asked.pop(req_id, None)

    def put_back(self, command: Command) -> None:
        """It was refused before a person has seen it: it is the next, once more."""
        command.is_repeated, command.is_written = True, False
        with self._lock:
            self._queue.appendleft(command)

    def refuse(self, error: WeComError) -> None:
        """What waits to be written is not."""
        with self._lock:
            waiting, self._queue = list(self._queue), deque()
        for command in waiting:
            command.end(error)

    def lose(self) -> None:
        """What was written and not answered is lost; what was not written waits for the next connection."""
        with self._lock:
            asked, self._asked = list(self._asked.values()), {}
        for command in asked:
            command.end(lost(self._host))


def subscribed(url: str, host: str, bot_id: str, secret: Secret, timeout_s: float) -> WebSocket:
    """One that gets what happens to the bot. Raises `WeComError`."""
    found = connect(url, host, timeout_s)
    try:
        req_id = new_id("aibot_subscribe")
        found.send(frame_of("aibot_subscribe", req_id, {"bot_id": bot_id, "secret": secret.reveal()}))
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends and (data := found.read(ends)) is not None:
            frame = frame_in(data)
            if frame is not None and frame.get("headers", {}).get("req_id") == req_id and "cmd" not in frame:
                checked(frame, "aibot_subscribe", secret)
                return found
        raise RequestTimeout(f"{host} did not answer the subscription in time")
    except BaseException as error:
        found.close()
        raise as_ours(error, host) from None


def frame_in(data: bytes) -> Json | None:
    """A message as a frame of WeCom's; None for what is none."""
    found = decode(data)
    return found if found is not None and isinstance(found.get("headers", {}), dict) else None


def checked(answer: Json, cmd: str, secret: Secret) -> Json:
    """An answer of WeCom's to a command. Raises `BadResponseError` where it is none, `APIError` where it refuses."""
    errcode = errcode_of(answer)
    if errcode is None:
        raise BadResponseError(f"the answer to {cmd} has no whole number errcode")
    if errcode != 0:
        raise api_error(errcode, str(answer.get("errmsg", "")).replace(secret.reveal(), "***"), cmd)
    return answer
