"""Server-sent events for the pages that are open: what is new, a few times a second at most."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

from ..corp import Corp
from ..filters import Filter
from .news import Seen, news

MOST = 16
GATHER_S = 0.15
STORM_S = 0.5
STORM = 50
"""So many news at once are a storm: nobody reads that fast, and a page that draws less answers its keys sooner."""

LOOK_S = 1.0
"""Windows empty themselves and tokens grow old without anybody's doing."""


class Stream:
    """At most ``MOST`` pages at a time. A page that is slow gets the newest, not a queue."""

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._free = threading.BoundedSemaphore(MOST)

    def open(self, last_seen: str, wanted: Filter) -> Iterator[bytes] | None:
        """The events after ``last_seen``, without an end; None where too many are watching."""
        if not self._free.acquire(blocking=False):
            return None
        return _Watcher(self._corp, Seen.parse(last_seen), wanted, self._free.release)


class _Watcher:
    """An iterator with a ``close`` that always gives its place back, begun or not."""

    def __init__(self, corp: Corp, seen: Seen, wanted: Filter, leave: Callable[[], None]) -> None:
        self._corp = corp
        self._seen = seen
        self._wanted = wanted
        self._version = -1
        self._gather_s = GATHER_S
        self._leave: Callable[[], None] | None = leave

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._version >= 0 and self._corp.wait(self._gather_s):
            raise StopIteration
        with self._corp.changed:
            self._corp.changed.wait_for(lambda: self._version != self._corp.version, LOOK_S)
            self._version = self._corp.version
        if self._corp.stopping.is_set():
            raise StopIteration
        self._seen, told = news(self._corp, self._seen, self._wanted)
        is_storm = not told["reset"] and max(len(told["messages"]), len(told["calls"])) >= STORM
        self._gather_s = STORM_S if is_storm else GATHER_S
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self._seen}\ndata: {data}\n\n".encode(errors="replace")

    def close(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
