"""The sandbox itself: start it, talk to it as to WeCom, look at what arrived, stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from .control import list_messages, order
from .corp import Corp
from .directory import ROOT
from .journal import Call
from .listener import Listener
from .web import Web

HOST = "127.0.0.1"
POLL_S = 0.02
INTERRUPT_S = 0.5


class Sandbox:
    """A local WeCom on 127.0.0.1. ``port=0`` takes a free one.

    It accepts corp_id ``wwsandbox``, secret ``sandbox-app-secret`` of agent_id ``1000002``, contacts secret
    ``sandbox-contacts-secret`` and bot key ``sandbox-bot``; ``sandbox-user`` is its first member. ``clock`` gives the
    seconds since 1970 that tokens, limits and messages live by, so that a test need not wait for them.

        with Sandbox() as sandbox:
            requests.post(f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot", json=…)
            assert sandbox.messages()[0]["content"] == …
    """

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.time) -> None:
        self._port = port
        self._corp = Corp(clock)
        self._stopping = threading.Event()
        self._web = Web(self._corp, self._stopping.wait)
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; the sandbox must have been started."""
        if self._listener is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://{HOST}:{self._listener.port}"

    def start(self) -> None:
        """Listens when it returns; OSError where the port is taken. Does nothing where it is started already."""
        if self._listener is not None:
            return
        self._stopping.clear()
        self._listener = Listener(HOST, self._port, self._web)
        serve = self._listener.serve_forever
        self._thread = threading.Thread(target=serve, args=(POLL_S,), name="wecom-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends delayed answers and open connections, and closes the port. What arrived can still be read."""
        if self._listener is None or self._thread is None:
            return
        self._stopping.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.close_connections()
        self._listener = self._thread = None

    def serve_forever(self) -> None:
        """For a command line: starts where that was not done, and returns after Ctrl-C or ``stop``."""
        self.start()
        try:
            while not self._stopping.wait(INTERRUPT_S):
                pass  # a wait without an end does not hear Ctrl-C on Windows
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def messages(self) -> list[dict[str, Any]]:
        """What ``GET /sandbox/messages`` gives, oldest first."""
        with self._corp.lock:
            return list_messages(self._corp)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The newest ten thousand requests below ``/cgi-bin/``, in the order in which they came."""
        with self._corp.lock:
            return self._corp.journal.calls()

    def clear(self) -> None:
        """Forgets messages and calls; tokens, limits and faults stay."""
        with self._corp.lock:
            self._corp.mailbox.clear()
            self._corp.journal.clear()

    def add_fault(self, fault: Mapping[str, Any]) -> None:
        """What ``POST /sandbox/faults`` takes; ValueError where it makes no sense."""
        with self._corp.lock:
            order(self._corp, fault)

    def add_member(self, user_id: str, *, name: str = "", departments: Iterable[int] = (ROOT,)) -> None:
        """Departments that are not there yet are made below the root."""
        with self._corp.lock:
            self._corp.directory.add_member(user_id, name or user_id, departments)

    def add_department(self, id: int, *, name: str = "", parent_id: int = ROOT) -> None:
        with self._corp.lock:
            self._corp.directory.add_department(id, name or f"部门 {id}", parent_id)

    def add_tag(self, id: int, *, name: str = "", users: Iterable[str] = (), departments: Iterable[int] = ()) -> None:
        with self._corp.lock:
            self._corp.directory.add_tag(id, name or f"标签 {id}", users, departments)

    def add_app(self, secret: str, agent_id: int) -> None:
        """A second app: its tokens are its own."""
        with self._corp.lock:
            self._corp.tokens.add_grant(secret, agent_id)

    def add_bot(self, key: str) -> None:
        """A second bot: its limit and its media are its own."""
        with self._corp.lock:
            self._corp.bot_keys.add(key)
