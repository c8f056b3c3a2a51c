"""Plays a case on an engine: what comes of it, in the words of the case."""

from __future__ import annotations

import heapq
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wecom_logging.errors import ConnectError, InvalidMessageError, MessageError, TransportError
from wecom_logging.model import Message, Outcome, Recipients

from ..programs import Clock
from ..storms import Recorder, Told, record, settled
from .engines import LEVELS, Engine
from .language import Case, seconds

BEGIN = 1_764_072_000.0  # 2025-11-25 12:00 UTC: one clock, which is that of the wall, too
USUAL = "ops"
LATE_S = 2.0
"""Of a message that is due an engine may wait for so long for others of its moment."""


class Group(Recorder):
    """An app with a directory, whose usual recipients are `USUAL`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.missing: set[str] = set()
        self.away: set[str] = set()
        self.before: dict[str, Callable[[], object]] = {}

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients(users=(USUAL,))

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


@dataclass
class Play:
    """One case on one engine."""

    case: Case
    make: Callable[[Recorder, Clock, dict[str, str]], Engine]
    made: int = 0
    names: dict[str, str] = field(default_factory=dict)
    """The short id of each incident, by its name."""

    def __post_init__(self) -> None:
        self.clock = Clock(BEGIN)
        self.channel = Group(self.clock)
        self.engine = self.make(self.channel, self.clock, self.case.options)
        self.lines: dict[str, int] = {}

    def play(self) -> list[tuple[float, str]]:
        """All messages, with the seconds since the beginning. Ends when the last row has been for `LATE_S`."""
        acts = [(row.at, number, row.act) for number, row in enumerate(self.case.rows)]
        heapq.heapify(acts)
        while acts:
            at, number, act = heapq.heappop(acts)
            self.pass_time(BEGIN + at)
            if found := re.fullmatch(r"each (\S+) until (\S+): (.*)", act):
                if at < seconds(found[2]):
                    heapq.heappush(acts, (at + seconds(found[1]), number, act))
                act = found[3]
            if act:
                self.do(act)
            self.engine.turn()
        self.pass_time(self.clock.now + LATE_S)
        return [(one.at - BEGIN, self.said(one)) for one in self.channel.told]

    def pass_time(self, until: float) -> None:
        """With a turn whenever the engine asks for one."""
        while self.clock.now + (wait := self.engine.turn()) <= until:
            self.clock.now += wait
        self.clock.now = until

    def do(self, act: str) -> None:
        word, _, more = act.partition(" ")
        if word == "log":
            self.log(more)
        elif act == "flush":
            self.engine.flush()
        elif word == "wecom:":
            self.set_wecom(more)
        elif word == "directory:":
            self.set_directory(more)
        elif found := re.fullmatch(r"while (\S+) is told: (.*)", act):
            self.channel.before[found[1]] = lambda: self.do(found[2])
        elif found := re.fullmatch(r"(refused )?(\w+): (.*)", act):
            why = self.engine.say(found[2], self.with_id(found[3]))
            assert bool(why) == bool(found[1]), f"{act}: {why or 'it is not refused'}"
        else:
            raise ValueError(f"no act: {act}")

    def log(self, text: str) -> None:
        found = re.fullmatch(
            r"(?P<name>\w+)(?: × (?P<number>\d+))?(?: (?P<level>critical|warning))?(?: of (?P<cause>\w+))?"
            r"(?: as (?P<variant>\w+))?",
            text,
        )
        assert found is not None, text
        name = found["name"]
        line = self.lines.setdefault(name, len(self.lines) + 1)
        error = None if found["cause"] is None else raised(DatabaseError(f"{found['cause']} refuses connections"))
        words, args = (f"{name} broke", ()) if found["variant"] is None else (f"{name} broke for %s", (found["variant"],))
        for _ in range(int(found["number"] or 1)):
            level = LEVELS[found["level"] or "error"]
            self.engine.log(record(words, *args, line=line, level=level, error=error, created=self.clock.now))
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

    def with_id(self, words: str) -> str:
        """The names of incidents are their short ids for who types."""
        for view in self.engine.incidents():
            for name in self.lines:
                if view.text.startswith(f"{name} broke"):
                    self.names[name] = view.short_id
        return re.sub(r"\w+", lambda found: self.names.get(found[0], found[0]), words)

    def assert_balance(self) -> None:
        stats = self.engine.stats()
        assert stats.accepted == self.made
        assert settled(stats) + stats.pending == self.made

    def said(self, told: Told) -> str:
        """A message, in the words of the cases."""
        kind = kind_of(told)
        names = [name for name in self.lines if f"{name} broke" in told.whole or f"{name} broke" in told.text]
        words = [kind, *names]
        if kind not in ("step", "line"):
            words.append(str(told.count))
            if not told.is_shared and not told.is_flood and (in_all := total_of(told)) != told.count:
                words += ["of", str(in_all)]
        users = told.recipients.users if told.recipients else ()
        if users not in ((), (USUAL,)):
            words += ["to", *users]
        return " ".join(words)


KINDS = (
    (r"⏫ Escalation (?P<number>\d+)/", "step"),
    (r"⏫ .*told nobody", "missed"),
    (r"⏫", "line"),
    (r"✋ .* taken by", "taken"),
    (r"✅ .* closed by", "closed"),
    (r".*: nothing came$", "nothing"),
    (r".* silenced by \S+ [\d:-]+.*, until", "silenced"),
    (r".* undone by", "undone"),
    (r"✅", "end"),
    (r".* again, \d", "again"),
    (r"\S+ \d+ alerts? of \d+ kinds?", "many"),
)


def kind_of(told: Told) -> str:
    """What a message is. What begins is ``first``, what goes on ``more``."""
    if told.is_flood:
        return "summary"
    for pattern, kind in KINDS:
        if found := re.match(pattern, told.first_line):
            return f"step {found['number']}" if kind == "step" else kind
    return "first" if told.count == told.total else "more"


def total_of(told: Told) -> int:
    found = re.search(r"(\d+) in all", told.text)
    return told.count if found is None else int(found[1])


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def judged(case: Case, make: Callable[[Recorder, Clock, dict[str, str]], Engine]) -> tuple[Play, list[tuple[float, str]]]:
    play = Play(case, make)
    return play, play.play()


def difference(expected: list[tuple[float, str]], found: list[tuple[float, str]]) -> bool:
    """Whether a message differs, or comes earlier or later than `LATE_S` after its time."""
    if len(expected) != len(found):
        return True
    pairs = zip(expected, found, strict=True)
    return any(said != has or not -0.1 <= at - due <= LATE_S for (due, said), (at, has) in pairs)


__all__ = ["BEGIN", "Play", "difference", "judged", "logging"]
