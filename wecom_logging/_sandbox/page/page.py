"""What the page asks for: its files, and the news."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from werkzeug.wrappers import Request, Response

from ..calls import parameters, refused
from ..corp import Corp
from ..filters import Filter
from ..shapes import FILTERS, LINES, WrongField, read_query
from .news import Seen, news

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Only files of the page's own run, and the browser itself refuses to make markup out of a text."""
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST = 16
HELD_S = 30
GATHER_S = 0.15
STORM_S = 0.5
STORM = 50
"""So many news at once are a storm: no person reads that fast, and a page that draws less answers its keys sooner."""
LOOK_S = 1.0
"""Windows empty themselves and tokens grow old without a call."""


class Page:
    """The files, and the stream of news that the page listens to. Nothing here changes anything.

    At most ``MOST`` pages listen at a time. A page that is slow gets the newest, not a queue. Of too many the oldest
    goes, unless it is younger than ``HELD_S``: one that is never read cannot be told from one that is.
    """

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._lock = threading.Lock()
        self._watchers: dict[_Watcher, float] = {}

    def file(self, request: Request) -> Response | None:
        found = FILES.get(request.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return None
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
        return Response(found.data, content_type=found.content_type, headers=headers)

    def events(self, request: Request) -> Response:
        if request.method != "GET":
            return Response(status=405)
        try:
            given = read_query({**FILTERS, "after": LINES}, parameters(request))
        except WrongField as wrong:
            return refused(400, str(wrong), wrong.field)
        after = request.headers.get("Last-Event-ID") or given.pop("after", "")
        news = self._open(after, Filter.read(given, self._corp))
        if news is None:
            return Response("too many pages are open\n", 503, content_type="text/plain")
        return Response(news, content_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _open(self, last_seen: str, wanted: Filter) -> Iterator[bytes] | None:
        """The events after ``last_seen``, without an end; None where too many are watching."""
        now = time.monotonic()
        with self._lock:
            if len(self._watchers) >= MOST:
                oldest, since = next(iter(self._watchers.items()))
                if now - since < HELD_S:
                    return None
                oldest.stopped = True
                del self._watchers[oldest]
            watcher = _Watcher(self._corp, Seen.parse(last_seen), wanted, self._leave)
            self._watchers[watcher] = now
        return watcher

    def _leave(self, watcher: _Watcher) -> None:
        with self._lock:
            self._watchers.pop(watcher, None)


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    content_type: str


def _read() -> dict[str, File]:
    found = {}
    for entry in files(__package__).joinpath("static").iterdir():
        kind = TYPES.get("." + entry.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/static/{entry.name}"
            found[path] = File(entry.read_bytes(), f"{kind}; charset=utf-8")
    return found


FILES = _read()


class _Watcher:
    """An iterator with a ``close`` that always gives its place back, begun or not."""

    def __init__(self, corp: Corp, seen: Seen, wanted: Filter, leave: Callable[[_Watcher], None]) -> None:
        self._corp = corp
        self._seen = seen
        self._wanted = wanted
        self._version = -1
        self._gather_s = GATHER_S
        self._leave = leave
        self.stopped = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._version >= 0 and self._corp.wait(self._gather_s):
            raise StopIteration
        self._corp.wait_for_news(self._version, LOOK_S)
        self._version = self._corp.version
        if self.stopped or self._corp.stopping.is_set():
            raise StopIteration
        self._seen, told = news(self._corp, self._seen, self._wanted)
        is_storm = not told["reset"] and max(len(told["messages"]), len(told["calls"])) >= STORM
        self._gather_s = STORM_S if is_storm else GATHER_S
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._seen}\ndata: {data}\n\n".encode(errors="replace")

    def close(self) -> None:
        self._leave(self)
