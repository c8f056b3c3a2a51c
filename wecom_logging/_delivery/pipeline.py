"""The journey of a record. Read `Collector.take`, which the calling thread runs, then `Pipeline.turn`, the worker's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from .._capture.collector import Captured, Collector
from .._capture.snapshot import capture, finite, hostname
from .._capture.tally import Tally
from .._incidents import life
from .._incidents.fingerprint import group_key, lane_of
from .._incidents.incident import Count, Incident, Kept, Own
from .._incidents.view import view
from .._render.cut import trim
from .._render.mask import masked, slim
from .._render.source import with_source
from .._runtime.clock import now
from .._runtime.worker import Worker
from .._state.base import StateError
from .._state.entries import dump
from .._state.failover import Claim, FailoverStore, Mark
from .._state.memory import MemoryStore
from .._wecom.channels import Channel
from .._wecom.http import load_libraries
from ..model import Alert, DeliveryReport, Digest, IncidentView, Outcome, Recipients, Sample, Stats
from .compose import Picture
from .fallback import hand_over
from .options import Options
from .outbox import Delivery
from .sender import Fate, Sender, Senders, fate

_MAX_SHARED = 100
_MAX_VIEWS = 1000
_MAX_KEPT = 8
_MAX_ENTRY = 256 * 1024
_SWEEP_S = 60.0
_MAX_BUSY = 1000
_LEAST_WAIT_S = 0.001
_STUCK_S = 2.0


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
        write_ahead = None if options.shared.journal is None else self._write_ahead
        self.collector = Collector(options, self._worker, self._make_alert, write_ahead, self._relieve)
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
        options = self.options
        memory = MemoryStore(self._left_memory, options.max_pending, options.max_pending_bytes)
        self._store = FailoverStore(
            self._channel_id,
            memory,
            options.shared,
            host=hostname(),
            timeout_s=options.timeout_s,
            publish=self._publish,
            handed=self._handed,
            complain=options.complain,
            clock=self._clock,
        )
        self._senders = Senders(self._channels, options.rules, self._clock, options.shared)
        self._section = threading.RLock()
        """Between the worker and the exit hook: held but while a message is made and sent."""
        self._kept: list[Delivery] = []
        self._report: DeliveryReport | None = None  # for which on_outcome runs
        self._has_more = False
        self._busy: dict[str, float] = {}
        self._losses_told: Mapping[str, int] = {}
        self._alone: set[str] = set()  # what WeCom refused in a shared message is judged alone
        self._overflow_told = self._expired = 0
        self._given_up = False
        self.left_behind = 0
        self.in_a_hurry = False  # a drain: what the limit has left is used now

    @property
    def key(self) -> int:
        """Which of all handlers of this process it is."""
        return self.collector.key

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Accept nothing more. What waits is still told."""
        self.collector.closed = True
        self.collector.tallies.shut_all()
        self._worker.retire()

    def forget_incidents(self) -> None:
        """Tell what comes from now on as if it were new."""
        for tally in self.collector.tallies:
            self.collector.tallies.close(tally)
        for incident in self._store.memory.open(self._channel_id, _MAX_VIEWS):
            if not incident.untold:
                self._store.memory.remove(self._channel_id, incident.key)

    def stats(self) -> Stats:
        return self.collector.books.stats()

    def incidents(self) -> list[IncidentView]:
        """What is open, the newest first."""
        found = sorted(self._store.incidents(_MAX_VIEWS), key=lambda one: one.last, reverse=True)
        return [view for one in found if (view := self._view(one)) is not None]

    def _view(self, incident: Incident) -> IncidentView | None:
        try:
            return view(replace(incident, short_id=self._short_id(incident)))
        except Exception:  # of one that cannot be read or made there is nothing to say
            return None

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        load_libraries()
        self.options.shared.load()

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        now = self._clock()
        with self._section:
            self._add(now)
            delivery, wait = self._next(now)
        if delivery is None:
            return wait
        sender = self._senders.least_busy(delivery.recipients, hurried=self.in_a_hurry)
        outcome = Outcome("rejected")
        try:
            outcome = self._send(delivery, sender)
        except Exception as error:  # a defect of ours must cost one alert, not all that follow
            self.options.complain("defect", f"an alert could not be made into a message ({type(error).__name__})")
        finally:  # user code (redact) may want to end the thread: not before the counters are right
            self._settle(delivery, outcome, sender, self._clock() - now)
        return 0.0

    def _next(self, now: float) -> tuple[Delivery | None, float]:
        """What may be sent now, else the seconds until something may."""
        self.collector.all_busy = False
        self._expire_kept(now)
        if (pause := self._senders.pause()) > 0:
            self.collector.all_busy = not self.options.shared.is_up
            return None, max(min(pause, self._seconds_to_next_look(now)), _LEAST_WAIT_S)
        self._has_more = False
        delivery = self._next_delivery(now)
        self.collector.busy = self._busy
        has_more = delivery is not None or self._has_more
        return delivery, 0.0 if has_more else self._seconds_to_next_look(now)

    def _add(self, now: float, *, at_once: bool = False) -> None:
        """What was logged since the last turn goes into the store."""
        self._store.pull(self.collector, now, all_of_it=at_once)
        self._store.add(self.collector.counted(now, at_once=at_once or self.in_a_hurry), now)
        self._store.hand_over(now)
        if (written := self.options.shared.journal) is not None:
            written.tidy()
        self.collector.close_quiet(now)
        self._tell_overflow()

    def _relieve(self, number: int) -> None:
        """The worker may be in a request: put what is queued where there is a bound, if no thread is at that."""
        self._store.relieve(self.collector, number, self._clock())

    def _next_delivery(self, now: float) -> Delivery | None:
        """The most severe that may go: of what is kept for another round, or of what is due in the store."""
        self._busy = {lane: until for lane, until in self._busy.items() if until > now and not self.in_a_hurry}
        for late in [one for one in self._kept if one.waits_too_long(now)]:
            self._kept.remove(late)
            self._release(late.claims, now, failed=late.rounds)
        while True:
            waiting = (one for one in self._kept if self._may_go(one.recipients, now))
            kept: Delivery | None = max(waiting, key=lambda one: one.rank, default=None)
            claims = self._claim(now, 1)
            claim = claims[0] if claims else None
            if claim is None or (kept is not None and kept.rank >= claim.incident.rank):
                self._release(claims, now)
                if kept is not None:
                    self._kept.remove(kept)
                return kept
            if self._ends_unsent(claim, now):
                self._has_more = True  # but what was logged meanwhile comes first
                return None
            if (delivery := self._delivery_of(claim, now)) is not None:
                return delivery

    def _expire_kept(self, now: float) -> None:
        for old in [one for one in self._kept if all(life.is_expired(claim.incident, now) for claim in one.claims)]:
            self._kept.remove(old)
            self._expire(old.claims, now)

    def _expire(self, claims: Sequence[Claim], now: float) -> None:
        self._end(claims, "expired", now)
        self._expired += sum(claim.incident.untold for claim in claims)
        text = f"{self._expired} alerts could not be sent for 24 hours and are lost"
        where = " (`wecom-logging pending` shows them)" if any(claim.is_shared for claim in claims) else ""
        self.options.complain("expired", text + where)

    def _claim(self, now: float, most: int, lane: str | None = None) -> list[Claim]:
        hurried = self.in_a_hurry or self.closed()
        return self._store.claim(now, most=most, busy=self._busy, lane=lane, hurried=hurried)

    def _may_go(self, recipients: Recipients | None, now: float) -> bool:
        wait = self._senders.wait(recipients, hurried=self.in_a_hurry)
        if wait > 0:
            if len(self._busy) >= _MAX_BUSY:
                self._busy.clear()
            self._busy[lane_of(recipients)] = now + wait
        return wait <= 0

    def _ends_unsent(self, claim: Claim, now: float) -> bool:
        """Whether it ends without a message: it is too old, or over in silence."""
        incident = claim.incident
        if life.is_expired(incident, now):
            self._expire([claim, *self._claim_expired(now)], now)
            return True
        if life.is_over(incident) and (self.closed() or not life.has_closing_line(incident)):
            self._store.swap([(claim, None, "")], now)
            self._close_tally(claim)
            return True
        return False

    def _claim_expired(self, now: float) -> list[Claim]:
        """Others that are too old: where one is, there may be many."""
        others = self._claim(now, _MAX_SHARED - 1)
        self._release([other for other in others if not life.is_expired(other.incident, now)], now)
        return [other for other in others if life.is_expired(other.incident, now)]

    def _delivery_of(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a claim, or of it and others, where messages have to be shared; None: not now, or never."""
        try:
            alert = claim.incident.first.alert
        except BaseException as error:  # user code (redact) may even want to end the thread
            self.options.complain("defect", f"an alert could not be made into a message ({type(error).__name__})")
            self._end([claim], "rejected", now)
            if not isinstance(error, Exception):
                raise
            return None
        recipients = self.options.recipients(alert.logger, alert.level, alert.recipients)
        if not self._may_go(recipients, now):
            self._busy[claim.incident.lane] = self._busy[lane_of(recipients)]
            self._release([claim], now)
            return None
        sender = self._senders.least_busy(recipients, hurried=self.in_a_hurry)
        claims = [claim]
        if claim.key not in self._alone and sender.shares(recipients):
            others = self._claim(now, _MAX_SHARED - 1, claim.incident.lane)
            claims += [other for other in others if other.key not in self._alone]
            self._release([other for other in others if other.key in self._alone], now)
        if len(claims) == 1:
            claims = [replace(claim, incident=life.alone(claim.incident, now))]
        return Delivery(claims, [], recipients)

    def _send(self, delivery: Delivery, sender: Sender) -> Outcome:
        if not delivery.parts:
            self._render(delivery, sender)
        return sender.send(delivery)

    def _render(self, delivery: Delivery, sender: Sender) -> None:
        delivery.losses = self.collector.books.losses()
        losses = _told(delivery.losses, self._losses_told)
        together = []
        for claim in delivery.claims:
            if claim is delivery.claims[0] or not self._ends_unsent(claim, self._clock()):
                together.append(claim)
        delivery.claims = together
        delivery.digests = [self._digest(claim) for claim in delivery.claims]
        if len(delivery.claims) == 1:
            delivery.parts = self.composer.compose(delivery.digests[0], sender.channel, losses)
        else:
            delivery.parts, number = self.composer.share(delivery.digests, sender.channel, losses)
            rest = delivery.claims[number:]
            del delivery.claims[number:], delivery.digests[number:]
            self._release(rest, self._clock())
        delivery.parts += tuple(Picture(picture) for claim in delivery.claims if (picture := _picture(claim)))

    def _digest(self, claim: Claim) -> Digest:
        """What is told of an incident now. All text in it is masked."""
        incident = claim.incident
        first, short_id = incident.first, self._short_id(incident)
        alert = first.alert
        if isinstance(first, Captured) and first.digest is not None:  # another handler's: its numbers stay
            return replace(first.digest, alert=alert, short_id=short_id)
        if life.alone(incident, self._clock()) is incident and incident.count == 1:
            return Digest(alert, short_id=short_id)
        return Digest(
            alert,
            count=incident.untold,
            total=incident.count,
            since=finite(incident.since, 0.0),
            last=finite(incident.last, 0.0),
            samples=self._masked_samples(incident),
            rates=incident.rates,
            quiet_s=life.QUIET_WINDOWS * incident.window_s if life.is_over(incident) else 0.0,
            hosts=incident.hosts,
            processes=incident.processes,
            short_id=short_id,
        )

    def _short_id(self, incident: Incident) -> str:
        """In memory it is given when the alert is made, which tells the group key."""
        if incident.short_id:
            return incident.short_id
        alert = incident.first.alert
        return self._store.memory.name(self._channel_id, incident.key, group_key(alert, self._meant(alert)))

    # What becomes of a delivery.

    def _settle(self, delivery: Delivery, outcome: Outcome, sender: Sender, seconds: float) -> None:
        """Decide, and act. The fallback and ``on_outcome`` are called with no lock held: they may take long."""
        verdict = fate(outcome.error) if outcome.error is not None else None
        elsewhere = verdict not in (None, Fate.REJECT) and self._senders.has_another(sender)
        waits = verdict is Fate.KEEP_SLOWLY
        refused = outcome.reason == "rejected" or verdict is Fate.REJECT or (waits and not elsewhere)
        refused = refused and not (outcome.delivered or delivery.done)
        alone = refused and not waits and len(delivery.claims) > 1  # what shared a message is judged alone
        given: list[Claim] = []
        reason = "delivered" if outcome.delivered else "rejected" if refused and not (waits or alone) else "kept"
        report = None
        try:
            for claim, digest in zip(delivery.claims, delivery.digests, strict=False) if refused and not alone else ():
                if self._handed_over(digest, outcome):
                    given.append(claim)
                    reason = "handed_over"
        finally:
            names = self._say(delivery, outcome, verdict, sender, reason, elsewhere)
            if self.options.on_outcome is not None and (outcome.error is not None or outcome.reason != "kept"):
                ended = replace(outcome, reason="rejected") if reason in ("rejected", "handed_over") else outcome
                channel = sender.channel.identity.split(" ", 1)[0]
                report = self._report = DeliveryReport(names, channel, ended, reason, seconds)
            with self._section:
                now = self._clock()
                if outcome.delivered:
                    self._losses_told = delivery.losses
                    self._sent(delivery.claims, "delivered", now)
                elif alone:
                    self._alone.update(claim.key for claim in delivery.claims)
                    self._release(delivery.claims, now)
                elif refused:
                    self._refused(delivery, verdict, given, now)
                else:
                    self._keep(delivery, verdict)
                if verdict not in (None, Fate.REJECT) and not (refused and len(given) == len(delivery.claims)):
                    sender.rest(verdict, getattr(outcome.error, "retry_after_s", 0.0))
            if report is not None:
                self._tell(report)

    def _tell(self, report: DeliveryReport) -> None:
        """Whoever waits for the alerts waits for this too, but the counters are right whatever it does."""
        assert self.options.on_outcome is not None
        try:
            self.options.on_outcome(report)
        except BaseException as error:
            self.options.complain("on_outcome", f"on_outcome raised {type(error).__name__}")
            if not isinstance(error, Exception):
                raise
        finally:
            self._report = None

    def _keep(self, delivery: Delivery, verdict: Fate | None) -> None:
        """For another round, byte for byte: WeCom may have it, and shows the same text once."""
        delivery.rounds += verdict is not None
        self._kept.append(delivery)
        if len(self._kept) > _MAX_KEPT:
            tried = max(self._kept, key=lambda one: one.rounds)
            self._kept.remove(tried)
            self._release(tried.claims, self._clock(), failed=tried.rounds)
        if self._given_up:  # no turn will come for it
            self._leave([claim.incident for claim in delivery.claims if not claim.is_shared])

    def _refused(self, delivery: Delivery, verdict: Fate | None, given: Sequence[Claim], now: float) -> None:
        """WeCom does not want it, or wants the configuration mended; the fallback has what is ``given``."""
        self._sent(given, "handed_over", now)
        left = [claim for claim in delivery.claims if claim not in given]
        if verdict is Fate.KEEP_SLOWLY and left:
            delivery.claims = left
            delivery.digests, delivery.parts = [], ()
            self._keep(delivery, verdict)
        else:
            self._reject(left, now)

    def _sent(self, claims: Sequence[Claim], how: str, now: float, why: str = "") -> None:
        """They were told, here or by the fallback, or refused: the counters, the tallies, when they are told again."""
        after = [self._after(claim, now, why) for claim in claims]
        ended = self._store.swap([(claim, new, why) for claim, new in zip(claims, after, strict=True)], now)
        for claim, new, own in zip(claims, after, ended, strict=True):
            if own is not None:
                self._book(how, own)
            if (tally := self.collector.of(claim.key)) is not None:
                if new is None:
                    self.collector.end(tally)
                else:
                    tally.first = new.first
                    self.collector.settled(tally, how, now)
            self._alone.discard(claim.key)
            _done(claim.incident.first)

    @staticmethod
    def _after(claim: Claim, now: float, why: str) -> Incident | None:
        after = life.refused(claim.incident, now) if why else life.sent(claim.incident, now)
        return None if after is None else replace(after, first=_slim(claim.incident.first))

    def _reject(self, claims: Sequence[Claim], now: float) -> None:
        """WeCom refuses them for good, or they cannot be made into a message."""
        made = [claim for claim in claims if _is_made(claim)]
        self._sent(made, "rejected", now, "rejected")
        self._end([claim for claim in claims if claim not in made], "rejected", now)

    def _end(self, claims: Sequence[Claim], why: str, now: float) -> None:
        """They are given up, with all that was counted of them."""
        for claim in claims:
            if (tally := self.collector.of(claim.key)) is not None:
                self.collector.lost(tally, why)
        ended = self._store.swap([(claim, None, why) for claim in claims], now)
        for claim, own in zip(claims, ended, strict=True):
            if own is not None:
                self._book(why, own)
            self._alone.discard(claim.key)
            _done(claim.incident.first)

    def _release(self, claims: Sequence[Claim], now: float, *, failed: int = 0) -> None:
        self._store.swap([(claim, life.released(claim.incident, now, failed=failed), "") for claim in claims], now)

    def _close_tally(self, claim: Claim) -> None:
        if (tally := self.collector.of(claim.key)) is not None:
            self.collector.end(tally)

    def _book(self, how: str, own: Own) -> None:
        self.collector.books.settle(how, own.captured, own.counted + own.seen)

    def _handed_over(self, digest: Digest, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        if self.options.fallback is None or digest.quiet_s:
            return False
        error = outcome.error
        why = f"{type(error).__name__}: {error}" if error is not None else "it could not be made into a message"
        try:
            target = self.options.fallback()
            if target is None:
                hint = "one of another package must be used by a logger, or logging forgets it"
                self.options.complain("fallback", f"no handler has the name that fallback gives; {hint}")
                return False
            return hand_over(digest, target, self.key, self.options.name, why)
        except Exception as failure:
            self.options.complain("fallback", f"the fallback failed ({type(failure).__name__})")
            return False

    def _say(
        self,
        delivery: Delivery,
        outcome: Outcome,
        verdict: Fate | None,
        sender: Sender,
        reason: str,
        elsewhere: bool,
    ) -> tuple[str, ...]:
        """Failures and half successes, on stderr. Gives the short ids of what it is about."""
        names = [digest.short_id for digest in delivery.digests]
        names = names or [claim.incident.short_id for claim in delivery.claims if claim.incident.short_id]
        if outcome.error is not None:
            what = "an alert was refused" if verdict is Fate.REJECT else "alerts wait"
            what = "an alert went to the fallback" if reason == "handed_over" else what
            what = "it rests, another goes on" if elsewhere else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')} {sender.name}"
            about = f" #{names[0]}" if names and verdict is Fate.REJECT else ""
            self.options.complain(cause, f"{sender.name}{sender.name and ': '}{what}{about}: {outcome.error}")
        if outcome.reason == "partial":
            self.options.complain("partial", f"WeCom did not accept some recipients: {_left_out(outcome)}")
        if outcome.warning:
            self.options.complain("warning", outcome.warning)
        return tuple(names)

    # Memory, and the shared store.

    def _make_alert(self, first: Captured) -> Alert:
        """The alert of a record that was copied, without secrets."""
        with self.collector.masking(first.depth):
            if first.digest is not None:
                return masked(first.digest.alert, self.options.mask)
            alert = first.written or capture(_snapshot(first), self.options.origin)
            return masked(with_source(alert), self.options.mask)

    def _masked_samples(self, incident: Incident) -> tuple[Sample, ...]:
        if not incident.samples:
            return ()
        tally = self.collector.of(incident.key)
        with self.collector.masking(1 if tally is None else tally.depth):
            return tuple(Sample(one.time, self.options.mask(one.text)) for one in incident.samples)

    def _meant(self, alert: Alert) -> Recipients | None:
        recipients = self.options.recipients(alert.logger, alert.level, alert.recipients)
        return self._channels[0].addressed(recipients) or recipients

    def _public(self, alert: Alert) -> tuple[Alert, str]:
        """As others get it, and its text: it goes to those that it was meant for, whichever process sends it."""
        public = replace(alert, recipients=self._meant(alert))
        text = dump(public)
        if len(text) > _MAX_ENTRY:
            public = slim(public)
            text = dump(public)
        return public, text

    def _publish(self, incident: Incident) -> Count:
        """An incident of this process's memory for the shared store."""
        alert, _ = self._public(incident.first.alert)
        key = incident.key if not incident.key.startswith("~") else group_key(alert, alert.recipients)
        return Count(
            key=key,
            number=incident.untold,
            level=incident.level,
            window_s=incident.window_s,
            last=incident.last,
            first=Kept(alert),
            samples=self._masked_samples(incident),
            crowded=not incident.rank % 2,
            lane=lane_of(alert.recipients),
            event="" if incident.told or incident.key == key else alert.id,
        )

    def _handed(self, incident: Incident, key: str, how: str, own: Own) -> None:
        """It has left this process's memory, for the shared store or for good."""
        self._book(how, own)
        tally = self.collector.of(incident.key)
        if how != "handed_over":
            if tally is not None:
                self.collector.lost(tally, how)
        elif tally is not None:
            tally.first = _slim(incident.first)
            self.collector.settled(tally, how, self._clock())
            self.collector.rename(tally, key)
        _done(incident.first)

    def _left_memory(self, key: str, reason: str, own: Own) -> Iterator[object]:
        """An incident had to leave memory for another (any thread may find that), or a further sighting was told."""
        if reason != "delivered" and (tally := self.collector.of(key)) is not None:
            self.collector.lost(tally, reason)
        return self.collector.books.settling(reason, own.captured, own.counted + own.seen) if reason else iter(())

    def _write_ahead(self, tally: Tally, alert: Alert) -> object:
        """In the calling thread: an alert, masked, survives this process from now on; None where it does not."""
        shared = self.options.shared
        assert shared.journal is not None
        public, entry = self._public(alert)
        key = group_key(public, public.recipients)
        try:
            return shared.journal.append(self._channel_id, key, tally.level, self.options.window_s, alert.host, entry)
        except StateError as error:
            shared.complain(error)
            return None

    def _tell_overflow(self, when: str = "so far") -> None:
        """Say what the calling threads had to push out."""
        lost = self.collector.books.dropped["queue_overflow"].value
        if lost > self._overflow_told:
            text = f"{lost} alerts lost {when}: more waited than max_pending allows"
            self.options.complain(f"queue_overflow {when}", text)
            self._overflow_told = lost

    def _seconds_to_next_look(self, now: float) -> float:
        waits = [self.collector.seconds_to_next_read(now), self.collector.next_close - now]
        next_due = self._store.seconds_to_next_look(now)
        if next_due <= 0:  # it is due, but those who get it have to wait
            waits += [until - now for until in self._busy.values()]
            next_due = _SWEEP_S
        waits.append(next_due)
        if self._kept:
            waits += [self._senders.wait(kept.recipients, hurried=self.in_a_hurry) for kept in self._kept]
        return max(min(waits), 0.0)

    # What the worker's thread, the exit hook and a fork ask.

    def waits_for(self) -> Mark | None:
        """Bring all that is counted into the store; what is to be told then. None: a thread is at a first record."""
        with self._section:
            self._add(self._clock(), at_once=True)
            return None if self.collector.is_at_a_first() else self._store.mark()

    def is_told(self, mark: Mark) -> bool:
        """Whether all that was to be told is settled."""
        return self._store.is_told(mark)

    def settled(self) -> bool:
        """Whether nothing waits, by the counters."""
        return self.stats().pending == 0 and not self._store.has_untold() and self._report is None

    def closed(self) -> bool:
        return self.collector.closed

    def finished(self) -> bool:
        return self.closed() and self.settled() and not self._kept

    def give_up(self) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number, or left in the shared store."""
        lost = self.collector.books.dropped["exit_timeout"]
        before = lost.value
        entered = self._section.acquire(timeout=_STUCK_S)
        try:
            self._given_up = self.collector.given_up = True
            self.collector.tallies.shut_all()
            self._kept.clear()
            self._store.let_go(self._clock())
            self._add(self._clock(), at_once=True)
            self._tell_overflow("in all")  # whatever was said within the last minute
            self.collector.echoes.leave_last_words()
            while incidents := self._store.memory.open(self._channel_id, _MAX_SHARED):
                self._leave(incidents)
            self.collector.counted(self._clock(), at_once=True)
        finally:
            if entered:
                self._section.release()
        if self.left_behind or self._store.leaves_untold():
            when = f"what was not sent within exit_timeout ({self.exit_timeout_s:g} s) waits in the state"
            self.options.complain("left", f"{when}; who opens that next sends it (`wecom-logging pending` shows it)")
        return lost.value - before

    def _leave(self, incidents: Sequence[Incident]) -> None:
        """What is written ahead is left for the next process that opens the store; the rest is lost."""
        for incident in incidents:
            ticket = getattr(incident.first, "ticket", None)
            how = "exit_timeout" if ticket is None else "handed_over"
            if (tally := self.collector.of(incident.key)) is not None:
                self.collector.lost(tally, "exit_timeout")
            if (own := self._store.memory.remove(self._channel_id, incident.key)) is not None:
                self.left_behind += own.captured if ticket is not None else 0
                self._book(how, own)


def _snapshot(first: Captured):  # type: ignore[no-untyped-def]
    assert first.snapshot is not None
    return first.snapshot


def _slim(first: object) -> Kept:
    return first if isinstance(first, Kept) else Kept(slim(first.alert))  # type: ignore[attr-defined] # a First


def _is_made(claim: Claim) -> bool:
    """Whether its alert can be made: a later message needs it."""
    try:
        return bool(claim.incident.first.alert)
    except Exception:
        return False


def _picture(claim: Claim) -> bytes:
    picture: bytes = getattr(claim.incident.first, "picture", b"")
    return b"" if claim.incident.told else picture


def _done(first: object) -> None:
    """It need not be kept past this process any more."""
    ticket, holder = getattr(first, "ticket", None), first
    if ticket is not None:
        holder.ticket = None  # type: ignore[attr-defined] # it has one
        ticket.done()


def _told(losses: Mapping[str, int], before: Mapping[str, int]) -> str:
    """What was lost since the last message that got through, in words."""
    new = {reason: number - before.get(reason, 0) for reason, number in losses.items()}
    words = [f"{number} {reason}" for reason, number in new.items() if number]
    return f"lost since the last message: {', '.join(words)}" if words else ""


def _left_out(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
