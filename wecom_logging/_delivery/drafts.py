"""`Drafts`: what a delivery's messages say. Read `Drafts.write` first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .._capture.captured import Captured
from .._incidents import policy
from .._incidents.fingerprint import cause_key
from .._incidents.incident import Kept
from .._render.flood import worst_first
from .._render.layout import told_losses
from .._render.mask import slim
from .._state.failover import Claim
from .alerts import Alerts
from .claims import MAX_SHARED, Claims
from .delivery import Delivery
from .endings import Endings
from .floods import Floods
from .message_builder import Composer, Picture
from .outbox import told_alone
from .sender import Sender, Senders

_MAX_FLOOD = 1000
"""So many kinds stand in one file; what is more waits for the next."""


class Drafts:
    """Those of one handler: it fills in ``digests`` and ``parts``, and settles which claims stand in them.

    ``composer`` is asked for each time: `setFormatter` gives the handler another one at any moment.
    """

    def __init__(
        self,
        claims: Claims,
        alerts: Alerts,
        floods: Floods,
        endings: Endings,
        senders: Senders,
        composer: Callable[[], Composer],
        clock: Callable[[], float],
    ) -> None:
        self._claims = claims
        self._alerts = alerts
        self._floods = floods
        self._endings = endings
        self._senders = senders
        self._composer = composer
        self._clock = clock

    def write(self, delivery: Delivery, sender: Sender) -> None:
        """Make the messages of what may be told now; the others are given back."""
        delivery.losses = self._endings.losses()
        losses = told_losses(delivery.losses, self._endings.losses_told, self._composer().language)
        first, *others = delivery.claims
        together = [first, *self._without_ended(others)]
        delivery.claims = together if delivery.is_of_one_cause else self._without_held(together)
        self._make_digests(delivery)
        if len(delivery.claims) == 1:
            delivery.parts = self._composer().compose(delivery.digests[0], sender.channel, losses)
        elif delivery.is_of_one_cause:
            self._share_cause(delivery, sender, losses)
        else:
            self._share(delivery, sender, losses)
        if not delivery.summarized:  # the pictures of a flood would be one
            delivery.parts += tuple(Picture(picture) for claim in delivery.claims if (picture := _picture(claim)))

    def _make_digests(self, delivery: Delivery) -> None:
        """Of all its claims. Where one cannot be made, that is the only claim left when the error goes on."""
        delivery.digests = []
        for claim in delivery.claims:
            try:
                delivery.digests.append(self._alerts.digest(claim))
            except BaseException:  # of the user's redact, or a defect of ours
                self._release([one for one in delivery.claims if one is not claim])
                delivery.claims, delivery.digests = [claim], []
                raise

    def _without_held(self, claims: list[Claim]) -> list[Claim]:
        """Of those that share a message, those whose cause has been told within the window wait."""
        if len(claims) < 2 or self._senders.draining:
            return claims
        known = [replace(one, incident=replace(one.incident, cause=_cause(one))) for one in claims]
        causes = {one.incident.cause for one in known if one.incident.cause}
        now = self._clock()
        with self._claims.section:
            kin = self._claims.kin(known[0], causes, now) if causes else []
            left = []
            for one in known:
                until = policy.with_its_cause_at(one.incident, kin) if one.incident.cause else 0.0
                if one is not known[0] and policy.waits_for_cause(until, now, self._claims.rules(one)):
                    self._claims.hold(one, until, now)
                else:
                    left.append(one)
        return left

    def _share_cause(self, delivery: Delivery, sender: Sender, losses: str) -> None:
        roots = [alert.failures[0] for alert in (one.alert for one in delivery.digests) if alert.failures]
        cause = delivery.claims[0].incident.cause
        root = next((one.alert.failures[0] for one in delivery.digests if cause_key(one.alert) == cause), roots[0])
        delivery.parts, number = self._composer().share_cause(delivery.digests, root, sender.channel, losses)
        self._cut(delivery, number)

    def _share(self, delivery: Delivery, sender: Sender, losses: str) -> None:
        delivery.parts, number = self._composer().share(delivery.digests, sender.channel, losses)
        if number < (before := len(delivery.claims)):
            if self._is_flood(delivery, policy.no_flood(number)) and self._write_flood(delivery, sender, losses):
                return
            if len(delivery.claims) == 1:
                delivery.claims[0] = told_alone(delivery.claims[0], self._clock())
                delivery.digests[0] = self._alerts.digest(delivery.claims[0])
                delivery.parts = self._composer().compose(delivery.digests[0], sender.channel, losses)
                return
            if len(delivery.claims) != before:
                delivery.parts, number = self._composer().share(delivery.digests, sender.channel, losses)
            self._cut(delivery, number)
        new = sum(not claim.incident.told for claim in delivery.claims)
        held = self._composer().holds(sender.channel)
        self._floods.count_kinds(delivery.claims[0].incident.lane, new, held, sender)

    def _cut(self, delivery: Delivery, number: int) -> None:
        """Only the first stand in it; the others are not told now."""
        rest = delivery.claims[number:]
        del delivery.claims[number:], delivery.digests[number:]
        self._release(rest)

    def _release(self, claims: list[Claim]) -> None:
        with self._claims.section:
            self._claims.release(claims, self._clock())

    def _without_ended(self, claims: list[Claim]) -> list[Claim]:
        with self._claims.section:
            return self._claims.without_ended(claims, self._clock())

    # A flood.

    def _is_flood(self, delivery: Delivery, most: int) -> bool:
        """Whether more kinds wait than ``most``, of which a file may be told now. What is critical goes before it."""
        now, first = self._clock(), delivery.claims[0]
        if not policy.may_send_summary(now, self._floods.rules(self._claims.rules(first), first.incident.lane)):
            return False
        self._claim_more(delivery, most + 1)
        if len(delivery.claims) <= most:
            return False
        if urgent := policy.urgent_first([claim.incident for claim in delivery.claims], most):
            self._cut(delivery, urgent)
        return not urgent

    def _claim_more(self, delivery: Delivery, most: int) -> None:
        """More of the same lane, up to so many in all, each with its digest."""
        others: list[Claim] = []
        while (room := min(most - len(delivery.claims), MAX_SHARED)) > 0:
            with self._claims.section:
                found = self._claims.take(self._clock(), room, delivery.claims[0].incident.lane)
            if not found:
                break
            for claim in self._without_ended(found):
                if self._claims.stands_alone(claim) or not self._join(delivery, claim):
                    others.append(claim)
        self._release(others)

    def _join(self, delivery: Delivery, claim: Claim) -> bool:
        try:
            digest = self._alerts.digest(claim)
        except BaseException:  # it is judged alone, and what ends the thread does so then
            self._claims.alone.add(claim.key)
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
            parts, number = self._composer().flood(digests, sender.channel, losses)
            sender.upload(parts[1], delivery)
        except Exception as error:  # of WeCom, or a defect of ours, which must cost nothing here
            self._floods.files_fail(error)
        else:
            if sender.take_flood(claims[0].incident.lane) or self._senders.draining:
                delivery.claims, delivery.digests = claims, digests
                delivery.parts, delivery.summarized = parts, number
                return True
        self._cut(delivery, few)
        return False


def _cause(claim: Claim) -> str:
    try:
        return claim.incident.cause or cause_key(claim.incident.first.alert)
    except BaseException:  # it is judged where its digest is made
        return ""


def _picture(claim: Claim) -> bytes:
    picture: bytes = getattr(claim.incident.first, "picture", b"")
    return b"" if claim.incident.told else picture
