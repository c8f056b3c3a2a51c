"""`Collector` takes records in the calling thread: it counts repeats and queues first alerts; the worker fetches both.

Read `Collector.take` first. It counts a repeat; of a first record it makes a copy, writes it ahead, and queues it.
"""

from __future__ import annotations

import contextvars
import itertools
import logging
import os
from collections import deque
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from .._incidents import life
from .._incidents.fingerprint import lane_of
from .._incidents.incident import Count, Own
from .._runtime.counters import Counters
from .._runtime.forks import forked_without_hooks
from .._runtime.own_traffic import OUR_LIBRARIES, own_traffic
from .._runtime.worker import Worker
from ..model import Alert, Digest, Recipients
from .carried import carried
from .context import logged
from .echoes import Echoes
from .families import Fold
from .identify import identity_of
from .identity import NO_TEMPLATE, Identity
from .sightings import about, mark, sighted
from .snapshot import Origin, Reading, Snapshot, capture, exception_of, sample, snapshot
from .tally import Tallies, Tally

T = TypeVar("T")

MAX_QUEUED = 1024
"""Small alerts: 3 to 7 MiB of them. Beyond that the calling thread puts them into the store, where there is a bound."""

READ_EVERY_S = 1.0
"""How old what is counted here may become before the store has it."""

MAX_QUEUED_LARGE = 16
"""Of others: each may take a quarter of a MiB."""

_HUGE = 256 * 1024
"""One of so many bytes does not stay in the queue."""

_AT_ONCE = 32
"""So many of them, for the same lock: a fraction of a millisecond now and then, and never all at once."""

_AT_A_FIRST_S = 0.02
"""After so long the worker looks again whether another thread has queued its first."""

_COUNTED_BYTES = 512

_CLOSED = (
    "the handler is closed (a dictConfig closes all handlers that were made before it); "
    "records that still come to it are counted and not sent"
)

_NEVER_ENDS = "redact logs while it masks a record of its own; that record is refused, or this would never end"

_keys = itertools.count()
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("wecom_logging_depth", default=0)
"""How deep in masking we are: a user's redact that logs makes an alert, which is masked by it, and so on."""


class Rules(Protocol):
    """What a handler's options say about its records."""

    @property
    def origin(self) -> Origin: ...
    @property
    def window_s(self) -> float: ...
    @property
    def take_for_s(self) -> float: ...
    def quiet_limit_s(self, level: int) -> float: ...
    @property
    def fingerprint(self) -> Callable[[logging.LogRecord], str] | None: ...
    @property
    def mask_may_log(self) -> bool: ...
    @property
    def max_pending(self) -> int: ...
    @property
    def max_pending_bytes(self) -> int: ...
    def recipients(self, logger: str, level: int, own: Recipients | None) -> Recipients | None: ...
    def fingerprint_of(self, reading: Reading) -> str | None: ...
    def warn_once(self, cause: str, text: str) -> object: ...


class Captured:
    """The alert of a record that was copied. It is made and masked when it is asked for, once.

    ``written``: it is in the write-ahead file, and ``ticket`` says where.
    """

    __slots__ = ("_alert", "_make", "depth", "digest", "picture", "snapshot", "ticket", "written")

    def __init__(self, made: Snapshot | None, depth: int, make: Make) -> None:
        self.snapshot = made
        self.depth = depth
        self.picture = made.picture if made is not None else b""
        self.digest: Digest | None = None  # another handler's
        self.written: Alert | None = None
        self.ticket: Any = None
        self._make = make
        self._alert: Alert | None = None

    @property
    def alert(self) -> Alert:
        made = self.snapshot  # first: another thread that makes it, too, forgets it last
        if self._alert is None:
            self._alert = self._make(self, made)
            self.snapshot = None
        return self._alert

    @property
    def size(self) -> int:
        made = self.snapshot
        return len(self.picture) + (made.weigh() if made is not None else 8 * _COUNTED_BYTES)


Make = Callable[[Captured, Snapshot | None], Alert]

_CLOSE_STEP_S = 0.05
"""Where thousands end one after the other, all are looked through no more often than this."""


class Collector:
    """What one handler's records become.

    ``write_ahead(tally, alert)`` writes an alert down that is to survive this process; ``relieve(number)`` takes so
    many of what is queued, where that is too much.
    """

    def __init__(
        self,
        options: Rules,
        worker: Worker,
        make: Make,
        write_ahead: Callable[[Tally, Alert], object] | None,
        relieve: Callable[[int], None],
    ) -> None:
        self.formatter: logging.Formatter | None = None
        self.closed = False
        self._options = options
        self._worker = worker
        self._make = make
        self._write_ahead = write_ahead
        self._relieve = relieve
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Empty counters and nothing that waits: at first, and in a forked child, whose parent tells what it has."""
        self.key = next(_keys)
        self.counters = Counters()
        self.tallies = Tallies(self._options.window_s)
        self.echoes = Echoes(self._worker.channel)
        self.find: Callable[[Any], Tally | None] = self.tallies.spots.get
        """Finds the open tally of a spot; see `AlertHandler.handle`."""
        self.busy: Container[str] = ()
        self.all_busy = False
        """The lanes that the worker cannot serve now, for a new alert or without; all of them?"""
        self.flooded: Container[str] = ()
        """Of the busy lanes those in which a critical alert need not wait."""
        self.given_up = False
        """At exit: no turn comes any more for what waits."""
        self._queue: deque[tuple[Tally, int]] = deque()
        self._woken: dict[Tally, object] = {}
        self._active: dict[Tally, None] = {}
        self._next_read = float("-inf")
        self.next_close = float("inf")
        """When the first tally may be quiet for so long that it is over."""
        self._by_key: dict[str, Tally] = {}
        self._sites: dict[tuple[int, str, str, int], int] = {}

    # Any thread, at any instant.

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and say so to the worker. Never waits, and raises no `Exception`."""
        is_counted = False
        try:
            wanted = self._take_if_not_ours(record)
            is_counted = True
            if wanted:
                self._worker.nudge()
            if (excess := self._excess()) > 0:  # also where the worker is not wanted: it may wait for minutes
                self._relieve(min(excess, _AT_ONCE) + _AT_ONCE)
        except Exception as error:  # unforeseen: no memory, no stack left
            if is_counted:  # it waits, and the next record or the exit finds it
                return
            counters = self.counters
            counters.accepted.add()  # not by refuse(), which needs a frame of the stack
            counters.dropped["rejected"].add()
            try:
                self._warn_of(record, error)
            except Exception:  # it is counted; there is no room to say more
                pass
        except BaseException:  # Ctrl-C, or what a signal handler raises: what was taken by then is told
            self._worker.nudge()
            raise

    def attend(self, tally: Tally, record: logging.LogRecord) -> None:
        """What a record that was counted unseen asks for beyond that. Raises no `Exception`."""
        try:
            if self._attend(tally, record):
                self._worker.nudge()
        except Exception:  # it is counted, and the worker looks at it sooner or later
            return

    def _excess(self) -> int:
        """How many more are queued than are to wait for the worker, which may be in a request."""
        queue = self._queue
        try:
            newest = queue[-1][0].first
        except IndexError:  # another thread has taken it at this instant
            return 0
        made = newest.snapshot if isinstance(newest, Captured) else None
        if made is None or made.is_small or newest is None:
            return len(queue) - MAX_QUEUED
        return len(queue) - (MAX_QUEUED_LARGE if newest.size < _HUGE else 0)

    def _take_if_not_ours(self, record: logging.LogRecord) -> bool:
        if own_traffic.get() and str(record.name).startswith(OUR_LIBRARIES):
            return False  # made by our own network call
        if record.process != self._worker.pid and os.getpid() != self._worker.pid:
            forked_without_hooks()
        return self.take(record)

    def take(self, record: logging.LogRecord) -> bool:
        """Count, copy, write ahead. Whether the worker has something to do."""
        if self.closed:
            return self._refuse("closed", _CLOSED)
        if (depth := _depth.get()) > 1:
            return self._refuse("rejected", _NEVER_ENDS)
        if (given := carried(record)) is not None:
            return self._take_carried(given, depth)
        error = exception_of(record) if record.exc_info else None
        if error is not None and (last := logged.get()) is not None:
            last[:] = (error,)
        failure = about(record) if error is None else error
        if failure is not None and (seen := sighted(failure, self.key, record)) is not None:
            seen.see()
            return self._wake(seen)
        reading = Reading(record)
        if (cause := self.echoes.cause_of(reading, error)) is not None:
            if cause.tally is None:
                self.counters.merge()
                return False
            if error is not None:
                mark(error, self.key, cause.tally)
            cause.tally.has_echoes, cause.tally.constant = True, NO_TEMPLATE
            cause.tally.see()
            return self._wake(cause.tally)
        own = self._options.fingerprint_of(reading) if reading.extra or self._options.fingerprint else None
        identity, began = identity_of(reading, error, self._worker.pid, own), reading.values[3]
        while True:
            tally, kind, fold = self.tallies.find(identity, began)
            if tally is not None:
                break
            if (wanted := self._take_first(fold, reading, error, failure, identity)) is not None:
                return wanted
        if fold is not None:
            kind = self.tallies.see(tally, identity, fold.name, sample(record).text, began, is_new=True)
        elif tally.constant is identity.constant is not NO_TEMPLATE:
            self.tallies.count_here(tally, identity.spot)
        if tally.has_echoes:
            self.echoes.told(reading, error, tally)
        if failure is not None:
            mark(failure, self.key, tally)
        if depth > tally.depth:
            tally.depth = depth
        tally.add()
        if kind is not None:
            kind.add()
        tally.last = began
        return tally.attention and self._attend(tally, record)

    def _take_first(
        self,
        fold: Fold | None,
        reading: Reading,
        error: BaseException | None,
        failure: BaseException | None,
        identity: Identity,
    ) -> bool | None:
        """Open a tally with its first alert, both or neither; None where another thread was faster.

        It is open while the alert is copied: user code that logs the same meanwhile is counted in it.
        """
        tally = self._new_tally(reading, error, identity if fold is None else identity.folded(fold.text))
        tally.depth = _depth.get()
        first = Captured(None, tally.depth, self._make)
        alone = iter((tally,))  # empty once it is put down
        try:
            if not self.tallies.open(tally):
                return None
            if fold is not None:
                self.tallies.stand_for(tally, identity, fold)
            if failure is not None:
                mark(failure, self.key, tally)
            made = snapshot(reading, self.formatter)
            made.identity = tally.identity
            first.snapshot = made
            if self._is_full(tally.level, made):
                tally.lost = "queue_overflow"
                self.tallies.close(tally)
                self.counters.refuse("queue_overflow")
                return self._may_go(tally)
            first.picture = made.picture
            if self._write_ahead is not None:
                self._write_down(tally, first, capture(made, self._options.origin))
            tally.first = first
            self.echoes.told(reading, error, tally, made)
            return self._put(alone, tally)
        except BaseException:  # also Ctrl-C, or what another signal handler raises, at any line
            if next(alone, None) is not None:
                tally.lost = "rejected"  # and with it what others have counted meanwhile
                self.tallies.close(tally)
                if first.ticket is not None:
                    first.ticket.done()
            raise

    def _is_full(self, level: int, made: Snapshot) -> bool:
        """Whether so much is queued, because threads log faster than anybody can sort, that a new alert is lost."""
        queued, options = len(self._queue), self._options
        if queued < 8 * MAX_QUEUED_LARGE:
            return False
        most = max(options.max_pending, 2 * MAX_QUEUED)
        if not made.is_small:
            most = min(most, options.max_pending_bytes // made.weigh())
        return queued >= (most if level < logging.CRITICAL else 2 * most)

    def _take_carried(self, given: Digest, depth: int) -> bool:
        identity = Identity((), "")
        tally = Tally(given.alert.level, None, self.counters.accepted, given.last or given.alert.time, identity)
        first = Captured(None, depth, self._make)
        first.digest = given
        tally.first, tally.path, tally.line = first, given.alert.place.file, given.alert.place.line
        if self._write_ahead is not None:
            self._write_down(tally, first, given.alert)
        tally.closed = True  # it is in no table: nothing more is counted in it
        return self._put(iter((tally,)), tally)

    def _write_down(self, tally: Tally, first: Captured, alert: Alert) -> None:
        assert self._write_ahead is not None
        first.written = alert
        first.ticket = self._write_ahead(tally, first.alert)

    def _put(self, alone: Iterator[Tally], tally: Tally) -> bool:
        """Queue what an iterator has, and count it: all of that is done, in one step in C, or nothing."""
        self._queue.extend(zip(alone, self.counters.accepted.count, strict=False))
        return self._may_go(tally)

    def _new_tally(self, reading: Reading, error: BaseException | None, identity: Identity) -> Tally:
        """A tally of a record and of those that are the same, not open yet."""
        level, _, logger, began = reading.values[:4]
        recipients = self._options.recipients(logger, level, reading.recipients)
        tally = Tally(level, recipients, self.counters.accepted, began, identity)
        if recipients is not None:
            tally.lane = lane_of(recipients)
        tally.path, tally.line = reading.values[7], reading.values[8]
        tally.watched = self._worker.lacks_thread
        if reading.is_plain and error is None and not logger.startswith(OUR_LIBRARIES):
            tally.constant = identity.constant  # else it may be about our own traffic
        return tally

    def _attend(self, tally: Tally, record: logging.LogRecord) -> bool:
        """More than counting: a sample, or a tally that the worker is to look at, which is what it returns."""
        try:
            sample_wanted, wanted = tally.attend()
            if wanted or self._worker.lacks_thread:
                wanted = self._wake(tally)
                if self._worker.lacks_thread:  # no turn has looked at it, and none will ask for the next
                    wanted = tally.watched = tally.attention = True
            if sample_wanted:
                tally.samples.append(sample(record))
        except BaseException:  # also Ctrl-C: the next record asks again
            tally.watched = tally.attention = True
            raise
        return wanted

    def _wake(self, tally: Tally) -> bool:
        """Let the worker look at a tally; whether it has to be told so now."""
        mine = object()
        return self._woken.setdefault(tally, mine) is mine and self._may_go(tally)

    def _may_go(self, tally: Tally) -> bool:
        """Whether the worker may have something to do for a new alert, or waits for the same limit anyway."""
        passes = tally.level >= logging.CRITICAL and tally.lane in self.flooded
        waits = self.all_busy or (tally.lane in self.busy and not passes)
        return not waits or self._worker.lacks_thread or self.given_up

    def _refuse(self, reason: str, text: str) -> bool:
        self.counters.refuse(reason)
        self._options.warn_once(reason, text)
        return False

    def _warn_of(self, record: logging.LogRecord, error: Exception) -> None:
        where = f"{getattr(record, 'pathname', '?')}:{getattr(record, 'lineno', '?')}"
        self._options.warn_once("rejected", f"a record made at {where} could not be captured ({type(error).__name__})")

    @contextmanager
    def masking(self, depth: int) -> Iterator[None]:
        """While a user's redact may log: every record is looked at, so that none is masked on and on."""
        if not self._options.mask_may_log:  # a signal handler may log all the same, and again amid that
            yield
            return
        self.find = _unseen
        outer = _depth.set(depth + 1)
        try:
            yield
        finally:
            _depth.reset(outer)
            self.find = self.tallies.spots.get

    # The worker, or the thread that stands in for it.

    def waiting(self) -> int:
        """How many new alerts are queued."""
        return len(self._queue)

    def first(self) -> tuple[Count, Callable[[], object]] | None:
        """The oldest of the new alerts, which opens an incident, and what takes it out of the queue."""
        try:
            one = self._queue[0]
        except IndexError:
            return None
        return self._opening(*one), partial(self._queue.remove, one)

    def counted(self, now: float, *, at_once: bool = False) -> list[Count]:
        """What was counted since it was taken last, of incidents whose first is in the store.

        Of one that was quiet before at once, of the others once a second, or ``at_once`` too.
        """
        woken = dict.fromkeys(self._woken)
        for tally in woken:
            self._woken.pop(tally, None)  # before it is read: who counts from now on wakes it again
        if at_once:
            self._active.update((tally, None) for tally in self.tallies if not tally.has_all_taken)
        self._active.update(woken)
        if at_once or now >= self._next_read:
            self._next_read = now + READ_EVERY_S
            woken = self._active
        counts = [count for tally in list(woken) if (count := self._read(tally, now)) is not None]
        for tally in popped(self.tallies.closed):
            if (count := self._rest_of(tally)) is not None:
                counts.append(count)
        return counts

    def seconds_to_next_read(self, now: float) -> float:
        """Until `counted` has something, as far as is known now: a record that comes then says so itself."""
        if self._queue or self._woken:
            return 0.0
        if self.tallies.closed:  # a thread is at a first
            return _AT_A_FIRST_S
        return max(self._next_read - now, 0.0) if self._active else float("inf")

    def of(self, key: str) -> Tally | None:
        """The tally of an incident."""
        return self._by_key.get(key)

    def counted_since_told(self, most: int) -> list[str]:
        """The keys of incidents of which something was counted since a message has told them."""
        tallies = ((key, tally) for key, tally in self._by_key.items() if tally.counted_at > tally.told_at > 0)
        return [key for key, _ in itertools.islice(tallies, most)]

    def rename(self, tally: Tally, key: str) -> None:
        """Count for the incident of this key from now on."""
        if self._by_key.get(tally.key) is tally:
            del self._by_key[tally.key]
        tally.key = key
        self._by_key[key] = tally

    def settled(self, tally: Tally, how: str, now: float) -> None:
        """A message about it has ended, or the store has it."""
        tally.told_at = now
        tally.ended = how
        self.next_close = min(self.next_close, life.quiet_at(now, now, self._options.window_s))
        self._leave_site(tally)
        if now - tally.room_at >= self._options.window_s:
            tally.room_at = now
            tally.open_room()

    def lost(self, tally: Tally, why: str) -> None:
        """It was given up: what it has counted goes with it."""
        tally.lost = tally.lost or why
        self.end(tally)

    def end(self, tally: Tally) -> None:
        """Its incident is over: what comes now is new."""
        self._leave_site(tally)
        self._active.pop(tally, None)
        self.tallies.close(tally)
        if self._by_key.get(tally.key) is tally:  # last: who was torn away finds it again
            self._by_key.pop(tally.key, None)

    def close_quiet(self, now: float, is_answered: Callable[[str], bool]) -> None:
        """End those of which nothing was counted or told for so long that a record would be a new incident.

        ``is_answered``: whether a person did something with the incident of a key, which is in force.
        """
        if now < self.next_close:
            return
        self.next_close = float("inf")
        for tally in list(self._by_key.values()):
            ends = life.quiet_at(tally.told_at, tally.counted_at, self._options.window_s)
            if tally.ended and now >= ends and is_answered(tally.key):
                ends = now + self._options.window_s
            if tally.ended and now >= ends:
                self.end(tally)
            elif tally.ended:
                self.next_close = min(self.next_close, ends)
        self.next_close = max(self.next_close, now + min(_CLOSE_STEP_S, self._options.window_s / 100))

    def is_at_a_first(self) -> bool:
        """Whether something is counted of which the first is not queued yet: another thread is at that."""
        return any(not (tally.begun or tally.lost or tally.has_all_taken) for tally in self.tallies)

    def _opening(self, tally: Tally, number: int) -> Count:
        site = (tally.level, tally.lane, tally.path, tally.line)
        if not tally.key:
            key = f"~{number}"
            tally.begun = True
            if not tally.crowds:
                waiting = self._sites.get(site, 0)
                tally.crowded, tally.crowds = waiting > 0, True
                self._sites[site] = waiting + 1
            if not tally.closed:
                self._by_key[key] = tally
                if not tally.watch():
                    self._wake(tally)
            tally.key = key  # last: who was torn away begins again
        return Count(
            key=tally.key,
            level=tally.level,
            window_s=self._options.window_s,
            last=tally.last,
            first=tally.first,
            crowded=tally.crowded,
            lane=tally.lane,
            own=_ONE,
            take_for_s=self._options.take_for_s,
            quiet_limit_s=self._options.quiet_limit_s(tally.level),
        )

    def _read(self, tally: Tally, now: float) -> Count | None:
        if tally.closed:
            self._active.pop(tally, None)
            return self._rest_of(tally)
        if not tally.key:  # its first is not in the store yet
            return None
        same, seen = tally.take()
        if not (same or seen):
            if tally.watch():
                self._active.pop(tally, None)
            return None
        if same:
            tally.counted_at = now
        return self._count(tally, same, seen)

    def _rest_of(self, tally: Tally) -> Count | None:
        """What a closed one has counted too late: it counts in the next, or opens its incident once more."""
        successor = None if tally.lost else self.tallies.successor(tally)
        if not (tally.begun or tally.lost) or (successor is not None and not successor.key):
            self.tallies.closed.append(tally)  # another thread is at a first
            return None
        same, seen = tally.take()
        if tally.lost:
            self.counters.settle(tally.lost, 0, same + seen)
            return None
        if not (same or seen):
            return None
        if successor is None and tally.ended and not same:
            self.counters.settle(tally.ended, 0, seen)
            return None
        return self._count(successor or tally, same, seen)

    def _count(self, tally: Tally, same: int, seen: int) -> Count:
        return Count(
            key=tally.key,
            number=same,
            level=tally.level,
            window_s=self._options.window_s,
            last=tally.last,
            first=tally.first,
            samples=tally.take_samples(),
            kinds=tally.take_kinds(),
            lane=tally.lane,
            own=Own(0, same, seen),
        )

    def _leave_site(self, tally: Tally) -> None:
        if tally.crowds:
            tally.crowds = False
            site = (tally.level, tally.lane, tally.path, tally.line)
            self._sites[site] -= 1
            if self._sites[site] <= 0:
                del self._sites[site]


_ONE = Own(1)


def popped(queue: deque[T]) -> Iterator[T]:
    """Each that stands in a queue now, once, while others may take some of them too."""
    for _ in range(len(queue)):
        try:
            first = queue.popleft()
        except IndexError:
            return
        yield first


def _unseen(spot: object) -> None:
    """In place of the table of spots: none is open."""
