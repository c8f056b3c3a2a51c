"""The long connection of an AI bot (智能机器人): one WebSocket, on which commands go out and events come in.

One thread has the socket; no other reads or writes it. Other threads queue a command and wait for its answer. WeCom
gives no id to what was sent: a command that was written and never answered is told to its caller as lost, and is not
written again.

Source: https://developer.work.weixin.qq.com/document/path/101463
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._lines import LINES, line
from .._runtime import forks
from .._runtime.clock import between
from .._runtime.worker import at_end
from ..errors import APIError, BadResponseError, ConnectError, WeComError
from ..model import Secret
from .body import Json
from .commands import Command, Commands, checked, frame_in, frame_of, lost, new_id, subscribed, too_late
from .errcodes import Verdict, lookup
from .http import MAX_ANSWER_BYTES
from .web_socket import Waiter, WebSocket, as_ours

STANDBY_S = 5.0
"""How often a process that has not the lease asks for it, and one that has it renews it."""
BACK_OFF_S = 300.0
"""After a wrong secret, or where another program took the connection."""
MAX_BACKOFF_S = 30.0
NOT_SUBSCRIBED = 846609
_A_FRAME = MAX_ANSWER_BYTES // 100
_PAUSE_S = 0.05
"""After a hundred frames, 64 KiB, or a part of a frame: who sends without end, or byte by byte, takes no processor."""


class Listener(Protocol):
    """Who hears what comes in, in the connection's own thread."""

    def hear(self, frame: Json) -> None:
        """An event. It may call `LongConnection.post`, and must not wait."""

    def is_wanted(self) -> bool:
        """Whether a handler still needs the connection."""

    def reset_after_fork(self) -> None:
        """In a forked child: the parent's threads are not here."""


class _Lost(Exception):
    """The socket is of no use any more; the error that its callers get."""

    def __init__(self, error: WeComError) -> None:
        super().__init__()
        self.error = error


class LongConnection:
    """The connection of one bot. ``listener`` hears each event.

    It is opened when something is asked of it or `start` is called, and while ``lease`` is held.
    """

    def __init__(
        self,
        url: str,
        bot_id: str,
        secret: Secret,
        *,
        timeout_s: float = 10.0,
        lease: Lease | None = None,
        say: Callable[[str, str], object] = lambda cause, text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url, self.bot_id, self.secret = url, bot_id, secret
        self.lease: Lease = lease or Unshared()
        self.listener: Listener | None = None
        self.say = say
        self.timeout_s = timeout_s
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self.identity = f"aibot {parts.scheme}://{parts.netloc} {bot_id}"
        """What the bot is called in a state and in outputs: a path and a query may have a secret."""
        self._clock = clock
        self._begin()
        _living.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiter = Waiter()
        self._socket: WebSocket | None = None
        self._started = False
        self._commands = Commands(self._host)
        self._opened_at = 0.0
        self._heartbeat = Heartbeat(0.0)
        self._renew_at = self._back_off_until = float("-inf")
        self._failures = 0
        self._is_away = self._is_pushed_out = False
        self._is_decided = threading.Event()
        self._error: WeComError | None = None

    def reset_after_fork(self) -> None:
        """In a forked child: its copy of the socket is closed, without a word to WeCom. The parent goes on."""
        parents, waiter = self._socket, self._waiter
        self._begin()
        if self.listener is not None:
            self.listener.reset_after_fork()
        waiter.forget()
        if parents is not None:
            parents.abandon()

    # Any thread.

    @property
    def is_open(self) -> bool:
        """Whether this process is subscribed now."""
        return self._socket is not None

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process has the lease, as far as is known."""
        return self._is_away

    @property
    def error(self) -> WeComError | None:
        """Why it was not open when it was tried last."""
        return None if self.is_open else self._error

    @property
    def is_needed(self) -> bool:
        """Whether its listener needs it, or a thread waits for an answer."""
        return self.listener is None or self.listener.is_wanted() or not self._commands.are_done

    def decide(self, within_s: float) -> None:
        """Start, and wait until it is known whether this process has the lease."""
        self.start()
        self._is_decided.wait(within_s)

    def start(self) -> None:
        """Open it, in its own thread, as soon as this process has the lease."""
        with self._lock:
            if self._started:
                return
            self._started = True
        try:
            self._waiter.open()
            weakref.finalize(self, Waiter.end, self._waiter).atexit = False
            thread = threading.Thread(
                target=_run, args=(weakref.ref(self), self._waiter), name="wecom-logging-aibot", daemon=True
            )
            thread.start()
        except (RuntimeError, OSError) as error:  # no thread, or no descriptor, to be had: the next try may have it
            self._started = False
            self._waiter.forget()
            raise ConnectError(f"the connection to {self._host} cannot be opened ({type(error).__name__})") from None

    def request(self, cmd: str, body: Mapping[str, Any]) -> Json:
        """Send a command and wait for its answer, at most ``timeout_s``.

        Raises `ConnectError` or `RequestTimeout` where it was not written, `AnswerLostError` where it was and nothing
        came back, and `APIError`.
        """
        if self._back_off_until > self._clock() and self._error is not None:
            raise self._error.with_traceback(None)
        command = self._commands.ask(cmd, body)
        self._waiter.wake()
        try:
            self.start()  # after it: the thread ends where nothing is asked
        except ConnectError as error:
            command.end(error)
        command.done.wait(self.timeout_s)
        return self._commands.withdraw(command, self._error)

    def post(self, cmd: str, body: Mapping[str, Any] | None, req_id: str = "") -> Command:
        """Send a command and do not wait; ``req_id`` is that of the event that it answers."""
        command = self._commands.put(cmd, body, req_id)
        self._waiter.wake()
        return command

    def close(self) -> None:
        """Say goodbye and let another process have the bot."""
        self._back_off_until, self._is_pushed_out = float("inf"), False
        self._drop(too_late(self._host))
        self._commands.refuse(too_late(self._host))
        if self._started:
            self.lease.release()
        self._waiter.end()

    def retire(self) -> None:
        """By its thread, which ends: it is not needed now. A thread that needs it later starts it again."""
        self._drop(too_late(self._host), polite=True)
        self.lease.release()
        with self._lock:
            self._started, self._waiter = False, Waiter()
            self._renew_at = float("-inf")  # another process may have the lease when it is started again
            self._is_decided.clear()
        if not self._commands.are_done:  # asked by one who saw that it was started, just before this
            self.start()

    # The thread of the connection.

    def turn(self) -> float:
        """Do what is due. Returns the seconds until there is something to do though nothing comes in."""
        try:
            now = self._clock()
            rest = self._back_off_until - now
            if rest <= 0 or self._is_pushed_out:
                if now >= self._renew_at:
                    self._hold(now)
                if self._is_away:
                    self._back_off_until, self._is_pushed_out = now, False
                    return self._renew_at - now
            if rest > 0:
                return min(rest, self._renew_at - now) if self._is_pushed_out else rest
            if self._socket is None:
                self._open()
            self._read_all()
            self._write_all()
            if self._heartbeat.seconds(self._clock()) <= 0:
                if self._heartbeat.waits:
                    raise _Lost(ConnectError(f"{self._host} does not answer any more"))
                self._write_ping()
            now = self._clock()
            return max(min(self._heartbeat.seconds(now), self._renew_at - now), 0.0)
        except _Lost as lost:
            if self._clock() < self._opened_at + FRESH_S:  # or one that ends at once would be opened all the time
                self._fail(lost.error)
            else:
                self._failures = 0
                self._drop(lost.error)
        except WeComError as error:
            self._fail(error)
        except Exception as error:  # a defect of ours or of the library ends the connection, and no more than that
            self._fail(ConnectError(f"the connection to {self._host} failed ({type(error).__name__})"))
        return 0.0

    def _hold(self, now: float) -> None:
        self._renew_at = now + (STANDBY_S if not isinstance(self.lease, Unshared) else float("inf"))
        was_away, self._is_away = self._is_away, not self.lease.hold()
        self._is_decided.set()
        if self._is_away and not was_away:
            self._drop(too_late(self._host), polite=True)
            self._commands.refuse(ConnectError(f"another process has the connection to {self._host}"))

    def _open(self) -> None:
        """Connect and subscribe. Raises `WeComError`."""
        found = subscribed(self.url, self._host, self.bot_id, self.secret, self.timeout_s)
        self._socket, self._error, self._is_pushed_out = found, None, False
        self._opened_at = self._clock()
        self._heartbeat = Heartbeat(self._opened_at)
        self._waiter.watch(found.sock)

    def _read_all(self) -> None:
        left = MAX_ANSWER_BYTES
        while left > 0 and (found := self._socket) is not None:
            try:
                data = found.read()
            except Exception as error:
                raise _Lost(as_ours(error, self._host)) from None
            if data is None:
                if found.is_amid:
                    time.sleep(_PAUSE_S)
                return
            left -= len(data) + _A_FRAME
            if (frame := frame_in(data)) is not None:
                self._heartbeat.heard(self._clock())
                self._take(frame)
        time.sleep(_PAUSE_S)
        self._waiter.wake()  # there may be more

    def _take(self, frame: Json) -> None:
        headers, body = frame.get("headers"), frame.get("body")
        req_id = headers.get("req_id") if isinstance(headers, dict) else None
        if not isinstance(req_id, str):
            return
        if "cmd" not in frame:
            if (command := self._commands.answered(req_id)) is not None:
                self._settle(command, frame)
            return
        if self._commands.waits_for(req_id):
            return
        event = body.get("event") if isinstance(body, dict) else None
        if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
            self._leave()
        if isinstance(body, dict):
            try:
                if self.listener is not None:
                    self.listener.hear(frame)
            except BaseException as error:  # also of user code (redact), which must not end this thread
                self.say("hear", f"an event of WeCom could not be answered ({type(error).__name__})")

    def _settle(self, command: Command, answer: Json) -> None:
        if answer.get("errcode") == NOT_SUBSCRIBED and not command.is_repeated:
            self._commands.put_back(command)
            raise _Lost(ConnectError(f"{self.bot_id} was not subscribed any more"))
        try:
            command.end(checked(answer, command.cmd, self.secret))
        except BadResponseError:
            command.end(lost(self._host))
        except WeComError as error:
            command.end(error)

    def _leave(self) -> None:
        """Another has subscribed with this bot. Two that both come back would push each other out for ever, but
        processes of one state, of which one has the lease.
        """
        self._hold(self._clock())
        if self._is_away:
            raise _Lost(too_late(self._host))
        self.say("another", line("another", bot_id=self.bot_id))
        error = ConnectError(LINES["another"][0].format(bot_id=self.bot_id), reason="another")
        self._back_off_until, self._error = self._clock() + BACK_OFF_S, error
        self._is_pushed_out = True  # it keeps the lease: no other process of its state is to push back
        self._commands.refuse(error)
        raise _Lost(error)

    def _write_all(self) -> None:
        """What waits to be written; of a connection that was silent for long a ping is the first."""
        while self._commands.wait and self._socket is not None:
            if not self._heartbeat.is_fresh(self._clock()):
                if not self._heartbeat.waits:
                    self._write_ping()
                return
            if (command := self._commands.to_write()) is not None:
                self._write(command.frame)

    def _write_ping(self) -> None:
        self._heartbeat.pinged(self._clock())
        self._write(frame_of("ping", new_id("ping")))

    def _write(self, frame: str) -> None:
        assert self._socket is not None
        try:
            self._socket.send(frame)
        except Exception as error:
            raise _Lost(as_ours(error, self._host)) from None

    def _fail(self, error: WeComError) -> None:
        """It could not be opened: rest, longer each time; a thread that waits is told why."""
        error.__traceback__ = error.__cause__ = error.__context__ = None  # their frames' variables have the secret
        self._failures += 1
        slowly = isinstance(error, APIError) and lookup(error.errcode).verdict is Verdict.CONFIGURATION
        backoff = min(MAX_BACKOFF_S, 2.0 ** min(self._failures, 10))
        rest = BACK_OFF_S if slowly else between(backoff / 2, backoff)
        self._back_off_until = max(self._back_off_until, self._clock() + rest)
        self._drop(error)
        self._commands.refuse(error)

    def _drop(self, error: WeComError, *, polite: bool = False) -> None:
        """The socket is gone: what was written and not answered is lost; what was not written waits for the next."""
        found, self._socket, self._error = self._socket, None, error
        if found is not None:
            self._waiter.watch(None)
            with contextlib.suppress(Exception):  # it is gone, whatever the library says of it
                found.close(polite=polite)
        self._commands.lose()


def _run(find: weakref.ref[LongConnection], waiter: Waiter) -> None:
    """The thread. It keeps no connection alive that no handler has any more."""
    while not waiter.ended:
        connection = find()
        if connection is None:
            break
        if not connection.is_needed:
            connection.retire()
            break
        seconds = connection.turn()
        del connection
        if not waiter.ended:
            waiter.wait(seconds)
    if waiter.ended and (connection := find()) is not None:
        connection._drop(too_late(connection._host))  # it was closed while it was opened
    waiter.forget()


_living: weakref.WeakSet[LongConnection] = weakref.WeakSet()


def _close_all() -> None:
    for connection in list(_living):
        connection.close()


def _after_fork_in_child() -> None:
    for connection in list(_living):
        connection.reset_after_fork()


at_end.insert(0, _close_all)
forks.in_child(_after_fork_in_child)


class Lease(Protocol):
    """Of all processes that share a state one holds it, and renews it."""

    def hold(self) -> bool:
        """Take it, or renew it; whether this process has it now."""

    def release(self) -> None:
        """Let another process have it."""


class Unshared:
    """Where no process knows of others."""

    def hold(self) -> bool:
        return True

    def release(self) -> None:
        return


PING_S = 30.0
FRESH_S = 10.0
"""What was silent for longer is asked by a ping before anything is written: a sleeping laptop's socket looks well."""
ALIVE_S = 5.0
"""A ping that is not answered within it ends the connection."""


class Heartbeat:
    """Of one connection, which was opened ``now``. Whatever comes in answers a ping."""

    def __init__(self, now: float) -> None:
        self.heard_at = self._ping_at = now
        self.waits = False
        """Whether a ping is not answered."""

    def heard(self, now: float) -> None:
        self.heard_at, self.waits = now, False

    def pinged(self, now: float) -> None:
        self._ping_at, self.waits = now, True

    def is_fresh(self, now: float) -> bool:
        return now - self.heard_at <= FRESH_S

    def seconds(self, now: float) -> float:
        """Until the next ping, or until it is dead; 0 or less: it is so now."""
        return self._ping_at + (ALIVE_S if self.waits else PING_S) - now
