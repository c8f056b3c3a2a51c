"""`Leader`: sends for a channel. Read `Leader.turn` first: the order of everything.

What was logged is appended to the journal, and read from it into the book. `plan` says what is due, `bundle` what of it
goes now, with whom. The message is written and sent with no lock held; what became of it goes into the book and the
counters (`Settling`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

from .._capture.collector import Collector
from .._incidents.book import Book, Due, Order
from .._incidents.entries import Answered, Counted, Opened, SentAlone
from .._incidents.fingerprint import audience_of, recipients_of
from .._incidents.hearers import is_for_others, is_step_line, who_hears
from .._incidents.known import Known, view
from .._incidents.outcomes import as_composed, held, lifted
from .._incidents.plan import Act, drained, plan
from .._incidents.values import Hold, Incident
from .._incidents.views import is_open, known
from .._journal.base import Batch, Changes, Journal, Offset
from .._wecom.channels import Channel
from ..model import IncidentView, Outcome, Recipients
from ..model.alert import DONE
from ..model.duty import Scope
from .bundle import bundle
from .digests import Digests
from .duty import Duty
from .inbox import Inbox
from .message import Message
from .options import Looks, Options
from .packing import Packing
from .parcels import Form, Later, Over, Parcel, Rules, Wait
from .reports import Reports
from .sender import Senders
from .settling import Settling, finds_nobody

LEAP_S = 2.0
"""By so much more the wall has to differ from a clock that only goes on, to have been set."""

DRAIN_S = 0.02
_MAX_KEPT = 8
_WALL_S = 20.0
"""How soon it is seen that the clock on the wall was set, or that somebody has answered."""
_LEAST_WAIT_S = 0.001

Mark = dict[str, int]
"""By key, how many records of an incident are to be sent."""


class Leader:
    """That of one handler in one process; a forked child has another. ``channel_id`` names all its ``channels``.

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
        self.settling = Settling(self, digests, self._packing)
        given = {audience_of(one.recipients): one.recipients for one in options.routes}
        self._given: dict[str, Recipients | None] = {**given, collector.audience: None}
        self._read = 0
        self._kept: list[Message] = []
        """What goes again as it is: its round has failed, or a part of it has gone."""
        self._sending: list[Message] = []
        """What is on its way now; of a thread that was given up, too."""
        self._now = 0.0
        """The time of the turn."""
        self._scopes: tuple[Scope, ...] = ()
        self._by_wall = False
        """True if something may be held until a time of the wall."""
        self.ends = False
        """True where the program ends: there is no later."""
        self.gathers: dict[str, float] = {}

    # The turn.

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        for channel in self._channels:
            channel.begin()
        with self.lock:
            now = self.take_in()
            message, wait_s = self._next(now)
            if message is None:
                return wait_s
            self._sending.append(message)
        began = self._steady()
        sender = self.senders.least_busy(message.recipients)
        outcome = Outcome("rejected")
        try:
            if message.form is Form.CALL:
                self.settling.call(message)
                return 0.0
            self._address(message, now)
            sender = self.senders.least_busy(message.recipients)
            if not message.parts:
                self._packing.write(message, sender, self.rules(message.rows[0].incident), now, self.named(message))
            if message.is_step and not message.recipients:  # what cannot be found out is asked again
                outcome = Outcome("kept") if message.failed else self.settling.nobody
            else:
                outcome = sender.send(message)
            if finds_nobody(outcome) and self._address_others(message, now):
                self._packing.write(message, sender, self.rules(message.rows[0].incident), now, self.named(message))
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
                self._sending.remove(message)
        return 0.0

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
            self.gathers = {audience: until + by_s for audience, until in self.gathers.items()}
        self._ahead_s = now - steady
        return now

    # 2. What goes next.

    def _next(self, now: float) -> tuple[Message | None, float]:
        """What may be sent now, else the seconds until something may."""
        self._now = now
        self._collector.all_blocked = False
        if (scopes := tuple(self.duties.scopes())) != self._scopes:
            self._scopes = scopes
            self.lift(now)
        self._by_wall = bool(self.options.duty or self.options.looks.answers)
        waits = [self.inbox.seconds_to_next_take(now)]
        self._kept = [one for one in self._kept if self._is_due(one, now)]
        if (pause := self.senders.pause()) > 0:
            self._collector.all_blocked = True
            self._lapse(now)
            waits += [pause, *([DRAIN_S] if self.senders.draining else [])]
            return None, max(min(waits), _LEAST_WAIT_S)
        free = [one for one in self._kept if self.senders.wait(one.recipients) <= 0]
        kept = min(free, key=self._order, default=None)
        waits += [self.senders.wait(one.recipients) for one in self._kept if one not in free]
        blocked, calm = dict[str, float](), dict[str, float]()
        for choice in bundle(lambda: self._due(now), now, self):
            match choice:
                case Over(row):
                    self.settling.over(row, now)
                case Later(rows, hold):
                    self.hold(rows, hold, now)
                case Wait(until, audience, is_calm):
                    (calm if is_calm else blocked)[audience] = until
                    waits.append(until - now)
                case Parcel() as parcel:
                    if kept is not None and self._order(kept) <= self.book.order(parcel.rows[0].incident):
                        break
                    return self._message(parcel, now), 0.0
        if kept is not None:
            self._kept.remove(kept)
            return kept, 0.0
        self.gathers = calm
        self._collector.blocked, self._collector.gathering = blocked, calm
        waits += [self.book.later_at() - now, *([_WALL_S] if self._by_wall else [])]
        return None, max(min(waits), 0.0)

    def keep(self, message: Message) -> None:
        """It goes again as it is. Of too many the incidents of the one that was tried most often are due anew."""
        self._kept.append(message)
        if len(self._kept) > _MAX_KEPT:
            old = max(self._kept, key=lambda one: one.rounds)
            self._kept.remove(old)
            self.settling.wait(old.rows, old.rounds, self.now())

    def _order(self, message: Message) -> Order:
        return min(self.book.order(shown, message.rounds) for shown, _ in message.rows)

    def _is_due(self, message: Message, now: float) -> bool:
        """True if its incidents are all in the book, and some have not waited for too long."""
        there = [self.book.get(key) for key in message.keys]
        return all(there) and any(plan(one, now).act is not Act.LAPSE for one in there if one is not None)

    def _lapse(self, now: float) -> None:
        """While nothing can be sent: what is over in silence, or has waited for too long."""
        for row in self._due(now):
            if row.act in (Act.LAPSE, Act.FORGET):
                self.settling.over(row, now)

    def _due(self, now: float) -> Iterator[Due]:
        """What is due, but for what stands in a message that is kept."""
        kept = self.on_way
        for row in self.book.due(now, hurries=self.hurries, closes=self.ends):
            if row.incident.opening.key in kept:
                continue
            if row.act is Act.END and not row.incident.unsent and self._collector.closed:  # nobody logs here any more
                row = Due(row.incident, Act.LAPSE)
            elif row.act is Act.END and row.incident.sent.people:  # who was on call before hears of it, too
                row = self._handed_over(row, now)
            yield row

    def _handed_over(self, row: Due, now: float) -> Due:
        incident, act = row
        return Due(self.duties.after_hand_over(self.recipients(incident), incident, now), act)

    def _message(self, parcel: Parcel, now: float) -> Message | None:
        """The message of a parcel. None: its step waits for room, reached nobody, or nobody is left who gets it."""
        rows = list(parcel.rows)
        first = rows[0].incident
        recipients = self.recipients(first)
        held_by = None
        if parcel.form is Form.STEP:
            if (to := self.settling.step(rows, now)) is None:
                return None
            recipients = to
        elif parcel.form is Form.HELD:
            held_by = self.duties.waited(first, now)
        elif parcel.form is not Form.CALL:
            rows = [self._shown(row, recipients, now, alone=len(rows) == 1) for row in rows]
            if is_for_others(*rows[0]):
                is_line = is_step_line(*rows[0])
                named = self.duties.known(recipients, rows[0].incident, now) if is_line else recipients
                everybody = self._channels[0].addressed(named)
                recipients = who_hears(*rows[0], everybody, self._channels[0].receivers)
                if everybody and not recipients:
                    self.settling.said(rows, now)
                    return None
        message = Message(rows, parcel.form, recipients, parcel.cause, held=held_by)
        self._packing.load(message)
        return message

    def _shown(self, row: Due, recipients: Recipients | None, now: float, *, alone: bool) -> Due:
        incident = as_composed(row.incident, row.act, now) if alone else row.incident
        return Due(self.duties.after_hand_over(recipients, incident, now), row.act)

    def _address(self, message: Message, now: float) -> None:
        """Who is on call gets it, asked each time that it goes, until a part of it has gone."""
        if message.done:
            return
        named = message.named or message.recipients
        if message.is_step:
            found = None if named is None else self.duties.on_step(named, message.rows[0].incident, now)
        else:
            found = self.duties.called(named, message.rows, now)
        if found is not None:
            message.address(named or self._channels[0].addressed(None), found)

    def _address_others(self, message: Message, now: float) -> bool:
        """WeCom knows none of those on call: who gets it in their place. Returns whether that is anybody else."""
        if message.named is None or message.nobody or message.done or message.is_step:
            return False
        found = self.duties.without(message.named, message.rows[0].incident, now)
        if found is None:
            return False
        message.address(message.named, found)
        message.parts = ()
        return True

    def hold(self, rows: Iterable[Due], hold: Hold, now: float) -> None:
        """They wait."""
        for incident, act in rows:
            self.book.put(held(incident, hold, act), now)

    def lift(self, now: float) -> None:
        """Quiet hours or a maintenance may be over before their time: what they hold is looked at anew."""
        for incident in self.book.rows():
            if (incident.hold is not None and incident.hold.is_of_wall) or (incident.step and incident.step.not_before):
                self.book.put(lifted(incident, now), now)

    def now(self) -> float:
        """The time of the journal."""
        return self._time()

    def receivers(self, recipients: Recipients) -> Sequence[str]:
        """The user ids that are known of some recipients."""
        return self._channels[0].receivers(recipients)

    # What `bundle` asks, of the time of the turn; the times are the journal's.

    @property
    def hurries(self) -> bool:
        return self.senders.draining or self.closes

    @property
    def closes(self) -> bool:
        return self.ends or self._collector.closed

    @property
    def refused(self) -> Collection[str]:
        return self.settling.refused

    def holds(self, incident: Incident) -> Hold | None:
        return self.duties.holds(incident, self._now)

    def waited(self, incident: Incident) -> bool:
        is_held = incident.hold is not None and incident.hold.is_of_wall
        return (is_held or self.closes) and self.duties.waited(incident, self._now) is not None

    def rules(self, incident: Incident) -> Rules:
        now, steady = self._now, self._steady()
        recipients = self.duties.known(self.recipients(incident), incident, now)
        audience = incident.opening.audience
        return Rules(
            room_at=now + self.senders.wait(recipients),
            shares=self.senders.least_busy(recipients).shares(recipients),
            summary_at=self.senders.summary_at(audience) - steady + now,
            gathers_until=self.gathers.get(audience, float("-inf")),
            no_files_until=self.senders.no_files_until - steady + now,
        )

    def of(self, audience: str) -> Iterable[Incident]:
        return self.book.of(audience)

    @property
    def on_way(self) -> Collection[str]:
        return {key for message in [*self._kept, *self._sending] for key in message.keys}

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        return self.duties.are_for_same(self.recipients(one), one, other)

    def recipients(self, incident: Incident) -> Recipients | None:
        """Those whom its audience names; names of members are looked up when it is sent. None: those of the channel."""
        audience = incident.opening.audience
        return self._given[audience] if audience in self._given else recipients_of(audience)

    def named(self, message: Message) -> Recipients | None:
        """Those whom the audience of its incidents names."""
        return self.recipients(message.rows[0].incident)

    # What flush, exit and people ask.

    def mark(self) -> Mark:
        """What is to be sent of all that is in the book."""
        now = self.now()
        found = ((one, drained(one, now, closes=self.ends)) for one in self.book.rows())
        return {one.opening.key: one.counts.count for one, plan in found if one.unsent and plan.at <= now}

    def is_sent(self, mark: Mark) -> bool:
        """True if all of it is settled, or held until a later time."""
        with self.lock:
            now = self.now()
            for key, count in mark.items():
                there = self.book.get(key)
                if there is None or there.sent.count >= count:
                    continue
                if drained(there, now, closes=self.ends).at <= now or self._is_tried(there):
                    return False
            return True

    def _is_tried(self, incident: Incident) -> bool:
        return incident.hold is not None and not incident.hold.is_of_wall

    def is_settled(self) -> bool:
        """True if nothing in the book waits for a message."""
        now = self.now()
        rows = self.book.rows()
        return not any(one.unsent or drained(one, now, closes=self.ends).at <= now for one in rows)

    def incidents(self, most: int) -> list[IncidentView]:
        """What is open, the newest first."""
        with self.lock:
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
                if not incident.unsent:
                    self.book.drop(incident.opening.key)
                    self.inbox.over(incident.opening.key)

    def give_up(self, has_time: Callable[[], bool]) -> None:
        """At exit, with the lock held: what is unsent in the book is lost; not what comes amid this, while it
        ``has_time``."""
        for incident in self.book.rows():
            if has_time():
                return
            self.book.drop(incident.opening.key)
            if incident.unsent:
                self.inbox.lost(incident.opening.key, "exit_timeout", incident.unsent)
