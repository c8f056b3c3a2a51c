"""`Packer`: the messages of what may go now, with as many incidents as they hold.

No lock is held, so that the exit can hand over what waits, however long the user's redact takes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .._capture.pending import PendingAlert
from .._incidents import answered, policy
from .._incidents.cause import cause_key
from .._incidents.incident import SOON_S, Kept
from .._incidents.limits import no_flood
from .._render.facts import told_losses
from .._render.flood import worst_first
from .._render.mask import slim
from .._state.failover import Claim
from ..model import Digest
from .alerts import Alerts
from .claims import MAX_SHARED, Claims, alone
from .delivery import Delivery
from .ledger import Ledger
from .message_builder import Composer, Picture, pictures
from .options import Looks
from .sender import Sender, Senders

if TYPE_CHECKING:
    from .steps import Steps

_MAX_FLOOD = 1000
"""So many incidents stand in one file; what is more waits for the next."""


@dataclass(eq=False, repr=False)
class Packer:
    """That of one handler; ``looks`` is asked for each message, ``steps`` where one is due."""

    _claims: Claims
    _alerts: Alerts
    _ledger: Ledger
    _senders: Senders
    _looks: Callable[[], Looks]
    _steps: Callable[[], Steps]
    _clock: Callable[[], float]
    _section: threading.RLock

    def write(self, delivery: Delivery, sender: Sender) -> None:
        """Make the messages of what may go now; the other claims are given back."""
        composer = Composer.of(self._looks())
        if not sender.channel.addressed(delivery.recipients).may_answer:  # it would be said to who may not
            composer = composer._replace(answers="")
        nobody = delivery.nobody
        delivery.losses = self._ledger.reports.losses()
        losses = told_losses(delivery.losses, self._ledger.reports.losses_sent, composer.reader)
        with self._section:
            delivery.claims[1:] = self._claims.without_ended(delivery.claims[1:], self._clock())
        is_line = policy.tells_of_a_step(delivery.claims[0].incident) and not delivery.is_step
        if not (delivery.cause or delivery.held or delivery.is_step or is_line):
            self._hold_for_cause(delivery)
        self._make_digests(delivery)
        if delivery.held is not None:
            self._write_held(delivery, sender, composer, losses)
            return
        is_shared = len(delivery.claims) > 1 and not delivery.cause
        delivery.parts, number = composer.write(delivery.digests, sender.channel, losses, delivery.cause, nobody)
        if is_shared and number < (before := len(delivery.claims)):
            is_flood = not is_line and self._is_flood(delivery, no_flood(number))
            if is_flood and self._summarize(delivery, sender, composer, losses):
                return  # the pictures of a flood would be one
            if len(delivery.claims) == 1:
                is_shared = False
                delivery.claims[0] = alone(delivery.claims[0], self._clock())
                delivery.digests[0] = self._digest(delivery, delivery.claims[0])
            if len(delivery.claims) != before:
                delivery.parts, number = composer.write(delivery.digests, sender.channel, losses, nobody=nobody)
        self._cut(delivery, number)
        if is_shared:
            new = sum(answered.is_first(claim.incident) for claim in delivery.claims)
            held = composer.holds(sender.channel)
            self._senders.count_kinds(delivery.claims[0].incident.audience, new, held, sender)
        delivery.parts += _pictures(delivery.claims)

    def _write_held(self, delivery: Delivery, sender: Sender, composer: Composer, losses: str) -> None:
        """What has waited, the most severe first; as a summary and a file where it is more than a message holds."""
        self._claim_more(delivery, _MAX_FLOOD)
        delivery.claims, delivery.digests = _worst_first(delivery)
        delivery.parts, number = composer.share(
            delivery.digests, sender.channel, losses, delivery.nobody, delivery.held
        )
        may_have_file = number < len(delivery.claims) and self._clock() >= self._senders.no_files_until
        if may_have_file and self._summarize(delivery, sender, composer, losses):
            return
        self._cut(delivery, number)
        delivery.parts += _pictures(delivery.claims)

    def _hold_for_cause(self, delivery: Delivery) -> None:
        """Of those that share a message, those wait of whose cause a message was sent within the window."""
        if len(delivery.claims) < 2 or self._claims.is_draining:
            return
        known = [replace(one, incident=replace(one.incident, cause=_cause(one))) for one in delivery.claims]
        causes = {one.incident.cause for one in known if one.incident.cause}
        now = self._clock()
        with self._section:
            related = self._claims.related(known[0], now, causes) if causes else []
            left = known[:1]
            for one in known[1:]:
                until = policy.with_its_cause_at(one.incident, related) if one.incident.cause else 0.0
                if until > now + SOON_S:
                    self._ledger.hold(one, until, now)
                else:
                    left.append(one)
        delivery.claims = left

    def _make_digests(self, delivery: Delivery) -> None:
        """Of all its claims, of one rank in the order in which they came. Where one cannot be made, that is the only
        claim left when the error goes on."""
        delivery.digests = []
        delivery.claims.sort(key=lambda one: (-one.incident.rank, one.incident.since))
        for place, claim in enumerate(delivery.claims):
            try:
                delivery.claims[place] = known = self._alerts.known(claim)
                delivery.digests.append(self._digest(delivery, known))
            except BaseException:  # of the user's redact, or a defect of ours
                claim = delivery.claims.pop(place)
                self._release(delivery.claims)
                delivery.claims, delivery.digests = [claim], []
                raise

    def _digest(self, delivery: Delivery, claim: Claim) -> Digest:
        return (self._steps().digest if delivery.is_step else self._alerts.digest)(claim)

    def _cut(self, delivery: Delivery, number: int) -> None:
        """Only the first stand in it; the others are released."""
        if rest := delivery.claims[number:]:
            del delivery.claims[number:], delivery.digests[number:]
            self._release(rest)

    def _release(self, claims: list[Claim]) -> None:
        with self._section:
            self._ledger.release(claims, self._clock())

    # A flood: more incidents than some messages hold.

    def _is_flood(self, delivery: Delivery, most: int) -> bool:
        """Whether more wait than ``most``, and a file of all may be sent now. What is urgent goes before it."""
        now = self._clock()
        if not policy.may_send_summary(now, self._claims.rules(delivery.claims[0], now)):
            return False
        self._claim_more(delivery, most + 1)
        if len(delivery.claims) <= most:
            return False
        if urgent := policy.urgent_first([claim.incident for claim in delivery.claims], most):
            self._cut(delivery, urgent)
        return not urgent

    def _claim_more(self, delivery: Delivery, most: int) -> None:
        """More of the same audience, up to so many in all, each with its digest."""
        others: list[Claim] = []
        while (room := min(most - len(delivery.claims), MAX_SHARED)) > 0:
            with self._section:
                now = self._clock()
                found = self._claims.due(now, room, delivery.claims[0].incident.audience)
                left = self._claims.free(self._claims.without_ended(found, now), now)
            if not found:
                break
            others += [one for one in left if not (self._may_join(delivery, one, now) and self._join(delivery, one))]
        self._release(others)

    def _may_join(self, delivery: Delivery, claim: Claim, now: float) -> bool:
        if delivery.is_step:
            return self._claims.are_together(delivery.claims[0], claim, now)
        if not self._claims.goes_with(delivery.claims[0], claim):
            return False
        if delivery.held is None or claim.key in self._ledger.refused or policy.is_for_others(claim.incident, now):
            return not self._claims.stands_alone(claim, now)
        return policy.what_held(claim.incident, self._claims.moment(claim)) is not None

    def _join(self, delivery: Delivery, claim: Claim) -> bool:
        try:
            claim = self._alerts.known(claim)
            digest = self._digest(delivery, claim)
        except BaseException:  # it is judged alone, and what ends the thread does so then
            self._ledger.refused.add(claim.key)
            return False
        if claim.is_shared and not isinstance(claim.incident.first, PendingAlert):  # a thousand large ones
            first = Kept(slim(digest.alert))
            claim = replace(claim, incident=replace(claim.incident, first=first))
            digest = replace(digest, alert=first.alert)
        delivery.claims.append(claim)
        delivery.digests.append(digest)
        return True

    def _summarize(self, delivery: Delivery, sender: Sender, composer: Composer, losses: str) -> bool:
        """A summary, and a file of all that waits. The file is uploaded first: where it cannot be, messages are shared
        as ever.
        """
        few = len(delivery.claims)
        self._claim_more(delivery, _MAX_FLOOD)
        claims, digests = _worst_first(delivery)
        try:
            parts, number = composer.flood(digests, sender.channel, losses, delivery.nobody, delivery.held)
            sender.upload(parts[1], delivery)
        except Exception as error:  # of WeCom, or a defect of ours, which must cost nothing here
            self._senders.files_fail(error)
        else:
            if delivery.held or sender.take_flood(claims[0].incident.audience) or self._senders.draining:
                delivery.claims, delivery.digests = claims, digests
                delivery.parts, delivery.summarized = parts, number
                return True
        self._cut(delivery, few)
        return False


def _worst_first(delivery: Delivery) -> tuple[list[Claim], list[Digest]]:
    """Its claims and their digests."""
    order = {id(one): place for place, one in enumerate(worst_first(delivery.digests))}
    pairs = sorted(zip(delivery.claims, delivery.digests, strict=True), key=lambda pair: order[id(pair[1])])
    return [claim for claim, _ in pairs], [digest for _, digest in pairs]


def _cause(claim: Claim) -> str:
    try:
        return claim.incident.cause or cause_key(claim.incident.first.alert)
    except BaseException:  # it is judged where its digest is made
        return ""


def _pictures(claims: list[Claim]) -> tuple[Picture, ...]:
    """Those of alerts that were never sent."""
    firsts = [claim.incident.first for claim in claims if answered.is_first(claim.incident)]
    return pictures(getattr(first, "picture", b"") for first in firsts)
