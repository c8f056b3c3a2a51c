"""The WebSocket of the AI bot: frames come in, are done, and are answered without a ``cmd``.

https://developer.work.weixin.qq.com/document/path/101463. One bot has one subscriber: a second one takes its place, the
first is told, and its socket is closed a little later.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from ..corp import Corp
from ..faults import Fault
from ..fields import MISSING, Fields, Reading, checked, encodes
from ..journal import Exchange, hide, told
from ..mailbox import new_id
from ..refusal import OK, WARNING, Refusal, errmsg, refuse_if
from .commands import Commands
from .state import Line

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

PATH = "/aibot"
PATHS = (PATH, "/")
"""WeCom's own address has no path; clients that know no other come to the second one."""

SUBSCRIBE, PING = "aibot_subscribe", "ping"
MOST = 16
"""Open at a time beside the subscriber's: each takes four files, and can do nothing but subscribe."""
IDLE_S = 300
"""A client pings each 30 s."""
CMD_CHARS = 60
BODY_CHARS = 8000

Frame = dict[str, Any]


class Connections:
    """``idle_s``: within that time a connection subscribes, or ends."""

    def __init__(self, corp: Corp, idle_s: float) -> None:
        self._corp = corp
        self._idle_s = idle_s
        self._commands = Commands(corp)
        corp.faults.paths |= {f"{PATH}/{cmd}" for cmd in (SUBSCRIBE, PING, *self._commands.known)}

    def talk(self, connection: Connection, request: Request) -> None:
        """A handler for `Sockets`: until one side ends it."""
        line = Line(connection, request.remote_addr or "", time.monotonic() + self._idle_s)
        state = self._corp.aibot
        with self._corp.changing():
            others = [other for other in state.lines if other is not state.subscriber]
            for other in others[: 1 - MOST]:
                other.end()
            state.lines.append(line)
            state.used = True
        agent = request.headers.get("User-Agent", "")
        try:
            while (raw := self._next(line, connection)) is not None:
                if not line.silent:
                    self._hear(line, raw, agent)
        finally:
            with self._corp.changing():
                state.lines.remove(line)
                if state.subscriber is line:
                    state.subscriber = None

    def _next(self, line: Line, connection: Connection) -> str | bytes | None:
        """None where nothing came for too long, or no subscription did."""
        left = IDLE_S if line.subscribed else line.until - time.monotonic()
        try:
            return connection.recv(left) if left > 0 else None
        except TimeoutError:
            return None

    def _hear(self, line: Line, raw: str | bytes, agent: str) -> None:
        corp = self._corp
        began = time.perf_counter()
        frame = Fields(_read(raw))
        cmd, req_id, sent = frame.text("cmd"), frame.part("headers").text("req_id"), frame.part("body")
        path = f"{PATH}/{cmd[:CMD_CHARS]}"
        with corp.lock:
            number = corp.journal.open(path)
            exchange = self._exchange(path, agent, raw, sent)
            fault = corp.faults.take(path)
        corp.wait(fault.delay_s)
        if fault.drop:
            corp.close_call(number, replace(exchange, status=0), began)
            line.end()
            return
        kicked = None
        with line.sending:
            with corp.lock:
                delivered, before, reading = corp.mailbox.count, corp.aibot.subscriber, Reading(corp.strict)
                answer = self._answer(line, cmd, req_id, replace(sent, reading=reading), fault)
                if cmd == SUBSCRIBE and answer["errcode"] == 0 and before is not line:
                    kicked = before
                message = corp.mailbox.count if corp.mailbox.count > delivered else 0
                done = told(replace(exchange, message=message), answer, reading.warning, self._secrets(sent))
                corp.close_call(number, done, began, shown=cmd != PING)
            if not fault.withhold:
                line.write(answer)
        if kicked is not None:
            self._kick(kicked)

    def _answer(self, line: Line, cmd: str, req_id: str, body: Fields, fault: Fault) -> Frame:
        """The req_id of the command, no cmd, the code and its text; what the command gives is its ``body``."""
        head: Frame = {"headers": {"req_id": req_id}}
        try:
            if fault.errcode is not None:
                raise Refusal(fault.errcode)
            refuse_if(not req_id, 40058, "headers.req_id is missing")
            given = self._do(line, cmd, req_id, body)
        except Refusal as no:
            text = f"{WARNING if body.reading.doubts else ''}{no.text}"
            if no.detail.startswith(MISSING):  # WeCom answers before it knows whom: seen live
                head = {}
            if no.errcode:
                text = errmsg(no.errcode, text, now=self._corp.clock(), ip=line.ip)
            return {**head, "errcode": no.errcode, "errmsg": text}
        ok = f"{OK}. {WARNING}" if body.reading.doubts else OK
        return {**head, "errcode": 0, "errmsg": ok, **({"body": given} if given else {})}

    def _do(self, line: Line, cmd: str, req_id: str, body: Fields) -> Frame:
        state = self._corp.aibot
        if cmd == PING:
            return {}
        if cmd == SUBSCRIBE:
            known = body.text("bot_id") == state.id
            refuse_if(not hmac.compare_digest(body.text("secret").encode(), state.secret.encode()) or not known, 853000)
            state.subscriber = line
            line.subscribed = True
            return {}
        refuse_if(state.subscriber is not line, 846609)
        return self._commands.run(line, cmd, req_id, body)

    def _kick(self, line: Line) -> None:
        """Told that another one came; what it asks for is refused, and later its socket ends.

        Without a frame that says so: an SDK that takes an orderly end for its own was seen to come back from this one.
        """
        event = {"msgid": new_id(), "create_time": int(self._corp.clock()), "aibotid": self._corp.aibot.id}
        body = {**event, "msgtype": "event", "event": {"eventtype": "disconnected_event"}}
        line.tell({"cmd": "aibot_event_callback", "headers": {"req_id": new_id()}, "body": body})

        def close() -> None:
            self._corp.wait(self._corp.aibot.close_after_s)
            line.end()

        threading.Thread(target=close, name="wecom-sandbox-kick", daemon=True).start()

    def _secrets(self, sent: Fields) -> list[str]:
        return [*self._corp.secrets(), sent.text("secret")]

    def _exchange(self, path: str, agent: str, raw: str | bytes, sent: Fields) -> Exchange:
        secrets = self._secrets(sent)
        shown = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
        return Exchange(
            time=self._corp.clock(),
            method="WS",
            path=path,
            agent=hide(secrets, agent)[:200],
            size=len(raw),
            body=hide(secrets, shown[: 2 * BODY_CHARS])[:BODY_CHARS],
            msgtype=sent.text("msgtype")[:30],
        )


def _read(raw: str | bytes) -> Frame:
    """What is no JSON object, is too deep, or has half of a character is an empty frame."""
    try:
        frame = checked(json.loads(raw))
        return frame if isinstance(frame, dict) and encodes(json.dumps(frame, ensure_ascii=False)) else {}
    except (ValueError, RecursionError):
        return {}
