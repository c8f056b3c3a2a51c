"""``python -m tools.day [--all]``: a day of five people with 40 incidents, by the clock of a simulation.

It prints what each of them got, without answers and with, in markdown; with ``--all`` message by message. The very same
records are logged in both: that somebody answers changes what is told, not what fails.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.one_clock import Ahead, one_clock, pass_time
from tests.programs import word
from tests.told import Told
from wecom_logging import WeComAIBotHandler, WeComHandler
from wecom_logging.formatters import TextFormatter
from wecom_logging.testing import sandbox

MINUTE, DAY = 60.0, 86400.0
BEGIN, END = 9 * 60, 19 * 60
"""In minutes of the day. Nothing fails after `STOPS`."""
STOPS = 17 * 60
EVERY_S = 20.0
"""How often each incident repeats."""
LATER_S = 10.0
"""So long after a full minute somebody answers: not at the very time of a digest."""
EARLIER_S, APART_S = 7.0, 1.5
"""What repeats comes so much earlier, and each incident begins so much later than the one before, counted within the
hour: nothing comes at the very time of a digest, and no two digests are due at once."""
STEP_S = 5.0
"""What is due goes so much later at most."""

TEAMS = (("Li", "Wang"), ("Wang", "Zhao", "Chen"), ("Chen", "Sun"), ("Li", "Wang", "Zhao", "Chen", "Sun"))
PEOPLE = sorted({name for team in TEAMS for name in team})
FIXED = (1, 6, 11, 16, 21, 26, 31)
FORGOTTEN = (3, 14, 25)
SILENCED = (4, 9, 19, 24, 34)
WHAT = ("taken, and closed after 45 minutes", "taken, and forgotten", "silenced for 2 hours", "nobody answers")
KINDS = ("first", "digest", "line", "end")


@dataclass(frozen=True)
class Failing:
    """An incident: it begins at a minute of the day and lasts so many; who says what, by minutes after its first."""

    number: int
    lasts: int
    what: str
    says: tuple[tuple[int, str], ...] = ()

    @property
    def begins(self) -> int:
        return BEGIN + 12 * self.number

    @property
    def team(self) -> tuple[str, ...]:
        return TEAMS[self.number % len(TEAMS)]


def incidents() -> Iterator[Failing]:
    for number in range(40):
        begins = BEGIN + 12 * number
        if number in FIXED:
            yield Failing(number, 45, WHAT[0], ((3, "take"), (45, "done")))
        elif number in FORGOTTEN:
            yield Failing(number, STOPS - begins, WHAT[1], ((3, "take"),))
        elif number in SILENCED:
            yield Failing(number, 100, WHAT[2], ((2, "quiet"),))
        else:
            yield Failing(number, (2, 10, 30)[number % 3], WHAT[3])


@dataclass(frozen=True)
class Got:
    """A message: at which minute, of which kind, about which incidents, and what its first line says."""

    at: float
    kind: str
    about: tuple[Failing, ...]
    text: str


def day(*, answers: bool) -> list[Got]:
    """All messages of the day, in their order."""
    ahead = Ahead(MINUTE)
    with sandbox() as wecom, one_clock(ahead):
        wecom.clock.advance(MINUTE)
        for name in PEOPLE:
            wecom.add_member(name, name=name, departments=[1])
        app = WeComHandler(users=[PEOPLE[0]], answers="aibot", language="en", timezone="UTC")
        app.setFormatter(TextFormatter())
        answerers = dict(
            zip(PEOPLE, PEOPLE, strict=True)
        )  # others get few answers within a minute that is not simulated
        bot = WeComAIBotHandler(level="CRITICAL", language="en", answerers=answerers, chats=["sandbox-user"])
        with closing(bot), closing(app):
            bot.handle(_record("the day begins", 0, ahead(), level=logging.CRITICAL))  # it connects by that
            assert bot.flush(10)
            wecom.aibot.wait_for_subscriber()
            wecom.clock.advance(until_nine := -ahead() % DAY + BEGIN * MINUTE)  # ends have a clock of their own
            ahead.advance(until_nine)
            return _lived(app, wecom, ahead, answers=answers)


def _lived(app: WeComHandler, wecom: Any, ahead: Ahead, *, answers: bool) -> list[Got]:
    began = ahead()

    def let_pass(until: float) -> None:
        pass_time(ahead, began + until - ahead(), wecom.clock.advance, least=STEP_S)

    found = list(incidents())
    events: list[tuple[float, int, Failing, str]] = []
    for one in found:
        start = (one.begins - BEGIN) * MINUTE + one.number * APART_S
        records = int(one.lasts * MINUTE / EVERY_S)
        events += [(start + number * EVERY_S - EARLIER_S * bool(number), 0, one, "") for number in range(records)]
        events += [(start + minutes * MINUTE + LATER_S, 1, one, verb) for minutes, verb in one.says if answers]
    for at, _, one, verb in sorted(events, key=lambda event: event[:2]):
        let_pass(at)
        if verb:
            _say(app, wecom, one, verb)
        else:
            app.handle(_record(f"{word(one.number)} failed", one.number, ahead(), wecom={"users": list(one.team)}))
    let_pass((END - BEGIN) * MINUTE)
    stats = app.stats()
    assert stats.accepted == stats.delivered + stats.merged == sum(not verb for *_, verb in events), stats
    told = [Told(one["time"] - began, one["content"]) for one in wecom.messages(channel="app")]
    assert sum(one.count for one in told) == stats.accepted
    return [_got(one, found) for one in told]


def _record(text: str, line: int, created: float, level: int = logging.ERROR, **more: object) -> logging.LogRecord:
    """As a logger makes it, in a function of its own for each line."""
    made = logging.LogRecord("shop", level, __file__, line, text, (), None, f"line_{line}")
    made.__dict__.update(more, created=created)
    return made


def _say(app: WeComHandler, wecom: Any, one: Failing, verb: str) -> None:
    """The first of the team writes to the AI bot, and reads what it answers."""
    who, before = one.team[0], len(wecom.messages(channel="aibot"))
    (short_id,) = (row.short_id for row in app.incidents() if row.text == f"{word(one.number)} failed")
    assert wecom.aibot.say(who, who, f"{verb} {short_id} {'2h' if verb == 'quiet' else ''}")
    reply = wecom.wait(before + 1, channel="aibot")[before]["content"]
    assert reply.startswith(f"#{short_id} "), reply


def _got(told: Told, found: list[Failing]) -> Got:
    about = tuple(one for one in found if f"{word(one.number)} failed" in told.text)
    assert about, told.text
    if told.is_news:
        kind = "end" if told.first_line.endswith("nothing came") else "line"
    elif told.is_closing:
        kind = "end"
    else:
        kind = "first" if told.count == told.total and not told.is_shared else "digest"
    return Got(told.at / MINUTE + BEGIN, kind, about, told.first_line)


def people(without: list[Got], with_answers: list[Got]) -> str:
    """What each of them got, by kind."""
    heads = ("who", "without", *KINDS, "with", *KINDS)
    rows = []
    for name in (*PEOPLE, "together"):
        cells = [name]
        for got in (without, with_answers):
            mine = Counter(one.kind for one in got for who in one.about[0].team if name in (who, "together"))
            cells += [str(sum(mine.values())), *(str(mine[kind]) for kind in KINDS)]
        rows.append(cells)
    return table(heads, rows)


def by_what(without: list[Got], with_answers: list[Got]) -> str:
    """Messages about one incident, on the average, by what people did with it."""
    rows = []
    for what in WHAT:
        number = sum(one.what == what for one in incidents())
        cells = [what, str(number)]
        for got in (without, with_answers):
            named = sum(about.what == what for one in got for about in one.about)
            cells.append(f"{named / number:.1f}")
        rows.append(cells)
    return table(("what people did", "incidents", "messages without", "with"), rows)


def clock_of(minute: float) -> str:
    return f"{int(minute) // 60:02}:{int(minute) % 60:02}"


def table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    numbers = [all(row[at][:1].isdigit() and ":" not in row[at] for row in rows) for at in range(len(heads))]
    rule = "|".join("---:" if is_number else "---" for is_number in numbers)
    return "\n".join([f"| {' | '.join(heads)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)])


def tables() -> list[str]:
    """What each person got, and what one incident cost."""
    got = day(answers=False), day(answers=True)
    return [people(*got), by_what(*got)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.day", description=__doc__)
    parser.add_argument("--all", action="store_true", help="what each person got, message by message")
    if parser.parse_args().all:
        for name in PEOPLE:
            for answers in (False, True):
                print(f"\n## {name}, {'with' if answers else 'without'} answers\n")
                for one in day(answers=answers):
                    if name in one.about[0].team:
                        print(f"{clock_of(one.at)} {one.kind:6} {one.text}")
        return 0
    print("\n\n".join(tables()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
