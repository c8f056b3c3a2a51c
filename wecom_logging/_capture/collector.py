"""`Collector` takes records in the calling thread: it counts repeats and queues first alerts.

Read `Collector.take` first. It counts a repeat; of a first record it makes a copy, writes it ahead, and queues it.
"""

from __future__ import annotations

import contextvars
import itertools
import logging
import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .._incidents.fingerprint import audience_of
from .._lines import line
from .._runtime.counters import Counters
from .._runtime.forks import forked_without_hooks
from .._runtime.hiding import OUR_LIBRARIES, own_traffic
from .._runtime.worker import Worker
from ..model import Recipients
from .collapse import Collapse
from .context import carried, unwrapped
from .duplicates import Duplicates, about, mark, reported
from .exceptions import Raised
from .identity import NO_TEMPLATE, CallSite, Identity, fingerprint_of, identity_of
from .intake import Intake
from .known import KnownTexts, Outlines, failure_of, find, text_of
from .options import CaptureOptions
from .pending import Make, PendingAlert, sample, snapshot
from .plain import Plain, PlainRecords, is_plain, place_of
from .record import Reading, exception_of
from .stories import Stories
from .tally import Seen, Tallies, Tally

if TYPE_CHECKING:
    from ..model import Alert, Digest


_AT_ONCE = 32
"""So many of them, for the same lock: a fraction of a millisecond now and then, and never all at once."""

_NEVER_ENDS = "redact logs while it masks a record of its own; that record is refused, or this would never end"

_keys = itertools.count()
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("wecom_logging_depth", default=0)
"""How deep in masking we are: a user's redact that logs makes an alert, which is masked by it, and so on."""

_NO_VALUES = (0, "", "", 0.0, None, "", "", "", 0, "", "", "")
_NONE_OPEN: dict[Any, Any] = {}
"""In place of the table of call_sites, where every record is to be looked at."""


class Collector:
    """What one handler's records become.

    ``write_ahead(tally, alert)`` writes an alert down that is to survive this process; ``relieve(number)`` takes so
    many of what is queued, where that is too much.
    """

    def __init__(
        self,
        options: CaptureOptions,
        worker: Worker,
        make: Make,
        write_ahead: Callable[[Tally, Alert], object] | None,
        relieve: Callable[[int], None],
    ) -> None:
        self.formatter: logging.Formatter | None = None
        self.audience = ""
        """The name of those who get what names no recipient."""
        self.closed = False
        self._options = options
        self._worker = worker
        self._make = make
        self._write_ahead = write_ahead
        self._relieve = relieve
        self._takes_plain = write_ahead is None and options.fingerprint is None
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Empty counters and nothing that waits: at first, and in a forked child, whose parent tells what it has."""
        self.key = next(_keys)
        self.counters = Counters()
        self.tallies = Tallies()
        self.duplicates = Duplicates()
        self.stories = Stories(self.key)
        self.known = KnownTexts()
        self.find: Callable[[Any], Tally | None] = self.tallies.call_sites.get
        self.known_at = self.known.at
        """Find the open tally of a call_site, and its known texts; see `AlertHandler.handle`."""
        self.blocked: Container[str] = ()
        self.all_blocked = False
        """The audiences that the worker cannot serve now, for a new alert or without; all of them?"""
        self.gathering: Container[str] = ()
        """Of the blocked audiences those in which a critical alert need not wait."""
        self.given_up = False
        """At exit: no turn comes any more for what waits."""
        self.plain = PlainRecords(self.counters.accepted, self._identify)
        self.intake = Intake(self._options, self.counters, self.tallies, self.plain)
        self._plain_at = self.plain.at
        self._queues, self._woken = self.intake.queues, self.intake.woken

    # Any thread, at any instant.

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and say so to the worker. Waits as docs/promises.md says; raises no `Exception`."""
        is_counted = False
        try:
            wanted = self.take(record)
            is_counted = True
            if wanted:
                self._worker.nudge()
            if (excess := self.intake.excess()) > 0:  # also where the worker is not wanted: it may wait for minutes
                self._relieve(min(excess, _AT_ONCE) + _AT_ONCE)
        except Exception as error:  # unforeseen: no memory, no stack left
            if is_counted:  # it waits, and the next record or the exit finds it
                return
            counters = self.counters
            counters.accepted.add()  # not by refuse(), which needs a frame of the stack
            counters.dropped["rejected"].add()
            try:
                where = f"{getattr(record, 'pathname', '?')}:{getattr(record, 'lineno', '?')}"
                text = f"a record made at {where} could not be captured ({type(error).__name__})"
                self._options.warn_once("rejected", text)
            except Exception:  # it is counted; there is no room to say more
                pass
        except BaseException:  # Ctrl-C, or what a signal handler raises: what was taken by then is told
            self._worker.nudge()
            raise

    def count_known(self, known: Outlines, record: logging.LogRecord) -> bool:
        """Count a record without an exception at a place of which texts are known; False where it is not one of them.
        Raises no `Exception` but what a strange ``msg`` may raise."""
        text = record.msg
        if record.args or type(text) is not str or about(record) is not None:
            return False
        if self._plain_at and (record.levelno, record.name, record.pathname, record.funcName) in self._plain_at:
            return False  # what waits there comes first
        tally = self._count(known, text, record.created)
        if tally is not None and tally.attention:
            self.attend(tally, record)
        return tally is not None

    def _count(self, known: Outlines, text: str, created: object) -> Tally | None:
        """Count a record in the tally of its known text, and in the variant of it."""
        found = find(known, text)
        if found is None or (tally := found.tally()) is None or tally.closed or tally.has_duplicates:
            return None
        if tally.variants and (variant := tally.variants.get(found.variant)) is not None:
            variant.add()
        tally.add()
        tally.newest = created
        return tally

    def shut(self) -> None:
        """Nothing is the same as what comes from now on."""
        with suppress(Exception):  # no stack left: it is found later
            self.plain.identify_all()
        self.tallies.shut_all()

    def give_up(self) -> None:
        """At exit, where no turn of the worker has come: all that waits is lost, with its number."""
        self.given_up = True
        self.shut()
        self.intake.give_up("exit_timeout")
        self.intake.tell_overflow(in_all=True)

    def refuse_closed(self) -> None:
        """A record of a handler that is closed, though another has the same pipeline."""
        self._refuse("closed", line("closed"))

    def attend(self, tally: Tally, record: logging.LogRecord) -> None:
        """What a record that was counted unseen asks for beyond that. Raises no `Exception`."""
        try:
            if self._attend(tally, Reading(record)):
                self._worker.nudge()
        except Exception:  # it is counted, and the worker looks at it sooner or later
            return

    # One record, in this order.

    def take(self, record: logging.LogRecord) -> bool:
        """Count, copy, write ahead. Whether the worker has something to do."""
        if own_traffic.get() and str(record.name).startswith(OUR_LIBRARIES):
            return False  # made by our own network call
        if record.process != self._worker.pid and os.getpid() != self._worker.pid:
            forked_without_hooks()
        if self.closed:
            self.refuse_closed()
            return False
        if (depth := _depth.get()) > 1:
            return self._refuse("rejected", _NEVER_ENDS)
        if (given := carried(record)) is not None:
            return self._take_carried(given, depth)
        if self.formatter is None:  # else it may be structlog's own
            record = unwrapped(record)
        error = exception_of(record)
        failure = about(record) if error is None else error
        raised, known = None if error is None else Raised(error), None
        if failure is not None:
            wanted, known = self._take_seen(record, failure, raised, depth, in_words=False)
            if wanted is not None:
                return wanted
        reading = Reading(record, raised, is_searched=True)
        may_wait = failure is None is reading.failure and depth == 0 and self._takes_plain and self.formatter is None
        if may_wait and is_plain(reading, self._worker.pid):
            reading.let_go()
            if self.plain.put(reading):
                if not (self.blocked or self.all_blocked):
                    return True
                return self._may_go(reading.values[0], self._audience(reading.values[2], reading.values[0]))
            return self._take_new(reading, None, None, depth)
        if failure is None and reading.failure is not None:  # it tells the exception that this thread handles
            failure = reading.failure
            in_words = reading.tells_in_words
            wanted, known = self._take_seen(record, failure, reading.error, depth, in_words=in_words)
            if wanted is not None:
                return wanted
        if (told := self.duplicates.tally_of(reading)) is not None:
            if reading.error is not None:
                mark(reading.error.error, self.key, told)
            return self._see(told)
        if (story := self.stories.goes_on(reading)) is not None:
            return self._see(story)
        return self._take_new(reading, failure, known, depth)

    def _take_seen(
        self, record: logging.LogRecord, failure: BaseException, error: Raised | None, depth: int, *, in_words: bool
    ) -> tuple[bool | None, tuple[CallSite, str] | None]:
        """Count an exception that was captured before, or whose text is known at its place; and what it is known by.

        ``in_words``: the record has no exception, and its text tells the one that is handled.
        """
        if (wanted := self._take_again(record, failure, in_words=in_words)) is not None:
            return wanted, None
        if error is None or depth or self._options.fingerprint or hasattr(record, "wecom"):
            return None, None
        known = None if self.duplicates.follows_text() else failure_of(record, error)
        return None if known is None else self._take_known(record, error, *known), known

    def _take_again(self, record: logging.LogRecord, failure: BaseException, *, in_words: bool) -> bool | None:
        """Count an exception object that was captured before; None of another."""
        if (seen := reported(failure, self.key, record, at_exit=self.given_up)) is None:
            return None
        if seen.closed:
            self.counters.merge()
            return False
        if in_words and (seen.path, seen.line) == (record.pathname, record.lineno):
            return None  # the line that has told it tells it again: of another item, or of another request
        seen.see()
        return self._wake(seen)

    def _take_known(self, record: logging.LogRecord, error: Raised, call_site: CallSite, text: str) -> bool | None:
        """Count an exception whose text is known at its place; None of another."""
        if (known := self.known_at(call_site)) is None or (counted := self._count(known, text, record.created)) is None:
            return None
        mark(error.error, self.key, counted)
        return counted.attention and self._attend(counted, Reading(record, error))

    def _see(self, tally: Tally) -> bool:
        """Count what says in other words what a tally has told. From now on each of its records is looked at."""
        tally.has_duplicates, tally.constant = True, NO_TEMPLATE
        tally.see()
        return self._wake(tally)

    def _take_new(
        self, reading: Reading, failure: BaseException | None, known: tuple[CallSite, str] | None, depth: int
    ) -> bool:
        """Count what is the same as others with them, or open a tally with it as the first."""
        asks = self._options.fingerprint
        own = fingerprint_of(reading, asks) if reading.extra or asks is not None else None
        identity = identity_of(reading, self._worker.pid, own)
        if asks is not None:
            identity.call_site = ()  # a user's fingerprint is asked about each record
        elif known is None and failure is None is own:
            known = text_of(reading, identity)
        if self._plain_at and not identity.is_failure:
            self.plain.identify_at(place_of(reading.values))
        while True:
            tally, variant, collapse = self.tallies.find(identity, reading.values[3])
            if tally is not None:
                break
            if (wanted := self._open(reading, identity, collapse, failure, depth)) is not None:
                return wanted
        variant = self._learn(reading, identity, known, tally, variant, collapse)
        if tally.has_duplicates:
            self._told(reading, tally)
        if failure is not None:
            mark(failure, self.key, tally)
        if depth > tally.depth:
            tally.depth = depth
        tally.add()
        if variant is not None:
            variant.add()
        tally.newest = reading.values[3]
        return tally.attention and self._attend(tally, reading)

    def _open(
        self, reading: Reading, identity: Identity, collapse: Collapse | None, failure: BaseException | None, depth: int
    ) -> bool | None:
        """Open a tally with its first alert, both or neither; None where another thread was faster.

        It is open while the alert is copied: user code that logs the same meanwhile is counted in it.
        """
        tally = self._new_tally(reading, identity, collapse)
        tally.depth = depth
        first: PendingAlert | None = None
        alone = iter((tally,))  # empty once it is put down
        try:
            if not self.tallies.open(tally):
                return None
            if collapse is not None:
                self.tallies.stand_for(tally, identity, collapse)
            if failure is not None:
                mark(failure, self.key, tally)
            first = snapshot(reading, self.formatter)
            first.identity, first.depth, first.make = tally.identity, depth, self._make
            if first.picture and not self.intake.has_room_for(first.picture):
                first.picture = b""
            if self.intake.is_full(tally.level, first):
                tally.lost = "queue_overflow"
                self.tallies.close(tally)
                self.counters.refuse("queue_overflow")
                return self._may_go(tally.level, tally.audience)
            self._told(reading, tally)
            if self._write_ahead is not None:
                first.ticket = self._write_ahead(tally, first.alert)
            tally.first = first
            return self._put(alone, tally)
        except BaseException:  # also Ctrl-C, or what another signal handler raises, at any line
            if next(alone, None) is not None:
                tally.lost = "rejected"  # and with it what others have counted meanwhile
                self.tallies.close(tally)
                if first is not None and first.ticket is not None:
                    first.ticket.done()
            raise

    def _told(self, reading: Reading, tally: Tally) -> None:
        """What comes next in this thread may be about this record."""
        self.duplicates.told(reading, tally)
        self.stories.begin(reading, tally)

    def _learn(
        self,
        reading: Reading,
        identity: Identity,
        known: tuple[CallSite, str] | None,
        tally: Tally,
        variant: Seen | None,
        collapse: Collapse | None,
    ) -> Seen | None:
        """Remember what a record of this tally is, that the next needs a shorter look. Returns the variant of it."""
        if collapse is not None:
            return self.tallies.see(
                tally, identity, collapse.name, sample(reading).text, reading.values[3], is_new=collapse.is_new
            )
        if tally.constant is identity.constant is not NO_TEMPLATE:
            self.tallies.count_here(tally, identity.call_site)
        elif known is not None:
            self.known.learn(*known, tally, "" if variant is None else identity.text)
        return variant

    def _take_carried(self, given: Digest, depth: int) -> bool:
        identity, alert = Identity((), ""), given.alert
        audience = self._audience(alert.logger, alert.level)
        tally = Tally(alert.level, audience, self.counters.accepted, given.last or alert.time, identity)
        first = PendingAlert(_NO_VALUES, "")
        first.digest, first.depth, first.make = given, depth, self._make
        tally.first, tally.path, tally.line = first, alert.place.file, alert.place.line
        if self._write_ahead is not None:
            first.ticket = self._write_ahead(tally, first.alert)
        tally.closed = True  # it is in no table: nothing more is counted in it
        return self._put(iter((tally,)), tally)

    def _put(self, alone: Iterator[Tally], tally: Tally) -> bool:
        """Queue what an iterator has, and count it: all of that is done, in one step in C, or nothing."""
        queue = self._queues[tally.level < logging.CRITICAL]
        queue.extend(zip(alone, self.counters.accepted.count, strict=False))
        return self._may_go(tally.level, tally.audience)

    def _audience(self, logger: str, level: int, given: Recipients | None = None) -> str:
        recipients = self._options.recipients(logger, level, given)
        return self.audience if recipients is None else audience_of(recipients)

    def _new_tally(self, reading: Reading, identity: Identity, collapse: Collapse | None = None) -> Tally:
        """A tally of a record and of those that are the same, or variants of one; not open yet."""
        level, _, logger, began, _, _, _, path, line, *_ = reading.values
        identity = identity if collapse is None else identity.collapsed(collapse.form.text)
        audience = self._audience(logger, level, reading.recipients)
        tally = Tally(level, audience, self.counters.accepted, began, identity)
        tally.path, tally.line = path, line
        tally.watched = self._worker.lacks_thread
        if reading.is_usual and reading.error is None and not logger.startswith(OUR_LIBRARIES):
            tally.constant = identity.constant  # else it may be about our own traffic
        return tally

    # Plain records.

    def _identify(self, plain: Plain) -> None:
        """Find the tally that is to count a record, or open it with this one as its first. If that is torn, it is
        found again."""
        reading = plain.reading
        identity = identity_of(reading, self._worker.pid, None)
        while True:
            tally, variant, collapse = self.tallies.find(identity, reading.values[3])
            if tally is not None:
                break
            opened = self._new_tally(reading, identity, collapse)
            opened.first = first = plain.first(self._make)
            first.identity = opened.identity
            if not plain.count_in(opened):
                return
            if self.tallies.open(opened):
                if collapse is not None:
                    self.tallies.stand_for(opened, identity, collapse)
                return
            plain.__dict__.pop("tally", None)
        variant = self._learn(reading, identity, text_of(reading, identity), tally, variant, collapse)
        if plain.count_in(tally):
            plain.variant = variant
            if tally.attention:
                self._attend(tally, reading)

    def _attend(self, tally: Tally, reading: Reading) -> bool:
        """More than counting: a sample, or a tally that the worker is to look at, which is what it returns."""
        try:
            sample_wanted, wanted = tally.attend()
            if wanted or self._worker.lacks_thread:
                wanted = self._wake(tally)
                if self._worker.lacks_thread:  # no turn has looked at it, and none will ask for the next
                    wanted = tally.watched = tally.attention = True
            if sample_wanted:
                tally.samples.append(sample(reading))
        except BaseException:  # also Ctrl-C: the next record asks again
            tally.watched = tally.attention = True
            raise
        return wanted

    def _wake(self, tally: Tally) -> bool:
        """Let the worker look at a tally; whether it has to be told so now."""
        mine = object()
        return self._woken.setdefault(tally, mine) is mine and self._may_go(tally.level, tally.audience)

    def _may_go(self, level: int, audience: str) -> bool:
        """Whether the worker may have something to do for a new alert, or waits for the same limit anyway."""
        passes = level >= logging.CRITICAL and audience in self.gathering
        waits = self.all_blocked or (audience in self.blocked and not passes)
        return not waits or self._worker.lacks_thread or self.given_up

    def _refuse(self, reason: str, text: str) -> bool:
        self.counters.refuse(reason)
        self._options.warn_once(reason, text)
        return False

    @contextmanager
    def masking(self, depth: int) -> Iterator[None]:
        """While a user's redact may log: every record is looked at, so that none is masked on and on."""
        if not self._options.mask_may_log:  # a signal handler may log all the same, and again amid that
            yield
            return
        self.find = self.known_at = _NONE_OPEN.get
        outer = _depth.set(depth + 1)
        try:
            yield
        finally:
            _depth.reset(outer)
            self.find, self.known_at = self.tallies.call_sites.get, self.known.at
