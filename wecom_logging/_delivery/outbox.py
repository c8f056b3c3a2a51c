"""`Outbox`: the deliveries that wait for another try, and the audiences to which nothing may go yet."""

from __future__ import annotations

from collections.abc import Callable

from .._incidents import life
from .delivery import Delivery

_MAX_KEPT = 8
_MAX_BLOCKED = 1000


class Outbox:
    """That of one handler. Who uses it holds the lock of the turn."""

    def __init__(self) -> None:
        self._kept: list[Delivery] = []
        self.is_shut = False
        self.blocked: dict[str, float] = {}
        """Audiences to which nothing may be sent yet, and until when."""
        self.gathering: dict[str, float] = {}
        """Audiences of which what is not urgent waits until then for the next summary of a flood."""

    def __len__(self) -> int:
        return len(self._kept)

    def block(self, audience: str, until: float) -> None:
        if len(self.blocked) >= _MAX_BLOCKED:
            self.blocked.clear()
        self.blocked[audience] = until

    def gather(self, audience: str, until: float) -> None:
        """Block it for what is not urgent: the next turn looks whether something is."""
        self.gathering[audience] = until
        self.block(audience, until)

    def unblock(self, now: float, *, draining: bool) -> None:
        """Forget what is over, and all of it in a drain."""
        waits = {} if draining else self.gathering
        self.gathering = {audience: until for audience, until in waits.items() if until > now}
        waits = {} if draining else self.blocked
        self.blocked = {
            audience: until for audience, until in waits.items() if until > now and audience not in self.gathering
        }

    def keep(self, delivery: Delivery, *, failed: bool) -> Delivery | None:
        """For another try, byte for byte: WeCom may have it, and shows the same text once. Of too many the one that was
        tried most often is given back."""
        delivery.rounds += failed
        self._kept.append(delivery)
        return self.take(max(self._kept, key=lambda one: one.rounds)) if len(self._kept) > _MAX_KEPT else None

    def next(self, has_room: Callable[[Delivery], bool]) -> Delivery | None:
        """The highest of those that may go. It stays until it is taken."""
        return max(filter(has_room, self._kept), key=lambda one: one.rank, default=None)

    def take(self, delivery: Delivery) -> Delivery:
        self._kept.remove(delivery)
        return delivery

    def late(self, now: float) -> list[Delivery]:
        """Take those that other processes are to try."""
        return [self.take(one) for one in list(self._kept) if one.waits_too_long(now)]

    def expired(self, now: float) -> list[Delivery]:
        """Take those that were kept for too long."""
        is_old = life.is_expired
        return [self.take(one) for one in list(self._kept) if all(is_old(claim.incident, now) for claim in one.claims)]

    def all(self) -> list[Delivery]:
        """Take them all."""
        kept, self._kept = self._kept, []
        return kept

    def shut(self) -> None:
        """At exit: no turn comes any more."""
        self.is_shut = True
        self._kept.clear()

    def seconds_to_next_try(self, wait: Callable[[Delivery], float]) -> float:
        """Until one of them may go."""
        return min(map(wait, self._kept), default=float("inf"))
