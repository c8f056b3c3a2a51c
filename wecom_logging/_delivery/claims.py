"""`Claims`: what this process may send now, taken from the store and given back to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from .._incidents import life, policy
from .._incidents.incident import Incident, Kept, Kin
from .._incidents.policy import End, Hold, Merge, Rules, Send
from .._render.times import local_time
from .._state.base import Wanted
from .._state.failover import Claim, FailoverStore
from .endings import Endings, release_ticket, slim_first
from .options import Options
from .sender import Senders
from .wholes import Wholes

MAX_SHARED = 100
"""So many incidents are claimed at once, or share a message."""


class Claims:
    """The claims of one handler. Whoever takes or gives back holds ``section``."""

    def __init__(
        self,
        store: FailoverStore,
        senders: Senders,
        endings: Endings,
        options: Options,
        is_closed: Callable[[], bool],
    ) -> None:
        self._store = store
        self._is_closed = is_closed
        self._senders = senders
        self._endings = endings
        self._options = options
        self.section = threading.RLock()
        """Between the worker and the exit hook: held but while a message is made and sent."""
        self.busy: dict[str, float] = {}
        """Lanes to which nothing may be sent yet, and until when."""
        self.alone: set[str] = set()
        """Keys of incidents that WeCom refused in a shared message: each is judged alone."""
        self.wholes = Wholes()
        self.left_behind = 0
        """How many alerts the write-ahead file keeps for the next process."""
        self._expired = 0

    def take(self, now: float, most: int, lane: str | None = None, cause: str = "") -> list[Claim]:
        """What is due, the most severe first."""
        draining = self._senders.draining or self._is_closed()
        return self._store.claim(now, Wanted(most, (), self.busy, lane, cause), draining=draining)

    def take_also(self, now: float, most: int, lane: str, urgent: Collection[str]) -> list[Claim]:
        """What is due, and of the keys that are ``urgent`` what is not told yet."""
        return self._store.claim(now, Wanted(most, urgent, self.busy, lane))

    def kin(self, claim: Claim, causes: Collection[str], now: float) -> list[Kin]:
        """Others of these causes where a claim comes from."""
        return self._store.kin(claim, causes, now)

    def rules(self, claim: Claim) -> Rules:
        """What holds for a claim, whoever gets it."""
        return Rules(refused=claim.key in self.alone, draining=self._senders.draining, closed=self._is_closed())

    def decide(self, claim: Claim, now: float, rules: Rules) -> Send | Merge | Hold | End:
        """What becomes of it now."""
        wall = local_time(time.time())
        return policy.decide(claim.incident, now, wall, rules, lambda: self.kin(claim, [claim.incident.cause], now))

    def stands_alone(self, claim: Claim) -> bool:
        """Whether its message is about nothing else."""
        return policy.stands_alone(claim.incident, self.rules(claim))

    def that_share(self, claims: Sequence[Claim], now: float) -> list[Claim]:
        """Those that may share a message; the others are released."""
        self.release([one for one in claims if self.stands_alone(one)], now)
        return [one for one in claims if not self.stands_alone(one)]

    # Given back.

    def release(self, claims: Sequence[Claim], now: float, *, failed: int = 0) -> None:
        """Not told now; after so many rounds that failed."""
        self._store.swap([(claim, life.released(claim.incident, now, failed=failed), "") for claim in claims], now)

    def hold(self, claim: Claim, until: float, now: float) -> None:
        """Not told before then."""
        self._store.swap([(claim, life.released(claim.incident, now, until - now), "")], now)

    def told(self, claims: Sequence[Claim], how: str, now: float, why: str = "") -> None:
        """They were told, here or by the fallback, or refused: the counters, the tallies, when they are told again."""
        for claim in claims if self._options.composer.answers else ():
            if not isinstance(claim.incident.first, Kept) and not claim.is_shared:
                self.wholes.keep(claim.key, claim.incident.first.alert)
        after = [_after(claim, now, why) for claim in claims]
        ended = self._store.swap([(claim, new, why) for claim, new in zip(claims, after, strict=True)], now)
        for claim, new, own in zip(claims, after, ended, strict=True):
            self._endings.told(claim.incident, new, how, own, now)
            self.alone.discard(claim.key)

    def reject(self, claims: Sequence[Claim], now: float) -> None:
        """WeCom refuses them for good, or they cannot be made into a message."""
        made = [claim for claim in claims if _is_made(claim)]
        self.told(made, "rejected", now, "rejected")
        self.give_up([claim for claim in claims if claim not in made], "rejected", now)

    def give_up(self, claims: Sequence[Claim], why: str, now: float) -> None:
        """They are lost, with all that was counted of them."""
        for claim in claims:
            self._endings.given_up(claim.incident, why)
        ended = self._store.swap([(claim, None, why) for claim in claims], now)
        for claim, own in zip(claims, ended, strict=True):
            if own is not None:
                self._endings.count(why, own)
            self.alone.discard(claim.key)
            release_ticket(claim.incident.first)

    def without_ended(self, claims: Sequence[Claim], now: float) -> list[Claim]:
        """Those that do not end without a message; the others end."""
        ended = [claim for claim in claims if policy.ends(claim.incident, now, self.rules(claim))]
        expired = [claim for claim in ended if claim.incident.untold]
        if expired:
            self.expire(expired, now)
        over = [claim for claim in ended if not claim.incident.untold]
        self._store.swap([(claim, None, "") for claim in over], now)
        for claim in over:
            self._endings.over(claim.incident)
        keys = {claim.key for claim in ended}
        return [claim for claim in claims if claim.key not in keys]

    def expire(self, claims: Sequence[Claim], now: float) -> None:
        """They could not be sent for too long."""
        self.give_up(claims, "expired", now)
        self._expired += sum(claim.incident.untold for claim in claims)
        text = f"{self._expired} alerts could not be sent within 24 hours and are lost"
        where = " (`wecom-logging pending` shows them)" if any(claim.is_shared for claim in claims) else ""
        self._options.warn_once("expired", text + where)

    def leave(self, incidents: Sequence[Incident]) -> None:
        """At exit: what is written ahead is left for the next process that opens the store; the rest is lost."""
        for incident in incidents:
            ticket = getattr(incident.first, "ticket", None)
            is_left = ticket is not None and ticket.is_written
            self._endings.given_up(incident, "exit_timeout")
            if (own := self._store.memory.remove(self._store.channel, incident.key)) is not None:
                self.left_behind += own.captured if is_left else 0
                self._endings.count("handed_over" if is_left else "exit_timeout", own)


def _after(claim: Claim, now: float, why: str) -> Incident | None:
    after = life.refused(claim.incident, now) if why else life.sent(claim.incident, now)
    return None if after is None else replace(after, first=slim_first(claim.incident.first))


def _is_made(claim: Claim) -> bool:
    """Whether its alert can be made: a later message needs it."""
    try:
        return bool(claim.incident.first.alert)
    except BaseException:  # of the user's redact, or a defect of ours
        return False
