"""`SharedPipeline`: what a handler with a shared state holds. What its worker does is in `turn`.

That is made at once, since a first alert is written down in the log call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .._jobs.declared import declared
from .._lines import line
from .._runtime.clock import within
from .pipeline import ALIVE_S, HAND_OVER_S, MAX_VIEWS, STUCK_S, Pipeline

if TYPE_CHECKING:
    from .._capture.pending import PendingAlert
    from .._capture.tally import Tally
    from .._incidents.incident import Incident
    from .._jobs.base import Jobs
    from .._state.failover import Mark
    from ..model import Alert, IncidentView
    from ..model.duty import OnDuty


class SharedPipeline(Pipeline):
    """That of one handler."""

    def _write_ahead(self) -> Callable[[Tally, Alert], object] | None:
        if self.options.shared.write_ahead is None:
            return None
        return lambda tally, alert: self._turn.alerts.write_ahead(tally, alert)

    def open(self) -> None:
        """Send from now on what others leave in a shared store, also before anything is logged here."""
        if self.options.heartbeat_url is not None or declared:  # also where nothing is logged
            self.look()
        if self._turn.store.seconds_to_next_look(self._clock()) < float("inf"):
            self._worker.nudge()

    def _start(self) -> None:
        from .turn import Turn

        self.collector.audience = self._audience
        self._ends = False
        self._turn = Turn(
            self.collector, self._channels, self.channel_id, self.options, lambda: self.looks, self._clock
        )

    def _make(self, first: PendingAlert) -> Alert:
        """The alert of a record that was copied."""
        return self._turn.alerts.make(first)

    def _relieve(self, number: int) -> None:
        """The worker may be in a request: put what is queued where there is a bound, if no thread is at that."""
        self._turn.store.memory.relieve(self.channel_id, self.collector.intake.identified, number, self._clock())

    @property
    def draining(self) -> bool:
        """Whether what the rate limit has left is used now."""
        return self._turn.senders.draining

    @draining.setter
    def draining(self, is_draining: bool) -> None:
        self._turn.senders.draining = is_draining

    @property
    def jobs(self) -> Jobs:
        """Those that are expected to run, of its state or of this process."""
        return self._turn.watch.jobs

    def is_watching(self) -> bool:
        """Whether its worker has made turns lately."""
        return self._clock() - self._turn.watch.turned_at < ALIVE_S

    def look(self) -> None:
        """Have its worker look at once, also where nothing was logged."""
        self._load_watch()
        self._worker.nudge()

    def _load_watch(self) -> None:
        if declared:
            self._turn.watch  # noqa: B018 # loading it is the purpose

    def forget_incidents(self) -> None:
        """Tell what comes from now on as if it were new."""
        self.collector.plain.identify_all()
        for tally in self.collector.tallies:
            self.collector.tallies.close(tally)
        memory = self._turn.store.memory
        for incident in memory.rows(self.channel_id):
            if not incident.untold:
                memory.remove(self.channel_id, incident.key)

    def incidents(self) -> list[IncidentView]:
        """What is open, the newest first."""
        from .._incidents import answered

        found = sorted(self._turn.store.incidents(MAX_VIEWS), key=lambda one: one.last, reverse=True)
        return [view for one in found if answered.is_open(one) and (view := self._view(one)) is not None]

    def on_call(self) -> list[OnDuty]:
        """Who is on call by each of its rotas. It may take some seconds; any thread may ask."""
        if not self.options.duty:
            return []
        duties = self._turn.duties
        moment = replace(duties.rules(self.options.duty), time=self.options.shared.time_s())
        return duties.on_call.shown(moment) if moment.duty.rotas else []

    def _view(self, incident: Incident) -> IncidentView | None:
        from .._incidents.known import view
        from .._incidents.view import known

        try:
            named = replace(incident, short_id=self._turn.alerts.short_id(incident))
            return view(known(named), self.options.shared.time_s())
        except Exception:  # of one that cannot be read or made there is nothing to say
            return None

    # The worker's job.

    def prepare(self) -> None:
        """Load what a turn needs, where a fork waits for it."""
        self._load_watch()
        for channel in self._channels:
            channel.load()
        self.options.shared.load()

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        return self._turn.run()

    # What the worker's thread, the exit hook and a fork ask.

    def waits_for(self) -> Mark | None:
        """Bring all that is counted into the store; what is to be told then. None: a thread is at a first record."""
        turn = self._turn
        with turn.section:
            turn.take_in(self._clock(), at_once=True)
            return None if self.collector.intake.is_at_a_first() else turn.store.mark()

    def is_told(self, mark: Mark) -> bool:
        """Whether all that was to be told is settled."""
        return self._turn.store.is_told(mark, handed_over_is_enough=self._turn.senders.are_elsewhere)

    def settled(self) -> bool:
        """Whether nothing waits, by the counters."""
        turn = self._turn
        waits = turn.store.has_untold() and not (turn.senders.are_elsewhere and self.options.shared.is_up)
        return self.stats().pending == 0 and not waits and not turn.ledger.reports.is_reporting

    def finished(self) -> bool:
        return self.closed() and self.settled() and not self._turn.outbox

    def end(self) -> None:
        """In a shared store, what is only counted, or held by a person, is safe, and waits for its time."""
        self._ends = True
        self._turn.store.batches.end()
        self._handlers.clear()  # when the interpreter takes all apart, nobody is to hear of them

    def problem(self) -> str:
        """Says behind a line of ours why the last message has not arrived so far; "" where nothing is known."""
        return self._turn.senders.problem()

    def rests_s(self) -> float:
        """For how many seconds nothing is tried, as WeCom refuses what it needs or has asked for a pause; else 0."""
        return self._turn.senders.long_pause()

    def give_up(self, has_time: Callable[[], bool] = bool) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number, or left in the shared store.

        Not what comes amid this, while it ``has_time``.
        """
        now, turn, lost = self._clock, self._turn, self.collector.counters.dropped["exit_timeout"]
        entered = turn.section.acquire(timeout=STUCK_S)
        before = lost.value  # what other threads give up until then is their number
        try:
            self.collector.given_up = True
            self.collector.shut()
            turn.outbox.shut()
            turn.store.let_go(now())
            with suppress(BaseException), within(time.monotonic() + HAND_OVER_S):  # what redact raises, and takes
                turn.take_in(now(), at_once=True)
            self.collector.intake.tell_overflow(in_all=True)  # whatever was said within the last minute
            while not has_time() and (incidents := turn.store.memory.rows(self.channel_id)):
                turn.ledger.leave(incidents)
            self.collector.intake.counted(now(), at_once=True)
        finally:
            if entered:
                turn.section.release()
        if turn.ledger.left_behind or (turn.store.batches.leaves_untold() and not turn.senders.are_elsewhere):
            has_waited = self.rests_s() <= self.exit_timeout_s
            limit = line("within", seconds=self.exit_timeout_s) if has_waited else ""
            self.options.warn_once("left", line("left", within=limit, why=self.problem()))
        return lost.value - before
