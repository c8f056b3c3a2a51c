"""What was called: each request for tests to count, the newest as they were sent. No secret is kept."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request

from .content import APP_MARKDOWN_BYTES, BOT_MARKDOWN_BYTES, DESCRIPTION_BYTES, TEXT_BYTES
from .fields import Fields, is_large

KEPT_EXCHANGES = 500
KEPT_CHARS = 2_000_000
BODY_CHARS = 8000
MEASURED_BYTES = 64 * 1024
LONGEST_SECRET = 1000
HIDDEN = "***"
SECRET_PARAMETERS = ("corpsecret", "secret", "access_token", "key")
SECRET_IN_BODY = re.compile(rb'corpsecret"\s*:\s*"([^"]*)')

LIMITS = {
    ("/cgi-bin/message/send", "text"): ("content", TEXT_BYTES),
    ("/cgi-bin/message/send", "markdown"): ("content", APP_MARKDOWN_BYTES),
    ("/cgi-bin/message/send", "textcard"): ("description", DESCRIPTION_BYTES),
    ("/cgi-bin/webhook/send", "text"): ("content", TEXT_BYTES),
    ("/cgi-bin/webhook/send", "markdown"): ("content", BOT_MARKDOWN_BYTES),
    ("/cgi-bin/webhook/send", "markdown_v2"): ("content", BOT_MARKDOWN_BYTES),
}
KEPT_CALLS = 10_000
PATH_CHARS = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer. ``used`` of ``limit`` bytes: of the part that has one; 0 of 0 where none has.

    ``errcode`` is None where the answer was no JSON: ``status`` tells then what it was, 0 for none at all. ``message``
    is the number in the mailbox of what it delivered, or 0; ``discarded`` how many receivers were left out in silence.
    ``warning`` is what was wrong with a request that was taken all the same.
    """

    time: float
    method: str
    path: str
    query: str = ""
    agent: str = ""
    size: int = 0
    body: str = ""
    msgtype: str = ""
    used: int = 0
    limit: int = 0
    ms: float = 0.0
    status: int = 200
    errcode: int | None = None
    errmsg: str = ""
    message: int = 0
    discarded: int = 0
    warning: str = ""

    @property
    def chars(self) -> int:
        return len(self.body) + len(self.query) + len(self.errmsg) + len(self.warning) + 500


def read(request: Request, now: float, secrets: Iterable[str]) -> Exchange:
    raw = b"" if request.mimetype == "multipart/form-data" or is_large(request) else request.get_data()
    in_body = SECRET_IN_BODY.findall(raw) if request.path == "/cgi-bin/gettoken" else []  # a wrong one, too
    hidden = [*secrets, *(request.args.get(name, "") for name in SECRET_PARAMETERS)]
    hidden += [found.decode(errors="replace") for found in in_body]
    msgtype, used, limit = _measure(request.path, raw)
    shown = raw[: 4 * BODY_CHARS + LONGEST_SECRET].decode(errors="replace")
    parameters = [(name, HIDDEN if name in SECRET_PARAMETERS else value) for name, value in request.args.items(True)]
    return Exchange(
        time=now,
        method=request.method[:20],
        path=request.path[:200],
        query=hide(hidden, urlencode(parameters, safe="*"))[:1000],
        agent=hide(hidden, request.headers.get("User-Agent", ""))[:200],
        size=request.content_length or 0,
        body=hide(hidden, shown)[:BODY_CHARS],
        msgtype=msgtype,
        used=used,
        limit=limit,
    )


def told(exchange: Exchange, answer: dict[str, Any], warning: str, secrets: Iterable[str]) -> Exchange:
    text = hide(secrets, str(answer["errmsg"]))[:1000]
    return replace(exchange, errcode=answer["errcode"], errmsg=text, warning=hide(secrets, warning)[:1000])


def hide(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        if len(secret) >= 6:  # less is no secret, and would black out half of the words
            text = text.replace(secret, HIDDEN)
    return text


def _measure(path: str, raw: bytes) -> tuple[str, int, int]:
    """The msgtype, and how many bytes of how many its text takes."""
    if not raw or len(raw) > MEASURED_BYTES:
        return "", 0, 0
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return "", 0, 0
    body = Fields(found if isinstance(found, dict) else {})
    msgtype = body.text("msgtype")
    name, limit = LIMITS.get((path, msgtype), ("", 0))
    text = body.part(msgtype).values.get(name)
    used = (len(text.encode(errors="replace")), limit) if isinstance(text, str) else (0, 0)
    return msgtype[:30], *used


@dataclass(frozen=True, slots=True)
class Call:
    """``errcode`` is the answer's; None while there is none yet, and where it was no JSON (a drop, an HTTP error).

    ``status`` is that of HTTP, 0 where the connection was dropped. ``discarded``: the receivers that were left out in
    silence.
    """

    time: float
    path: str
    errcode: int | None = None
    status: int = 200
    discarded: int = 0

    @property
    def refused(self) -> bool:
        return self.status != 200 or self.errcode not in (None, 0)


class Journal:
    """``discarded`` counts receivers that WeCom leaves out without a word; a call that leaves one out adds to it.
    ``shown`` is how many exchanges there were for the page."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: dict[int, Call] = {}
        self._opened = 0
        self._exchanges: deque[Exchange] = deque()
        self.chars = 0
        self.shown = 0
        self.discarded = 0

    def open(self, path: str) -> int:
        """Notes a request when it comes, because a client may give up before its answer."""
        self._opened += 1
        self._calls[self._opened] = Call(self._clock(), path[:PATH_CHARS])
        self._calls.pop(self._opened - KEPT_CALLS, None)
        return self._opened

    def close(self, number: int, exchange: Exchange, began: float, *, shown: bool = True) -> None:
        """It was answered, or dropped. ``began`` is that of `time.perf_counter`."""
        if number in self._calls:
            old = self._calls[number]
            self._calls[number] = Call(old.time, old.path, exchange.errcode, exchange.status, exchange.discarded)
        if shown:
            self.note(replace(exchange, ms=(perf_counter() - began) * 1000))

    def note(self, exchange: Exchange) -> None:
        """For the page."""
        self.shown += 1
        self._exchanges.append(exchange)
        self.chars += exchange.chars
        while len(self._exchanges) > KEPT_EXCHANGES or self.chars > KEPT_CHARS:
            self.chars -= self._exchanges.popleft().chars

    def calls(self) -> tuple[Call, ...]:
        return tuple(self._calls.values())

    def newest(self, most: int, *, after: int) -> list[tuple[int, Exchange]]:
        """The newest that came after number ``after``, oldest first, with their numbers."""
        wanted = max(0, min(most, self.shown - after, len(self._exchanges)))
        first = self.shown - wanted + 1
        return list(enumerate(list(self._exchanges)[len(self._exchanges) - wanted :], first))

    def clear(self) -> None:
        """Numbers go on."""
        self._calls.clear()
        self._exchanges.clear()
        self.chars = self.discarded = 0
