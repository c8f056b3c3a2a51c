"""`Leader`: sends for a channel. Read `Leader.turn` first: the order of everything.

What was logged is appended to the journal, and read from it into the book. `plan` says what is due, `bundle` what of it
goes now, with whom. The message is written and sent with no lock held; what became of it goes into the book and the
counters (`Settling`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from .._capture.collector import Collector
from .._incidents.book import Book, Mark
from .._incidents.entries import Answered, Counted, Opened, SentAlone
from .._incidents.hearers import is_for_others
from .._incidents.known import Known, view
from .._incidents.outcomes import lifted
from .._incidents.plan import Act
from .._incidents.values import Incident
from .._incidents.views import is_open, known
from .._journal.base import Batch, Changes, Journal, Offset
from .._wecom.channels import Channel
from ..model import IncidentView, Outcome
from ..model.alert import DONE
from ..model.duty import Scope
from .addressees import Addressees
from .bundle import bundle
from .digests import Digests
from .duty import Duty
from .inbox import Inbox
from .judged import finds_nobody
from .kept import Kept
from .message import Message
from .options import Looks, Options
from .packing import Packing
from .parcels import Form, Later, Over, Parcel, Wait
from .present import Present
from .reports import Reports
from .sender import Sender, Senders
from .settling import Settling

LEAP_S = 2.0
"""By so much more the wall has to differ from a clock that only goes on, to have been set."""

DRAIN_S = 0.02
_WALL_S = 20.0
"""How soon it is seen that the clock on the wall was set, or that somebody has answered."""
_LEAST_WAIT_S = 0.001


class Leader:
    """That of one handler in one process; a forked child has another.

    ``time`` is the clock of the journal, in seconds since the epoch; ``steady`` one that is never set. ``looks`` is
    asked for each message: `setFormatter` gives the handler others at any moment.
    """

    def __init__(
        self,
        collector: Collector,
        channels: Sequence[Channel],
        options: Options,
        looks: Callable[[], Looks],
        journal: Journal,
        duties: Duty,
        time: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._collector, self._channels, self.options = collector, channels, options
        self._time, self._steady, self._journal = time, steady, journal
        self._ahead_s = time() - steady()
        self.lock = threading.RLock()
        """Free while a message is written and sent."""
        self.duties = duties
        self.inbox = Inbox(collector, options, channels[0])
        self.book = Book(options.max_pending, options.max_pending_bytes, self._left)
        self.senders = Senders(channels, options, collector.key, steady)
        self.reports = Reports(collector.counters, options)
        digests = Digests()
        self._packing = Packing(self.book, self.inbox, digests, duties, self.senders, self.reports, looks)
        self.addressees = Addressees(
            channels[0], collector.audience, (one.recipients for one in options.routes), duties
        )
        self._kept = Kept(self.book)
        self.settling = Settling(self, self._kept, digests, self._packing)
        self._read = 0
        self._scopes: tuple[Scope, ...] = ()
        self.ends = False
        """True where the program ends: there is no later."""
        self._gathers: dict[str, float] = {}
        """By audience, until when what is not urgent waits for the next summary of a flood."""

    # The turn.

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        for channel in self._channels:
            channel.begin()
        with self.lock:
            present = self._present(self.take_in())
            message, wait_s = self._next(present)
            if message is None:
                return wait_s
            self._kept.sending.append(message)
        began = self._steady()
        sender, outcome = self.senders.least_busy(message.recipients), Outcome("rejected")
        try:
            if message.form is Form.CALL:
                self.settling.call(message)
                return 0.0
            self.addressees.address(message, present.now)
            sender = self.senders.least_busy(message.recipients)
            if not message.parts:
                self._write(message, sender, present)
            if message.is_step and not message.recipients:  # what cannot be found out is asked again
                outcome = Outcome("kept") if message.failed else self.settling.nobody
            else:
                outcome = sender.send(message)
            if finds_nobody(outcome) and self.addressees.address_others(message, present.now):
                self._write(message, sender, present)
                outcome = sender.send(message)
        except BaseException as error:  # a defect of ours, or a function of the program: it costs one message
            self.reports.defect(error)
            if not isinstance(error, Exception):
                raise
        finally:  # what ends the thread does so when the counters are right
            try:
                if message.form is not Form.CALL:
                    self.settling.settle(message, outcome, sender, self._steady() - began)
            finally:
                self._kept.sending.remove(message)
        return 0.0

    def _write(self, message: Message, sender: Sender, present: Present) -> None:
        first = message.rows[0].incident
        self._packing.write(message, sender, present.rules, present.now, self.addressees.of(first))

    # 1. What was logged, and what others have appended.

    def take_in(self, *, at_once: bool = False) -> float:
        """Bring it into the book, with the lock held. Returns the time."""
        now = self._leapt()
        entries = self.inbox.take(now, at_once=at_once or self.senders.draining)
        if entries:
            self.append(entries)
        self.read(now)
        return now

    def append(self, entries: Sequence[object]) -> None:
        """Append entries to the journal, with the lock held."""
        journal = self._journal
        journal.append(Batch(journal.writer, next(journal.numbers), tuple(entries)))

    def read(self, now: float) -> None:
        """Read from the journal what is not in the book, with the lock held."""
        batches = [one for one in self._journal.read() if one.number > self._read]
        for batch in batches:
            for entry in batch.entries:
                self._apply(entry, now)
            self._read = batch.number
        if batches:
            self._journal.save(Changes(offsets={self._journal.writer: Offset(self._read)}))

    def _apply(self, entry: object, now: float) -> None:
        if not isinstance(entry, Opened | Counted | SentAlone | Answered):
            return
        after = self.book.take(entry, now)
        if after is None and isinstance(entry, Counted):
            self.inbox.lost(entry.key, "queue_overflow", entry.count)
        elif after is not None and isinstance(entry, Answered) and entry.answer.verb == DONE:
            self.inbox.over(after.opening.key)

    def _left(self, incident: Incident) -> None:
        """A row has made room for another."""
        self.settling.refused.discard(incident.opening.key)
        if incident.unsent:
            self.inbox.lost(incident.opening.key, "queue_overflow", incident.unsent)
        else:
            self.inbox.over(incident.opening.key)

    def _leapt(self) -> float:
        """The time; if the clock on the wall was set, the intervals of the book go on by a clock that is never set."""
        steady, now = self._steady(), self._time()
        if self._steady() - steady > LEAP_S / 2:  # this thread was stopped between the two
            steady, now = self._steady(), self._time()
        by_s = now - steady - self._ahead_s
        if abs(by_s) > LEAP_S:
            self.book.leap(by_s, now)
            self._gathers = {audience: until + by_s for audience, until in self._gathers.items()}
        self._ahead_s = now - steady
        return now

    # 2. What goes next.

    def _present(self, now: float) -> Present:
        """What holds now, of maintenances and of messages that were kept, too."""
        if (scopes := tuple(self.duties.scopes())) != self._scopes:
            self._scopes = scopes
            self._lift(now)
        self._kept.let_go(now)
        return Present(
            now,
            self._steady(),
            self.book,
            self.senders,
            self.duties,
            self.addressees,
            is_closed=self._collector.closed,
            ends=self.ends,
            refused=self.settling.refused,
            on_way=self._kept.keys,
            gathers=self._gathers,
        )

    def _next(self, present: Present) -> tuple[Message | None, float]:
        """What may be sent now, else the seconds until something may."""
        now = present.now
        self._collector.all_blocked = False
        waits = [self.inbox.seconds_to_next_take(now)]
        if (pause := self.senders.pause()) > 0:
            self._collector.all_blocked = True
            self._lapse(present)
            waits += [pause, *([DRAIN_S] if self.senders.draining else [])]
            return None, max(min(waits), _LEAST_WAIT_S)
        kept, later = self._kept.first(self.senders)
        waits += later
        blocked, calm = dict[str, float](), dict[str, float]()
        for choice in bundle(present.due, now, present):
            match choice:
                case Over(row):
                    self.settling.over(row, now)
                case Later(rows, hold):
                    self.settling.hold(rows, hold, now)
                case Wait(until, audience, is_calm):
                    (calm if is_calm else blocked)[audience] = until
                    waits.append(until - now)
                case Parcel() as parcel:
                    if kept is not None and self._kept.order(kept) <= self.book.order(parcel.rows[0].incident):
                        break
                    return self._message(parcel, now), 0.0
        if kept is not None:
            self._kept.take(kept)
            return kept, 0.0
        self._gathers = calm
        self._collector.blocked, self._collector.gathering = blocked, calm
        by_wall = bool(self.options.duty or self.options.looks.answers)
        waits += [self.book.later_at() - now, *([_WALL_S] if by_wall else [])]
        return None, max(min(waits), 0.0)

    def _lapse(self, present: Present) -> None:
        """While nothing can be sent: what is over in silence, or has waited for too long."""
        for row in present.due():
            if row.act in (Act.LAPSE, Act.FORGET):
                self.settling.over(row, present.now)

    def _lift(self, now: float) -> None:
        """Quiet hours or a maintenance may be over before their time: what they hold is looked at anew."""
        for incident in self.book.rows():
            if (incident.hold is not None and incident.hold.is_of_wall) or (incident.step and incident.step.not_before):
                self.book.put(lifted(incident, now), now)

    def _message(self, parcel: Parcel, now: float) -> Message | None:
        """The message of a parcel. None: its step waits for room, reached nobody, or nobody is left who gets it."""
        rows, first = list(parcel.rows), parcel.rows[0].incident
        recipients, held_by = self.addressees.of(first), None
        if parcel.form is Form.STEP:
            if (recipients := self.settling.step(rows, now)) is None:
                return None
        elif parcel.form is Form.HELD:
            held_by = self.duties.waited(first, now)
        elif parcel.form is not Form.CALL:
            rows = self.addressees.shown(rows, now)
            if is_for_others(*rows[0]) and (recipients := self.addressees.hear(rows[0], now)) is None:
                self.settling.said(rows, now)
                return None
        is_step = parcel.form is Form.STEP
        message = Message(rows, parcel.form, recipients=recipients, cause=parcel.cause, held=held_by, is_step=is_step)
        self._packing.load(message)
        return message

    # What flush, exit and people ask.

    def now(self) -> float:
        """The time of the journal."""
        return self._time()

    def mark(self) -> Mark:
        """What is to be sent of all that is in the book."""
        return self.book.mark(self.now(), closes=self.ends)

    def is_sent(self, mark: Mark) -> bool:
        """True if all of it is settled, or held until a later time."""
        with self.lock:
            return self.book.is_sent(mark, self.now(), closes=self.ends)

    def is_settled(self) -> bool:
        """True if nothing in the book waits for a message."""
        return self.book.is_settled(self.now(), closes=self.ends)

    def incidents(self, most: int) -> list[IncidentView]:
        """What is open, the newest first. The lock is held."""
        now = self.now()
        rows = sorted(filter(is_open, self.book.rows()), key=lambda one: one.counts.last, reverse=True)
        return [view(self.known(one), now) for one in rows[:most]]

    def known(self, incident: Incident) -> Known:
        """One of the rows, as people read it."""
        return known(incident, partial(self.book.alert, incident.opening.key))

    def forget(self) -> None:
        """What comes from now on is as if it were new."""
        with self.lock:
            self.inbox.end_all()
            for incident in self.book.rows():
                if not incident.unsent and incident.opening.key not in self._kept.keys:
                    self.book.drop(incident.opening.key)
                    self.inbox.over(incident.opening.key)

    def give_up(self, has_time: Callable[[], bool]) -> None:
        """At exit, with the lock held: what is unsent in the book is lost; not what comes amid this, while it
        ``has_time``."""
        for incident in self.book.rows():
            if has_time():
                return
            self.book.drop(incident.opening.key)
            self.inbox.lost(incident.opening.key, "exit_timeout", incident.unsent)
