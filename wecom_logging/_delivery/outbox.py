"""`Outbox`: which message goes next, and which incidents it is about. Read `Outbox.next` first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._capture.intake import Intake
from .._incidents import life, policy
from .._incidents.fingerprint import cause_key, lane_of
from .._incidents.policy import Hold, Merge, Rules, Send, Why
from .._render.flood import WORST
from .._state.failover import Claim
from ..model import Recipients
from .claims import MAX_SHARED, Claims
from .delivery import Delivery
from .floods import Floods
from .options import Options
from .sender import Senders

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
            waiting = (one for one in self._kept if self._has_room(one.recipients, now))
            kept: Delivery | None = max(waiting, key=lambda one: one.rank, default=None)
            claims = self._claims.take(now, 1)
            claim = claims[0] if claims else None
            if claim is None or (kept is not None and kept.rank >= claim.incident.rank):
                self._claims.release(claims, now)
                if kept is not None:
                    self._kept.remove(kept)
                return kept
            if policy.ends(claim.incident, now, self._claims.rules(claim)):
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

    def _has_room(self, recipients: Recipients | None, now: float) -> bool:
        if (wait := self._senders.wait(recipients)) > 0:
            self._block([lane_of(recipients)], now + wait)
        return wait <= 0

    def _block(self, lanes: Sequence[str], until: float) -> None:
        if len(self._claims.busy) >= _MAX_BUSY:
            self._claims.busy.clear()
        self._claims.busy.update(dict.fromkeys(lanes, until))

    # What is due.

    def _delivery_of(self, claim: Claim, now: float) -> Delivery | None:
        """The message of a claim, or of it and others; None: not now, or never."""
        try:
            alert = claim.incident.first.alert
        except BaseException as error:  # user code (redact) may even want to end the thread
            self._options.warn_once("defect", f"an alert could not be made into a message ({type(error).__name__})")
            self._claims.give_up([claim], "rejected", now)
            if not isinstance(error, Exception):
                raise
            return None
        recipients, lane = self._options.recipients(alert.logger, alert.level, alert.recipients), claim.incident.lane
        claim = replace(claim, incident=replace(claim.incident, cause=claim.incident.cause or cause_key(alert)))
        rules = self._rules(claim, recipients, now)
        match self._claims.decide(claim, now, rules):
            case Hold(until, Why.ROOM):
                self._block([lane, lane_of(recipients)], until)
                self._claims.release([claim], now)
            case Hold(until, Why.SUMMARY):
                self._wait_for_flood([claim], recipients, until, now)
            case Hold(until, Why.CAUSE):
                self._claims.hold(claim, until, now)
                self.has_more = True  # a turn holds one
            case Send():
                return Delivery([told_alone(claim, now)], [], recipients)
            case Merge() as how:
                return self._shared(claim, how, recipients, rules, now)
        return None

    def _rules(self, claim: Claim, recipients: Recipients | None, now: float) -> Rules:
        return replace(
            self._floods.rules(self._claims.rules(claim), claim.incident.lane),
            room_at=now + self._senders.wait(recipients),
            shares=self._senders.least_busy(recipients).shares(recipients),
        )

    def _shared(
        self, claim: Claim, how: Merge, recipients: Recipients | None, rules: Rules, now: float
    ) -> Delivery | None:
        """A message with what else is due. None: it waits for the summary of a flood."""
        incident = claim.incident
        if how.cause:
            same = self._claims.that_share(self._claims.take(now, MAX_SHARED - 1, incident.lane, incident.cause), now)
            if same:
                return Delivery([claim, *same], [], recipients, is_of_one_cause=True)
        claims = [claim]
        if how.along:
            claims += self._digests_along(claim, now)
        if how.audience:
            claims += self._claims.that_share(self._claims.take(now, MAX_SHARED - 1, incident.lane), now)
            if policy.waits_for_summary(len(claims), WORST, now, rules):
                calm = [one for one in claims if not policy.is_urgent(one.incident)]
                self._wait_for_flood(calm, recipients, rules.next_summary_at, now)
                claims = [one for one in claims if policy.is_urgent(one.incident)]
        if len(claims) == 1:
            claims = [told_alone(claims[0], now)]
        return Delivery(claims, [], recipients) if claims else None

    def _digests_along(self, claim: Claim, now: float) -> list[Claim]:
        """Where a digest goes, others of which one will be due soon go in the same message."""
        urgent = self._intake.counted_since_told(MAX_SHARED - 1)
        found = self._claims.take_also(now, MAX_SHARED - 1, claim.incident.lane, urgent)
        along = [one for one in found if one.key not in self._claims.alone and policy.may_go_along(one.incident, now)]
        for one in found:
            if one not in along:
                self._claims.hold(one, one.incident.not_before, now)
        return [replace(one, incident=life.going_along(one.incident, now)) for one in along]

    def _wait_for_flood(self, claims: Sequence[Claim], recipients: Recipients | None, until: float, now: float) -> None:
        for claim in claims[:1]:
            for lane in (claim.incident.lane, lane_of(recipients)):
                self._floods.lanes[lane] = self._claims.busy[lane] = until
        self._claims.release(claims, now)


def told_alone(claim: Claim, now: float) -> Claim:
    """As it is where its message is about nothing else."""
    return replace(claim, incident=life.alone(claim.incident, now))
