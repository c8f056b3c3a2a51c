"""All that is known of an incident, for who asked: the alert with all its frames, the numbers, what people did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .._incidents import life
from .._incidents.incident import Incident
from .._render.layout import Layout, fact_line, fit, lay_out
from .._render.mask import masked
from .._render.retold import in_language
from .._render.styles import MARKDOWN, TEXT
from .._render.words import HAS_IT_NOW, MESSAGES_SO_FAR, NOBODY_ANSWERED, WHOLE_IN_FILE
from .._text.cut import size
from .._text.said import Language
from ..model import Digest, Sample
from .reply import did_words, held_by

MAX_BYTES = 20_480
"""Of a message of the AI bot, as markdown."""

_BESIDE_A_FILE_BYTES = 4096


def details(incident: Incident, language: Language, mask: Callable[[str], str] = str) -> tuple[str, str]:
    """As markdown, in at most `MAX_BYTES`; and as the text of a file where that does not hold all, else "".

    Raises `Exception` where the alert cannot be read.
    """
    digest = in_language(_digest(incident, mask), language)
    whole = _layout(incident, digest, language, markdown=True)
    text = "\n".join(whole.lines())
    if size(text) <= MAX_BYTES:
        return text, ""
    note = fact_line(WHOLE_IN_FILE.within(language), MARKDOWN)
    file = "\n".join(_layout(incident, digest, language, markdown=False).lines())
    return f"{fit(whole, _BESIDE_A_FILE_BYTES - size(note) - 1)}\n{note}", file


def _digest(incident: Incident, mask: Callable[[str], str]) -> Digest:
    """All that has come, as if nothing had been told."""
    number = life.total(incident)
    return Digest(
        masked(incident.first.alert, mask),
        count=number,
        total=number,
        since=incident.began,
        last=incident.last,
        samples=tuple(Sample(one.time, mask(one.text)) for one in incident.samples),
        rates=incident.rates,
        hosts=incident.hosts,
        processes=incident.processes,
        short_id=incident.short_id,
        kinds=tuple(replace(one, name=mask(one.name), text=mask(one.text)) for one in incident.kinds),
    )


def _layout(incident: Incident, digest: Digest, language: Language, *, markdown: bool) -> Layout:
    look = (MARKDOWN if markdown else TEXT).within(language, "all")
    layout = lay_out(digest, look)
    more = [MESSAGES_SO_FAR.within(language, incident.digests + (incident.told > 0)), *_people(incident, language)]
    return replace(layout, facts=[*layout.facts, *(fact_line(one, look) for one in more)])


def _people(incident: Incident, language: Language) -> list[str]:
    """What people did, the oldest first: ``taken by Li 10:31, quiet until 11:01 · chat · × 312``."""
    journal = incident.answers.journal
    if not journal:
        return [NOBODY_ANSWERED.within(language)]
    lines = []
    for place in range(len(journal)):
        one = replace(incident, answers=replace(incident.answers, journal=journal[: place + 1]))
        where = journal[place].where.replace("·", ".").replace("×", "x")
        lines.append(" · ".join(filter(None, [did_words(one, language), where, f"× {journal[place].count}"])))
    now = held_by(incident, language)
    return [*lines, *([HAS_IT_NOW.within(language, now)] if now else [])]
