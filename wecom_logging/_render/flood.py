"""A flood of kinds: a summary with the worst of them, and a table of all as a file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language
from ..model import Digest
from ..model.duty import Held
from .facts import level_name, origin
from .layout import Style, fact_line, first_line
from .share import SHORT_LINE_BYTES, headline
from .times import clock_time
from .trace import place
from .words import AND_MORE, BETWEEN_NAMES, COLUMNS, FROM, NO_TEXT, OF_NAME, ON, QUIET_KIND, SINCE

WORST = 10
"""So many kinds stand in the summary itself."""

_MAX_NAMES = 5
_MAX_CELL_BYTES = 300
# A spreadsheet takes such a cell for a formula and runs it; some look past blanks, and at the wide forms too.
_FORMULA = re.compile("[\\s\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]")


def worst_first(digests: Iterable[Digest]) -> list[Digest]:
    """The most severe first, of one level those that came most often."""
    return sorted(digests, key=lambda one: (2 if one.quiet_s > 0 else one.is_over, -one.alert.level, -one.count))


def summary(
    digests: Sequence[Digest], style: Style, most: int, losses: str = "", held: Held | None = None
) -> tuple[str, int]:
    """The text of a flood in at most ``most`` bytes (1 000 or more), and how many of the first digests stand in it."""
    start = min(one.since if one.since > 0 else one.alert.time for one in digests)
    language = style.language
    lines = [
        headline(digests, style, held),
        fact_line(SINCE.within(language, clock_time(start, language)), style),
        fact_line(
            FROM.within(language, _often(digests, lambda one: one.alert.service or one.alert.logger, language)), style
        ),
        fact_line(ON.within(language, _often(digests, lambda one: one.alert.host, language)), style),
        *([fact_line(losses, style)] if losses else []),
    ]
    room, shown = most - sum(size(line) + 1 for line in lines), 0
    for digest in digests[:WORST]:
        line = f"{first_line(digest, style, SHORT_LINE_BYTES)} #{digest.short_id}"
        room -= size(line) + 1
        if room < 0:
            break
        lines.append(line)
        shown += 1
    return "\n".join(lines), shown


def _often(digests: Iterable[Digest], name_of: Callable[[Digest], str], language: Language) -> str:
    """``payments × 812, orders × 33 and 4 more``"""
    counts: Counter[str] = Counter()
    for digest in digests:
        counts[trim(inert.line(name_of(digest), language).replace("×", "x"), 40) or "?"] += digest.count
    often = counts.most_common(_MAX_NAMES)
    words = BETWEEN_NAMES.within(language).join(OF_NAME.within(language, *one) for one in often)
    return AND_MORE.within(language, words, len(counts) - _MAX_NAMES) if len(counts) > _MAX_NAMES else words


def table(digests: Iterable[Digest], language: Language) -> bytes:
    """One line for each, as CSV. It begins with the mark by which spreadsheets know UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([one.within(language) for one in COLUMNS])
    writer.writerows([_cell(text, language) for text in _row(digest, language)] for digest in digests)
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "replace")


def _row(digest: Digest, language: Language) -> Iterator[str]:
    alert = digest.alert
    last = alert.failures[-1] if alert.failures else None
    yield f"#{digest.short_id}"
    yield level_name(alert, language) if digest.quiet_s <= 0 else QUIET_KIND.within(language)
    yield str(digest.count)
    yield str(digest.total)
    yield clock_time(digest.since if digest.since > 0 else alert.time, language)
    yield clock_time(max(digest.last, alert.time), language)
    yield origin(alert)
    yield alert.formatted or alert.title or alert.message or NO_TEXT.within(language)
    yield f"{last.type}: {last.text}" if last else ""
    yield place(alert.place, language)
    yield str(digest.hosts)
    yield str(digest.processes)


def _cell(text: str, language: Language) -> str:
    """One line, cut, and nothing that a spreadsheet would run."""
    text = trim(inert.line(text[: 4 * _MAX_CELL_BYTES].strip(), language), _MAX_CELL_BYTES)
    return f"'{text}" if _FORMULA.match(text) else text
