"""One program on a clock that a case advances: what it logs, what people type, and what its channel was given.

Options are those that a user gives a handler, and logging, `expect` and `maintenance` are the public ones. What a case
needs of the engine beside that stands in `Program` alone: the pipeline below the handler, and where people answer.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from wecom_logging import WeComHandler
from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk, Person
from wecom_logging._jobs import declared
from wecom_logging._pipelines import pipeline_of
from wecom_logging._runtime import clock as system
from wecom_logging.errors import MessageError, TransportError
from wecom_logging.model import Message, Outcome, Recipients, Stats
from wecom_logging.teams import expect

from ..programs import Clock
from ..storms import Recorder, record

FIRST = "张三"
"""Who gets what names nobody."""


class Channel(Recorder):
    """An app with a directory, in which people may be missing, or which cannot be asked for some of them."""

    def __init__(self, clock: Clock, users: Sequence[str]) -> None:
        super().__init__(clock)
        self._users = tuple(users)
        self.missing: set[str] = set()
        self.away: set[str] = set()
        self.amid: Callable[[], None] | None = None
        """Done once, while a message is on its way."""

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients(users=self._users)

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        named = self.addressed(recipients)
        if amid := self.amid:
            self.amid = None
            amid()
        if self.away & {*named.users}:
            raise TransportError("the directory cannot be read")
        if not {*named.users} - self.missing:
            raise MessageError("no recipient is left")
        return super().deliver(message, named, before_try)


class Program:
    """A process with its memory. It has no thread: its turns are made here."""

    def __init__(self, begins: float, options: Mapping[str, Any]) -> None:
        self.clock = Clock(begins)
        self.leapt_s = 0.0
        """By how much the clock on the wall was set since it began."""
        given = {"users": [FIRST], "timezone": "Asia/Shanghai", "service": "shop", "rate_limit": None, **options}
        self.channel = Channel(self.clock, given["users"])
        self.handler = WeComHandler(corp_id="ww1", agent_id=1, secret="s" * 8, **given)
        own = self.handler._pipeline
        assert own is not None
        looks = own.options.looks._replace(markdown=False)
        channels: list[Any] = [self.channel]
        self._pipeline = pipeline_of(channels, replace(own.options, looks=looks), self.clock)
        self._pipeline.wall = self.wall  # of a leader
        self._pipeline._worker.nudge = lambda: None
        self._pipeline.collector.audience = own.collector.audience
        own.end_for(self.handler)
        self.handler._pipeline, self.handler._shortcut = self._pipeline, self._pipeline.collector
        self.logged = 0
        self._pipeline.open_for(self.handler)
        self._desk = Desk(lambda: [self._pipeline.place], language=looks.reader, time_s=self.wall)
        self.runs: dict[str, list[Any]] = {}

    def wall(self) -> float:
        return self.clock.now + self.leapt_s

    def pass_time(self, ends: float, most_s: float) -> None:
        """Let time go on until then, with a turn whenever the program asks for one, and each ``most_s`` at least."""
        while (wait := min(max(self.turn(), 0.05), most_s)) and self.clock.now < ends:
            self.clock.now = min(self.clock.now + wait, ends)

    def turn(self) -> float:
        for _ in range(100_000):
            if (wait := self._pipeline.turn()) > 0:
                return wait
        raise AssertionError("it does not come to rest")

    def stats(self) -> Stats:
        return self.handler.stats()

    def close(self) -> None:
        self.handler.close()

    # The verbs of the cases.

    def log(self, text: str, times: int = 1, level: str = "ERROR", **more: Any) -> None:
        self.logged += times
        for _ in range(times):
            line = sum(map(ord, text))
            self.handler.handle(record(text, line=line, level=logging.getLevelName(level), created=self.wall(), **more))

    def say(self, who: str, words: str, why: str = "", *says: str) -> None:
        """A person types it; ``{}`` is the id of the incident that was sent last. It is refused for a reason."""
        self.do(who, read(words.format(self.last_id())), why, *says)

    def amid(self, verb: str, *more: Any) -> None:
        """Let something happen while the next message is on its way."""
        self.channel.amid = lambda: getattr(self, verb)(*more)

    def give(self, who: str, to: str, why: str = "", *says: str) -> None:
        """A person chooses who has it from now on."""
        self.do(who, Command("give", self.last_id(), whom=to), why, *says)

    def take(self, who: str, length_s: float = 0.0) -> None:
        """A person, who is a member of that user id, takes it for so long."""
        self.do(Person(who, who), Command("take", self.last_id(), length_s), None)

    def do(self, who: str | Person, command: Command, why: str | None, *says: str) -> None:
        """Let it be done; ``why`` None: whatever is answered."""
        reply = self._desk.do(command, who, "chat")
        assert why in (None, reply.why), (command, reply.why, reply.text)
        for text in says:
            assert re.search(text, reply.text), (text, reply.text)

    def last_id(self) -> str:
        found = [name for one in self.channel.told for name in re.findall(r"#(\w{4,})\b", one.text)]
        return next(iter([*found[-1:], *(one.short_id for one in self.handler.incidents())]), "zzzz")

    def declare(self, name: str, **more: Any) -> None:
        expect(name, handler=self.handler, **more)

    def begin(self, name: str) -> None:
        """A run begins."""
        self.runs.setdefault(name, []).append(expect(name, handler=self.handler).began())

    def end(self, name: str, run: int = -1, *, has_failed: bool = False) -> None:
        """A run ends: the one that began last, or another."""
        expect(name, handler=self.handler).ended(self.runs[name].pop(run), has_failed=has_failed)

    def run(self, name: str) -> None:
        self.begin(name)
        self.end(name)

    def leap(self, seconds: float) -> None:
        """The clock on the wall is set: no time passes."""
        self.leapt_s += seconds

    def lose(self, *people: str) -> None:
        """From now on the directory has all but these."""
        self.channel.missing = {*people}

    def hide(self, *people: str) -> None:
        """From now on the directory cannot be asked for these."""
        self.channel.away = {*people}

    def stop(self, seconds: float) -> None:
        """The process, or the machine, is stopped for so long: time passes, and no turn is made."""
        self.clock.now += seconds

    def flush(self) -> None:
        """Somebody waits for all that is left: what may go goes now."""
        pipeline = self._pipeline
        pipeline.draining = True
        mark = pipeline.waits_for()
        self.turn()
        assert mark is not None
        assert pipeline.is_told(mark)
        pipeline.draining = False

    def exit(self) -> None:
        """The program ends in order."""
        self._pipeline.end()
        self.flush()
        assert self._pipeline.give_up() == 0


@contextmanager
def program(begins: float, options: Mapping[str, Any]) -> Iterator[Program]:
    """One whose clock is the machine's wall, too."""
    jobs = declared.declared[:], dict(declared.newest)
    declared.declared.clear()
    declared.newest.clear()
    made = list[Program]()

    def wall() -> float:
        return made[0].wall() if made else begins

    with patch.object(time, "time", wall), patch.object(system, "_ahead_s", 0.0):
        made.append(Program(begins, options))
        try:
            yield made[0]
        finally:
            made[0].close()
            declared.declared[:], newest = jobs
            declared.newest.clear()
            declared.newest.update(newest)
