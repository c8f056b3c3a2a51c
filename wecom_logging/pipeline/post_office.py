"""Who carries the next message: an app has one postman, a group has one for each of its bots."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..config import RateRules
from ..model import Recipients
from ..state.shared import Shared
from ..wecom.channels import Channel
from .deliver import Postman
from .ratelimit import windows


class PostOffice:
    """The postmen of one handler. Each keeps its own limit and its own rests; the least busy one goes."""

    def __init__(
        self, channels: Sequence[Channel], rules: RateRules, clock: Callable[[], float], shared: Shared | None = None
    ) -> None:
        self._clock = clock
        self._postmen = [
            Postman(channel, windows(channel.identity, shared), rules, clock, _name(number, len(channels)))
            for number, channel in enumerate(channels, 1)
        ]

    def pause(self) -> float:
        """Seconds for which all of them rest; 0 or less if one does not."""
        return min(postman.rests_until for postman in self._postmen) - self._clock()

    def wait(self, recipients: Recipients | None, *, hurried: bool) -> float:
        """Seconds until one of them may carry a message to these recipients."""
        return min(postman.wait(recipients, hurried=hurried) for postman in self._postmen)

    def least_busy(self, recipients: Recipients | None, *, hurried: bool) -> Postman:
        """The one that may go first; of several, the one with the most left of its limit."""
        if len(self._postmen) == 1:
            return self._postmen[0]
        return min(
            self._postmen,
            key=lambda postman: (postman.wait(recipients, hurried=hurried), postman.use(recipients)),
        )

    def has_another(self, postman: Postman) -> bool:
        """Whether somebody else goes on while this one rests."""
        now = self._clock()
        return any(other is not postman and other.rests_until <= now for other in self._postmen)


def _name(number: int, of: int) -> str:
    return f"bot {number} of {of}" if of > 1 else ""
