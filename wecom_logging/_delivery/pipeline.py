"""`Pipeline`: what the worker of one handler does. Read `Pipeline.turn` first.

A turn claims the incidents that are due, makes their message, sends it, and settles the result.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from .._capture.collector import Collector
from .._capture.snapshot import hostname
from .._incidents import life
from .._incidents.incident import Incident, Kept
from .._incidents.view import view
from .._runtime.clock import now
from .._runtime.deadline import within
from .._runtime.worker import Worker
from .._state.answering import Answered, answer
from .._state.failover import DRAIN_S, FailoverStore, Mark
from .._state.memory import MemoryStore
from .._state.shared import alone
from .._wecom.channels import Channel
from ..model import Answer, IncidentView, Outcome, Stats
from .alerts import Alerts
from .claims import Claims
from .delivery import Delivery
from .drafts import Drafts
from .endings import Endings
from .floods import Floods
from .options import Options
from .outbox import Outbox
from .sender import Senders
from .settlement import Settlement

_MAX_VIEWS = 1000
_SWEEP_S = 60.0
_LEAST_WAIT_S = 0.001
_STUCK_S = 2.0
_HAND_OVER_S = 1.0
"""At exit: for so long alerts are made for the shared store."""


class Pipeline:
    """One handler's way from a record to a message: ``collector`` is for the calling threads, the rest for the worker.

    Several ``channels`` are the bots of one group.
    """

    def __init__(self, channels: Sequence[Channel], options: Options, clock: Callable[[], float] = now) -> None:
        self.options = options
        self.composer = options.composer
        self.exit_timeout_s = options.exit_timeout_s
        self._clock = clock
        self._channels = channels
        self._channel_id = " ".join(sorted(channel.identity for channel in channels))
        self._worker = Worker(self, clock, self._channel_id)
        self._handlers: dict[int, weakref.ref[object]] = {}
        """Those that are open, by their ids. Of more than one the newest goes on with what another has."""
        self.likeness: object = None
        """Equal for handlers of one class with the same options."""
        self.collector = Collector(
            options,
            self._worker,
            lambda first, made: self._alerts.make(first, made),
            None if options.shared.write_ahead is None else lambda tally, alert: self._alerts.write_ahead(tally, alert),
            self._relieve,
        )
        self._start()

    def open(self) -> None:
        """Send from now on what others leave in a shared store, also before anything is logged here."""
        if self._store.seconds_to_next_look(self._clock()) < float("inf"):
            self._worker.nudge()

    def reset_after_fork(self, *, inherits: bool = False) -> None:
        """In a forked child, whose parent tells what it has: empty counters, and nothing that waits.

        A child that ``inherits`` tells it in the parent's place.
        """
        if not inherits:
            self.collector.reset_after_fork()
            self._start()

    def _start(self) -> None:
        options, clock, collector = self.options, self._clock, self.collector
        self._intake = intake = collector.intake
        endings = Endings(intake, clock)
        memory = MemoryStore(endings.left_memory, options.max_pending, options.max_pending_bytes)
        self._alerts = Alerts(collector, memory, self._channels, self._channel_id, options, clock)
        self._store = FailoverStore(
            self._channel_id,
            memory,
            options.shared,
            host=hostname(),
            timeout_s=options.timeout_s,
            publish=self._alerts.publish,
            handed=endings.handed_over,
            warn_once=options.warn_once,
        )
        self._senders = senders = Senders(self._channels, options.rules, clock, options.shared)
        self._claims = claims = Claims(self._store, senders, endings, options, self.closed)
        self._floods = floods = Floods(senders, options.warn_once, clock)
        self._outbox = outbox = Outbox(claims, senders, floods, intake, options)
        self._drafts = Drafts(claims, self._alerts, floods, endings, senders, lambda: self.composer, clock)
        self._settlement = Settlement(claims, outbox, floods, endings, senders, options, self.key, clock)
        self._overflow_told = 0
        self._ends = False

    @property
    def draining(self) -> bool:
        """Whether what the rate limit has left is used now."""
        return self._senders.draining

    @draining.setter
    def draining(self, is_draining: bool) -> None:
        self._senders.draining = is_draining

    @property
    def key(self) -> int:
        """Which of all handlers of this process it is."""
        return self.collector.key

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """What its channels are called."""
        return tuple(channel.identity for channel in self._channels)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def open_for(self, handler: object) -> None:
        """Accept what a handler gets, in its own look, until it is closed or nobody has it any more."""
        key = id(handler)
        self._handlers[key] = weakref.ref(handler, lambda _: self._part(key))
        self.composer, self.collector.formatter = self.options.composer, None
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

    def forget_incidents(self) -> None:
        """Tell what comes from now on as if it were new."""
        self.collector.identify_all()
        for tally in self.collector.tallies:
            self.collector.tallies.close(tally)
        for incident in self._store.memory.rows(self._channel_id):
            if not incident.untold:
                self._store.memory.remove(self._channel_id, incident.key)

    def stats(self) -> Stats:
        return self.collector.counters.stats()

    def incidents(self) -> list[IncidentView]:
        """What is open, the newest first."""
        found = sorted(self._store.incidents(_MAX_VIEWS), key=lambda one: one.last, reverse=True)
        return [view for one in found if life.is_open(one) and (view := self._view(one)) is not None]

    # Whoever does something with an incident, in any thread; as `Place`.

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Incident]]:
        """What is open in the memory of this process, the newest first or that of an id, with short ids; none with a
        shared state."""
        if self.options.shared is not alone:
            return []
        memory, found = self._store.memory, list[Incident]()
        rows = memory.open(self._channel_id, most, short_id=short_id)
        if short_id is not None and not rows:  # it may be one whose alert was not made yet
            rows = [one for one in memory.rows(self._channel_id) if not one.short_id]
        for one in rows:
            with suppress(Exception):  # of one that cannot be made there is nothing to say
                found.append(replace(one, short_id=self._alerts.short_id(one)))
        return [(self._channel_id, one) for one in found if short_id in (None, one.short_id)]

    def whole(self, channel: str, incident: Incident) -> Incident:
        """One of the rows, with all texts masked that are shown of it."""
        alert = self._claims.wholes.find(incident.key)
        return self._alerts.whole(incident if alert is None else replace(incident, first=Kept(alert)))

    def answer(
        self,
        channel: str,
        key: str,
        become: Callable[[Incident, float], Incident],
        in_the_way: Callable[[Incident], Answer | None],
    ) -> Answered | None:
        """Let an incident of this process's memory become another, as `answering.answer`, with all that was logged by
        now. The worker tells the line about it."""
        now = self._clock()
        if self._claims.section.acquire(timeout=_STUCK_S):  # else it is counted a second later
            try:
                self._add(now, at_once=True)
            finally:
                self._claims.section.release()
        found = answer(self._store.memory, channel, key, lambda one: become(one, now), in_the_way, now)
        self._worker.nudge()
        return found

    def _view(self, incident: Incident) -> IncidentView | None:
        try:
            return view(replace(incident, short_id=self._alerts.short_id(incident)))
        except Exception:  # of one that cannot be read or made there is nothing to say
            return None

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        for channel in self._channels:
            channel.load()
        self.options.shared.load()

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        for channel in self._channels:
            channel.begin()
        now = self._clock()
        with self._claims.section:
            self._add(now)
            delivery, wait = self._next(now)
        if delivery is None:
            return wait
        sender = self._senders.least_busy(delivery.recipients)
        outcome = Outcome("rejected")
        try:
            if not delivery.parts:
                self._drafts.write(delivery, sender)
            outcome = sender.send(delivery)
        except BaseException as error:  # a defect of ours, or user code (redact): it costs one alert
            self.options.warn_once("defect", f"an alert could not be made into a message ({type(error).__name__})")
            if not isinstance(error, Exception):
                raise
        finally:  # what ends the thread does so when the counters are right
            self._settlement.settle(delivery, outcome, sender, self._clock() - now)
        return 0.0

    def _next(self, now: float) -> tuple[Delivery | None, float]:
        """What may be sent now, else the seconds until something may."""
        self.collector.all_busy = False
        self._outbox.expire(now)
        if self._senders.are_elsewhere:
            self._outbox.let_go(now)
        if (pause := self._senders.pause()) > 0:
            self.collector.all_busy = not self.options.shared.is_up
            self._store.look(now, draining=self.draining)
            waits = [pause, self._seconds_to_next_look(now), *([DRAIN_S] if self.draining else [])]
            return None, max(min(waits), _LEAST_WAIT_S)
        delivery = self._outbox.next(now)
        self.collector.busy, self.collector.flooded = self._claims.busy, self._floods.lanes
        has_more = delivery is not None or self._outbox.has_more
        return delivery, 0.0 if has_more else self._seconds_to_next_look(now)

    def _add(self, now: float, *, at_once: bool = False) -> None:
        """What was logged since the last turn goes into the store."""
        self._store.memory.pull(self._channel_id, self._intake, now, all_of_it=at_once)
        self._store.add(self._intake.counted(now, at_once=at_once or self.draining), now)
        self._store.hand_over(now)
        if (written := self.options.shared.write_ahead) is not None:
            written.tidy()
        self._intake.close_quiet(now, self._store.is_answered_here)
        self._tell_overflow()

    def _relieve(self, number: int) -> None:
        """The worker may be in a request: put what is queued where there is a bound, if no thread is at that."""
        self._store.memory.relieve(self._channel_id, self._intake.identified, number, self._clock())

    def _tell_overflow(self, when: str = "so far") -> None:
        """Say what the calling threads had to push out."""
        lost = self.collector.counters.dropped["queue_overflow"].value
        if lost > self._overflow_told:
            text = f"{lost} alerts are lost {when}: more waited than max_pending allows"
            if self.options.warn_once(f"queue_overflow {when}", text):
                self._overflow_told = lost

    def _seconds_to_next_look(self, now: float) -> float:
        waits = [self._intake.seconds_to_next_read(now), self._intake.next_close - now]
        next_due = self._store.seconds_to_next_look(now)
        if next_due <= 0:  # it is due, but those who get it have to wait
            waits += [until - now for until in self._claims.busy.values()]
            next_due = _SWEEP_S
        waits += [next_due, self._outbox.seconds_to_next_round()]
        return max(min(waits), 0.0)

    # What the worker's thread, the exit hook and a fork ask.

    def waits_for(self) -> Mark | None:
        """Bring all that is counted into the store; what is to be told then. None: a thread is at a first record."""
        with self._claims.section:
            self._add(self._clock(), at_once=True)
            if self._ends:
                self._store.hear_all(self._clock())
            return None if self._intake.is_at_a_first() else self._store.mark()

    def is_told(self, mark: Mark) -> bool:
        """Whether all that was to be told is settled."""
        return self._store.is_told(mark, handed_over_is_enough=self._senders.are_elsewhere)

    def settled(self) -> bool:
        """Whether nothing waits, by the counters."""
        waits = self._store.has_untold() and not (self._senders.are_elsewhere and self.options.shared.is_up)
        return self.stats().pending == 0 and not waits and not self._settlement.is_reporting

    def closed(self) -> bool:
        return self.collector.closed

    def finished(self) -> bool:
        return self.closed() and self.settled() and not self._outbox

    def end(self) -> None:
        """What somebody has taken or silenced in this process's memory is told now: there is no later.

        In a shared store, that and what is only counted is safe, and waits for its time.
        """
        self._ends = True
        self.collector.echoes.end()
        self._store.end()
        self._handlers.clear()  # when the interpreter takes all apart, nobody is to hear of them

    def give_up(self, has_time: Callable[[], bool] = bool) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number, or left in the shared store.

        Not what comes amid this, while it ``has_time``.
        """
        lost = self.collector.counters.dropped["exit_timeout"]
        before = lost.value
        entered = self._claims.section.acquire(timeout=_STUCK_S)
        try:
            self.collector.given_up = True
            self.collector.shut()
            self._outbox.give_up()
            self._store.let_go(self._clock())
            with suppress(BaseException), within(time.monotonic() + _HAND_OVER_S):  # what redact raises, and takes
                self._add(self._clock(), at_once=True)
            self._tell_overflow("in all")  # whatever was said within the last minute
            self.collector.echoes.leave_last_words()
            while not has_time() and (incidents := self._store.memory.rows(self._channel_id)):
                self._claims.leave(incidents)
            self._intake.counted(self._clock(), at_once=True)
        finally:
            if entered:
                self._claims.section.release()
        if self._claims.left_behind or (self._store.leaves_untold() and not self._senders.are_elsewhere):
            when = f"alerts that were not sent within exit_timeout ({self.exit_timeout_s:g} s) wait in the state"
            self.options.warn_once(
                "left", f"{when}; the next process that opens it sends them (`wecom-logging pending` shows them)"
            )
        return lost.value - before


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
