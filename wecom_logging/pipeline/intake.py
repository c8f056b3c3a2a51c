"""Steps 2 to 4, in the calling thread: count, capture, write down. Read `Intake.take` first."""

from __future__ import annotations

import contextvars
import logging
import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

from ..model import Alert, Recipients
from ..wecom.http import own_traffic
from .capture import Reading, capture, exception_of, sample, snapshot
from .commons import Commons
from .context import logged
from .echoes import Echoes
from .fallback import carried
from .fingerprint import MAX_TEMPLATE, ends, has_own_word
from .groups import Group
from .holdings import Holdings
from .inbox import Waiting
from .keys import NO_TEMPLATE, Spot, codes_of, spot_of
from .mask import masked
from .options import Options
from .sightings import about, mark, sighted
from .traceback_text import outline
from .worker import Worker, forked_without_hooks

OUR_LIBRARIES = ("urllib3", "requests", "charset_normalizer", "idna", "tenacity")
"""Whose records, made during our own network calls, are no alerts. The program's own use of them alerts as ever."""

_CLOSED = (
    "records come to a handler that is closed (a dictConfig closes all that were made before it); "
    "they are counted, not sent"
)

_depth: contextvars.ContextVar[int] = contextvars.ContextVar("wecom_logging_depth", default=0)
"""How deep in masking we are: a user's redact that logs makes an alert, which is masked by it, and so on."""


class Intake:
    """Where records come in."""

    def __init__(
        self, options: Options, worker: Worker, clock: Callable[[], float], commons: Commons | None = None
    ) -> None:
        self.formatter: logging.Formatter | None = None
        self.closed = False
        self._options = options
        self._worker = worker
        self._clock = clock
        self._commons = commons

    def start_anew(self, held: Holdings) -> None:
        """Put what comes from now on there."""
        self._held = held
        self.echoes = Echoes(self._worker.channel)
        self.find: Callable[[Any], Group | None] = held.groups.spots.get
        """Finds the open group of a spot; see `AlertHandler.handle`."""
        self.who_wait: Container[Recipients | None] = ()
        self.all_wait = False
        """Whom the worker cannot tell anything now, for a new alert or without; everybody?"""

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and say so to the worker. Never waits, and raises no `Exception`."""
        in_books = False
        try:
            wanted = self._take_if_not_ours(record)
            in_books = True
            self._held.inbox.relieve()  # also where the worker is not wanted: it may wait for minutes
            if wanted:
                self._worker.nudge()
        except Exception as error:  # nobody foresaw it: no memory, no stack left
            if in_books:  # it waits, and the next record or the exit finds it
                return
            books = self._held.books
            books.accepted.add()  # not by refuse(), which needs a frame of the stack
            books.dropped["rejected"].add()
            try:
                self._complain_of(record, error)
            except Exception:  # it is counted; there is no room to say more
                pass
        except BaseException:  # Ctrl-C, or what a signal handler raises: what was taken by then is told
            self._worker.nudge()
            raise

    def attend(self, group: Group, record: logging.LogRecord) -> None:
        """What a record that was counted unseen asks for beyond that. Raises no `Exception`."""
        try:
            if self._attend(group, record):
                self._worker.nudge()
        except Exception:  # it is counted, and the worker looks at it sooner or later
            return

    def _take_if_not_ours(self, record: logging.LogRecord) -> bool:
        if own_traffic.get() and str(record.name).startswith(OUR_LIBRARIES):
            return False  # made by our own network call
        if record.process != self._worker.pid and os.getpid() != self._worker.pid:
            forked_without_hooks()
        return self.take(record)

    def take(self, record: logging.LogRecord) -> bool:
        """Count, capture, write down. Whether the worker has something to do."""
        if self.closed:
            return self._refuse("closed", _CLOSED)
        if (depth := _depth.get()) > 1:
            return self._refuse("rejected", "redact logs about what redact itself has logged; that would never end")
        if (given := carried(record)) is not None:
            waiting = Waiting(given.alert.level, None, None, self._clock())
            waiting.digest, waiting.depth = given, depth
            if self._commons is not None and self._commons.journal is not None:
                self._write_down(waiting, given.alert, self._commons)
            return self._put(iter((waiting,)), waiting.recipients)
        error = exception_of(record) if record.exc_info else None
        if error is not None and (last := logged.get()) is not None:
            last[:] = (error,)
        failure = about(record) if error is None else error
        if (seen := sighted(failure, self._held.key, record)) is not None:
            seen.see()
            return self._wake(seen)
        reading = Reading(record)
        if (cause := self.echoes.cause_of(reading, error)) is not None:
            if cause.group is None:
                self._held.books.merge()
                return False
            if error is not None:
                mark(error, self._held.key, cause.group)
            cause.group.see()
            return self._wake(cause.group)
        same = self._same(reading, error)
        while (found := self._held.groups.find(*same))[0] is None:
            group = self._new_group(reading, error, same)
            if (wanted := self._take_first(group, found[1], reading, error, failure)) is not None:
                return wanted
        group = found[0]  # step 2
        if failure is not None:
            mark(failure, self._held.key, group)
        if depth > group.depth:
            group.depth = depth
        group.add()
        group.last = reading.values[3]
        return group.attention and self._attend(group, record)

    def _take_first(
        self,
        group: Group,
        pattern: str | None,
        reading: Reading,
        error: BaseException | None,
        failure: BaseException | None,
    ) -> bool | None:
        """Open a group with its first alert, both or neither; None where another thread was faster.

        It is open while the alert is captured: user code that logs the same meanwhile is counted in it.
        """
        waiting = Waiting(group.level, group.recipients, group, self._clock())
        waiting.depth = group.depth = _depth.get()
        alone = iter((waiting,))  # empty once it is put down
        try:
            if not self._held.groups.open(group, pattern):
                return None
            if failure is not None:
                mark(failure, self._held.key, group)
            waiting.snapshot = snapshot(reading, self.formatter)  # step 3
            waiting.picture = waiting.snapshot.picture
            if self._commons is not None and self._commons.journal is not None:
                self._write_down(waiting, capture(waiting.snapshot, self._options.origin), self._commons)  # step 4
            group.waiting = waiting
            self.echoes.told(reading, error, group)
            return self._put(alone, group.recipients)
        except BaseException:  # also Ctrl-C, or what another signal handler raises, at any line
            if next(alone, None) is not None:
                group.waiting, group.lost = None, "rejected"  # and with it what others have counted meanwhile
                self._held.groups.close(group)
                if waiting.ticket is not None:
                    waiting.ticket.done()
            raise

    def _write_down(self, waiting: Waiting, alert: Alert, commons: Commons) -> None:
        with self.masking(waiting.depth):
            waiting.alert = masked(alert, self._options.mask)
        waiting.ticket = commons.write_down(waiting, waiting.alert)

    def _put(self, alone: Iterator[Waiting], recipients: Recipients | None) -> bool:
        self._held.put(alone, self._held.books.accepted)
        return self._may_go(recipients)

    def _new_group(
        self, reading: Reading, error: BaseException | None, same: tuple[Spot, object, Callable[[], str]]
    ) -> Group:
        """A group of a record and of those that are the same, not open yet."""
        spot, template, text = same
        level, _, logger, began, *_ = reading.values
        recipients = self._options.recipients(logger, level, reading.recipients)  # of step 7: the inbox has lanes
        group = Group(level, recipients, self._held.books.accepted, began)
        group.spot, group.template, group.text = spot, template, ends(text())
        group.codes = codes_of(error)
        group.site = reading.values[7:9]
        group.watched = self._worker.lacks_thread
        if reading.is_plain and error is None and not logger.startswith(OUR_LIBRARIES):
            group.constant = template  # else it may be about our own traffic
        return group

    def _same(self, reading: Reading, error: BaseException | None) -> tuple[Spot, object, Callable[[], str]]:
        """What a record has in common with those that are the same: its spot, its template, or else its text."""
        own = self._options.fingerprint_of(reading) if reading.extra or self._options.fingerprint else None
        if own is not None:
            return (own, reading.values[0], reading.recipients, reading.mention), NO_TEMPLATE, lambda: own
        spot, msg = spot_of(reading, error, self._worker.pid), reading.record.msg
        if type(msg) is not str or not has_own_word(msg):
            return spot, NO_TEMPLATE, reading.message
        before, shape, _ = outline(msg) if error is None else (msg, (), "")
        if shape:  # a queue has made text of an exception
            return (*spot, shape), NO_TEMPLATE, lambda: before
        return spot, msg if len(msg) <= MAX_TEMPLATE else NO_TEMPLATE, lambda: msg

    def _attend(self, group: Group, record: logging.LogRecord) -> bool:
        """More than counting: a sample, or a group that the worker is to look at, which is what it returns."""
        try:
            sample_wanted, wanted = group.attend()
            if wanted or self._worker.lacks_thread:
                wanted = self._wake(group)
                if self._worker.lacks_thread:  # nobody has looked at it, and nobody will ask for the next
                    wanted = group.watched = group.attention = True
            if sample_wanted:
                group.samples.append(sample(record))
        except BaseException:  # also Ctrl-C: the next record asks again
            group.watched = group.attention = True
            raise
        return wanted

    def _wake(self, group: Group) -> bool:
        """Let the worker look at a group; whether it has to be told so now."""
        return self._held.wake(group) and self._may_go(group.recipients)

    def _may_go(self, recipients: Recipients | None) -> bool:
        """Whether the worker may have something to do for a new alert, or waits for the same limit anyway."""
        waits = self.all_wait or recipients in self.who_wait
        return not waits or self._worker.lacks_thread or self._held.given_up

    def _refuse(self, reason: str, text: str) -> bool:
        self._held.books.refuse(reason)
        self._options.complain(reason, text)
        return False

    def _complain_of(self, record: logging.LogRecord, error: Exception) -> None:
        where = f"{getattr(record, 'pathname', '?')}:{getattr(record, 'lineno', '?')}"
        self._options.complain("rejected", f"a record made at {where} could not be taken ({type(error).__name__})")

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
            self.find = self._held.groups.spots.get


def _unseen(spot: object) -> None:
    """In place of the table of spots: none is open."""
