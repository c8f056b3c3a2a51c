"""`LeaderPipeline`: what a handler without a shared state holds: its leader, with a journal in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._jobs.declared import declared
from .._runtime import clock as system
from .._runtime import forks
from .._runtime.clock import within
from .options import Options
from .pipeline import ALIVE_S, HAND_OVER_S, MAX_VIEWS, STUCK_S, Channels, Pipeline

if TYPE_CHECKING:
    from .._capture.pending import PendingAlert
    from .._incidents.book import Mark
    from .._jobs.base import Jobs
    from .._jobs.watch import Watch
    from .._wecom.channels import Channel
    from ..model import Alert, IncidentView, Recipients
    from ..model.duty import OnDuty
    from .duty import Duty
    from .heartbeat import Heartbeat
    from .leader import Leader
    from .leader_place import LeaderPlace

_BUSY_S = 0.02
"""For so long a thread of the program, which may hold logging's lock, waits to see whether all is settled."""


class LeaderPipeline(Pipeline):
    """That of one handler. ``duties`` makes the room of duty, of its options, its recipients and the clock on the
    wall."""

    wall: Callable[[], float] | None = None
    """In a test, the clock on the wall, where it is another one."""

    def __init__(
        self,
        channels: Sequence[Channel] | Channels,
        options: Options,
        clock: Callable[[], float],
        duties: Callable[[Options, Recipients, Callable[[], float]], Duty],
    ) -> None:
        self._make_duties = duties
        super().__init__(channels, options, clock)

    def _start(self) -> None:
        self.collector.audience = self._audience
        self._ends = False
        for made in ("_leads", "_watch", "_beats"):
            self.__dict__.pop(made, None)

    @property
    def _leading(self) -> Leader | None:
        """What the worker has, if anything has asked for it."""
        return self.__dict__.get("_leads")

    @property
    def leader(self) -> Leader:
        """What the worker has, made when it is first asked for. Of several threads that do, the first counts."""
        if (found := self._leading) is None:
            from .._journal.memory import MemoryJournal
            from .leader import Leader

            options, steady = self.options, self._clock
            wall = self.wall or (system.wall if steady is system.now else steady)
            duties = self._make_duties(options, self._channels[0].addressed(None), wall)
            made = Leader(
                self.collector, self._channels, options, lambda: self.looks, MemoryJournal(), duties, wall, steady
            )
            leader: Leader = self.__dict__.setdefault("_leads", made)
            leader.ends = self._ends
            return leader
        return found

    @cached_property
    def place(self) -> LeaderPlace:
        """Where people do something with its incidents."""
        from .leader_place import LeaderPlace

        return LeaderPlace(self.channel_id, lambda: self._leading, lambda: self.jobs, self._worker.nudge)

    def _make(self, first: PendingAlert) -> Alert:
        return self.leader.inbox.make(first)

    def _relieve(self, number: int) -> None:
        self._worker.nudge()

    @property
    def draining(self) -> bool:
        return (leader := self._leading) is not None and leader.senders.draining

    @draining.setter
    def draining(self, is_draining: bool) -> None:
        if (leader := self.leader if is_draining else self._leading) is not None:
            leader.senders.draining = is_draining

    def open(self) -> None:
        """Look after jobs, and say outside that somebody watches, also where nothing is logged."""
        if self.options.heartbeat_url is not None or declared or self._leading is not None:  # a maintenance is over
            self.look()

    def look(self) -> None:
        self._worker.nudge()

    @property
    def watch(self) -> Watch:
        """What looks after jobs; loaded where there are some."""
        watch: Watch | None = self.__dict__.get("_watch")
        if watch is None:
            from .._jobs.book import JobBook
            from .._jobs.watch import Watch
            from .job_rows import LeaderRows

            rows = LeaderRows(self.leader, self.channel_id)
            made = Watch(rows, JobBook(), self.options, self.leader.inbox.meant, self._clock)
            watch = self.__dict__.setdefault("_watch", made)
            assert watch is not None
        return watch

    @property
    def jobs(self) -> Jobs:
        return self.watch.jobs

    def is_watching(self) -> bool:
        watch = self.__dict__.get("_watch")
        return watch is not None and self._clock() - watch.turned_at < ALIVE_S

    def _look_after_jobs(self) -> float:
        """See whether jobs have run that are expected to; the seconds until it is to be seen again."""
        if not declared and "_watch" not in self.__dict__:
            return float("inf")
        if self.collector.closed or self.draining:  # a thread waits, for alerts
            return float("inf")
        with forks.gate:  # a child that is forked amid an import could never finish it
            watch = self.watch
        return watch.turn(self._clock())

    def _beat(self, leader: Leader) -> float:
        """Say outside that somebody watches, where sending works."""
        if self.options.heartbeat_url is None or leader.senders.draining:
            return float("inf")
        beats: Heartbeat | None = self.__dict__.get("_beats")
        if beats is None:
            from .heartbeat import Heartbeat

            beats = self.__dict__.setdefault("_beats", Heartbeat(self.options.heartbeat_url, self.options.warn_once))
        assert beats is not None
        is_sending = leader.senders.are_elsewhere or leader.senders.pause() <= 0
        return beats.turn(self._clock()) if is_sending else beats.every_s

    def forget_incidents(self) -> None:
        if (leader := self._leading) is not None:
            leader.forget()

    def incidents(self) -> list[IncidentView]:
        if (leader := self._leading) is None or not leader.lock.acquire(timeout=STUCK_S):
            return []
        try:
            return leader.incidents(MAX_VIEWS)
        finally:
            leader.lock.release()

    def on_call(self) -> list[OnDuty]:
        return self.leader.duties.shown(self.leader.now()) if self.options.duty else []

    def prepare(self) -> None:
        self.leader  # noqa: B018 # loading it is the purpose
        for channel in self._channels:
            channel.load()
        if declared:
            self.watch  # noqa: B018 # as above

    def turn(self) -> float:
        looks_in = self._look_after_jobs()
        leader = self.leader
        wait_s = leader.turn()
        return wait_s if wait_s <= 0 else min(wait_s, looks_in, self._beat(leader))

    def waits_for(self) -> Mark | None:
        leader = self.leader
        with leader.lock:
            leader.ends = self._ends
            leader.take_in(at_once=True)
            return None if leader.inbox.is_at_a_first() else leader.mark()

    def is_told(self, mark: Any) -> bool:
        return self.leader.is_sent(mark)

    def settled(self) -> bool:
        pending = self.stats().pending
        if (leader := self._leading) is None:
            return pending == 0
        if pending or not leader.lock.acquire(timeout=_BUSY_S):  # a turn that masks may take long: it is not settled
            return False
        try:
            return leader.is_settled() and not leader.reports.is_reporting
        finally:
            leader.lock.release()

    def finished(self) -> bool:
        return self.closed() and self.settled()

    def end(self) -> None:
        self._ends = True
        self._handlers.clear()
        if (leader := self._leading) is not None:
            leader.ends = True

    def problem(self) -> str:
        return "" if self._leading is None else self._leading.senders.problem()

    def rests_s(self) -> float:
        return 0.0 if self._leading is None else self._leading.senders.long_pause()

    def give_up(self, has_time: Callable[[], bool] = bool) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number. Not what comes amid this, while it
        ``has_time``."""
        lost, leader = self.collector.counters.dropped["exit_timeout"], self._leading
        if leader is None:
            before = lost.value
            self.collector.give_up()
            return lost.value - before
        entered = leader.lock.acquire(timeout=STUCK_S)
        before, has_taken = lost.value, False  # what other threads give up until then is their number
        try:
            self.collector.given_up = True
            self.collector.shut()
            with suppress(BaseException), within(time.monotonic() + HAND_OVER_S):  # what redact raises, and takes
                leader.take_in(at_once=True)
                has_taken = True
            leader.give_up(has_time)
            if not (has_taken or has_time()):
                leader.inbox.give_up("exit_timeout")
            with suppress(BaseException):  # what its incidents have counted amid this is lost with them
                leader.take_in()
            self.collector.intake.tell_overflow(in_all=True)
        finally:
            if entered:
                leader.lock.release()
        return lost.value - before
