"""For tests of a program's own logging: what its handlers would send, as simple values; nothing goes out.

    def test_a_failed_payment_is_told():
        with capture_alerts() as alerts:
            pay(order)
        assert alerts[0].level == logging.ERROR
        assert alerts[0].recipients.users == ("zhangsan",)

With pytest there is the fixture ``wecom_alerts``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import overload
from unittest.mock import patch

from ._delivery.compose import Attachment, Part, Picture
from ._delivery.outbox import Delivery
from ._delivery.sender import Sender
from ._runtime import clock
from ._runtime.worker import living_workers
from .handlers import live_handlers
from .model import Markdown, Outcome, Recipients, Text

__all__ = ["CapturedAlerts", "SentAlert", "capture_alerts"]


@dataclass(frozen=True, slots=True)
class SentAlert:
    """A message as it would have gone out: masked, fitted, with its mentions.

    ``level`` is that of the record, of a shared message the highest. ``channel`` is ``"app"`` or ``"bot"``.
    ``recipients`` are as they are configured, names not looked up; a bot has none. ``mentioned`` are the ids of a text;
    in markdown they stand in it. ``attachment`` is a file or a picture, which has no text.
    """

    text: str
    level: int
    channel: str
    recipients: Recipients
    markdown: bool = False
    mentioned: tuple[str, ...] = ()
    attachment: bytes = b""


class CapturedAlerts(Sequence[SentAlert]):
    """What was captured, of each handler the oldest first. A look at it waits until all that was logged is there.

    What came again, and would be told later in a digest, is told when it is looked at.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._found: list[SentAlert] = []
        self._is_open = True

    @overload
    def __getitem__(self, index: int) -> SentAlert: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SentAlert]: ...
    def __getitem__(self, index: int | slice) -> SentAlert | Sequence[SentAlert]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[SentAlert]:
        return iter(self._all())

    def __repr__(self) -> str:
        return f"CapturedAlerts({self._found!r})"

    @property
    def texts(self) -> list[str]:
        """The texts of all that have one."""
        return [alert.text for alert in self._all() if alert.text]

    def clear(self) -> None:
        """Forget what was captured so far."""
        self._all().clear()

    def advance(self, seconds: float) -> None:
        """Let time pass for all handlers, without waiting: what is due by then is told, such as the end of a group.

        Time goes on from there for the rest of the process. A state that processes share keeps its own.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be zero or more, and finite, not {seconds!r}")
        self._all()
        clock.advance(seconds)
        ends = time.monotonic() + self._timeout
        for asked in [worker.ask() for worker in living_workers()]:
            if asked is not None:
                asked.acquire(timeout=max(ends - time.monotonic(), 0.0))

    def _all(self) -> list[SentAlert]:
        if self._is_open and not self._settled():
            raise TimeoutError(f"what was logged is not there within {self._timeout:g} s")
        return self._found

    def _settled(self) -> bool:
        ends = time.monotonic() + self._timeout
        settled = [worker.flush(ends - time.monotonic()) for worker in living_workers()]
        return all(settled)

    def _take(self, sender: Sender, part: Part, delivery: Delivery) -> Outcome:
        self._found.append(
            SentAlert(
                text=part.content if isinstance(part, Text | Markdown) else "",
                level=delivery.level,
                channel=sender.channel.identity.split(" ", 1)[0],
                recipients=sender.channel.addressed(delivery.recipients),
                markdown=isinstance(part, Markdown),
                mentioned=(*part.mentioned, *part.mentioned_mobiles) if isinstance(part, Text) else (),
                attachment=part.data if isinstance(part, Attachment | Picture) else b"",
            )
        )
        return Outcome("delivered")


@contextmanager
def capture_alerts(*, timeout: float = 5.0) -> Iterator[CapturedAlerts]:
    """Collect what the handlers of this package send while it is open, in place of sending it.

    All handlers take part, whether they are made before or inside; their ids and secrets may be anything. What failed
    before is told anew, as if nothing had been told yet. Limits of WeCom are not used up. ``timeout``: seconds that the
    handlers may take. Inside another one, the inner one captures.
    """
    for handler in live_handlers():
        handler.forget_incidents()
    captured = CapturedAlerts(timeout)
    with patch.object(Sender, "send_part", lambda sender, part, delivery: captured._take(sender, part, delivery)):
        try:
            yield captured
        finally:
            captured._settled()
            captured._is_open = False
