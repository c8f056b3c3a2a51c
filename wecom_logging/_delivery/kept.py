"""`Kept`: the messages that go again as they are."""

from __future__ import annotations

from .._incidents.book import Book, Order
from .._incidents.plan import Act, plan
from .message import Message
from .sender import Senders

_MOST = 8


class Kept:
    """Those of one leader, whose lock is held: a round of each has failed, or a part of it has gone."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._messages: list[Message] = []
        self.sending: list[Message] = []
        """What is on its way now; of a thread that was given up, too."""

    @property
    def keys(self) -> set[str]:
        """The keys of all incidents that stand in a message."""
        return {key for message in [*self._messages, *self.sending] for key in message.keys}

    def keep(self, message: Message) -> Message | None:
        """Returns the one that was tried most often, which leaves, of too many."""
        self._messages.append(message)
        if len(self._messages) <= _MOST:
            return None
        old = max(self._messages, key=lambda one: one.rounds)
        self._messages.remove(old)
        return old

    def take(self, message: Message) -> None:
        """It goes now."""
        self._messages.remove(message)

    def first(self, senders: Senders) -> tuple[Message | None, list[float]]:
        """The first that may go, and in how many seconds each of the others may."""
        waits = [(senders.wait(one.recipients), one) for one in self._messages]
        free = [one for wait_s, one in waits if wait_s <= 0]
        return min(free, key=self.order, default=None), [wait_s for wait_s, _ in waits if wait_s > 0]

    def order(self, message: Message) -> Order:
        """Its place among all that is due."""
        return min(self._book.order(shown, message.rounds) for shown, _ in message.rows)

    def let_go(self, now: float) -> None:
        """Forget those of which an incident is in the book no more, or all have waited for too long."""
        self._messages = [one for one in self._messages if self._is_due(one, now)]

    def _is_due(self, message: Message, now: float) -> bool:
        there = [self._book.still(row.incident) for row in message.rows]
        return all(there) and any(plan(one, now).act is not Act.LAPSE for one in there if one is not None)
