"""The sandbox itself: start it, talk to it as to WeCom, look at what arrived, stop it."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import stage
from .aibot.connections import PATH as AIBOT_PATH
from .aibot.people import AiBot
from .control import delete_messages, find_calls
from .corp import Clock, Corp, variables
from .directory import ROOT
from .filters import Filter, find_messages, read_bounds, wait_for
from .journal import Call
from .listener import Listener, make_tls
from .mailbox import KEPT
from .ringing import answer_ring, list_rings
from .shapes import CALLED, FILTERS, LISTED, WISHES, Shape, check, read_query
from .strangers import Doorkeeper, is_loopback
from .web import Web

if TYPE_CHECKING:
    from .sockets import Handler

HOST = "127.0.0.1"
IDLE_S = 30.0
TOKEN = re.compile(r"[\w-]{20,200}", re.ASCII)
POLL_S = 0.02
INTERRUPT_S = 0.5
TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
"""Where requests, curl, clients by OpenSSL or in Go, and Node look for certificates to trust."""


class Sandbox:
    """A local WeCom on 127.0.0.1. ``port=0`` takes a free one.

    On another ``host`` than loopback it has a ``token``: the page and ``/sandbox/…`` want it, and its secrets and the
    bot's key end with it. One is made where none is given. ``idle_s`` is how long a request may take to come,
    and a WebSocket of the AI bot to subscribe.
    ``strict`` refuses what WeCom's documents forbid, though WeCom itself takes it. With a ``ca_file`` it speaks TLS, by
    a certificate that is made now; that of its CA, which clients are to trust, is written there.

    It accepts corp_id ``wwsandbox``, secret ``sandbox-app-secret`` of agent_id ``1000002``, contacts secret
    ``sandbox-contacts-secret``, bot key ``sandbox-bot``, and AI bot ``sandbox-aibot`` with secret
    ``sandbox-aibot-secret``; ``sandbox-user`` is its first member. ``clock`` gives the seconds since 1970 that tokens,
    limits and messages live by, so that a test need not wait for them. ``aibot``: what people do with the AI bot.

        with Sandbox() as sandbox:
            requests.post(f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot", json=…)
            assert sandbox.messages()[0]["content"] == …
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = HOST,
        token: str = "",
        clock: Callable[[], float] = time.time,
        idle_s: float = IDLE_S,
        strict: bool = False,
        ca_file: str = "",
    ) -> None:
        self._host, self._port, self._idle_s = host, port, idle_s
        self._ca_file = os.path.abspath(ca_file) if ca_file else ""
        self._tls = make_tls(host, ca_file) if ca_file else None
        if token and not TOKEN.fullmatch(token):
            raise ValueError("a token has 20 or more of A-Z a-z 0-9 _ -")
        self.token = "" if is_loopback(host) else token or secrets.token_urlsafe(24)
        self._corp = Corp(clock, suffix=f"-{self.token}" if self.token else "", strict=strict)
        self.aibot = AiBot(self._corp)
        self._web = Web(self._corp, Doorkeeper(host, self.token), idle_s)
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://HOST:PORT``, or ``https``; the sandbox must have been started."""
        if self._listener is None:
            raise RuntimeError("the sandbox is not started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._ca_file else 'http'}://{host}:{self._listener.port}"

    @property
    def page(self) -> str:
        """Where the page is; the token stands behind ``#``, where no server and no log sees it."""
        return f"{self.url}/#{self.token}" if self.token else f"{self.url}/"

    def start(self) -> None:
        """Listens when it returns; OSError where the port is taken. Does nothing where it is started already."""
        if self._listener is not None:
            return
        self._corp.stopping.clear()
        self._listener = Listener(self._host, self._port, self._web, self._corp.clock, self._idle_s, self._tls)
        serve = self._listener.serve_forever
        self._thread = threading.Thread(target=serve, args=(POLL_S,), name="wecom-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends delayed answers and open connections, and closes the port. What arrived can still be read."""
        if self._listener is None or self._thread is None:
            return
        self._corp.stopping.set()
        with self._corp.lock:
            self._corp.touch()  # pages and calls that wait look up, and go
        self._listener.shutdown()
        self._thread.join()
        self._listener.close_connections()
        self._listener = self._thread = None

    def serve_forever(self) -> None:
        """For a command line: starts where that was not done, and returns after Ctrl-C or ``stop``."""
        self.start()
        try:
            while not self._corp.stopping.wait(INTERRUPT_S):
                pass  # a wait without an end does not hear Ctrl-C on Windows
        except KeyboardInterrupt:
            pass  # that is how it is ended
        finally:
            self.stop()

    def on_websocket(self, path: str, handler: Handler) -> None:
        """WebSockets at the sandbox's own port: see `Sockets.on`."""
        self._web.sockets.on(path, handler)

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The WECOM variables that lead a program here, with TLS those that make it trust the sandbox, too; the sandbox
        must have been started.
        """
        socket = f"ws{self.url.removeprefix('http')}{AIBOT_PATH}"
        trusted = dict.fromkeys(TRUST if self._ca_file else (), self._ca_file)
        return {"WECOM_API_BASE": self.url, **variables(self._corp.suffix), "WECOM_AIBOT_URL": socket, **trusted}

    @property
    def clock(self) -> Clock:
        """The sandbox's time: ``clock.advance(3600)`` lets an hour pass for tokens, limits and media."""
        return self._corp.clock

    def messages(
        self, *, order: str = "oldest", limit: int = KEPT, after: str = "", **wanted: object
    ) -> list[dict[str, Any]]:
        """What ``GET /sandbox/messages`` gives; its filters by name: ``contains``, ``channel`` …

        ``order="newest"`` gives the newest first, ``limit`` so many of them, ``after`` those that come after the
        message of that id. ValueError where one makes no sense.
        """
        listing = _given(LISTED, {"order": order, "limit": limit, "after": after})
        return [message.as_json() for message in find_messages(self._corp, self._filter(wanted), **listing)]

    def wait(
        self, count: int = 1, *, at_most: int | None = None, timeout: float = 10.0, **wanted: object
    ) -> list[dict[str, Any]]:
        """Waits until so many messages that fit are there, and gives them; those that came before count.

        With ``at_most`` it waits all the time for one too many: ``wait(2, at_most=2)`` wants exactly two, and
        ``wait(0)`` none. TimeoutError where too few came, AssertionError where too many did; both say what came.
        """
        count, most = read_bounds(count, at_most)
        found = wait_for(self._corp, self._filter(wanted), count, timeout, most)
        came = "".join(f"\n{message.channel} {message.msgtype}: {message.content[:200]}" for message in found)
        if most is not None and len(found) > most:
            raise AssertionError(f"{len(found)} messages came, and at most {most} were wanted{came}")
        if len(found) < count:
            raise TimeoutError(f"{len(found)} of {count} messages came within {timeout:g} s{came}")
        return [message.as_json() for message in found]

    def delete(self, **wanted: object) -> None:
        """Forgets the messages that fit, all where nothing is given."""
        delete_messages(self._corp, **_given(FILTERS, wanted))

    def count_calls(self, path: str = "", **wanted: object) -> int:
        """How many calls were made: of a path as ``fail`` takes it, with an ``errcode``, ``refused=True`` by WeCom,
        ``discarded=True`` for some receivers in silence, ``since`` and ``until`` a time.
        """
        named = {"path": _whole_path(path)} if path else {}
        return len(find_calls(self._corp, **_given(CALLED, {**named, **wanted})))

    def fail(self, path: str, errcode: int | None = None, *, times: int = 1, **fault: object) -> None:
        """The next calls of ``path`` ("message/send", "webhook/send" …) fail: with an errcode, or as ``status``,
        ``delay_s`` or ``drop`` say. Of the AI bot: "aibot_send_msg", "aibot/ping" …, which ``withhold=True`` does and
        does not answer, and "aibot" for the connection itself. ValueError where that makes no sense.
        """
        code = {} if errcode is None else {"errcode": errcode}
        self.add_fault({"path": _whole_path(path), "times": times, **code, **fault})

    def seed(self, data: object) -> None:
        """Members, departments, tags, bots, apps, limits and faults, as ``--seed`` takes them; ValueError names the
        place that makes no sense. What is seeded before the start is there after a ``reset``, too.
        """
        with self._corp.changing():
            stage.seed(self._corp, data)
            if self._listener is None:
                self._corp.seeds.append(data)

    def reset(self) -> None:
        """As after the start: no messages, calls and faults; members, apps, bots, limits and clock of the beginning.

        What programs hold stays: connections of the AI bot, tokens of the first app, uploaded media.
        """
        with self._corp.changing():
            stage.reset(self._corp)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The newest ten thousand requests below ``/cgi-bin/``, and commands of the AI bot ("/aibot/ping" …), in the
        order in which they came.
        """
        with self._corp.lock:
            return self._corp.journal.calls()

    def clear(self) -> None:
        """Forgets messages and calls; tokens, limits and faults stay."""
        with self._corp.changing():
            self._corp.mailbox.clear()
            self._corp.journal.clear()

    def add_fault(self, fault: Mapping[str, Any]) -> None:
        """What ``POST /sandbox/faults`` takes; ValueError where it makes no sense."""
        with self._corp.lock:
            stage.put(self._corp, "faults", dict(fault))

    def add_member(
        self,
        user_id: str,
        *,
        name: str = "",
        departments: Iterable[int] = (),
        mobile: str = "",
        email: str = "",
        leader_of: Iterable[int] = (),
    ) -> None:
        """An active member, one who has joined; also one whom the API has created. What is not given stays as it is.

        Departments that are not there yet are made below the root.

        ValueError where another member has the mobile or the email.
        """
        wish = {"user_id": user_id, "name": name, "mobile": mobile, "email": email}
        self._put(stage.put_member, **wish, departments=list(departments), leader_of=list(leader_of))

    def add_department(self, id: int, *, name: str = "", parent_id: int = ROOT) -> None:
        """ValueError where a sibling has the name, or where it would stand below itself."""
        self._put(stage.put_department, id=id, name=name, parent_id=parent_id)

    def add_tag(self, id: int, *, name: str = "", users: Iterable[str] = (), departments: Iterable[int] = ()) -> None:
        """A tag as an administrator makes it: contacts-sync may change it, an app may not. Unknown ids are left out."""
        self._put(stage.put_tag, id=id, name=name, users=list(users), departments=list(departments))

    def members(self) -> list[dict[str, Any]]:
        """As ``user/get`` shows them to contacts-sync, in the order in which they came."""
        with self._corp.lock:
            return stage.list_members(self._corp)

    def departments(self) -> list[dict[str, Any]]:
        """As ``department/list`` shows them, each parent before its children."""
        with self._corp.lock:
            return stage.list_departments(self._corp)

    def tags(self) -> list[dict[str, Any]]:
        """As ``tag/get`` shows them, with their ``tagid``."""
        with self._corp.lock:
            return stage.list_tags(self._corp)

    def add_app(self, secret: str, agent_id: int) -> None:
        """A second app: its tokens, its tags and its visible range are its own."""
        self._put(stage.put_app, agent_id=agent_id, secret=secret)

    def set_visible_range(
        self, agent_id: int, *, users: Iterable[str] = (), departments: Iterable[int] = (), tags: Iterable[int] = ()
    ) -> None:
        """What an app sees from now on, in place of the root department; nothing at all where all three are empty."""
        sees = {"users": list(users), "departments": list(departments), "tags": list(tags)}
        self._put(stage.put_app, agent_id=agent_id, **sees)

    def set_app_enabled(self, agent_id: int, enabled: bool) -> None:
        """A disabled app gets no token, and its tokens open nothing but ``agent/get``: 50003."""
        self._put(stage.put_app, agent_id=agent_id, enabled=enabled)

    def answer(self, user_id: str, how: str = "answer") -> None:
        """What a member does with the call (``pstncc/call``) that rings, or where none does with the next one:
        ``answer``, ``refuse``, ``no_answer`` or ``off``. ValueError for another one, or where there is no such member.
        """
        self._checked("Answered", answer_ring, user_id=user_id, how=how)

    def rings(self) -> list[dict[str, Any]]:
        """The calls of members' phones, the newest first, as ``pstncc/getstates`` tells them."""
        with self._corp.lock:
            return list_rings(self._corp)

    def add_bot(self, key: str) -> None:
        """A second bot: its limit and its media are its own."""
        self._put(stage.put_bot, key=key)

    def remove_bot(self, key: str) -> None:
        """Its key is answered with 93000 from now on, as WeCom does when the bot is taken out of its group."""
        with self._corp.lock:
            self._corp.bot_keys.pop(key, None)

    def _filter(self, wanted: Mapping[str, object]) -> Filter:
        return Filter.read(_given(FILTERS, wanted), self._corp)

    def _checked(self, shape: str, act: Callable[[Corp, stage.Wish], None], **wish: object) -> None:
        """As by HTTP."""
        check(wish, WISHES[shape])
        self._put(act, **wish)

    def _put(self, act: Callable[[Corp, stage.Wish], None], **wish: object) -> None:
        """Unchecked: a test may want names that HTTP refuses."""
        with self._corp.changing():
            act(self._corp, wish)


def _given(shapes: Mapping[str, Shape], wanted: Mapping[str, object]) -> dict[str, Any]:
    """Checked as the parameters of a URL are."""
    texts = ((name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in wanted.items())
    return read_query(shapes, texts)


def _whole_path(path: str) -> str:
    """Of "message/send" it is "/cgi-bin/message/send", of "aibot_send_msg" "/aibot/aibot_send_msg"."""
    name = path.removeprefix("/").removeprefix("cgi-bin/")
    if name == "aibot" or name.startswith("aibot/"):
        return f"/{name}"
    return f"{AIBOT_PATH}/{name}" if name.startswith("aibot") else f"/cgi-bin/{name}"
