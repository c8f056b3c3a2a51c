"""What a person did with an incident, in words: as a message of its own, and as a fact of a digest."""

from __future__ import annotations

from .._text import inert
from .._text.cut import trim
from .._text.said import Language
from ..model import Answer, Digest
from ..model.answer import DONE, OVER, SILENCED, TAKEN, UNDONE
from .times import clock_span, lasting, local_time
from .words import (
    CARD_CLOSED,
    CARD_REOPENED,
    CARD_RESUMED,
    CARD_RETURNED,
    CARD_SILENCE_OVER,
    CARD_SILENT,
    CARD_TAKEN,
    CLOSED_AGO,
    CLOSED_BY,
    NOTHING_CAME,
    REOPENED_BY,
    RESUMED_BY,
    RETURNED_BY,
    SILENCED_BY,
    SILENT_FROM_TO,
    TAKEN_AGO,
    TAKEN_BY,
)

MAX_NAME_BYTES = 60
_CLOCK_S = 1.0
"""By so much two clocks may differ."""
DID = {
    TAKEN: TAKEN_BY,
    SILENCED: SILENCED_BY,
    DONE: CLOSED_BY,
    UNDONE[TAKEN]: RETURNED_BY,
    UNDONE[SILENCED]: RESUMED_BY,
    UNDONE[DONE]: REOPENED_BY,
}
"""Who did what, and when, by the verb."""

_STATES = {
    TAKEN: CARD_TAKEN,
    SILENCED: CARD_SILENT,
    DONE: CARD_CLOSED,
    UNDONE[TAKEN]: CARD_RETURNED,
    UNDONE[SILENCED]: CARD_RESUMED,
    UNDONE[DONE]: CARD_REOPENED,
    OVER: CARD_SILENCE_OVER,
}


def state_and_name(digest: Digest, language: Language) -> tuple[str, str]:
    """``taken 10:31`` or ``quiet to 12:20``, and who did it, for a card's title; both empty where nobody did anything.

    A take and a silence last for a day at most, so that no date is needed.
    """
    answer = digest.answer
    if answer is None:
        return "", ""
    when = answer.until if answer.verb in (SILENCED, OVER) else answer.at
    verb = OVER if answer.verb == SILENCED and has_ended(digest) else answer.verb
    return _STATES[verb].within(language, f"{local_time(when):%H:%M}"), _name(answer)


def has_ended(digest: Digest) -> bool:
    """Whether the time is over for which a person took or silenced it: anybody else may do so."""
    answer = digest.answer
    return answer is not None and 0 < answer.length_s <= digest.answered_s + _CLOCK_S


def news_words(digest: Digest, language: Language) -> str:
    """``taken by Li 10:31``; empty where nobody did anything."""
    answer = digest.answer
    if answer is None:
        return ""
    if answer.verb == OVER:
        return NOTHING_CAME.within(language, _name(answer), clock_span(answer.at, answer.until, language))
    times = [_time(answer.at, digest), *([_time(answer.until, digest)] if answer.verb == SILENCED else [])]
    return DID[answer.verb].within(language, _name(answer), *times)


def answer_line(digest: Digest, language: Language) -> str:
    """``taken by Li 60 minutes ago, × 312 since``: what is said of it beside what came; empty for nothing."""
    answer = digest.answer
    if answer is None:
        return ""
    if answer.verb == SILENCED:
        return SILENT_FROM_TO.within(language, _name(answer), clock_span(answer.at, answer.until, language))
    ago = lasting(digest.answered_s, language)
    if answer.verb == DONE and digest.total > digest.answered_count:  # it is this message that says so
        return news_words(digest, language)
    if answer.verb == DONE:
        return CLOSED_AGO.within(language, _name(answer), ago)
    return (
        TAKEN_AGO.within(language, _name(answer), ago, digest.answered_count)
        if digest.answered_count
        else (news_words(digest, language))
    )


def _name(answer: Answer) -> str:
    return trim(inert.line(answer.who).replace("×", "x"), MAX_NAME_BYTES)


def _time(at: float, digest: Digest) -> str:
    """``10:31``, with the date where that is another one than now."""
    assert digest.answer is not None
    is_today = local_time(at).date() == local_time(digest.answer.at + digest.answered_s).date()
    return f"{local_time(at):{'%H:%M' if is_today else '%m-%d %H:%M'}}"
