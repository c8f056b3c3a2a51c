"""The language of the cases: a time, what is done then, and which messages come then. It knows no engine.

    = What is taken is quiet for half an hour, and is then sent with what came
    with window=60s
    0       log disk             | first disk 1
    10      Li: take disk        | taken disk 0 of 1
    20      log disk × 312       |
    30m10                        | end disk 312 of 313

A case begins with ``=`` and its sentence; ``with`` gives options; ``short today: why`` says that this engine falls
short of it. A row is a time since the beginning (``90``, ``1m30``, ``2h``, ``1h5s``, ``1d``), what is done, and
behind ``|`` the messages, several with ``;`` between them. A row without anything to do stands for the messages of
its time; ``20..1m`` is some time between these, as of what is tried again. Every message has to stand in a row: what
does not stand there does not come. ``#`` begins a remark; it stands at the beginning of a line, or behind two spaces.

What is done:
    log disk [× 3] [critical | warning] [of db] [as amy bob]
                                                           so many records; with an exception of a cause; of variants
    kinds 30 [from 10] [critical]                          one record of each of so many kinds, which have no names here
    each 30s until 2h: log disk                            the same again and again, from the time of the row on
    Li: take disk        Li: quiet disk 2h      Li: done disk      Li: undo disk      Li: quiet service shop 10m
                                                           a person types it; ``refused`` in front: it is refused
    wecom: fails | works | refuses disk                    what becomes of each request from now on
    directory: lacks li | away li | well                   whom an app finds
    while li is told: Li: take disk                        as soon as a message to these is on its way, once
    flush                                                  somebody waits for all that is left

A message is its kind, the incidents that it names, and how many records it is about: ``more disk 3 of 4``. ``of``
stands where it says how many came in all. ``to li wang`` stands where it is not for the usual recipients. ``rare`` is
an end that does not say that it is mended. Of the messages of one moment the order counts. The kinds:
    first more again end          an incident begins, goes on, comes again, is over
    many cause held summary       several in one message: much at once, of one cause, what was held, a file
    taken silenced closed undone  what a person did; ``nothing``: a silence is over in which nothing came
    step 1, line, missed          a step's whole alert; the line for those told before; a step that told nobody
The whole alert of a step says no count: it is about what others were told.

What holds then stands behind the messages, in brackets: ``(open disk roof)``, ``(open)``: none; ``(lost 3)``;
``(waits 3)``; ``(disk Li)``: he has it; ``(disk nobody)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

LATE_S = 2.0
"""Of a message that is due an engine may wait for so long for others of its moment."""

_TIME = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s|(?<![dh])(\d+(?:\.\d+)?))?")
_UNITS = (86_400.0, 3600.0, 60.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """What is done at a time, and which messages come then."""

    at: float
    until: float
    act: str
    comes: tuple[str, ...]
    holds: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, and the rows that hold it."""

    says: str
    options: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    """Which engine falls short of it, and why."""
    rows: list[Row] = field(default_factory=list)

    @property
    def expected(self) -> list[tuple[float, float, str]]:
        """From when until when each message may come, in their order."""
        return [(row.at, row.until, message) for row in self.rows for message in row.comes]


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
    for number, written in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = re.split(r"(?:^|\s{2,})# ", written)[0].strip()
        if not text or written.startswith("#"):
            continue
        if text.startswith("= "):
            found.append(Case(text[2:]))
        elif text.startswith("with "):
            found[-1].options.update(_options(text[5:]))
        elif text.startswith("short "):
            engine, _, why = text[6:].partition(": ")
            found[-1].short[engine] = why
        else:
            try:
                found[-1].rows.append(_row(text, number))
            except (ValueError, IndexError) as error:
                raise ValueError(f"{path.name}:{number}: {error}") from None
    return found


def _options(text: str) -> dict[str, str]:
    """``window=5s, steps=10m li; 25m wang``."""
    return {name: value for name, _, value in (one.strip().partition("=") for one in text.split(","))}


def _row(text: str, number: int) -> Row:
    done, _, messages = text.partition("|")
    time, _, act = done.strip().partition(" ")
    at, _, until = time.partition("..")
    items = [" ".join(one.split()) for one in messages.split(";") if one.strip()]
    comes = tuple(one for one in items if not one.startswith("("))
    holds = tuple(one.strip("()") for one in items if one.startswith("("))
    return Row(seconds(at), seconds(until or at) + LATE_S, " ".join(act.split()), comes, holds, number)
