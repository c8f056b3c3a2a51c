"""`Pipeline`: what the worker of one handler does. Read `Pipeline.turn` first.

A turn claims the incidents that are due, makes their message, sends it, and settles the result.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from .._capture.collector import Captured, Collector
from .._capture.identity import digest_of
from .._capture.snapshot import Snapshot, capture, finite, hostname
from .._capture.tally import Tally
from .._incidents import life
from .._incidents.fingerprint import cause_key, group_key, lane_of
from .._incidents.incident import Count, Incident, Kept, Own
from .._incidents.view import view, with_answer
from .._render.cut import trim
from .._render.flood import WORST, worst_first
from .._render.layout import told_losses
from .._render.mask import masked, slim
from .._render.redact import MASK
from .._render.source import with_source
from .._render.words import NO_MESSAGE
from .._runtime.clock import now
from .._runtime.worker import Worker
from .._state.answering import Answered, answer
from .._state.base import StateError
from .._state.entries import dump
from .._state.failover import Claim, FailoverStore, Mark
from .._state.memory import MemoryStore
from .._state.shared import alone
from .._state.write_ahead import Ticket
from .._wecom.channels import Channel
from ..model import Alert, Answer, DeliveryReport, Digest, IncidentView, Kind, Outcome, Recipients, Sample, Stats
from .compose import Picture
from .fallback import hand_over
from .options import Options
from .outbox import Delivery
from .sender import FLOOD_S, Fate, Sender, Senders, fate

_MAX_SHARED = 100
_MAX_FLOOD = 1000
"""So many kinds stand in one file; what is more waits for the next."""
_FLOOD_MESSAGES = 3
"""What so many messages can hold is no flood."""
_AFTER_FLOOD_S = 4.0
"""For so long after a flood what is not critical is gathered: then is seen whether it lasts."""
_SOON_S = 0.05
"""Clocks of a store and of a process may differ by so much."""
_NO_FILES_S = 600.0
"""For so long nothing is uploaded after an upload failed."""
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
        write_ahead = None if options.shared.write_ahead is None else self._write_ahead
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
            warn_once=options.warn_once,
            clock=self._clock,
        )
        self._senders = Senders(self._channels, options.rules, self._clock, options.shared)
        self._section = threading.RLock()
        """Between the worker and the exit hook: held but while a message is made and sent."""
        self._kept: list[Delivery] = []
        self._report: DeliveryReport | None = None  # for which on_outcome runs
        self._has_more = False
        self._busy: dict[str, float] = {}
        self._flooded: dict[str, float] = {}  # lanes of which what is not critical waits for the next flood
        self._no_files_until = float("-inf")
        self._shared: dict[str, list[tuple[float, int]]] = {}  # when, and of how many kinds, by lane
        self._losses_told: Mapping[str, int] = {}
        self._alone: set[str] = set()  # what WeCom refused in a shared message is judged alone
        self._overflow_told = self._expired = 0
        self._given_up = self._ends = False
        self.left_behind = 0
        self.draining = False  # a drain: what the limit has left is used now

    @property
    def key(self) -> int:
        """Which of all handlers of this process it is."""
        return self.collector.key

    @property
    def channel_ids(self) -> tuple[str, ...]:
        """What its channels are called."""
        return tuple(channel.identity for channel in self._channels)

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
        return self.collector.counters.stats()

    def incidents(self) -> list[IncidentView]:
        """What is open, the newest first."""
        found = sorted(self._store.incidents(_MAX_VIEWS), key=lambda one: one.last, reverse=True)
        return [view for one in found if life.is_open(one) and (view := self._view(one)) is not None]

    # Whoever does something with an incident, in any thread; as `Place`.

    def rows(self, most: int) -> list[tuple[str, Incident]]:
        """What is open in the memory of this process, the newest first, with short ids; none with a shared state."""
        if self.options.shared is not alone:
            return []
        found = []
        for one in self._store.memory.open(self._channel_id, most):
            with suppress(Exception):  # of one that cannot be made there is nothing to say
                found.append((self._channel_id, replace(one, short_id=self._short_id(one))))
        return found

    def whole(self, channel: str, incident: Incident) -> Incident:
        """One of the rows, with all texts masked that are shown of it."""
        return replace(incident, samples=self._masked_samples(incident), kinds=self._masked_kinds(incident))

    def answer(
        self,
        channel: str,
        key: str,
        become: Callable[[Incident, float], Incident],
        in_the_way: Callable[[Incident], Answer | None],
    ) -> Answered | None:
        """Let an incident of this process's memory become another, as `answering.answer`, with all that was logged by
        now. The worker tells the line about it."""
        now = self._clock()
        if self._section.acquire(timeout=_STUCK_S):  # else it is counted a second later
            try:
                self._add(now, at_once=True)
            finally:
                self._section.release()
        found = answer(self._store.memory, channel, key, lambda one: become(one, now), in_the_way, now)
        self._worker.nudge()
        return found

    def _view(self, incident: Incident) -> IncidentView | None:
        try:
            return view(replace(incident, short_id=self._short_id(incident)))
        except Exception:  # of one that cannot be read or made there is nothing to say
            return None

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        for channel in self._channels:
            channel.load()
        self.options.shared.load()

    def turn(self) -> float:
        """Send the next message that may go. Returns the seconds until there may be another."""
        for channel in self._channels:
            channel.begin()
        now = self._clock()
        with self._section:
            self._add(now)
            delivery, wait = self._next(now)
        if delivery is None:
            return wait
        sender = self._senders.least_busy(delivery.recipients, draining=self.draining)
        outcome = Outcome("rejected")
        try:
            outcome = self._send(delivery, sender)
        except Exception as error:  # a defect of ours must cost one alert, not all that follow
            self.options.warn_once("defect", f"an alert could not be made into a message ({type(error).__name__})")
        finally:  # user code (redact) may want to end the thread: not before the counters are right
            self._settle(delivery, outcome, sender, self._clock() - now)
        return 0.0

    def _next(self, now: float) -> tuple[Delivery | None, float]:
        """What may be sent now, else the seconds until something may."""
        self.collector.all_busy = False
        self._expire_kept(now)
        if self._senders.are_elsewhere and self._kept:
            self._let_go(now)
        if (pause := self._senders.pause()) > 0:
            self.collector.all_busy = not self.options.shared.is_up
            return None, max(min(pause, self._seconds_to_next_look(now)), _LEAST_WAIT_S)
        self._has_more = False
        delivery = self._next_delivery(now)
        self.collector.busy, self.collector.flooded = self._busy, self._flooded
        has_more = delivery is not None or self._has_more
        return delivery, 0.0 if has_more else self._seconds_to_next_look(now)

    def _let_go(self, now: float) -> None:
        """What waits here for another round is for the process that sends now."""
        kept, self._kept = self._kept, []
        for one in kept:
            self._release(one.claims, now, failed=one.rounds)

    def _add(self, now: float, *, at_once: bool = False) -> None:
        """What was logged since the last turn goes into the store."""
        self._store.pull(self.collector, now, all_of_it=at_once)
        self._store.add(self.collector.counted(now, at_once=at_once or self.draining), now)
        self._store.hand_over(now)
        if (written := self.options.shared.write_ahead) is not None:
            written.tidy()
        self.collector.close_quiet(now, self._store.is_answered_here)
        self._tell_overflow()

    def _relieve(self, number: int) -> None:
        """The worker may be in a request: put what is queued where there is a bound, if no thread is at that."""
        self._store.relieve(self.collector, number, self._clock())

    def _next_delivery(self, now: float) -> Delivery | None:
        """The most severe that may go: of what is kept for another round, or of what is due in the store."""
        self._flooded = {lane: at for lane, at in self._flooded.items() if at > now and not self.draining}
        self._busy = {
            lane: until
            for lane, until in self._busy.items()
            if until > now and not self.draining and lane not in self._flooded  # it may have something critical
        }
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
        text = f"{self._expired} alerts could not be sent within 24 hours and are lost"
        where = " (`wecom-logging pending` shows them)" if any(claim.is_shared for claim in claims) else ""
        self.options.warn_once("expired", text + where)

    def _claim(self, now: float, most: int, lane: str | None = None, cause: str = "") -> list[Claim]:
        draining = self.draining or self.closed()
        return self._store.claim(now, most=most, busy=self._busy, lane=lane, cause=cause, draining=draining)

    def _may_go(self, recipients: Recipients | None, now: float) -> bool:
        wait = self._senders.wait(recipients, draining=self.draining)
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
            self.options.warn_once("defect", f"an alert could not be made into a message ({type(error).__name__})")
            self._end([claim], "rejected", now)
            if not isinstance(error, Exception):
                raise
            return None
        recipients = self.options.recipients(alert.logger, alert.level, alert.recipients)
        if not self._may_go(recipients, now):
            self._busy[claim.incident.lane] = self._busy[lane_of(recipients)]
            self._release([claim], now)
            return None
        if life.news(claim.incident) is not None:
            return Delivery([claim], [], recipients)
        sender = self._senders.least_busy(recipients, draining=self.draining)
        ends = self._senders.flood_ends(claim.incident.lane)
        until = max(ends - FLOOD_S + _AFTER_FLOOD_S, self._flooded.get(claim.incident.lane, 0.0))
        if until > now and not (_is_urgent(claim) or self.draining):
            self._wait_for_flood([claim], recipients, until, now)
            return None
        claim = replace(claim, incident=replace(claim.incident, cause=claim.incident.cause or cause_key(alert)))
        claims = [claim]
        if claim.incident.cause and claim.key not in self._alone:
            kin = self._store.kin(claim, [claim.incident.cause], now)
            until = life.may_be_told_at(claim.incident, kin)
            if until > now + _SOON_S and not self.draining:
                self._hold(claim, until, now)
                self._has_more = True  # a turn holds one
                return None
            if claim.incident.told or (until and not _is_urgent(claim)):  # not the first: it goes with the others
                others = self._claim(now, _MAX_SHARED - 1, claim.incident.lane, claim.incident.cause)
                claims += self._that_share(others, now)
        if len(claims) > 1:
            return Delivery(claims, [], recipients, is_of_one_cause=True)
        claims += self._digests_along(claim, now)
        lately = ends > now - FLOOD_S
        if claim.key not in self._alone and (lately or sender.shares(recipients)):
            others = self._claim(now, _MAX_SHARED - 1, claim.incident.lane)
            claims += self._that_share(others, now)
            if len(claims) > WORST and self._is_flooded(claim.incident.lane, now):
                self._wait_for_flood([one for one in claims if not _is_urgent(one)], recipients, ends, now)
                claims = [one for one in claims if _is_urgent(one)]
                if not claims:
                    return None
        if len(claims) == 1:
            claims = [_alone(claims[0], now)]
        return Delivery(claims, [], recipients)

    def _that_share(self, claims: Sequence[Claim], now: float) -> list[Claim]:
        """Those that may share a message; the others are released."""
        self._release([one for one in claims if self._stands_alone(one)], now)
        return [one for one in claims if not self._stands_alone(one)]

    def _stands_alone(self, claim: Claim) -> bool:
        """Whether its message is about nothing else: WeCom refused it in a shared one, or a person did something."""
        return claim.key in self._alone or life.news(claim.incident) is not None

    def _digests_along(self, claim: Claim, now: float) -> list[Claim]:
        """Where a digest goes, others of which one will be due soon go in the same message."""
        if not claim.incident.told or claim.key in self._alone or self.draining:
            return []
        lane, urgent = claim.incident.lane, self.collector.counted_since_told(_MAX_SHARED - 1)
        found = self._store.claim(now, most=_MAX_SHARED - 1, busy=self._busy, lane=lane, urgent=urgent)
        along = [one for one in found if one.key not in self._alone and life.may_go_along(one.incident, now)]
        for one in found:
            if one not in along:
                self._hold(one, one.incident.not_before, now)
        return [replace(one, incident=life.going_along(one.incident, now)) for one in along]

    def _hold(self, claim: Claim, until: float, now: float) -> None:
        self._store.swap([(claim, life.released(claim.incident, now, until - now), "")], now)

    def _is_flooded(self, lane: str, now: float) -> bool:
        """Whether many more kinds than a summary names wait for the next one: one is told a minute."""
        return self._senders.flood_ends(lane) > now >= self._no_files_until and not self.draining

    def _wait_for_flood(self, claims: Sequence[Claim], recipients: Recipients | None, until: float, now: float) -> None:
        for claim in claims[:1]:
            for lane in (claim.incident.lane, lane_of(recipients)):
                self._flooded[lane] = self._busy[lane] = until
        self._release(claims, now)

    def _send(self, delivery: Delivery, sender: Sender) -> Outcome:
        if not delivery.parts:
            self._render(delivery, sender)
        return sender.send(delivery)

    def _render(self, delivery: Delivery, sender: Sender) -> None:
        delivery.losses = self.collector.counters.losses()
        losses = told_losses(delivery.losses, self._losses_told, self.composer.language)
        together = []
        for claim in delivery.claims:
            if claim is delivery.claims[0] or not self._ends_unsent(claim, self._clock()):
                together.append(claim)
        delivery.claims = together if delivery.is_of_one_cause else self._without_held(together)
        delivery.digests = [self._digest(claim) for claim in delivery.claims]
        self._write(delivery, sender, losses)
        if not delivery.summarized:  # the pictures of a flood would be one
            delivery.parts += tuple(Picture(picture) for claim in delivery.claims if (picture := _picture(claim)))

    def _without_held(self, claims: list[Claim]) -> list[Claim]:
        """Of those that share a message, those whose cause has been told within the window wait."""
        if len(claims) < 2 or self.draining:
            return claims
        known = [replace(one, incident=replace(one.incident, cause=_cause(one))) for one in claims]
        causes = {one.incident.cause for one in known if one.incident.cause}
        now = self._clock()
        with self._section:
            kin = self._store.kin(known[0], causes, now) if causes else []
            left = []
            for one in known:
                until = life.may_be_told_at(one.incident, kin) if one.incident.cause else 0.0
                if one is not known[0] and until > now + _SOON_S:
                    self._hold(one, until, now)
                else:
                    left.append(one)
        return left

    def _write(self, delivery: Delivery, sender: Sender, losses: str) -> None:
        if len(delivery.claims) > 1 and delivery.is_of_one_cause:
            roots = [alert.failures[0] for alert in (one.alert for one in delivery.digests) if alert.failures]
            cause = delivery.claims[0].incident.cause
            root = next((one.alert.failures[0] for one in delivery.digests if cause_key(one.alert) == cause), roots[0])
            delivery.parts, number = self.composer.share_cause(delivery.digests, root, sender.channel, losses)
            self._cut(delivery, number)
        elif len(delivery.claims) > 1:
            delivery.parts, number = self.composer.share(delivery.digests, sender.channel, losses)
            if number < (before := len(delivery.claims)):
                if self._is_flood(delivery, number * _FLOOD_MESSAGES) and self._write_flood(delivery, sender, losses):
                    return
                if len(delivery.claims) == 1:
                    delivery.claims[0] = _alone(delivery.claims[0], self._clock())
                    delivery.digests[0] = self._digest(delivery.claims[0])
                    delivery.parts = self.composer.compose(delivery.digests[0], sender.channel, losses)
                    return
                if len(delivery.claims) != before:
                    delivery.parts, number = self.composer.share(delivery.digests, sender.channel, losses)
                self._cut(delivery, number)
            self._count_kinds(delivery, sender)
        else:
            delivery.parts = self.composer.compose(delivery.digests[0], sender.channel, losses)

    def _count_kinds(self, delivery: Delivery, sender: Sender) -> None:
        """Where within a minute as many kinds came as three messages hold, what else comes waits for a summary."""
        lane, now = delivery.claims[0].incident.lane, self._clock()
        before = [one for one in self._shared.get(lane, ()) if one[0] > now - FLOOD_S]
        self._shared = {lane: [*before, (now, sum(not claim.incident.told for claim in delivery.claims))]} | {
            other: told for other, told in self._shared.items() if other != lane and told[-1][0] > now - FLOOD_S
        }
        kinds = [number for _, number in self._shared[lane]]
        one_holds = max(self.composer.holds(sender.channel), *kinds)
        if sum(kinds) > _FLOOD_MESSAGES * one_holds and now >= self._no_files_until:
            sender.take_flood(lane)

    def _cut(self, delivery: Delivery, number: int) -> None:
        """Only the first stand in it; the others are not told now."""
        rest = delivery.claims[number:]
        del delivery.claims[number:], delivery.digests[number:]
        self._release(rest, self._clock())

    def _is_flood(self, delivery: Delivery, most: int) -> bool:
        """Whether more kinds wait than ``most``, of which a file may be told now. What is critical goes before it."""
        lane, now = delivery.claims[0].incident.lane, self._clock()
        if now < self._no_files_until or (self._senders.flood_ends(lane) > now and not self.draining):
            return False
        self._claim_more(delivery, most + 1)
        if len(delivery.claims) <= most:
            return False
        urgent = sum(map(_is_urgent, delivery.claims))
        if urgent <= most and _is_urgent(delivery.claims[0]):  # they come first
            self._cut(delivery, urgent)
            return False
        return True

    def _claim_more(self, delivery: Delivery, most: int) -> None:
        """More of the same lane, up to so many in all, each with its digest."""
        others: list[Claim] = []
        while (room := min(most - len(delivery.claims), _MAX_SHARED)) > 0:
            with self._section:
                found = self._claim(self._clock(), room, delivery.claims[0].incident.lane)
            if not found:
                break
            for claim in found:
                if self._stands_alone(claim) or not self._join(delivery, claim):
                    others.append(claim)
        self._release(others, self._clock())

    def _join(self, delivery: Delivery, claim: Claim) -> bool:
        if self._ends_unsent(claim, self._clock()):
            return True
        try:
            digest = self._digest(claim)
        except Exception:  # it is judged alone
            self._alone.add(claim.key)
            return False
        if claim.is_shared and not isinstance(claim.incident.first, Captured):  # a thousand large ones
            first = Kept(slim(digest.alert))
            claim = replace(claim, incident=replace(claim.incident, first=first))
            digest = replace(digest, alert=first.alert)
        delivery.claims.append(claim)
        delivery.digests.append(digest)
        return True

    def _write_flood(self, delivery: Delivery, sender: Sender, losses: str) -> bool:
        """A summary, and a file of all that waits. The file is uploaded first: where it cannot be, messages are shared
        as ever.
        """
        few = len(delivery.claims)
        self._claim_more(delivery, _MAX_FLOOD)
        order = {id(one): place for place, one in enumerate(worst_first(delivery.digests))}
        pairs = sorted(zip(delivery.claims, delivery.digests, strict=True), key=lambda pair: order[id(pair[1])])
        claims, digests = [claim for claim, _ in pairs], [digest for _, digest in pairs]
        try:
            parts, number = self.composer.flood(digests, sender.channel, losses)
            sender.upload(parts[1], delivery)
        except Exception as error:  # of WeCom, or a defect of ours, which must cost nothing here
            self._files_fail(error)
        else:
            if sender.take_flood(claims[0].incident.lane) or self.draining:
                delivery.claims, delivery.digests = claims, digests
                delivery.parts, delivery.summarized = parts, number
                return True
        self._cut(delivery, few)
        return False

    def _files_fail(self, error: Exception | None) -> None:
        self._no_files_until = self._clock() + _NO_FILES_S
        why = "" if error is None else f": {error}"
        self.options.warn_once(
            "flood", f"the file with all alerts could not be sent; alerts share messages for a while{why}"
        )

    def _digest(self, claim: Claim) -> Digest:
        """What is told of an incident now. All text in it is masked."""
        incident = claim.incident
        first, short_id = incident.first, self._short_id(incident)
        alert = first.alert
        if isinstance(first, Captured) and first.digest is not None:  # another handler's: its numbers stay
            return replace(first.digest, alert=alert, short_id=short_id)
        if life.alone(incident, self._clock()) is incident and incident.count == incident.untold == 1:
            return with_answer(Digest(alert, short_id=short_id), incident, time.time())
        digest = Digest(
            alert,
            count=incident.untold,
            total=life.total(incident),
            since=finite(incident.since, 0.0),
            last=finite(incident.last, 0.0),
            samples=self._masked_samples(incident),
            kinds=incident.kinds if claim.is_shared else self._masked_kinds(incident),
            rates=incident.rates,
            quiet_s=life.QUIET_WINDOWS * incident.window_s if life.is_over(incident) else 0.0,
            hosts=incident.hosts,
            processes=incident.processes,
            short_id=short_id,
        )
        return with_answer(digest, incident, time.time())

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
        if delivery.summarized and (outcome.reason == "rejected" or verdict in (Fate.REJECT, Fate.KEEP_SLOWLY)):
            self._give_way(delivery, outcome)
            return
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

    def _give_way(self, delivery: Delivery, outcome: Outcome) -> None:
        """A flood that is refused is told in shared messages, but for what stands in a summary that was sent."""
        self._files_fail(outcome.error)
        with self._section:
            now, told = self._clock(), delivery.summarized if delivery.done else 0
            self._sent(delivery.claims[:told], "delivered", now)
            self._release(delivery.claims[told:], now)

    def _tell(self, report: DeliveryReport) -> None:
        """Whoever waits for the alerts waits for this too, but the counters are right whatever it does."""
        assert self.options.on_outcome is not None
        try:
            self.options.on_outcome(report)
        except BaseException as error:
            self.options.warn_once("on_outcome", f"on_outcome raised {type(error).__name__}")
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
        self.collector.counters.settle(how, own.captured, own.counted + own.seen)

    def _handed_over(self, digest: Digest, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        if self.options.fallback is None or digest.quiet_s or digest.is_news:
            return False
        error = outcome.error
        why = f"{type(error).__name__}: {error}" if error is not None else NO_MESSAGE.en
        try:
            target = self.options.fallback()
            if target is None:
                hint = "one of another package must be attached to a logger, or logging forgets it"
                self.options.warn_once("fallback", f"the option fallback names a handler that is not there; {hint}")
                return False
            return hand_over(digest, target, self.key, self.options.name, why, self.composer.language)
        except Exception as failure:
            self.options.warn_once("fallback", f"the fallback raised {type(failure).__name__}")
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
            what = "this bot pauses, another one sends" if elsewhere else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')} {sender.name}"
            about = f" #{names[0]}" if names and verdict is Fate.REJECT else ""
            self.options.warn_once(cause, f"{sender.name}{sender.name and ': '}{what}{about}: {outcome.error}")
        if outcome.reason == "partial":
            self.options.warn_once("partial", f"WeCom did not accept some recipients: {_left_out(outcome)}")
        if outcome.warning:
            self.options.warn_once("warning", outcome.warning)
        return tuple(names)

    # Memory, and the shared store.

    def _make_alert(self, first: Captured, made: Snapshot | None) -> Alert:
        """The alert of a record that was copied, without secrets."""
        with self.collector.masking(first.depth):
            if first.digest is not None:
                return masked(first.digest.alert, self.options.mask)
            assert made is not None
            alert = first.written or capture(made, self.options.origin)
            kind = digest_of(made.identity, self.options.mask)
            return replace(masked(with_source(alert), self.options.mask), kind=kind)

    def _masked_kinds(self, incident: Incident) -> tuple[Kind, ...]:
        """A name is shown where the mask has left each of its words as often as it was said."""
        tally, kinds = self.collector.of(incident.key), []
        with self.collector.masking(1 if tally is None else tally.depth):
            for kind in incident.kinds:
                text = self.options.mask(kind.text)
                is_shown = all(0 < kind.text.count(word) == text.count(word) for word in kind.name.split())
                name = kind.name if is_shown else MASK
                kinds.append(replace(kind, name=name, text=text if kind.is_new else ""))
        return tuple(kinds)

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
            take_for_s=incident.answers.take_for_s,
            quiet_limit_s=incident.answers.quiet_limit_s,
            last=incident.last,
            first=Kept(alert),
            samples=self._masked_samples(incident),
            kinds=self._masked_kinds(incident),
            crowded=not incident.rank % 2,
            lane=lane_of(alert.recipients),
            cause=incident.cause or cause_key(alert),
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
        return self.collector.counters.settling(reason, own.captured, own.counted + own.seen) if reason else iter(())

    def _write_ahead(self, tally: Tally, alert: Alert) -> Ticket:
        """In the calling thread: an alert, masked, survives this process from now on, if the ticket says so."""
        shared = self.options.shared
        assert shared.write_ahead is not None
        public, entry = self._public(alert)
        key = group_key(public, public.recipients)
        ticket = Ticket(shared.write_ahead)
        try:
            shared.write_ahead.append(
                ticket, self._channel_id, key, tally.level, self.options.window_s, alert.host, entry
            )
        except StateError as error:
            shared.warn_once(error)
        except BaseException:  # Ctrl-C, while the disk may be about to take it
            ticket.done()
            raise
        return ticket

    def _tell_overflow(self, when: str = "so far") -> None:
        """Say what the calling threads had to push out."""
        lost = self.collector.counters.dropped["queue_overflow"].value
        if lost > self._overflow_told:
            text = f"{lost} alerts are lost {when}: more waited than max_pending allows"
            if self.options.warn_once(f"queue_overflow {when}", text):
                self._overflow_told = lost

    def _seconds_to_next_look(self, now: float) -> float:
        waits = [self.collector.seconds_to_next_read(now), self.collector.next_close - now]
        next_due = self._store.seconds_to_next_look(now)
        if next_due <= 0:  # it is due, but those who get it have to wait
            waits += [until - now for until in self._busy.values()]
            next_due = _SWEEP_S
        waits.append(next_due)
        if self._kept:
            waits += [self._senders.wait(kept.recipients, draining=self.draining) for kept in self._kept]
        return max(min(waits), 0.0)

    # What the worker's thread, the exit hook and a fork ask.

    def waits_for(self) -> Mark | None:
        """Bring all that is counted into the store; what is to be told then. None: a thread is at a first record."""
        with self._section:
            self._add(self._clock(), at_once=True)
            if self._ends:
                self._store.hear_all(self._clock())
            return None if self.collector.is_at_a_first() else self._store.mark()

    def is_told(self, mark: Mark) -> bool:
        """Whether all that was to be told is settled."""
        return self._store.is_told(mark, handed_over_is_enough=self._senders.are_elsewhere)

    def settled(self) -> bool:
        """Whether nothing waits, by the counters."""
        waits = self._store.has_untold() and not (self._senders.are_elsewhere and self.options.shared.is_up)
        return self.stats().pending == 0 and not waits and self._report is None

    def closed(self) -> bool:
        return self.collector.closed

    def finished(self) -> bool:
        return self.closed() and self.settled() and not self._kept

    def end(self) -> None:
        """What somebody has taken or silenced in this process's memory is told now: there is no later."""
        self._ends = True

    def give_up(self) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number, or left in the shared store."""
        lost = self.collector.counters.dropped["exit_timeout"]
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
        if self.left_behind or (self._store.leaves_untold() and not self._senders.are_elsewhere):
            when = f"alerts that were not sent within exit_timeout ({self.exit_timeout_s:g} s) wait in the state"
            self.options.warn_once(
                "left", f"{when}; the next process that opens it sends them (`wecom-logging pending` shows them)"
            )
        return lost.value - before

    def _leave(self, incidents: Sequence[Incident]) -> None:
        """What is written ahead is left for the next process that opens the store; the rest is lost."""
        for incident in incidents:
            ticket = getattr(incident.first, "ticket", None)
            is_left = ticket is not None and ticket.is_written
            how = "handed_over" if is_left else "exit_timeout"
            if (tally := self.collector.of(incident.key)) is not None:
                self.collector.lost(tally, "exit_timeout")
            if (own := self._store.memory.remove(self._channel_id, incident.key)) is not None:
                self.left_behind += own.captured if is_left else 0
                self._book(how, own)


def _cause(claim: Claim) -> str:
    try:
        return claim.incident.cause or cause_key(claim.incident.first.alert)
    except Exception:  # it is judged where its message is made
        return ""


def _alone(claim: Claim, now: float) -> Claim:
    return replace(claim, incident=life.alone(claim.incident, now))


def _is_urgent(claim: Claim) -> bool:
    """Whether it is critical, and was never told."""
    return claim.incident.level >= logging.CRITICAL and not claim.incident.told


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


def _left_out(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
