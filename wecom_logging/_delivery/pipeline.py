"""`Pipeline`: what a handler holds: the way from a record to a message.

What its worker does is a `Leader`'s, or over a shared state that of `turn`. It is made, and loaded, by the first turn.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .._capture.collector import Collector
from .._incidents.fingerprint import audience_of
from .._runtime.clock import now
from .._runtime.worker import Job, Worker
from .options import Looks, Options

if TYPE_CHECKING:
    from .._capture.pending import PendingAlert
    from .._capture.tally import Tally
    from .._jobs.base import Jobs
    from .._wecom.channels import Channel
    from ..model import Alert, IncidentView, Recipients, Stats
    from ..model.duty import OnDuty

MAX_VIEWS = 1000
STUCK_S = 2.0
ALIVE_S = 60.0
HAND_OVER_S = 1.0
"""At exit: for so long alerts are made."""


class Channels(NamedTuple):
    """Those of a handler: what they are called, who gets what names no recipient, and what makes them."""

    identities: tuple[str, ...]
    recipients: Recipients | None
    make: Callable[[], Sequence[Channel]]


class Pipeline(Job):
    """One handler's way from a record to a message: ``collector`` is for the calling threads, the rest for the worker.

    Several ``channels`` are the bots of one group.
    """

    place: Any = None
    """Where people do something with its incidents, if it has no shared state; else None."""

    def __init__(
        self, channels: Sequence[Channel] | Channels, options: Options, clock: Callable[[], float] = now
    ) -> None:
        self.options = options
        self.looks: Looks = options.looks
        self.exit_timeout_s = options.exit_timeout_s
        self._clock = clock
        if not isinstance(channels, Channels):
            made = channels
            channels = Channels(tuple(one.identity for one in made), made[0].addressed(None), lambda: made)
        self.channel_ids = channels.identities
        """What its channels are called."""
        self._audience = audience_of(channels.recipients or None)
        self._make_channels = cache(channels.make)
        self.channel_id = " ".join(sorted(self.channel_ids))
        """What a state calls all of them."""
        self._worker = Worker(self, clock, self.channel_id)
        self._handlers: dict[int, weakref.ref[object]] = {}
        """Those that are open, by their ids. Of more than one the newest goes on with what another has."""
        self.likeness: object = None
        """Equal for handlers of one class with the same options."""
        self._ends = False
        self.collector = Collector(
            options,
            self._worker,
            self._make,
            self._write_ahead(),
            self._relieve,
        )
        self._start()

    def _write_ahead(self) -> Callable[[Tally, Alert], object] | None:
        """What lets a first alert survive this process; None: nothing does."""
        return None

    @abstractmethod
    def _start(self) -> None:
        """Begin with nothing that waits."""

    @abstractmethod
    def _make(self, first: PendingAlert) -> Alert:
        """The alert of a record that was copied."""

    @abstractmethod
    def _relieve(self, number: int) -> None:
        """So many are queued while the worker may be in a request."""

    def reset_after_fork(self, *, inherits: bool = False) -> None:
        """In a forked child, whose parent tells what it has: empty counters, and nothing that waits.

        A child that ``inherits`` tells it in the parent's place.
        """
        if not inherits:
            self.collector.reset_after_fork()
            self._start()

    @property
    def _channels(self) -> Sequence[Channel]:
        return self._make_channels()

    @property
    @abstractmethod
    def jobs(self) -> Jobs:
        """Those that are expected to run, of its state or of this process."""

    @abstractmethod
    def is_watching(self) -> bool:
        """Whether its worker has made turns lately."""

    @abstractmethod
    def look(self) -> None:
        """Have its worker look at once, also where nothing was logged."""

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def open_for(self, handler: object) -> None:
        """Accept what a handler gets, in its own look, until it is closed or no handler has it any more."""
        key = id(handler)
        self._handlers[key] = weakref.ref(handler, lambda _: self._part(key))
        self.looks, self.collector.formatter = self.options.looks, None
        self.collector.closed = False
        self.open()

    def leave(self) -> bool:
        """Logging closes its handler: go on, also for the next one that is like it. False where the program ends."""
        if self._ends:
            return False
        _forget(self)
        _left.append(self)
        return True

    def end_for(self, handler: object) -> None:
        """A handler is closed for good."""
        _forget(self)
        self._part(id(handler), for_good=True)

    def _part(self, key: int, *, for_good: bool = False) -> None:
        """A handler is closed, or gone; without one there is nothing to accept. Any thread, at any instant."""
        self._handlers.pop(key, None)
        if not self._handlers:
            self.close(for_good=for_good)
        if self._handlers:  # another thread has made one at this instant
            self.collector.closed = self.collector.tallies.shut = False

    def close(self, *, for_good: bool = True) -> None:
        """Accept nothing more. What waits is still told."""
        self.collector.closed = True
        if for_good:  # else it may open again, with all that is open
            self.collector.shut()
        self._worker.retire()

    @abstractmethod
    def forget_incidents(self) -> None:
        """Tell what comes from now on as if it were new."""

    def stats(self) -> Stats:
        return self.collector.counters.stats()

    @abstractmethod
    def incidents(self) -> list[IncidentView]:
        """What is open, the newest first."""

    @abstractmethod
    def on_call(self) -> list[OnDuty]:
        """Who is on call by each of its rotas. It may take some seconds; any thread may ask."""

    def closed(self) -> bool:
        return self.collector.closed


_MAX_LEFT = 16
_left: deque[Pipeline] = deque(maxlen=_MAX_LEFT)


def left(likeness: object) -> Pipeline | None:
    """That of such a handler, which logging has closed. Of two the last: it closes first what was made last."""
    for one in reversed([*_left]):
        with suppress(Exception):  # of a function of the program that cannot be compared
            if one.likeness == likeness:
                _forget(one)
                return one
    return None


def forget_left() -> None:
    """For tests: what is made now begins anew."""
    _left.clear()


def _forget(pipeline: Pipeline) -> None:
    with suppress(ValueError):
        _left.remove(pipeline)
