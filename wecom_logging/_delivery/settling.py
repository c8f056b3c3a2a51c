"""`Settling`: what became of a message, in the book, in the counters, on stderr, and for ``on_outcome``."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from .._incidents import outcomes
from .._incidents.book import Book, Due
from .._incidents.fingerprint import audience_of, recipients_of
from .._incidents.hearers import is_late
from .._incidents.plan import Act
from .._incidents.values import By, Hold, Incident
from .._lines import line
from .._text.said import language_of_environment
from .._wecom.explained import explained
from ..errors import MessageError
from ..model import DeliveryReport, Digest, Outcome, Recipients
from .addressees import Addressees
from .digests import Digests
from .duty import Duty
from .inbox import Inbox
from .judged import Judged, finds_nobody, judge
from .kept import Kept
from .message import Message
from .options import Options
from .packing import Packing
from .reports import Reports
from .sender import Fate, Sender, Senders

_NO_ROOM_S = 1.0


class Leads(Protocol):
    """What it asks of the leader."""

    options: Options
    lock: threading.RLock
    book: Book
    inbox: Inbox
    senders: Senders
    reports: Reports
    duties: Duty
    addressees: Addressees

    def now(self) -> float:
        """The time of the journal."""


class Settling:
    """That of one leader, whose lock it takes."""

    nobody = Outcome("kept", error=MessageError("nobody is on call"))
    """Of a step that names only rotas by which nobody is."""

    def __init__(self, leader: Leads, kept: Kept, digests: Digests, packing: Packing) -> None:
        self._leader = leader
        self._kept = kept
        self._digests = digests
        self._packing = packing
        self._expired = 0
        self.refused: set[str] = set()
        """Keys of incidents that WeCom refused in a message of several: each is judged alone."""

    def settle(self, message: Message, outcome: Outcome, sender: Sender, seconds: float) -> None:
        """Decide, and act. The fallback and ``on_outcome`` are called with no lock held: they may take long."""
        leader, options = self._leader, self._leader.options
        if outcome.delivered or message.done:
            message.reached(sender.channel.known(message.recipients), outcome)
        judged = judge(message, len(message.rows), outcome, has_another=leader.senders.has_another(sender))
        if message.summarized and (outcome.reason == "rejected" or judged.fate in (Fate.REJECT, Fate.KEEP_SLOWLY)):
            self._give_way(message, outcome)
            return
        given: list[Due] = []
        report = None
        try:
            for row, digest in self._for_the_fallback(message, judged):
                if leader.senders.hand_over(digest, outcome.error):
                    given.append(row)
        finally:
            reason = "handed_over" if given else judged.reason
            names = tuple(row.incident.opening.short_id for row in message.rows)
            leader.reports.say(
                names, outcome, judged.fate, sender.name, reason, message.is_step, judged.is_another_free
            )
            if options.on_outcome is not None and (outcome.error is not None or outcome.reason != "kept"):
                ended = replace(outcome, reason="rejected") if reason in ("rejected", "handed_over") else outcome
                report = DeliveryReport(names, sender.channel.identity.split(" ", 1)[0], ended, reason, seconds)
                leader.reports.is_reporting = True
            with leader.lock:
                self._book(message, outcome, judged, given, sender)
            if report is not None:
                leader.reports.report(report)

    def _for_the_fallback(self, message: Message, judged: Judged) -> Iterable[tuple[Due, Digest]]:
        if not judged.is_refused or judged.goes_alone or message.is_step:
            return ()
        return zip(message.rows, message.digests, strict=False)  # one that could not be made has none

    def _book(self, message: Message, outcome: Outcome, judged: Judged, given: Sequence[Due], sender: Sender) -> None:
        """What became of its incidents, of which the fallback has taken some."""
        leader, now = self._leader, self._leader.now()
        keys = {row.incident.opening.key for row in given}
        left = [row for row in message.rows if row.incident.opening.key not in keys]
        is_kept = False
        if message.is_step and not judged.goes_alone:
            self._settle_step(message, outcome, now, refused=judged.is_refused and not judged.waits)
        elif outcome.delivered:
            leader.reports.losses_sent = message.losses
            self.sent(message.rows, "delivered", now, message)
        elif judged.goes_alone:
            self.refused.update(message.keys)
        else:
            self.sent(given, "handed_over", now)
            if judged.is_refused and not judged.waits:
                self._reject(left, now)
            else:
                is_kept = self._keeps(message, left, outcome)
        if judged.fate not in (None, Fate.REJECT) and (left or not judged.is_refused):
            sender.rest(judged.fate, getattr(outcome.error, "retry_after_s", 0.0))
            if not (is_kept or message.is_step):
                self.wait(left, message.rounds, now)

    def _keeps(self, message: Message, left: Sequence[Due], outcome: Outcome) -> bool:
        """Keep it for another try, byte for byte: WeCom may have it, and shows the same text once."""
        message.rounds += outcome.error is not None
        if not message.done and (len(left) < len(message.rows) or not message.rounds):
            return False
        if (old := self._kept.keep(message)) is not None:
            self.wait(old.rows, old.rounds, self._leader.now())
        return True

    def hold(self, rows: Iterable[Due], hold: Hold, now: float) -> None:
        """They wait."""
        for incident, act in rows:
            self._leader.book.put(outcomes.held(incident, hold, act), now)

    def wait(self, rows: Sequence[Due], rounds: int, now: float) -> None:
        """They are tried again, when their channel is."""
        until = now + max(self._leader.senders.pause(), 0.0)
        for incident, _ in rows:
            if (there := self._leader.book.still(incident)) is not None:
                self._leader.book.put(outcomes.failed(there, until, rounds), now)

    def _give_way(self, message: Message, outcome: Outcome) -> None:
        """A flood that is refused goes in shared messages, but for what stands in a summary that was sent."""
        self._leader.senders.files_fail(outcome.error)
        with self._leader.lock:
            now, number = self._leader.now(), message.summarized if message.done else 0
            self.sent(message.rows[:number], "delivered", now, message)

    # Of incidents. The lock is held.

    def sent(self, rows: Sequence[Due], how: str, now: float, message: Message | None = None) -> None:
        """A message, or the fallback, has taken them: the book, the counters, the tallies."""
        for shown, act in rows:
            there = self._leader.book.still(shown)
            if there is None:  # it had to make room meanwhile
                continue
            self._leader.inbox.settle(how, shown)
            after = outcomes.sent(there, shown, act, now)
            if message is not None:
                after = outcomes.reached(after, message.people, message.sent_ids)
            self._put(after, how, now)

    def _reject(self, rows: Sequence[Due], now: float) -> None:
        """WeCom refuses them for good, or no message can be made of them."""
        for shown, act in rows:
            if (there := self._leader.book.still(shown)) is not None:
                self._leader.inbox.settle("rejected", shown)
                self._put(outcomes.refused(there, shown, act, now), "rejected", now)

    def _put(self, after: Incident, how: str, now: float) -> None:
        key, leader = after.opening.key, self._leader
        self.refused.discard(key)
        leader.book.put(after, now)
        if after.sent.ended:
            leader.inbox.over(key)
            self._digests.forget(key)
            self._packing.forget_step(key)
        else:
            leader.inbox.settled(key, how, now)

    def said(self, rows: Sequence[Due], now: float) -> None:
        """Who would get the message knows already what it says."""
        for incident, act in rows:
            if (there := self._leader.book.still(incident)) is not None:
                self._put(outcomes.known(there, incident, act, now), "delivered", now)

    def over(self, row: Due, now: float) -> None:
        """No message any more: what is unsent has waited for too long, or it is over in silence."""
        incident, act = row
        key, leader = incident.opening.key, self._leader
        if act is Act.FORGET:
            leader.book.drop(key)
            leader.inbox.over(key)
            return
        if incident.unsent:
            leader.inbox.lost(key, "expired", incident.unsent)
            self._expired += incident.unsent
            leader.options.warn_once("expired", line("expired", count=self._expired))
        self._put(outcomes.ended(incident, now), "delivered", now)

    # Steps.

    def step(self, rows: list[Due], now: float) -> Recipients | None:
        """To whom the step of these is sent now. None: it has reached nobody, or waits for room."""
        leader, (incident, act) = self._leader, rows[0]
        found = leader.duties.step(incident, act)
        if found is None or any(is_late(one.incident, now) for one in rows):
            self._miss(rows, "failed", now)
            return None
        wait_s = leader.senders.wait(leader.duties.known(found.recipients, incident, now))
        if wait_s > 0:
            self.hold(rows, Hold(now + wait_s, By.TRY), now)
            return None
        return found.recipients

    def _settle_step(self, message: Message, outcome: Outcome, now: float, *, refused: bool) -> None:
        """What became of its message: it was sent, reached nobody, or is tried again."""
        leader, rows = self._leader, message.rows
        if outcome.delivered or message.done:
            self._step_sent(message, rows, now)
        elif refused:
            named = message.named or message.recipients or Recipients()
            who = leader.addressees.who(named)
            self._miss(rows, f"nobody {who}" if finds_nobody(outcome) else "failed", now)
        elif outcome.error is None and not message.failed:  # the room is gone
            self.hold(rows, Hold(now + max(leader.senders.wait(message.recipients), _NO_ROOM_S), By.TRY), now)
        else:
            for incident, _ in rows:
                if (there := leader.book.still(incident)) is not None:
                    leader.book.put(outcomes.step_failed(there, now), now)

    def _step_sent(self, message: Message, rows: Sequence[Due], now: float) -> None:
        leader, recipients = self._leader, message.recipients or Recipients()
        who = leader.addressees.who(recipients, message.sent_ids)
        counts = {digest.short_id: digest.answer.count for digest in message.digests if digest.answer is not None}
        for incident, _ in rows:
            key = incident.opening.key
            self.refused.discard(key)
            self._packing.forget_step(key)
            if (there := leader.book.still(incident)) is not None:
                count = counts.get(incident.opening.short_id, incident.counts.count)
                audience = audience_of(recipients)
                after = outcomes.step_sent(there, audience, who, now, count=count, ids=message.sent_ids, shown=incident)
                leader.book.put(after, now)

    def _miss(self, rows: Sequence[Due], why: str, now: float) -> None:
        for incident, _ in rows:
            key = incident.opening.key
            self.refused.discard(key)
            self._packing.forget_step(key)
            if (there := self._leader.book.still(incident)) is not None:
                self._leader.book.put(outcomes.step_missed(there, why, now), now)

    def call(self, message: Message) -> None:
        """Ring the phones of those to whom the step of these was sent: one request, once, with no lock held."""
        leader, incident = self._leader, message.rows[0].incident
        recipients = recipients_of(incident.sent.audiences[-1]) if incident.sent.audiences else None
        phoned = ""
        try:
            if recipients:
                rang = leader.duties.ring(leader.senders.least_busy(recipients).channel, recipients)
                phoned = rang.phoned
                if rang.error is not None:
                    leader.options.warn_once("phone", explained(rang.error, language_of_environment()))
        finally:
            with leader.lock:
                now = leader.now()
                for one, _ in message.rows:
                    if (there := leader.book.still(one)) is not None:
                        leader.book.put(outcomes.called(there, phoned), now)
