"""A case: what happens to a program and which messages come, as rows of plain data; and `judge`, which lets it happen.

``happens`` has rows of (when, verb, …); each verb is a method of `Program`, and all of one time happens at once. Rows
of ``comes`` are (when, kind, count, text …), each a message, in the order of time (of one time in any order): there
are no others. A time is a number of seconds since the beginning, or what the wall shows; ``"12-07 22:00"`` is any
second of that minute. A kind is one of `KINDS`, "" is any. ``count`` is how many records the message is about, for
``"held"`` and ``"maintenance"`` how many incidents, None where it says nothing of it. Each text, a pattern, is found
in the message.

A dict at the end of a row of ``comes`` has ``to`` (who gets it, where that is not `FIRST`), ``among`` (one of those),
``late`` (by how many seconds it may be), and ``may`` (True: it may be left out); at the end of a row of ``happens``,
what the verb is given by name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging.errors import ConfigurationError

from ..storms import Told, settled
from .program import FIRST, Program, program

SLACK_S = 2.0
"""So late a message may be."""

When = float | str
Row = tuple[Any, ...]

KINDS: tuple[tuple[str, str], ...] = (
    ("step", r"^⏫ (Escalation|升级) "),
    ("unsent step", r"^⏫ .* told nobody: "),
    ("to", r"^⏫ .*→ "),
    ("held", r"(quiet hours|夜间静默) .* · \d+ (incident|件)"),
    ("maintenance", r"^\S+ maintenance .* · \d+ incident"),
    ("many", r"^\S+ \d+ alerts of \d+ kinds"),
    ("given back", r"#\w+ given back by "),
    ("given", r"#\w+ given to "),
    ("taken", r"^✋ .*#\w+ taken by "),
    ("silenced", r"^✋ .*#\w+ silenced by .*, until "),
    ("nothing came", r"silenced by .*: nothing came$"),
    ("undone", r"#\w+ ((claim|silence) of .* undone|unsilenced) by "),
    ("opened", r"#\w+ opened again by "),
    ("closed", r"#\w+ closed by "),
    ("ran", r"#\w+ (ran again|the run of )"),
    ("watch ended", r" stopped watching job "),
    ("watched again", r" watches job "),
    ("end", r"^✅ .* quiet for "),
    ("again", r"\bagain, \d+\w\w (time|since)"),
    ("more", r"× \d+.* in all\b"),
    ("new", r"^[🔴🚨🟠]"),
)
"""What a message is, by its first line; the first that fits."""


@dataclass(frozen=True, slots=True)
class Case:
    """``name`` is its sentence, ``begins`` what the wall shows then, ``options`` what the handler is given.

    ``late_s``: by how much a message may be late. ``only``: a message that no row is about is no fault, but for one in
    which this is found. ``most_s``: the program makes a turn at least so often. ``settles`` False: some of its records
    still wait at the end. ``refused`` names the option that is wrong: then nothing happens.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    happens: tuple[Row, ...] = ()
    until: When = 0.0
    comes: tuple[Row, ...] = ()
    begins: str = "2026-12-07 21:00"
    zone: str = "Asia/Shanghai"
    most_s: float = float("inf")
    late_s: float = SLACK_S
    settles: bool = True
    refused: str = ""
    only: str = ""


def each(step_s: float, first: When, last: When, *what: Any) -> tuple[Row, ...]:
    """Rows of one thing that happens again and again; both times are seconds."""
    assert isinstance(first, int | float)
    assert isinstance(last, int | float)
    number = int((last - first) // step_s) + 1
    return tuple((first + place * step_s, *what) for place in range(number))


def kind_of(message: Told) -> str:
    return next((kind for kind, sign in KINDS if re.search(sign, message.first_line)), message.first_line)


def count_of(message: Told, kind: str) -> int | None:
    """How many records it is about, or incidents; None for a line that names none."""
    if kind in ("held", "maintenance"):
        return int(re.findall(r"(\d+) (?:incidents?|件)", message.first_line)[0])
    if kind in ("to", "unsent step", "nothing came", "opened", "ran", "watch ended", "watched again"):
        return None
    if kind == "step":
        found = re.search(r"× (\d+)", message.text.split("\n")[1])
        return int(found[1]) if found else 1
    return message.count


def _may(row: Row) -> bool:
    return isinstance(row[-1], dict) and bool(row[-1].get("may"))


class Judge:
    """One case on its way."""

    def __init__(self, case: Case, one: Program, began: float) -> None:
        self.case, self.one, self.began = case, one, began

    def happens(self) -> None:
        """All of one time happens at once: no turn is between."""
        rows = sorted(self.case.happens, key=lambda row: self.second(row[0]))
        for second, at_once in itertools.groupby(rows, key=lambda row: self.second(row[0])):
            self.one.pass_time(self.began + second, self.case.most_s)
            for _, verb, *more in at_once:
                named = more.pop() if more and isinstance(more[-1], dict) else {}
                getattr(self.one, verb)(*more, **named)
        self.one.pass_time(self.began + self.second(self.case.until), self.case.most_s)

    def second(self, when: When) -> float:
        return epoch(when, self.case) - self.began if isinstance(when, str) else when

    def differs(self) -> Iterator[str]:
        """Where what came is not what the case says."""
        left = [*self.case.comes]
        for message in self.one.channel.told:
            firm = [row for row in left if not _may(row)]
            at_once = [row for row in left if _may(row) or row[0] == firm[0][0]]  # of these any may be the first
            fits = [row for row in at_once if not self.why_not(message, row)]
            if fits:
                left.remove(fits[0])
            elif not re.search(self.case.only, message.text):
                pass
            elif left:
                yield f"{self.why_not(message, left[0])} differs: {self.shown(message)}\n  in place of {left.pop(0)}"
            else:
                yield f"came, too: {self.shown(message)}"
        yield from (f"did not come: {row}" for row in left if not _may(row))
        stats = self.one.stats()
        if stats.accepted < self.one.logged or (self.case.settles and stats.accepted != settled(stats)):
            yield f"of {self.one.logged} records not all are settled: {stats}"

    def why_not(self, message: Told, row: Row) -> str:
        when, kind, count, *texts = row
        more = texts.pop() if texts and isinstance(texts[-1], dict) else {}
        late_s = message.at - self.began - self.second(when)
        most = more.get("late", self.case.late_s) + (57.99 if isinstance(when, str) and len(when) == 11 else 0.0)
        if not -0.01 <= late_s <= most:
            return "the time"
        if kind not in ("", kind_of(message)):
            return "the kind"
        if count is not None and count_of(message, kind) != count:
            return "the count"
        users = self.one.channel.addressed(message.recipients).users
        if more["among"] not in users if "among" in more else [*users] != more.get("to", FIRST).split():
            return "who gets it"
        return next((f"the text {text!r}" for text in texts if not re.search(text, message.text, re.M)), "")

    def shown(self, message: Told) -> str:
        kind, at = kind_of(message), message.at - self.began
        wall = datetime.fromtimestamp(message.at, ZoneInfo(self.case.zone))
        who = message.recipients.users if message.recipients else ()
        return f"({at:g} = {wall:%m-%d %H:%M:%S}, {kind!r}, {count_of(message, kind)}, {who}) {message.text!r}"


def epoch(wall: str, case: Case) -> float:
    """What the wall shows, of the day of the beginning or of one of its year (``12-07 22:00``)."""
    text = f"{case.begins[:5]}{wall}" if wall.count("-") == 1 else wall
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(case.zone)).timestamp()


def judge(case: Case) -> None:
    """Let it happen. Raises `AssertionError` with all that differs."""
    began = epoch(case.begins, case)
    if case.refused:
        with pytest.raises(ConfigurationError, match=case.refused), program(began, case.options):
            pass
        return
    with program(began, case.options) as one:
        judged = Judge(case, one, began)
        judged.happens()
        found = [*judged.differs()]
        assert not found, "\n".join((case.name, *found, "all that came:", *map(judged.shown, one.channel.told)))
