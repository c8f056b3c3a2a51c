"""An alert as a message that fits: first line, message, facts, traceback, link.

The order is for a phone: the first line says what broke and where, the rest is there for who opens it. Lines of the
program's own text are set apart on every line, so that none of them can pass for one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ..model import Alert, Frame
from . import inert
from .cut import head, size, trim, wrap
from .trace import MUST, TraceLine, location, trace_lines

MAX_LINE_BYTES = 700
MAX_FIRST_LINE_BYTES = 400
MAX_FACT_BYTES = 280
MAX_LINK_BYTES = 700
MAX_ORIGIN_BYTES = 120
MAX_LEVEL_BYTES = 32
MAX_PARTS = 10
_LEAST_RANK = 9
_LEAST_BYTES = 40
# In a name it would begin another fact.
_DOTS = re.compile("[\u00b7\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\ua78f\uff65]")


@dataclass(frozen=True, slots=True)
class Style:
    """How one msgtype shows the parts of a message.

    ``first`` makes the first line of level, origin and message; ``quote`` sets a line of the program's text apart;
    ``fact`` shows a line of ours; ``link`` shows a URL; ``safe`` makes text of the program inert.
    """

    first: Callable[[int, str, str, str], str]
    quote: Callable[[str], str]
    fact: Callable[[str], str]
    link: Callable[[str], str]
    safe: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a message, every line ready to be sent and shorter than a part of a split message."""

    first: str
    fields: list[str]
    message: list[str]
    facts: list[str]
    trace: list[TraceLine]
    link: list[str]

    def lines(self) -> list[str]:
        trace = [line.text for line in self.trace]
        return [self.first, *self.fields, *self.message, *self.facts, *trace, *self.link]


def lay_out(alert: Alert, style: Style, link: str = "") -> Layout:
    """All of an alert, whatever its length."""
    links = [style.link(link)] if link and size(link) <= MAX_LINK_BYTES else []  # the half of a link leads nowhere
    if alert.formatted is not None:  # what the user's own formatter made of it; only the alert's number is added
        first, rest = _first_line(alert.formatted, style, MAX_LINE_BYTES)
        number = TraceLine(style.fact(f"#{alert.id}"), (MUST, 0))
        return Layout(first, [], [], [], [*_both_ends(_quoted(rest, style)), number], links)
    first, rest = _first_line(alert.title or alert.message, style, MAX_FIRST_LINE_BYTES)
    if alert.title:
        rest += inert.lines(alert.message)
    level = trim(style.safe(level_name(alert)), MAX_LEVEL_BYTES)
    where = trim(style.safe(origin(alert)), MAX_ORIGIN_BYTES)
    return Layout(
        first=style.first(alert.level, level, where, first),
        fields=_quoted((inert.line(": ".join(filter(None, field))) for field in alert.fields), style),
        message=_quoted(rest, style),
        facts=[style.fact(trim(style.safe(fact), MAX_FACT_BYTES)) for fact in facts(alert)],
        trace=_trace(alert, style),
        link=links,
    )


def _both_ends(lines: list[str]) -> list[TraceLine]:
    """Lines of which nobody knows what they say: the first and the last matter most, a traceback is at the end."""
    last = len(lines) - 1
    return [TraceLine(line, (MUST + 1 + min(2 * place, 2 * (last - place) + 1),)) for place, line in enumerate(lines)]


def _first_line(text: str, style: Style, most: int) -> tuple[str, list[str]]:
    """The first line of a text, made safe, and what does not stand in it."""
    first, *rest = [style.safe(line) for line in inert.lines(text.strip())]
    start = head(first, most)
    return start or "(no text)", ([first[len(start) :]] if len(start) < len(first) else []) + rest


def _quoted(lines: Iterable[str], style: Style) -> list[str]:
    return [style.quote(piece) for line in lines for piece in _pieces(line, style)]


def _pieces(line: str, style: Style) -> list[str]:
    """A line as lines that are short enough; made safe once more, since a piece may begin with a sign of markdown."""
    return [style.safe(piece) for piece in wrap(style.safe(line), MAX_LINE_BYTES)]


def _trace(alert: Alert, style: Style) -> list[TraceLine]:
    lines = trace_lines(alert.failures)
    if alert.stack:
        stack = inert.lines(alert.stack.strip("\n"))
        lines += [TraceLine(line, (2, 0, len(stack) - number)) for number, line in enumerate(stack)]
    return [
        # What a very long line goes on with must not take the place of other lines.
        TraceLine(style.quote(piece), line.rank if number == 0 else (_LEAST_RANK, *line.rank))
        for line in lines
        for number, piece in enumerate(_pieces(line.text, style))
    ]


def level_name(alert: Alert) -> str:
    """The level as the program names it."""
    return trim(inert.line(alert.level_name), MAX_LEVEL_BYTES)


def origin(alert: Alert) -> str:
    """``payments (prod) shop.charge``: service, environment, logger."""
    service = f"{alert.service} ({alert.environment})" if alert.service and alert.environment else ""
    words = [
        service or alert.service or alert.environment,
        "" if alert.logger in ("root", "__main__") else alert.logger,
    ]
    return trim(inert.line(" ".join(word for word in words if word)), MAX_ORIGIN_BYTES)


def facts(alert: Alert) -> list[str]:
    """When, where and which: one line each."""
    process = "" if alert.process is None else f"{alert.process}"
    names = [name for name in (alert.process_name, alert.thread_name) if name not in ("MainProcess", "MainThread", "")]
    where = [alert.host, f"pid {process}" if process else "", *names]
    return [
        f"{clock_time(alert.time)} #{alert.id}",
        inert.line(" · ".join(trim(_DOTS.sub(".", word), 64) for word in where if word)),
        *([place(alert.place)] if alert.place.file else []),
    ]


def place(frame: Frame) -> str:
    """Where in the code the record was made."""
    return location(frame)


def local_time(seconds: float) -> datetime:
    """A time with this machine's zone. A clock that is far off still gives a time."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone()
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def clock_time(seconds: float) -> str:
    """``2026-11-25 09:12:03.123 +08:00``"""
    text = local_time(seconds).isoformat(sep=" ", timespec="milliseconds")
    return f"{text[:23]} {text[23:]}"


def fit(layout: Layout, most: int) -> str:
    """The message in at most ``most`` bytes: its head, and of the traceback what matters most."""
    whole = "\n".join(layout.lines())
    if size(whole) <= most:
        return whole
    room = most - _bytes([layout.first])
    ours = _that_fit([*layout.link, *layout.facts], room - most // 3)
    facts = [line for line in layout.facts if line in ours]
    link = [line for line in layout.link if line in ours]
    room -= _bytes(ours)
    fields = _first_lines(layout.fields, room // 3)
    room -= _bytes(fields)
    trace_bytes = _bytes(line.text for line in layout.trace)
    message = _first_lines(layout.message, max(room // 3, room - trace_bytes) if layout.trace else room)
    trace = _most_important(layout.trace, room - _bytes(message))
    return trim("\n".join([layout.first, *fields, *message, *facts, *trace, *link]), most)


def _bytes(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)


def _that_fit(lines: list[str], most: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if _bytes([*kept, line]) <= most:
            kept.append(line)
    return kept


def _first_lines(lines: list[str], most: int) -> list[str]:
    """The first lines, with the beginning of the one that does not fit, and a mark."""
    if _bytes(lines) <= most:
        return lines
    room = most - size(f"… {len(lines)} lines cut …") - 1
    if room < 0:
        return []
    kept: list[str] = []
    for line in lines:
        if size(line) + 1 > room:
            break
        room -= size(line) + 1
        kept.append(line)
    begun = [trim(lines[len(kept)], room - 1)] if room > _LEAST_BYTES else []
    return [*kept, *begun, f"… {len(lines) - len(kept)} lines cut …"]


def _most_important(lines: list[TraceLine], most: int) -> list[str]:
    """The lines that matter most, in their order, a mark where lines are missing. Those that must be there are cut."""
    mark = "…"
    extra = size(mark) + 2  # two line ends, and a mark that each line may need before it
    by_rank = sorted(range(len(lines)), key=lambda number: lines[number].rank)
    must = [number for number in by_rank if lines[number].rank[0] == MUST]
    chosen: dict[int, str] = {}
    room = most - extra  # a mark at the end
    for number in by_rank:
        text = lines[number].text
        if number in must:
            must.remove(number)
            others = sum(size(lines[other].text) + extra for other in must)
            text = trim(text, max(room - others, room // 2) - extra)
        if size(text) + extra > room:
            break
        chosen[number] = text
        room -= size(text) + extra
    shown: list[str] = []
    for number in range(len(lines)):
        if number in chosen:
            shown.append(chosen[number])
        elif not shown or shown[-1] != mark:
            shown.append(mark)
    return shown if chosen else []


def split(layout: Layout, most: int) -> list[str]:
    """The message as numbered parts of at most ``most`` bytes, cut between lines: the whole, if ten parts hold it."""
    lines = layout.lines()
    if size("\n".join(lines)) <= most:
        return ["\n".join(lines)]
    room = most - size(f"({MAX_PARTS}/{MAX_PARTS})\n")
    parts, budget = _parts(lines, room), MAX_PARTS * room
    while len(parts) > MAX_PARTS:  # parts are not filled to the brim, so how much goes into ten has to be tried
        budget -= room // 2
        parts = _parts(fit(layout, budget).split("\n"), room)
    return [f"({number}/{len(parts)})\n" + "\n".join(part) for number, part in enumerate(parts, 1)]


def _parts(lines: list[str], most: int) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    used = 0
    for line in lines:
        used += size(line) + 1
        if used > most and parts[-1]:
            parts.append([])
            used = size(line) + 1
        parts[-1].append(line)
    return parts
