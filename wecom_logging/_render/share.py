"""One message that tells many digests: a headline, then a block for each, as much of each as there is room for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language, Reader, zone_of
from ..model import Digest
from ..model.duty import Held
from . import words
from .facts import answer_line
from .layout import (
    MAX_FACT_BYTES,
    MAX_FIRST_LINE_BYTES,
    Layout,
    Style,
    fact_line,
    first_line,
    fit,
    lay_out,
    level_and_count,
    news_of,
    number_line,
    titled,
)
from .times import clock_time, hours_of, lasting_short

SHORT_LINE_BYTES = 110
_LEAST_LINE_BYTES = 8
_MAX_SCOPE_BYTES = 160
_LONGEST_SPAN_S = 1e9
_LONGEST_MINUTES_S = 119 * 60
# What is worth giving to one block: the place and the last line of a traceback. Below the least, nothing is gained.
_USEFUL_BYTES = 300
_LEAST_MORE_BYTES = 48
_LONGEST_ID = "0" * 12


def share(
    digests: Sequence[Digest],
    style: Style,
    most: int,
    losses: str = "",
    held: Held | None = None,
    scheduler: str = "",
) -> tuple[str, int]:
    """The text that tells the first of ``digests``, and how many of them stand in it: 1 or more.

    ``digests`` (at least one) come in the order of importance: the first that fit are chosen. There the most severe
    stand first, of one level in the order in which they came; what has waited, as it is given. The text has at most
    ``most`` bytes (300 or more). ``losses`` is one line of ours about alerts that never arrived. The id of each stands
    in it, and the time of one that is new: WeCom shows the very same text once within half an hour, also where the same
    alerts have come again.
    ``held``: what they have waited for; where that is a maintenance, ``most`` is 500 or more. ``scheduler``: what has
    not started the jobs that they are about.
    """
    number_bytes = size(number_line(replace(digests[0], short_id=_LONGEST_ID), style)) + 1
    text, number = _share(digests, style, most - number_bytes, losses, held, scheduler)
    if not any(_goes_on(one) or clock_time(one.alert.time, style.language) in text for one in digests[:number]):
        text = f"{text}\n{number_line(digests[number - 1], style)}"
    return text, number


def _share(
    digests: Sequence[Digest], style: Style, most: int, losses: str, held: Held | None, scheduler: str
) -> tuple[str, int]:
    waiting = digests[: most // _LEAST_LINE_BYTES]
    first = _line(waiting[0], style)
    room = most - size(_longest_headline(waiting, style, held, scheduler))
    text_bytes = min(room - size(first) - 2 - size(style.fact("")), MAX_FACT_BYTES)
    notes = [fact_line(losses, style, text_bytes)] if losses and text_bytes > 0 else []
    left, lines = room - sum(size(note) + 1 for note in notes), list[str]()
    for digest in waiting:  # a short line for each of the first, for one at least
        line = _line(digest, style)
        left -= size(line) + 1
        if left < 0 and lines:
            break
        lines.append(line)
    order = range(len(lines)) if held else sorted(range(len(lines)), key=lambda place: _place(waiting[place]))
    shown, lines = [waiting[place] for place in order], [lines[place] for place in order]
    top = "\n".join([headline(shown, style, held, scheduler), *notes])
    return _joined(top, _blocks(shown, lines, style, most - size(top))), len(shown)


def _place(digest: Digest) -> tuple[bool, int, float]:
    return digest.quiet_s > 0, -digest.alert.level, _began(digest)


def _began(digest: Digest) -> float:
    return digest.since if digest.since > 0 else digest.alert.time


def headline(digests: Sequence[Digest], style: Style, held: Held | None = None, scheduler: str = "") -> str:
    """``🔴 47 alerts of 9 kinds in 58 s, 2 kinds are quiet``, with the sign of the worst level of those that go on.

    Of what has waited: ``🔴 quiet hours 22:00–08:00 · 7 incidents, 2 still open``. Of steps: ``⏫ → Li 10:31``.
    Of a scheduler: ``🔴 4 jobs did not run; perhaps beat has ended``.
    """
    language = style.language
    if digests[0].is_news:
        return style.step("", news_of(digests[0], style))
    open_ones = [digest for digest in digests if digest.quiet_s <= 0]
    if held is not None:
        waited = _waited(held, len(digests), sum(not one.is_over for one in open_ones), digests[0].now, style)
        return style.shared(max(one.alert.level for one in open_ones), waited) if open_ones else style.quiet("", waited)
    if scheduler and open_ones:
        said = words.JOBS_DID_NOT_RUN.within(language, len(open_ones), scheduler)
        return style.shared(max(one.alert.level for one in open_ones), said)
    quiet = _quiet(len(digests) - len(open_ones), language)
    if not open_ones:
        return style.quiet("", quiet)
    said = _numbers(open_ones, _span(open_ones, language), language)
    level = max(digest.alert.level for digest in open_ones)
    return style.shared(level, words.BETWEEN_LOST.within(language).join(filter(None, [said, quiet])))


def _waited(held: Held, number: int, goes_on: int, now: float, style: Style) -> str:
    """``quiet hours 22:00–08:00 · 7 incidents, 2 still open``; with their zone where that is not the reader's; or
    ``maintenance shop.pay (deploy) 10:00–10:30 · …``."""
    language = style.language
    span, is_night = hours_of(held.began, held.until, now, Reader(language, held.zone or zone_of(language)))
    what = words.MAINTENANCE if held.zone is None else words.NIGHT if is_night else words.QUIET_HOURS
    why = words.BECAUSE.within(language, held.why) if held.why else ""
    scope = trim(style.safe(inert.line(held.scope + why)), _MAX_SCOPE_BYTES) + " " if held.scope else ""
    zone = "" if held.zone is None or str(held.zone) == str(zone_of(language)) else f" {held.zone}"
    incidents = (words.INCIDENT if number == 1 else words.INCIDENTS).within(language, number)
    rest = words.ALL_GO_ON if goes_on == number else words.SOME_GO_ON if goes_on else words.NONE_GOES_ON
    return words.WAITED.within(
        language, what.within(language), scope + span + zone, incidents, rest.within(language, goes_on)
    )


def _longest_headline(digests: Sequence[Digest], style: Style, held: Held | None, scheduler: str) -> str:
    """A headline that is at least as long as that of any first few of these digests."""
    language = style.language
    if digests[0].is_news or scheduler:
        return headline(digests, style, None, scheduler)
    if held is not None:
        number = max(len(digests), 2)
        numbers = (1, 0), (1, 1), (number, 0), (number, 1), (number, number - 1)
        every = [_waited(held, *one, now, style) for one in numbers for now in {digest.now for digest in digests}]
        return style.shared(logging.CRITICAL, max(every, key=size))
    minutes = words.WITHIN.within(language, lasting_short(_LONGEST_MINUTES_S, language))
    span = max(minutes, _span(digests, language), key=size)
    quiet = _quiet(sum(digest.quiet_s > 0 for digest in digests), language)
    said = _numbers(digests, span, language) + "s"  # of none, after one
    return style.shared(logging.CRITICAL, words.BETWEEN_LOST.within(language).join(filter(None, [said, quiet])))


def _quiet(number: int, language: Language) -> str:
    return (words.KINDS_ARE_QUIET if number > 1 else words.KIND_IS_QUIET).within(language, number) if number else ""


def _numbers(digests: Sequence[Digest], span: str, language: Language) -> str:
    alerts, kinds = sum(digest.count for digest in digests), len(digests)
    number = (words.ALERT if alerts == 1 else words.ALERTS).within(language, alerts)
    of = (words.KIND if kinds == 1 else words.KINDS).within(language, kinds)
    return words.ALERTS_OF_KINDS.within(language, number, of, span)


def _span(digests: Sequence[Digest], language: Language) -> str:
    """From the earliest beginning to the newest end; empty for less than a second, and where a clock is far off."""
    start = min(map(_began, digests))
    end = max(digest.last if digest.last > 0 else digest.alert.time for digest in digests)
    passed = end - start
    return words.WITHIN.within(language, lasting_short(passed, language)) if 1 <= passed < _LONGEST_SPAN_S else ""


def _blocks(digests: Sequence[Digest], lines: list[str], style: Style, room: int) -> list[str]:
    """The short lines, and in place of the first of them as much more as there is room for."""
    room -= sum(size(line) + 2 for line in lines)  # before each may stand an empty line
    layouts: list[Layout] = []
    wants: list[int] = []
    given: list[int] = []
    for digest, line in zip(digests, lines, strict=True):
        if room < _LEAST_MORE_BYTES:
            break
        layouts.append(
            layout := _layout(digest, style, is_line=digest.is_news or (digest.is_over and len(digests) > 1))
        )
        wants.append(max(size(_whole(layout)) - size(line), 0))
        given.append(min(wants[-1], _USEFUL_BYTES, room))
        room -= given[-1]
    for left, place in enumerate(sorted(range(len(wants)), key=lambda place: wants[place] - given[place])):
        more = min(wants[place] - given[place], room // (len(wants) - left))
        given[place] += more
        room -= more
    grown = [
        _block(digest, layout, style, size(line) + more)
        for digest, layout, line, more in zip(digests, layouts, lines, given, strict=False)
    ]
    return [*grown, *lines[len(grown) :]]


def _line(digest: Digest, style: Style, most: int = SHORT_LINE_BYTES) -> str:
    return first_line(digest, style, most, with_id=True)


def _goes_on(digest: Digest) -> bool:
    """Whether it was told before: its numbers are others each time."""
    return not digest.is_first or digest.quiet_s > 0


def _layout(digest: Digest, style: Style, *, is_line: bool = False) -> Layout:
    """All of a digest, with a first line of ours also before a text of the user's own formatter; of one that was told
    before a line, and those of its kinds that are new. ``is_line``: a line and no more."""
    layout = lay_out(digest, style)
    if is_line:
        layout = replace(layout, fields=[], message=[], trace=[])
    if _goes_on(digest) or is_line:
        facts = [fact_line(line, style) for line in [answer_line(digest, style.language)] if line]
        return replace(layout, first=_line(digest, style, MAX_FIRST_LINE_BYTES), facts=facts, link=[])
    if digest.alert.formatted is None:
        return layout
    first = titled(digest.alert.level, level_and_count(digest, style), "", layout.first, style)
    # The number without the count, which stands in the first line.
    return replace(layout, first=first, facts=[number_line(digest, style)], trace=layout.trace[:-1])


def _block(digest: Digest, layout: Layout, style: Style, most: int) -> str:
    """What fits into ``most`` bytes; of a long first line not more than half of them, lest nothing else be seen."""
    if size(whole := _whole(layout)) <= most:
        return whole
    block = fit(replace(layout, first=_line(digest, style, max(SHORT_LINE_BYTES, most // 2))), most)
    return block if "\n" in block else _line(digest, style, most)


def _whole(layout: Layout) -> str:
    return "\n".join(layout.lines())


def _joined(top: str, blocks: list[str]) -> str:
    """The blocks below the headline; an empty line shows where one of several lines begins and ends."""
    text, before = top, ""
    for block in blocks:
        text += ("\n\n" if "\n" in before or "\n" in block else "\n") + block
        before = block
    return text
