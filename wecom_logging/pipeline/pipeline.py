"""The journey of a record, in the order of its steps. Read `Pipeline.take` and `Pipeline.turn` first."""

from __future__ import annotations

import contextvars
import itertools
import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..config import RateRules
from ..model import Alert, Outcome, Recipients, Route, Stats
from ..render.cut import trim
from ..wecom.channels import Channel
from ..wecom.http import load_libraries, own_traffic
from .books import Books
from .capture import Origin, capture
from .complaints import complain
from .compose import Composer
from .deliver import Fate, Postman, fate
from .fallback import Find, carried, hand_over
from .inbox import Inbox, Waiting, weigh
from .mask import Mask, masked
from .ratelimit import windows
from .sightings import mark, sighted
from .source import with_source
from .worker import Worker, forked_without_hooks

EXPIRES_S = 24 * 3600.0
MAX_BACKOFF_S = 15.0
CONFIGURATION_BACKOFF_S = 300.0
_SWEEP_S = 60.0

OUR_LIBRARIES = ("urllib3", "requests", "charset_normalizer", "idna", "tenacity")
"""Whose records, made during our own network calls, are no alerts. The program's own use of them alerts as ever."""

_keys = itertools.count()
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("wecom_logging_depth", default=0)
"""How deep in masking we are: a user's redact that logs makes an alert, which is masked by it, and so on."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a pipeline needs to know beyond its channel."""

    name: str
    origin: Origin
    composer: Composer
    mask: Mask
    rules: RateRules = ()
    exit_timeout_s: float = 5.0
    max_pending: int = 10_000
    max_pending_bytes: int = 16 * 1024 * 1024
    routes: tuple[Route, ...] = ()
    fallback: Find | None = None

    def recipients(self, alert: Alert) -> Recipients | None:
        """Its own, or those of the first route that fits; None: the channel's."""
        fitting = (route.recipients for route in self.routes if route.fits(alert.logger, alert.level))
        return alert.recipients or next(fitting, None)


class Pipeline:
    """One handler's way from a record to a message."""

    def __init__(self, channel: Channel, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.formatter: logging.Formatter | None = None
        self.composer = options.composer
        self.exit_timeout_s = options.exit_timeout_s
        self._clock = clock
        self._windows = windows(channel.identity)
        self._channel = channel
        self._postman = Postman(channel, self._windows, options.rules, clock)
        self._closed = False
        self.start_anew()
        self._worker = Worker(self, clock)

    def start_anew(self) -> None:
        """Empty books and nothing waiting: at first, and in a forked child, whose parent tells what it has."""
        self.key = next(_keys)
        self._books = Books()
        self._inbox = Inbox(
            self.options.max_pending, self.options.max_pending_bytes, lambda gone: self._settle(gone, "queue_overflow")
        )
        self._not_before = float("-inf")
        self._next_sweep = float("-inf")
        self._failed_rounds = 0
        self._lost_told = 0

    # The calling thread.

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and say so to the worker. Never waits, and raises no `Exception`."""
        try:
            if own_traffic.get() and str(record.name).startswith(OUR_LIBRARIES):
                return  # made by our own network call
            if record.process != self._worker.pid and os.getpid() != self._worker.pid:
                forked_without_hooks()
            taken = self.take(record)
        except Exception as error:  # nobody foresaw it: no memory, no stack left
            self._books.accepted.add()  # not by refuse(), which needs a frame of the stack
            self._books.dropped["rejected"].add()
            try:
                self._complain_of(record, error)
            except Exception:  # it is counted; there is no room to say more
                pass
            return
        try:
            if taken:
                self._inbox.admit()
                self._worker.nudge()
        except Exception:  # it waits, and the next record or the exit finds it
            return

    def take(self, record: logging.LogRecord) -> bool:
        """Steps 2 to 4: count, capture, write down. Whether there is something to tell."""
        # Step 2, counting repeats of an open group, has its place here.
        if self._closed:
            return self._refuse("closed", "records come to a handler that is closed; they are counted, not sent")
        if _depth.get() > 1:
            return self._refuse("rejected", "redact logs about what redact itself has logged; that would never end")
        if (waiting := sighted(record, self.key, self._clock())) is not None:
            self._books.sight(waiting)
            return False
        alert = carried(record) or capture(record, self.options.origin, self.formatter)  # step 3
        # Step 4, writing the alert to a durable state, has its place here.
        recipients = self.options.recipients(alert)  # of step 7, so that the inbox has a lane for each
        waiting = Waiting(alert, weigh(alert), recipients, accepted_at=self._clock(), depth=_depth.get())
        mark(record, self.key, waiting)
        self._books.accept(waiting)
        self._inbox.put(waiting)
        return True

    def _complain_of(self, record: logging.LogRecord, error: Exception) -> None:
        where = f"{getattr(record, 'pathname', '?')}:{getattr(record, 'lineno', '?')}"
        self._complain("rejected", f"a record made at {where} could not be taken ({type(error).__name__})")

    def _refuse(self, reason: str, text: str) -> bool:
        self._books.refuse(reason)
        self._complain(reason, text)
        return False

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Accept nothing more. What waits is still told."""
        self._closed = True
        self._worker.wake()

    def stats(self) -> Stats:
        return self._books.stats()

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        load_libraries()

    def turn(self) -> float:
        """Steps 5 to 10 for the next alert that may go. Returns the seconds until there may be another."""
        self._sweep()
        if (pause := self._not_before - self._clock()) > 0:
            return min(pause, _SWEEP_S)
        waiting, wait = self._next()  # step 7: what may go now
        if waiting is None:
            return min(wait, _SWEEP_S) if len(self._inbox) else wait
        try:
            if not waiting.parts:
                alert = self._masked(waiting)  # step 5; grouping has its place here
                # Step 6, what other processes and hosts have told already, has its place here.
                waiting.parts = self.composer.compose(alert, self._channel)  # step 8
            outcome = self._postman.deliver(waiting)  # step 9
        except Exception as error:  # a defect of ours must cost one alert, not all that follow
            outcome = Outcome("rejected")
            self._complain("defect", f"an alert could not be made into a message ({type(error).__name__})")
        except BaseException:  # user code (redact) that wants to end the thread: not before the books are right
            self._conclude(waiting, Outcome("rejected"))
            raise
        self._conclude(waiting, outcome)  # step 10
        return 0.0

    def _masked(self, waiting: Waiting) -> Alert:
        assert waiting.alert is not None  # it is dropped when the alert is settled
        outer = _depth.set(waiting.depth + 1)
        try:
            return masked(with_source(waiting.alert), self.options.mask)
        finally:
            _depth.reset(outer)

    def _next(self) -> tuple[Waiting | None, float]:
        now = self._clock()
        return self._inbox.take(
            lambda recipients: self._windows.wait(self._channel.receivers(recipients), self.options.rules, now)
        )

    def _conclude(self, waiting: Waiting, outcome: Outcome) -> None:
        verdict = fate(outcome.error) if outcome.error is not None else None
        if outcome.delivered:
            self._failed_rounds = 0
            self._settle(waiting, "delivered")
        elif verdict in (Fate.REJECT, Fate.KEEP_SLOWLY) and self._handed_over(waiting, outcome):
            self._settle(waiting, "handed_over")
        elif outcome.reason == "rejected" or verdict is Fate.REJECT:
            self._settle(waiting, "rejected")
        elif verdict is not None:
            waiting.rounds += 1
            self._wait(verdict, getattr(outcome.error, "retry_after_s", 0.0))
        if waiting.ended is None:
            self._inbox.put_back(waiting)
        else:
            self._inbox.arrived()
        self._report(outcome, verdict, handed_over=waiting.ended == "handed_over")

    def _handed_over(self, waiting: Waiting, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        if self.options.fallback is None:
            return False
        why = f"{type(outcome.error).__name__}: {outcome.error}"
        try:
            target = self.options.fallback()
            if target is None:
                hint = "one of another package must be used by a logger, or logging forgets it"
                self._complain("fallback", f"no handler has the name that fallback gives; {hint}")
                return False
            return hand_over(self._masked(waiting), target, self.key, self.options.name, why)
        except Exception as error:
            self._complain("fallback", f"the fallback failed ({type(error).__name__})")
            return False

    def _wait(self, verdict: Fate, pause_s: float) -> None:
        now = self._clock()
        match verdict:
            case Fate.PAUSE:
                self._windows.pause(now + pause_s)
            case Fate.KEEP_SLOWLY:
                self._not_before = now + CONFIGURATION_BACKOFF_S
            case _:
                wait = min(MAX_BACKOFF_S, 2.0**self._failed_rounds)
                self._failed_rounds = min(self._failed_rounds + 1, 10)
                self._not_before = now + random.uniform(wait / 2, wait)

    def _report(self, outcome: Outcome, verdict: Fate | None, *, handed_over: bool) -> None:
        """Failures and half successes, on stderr."""
        if outcome.error is not None:
            what = "an alert was refused" if verdict is Fate.REJECT else "alerts wait"
            what = "an alert went to the fallback" if handed_over else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')}"
            self._complain(cause, f"{what}: {outcome.error}")
        if outcome.reason == "partial":
            self._complain("partial", f"WeCom did not accept some recipients: {_refused(outcome)}")
        if outcome.warning:
            self._complain("warning", outcome.warning)

    def _complain(self, cause: str, text: str) -> None:
        complain(f"{cause} {self.options.name}", f"{self.options.name}: {text}")

    def _sweep(self) -> None:
        """Tell what the calling threads had to push out; once a minute, drop what is a day old."""
        self._tell_overflow()
        now = self._clock()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_S
        old = self._inbox.take_if(lambda waiting: now - waiting.accepted_at >= EXPIRES_S)
        for waiting in old:
            self._settle(waiting, "expired")
        if old:
            self._complain("expired", f"{len(old)} alerts could not be sent for 24 hours and are lost")

    def _settle(self, waiting: Waiting, how: str) -> None:
        """Step 10's end: the books, and the memory that it took."""
        self._books.settle(waiting, how)
        waiting.alert, waiting.parts = None, ()

    def _tell_overflow(self) -> None:
        lost = self._books.dropped["queue_overflow"].value
        if lost > self._lost_told:
            self._complain("queue_overflow", f"{lost} alerts lost so far: more waited than max_pending allows")
            self._lost_told = lost

    # What the worker's thread, the exit hook and a fork ask.

    def settled(self) -> bool:
        """Whether nothing waits, by the books."""
        return self._books.stats().pending == 0

    def last_number(self) -> int:
        return self._books.alerts.value

    def unsettled_before(self, number: int) -> bool:
        return self._books.ended.value < number or self._inbox.oldest_number() <= number

    def finished(self) -> bool:
        return self._closed and not len(self._inbox)

    def give_up(self) -> int:
        """At exit: what still waits is lost, with its number."""
        self._tell_overflow()
        lost = self._books.dropped["exit_timeout"]
        before = lost.value
        for waiting in (*self._inbox.take_if(lambda _: True), self._inbox.on_its_way):
            if waiting is not None:
                self._books.settle(waiting, "exit_timeout")  # the worker may still be at it
        return lost.value - before


def _refused(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
