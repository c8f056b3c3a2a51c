"""`Outbox`: which message goes next, and which incidents it is about. Read `Outbox.next` first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._capture.intake import Intake
from .._incidents import life
from .._incidents.fingerprint import cause_key, lane_of
from .._render.flood import WORST
from .._state.failover import Claim
from ..model import Recipients
from .claims import MAX_SHARED, Claims
from .delivery import Delivery
from .floods import Floods
from .options import Options
from .sender import Senders

SOON_S = 0.05
"""Clocks of a store and of a process may differ by so much."""
_MAX_KEPT = 8
_MAX_BUSY = 1000


class Outbox:
    """The deliveries of one handler that wait for another round, and what is due in its store."""

    def __init__(self, claims: Claims, senders: Senders, floods: Floods, intake: Intake, options: Options) -> None:
        self._claims = claims
        self._senders = senders
        self._floods = floods
        self._intake = intake
        self._options = options
        self._kept: list[Delivery] = []
        self._given_up = False
        self.has_more = False
        """`next` gave nothing, and should be asked again at once."""

    def __len__(self) -> int:
        return len(self._kept)

    def next(self, now: float) -> Delivery | None:
        """The most severe that may go: of what is kept for another round, or of what is due in the store."""
        self.has_more = False
        self._floods.forget_past(now)
        self._claims.busy = {
            lane: until
            for lane, until in self._claims.busy.items()
            if until > now and not self._senders.draining and lane not in self._floods.lanes  # one may be critical
        }
        for late in [one for one in self._kept if one.waits_too_long(now)]:
            self._kept.remove(late)
            self._claims.release(late.claims, now, failed=late.rounds)
        while True:
            waiting = (one for one in self._kept if self._may_go(one.recipients, now))
            kept: Delivery | None = max(waiting, key=lambda one: one.rank, default=None)
            claims = self._claims.take(now, 1)
            claim = claims[0] if claims else None
            if claim is None or (kept is not None and kept.rank >= claim.incident.rank):
                self._claims.release(claims, now)
                if kept is not None:
                    self._kept.remove(kept)
                return kept
            if self._claims.ends_unsent(claim, now):
                claims += self._claims.take(now, MAX_SHARED - 1)  # where one ends, there may be many
                self._claims.release(self._claims.without_ended(claims, now), now)
                self.has_more = True  # but what was logged meanwhile comes first
                return None
            if (delivery := self._delivery_of(claim, now)) is not None:
                return delivery

    # What is kept.

    def keep(self, delivery: Delivery, now: float, *, failed: bool) -> None:
        """For another round, byte for byte: WeCom may have it, and shows the same text once."""
        delivery.rounds += failed
        self._kept.append(delivery)
        if len(self._kept) > _MAX_KEPT:
            tried = max(self._kept, key=lambda one: one.rounds)
            self._kept.remove(tried)
            self._claims.release(tried.claims, now, failed=tried.rounds)
        if self._given_up:  # no turn will come for it
            self._claims.leave([claim.incident for claim in delivery.claims if not claim.is_shared])

    def expire(self, now: float) -> None:
        """What is kept for too long is lost."""
        for old in [one for one in self._kept if all(life.is_expired(claim.incident, now) for claim in one.claims)]:
            self._kept.remove(old)
            self._claims.expire(old.claims, now)

    def let_go(self, now: float) -> None:
        """What is kept is for another process, which sends now."""
        kept, self._kept = self._kept, []
        for one in kept:
            self._claims.release(one.claims, now, failed=one.rounds)

    def give_up(self) -> None:
        """At exit: no turn comes any more."""
        self._given_up = True
        self._kept.clear()

    def seconds_to_next_round(self) -> float:
        """Until something of what is kept may go."""
        return min((self._senders.wait(kept.recipients) for kept in self._kept), default=float("inf"))

    # What is due.

    def _may_go(self, recipients: Recipients | None, now: float) -> bool:
        wait, busy = self._senders.wait(recipients), self._claims.busy
        if wait > 0:
            if len(busy) >= _MAX_BUSY:
                busy.clear()
            busy[lane_of(recipients)] = now + wait
        return wait <= 0

    def _delivery_of(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a claim, or of it and others, where messages have to be shared; None: not now, or never."""
        try:
            alert = claim.incident.first.alert
        except BaseException as error:  # user code (redact) may even want to end the thread
            self._options.warn_once("defect", f"an alert could not be made into a message ({type(error).__name__})")
            self._claims.give_up([claim], "rejected", now)
            if not isinstance(error, Exception):
                raise
            return None
        recipients, lane = self._options.recipients(alert.logger, alert.level, alert.recipients), claim.incident.lane
        if not self._may_go(recipients, now):
            self._claims.busy[lane] = self._claims.busy[lane_of(recipients)]
            self._claims.release([claim], now)
            return None
        if life.news(claim.incident) is not None:
            return Delivery([claim], [], recipients)
        until = self._floods.waits_until(lane)
        if until > now and not (life.is_urgent(claim.incident) or self._senders.draining):
            self._wait_for_flood([claim], recipients, until, now)
            return None
        claim = replace(claim, incident=replace(claim.incident, cause=claim.incident.cause or cause_key(alert)))
        kin = self._of_its_cause(claim, now)
        if kin is None:
            return None
        if kin:
            return Delivery([claim, *kin], [], recipients, is_of_one_cause=True)
        claims = self._with_others([claim, *self._digests_along(claim, now)], recipients, now)
        if not claims:
            return None
        if len(claims) == 1:
            claims = [told_alone(claims[0], now)]
        return Delivery(claims, [], recipients)

    def _of_its_cause(self, claim: Claim, now: float) -> list[Claim] | None:
        """Others with the same exception at the end of the chain, which share a message. None: it waits for them."""
        cause = claim.incident.cause
        if not cause or claim.key in self._claims.alone:
            return []
        until = life.may_be_told_at(claim.incident, self._claims.kin(claim, [cause], now))
        if until > now + SOON_S and not self._senders.draining:
            self._claims.hold(claim, until, now)
            self.has_more = True  # a turn holds one
            return None
        is_urgent = life.is_urgent(claim.incident)
        if claim.incident.told or (until and not is_urgent):  # not the first: it goes with the others
            return self._claims.that_share(self._claims.take(now, MAX_SHARED - 1, claim.incident.lane, cause), now)
        return []

    def _digests_along(self, claim: Claim, now: float) -> list[Claim]:
        """Where a digest goes, others of which one will be due soon go in the same message."""
        if not claim.incident.told or claim.key in self._claims.alone or self._senders.draining:
            return []
        urgent = self._intake.counted_since_told(MAX_SHARED - 1)
        found = self._claims.take_also(now, MAX_SHARED - 1, claim.incident.lane, urgent)
        along = [one for one in found if one.key not in self._claims.alone and life.may_go_along(one.incident, now)]
        for one in found:
            if one not in along:
                self._claims.hold(one, one.incident.not_before, now)
        return [replace(one, incident=life.going_along(one.incident, now)) for one in along]

    def _with_others(self, claims: list[Claim], recipients: Recipients | None, now: float) -> list[Claim]:
        """Whatever else is due, where messages have to be shared. Nothing is left where a flood has to wait."""
        lane = claims[0].incident.lane
        if claims[0].key in self._claims.alone:
            return claims
        if not (self._floods.was_told_lately(lane, now) or self._senders.least_busy(recipients).shares(recipients)):
            return claims
        claims = claims + self._claims.that_share(self._claims.take(now, MAX_SHARED - 1, lane), now)
        if len(claims) > WORST and self._floods.must_wait(lane, now):
            calm = [one for one in claims if not life.is_urgent(one.incident)]
            self._wait_for_flood(calm, recipients, self._senders.flood_ends(lane), now)
            return [one for one in claims if life.is_urgent(one.incident)]
        return claims

    def _wait_for_flood(self, claims: Sequence[Claim], recipients: Recipients | None, until: float, now: float) -> None:
        for claim in claims[:1]:
            for lane in (claim.incident.lane, lane_of(recipients)):
                self._floods.lanes[lane] = self._claims.busy[lane] = until
        self._claims.release(claims, now)


def told_alone(claim: Claim, now: float) -> Claim:
    """As it is where its message is about nothing else."""
    return replace(claim, incident=life.alone(claim.incident, now))
