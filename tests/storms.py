"""A channel that keeps what it is given, and ways to lead a pipeline through a storm with the time in hand."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._masking.redact import masker
from wecom_logging._pipelines import pipeline_of
from wecom_logging._runtime import warn
from wecom_logging._wecom.body import BOT_BYTES
from wecom_logging.model import Call, File, Message, Outcome, Recipients, Stats, Text

from .programs import Clock
from .told import Told as Told

BOT_RULES = ((20, 60.0),)
NEVER_SHARED = ((1_000_000, 60.0),)
"""A limit so wide that each alert has a message of its own."""

CLOCK = r"(?:\d\d-\d\d )?\d\d:\d\d"
"""A time as people read it: with its day, where that is not the day of who reads it."""

_numbers = itertools.count()


class Recorder:
    """A channel that keeps each message. While ``error`` is set, it raises that; ``refuses`` looks at the text.

    A summary is kept with its file, when that has come; ``no_files`` is raised for an upload.
    """

    max_bytes: Mapping[type, int] = BOT_BYTES
    mentions = True

    def __init__(self, clock: Callable[[], float]) -> None:
        self.identity = f"recorder {next(_numbers)}"
        self.told: list[Told] = []
        self.tried: list[str] = []
        self.error: Exception | None = None
        self.refuses: Callable[[str], Exception | None] = lambda text: None
        self.no_files: Exception | None = None
        self.files: list[bytes] = []
        self.summaries: list[str] = []
        self._clock = clock

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients()

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return ("",)

    def known(self, recipients: Recipients | None) -> Recipients:
        return self.addressed(recipients)

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        return ()

    is_elsewhere = False

    def load(self) -> None:
        """It needs nothing."""

    def begin(self) -> None:
        """It needs nothing."""

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        before_try()
        if isinstance(message, File):
            if (error := self.error or self.refuses(message.media_id)) is not None:
                raise error
            text = self.summaries[-1]
            self.told.append(Told(self._clock(), text, recipients, self.files[int(message.media_id.split()[1])]))
            return Outcome("delivered")
        assert isinstance(message, Text)
        self.tried.append(message.content)
        if (error := self.error or self.refuses(message.content)) is not None:
            raise error
        if "all are in the file" in message.content:
            self.summaries.append(message.content)
        else:
            self.told.append(Told(self._clock(), message.content, recipients))
        return Outcome("delivered")

    def upload(self, name: str, data: bytes) -> File:
        if self.no_files is not None:
            raise self.no_files
        self.files.append(data)
        return File(f"file {len(self.files) - 1}")


def pipeline(channel: Recorder, clock: Callable[[], float], **changes: Any) -> Pipeline:
    """A pipeline whose messages are plain text."""
    plain = {
        "name": "test",
        "origin": Origin(),
        "looks": Composer(markdown=False),
        "mask": masker([], None),
        "rules": NEVER_SHARED,
    }
    return pipeline_of([channel], Options(**{**plain, **changes}), clock)


def record(
    message: object = "something broke",
    *args: object,
    level: int = logging.ERROR,
    line: int = 1,
    error: BaseException | None = None,
    **more: object,
) -> logging.LogRecord:
    """A record as a logger makes it, in a function of its own for each line."""
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("shop", level, __file__, line, message, args, info, f"line_{line}")
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
    pipeline.draining = True
    assert pipeline.waits_for() is not None
    turn(pipeline)
    pipeline.draining = False


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


def warned() -> list[str]:
    """The causes of the lines on stderr so far, in their order."""
    return list(warn._last)
