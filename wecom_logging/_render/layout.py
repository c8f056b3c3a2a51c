"""A digest as a message that fits: first line, message, samples, facts, traceback, link.

The order is for a phone: the first line says what broke and where, the rest is there for who opens it. Lines of the
program's own text are set apart on every line, so that none of them can pass for one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from .._text import inert
from .._text.cut import head, size, trim, wrap
from .._text.said import Language, labelled
from ..model import Alert, Digest
from ..model.alert import DONE, ESCALATED, OVER
from . import facts, words
from .headline import headline, in_one_line
from .times import SECONDS, clock_time, short_time
from .trace import MUST, TraceLine, trace_lines

MAX_LINE_BYTES = 700
MAX_FIRST_LINE_BYTES = 400
MAX_FACT_BYTES = 280
MAX_LINK_BYTES = 700
MAX_SAMPLE_BYTES = 240
_LEAST_RANK = 9
_LEAST_BYTES = 40
_LEAST_TEXT_BYTES = 24
_ORIGIN = "店"  # an origin in one Chinese sign: its colon is the longest
_MAX_FIRST_LINE = 2048  # characters that are looked at for a first line alone

_COROUTINE = re.compile(r"^(?:future|task): \W?Task \S.{0,256}? coro=\W?([\w.<>\uff1c]{1,128})\(")

# What the first line of an alert begins with.
_SIGNS = re.compile("^[\\s\u2800\u200c\u200d\ufe00-\ufe0f]*[⚪🔵🟠🔴🚨✅✋🚫⏫]+")


@dataclass(frozen=True, slots=True)
class Style:
    """How one msgtype shows the parts of a message, and the language of the words around them.

    ``first`` makes the first line of level, its name with the count, label and message; ``quiet`` that of what is
    over, of label and what is said; ``closing`` that of one incident, with its message; ``news`` that of a line about
    what a person did, ``unwatched`` where that is the end of waiting for a job, ``failed`` of one about a run that did
    not end well, ``step`` of one about a step of its escalation; ``shared`` that of a message for many, of the worst
    level and what is said. A label is the origin up to the colon behind it, or "";
    ``quote`` sets a line of the program's text apart; ``fact`` shows a line of ours; ``link`` shows a URL by a name;
    ``safe`` makes text of the program inert; ``frames``: ``"own"`` folds those of libraries, ``"all"`` shows them.
    """

    markdown: bool
    first: Callable[[int, str, str, str], str]
    quiet: Callable[[str, str], str]
    closing: Callable[[str, str, str], str]
    news: Callable[[str, str], str]
    unwatched: Callable[[str, str], str]
    failed: Callable[[str, str], str]
    step: Callable[[str, str], str]
    shared: Callable[[int, str], str]
    quote: Callable[[str], str]
    fact: Callable[[str], str]
    link: Callable[[str, str], str]
    safe: Callable[[str], str]
    language: Language = "en"
    frames: str = "own"

    def within(self, language: Language, frames: str = "own") -> Style:
        """The same looks with the words of a language, and of a traceback with these frames."""
        return replace(self, language=language, frames=frames)


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of a message, every line ready to be sent and shorter than a message."""

    language: Language
    first: str
    fields: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    trace: list[TraceLine] = field(default_factory=list)
    link: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        trace = [line.text for line in self.trace]
        return [self.first, *self.fields, *self.message, *self.facts, *trace, *self.link]


def lay_out(digest: Digest, style: Style, link: str = "", losses: str = "") -> Layout:
    """All of a digest, whatever its length. ``losses`` is one line of ours about alerts that never arrived."""
    digest, language = _titled(digest), style.language
    alert = digest.alert
    is_whole = link and size(link) <= MAX_LINK_BYTES  # the half of a link leads nowhere
    links = [style.link(link, words.LOG.within(language))] if is_whole else []
    if digest.is_news:
        return _news(digest, style, losses)
    answered, variants = facts.answer_line(digest, language), facts.variants_line(digest, language)
    if digest.quiet_s > 0:  # it went quiet: a few short lines
        ends = [number_line(digest, style), *_fact_lines([answered, losses], style)]
        return Layout(language, first_line(digest, style, MAX_FIRST_LINE_BYTES), facts=ends)
    new, samples = _quoted(facts.new_lines(digest, language), style), _samples(digest, style)
    if digest.is_first and alert.formatted is not None:  # by the user's own formatter: number and count are added
        first, rest = _first_line(alert.formatted, style, MAX_LINE_BYTES)
        ours = [number_line(digest, style, facts.count_words(digest, language))]
        ours += _fact_lines([answered, variants, losses], style)
        return Layout(language, first, trace=_ranked(_quoted(rest, style), [*new, *samples], ours), link=links)
    first, rest = _told(alert, style, MAX_FIRST_LINE_BYTES)
    layout = Layout(
        language,
        _first(digest, style, level_and_count(digest, style), first, _where(digest, style)),
        message=[*new, *samples],
        facts=_fact_lines([answered, *facts.when_and_where(digest, language), variants, losses], style),
        link=links,
    )
    if not digest.is_first:  # the rest stands in its first message
        return layout
    rest += inert.lines(alert.message, language) if alert.title else []
    fields = (inert.line(_field(*one, language), language) for one in alert.fields)
    message = [*new, *_quoted(rest, style), *samples]
    return replace(layout, fields=_quoted(fields, style), message=message, trace=_trace(alert, style))


def _titled(digest: Digest) -> Digest:
    """With the title of a digest: of one that stands for many variants that is not what the first of them said."""
    if (variant := facts.title_variant(digest)) is None:
        return digest
    return replace(digest, alert=replace(digest.alert, message=variant.text, title="", failures=(), formatted=None))


def _news(digest: Digest, style: Style, losses: str) -> Layout:
    """What a person did with an incident, in a few short lines; with what came since the last message."""
    language, answer = style.language, digest.answer
    assert answer is not None
    looks = style.quiet if answer.verb in (DONE, OVER) else style.step if answer.verb == ESCALATED else style.news
    if answer.verb == DONE and (answer.job or (answer.run is not None and answer.run.has_failed)):
        looks = style.unwatched if answer.job else style.failed
    said = f"#{digest.short_id} {news_of(digest, style)}"
    number = facts.count_words(digest, language) or words.COUNT.within(language, digest.count, "")
    return Layout(
        first=looks(_label(_origin(digest.alert, style), style), said),
        message=[style.quote(_told(digest.alert, style, MAX_FIRST_LINE_BYTES)[0])],
        facts=[
            style.fact(f"#{digest.short_id} {clock_time(answer.at, language)} {number}"),
            *_fact_lines([losses], style),
        ],
        language=language,
    )


def news_of(digest: Digest, style: Style) -> str:
    """What a person did with an incident, or which step was told."""
    return style.safe(facts.no_count(facts.news_words(digest, style.language)))


def number_line(digest: Digest, style: Style, words: str = "") -> str:
    """The incident's id and the time of its newest alert, with what is said about it: no two such lines are alike.

    WeCom shows the very same text once within half an hour, also where the same failure has come again.
    """
    time = clock_time(max(digest.last, digest.alert.time), style.language)
    return style.fact(f"#{digest.short_id} {time} {words}".strip())


def first_line(digest: Digest, style: Style, most: int, *, with_id: bool = False) -> str:
    """What a message about a digest begins with, in at most ``most`` bytes.

    Sign, level, count and the beginning of the text stand in it whatever ``most`` is, and the beginning of the origin
    where there is room; ``with_id``: the curve and the short id, too. It has a line of ours around a text of the user's
    own formatter too.
    """
    digest = _titled(digest)
    alert = digest.alert
    name = facts.quiet_words(digest, style.language) if digest.quiet_s > 0 else level_and_count(digest, style)
    if with_id:
        name = " ".join(filter(None, [name, "" if digest.quiet_s > 0 else facts.curve(digest), f"#{digest.short_id}"]))
    text, _ = _told(alert, style, MAX_FIRST_LINE_BYTES)
    where = _where(digest, style)
    room = most - size(_first(digest, style, name, "", where and _ORIGIN)) + size(where and _ORIGIN)
    where_bytes = max(room // 3, room - size(text))
    where = trim(where, where_bytes) if where_bytes >= min(size(where), _LEAST_TEXT_BYTES // 2) else ""
    text, _ = _told(alert, style, min(max(room - size(where), _LEAST_TEXT_BYTES), MAX_FIRST_LINE_BYTES))
    return _first(digest, style, name, text, where)


def _where(digest: Digest, style: Style) -> str:
    """Its facts.origin, unless a text of the user's own formatter says it."""
    return _origin(digest.alert, style) if digest.alert.formatted is None or digest.quiet_s > 0 else ""


def _first(digest: Digest, style: Style, name: str, text: str, where: str) -> str:
    if digest.alert.ours[:1] == (words.WORKS_AGAIN.en,):  # a record that is green
        return style.quiet(_label(where, style), text)
    if digest.quiet_s > 0:
        return style.closing(_label(where, style), text, name)
    return titled(digest.alert.level, name, where, text, style)


def titled(level: int, name: str, where: str, text: str, style: Style) -> str:
    """``🔴 ERROR × 2 web shop: the disk is full``"""
    label = f" {_label(where, style)}" if where else labelled(name, style.language)[len(name) :]
    return style.first(level, name, label, text)


def _label(where: str, style: Style) -> str:
    return labelled(where, style.language) if where else ""


def _field(name: str, value: str, language: Language) -> str:
    return labelled(name, language) + value if name and value else name or value


def _told(alert: Alert, style: Style, most: int) -> tuple[str, list[str]]:
    """What happened, in one line of at most ``most`` bytes, and of the text what does not stand in it."""
    if alert.formatted is not None:
        text = alert.formatted.strip()[:_MAX_FIRST_LINE]
        return trim(_first_line(text, style, MAX_FIRST_LINE_BYTES)[0], most), []
    text = alert.title or in_one_line(alert.message.strip(), alert.failures)
    said, *rest = inert.lines(text.strip(), style.language)
    if alert.logger == "asyncio" and rest and (coroutine := _COROUTINE.search(rest[0])):
        said = f"{said} ({coroutine[1]})"  # asyncio says it in its second line
    if not alert.failures:
        first, more = _first_line(said, style, MAX_FIRST_LINE_BYTES)
        return trim(first, most), [*more, *rest]
    first, cut = headline(said, alert.failures, style.safe, most)
    return first or words.NO_TEXT.within(style.language), [cut, *rest] if cut else rest


def level_and_count(digest: Digest, style: Style) -> str:
    """``ERROR × 4321, 12345 in all``: the count stands here because no cut comes this far."""
    level = trim(style.safe(facts.no_count(facts.level_name(digest.alert, style.language))), facts.MAX_LEVEL_BYTES)
    return " ".join(filter(None, [level, facts.how_often(digest, style.language)]))


def _origin(alert: Alert, style: Style) -> str:
    return trim(style.safe(facts.no_count(facts.origin(alert))), facts.MAX_ORIGIN_BYTES)


def _samples(digest: Digest, style: Style) -> list[str]:
    """A line for each later text that says something else."""
    lines: list[str] = []
    for sample in digest.samples:
        text = trim(style.safe(inert.line(sample.text.strip(), style.language)), MAX_SAMPLE_BYTES)
        time = short_time(sample.time, digest.now, style.language, SECONDS)
        lines.append(style.quote(f"{time} {text or words.NO_TEXT.within(style.language)}"))
    return lines


def fact_line(text: str, style: Style, most: int = MAX_FACT_BYTES) -> str:
    """At most ``most`` bytes of a text as a line of ours, which cannot pass for the first line of an alert."""
    return style.fact(trim(style.safe(_SIGNS.sub("-", text)), most))


def _fact_lines(texts: Iterable[str], style: Style) -> list[str]:
    return [fact_line(text, style) for text in texts if text]


def _ranked(lines: list[str], samples: list[str], ours: list[str]) -> list[TraceLine]:
    """Of lines that may say anything, the first and the last matter most: a traceback is at the end."""
    last = len(lines) - 1
    said = [TraceLine(line, (MUST + 1 + min(2 * n, 2 * (last - n) + 1),)) for n, line in enumerate(lines)]
    said += [TraceLine(line, (_LEAST_RANK + 2 * len(lines), n)) for n, line in enumerate(samples)]
    return said + [TraceLine(line, (MUST, n)) for n, line in enumerate(ours)]


def _first_line(text: str, style: Style, most: int) -> tuple[str, list[str]]:
    """The first line of a text, made safe, and what does not stand in it."""
    first, *rest = [style.safe(line) for line in inert.lines(text.strip(), style.language)]
    start = head(first, most)
    rest = [first[len(start) :], *rest] if len(start) < len(first) else rest
    return start or words.NO_TEXT.within(style.language), rest


def _quoted(lines: Iterable[str], style: Style) -> list[str]:
    return [style.quote(piece) for line in lines for piece in _pieces(line, style)]


def _pieces(line: str, style: Style) -> list[str]:
    """A line as lines that are short enough; made safe once more, since a piece may begin with a sign of markdown."""
    return [style.safe(piece) for piece in wrap(style.safe(line), MAX_LINE_BYTES)]


def _trace(alert: Alert, style: Style) -> list[TraceLine]:
    lines = trace_lines(alert.failures, style.language, style.frames)
    if alert.stack:
        stack = inert.lines(alert.stack.strip("\n"), style.language)
        lines += [TraceLine(line, (2, 0, len(stack) - number)) for number, line in enumerate(stack)]
    return [
        # What a very long line goes on with must not take the place of other lines.
        TraceLine(style.quote(piece), line.rank, line.is_source)
        if number == 0
        else TraceLine(style.quote(piece), (_LEAST_RANK, *line.rank))
        for line in lines
        for number, piece in enumerate(_pieces(line.text, style))
    ]


def fit(layout: Layout, most: int) -> str:
    """The message in at most ``most`` bytes: its head, and of the traceback what matters most."""
    whole = "\n".join(layout.lines())
    if size(whole) <= most:
        return whole
    room = most - _bytes([layout.first])
    ours: list[str] = []
    for line in (*layout.link, *layout.facts):
        if _bytes([*ours, line]) <= room - most // 3:
            ours.append(line)
    told, link = ([line for line in lines if line in ours] for lines in (layout.facts, layout.link))
    room -= _bytes(ours)
    fields = _first_lines(layout.fields, room // 3, layout.language)
    room -= _bytes(fields)
    trace_bytes = _bytes(line.text for line in layout.trace)
    message_bytes = max(room // 3, room - trace_bytes) if layout.trace else room
    message = _first_lines(layout.message, message_bytes, layout.language)
    trace = _most_important(layout.trace, room - _bytes(message))
    return trim("\n".join([layout.first, *fields, *message, *told, *trace, *link]), most)


def _bytes(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)


def _first_lines(lines: list[str], most: int, language: Language) -> list[str]:
    """The first lines, with the beginning of the one that does not fit, and a mark."""
    if _bytes(lines) <= most:
        return lines
    room = most - size(words.LINES_CUT.within(language, len(lines))) - 1
    if room < 0:
        return []
    kept: list[str] = []
    for line in lines:
        if size(line) + 1 > room:
            break
        room -= size(line) + 1
        kept.append(line)
    begun = [trim(lines[len(kept)], room - 1)] if room > _LEAST_BYTES else []
    return [*kept, *begun, words.LINES_CUT.within(language, len(lines) - len(kept))]


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
        if not text or size(text) + extra > room:
            break
        chosen[number] = text
        room -= size(text) + extra
    shown: list[str] = []
    for number in range(len(lines)):
        if number in chosen:
            shown.append(chosen[number])
        elif (not shown or shown[-1] != mark) and not (lines[number].is_source and number - 1 in chosen):
            shown.append(mark)
    return shown if chosen else []
