"""Facts of a digest in words: what a person did with the incident, and of which variants it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language
from ..model import EVERYBODY, Answer, Digest, Recipients, Variant
from ..model.alert import BY_RUN, DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE, Escalation
from .times import clock_span, lasting, local_time, short_time
from .words import (
    AND_NOW,
    BETWEEN_KINDS,
    BETWEEN_NAMES,
    CARD_CLAIM_OVER,
    CARD_CLOSED,
    CARD_ESCALATED,
    CARD_REOPENED,
    CARD_RESUMED,
    CARD_RETURNED,
    CARD_SILENCE_OVER,
    CARD_SILENT,
    CARD_TAKEN,
    CLOSED_AGO,
    CLOSED_BY,
    ESCALATED_TO,
    EVERYONE,
    GIVEN_TO,
    HAS_IT_NOW,
    KIND,
    KINDS,
    LEADER_OF,
    MISSED_BEFORE,
    NEW,
    NOBODY_FOUND,
    NOBODY_TOLD,
    NOT_SENT,
    NOT_TAKEN,
    NOT_TAKEN_LAST,
    NOTHING_CAME,
    NOW_TOLD,
    OF_KIND,
    OF_NEW_KIND,
    OTHERS,
    PHONED,
    RAN_AGAIN,
    RAN_AGO,
    REOPENED_BY,
    RESUMED_BY,
    RETURNED_BY,
    SILENCED_BY,
    SILENT_FROM_TO,
    SILENT_UNTIL,
    TAKEN_AGO,
    TAKEN_BY,
    TOLD_BEFORE,
    VARIANTS_OF_IT,
)

MAX_NAME_BYTES = 60
_MAX_NEW_LINES = 8
_MAX_NEW_BYTES = 200
_MAX_VARIANT_BYTES = 40
_MAX_VARIANTS_BYTES = 200
_MAX_CALLED = 5
_MAX_PHONED_BYTES = 240
_CLOCK_S = 1.0
"""By so much two clocks may differ."""
_DID = {
    TAKEN: TAKEN_BY,
    SILENCED: SILENCED_BY,
    DONE: CLOSED_BY,
    UNDONE[TAKEN]: RETURNED_BY,
    UNDONE[SILENCED]: RESUMED_BY,
    UNDONE[DONE]: REOPENED_BY,
    ESCALATED: ESCALATED_TO,
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
    ESCALATED: CARD_ESCALATED,
}


def state_and_name(digest: Digest, language: Language) -> tuple[str, str]:
    """``taken 10:31`` or ``quiet to 12:20``, and who did it, for a card's title; both empty where nothing was done."""
    answer = digest.answer
    if answer is None:
        return "", ""
    words, when = _STATES[answer.verb], answer.until if answer.verb in (SILENCED, OVER) else answer.at
    if answer.verb in (TAKEN, SILENCED) and has_ended(digest):
        words, when = (CARD_CLAIM_OVER if answer.verb == TAKEN else CARD_SILENCE_OVER), answer.until
    return words.within(language, short_time(when, _now(digest, answer), language)), _named(answer.who)


def has_ended(digest: Digest) -> bool:
    """Whether the time is over for which a person took or silenced it: any other person may do so."""
    answer = digest.answer
    return answer is not None and 0 < answer.length_s <= digest.answered_s + _CLOCK_S


def news_words(digest: Digest, language: Language) -> str:
    """``taken by Li 10:31``; empty where no person did anything."""
    answer = digest.answer
    if answer is None:
        return ""
    if answer.verb == OVER:
        return _in_silence(answer, 0, language)
    if answer.verb == ESCALATED and answer.who:
        at, phoned = short_time(answer.at, _now(digest, answer), language), inert.line(answer.where)
        called = PHONED.within(language, trim(phoned, _MAX_PHONED_BYTES)) if phoned else ""
        return NOW_TOLD.within(language, _named(answer.who), at, called)
    now = _now(digest, answer)
    return with_holder(did(answer, _named, now, language), digest.back, _named, now, language)


def with_holder(words: str, back: Answer | None, named: Callable[[str], str], now: float, language: Language) -> str:
    """``given back by Li 10:31; now: Wang``: what is in force after it is said, too, where there is any."""
    if back is None:
        return words
    return AND_NOW.within(language, words, HAS_IT_NOW.within(language, holder(back, named, now, language)))


def holder(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """``Li``, who has taken it; ``Li until 12:31``, who has silenced it."""
    who = named(answer.who)
    if answer.verb == TAKEN:
        return who
    return SILENT_UNTIL.within(language, who, short_time(answer.until, now, language))


def step_line(escalation: Escalation, language: Language) -> str:
    """``⏫ Escalation 2/3: nobody took it in 10 minutes, told so far: Li``: what the message of a step begins with."""
    told = between_names([_named(one) for one in escalation.told], language)
    words = NOT_TAKEN_LAST if escalation.number == escalation.of else NOT_TAKEN
    return words.within(
        language,
        escalation.number,
        escalation.of,
        lasting(escalation.after_s, language),
        TOLD_BEFORE.within(language, told) if told else "",
        MISSED_BEFORE.within(language, missed_words(escalation.missed, language)) if escalation.missed else "",
    )


def missed_words(why: str, language: Language) -> str:
    """Why a step told nobody, of which the first word says what it was."""
    kind, _, who = why.partition(" ")
    return NOBODY_FOUND.within(language, _named(who)) if kind == "nobody" else NOT_SENT.within(language)


def called(recipients: Recipients, language: Language) -> str:
    """What people call them: a few, and how many more."""
    leaders = [LEADER_OF.within(language, one) for one in recipients.leader_of]
    users = [EVERYONE.within(language) if one == EVERYBODY else one for one in recipients.users]
    names = [
        inert.line(one) for one in (*users, *recipients.departments, *recipients.tags, *leaders, *recipients.chats)
    ]
    return between_names(names, language)


def between_names(names: Sequence[str], language: Language) -> str:
    """``Li, Wang, …``"""
    return BETWEEN_NAMES.within(language).join([*names[:_MAX_CALLED], *["…"] * (len(names) > _MAX_CALLED)])


def did(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """The same, with names as this text may have them. ``now`` is in seconds since the epoch."""
    at = short_time(answer.at, now, language)
    if answer.verb == ESCALATED and not (answer.who or answer.where):  # its message is on its way
        return CARD_ESCALATED.within(language, at)
    if answer.verb == ESCALATED and not answer.who:
        return NOBODY_TOLD.within(language, at, missed_words(answer.where, language))
    if answer.by:
        return GIVEN_TO.within(language, named(answer.who), named(answer.by), at)
    if answer.where == BY_RUN:
        return RAN_AGAIN.within(language, answer.who, at)
    until = [short_time(answer.until, now, language)] if answer.verb == SILENCED else []
    return _DID[answer.verb].within(language, named(answer.who), at, *until)


def _now(digest: Digest, answer: Answer) -> float:
    return answer.at + digest.answered_s


def answer_line(digest: Digest, language: Language) -> str:
    """``taken by Li 60 minutes ago, × 312 since``: what is said of it beside what came; empty for nothing."""
    answer = digest.answer
    if answer is None or digest.escalation is not None:
        return ""
    if answer.verb == SILENCED:
        return _in_silence(answer, digest.answered_count, language)
    ago = lasting(digest.answered_s, language)
    if answer.verb == DONE and digest.total > digest.answered_count:  # it is this message that says so
        return news_words(digest, language)
    if answer.where == BY_RUN:
        return RAN_AGO.within(language, ago)
    if answer.verb == DONE:
        return CLOSED_AGO.within(language, _named(answer.who), ago)
    return (
        TAKEN_AGO.within(language, _named(answer.who), ago, digest.answered_count)
        if digest.answered_count
        else (news_words(digest, language))
    )


def _in_silence(answer: Answer, number: int, language: Language) -> str:
    """``silenced by Li, 10:31 to 11:31: × 312``: what came while it was."""
    words = SILENT_FROM_TO if number else NOTHING_CAME
    return words.within(language, _named(answer.who), clock_span(answer.at, answer.until, language), number)


def _named(who: str) -> str:
    return trim(inert.line(who).replace("×", "x"), MAX_NAME_BYTES)


def title_variant(digest: Digest) -> Variant | None:
    """What a digest is called after: the newest variant never told, else the commonest since the last message."""
    if digest.is_first or not digest.variants:
        return None
    if new := _new(digest):
        return new[-1]
    variant = max(digest.variants, key=lambda variant: variant.count)
    return variant if variant.text else None


def new_lines(digest: Digest, language: Language) -> list[str]:
    """``new 10:03:11 user zoe not found``: one line for each variant that is new, but for the title's, at most 8."""
    title = title_variant(digest)
    new = [variant for variant in _new(digest) if variant is not title]
    return [
        trim(
            NEW.within(
                language, f"{local_time(variant.time, language):%H:%M:%S}", inert.line(variant.text.strip(), language)
            ),
            _MAX_NEW_BYTES,
        )
        for variant in new[:_MAX_NEW_LINES]
    ]


def _new(digest: Digest) -> list[Variant]:
    """The variants that were never told, the newest last."""
    return sorted(
        (variant for variant in digest.variants if variant.is_new and variant.text), key=lambda variant: variant.time
    )


def variants_line(digest: Digest, language: Language) -> str:
    """``7 variants: bob × 12, ann × 3, zoe × 1 (new), …, others × 5``, the most frequent first."""
    variants = sorted(digest.variants, key=lambda variant: -variant.count)
    if not variants:
        return ""
    parts: list[str] = []
    room = _MAX_VARIANTS_BYTES
    for variant in variants:
        name = trim(inert.line(variant.name, language).replace("×", "x"), _MAX_VARIANT_BYTES)
        part = (OF_NEW_KIND if variant.is_new else OF_KIND).within(language, name, variant.count)
        room -= size(part) + 3
        if room < 0:
            parts.append("…")
            break
        parts.append(part)
    if (others := digest.count - sum(variant.count for variant in variants)) > 0:
        parts.append(OTHERS.within(language, others))
    number = (KIND if len(variants) == 1 else KINDS).within(language, len(variants))
    return VARIANTS_OF_IT.within(language, number, BETWEEN_KINDS.within(language).join(parts))
