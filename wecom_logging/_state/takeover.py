"""A process that opens the store adds the alerts that dead processes have left in their write-ahead files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby

from .._incidents.fingerprint import audience_of
from .._incidents.incident import Count, First, Kept
from .._lines import LINES, line
from .entries import Entry, load
from .shared import Shared
from .write_ahead import Line

_MOST = 100


def taken_over(shared: Shared, now: float, warn_once: Callable[[str, str], object]) -> Iterator[tuple[str, Count]]:
    """Add it, file by file, each once; by channel what was added. Raises `StateError`.

    ``warn_once(cause, text)`` says what was found.
    """
    for lines, aside in shared.write_ahead.orphans() if shared.write_ahead is not None else ():
        if aside:
            warn_once("broken", f"a part of the file of a dead process cannot be read; see {aside}")
        if not lines:
            continue
        row = "died_with_one" if len(lines) == 1 else "died"
        late = LINES[row][0].format(count=len(lines))
        for (channel, host), some in groupby(sorted(lines, key=_whose), key=_whose):
            counts = [_taken_over(one, late) for one in some]
            for number, start in enumerate(range(0, len(counts), _MOST), 1):
                _add(
                    shared,
                    channel,
                    f"taken over {counts[0].event or counts[0].key}",
                    host,
                    number,
                    counts[start : start + _MOST],
                    now,
                )
            yield from ((channel, count) for count in counts)
        warn_once("taken over", line(row, count=len(lines)))


def _whose(line: Line) -> tuple[str, str]:
    return line.channel, line.host


def _add(shared: Shared, channel: str, who: str, host: str, number: int, counts: list[Count], now: float) -> None:
    """``who`` is named after the file's first alert: where this process ends amid that, the next adds nothing twice."""
    shared.call(lambda store: store.add(channel, who, host, number, counts, now))


def _taken_over(line: Line, late: str) -> Count:
    """An alert of a process that is gone. One that cannot be read is given up where it is claimed, with its number."""
    count = Count(key=line.key, level=line.level, window_s=line.window_s, duty=line.duty, steps=line.steps)
    try:
        alert = load(line.entry)
    except ValueError:
        first: First = Entry(line.entry or "?")
        return replace(count, last=time.time(), first=first)
    said = replace(alert, fields=(*alert.fields, ("late", late)), ours=(*(alert.ours or ("",)), "late"))
    return replace(
        count,
        last=alert.time,
        first=Kept(said),
        audience=audience_of(alert.recipients),
        event=alert.id,
    )
