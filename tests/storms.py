"""A channel that keeps what it is given, and ways to lead a pipeline through a storm with the time in hand."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wecom_logging._capture.snapshot import Origin
from wecom_logging._delivery.compose import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._render.redact import redactor
from wecom_logging._wecom.limits import BOT_BYTES
from wecom_logging.model import File, Message, Outcome, Recipients, Stats, Text

from .programs import Clock

BOT_RULES = ((20, 60.0),)
NEVER_SHARED = ((1_000_000, 60.0),)
"""A limit so wide that each alert has a message of its own."""

_numbers = itertools.count()
_COUNT = re.compile(r"× (\d+)(?:, (\d+) in all)?")
_HEADLINE = re.compile(r"\S+ (\d+) alerts? of (\d+) kinds?")


@dataclass(frozen=True)
class Told:
    """A message that got through."""

    at: float
    text: str
    recipients: Recipients | None = None

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0]

    @property
    def is_shared(self) -> bool:
        return _HEADLINE.match(self.first_line) is not None

    @property
    def is_closing(self) -> bool:
        return self.first_line.startswith("✅")

    @property
    def count(self) -> int:
        """How many records it says that it is about."""
        if found := _HEADLINE.match(self.first_line) or _COUNT.search(self.first_line):
            return int(found[1])
        return 0 if self.is_closing else 1

    @property
    def total(self) -> int:
        """How many it says were made in all; only of a message that is not shared."""
        found = _COUNT.search(self.first_line)
        return self.count if found is None else int(found[2] or found[1])


class Recorder:
    """A channel that keeps each message. While ``error`` is set, it raises that; ``refuses`` looks at the text."""

    max_bytes: Mapping[type, int] = BOT_BYTES
    mentions = True

    def __init__(self, clock: Callable[[], float]) -> None:
        self.identity = f"recorder {next(_numbers)}"
        self.told: list[Told] = []
        self.tried: list[str] = []
        self.error: Exception | None = None
        self.refuses: Callable[[str], Exception | None] = lambda text: None
        self._clock = clock

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients()

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return ("",)

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        before_try()
        assert isinstance(message, Text)
        self.tried.append(message.content)
        if (error := self.error or self.refuses(message.content)) is not None:
            raise error
        self.told.append(Told(self._clock(), message.content, recipients))
        return Outcome("delivered")

    def upload(self, name: str, data: bytes) -> File:
        raise NotImplementedError


def pipeline(channel: Recorder, clock: Callable[[], float], **changes: Any) -> Pipeline:
    """A pipeline whose messages are plain text."""
    plain = {
        "name": "test",
        "origin": Origin(),
        "composer": Composer(markdown=False),
        "mask": redactor([], None),
        "rules": NEVER_SHARED,
    }
    return Pipeline([channel], Options(**{**plain, **changes}), clock)


def record(
    message: object = "something broke",
    *args: object,
    level: int = logging.ERROR,
    line: int = 1,
    error: BaseException | None = None,
    **more: object,
) -> logging.LogRecord:
    """A record as a logger makes it."""
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("shop", level, __file__, line, message, args, info)
    made.__dict__.update(more)
    return made


def turn(pipeline: Pipeline) -> float:
    """All that can be done now; the seconds until there is more."""
    for _ in range(100_000):
        if (wait := pipeline.turn()) > 0:
            return wait
    raise AssertionError("it does not come to rest")


def tell_counted(pipeline: Pipeline) -> None:
    """All that is counted is told, as for a flush."""
    pipeline.in_a_hurry = True
    assert pipeline.waits_for() is not None
    turn(pipeline)
    pipeline.in_a_hurry = False


def pass_time(pipeline: Pipeline, clock: Clock, seconds: float) -> None:
    """Let time go on, with a turn whenever the pipeline asks for one."""
    ends = clock.now + seconds
    while clock.now + (wait := turn(pipeline)) <= ends:
        clock.now += wait
    clock.now = ends
    turn(pipeline)


def settled(stats: Stats) -> int:
    """How many records have ended, however."""
    return stats.delivered + stats.merged + stats.handed_over + sum(stats.dropped.values())
