"""The language of the cases: a time, what is done then, and which messages come then. It knows no engine.

    = What is taken is quiet for half an hour, and is then sent with what came
    with window=60s
    0       log disk             | first disk 1
    10      Li: take disk        | taken disk 0 of 1 "quiet until 12:30"
    20      log disk × 312       |
    30m10                        | end disk 312 of 313

A case begins with ``=`` and its sentence; ``with`` gives options (`rig` has them), before the first case those of the
whole file; ``short memory: why`` says that this engine falls short of it. A row is a time, what is done, and behind
``|`` the messages; there may be several of both, with ``;`` between them. What is done in one row is done at once: no
engine has a turn between. A row without anything to do stands for the messages of its time.

A time is that since the beginning (``90``, ``1m30``, ``2h``, ``1h5s``, ``1d``), or what the wall shows
(``12-07 22:00``, ``12-07 22:00:30``); ``20..1m`` is some time between these, as of what is tried again. Every message
has to stand in a row: what does not stand there does not come. ``#`` begins a remark; it stands at the beginning of a
line, or behind two spaces.

What is done:
    log disk [× 3] [critical | warning] [of db] [as amy bob]
                                                           so many records; with an exception of a cause; of variants
    kinds 30 [from 10] [critical]                          one record of each of so many kinds, which have no names here
    each 30s until 2h: log disk                            the same again and again, from the time of the row on
    Li: take disk        Li: quiet disk 2h      Li: done disk      Li: undo disk      Li: quiet service shop 10m
                                                           a person types it; ``refused`` in front: it is refused, and
                                                           for which reason: ``refused other``; "in quotes": the reply
    Li: give disk Wang   user li: take disk                another has it from now on; a member whose user id is known
    wecom: fails | works | refuses disk                    what becomes of each request from now on
    directory: lacks li | away li | well                   whom an app finds
    while li is told: Li: take disk                        as soon as a message to these is on its way, once
    flush        exit                                      somebody waits for all that is left; the program ends
    leap -10m    stop 2h                                   the wall's clock is set; time passes and no turn is made
    declare pay cron=30 2 * * *, grace=20m                 a job is expected to run: the options of `expect`
    run pay      begin pay      end pay [failed]           a run of it begins and ends

A message is its kind, the incidents that it names, and how many records it is about: ``more disk 3 of 4``. ``of``
stands where it says how many came in all. ``to li wang`` stands where it is not for the usual recipients. ``rare`` is
an end that does not say that it is mended. Each pattern "in quotes" is found in it. ``may`` in front: it may be left
out. Of the messages of one moment the order counts. The kinds:
    first more again end          an incident begins, goes on, comes again, is over
    many cause held summary       several in one message: much at once, of one cause, what was held, a file
    taken given silenced closed undone
                                  what a person did; ``nothing``: a silence is over in which nothing came
    step 1, line, missed          a step's whole alert; the line for those told before; a step that told nobody
    ran, unwatched, watched       of a job: a run closes it; a person stops its watch, or begins it again
The whole alert of a step, and what a job's line says, have no count: others were told of it.

What holds then stands behind the messages, in brackets: ``(open disk roof)``, ``(open)``: none; ``(lost 3)``;
``(waits 3)``; ``(disk Li)``: he has it; ``(disk nobody)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

LATE_S = 2.0
"""Of a message that is due an engine may wait for so long for others of its moment."""

_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s|(?<![dh])(\d+(?:\.\d+)?))?")
_UNITS = (86_400.0, 3600.0, 60.0, 1.0, 1.0)
_WALL = r"\d\d-\d\d \d\d:\d\d(?::\d\d)?"
_ROW = re.compile(rf"({_WALL}|[^\s.]+(?:\.\d+)?)(?:\.\.({_WALL}|\S+))?(?: (.*)|$)")
_NOT_QUOTED = r'(?=(?:[^"]*"[^"]*")*[^"]*$)'


@dataclass(frozen=True, slots=True)
class Comes:
    """A message: from when until when it may come, its words, and the patterns that are found in it."""

    at: float
    until: float
    words: str
    texts: tuple[str, ...] = ()
    may: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What is done at a time, and which messages come then."""

    at: float
    acts: tuple[str, ...]
    comes: tuple[Comes, ...]
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, and the rows that hold it."""

    says: str
    options: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    """Which engine falls short of it, and why."""
    rows: list[Row] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return self.options.get("zone", "UTC")

    @property
    def begins(self) -> float:
        """In seconds since the epoch."""
        begins = datetime.fromisoformat(self.options.get("begins", "2025-11-25 12:00"))
        return begins.replace(tzinfo=ZoneInfo(self.zone)).timestamp()

    @property
    def late_s(self) -> float:
        return seconds(self.options["late"]) if "late" in self.options else LATE_S

    def second(self, time: str) -> float:
        """Since the beginning. ValueError where it is no time."""
        if not re.fullmatch(_WALL, time):
            return seconds(time)
        year = self.options["begins"][:5]
        return datetime.fromisoformat(f"{year}{time}").replace(tzinfo=ZoneInfo(self.zone)).timestamp() - self.begins


def seconds(text: str) -> float:
    """``1m30`` in seconds. ValueError where it is no time."""
    found = _TIME.fullmatch(text)
    if found is None or not text:
        raise ValueError(f"no time: {text!r}")
    return sum(float(number or 0) * unit for number, unit in zip(found.groups(), _UNITS, strict=True))


def shown(at: float) -> str:
    """As a row begins: ``1m30``, ``2h10s``."""
    text, left = "", round(at, 1)
    for letter, unit in zip("dhm", _UNITS, strict=False):
        number, left = divmod(left, unit)
        text += f"{number:.0f}{letter}" if number else ""
    if not round(left, 1) and text:
        return text
    return f"{text}{round(left, 1):g}" + ("s" if text.endswith(("d", "h")) else "")


def cases(path: Path) -> list[Case]:
    """All that stand in a file. ValueError with the line of what cannot be read."""
    found: list[Case] = []
    of_all = dict[str, str]()
    for number, written in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = re.split(r"(?:^|\s{2,})# ", written)[0].strip()
        if not text or written.startswith("#"):
            continue
        if text.startswith("= "):
            found.append(Case(text[2:], {**of_all}))
        elif text.startswith("with "):
            (found[-1].options if found else of_all).update(options(text[5:]))
        elif text.startswith("short "):
            engine, _, why = text[6:].partition(": ")
            found[-1].short[engine] = why
        else:
            try:
                found[-1].rows.append(_row(found[-1], text))
            except (ValueError, IndexError) as error:
                raise ValueError(f"{path.name}:{number}: {error}") from None
    return found


def options(text: str) -> dict[str, str]:
    """``window=5s, steps=10m li; 25m wang``."""
    return {name: value for name, _, value in (one.partition("=") for one in re.split(r",\s*(?=\w+=)", text))}


def quoted(text: str) -> tuple[str, tuple[str, ...]]:
    """The words, and the patterns in quotes behind them."""
    words, *texts = text.split('"')
    return " ".join(words.split()), tuple(texts[::2])


def _row(case: Case, text: str) -> Row:
    done, messages = (*re.split(rf"\|{_NOT_QUOTED}", text, maxsplit=1), "")[:2]
    if (found := _ROW.fullmatch(done.strip())) is None:
        raise ValueError(f"no row: {text!r}")
    at, until, acts = found.groups()
    begins = case.second(at)
    ends = (case.second(until) if until else begins) + case.late_s
    items = _items(messages)
    return Row(
        begins,
        _items(acts or ""),
        tuple(_comes(begins, ends, one) for one in items if not one.startswith("(")),
        tuple(one.strip("()") for one in items if one.startswith("(")),
    )


def _items(text: str) -> tuple[str, ...]:
    """With ``;`` between them."""
    return tuple(one.strip() for one in re.split(f";{_NOT_QUOTED}", text) if one.strip())


def _comes(begins: float, ends: float, text: str) -> Comes:
    words, texts = quoted(text)
    return Comes(begins, ends, words.removeprefix("may "), texts, words.startswith("may "))
