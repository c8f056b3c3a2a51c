"""A program on a clock that a case advances: what it logs, what people type, and what its channel is given.

Options are those that a user gives a handler; logging and `expect` are the public ones. What a case needs of an engine
beside that stands in `Program` alone: the pipeline below the handler, and where people answer. The options of a case:

    begins=2026-12-07 21:00, zone=Asia/Shanghai      what the wall shows at the beginning, and of whom (else UTC)
    late=1m      by how much a message may be late      look=6s     the program makes a turn at least so often
    free=yes     only its steps have to stand in rows   refused=escalation     this option is wrong: nothing happens
    window=5s    rate=2 in 60s    pending=50    users=on-call:web
    steps=10m li; 25m wang zhao      steps_from=error    the lowest level that escalates (else critical)
    quiet=22:00-08:00 [below none]   quiet hours, and the level that passes
    rota=web anna bert+carl since 2026-12-07 06:00 every 1d
"""

from __future__ import annotations

import heapq
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from wecom_logging import WeComHandler
from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import Desk, Person
from wecom_logging._delivery.leader_pipeline import LeaderPipeline
from wecom_logging._jobs import declared
from wecom_logging._pipelines import pipeline_of
from wecom_logging._runtime import clock as system
from wecom_logging.errors import ConnectError, InvalidMessageError, MessageError, TransportError
from wecom_logging.model import Message, Outcome, Recipients
from wecom_logging.teams import expect

from ..programs import Clock, word
from ..storms import Recorder, record, settled, tell_counted, turn
from ..told import Told
from .language import LATE_S, Case, options, quoted, seconds
from .said import count_of, said

USUAL = "ops"
LEVELS = {"critical": logging.CRITICAL, "warning": logging.WARNING, "error": logging.ERROR}
KINDS_LINE = 900
"""Where kinds without names are logged; each name has a line of its own, from 1 on."""


class Channel(Recorder):
    """An app with a directory, whose usual recipients are ``users``."""

    def __init__(self, clock: Callable[[], float], users: tuple[str, ...]) -> None:
        super().__init__(clock)
        self.users = users
        self.missing: set[str] = set()
        self.away: set[str] = set()
        self.before: dict[str, Callable[[], object]] = {}

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients(users=self.users)

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        named = self.addressed(recipients)
        for user in named.users:
            self.before.pop(user, lambda: None)()
        if self.away & {*named.users}:
            raise TransportError("the directory cannot be read")
        if not {*named.users} - self.missing:
            raise MessageError("no recipient is left")
        return super().deliver(message, named, before_try)


class DatabaseError(Exception):
    """What a database's client raises."""


class Program:
    """A process with its memory that plays a case. It has no thread: its turns are made here."""

    def __init__(self, case: Case) -> None:
        self.case, self.clock = case, Clock(case.begins)
        self.leapt_s, self.made = 0.0, 0
        self.names: dict[str, str] = {}
        """The short id of each incident, by its name."""
        self.shows: dict[str, str] = {}
        """What texts show of it, a pattern."""
        self.problems: list[Exception] = []
        self.runs: dict[str, list[Any]] = {}
        given = _given(case.options)
        self.handler = WeComHandler(
            corp_id="ww1", agent_id=1, secret="s" * 8, service="shop", timezone=case.zone, **given
        )
        own = self.handler._pipeline
        assert own is not None
        self.channel = Channel(self.clock, tuple(given["users"]))
        looks = own.options.looks._replace(markdown=False)
        made = replace(own.options, looks=looks, rules=_rules(case.options.get("rate", "1000000 in 60s")))
        channels: list[Any] = [self.channel]
        self.pipeline = pipeline_of(channels, made, self.clock)
        assert isinstance(self.pipeline, LeaderPipeline)
        self.pipeline.wall = self.wall
        self.pipeline._worker.nudge = lambda: None  # type: ignore[method-assign]  # its turns are made here
        self.pipeline.collector.audience = own.collector.audience
        own.end_for(self.handler)
        self.handler._pipeline, self.handler._shortcut = self.pipeline, self.pipeline.collector
        self.pipeline.open_for(self.handler)
        self.desk = Desk(lambda: [self.pipeline.place], language=looks.reader, time_s=self.wall)

    def wall(self) -> float:
        return self.clock.now + self.leapt_s

    def play(self) -> list[tuple[float, str, Told]]:
        """All messages, with the seconds since the beginning. Ends when the last row has been for `LATE_S`."""
        rows = [(row.at, number, row.acts) for number, row in enumerate(self.case.rows)]
        heapq.heapify(rows)
        while rows:
            at, number, acts = heapq.heappop(rows)
            self.pass_time(self.case.begins + at)
            for act in acts:
                if found := re.fullmatch(r"each (\S+) until (.+?): (.*)", act):
                    after = at + seconds(found[1])
                    if after < self.case.second(found[2]):
                        heapq.heappush(rows, (after, number, (act,)))
                    act = found[3]
                self.do(act)
            turn(self.pipeline)
            for one in self.case.rows[number].holds:
                self.assert_holds(one)
        self.pass_time(self.clock.now + LATE_S)
        if self.problems:
            raise self.problems[0]
        came = self.channel.told
        return [(one.at - self.case.begins, said(one, self.shows, self.channel.users), one) for one in came]

    def pass_time(self, until: float) -> None:
        """With a turn whenever the program asks for one."""
        most_s = seconds(self.case.options.get("look", "1000d"))
        while self.clock.now + (wait := min(turn(self.pipeline), most_s)) <= until:
            self.clock.now += wait
        self.clock.now = max(until, self.clock.now)

    def do(self, act: str) -> None:
        verb, _, more = act.partition(" ")
        if found := re.fullmatch(r"while (\S+) is told: (.*)", act):
            meanwhile = found[2]
            self.channel.before[found[1]] = lambda: self.do_meanwhile(meanwhile)
        elif found := re.fullmatch(r"(?:(refused) (?:((?!user )\w+) )?)?(user )?(\w+): (.*)", act):
            if found[4] in ("wecom", "directory"):
                getattr(self, f"set_{found[4]}")(found[5])
            else:
                self.say(Person(found[4], found[4] if found[3] else ""), found[5], found[1], found[2])
        else:
            getattr(self, f"do_{verb}")(*[more] * bool(more))

    def do_meanwhile(self, act: str) -> None:
        """Within a request: an engine may catch what is raised there, so it is kept."""
        try:
            self.do(act)
        except Exception as error:
            self.problems.append(error)

    def do_log(self, text: str) -> None:
        found = re.fullmatch(
            r"(?P<name>\w+)(?: × (?P<number>\d+))?(?: (?P<level>critical|warning))?(?: of (?P<cause>\w+))?"
            r"(?: as (?P<variants>\w+(?: \w+)*))?",
            text,
        )
        assert found is not None, text
        name = found["name"]
        line = [*self.shows, name].index(name) + 1
        self.shows[name] = rf"{name} broke|line_{line}\b(?!.*\n│)"
        texts = [f"{name} broke: {one} is not known here" for one in (found["variants"] or "").split()]
        for text in texts or [f"{name} broke"] * int(found["number"] or 1):
            error = None  # each its own: the same one logged twice is one report
            if found["cause"] is not None:
                error = raised(DatabaseError(f"{found['cause']} refuses connections"))
            self.take(text, line=line, level=LEVELS[found["level"] or "error"], error=error)

    def do_kinds(self, text: str) -> None:
        found = re.fullmatch(r"(\d+)(?: from (\d+))?(?: (critical|warning))?", text)
        assert found is not None, text
        begin, level = int(found[2] or 0), LEVELS[found[3] or "error"]
        for kind in range(begin, begin + int(found[1])):
            self.take(f"broken {word(kind)}", line=KINDS_LINE, level=level)

    def take(self, text: str, **more: Any) -> None:
        self.handler.handle(record(text, created=self.wall(), **more))
        self.made += 1

    def set_wecom(self, what: str) -> None:
        self.channel.error, self.channel.refuses = None, lambda text: None
        if what == "fails":
            self.channel.error = ConnectError("no route")
        elif what.startswith("refuses "):
            name = what.partition(" ")[2]
            self.channel.refuses = lambda text: InvalidMessageError(40058, "scripted") if name in text else None
        elif what != "works":
            raise ValueError(f"WeCom cannot do this: {what}")

    def set_directory(self, what: str) -> None:
        verb, *users = what.split()
        self.channel.missing, self.channel.away = set(), set()
        {"lacks": self.channel.missing, "away": self.channel.away, "well": set[str]()}[verb].update(users)

    def say(self, who: Person, text: str, refused: str | None, why: str | None) -> None:
        """The names of incidents are their short ids for who types."""
        for view in self.handler.incidents():
            for name, pattern in self.shows.items():
                if re.search(pattern, view.text):
                    self.names[name] = view.short_id
        words, replies = quoted(text)
        words = re.sub(r"\w+", lambda found: self.names.get(found[0], found[0]), words)
        verb, *more = words.split()
        given = verb == "give" or (verb == "take" and len(more) > 1)  # what a card chooses, not typed words
        command = read(words)
        if given:
            whom = verb == "give"
            command = Command(verb, more[0], 0.0 if whom else seconds(more[1]), whom=more[1] if whom else "")
        reply = self.desk.do(command, who, "here")
        assert bool(reply.why) == bool(refused), f"{text}: {reply.why or 'it is not refused'}: {reply.text}"
        assert why in (None, reply.why), f"{text}: {reply.why}: {reply.text}"
        for one in replies:
            assert re.search(one, reply.text), f"{text}: {reply.text}"

    def do_declare(self, text: str) -> None:
        name, _, more = text.partition(" ")
        given: dict[str, Any] = options(more) if more else {}
        if "users" in given:
            given["users"] = given["users"].split()
        self.shows[name] = rf"\b{name}\b"
        expect(name, handler=self.handler, **given)

    def do_begin(self, name: str) -> None:
        self.shows.setdefault(name, rf"\b{name}\b")
        self.runs.setdefault(name, []).append(expect(name, handler=self.handler).began())

    def do_end(self, text: str) -> None:
        """The run that began last ends."""
        name, _, failed = text.partition(" ")
        expect(name, handler=self.handler).ended(self.runs[name].pop(), has_failed=failed == "failed")

    def do_run(self, name: str) -> None:
        self.do_begin(name)
        self.do_end(name)

    def do_leap(self, length: str) -> None:
        """The clock on the wall is set: no time passes."""
        self.leapt_s += seconds(length.lstrip("-")) * (-1 if length.startswith("-") else 1)

    def do_stop(self, length: str) -> None:
        """The process, or the machine, is stopped for so long: time passes, and no turn is made."""
        self.clock.now += seconds(length)

    def do_flush(self) -> None:
        tell_counted(self.pipeline)

    def do_exit(self) -> None:
        self.pipeline.end()
        self.do_flush()
        assert self.pipeline.give_up() == 0

    def do_restart(self, length: str) -> None:
        raise NotImplementedError("a memory ends with its process")

    def assert_holds(self, what: str) -> None:
        about, *more = what.split()
        views, stats = self.handler.incidents(), self.handler.stats()
        open_now = {name: one for one in views for name in self.shows if re.search(self.shows[name], one.text)}
        found: object
        if about == "open":
            found, wanted = sorted(open_now), sorted(more)
        elif about == "lost":
            found, wanted = [str(sum(stats.dropped.values()))], more
        elif about == "waits":
            found, wanted = [str(stats.pending)], more
        else:
            found, wanted = [open_now[about].taken_by or "nobody"], more
        assert found == wanted, f"{what}: {found}"

    def assert_balance(self) -> None:
        """Each record has ended or waits; and where none waits, the messages are about each of them once."""
        stats = self.handler.stats()
        assert stats.accepted == self.made or declared.declared, stats  # what was missed is a record, too
        assert settled(stats) + stats.pending == stats.accepted, stats
        if not stats.pending:
            counts = sum(map(count_of, self.channel.told)) + sum(stats.dropped.values())
            assert counts == stats.accepted, f"of {stats.accepted} the messages say {counts}"


@contextmanager
def program(case: Case) -> Iterator[Program]:
    """One whose clock is the machine's wall, too."""
    jobs = declared.declared[:], dict(declared.newest)
    declared.declared.clear()
    declared.newest.clear()
    made = list[Program]()

    def wall() -> float:
        return made[0].wall() if made else case.begins

    with patch.object(time, "time", wall), patch.object(system, "_ahead_s", 0.0):
        made.append(Program(case))
        try:
            yield made[0]
        finally:
            made[0].handler.close()
            declared.declared[:], newest = jobs
            declared.newest.clear()
            declared.newest.update(newest)


def _given(options: dict[str, str]) -> dict[str, Any]:
    """The options of a case, as a handler takes them."""
    given: dict[str, Any] = {"users": options.get("users", USUAL).split(), "rate_limit": None}
    if "window" in options:
        given["window"] = seconds(options["window"])
    if "pending" in options:
        given["max_pending"] = int(options["pending"])
    if "quiet" in options:
        when, _, below = options["quiet"].partition(" below ")
        given["quiet_hours"] = {"when": when, "below": "none" if below == "none" else below.upper()} if below else when
    if "rota" in options:
        found = re.fullmatch(r"(\w+) (.*) since (.*) every (\w+)", options["rota"])
        assert found is not None, options["rota"]
        people = [one.split("+") if "+" in one else one for one in found[2].split()]
        given["on_call"] = {found[1]: {"people": people, "since": found[3], "every": found[4]}}
    if "steps" in options:  # 10m li; 25m wang zhao
        steps = [one.split() for one in options["steps"].split(";")]
        given["escalation"] = [{"after": f"{seconds(after):g}s", "users": users} for after, *users in steps]
        given["escalation_level"] = options.get("steps_from", "critical").upper()
        given["answers"] = "aibot"
    return given


def _rules(text: str) -> tuple[tuple[int, float], ...]:
    """``2 in 60s``."""
    number, _, within = text.partition(" in ")
    return ((int(number), seconds(within)),)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught
