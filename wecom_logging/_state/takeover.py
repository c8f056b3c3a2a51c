"""A process that opens the store adds the alerts that dead processes have left in their write-ahead files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from .._incidents.fingerprint import audience_of
from .._incidents.incident import Count, Kept
from .._lines import LINES, line
from .entries import Entry, load
from .shared import Shared
from .write_ahead import Line

_MOST = 100
_whose = attrgetter("channel", "host")


def taken_over(shared: Shared, now: float, warn_once: Callable[[str, str], object]) -> Iterator[tuple[str, Count]]:
    """Add it, file by file, each once; by channel what was added. Raises `StateError`.

    ``warn_once(cause, text)`` says what was found.
    """
    for lines, aside in shared.write_ahead.orphans() if shared.write_ahead is not None else ():
        if aside:
            warn_once("broken", line("broken_file", aside=aside))
        if not lines:
            continue
        row = "died_with_one" if len(lines) == 1 else "died"
        late = LINES[row][0].format(count=len(lines))
        for (channel, host), some in groupby(sorted(lines, key=_whose), key=_whose):
            counts = [_taken_over(one, late) for one in some]
            # Named after the first: where this process ends amid that, the next adds nothing twice.
            who = f"taken over {counts[0].event or counts[0].key}"
            for number, start in enumerate(range(0, len(counts), _MOST), 1):
                part = counts[start : start + _MOST]
                shared.call(lambda store: store.add(channel, who, host, number, part, now))  # noqa: B023 # called at once
            yield from ((channel, count) for count in counts)
        warn_once("taken over", line(row, count=len(lines)))


def _taken_over(line: Line, late: str) -> Count:
    """An alert of a process that is gone. One that cannot be read is given up where it is claimed, with its number."""
    count = Count(key=line.key, level=line.level, window_s=line.window_s, duty=line.duty, steps=line.steps)
    try:
        alert = load(line.entry)
    except ValueError:
        return replace(count, last=time.time(), first=Entry(line.entry or "?"))
    said = replace(alert, fields=(*alert.fields, ("late", late)), ours=(*(alert.ours or ("",)), "late"))
    audience = audience_of(alert.recipients)
    return replace(count, last=alert.time, first=Kept(said), audience=audience, event=alert.id)
