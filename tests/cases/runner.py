"""Plays a case on an engine: what comes of it, in the words of the case."""

from __future__ import annotations

import heapq
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wecom_logging.errors import ConnectError, InvalidMessageError, MessageError, TransportError
from wecom_logging.model import Message, Outcome, Recipients

from ..programs import Clock, word
from ..storms import Recorder, Told, record, settled
from .engines import LEVELS, Engine
from .language import LATE_S, Case, seconds

BEGIN = 1_764_072_000.0  # 2025-11-25 12:00 UTC: one clock, which is that of the wall, too
USUAL = "ops"
KINDS_LINE = 900
"""Where kinds without names are logged; each name has a line of its own, from 1 on."""


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
        self.problems: list[Exception] = []

    def play(self) -> list[tuple[float, str]]:
        """All messages, with the seconds since the beginning. Ends when the last row has been for `LATE_S`."""
        acts = [(row.at, number, row.act) for number, row in enumerate(self.case.rows)]
        heapq.heapify(acts)
        while acts:
            at, number, act = heapq.heappop(acts)
            self.pass_time(BEGIN + at)
            if found := re.fullmatch(r"each (\S+) until (\S+): (.*)", act):
                after = at + seconds(found[1])
                if after < seconds(found[2]):
                    heapq.heappush(acts, (after, number, act))
                act = found[3]
            if act:
                self.do(act)
            self.engine.turn()
            for one in self.case.rows[number].holds:
                self.assert_holds(one)
        self.pass_time(self.clock.now + LATE_S)
        if self.problems:
            raise self.problems[0]
        return [(one.at - BEGIN, self.said(one)) for one in self.channel.told]

    def pass_time(self, until: float) -> None:
        """With a turn whenever the engine asks for one."""
        while self.clock.now + (wait := self.engine.turn()) <= until:
            self.clock.now += wait
        self.clock.now = until

    def do(self, act: str) -> None:
        verb, _, more = act.partition(" ")
        if verb == "log":
            self.log(more)
        elif verb == "kinds":
            self.log_kinds(more)
        elif act == "flush":
            self.engine.flush()
        elif verb == "wecom:":
            self.set_wecom(more)
        elif verb == "directory:":
            self.set_directory(more)
        elif found := re.fullmatch(r"while (\S+) is told: (.*)", act):
            meanwhile = found[2]
            self.channel.before[found[1]] = lambda: self.do_meanwhile(meanwhile)
        elif found := re.fullmatch(r"(refused )?(\w+): (.*)", act):
            why = self.engine.say(found[2], self.with_id(found[3]))
            assert bool(why) == bool(found[1]), f"{act}: {why or 'it is not refused'}"
        else:
            raise ValueError(f"no act: {act}")

    def do_meanwhile(self, act: str) -> None:
        """Within a request: an engine may catch what is raised there, so it is kept."""
        try:
            self.do(act)
        except Exception as error:
            self.problems.append(error)

    def log(self, text: str) -> None:
        found = re.fullmatch(
            r"(?P<name>\w+)(?: × (?P<number>\d+))?(?: (?P<level>critical|warning))?(?: of (?P<cause>\w+))?"
            r"(?: as (?P<variants>\w+(?: \w+)*))?",
            text,
        )
        assert found is not None, text
        name = found["name"]
        line = self.lines.setdefault(name, len(self.lines) + 1)
        level = LEVELS[found["level"] or "error"]
        texts = [f"{name} broke: {one} is not known here" for one in (found["variants"] or "").split()]
        for text in texts or [f"{name} broke"] * int(found["number"] or 1):
            error = None  # each its own: the same one logged twice is one report
            if found["cause"] is not None:
                error = raised(DatabaseError(f"{found['cause']} refuses connections"))
            self.take(record(text, line=line, level=level, error=error, created=self.clock.now))

    def log_kinds(self, text: str) -> None:
        found = re.fullmatch(r"(\d+)(?: from (\d+))?(?: (critical|warning))?", text)
        assert found is not None, text
        begin, level = int(found[2] or 0), LEVELS[found[3] or "error"]
        for kind in range(begin, begin + int(found[1])):
            self.take(record(f"broken {word(kind)}", line=KINDS_LINE, level=level, created=self.clock.now))

    def take(self, made: logging.LogRecord) -> None:
        self.engine.log(made)
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

    def assert_holds(self, what: str) -> None:
        about, *more = what.split()
        views, stats = self.engine.incidents(), self.engine.stats()
        open_now = {name: one for one in views for name in self.lines if one.text.startswith(f"{name} broke")}
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
        stats = self.engine.stats()
        assert stats.accepted == self.made
        assert settled(stats) + stats.pending == self.made
        if not stats.pending:
            counts = sum(map(count_of, self.channel.told))
            assert counts + sum(stats.dropped.values()) == self.made, f"of {self.made} the messages say {counts}"

    def is_named(self, name: str, line: int, text: str) -> bool:
        """Whether a message is about it: it shows its text, or its function in a row of a cause."""
        return f"{name} broke" in text or re.search(rf"^· shop line_{line}\b", text, re.M) is not None

    def said(self, told: Told) -> str:
        """A message, in the words of the cases."""
        kind = kind_of(told)
        names = [
            name for name, line in self.lines.items() if re.search(rf"{name} broke|line_{line}\b(?!.*\n│)", told.whole)
        ]
        words = [kind, *names]
        if not kind.startswith("step"):
            words.append(str(count_of(told)))
            if (
                kind not in ("held", "cause")
                and not told.is_shared
                and not told.is_flood
                and (in_all := total_of(told)) != told.count
            ):
                words += ["of", str(in_all)]
        if kind == "end" and "not tried again" in told.text:
            words.append("rare")
        users = told.recipients.users if told.recipients else ()
        if users not in ((), (USUAL,)):
            words += ["to", *users]
        return " ".join(words)


KINDS = (
    (r"⏫ Escalation (?P<number>\d+)/", "step"),
    (r"⏫ .* reached nobody", "missed"),
    (r"⏫", "line"),
    (r"\S+ (quiet hours|maintenance) .* incidents?\b", "held"),
    (r"\S+ .* · \d+ places", "cause"),
    (r".* taken by \S+ [\d:-]+, quiet until", "taken"),
    (r".* closed by \S+ [\d:-]+$", "closed"),
    (r".*: nothing came$", "nothing"),
    (r".* silenced by \S+ [\d:-]+.*, until", "silenced"),
    (r".*(undone by|given back by|unsilenced by|opened again by)", "undone"),
    (r"✅", "end"),
    (r".* again, \d", "again"),
    (r"\S+ \d+ alerts? of \d+ kinds?", "many"),
)
"""What the first line of a message shows of its kind."""


def kind_of(told: Told) -> str:
    """What a message is. What begins is ``first``, what goes on ``more``."""
    if told.is_flood:
        return "summary"
    for pattern, kind in KINDS:
        if found := re.match(pattern, told.first_line):
            return f"step {found['number']}" if kind == "step" else kind
    return "first" if told.count == told.total else "more"


def count_of(told: Told) -> int:
    """How many records it is about that no message was about before. The whole alert of a step is about none."""
    kind = kind_of(told)
    if kind.startswith("step"):
        return 0
    if kind in ("line", "missed"):
        return told.count if told.is_news else sum(map(int, re.findall(r"× (\d+)", told.text)))
    if kind != "held":
        return told.count
    lines = [line for line in told.text.split("\n")[1:] if line.startswith(("🔴", "🚨", "✅"))]
    return sum(map(_count_in_line, lines))


def _count_in_line(line: str) -> int:
    found = re.search(r"× (\d+)", line)
    return int(found[1]) if found else 1 - line.startswith("✅")


def total_of(told: Told) -> int:
    found = re.search(r"(\d+) in all", told.text)
    return told.count if found is None else int(found[1])


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def difference(expected: list[tuple[float, float, str]], found: list[tuple[float, str]]) -> bool:
    """Whether a message differs, or comes at another time."""
    if len(expected) != len(found):
        return True
    pairs = zip(expected, found, strict=True)
    return any(said != has or not begins - 0.1 <= at <= ends for (begins, ends, said), (at, has) in pairs)
