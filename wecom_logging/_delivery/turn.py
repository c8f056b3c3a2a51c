"""`Turn`: what the worker of one handler does, in its order. Read it from `Turn.run` on, as it stands.

What was logged goes into the store. Of what is due the most severe incident is claimed, and policy decides: it goes
now, alone or with others, or waits. Its message is made and sent; what became of it goes into the store, the counters
and the reports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from .._capture.collector import Collector
from .._capture.pending import hostname
from .._incidents import policy
from .._incidents.answered import said
from .._incidents.fingerprint import audience_of
from .._incidents.life import released
from .._incidents.limits import GATHER_S
from .._incidents.policy import Hold, Rules, Send, Step, Why
from .._jobs.declared import declared
from .._render.flood import WORST
from .._runtime import forks
from .._state.failover import DRAIN_S, Claim, FailoverStore
from .._state.memory import MemoryStore
from .._state.scopes import known_scopes
from .._wecom.channels import Channel
from ..model import DeliveryReport, Outcome, Recipients
from ..model.duty import Held
from .alerts import Alerts
from .asked import Asked
from .claims import MAX_SHARED, Claims, alone
from .delivery import Delivery
from .duties import Duties
from .judged import finds_nobody, judge
from .ledger import Ledger
from .options import Looks, Options
from .outbox import Outbox
from .packer import Packer
from .sender import Fate, Sender, Senders

if TYPE_CHECKING:
    from .._jobs.watch import Watch
    from .heartbeat import Heartbeat
    from .steps import Steps


_SWEEP_S = 60.0
_WALL_S = 20.0
"""How soon it is seen that the clock on the wall was set."""
_LEAST_WAIT_S = 0.001


class Turn:
    """The turns of one handler in one process; a forked child has others. ``channel_id`` names all its ``channels``.

    ``looks`` is asked for each message: `setFormatter` gives the handler others at any moment.
    """

    def __init__(
        self,
        collector: Collector,
        channels: Sequence[Channel],
        channel_id: str,
        options: Options,
        looks: Callable[[], Looks],
        clock: Callable[[], float],
    ) -> None:
        self._collector = collector
        self._intake = intake = collector.intake
        self._channels = channels
        self._channel_id = channel_id
        self._options = options
        self._clock = clock
        self._has_more = False
        self._by_wall = False
        """Whether quiet hours, a maintenance or a person may hold something until a time of the wall."""
        self.section = threading.RLock()
        """Between the worker and the exit hook: held but while a message is made and sent."""
        self.ledger = ledger = Ledger(intake, options, clock)
        memory = MemoryStore(ledger.left_memory, options.max_pending, options.max_pending_bytes)
        self.alerts = Alerts(collector, memory, channels, channel_id, options, clock)
        self.store = ledger.store = FailoverStore(
            channel_id,
            memory,
            options.shared,
            host=hostname(),
            timeout_s=options.timeout_s,
            publish=self.alerts.publish,
            handed=ledger.handed_over,
            warn_once=options.warn_once,
        )
        self.senders = Senders(channels, options, collector.key, clock)
        self.outbox = Outbox()
        self.duties = Duties(options, channel_id, channels[0], clock)
        given: dict[str, Recipients | None] = {audience_of(one.recipients): one.recipients for one in options.routes}
        given[collector.audience] = None
        self.claims = Claims(collector, self.store, ledger, self.outbox, self.senders, self.duties, given)
        self._packer = Packer(
            self.claims, self.alerts, ledger, self.senders, looks, lambda: self.steps, clock, self.section
        )
        self._jobs_asked = Asked(options.shared)
        self.heartbeat: Heartbeat | None = None
        if options.heartbeat_url is not None:
            from .heartbeat import Heartbeat

            self.heartbeat = Heartbeat(options.heartbeat_url, options.warn_once)

    def run(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        for channel in self._channels:
            channel.begin()
        now = self._clock()
        with self.section:
            self.take_in(now)
            delivery, wait = self._next(now)
        looks_in = self._watch_jobs(now)
        if delivery is None:
            return min(wait, looks_in, self._beat(now))
        sender = self.senders.least_busy(delivery.recipients)
        outcome = Outcome("rejected")
        try:
            self.duties.address(delivery)
            sender = self.senders.least_busy(delivery.recipients)
            if not delivery.parts:
                self._packer.write(delivery, sender)
            if delivery.is_step and not delivery.recipients:  # what cannot be found out is asked again
                outcome = Outcome("kept") if delivery.failed else self.steps.nobody
            else:
                outcome = sender.send(delivery)
            if finds_nobody(outcome) and self.duties.address_others(delivery):
                self._packer.write(delivery, sender)
                outcome = sender.send(delivery)
        except BaseException as error:  # a defect of ours, or user code (redact): it costs one alert
            self.ledger.reports.defect(error)
            if not isinstance(error, Exception):
                raise
        finally:  # what ends the thread does so when the counters are right
            self._settle(delivery, outcome, sender, self._clock() - now)
        return 0.0

    @cached_property
    def steps(self) -> Steps:
        """What tells the steps of an escalation; loaded where one is due."""
        from .steps import Steps

        return Steps(self._options, self.claims, self.duties, self.ledger, self.senders, self._channels[0])

    @cached_property
    def watch(self) -> Watch:
        """What looks after jobs; loaded where there may be some."""
        from .._jobs.watch import Watch
        from .._state.jobs import Jobs
        from .stored_jobs import StoredRows

        shared = self._options.shared
        rows = StoredRows(self.store.channel, shared, self._clock)
        return Watch(rows, Jobs(shared), self._options, self.alerts.meant, self._clock)

    def _watch_jobs(self, now: float) -> float:
        """See whether jobs have run that are expected to; the seconds until it is to be seen again."""
        if self._collector.closed or self.senders.draining:  # a thread waits, for alerts
            return float("inf")
        if "watch" not in self.__dict__:
            if not declared and (seconds := self._jobs_asked.turn(now)) > 0:
                return seconds
            with forks.gate:  # a child that is forked amid an import could never finish it
                self.watch  # noqa: B018 # loading it is the purpose
        return self.watch.turn(now)

    def _beat(self, now: float) -> float:
        """Say outside that somebody watches, where the state has answered in this turn, and sending works."""
        if self.heartbeat is None or self.senders.draining:
            return float("inf")
        is_sending = self.senders.are_elsewhere or self.senders.pause() <= 0
        return self.heartbeat.turn(now) if is_sending and self._options.shared.is_well else self.heartbeat.every_s

    # 1. What was logged since the last turn goes into the store.

    def take_in(self, now: float, *, at_once: bool = False) -> None:
        self.store.memory.pull(self._channel_id, self._intake, now, all_of_it=at_once)
        self.store.add(self._intake.counted(now, at_once=at_once or self.senders.draining), now)
        scopes = known_scopes(self._options.shared, asks=False)
        self._by_wall = bool(self._options.duty or scopes or self._options.looks.answers)
        self.store.wake(scopes, now)
        self.store.hand_over(now)
        if (written := self._options.shared.write_ahead) is not None:
            written.tidy()
        self._intake.close_quiet(now, self.store.is_held_here)
        self._intake.tell_overflow()

    # 2. Which message goes next, and about which incidents.

    def _next(self, now: float) -> tuple[Delivery | None, float]:
        """What may be sent now, else the seconds until something may."""
        outbox, draining = self.outbox, self.senders.draining
        self._collector.all_blocked = False
        for old in outbox.expired(now):
            self.ledger.end(old.claims, now)
        for one in outbox.all() if self.senders.are_elsewhere else ():  # for another process, which sends now
            self.ledger.release(one.claims, now, failed=one.rounds)
        if (pause := self.senders.pause()) > 0:
            self._collector.all_blocked = not self._options.shared.is_up
            self.store.look(now, draining=draining)
            waits = [pause, self._seconds_to_next_look(now), *([DRAIN_S] if draining else [])]
            return None, max(min(waits), _LEAST_WAIT_S)
        self._has_more = False
        outbox.unblock(now, draining=draining)
        delivery = self._choose(now)
        self._collector.blocked, self._collector.gathering = outbox.blocked, outbox.gathering
        has_more = delivery is not None or self._has_more
        return delivery, 0.0 if has_more else self._seconds_to_next_look(now)

    def _seconds_to_next_look(self, now: float) -> float:
        waits = [self._intake.seconds_to_next_read(now), self._intake.next_close - now]
        waits += [_WALL_S] if self._by_wall else []
        next_due = self.store.seconds_to_next_look(now)
        if next_due <= 0:  # it is due, but those who get it have to wait
            waits += [until - now for until in self.outbox.blocked.values()]
            next_due = _SWEEP_S
        waits += [next_due, self.outbox.seconds_to_next_try(lambda one: self.senders.wait(one.recipients))]
        return max(min(waits), 0.0)

    def _choose(self, now: float) -> Delivery | None:
        """The most severe that may go: of what waits for another try, or of what is due in the store."""
        for late in self.outbox.late(now):
            self.ledger.release(late.claims, now, failed=late.rounds)
        while True:
            kept = self.outbox.next(lambda one: self._has_room(one, now))
            claims = self.claims.due(now, 1)
            if not claims or (kept is not None and kept.rank >= claims[0].incident.rank):
                self.ledger.release(claims, now)
                return None if kept is None else self.outbox.take(kept)
            if self.claims.ends(claims[0], now):
                claims += self.claims.due(now, MAX_SHARED - 1)  # where one ends, there may be many
                self.ledger.release(self.claims.without_ended(claims, now), now)
                self._has_more = True  # but what was logged meanwhile comes first
                return None
            if (delivery := self._decide(claims[0], now)) is not None:
                return delivery

    def _decide(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a claim, or of it and others. None: not now, or never."""
        try:
            claim = self.alerts.known(claim)
        except BaseException as error:  # user code (redact) may even want to end the thread
            self.ledger.reports.defect(error)
            self.ledger.give_up([claim], "rejected", now)
            if not isinstance(error, Exception):
                raise
            return None
        rules, moment = self.claims.rules(claim, now), self.claims.moment(claim)
        match policy.decide(claim.incident, now, moment, rules, lambda: self.claims.related(claim, now)):
            case Hold(until, Why.ROOM):
                self.outbox.block(claim.incident.audience, until)
                self.ledger.release([claim], now)
            case Hold(until, Why.SUMMARY):
                self.outbox.gather(claim.incident.audience, until)
                self.ledger.release([claim], now)
            case Held():
                others = self.claims.due(now, MAX_SHARED - 1)  # where one is held, there may be many
                self.ledger.release(self.claims.free([claim, *others], now), now)
                self._has_more = True
            case Hold(until):
                self.ledger.hold(claim, until, now)
                self._has_more = True  # a turn holds one
            case Step():
                return self.steps.next(claim, now)
            case Send(held=Held() as held):
                return self._after_quiet(claim, held, now)
            case Send() as how:
                return self._with_others(claim, how, rules, now)
        return None

    def _with_others(self, claim: Claim, how: Send, rules: Rules, now: float) -> Delivery | None:
        """A message, with what else is due where that may be. None: it waits for the summary of a flood."""
        audience, cause = claim.incident.audience, claim.incident.cause
        if how.cause and (same := self.claims.sharing(claim, now, cause)):
            return self._delivery([claim, *same], now, cause)
        claims = [claim, *self.claims.together(claim, now)]
        if how.along:
            claims += self.claims.along(claim, now)
        if how.audience:
            claims += self.claims.sharing(claim, now)
            if policy.waits_for_summary(len(claims), WORST, now, rules):
                calm = [one for one in claims if not policy.is_urgent(one.incident)]
                claims = [one for one in claims if policy.is_urgent(one.incident)]
                if calm:
                    self.outbox.gather(audience, rules.next_summary_at)
                self.ledger.release(calm, now)
        return self._delivery(claims, now) if claims else None

    def _after_quiet(self, claim: Claim, held: Held, now: float) -> Delivery | None:
        """The one message of what has waited in quiet hours or a maintenance.

        At its end all processes want to send it. None: not now, or not this one.
        """
        if not self.claims.tells_for_all(claim, now, GATHER_S):
            return None
        return Delivery([claim], recipients=self.claims.recipients(claim), held=held)

    def _delivery(self, claims: list[Claim], now: float, cause: str = "") -> Delivery | None:
        """None: all whom it would tell have more than it says."""
        incident, channel = claims[0].incident, self._channels[0]
        is_step = policy.tells_of_a_step(incident)
        claims = [alone(one, now) for one in claims] if is_step or len(claims) == 1 else claims
        recipients = self.claims.recipients(claims[0])
        if policy.is_for_others(incident, now):
            named = self.duties.known(recipients, incident) if is_step else recipients
            everybody = channel.addressed(named)
            recipients = policy.who_is_told(incident, everybody, channel.receivers)
            if everybody and not recipients:
                self.ledger.become(claims, lambda one: released(said(one), now), now)
                return None
        return Delivery(claims, recipients=recipients, cause=cause)

    def _has_room(self, delivery: Delivery, now: float) -> bool:
        if (wait := self.senders.wait(delivery.recipients)) > 0:
            self.outbox.block(delivery.claims[0].incident.audience, now + wait)
        return wait <= 0

    # 3. What became of it.

    def _settle(self, delivery: Delivery, outcome: Outcome, sender: Sender, seconds: float) -> None:
        """Decide, and act. The fallback and ``on_outcome`` are called with no lock held: they may take long."""
        judged = judge(delivery, len(delivery.claims), outcome, has_another=self.senders.has_another(sender))
        verdict, elsewhere, refused, waits, alone, reason = judged
        if outcome.delivered or delivery.done:
            delivery.reached(sender.channel.known(delivery.recipients), outcome)
            if delivery.is_step:
                self.steps.ring(delivery)
        if delivery.summarized and (outcome.reason == "rejected" or verdict in (Fate.REJECT, Fate.KEEP_SLOWLY)):
            self._give_way(delivery, outcome)
            return
        given: list[Claim] = []
        report = None
        try:
            lost = zip(delivery.claims, delivery.digests, strict=False) if refused and not alone else ()
            for claim, digest in lost if not delivery.is_step else ():
                if self.senders.hand_over(digest, outcome.error):
                    given.append(claim)
                    reason = "handed_over"
        finally:
            names = _names(delivery)
            self.ledger.reports.say(names, outcome, verdict, sender.name, reason, delivery.is_step, elsewhere)
            if self._options.on_outcome is not None and (outcome.error is not None or outcome.reason != "kept"):
                ended = replace(outcome, reason="rejected") if reason in ("rejected", "handed_over") else outcome
                channel = sender.channel.identity.split(" ", 1)[0]
                report = DeliveryReport(names, channel, ended, reason, seconds)
                self.ledger.reports.is_reporting = True
            with self.section:
                now = self._clock()
                if delivery.is_step and not alone:
                    self.steps.settle(delivery, outcome, now, refused=refused and not waits)
                elif outcome.delivered:
                    self.ledger.reports.losses_sent = delivery.losses
                    self.ledger.sent(delivery.claims, "delivered", now, by=delivery)
                elif alone:
                    self.ledger.refused.update(claim.key for claim in delivery.claims)
                    self.ledger.release(delivery.claims, now)
                elif refused:
                    self._refuse(delivery, verdict, given, now)
                else:
                    self._keep(delivery, now, failed=verdict is not None)
                if verdict not in (None, Fate.REJECT) and not (refused and len(given) == len(delivery.claims)):
                    sender.rest(verdict, getattr(outcome.error, "retry_after_s", 0.0))
            if report is not None:
                self.ledger.reports.report(report)

    def _give_way(self, delivery: Delivery, outcome: Outcome) -> None:
        """A flood that is refused goes in shared messages, but for what stands in a summary that was sent."""
        self.senders.files_fail(outcome.error)
        with self.section:
            now, sent = self._clock(), delivery.summarized if delivery.done else 0
            if delivery.is_step:
                self.steps.told(delivery, delivery.claims[:sent], now)
            else:
                self.ledger.sent(delivery.claims[:sent], "delivered", now, by=delivery)
            self.ledger.release(delivery.claims[sent:], now)

    def _refuse(self, delivery: Delivery, verdict: Fate | None, given: Sequence[Claim], now: float) -> None:
        """WeCom does not want it, or wants the configuration mended; the fallback has what is ``given``."""
        self.ledger.sent(given, "handed_over", now)
        left = [claim for claim in delivery.claims if claim not in given]
        if verdict is Fate.KEEP_SLOWLY and left:
            delivery.claims = left
            delivery.digests, delivery.parts = [], ()
            self._keep(delivery, now, failed=True)
        else:
            self.ledger.reject(left, now)

    def _keep(self, delivery: Delivery, now: float, *, failed: bool) -> None:
        """For another try; of too many the one that was tried most often is for other processes."""
        if (tried := self.outbox.keep(delivery, failed=failed)) is not None:
            self.ledger.release(tried.claims, now, failed=tried.rounds)
        if self.outbox.is_shut:  # no turn will come for it
            self.ledger.leave([claim.incident for claim in delivery.claims if not claim.is_shared])


def _names(delivery: Delivery) -> tuple[str, ...]:
    """The short ids of what it is about."""
    names = [digest.short_id for digest in delivery.digests]
    return tuple(names or [claim.incident.short_id for claim in delivery.claims if claim.incident.short_id])
