"""The engines that the cases judge. Each gives a `Pipeline` over a channel and a clock that are handed in.

What a runner needs of one, and nothing more: `Engine`. The engine of today reaches into the package in this file alone,
so a further engine is one class here and one line in `ENGINES`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from wecom_logging._answers.command import read
from wecom_logging._answers.desk import Desk
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._incidents.duty import duty_text
from wecom_logging.model import IncidentView, Recipients, Stats
from wecom_logging.model.duty import Duty, Span, Step

from ..programs import Clock
from ..storms import NEVER_SHARED, Recorder, pipeline, tell_counted, turn
from .language import seconds

LEVELS = {"critical": logging.CRITICAL, "warning": logging.WARNING, "error": logging.ERROR}


class Engine(Protocol):
    """One process with its memory. Its clock is the seconds since the epoch."""

    def log(self, record: logging.LogRecord) -> None:
        """A program logs it."""

    def turn(self) -> float:
        """All that can be done now; the seconds until there is more."""

    def flush(self) -> None:
        """Somebody waits for all that is left: what may go goes now."""

    def say(self, who: str, words: str) -> str:
        """A person types it; why it is refused, or ""."""

    def incidents(self) -> list[IncidentView]:
        """What is open."""

    def stats(self) -> Stats:
        """Its numbers."""


class Today:
    """The engine of today, in memory."""

    def __init__(self, channel: Recorder, clock: Clock, options: Mapping[str, str]) -> None:
        self._pipeline = pipeline(channel, clock, **_given(options))
        self._pipeline._worker.nudge = lambda: None  # its turns are made here
        self._desk = Desk(lambda: [self._pipeline.place], time_s=clock)

    def log(self, record: logging.LogRecord) -> None:
        self._pipeline.collector.take(record)

    def turn(self) -> float:
        return turn(self._pipeline)

    def flush(self) -> None:
        tell_counted(self._pipeline)

    def say(self, who: str, words: str) -> str:
        command = read(words)
        return command.why or self._desk.do(command, who, "here").why

    def incidents(self) -> list[IncidentView]:
        return self._pipeline.incidents()

    def stats(self) -> Stats:
        return self._pipeline.stats()


ENGINES: dict[str, Callable[[Recorder, Clock, Mapping[str, str]], Engine]] = {"today": Today}


def _given(options: Mapping[str, str]) -> dict[str, Any]:
    """The options of a case, as a pipeline takes them."""
    rules = dict[str, Any]()
    given: dict[str, Any] = {"looks": Composer(markdown=False)}
    for name, value in options.items():
        if name == "window":
            given["window_s"] = seconds(value)
        elif name == "rate":  # 2 in 60s
            number, _, within = value.partition(" in ")
            given["rules"] = ((int(number), seconds(within)),)
        elif name == "steps":  # 10m li; 25m wang zhao
            rules["steps"] = tuple(map(_step, value.split(";")))
            given["steps_s"] = tuple(one.after_s for one in rules["steps"])
        elif name == "quiet":  # 14:00-16:00
            begin, end = (int(one[:2]) * 60 + int(one[3:]) for one in value.split("-"))
            rules["quiet"] = (Span(tuple(range(7)), begin=begin, end=end),)
        elif name == "quiet_level":
            rules["quiet_level"] = LEVELS[value]
        elif name == "answers":
            given["looks"] = Composer(markdown=False, answers=value)
        else:
            raise ValueError(f"no option: {name}")
    return {"rules": NEVER_SHARED, **given, "duty": duty_text(Duty(**rules))}


def _step(text: str) -> Step:
    after, *users = text.split()
    return Step(seconds(after), Recipients(users=tuple(users)))
