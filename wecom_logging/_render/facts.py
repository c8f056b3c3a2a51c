"""Facts of a digest in words: what a person did with the incident, and of which variants it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language
from ..model import EVERYBODY, Answer, Digest, Recipients, Variant
from ..model.alert import BY_RUN, DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE, Escalation
from . import words
from .times import SECONDS, clock_span, lasting, short_time

MAX_NAME_BYTES = 60
_MAX_NEW_LINES = 8
_MAX_NEW_BYTES = 200
_MAX_VARIANT_BYTES = 40
_MAX_VARIANTS_BYTES = 200
_MAX_CALLED = 5
_MAX_PHONED_BYTES = 240
_CLOCK_S = 1.0
"""By so much two clocks may differ."""
_VERBS = {
    TAKEN: (words.TAKEN_BY, words.CARD_TAKEN),
    SILENCED: (words.SILENCED_BY, words.CARD_SILENT),
    DONE: (words.CLOSED_BY, words.CARD_CLOSED),
    UNDONE[TAKEN]: (words.RETURNED_BY, words.CARD_RETURNED),
    UNDONE[SILENCED]: (words.RESUMED_BY, words.CARD_RESUMED),
    UNDONE[DONE]: (words.REOPENED_BY, words.CARD_REOPENED),
    OVER: (words.NOTHING_CAME, words.CARD_SILENCE_OVER),
    ESCALATED: (words.ESCALATED_TO, words.CARD_ESCALATED),
}
"""Who did what, and when; and the state that a card shows."""


def state_and_name(digest: Digest, language: Language) -> tuple[str, str]:
    """``taken 10:31`` or ``quiet to 12:20``, and who did it, for a card's title; both empty where nothing was done."""
    answer = digest.answer
    if answer is None:
        return "", ""
    form, when = _VERBS[answer.verb][1], answer.until if answer.verb in (SILENCED, OVER) else answer.at
    if answer.verb in (TAKEN, SILENCED) and has_ended(digest):
        form, when = (words.CARD_CLAIM_OVER if answer.verb == TAKEN else words.CARD_SILENCE_OVER), answer.until
    return form.within(language, short_time(when, digest.now, language)), _named(answer.who)


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
        return _in_silence(answer, 0, digest.now, language)
    if answer.verb == ESCALATED and answer.who:
        at, phoned = short_time(answer.at, digest.now, language), inert.line(answer.where)
        called = words.PHONED.within(language, trim(phoned, _MAX_PHONED_BYTES)) if phoned else ""
        return words.NOW_TOLD.within(language, _named(answer.who), at, called)
    return with_holder(did(answer, _named, digest.now, language), digest.back, _named, digest.now, language)


def with_holder(said: str, back: Answer | None, named: Callable[[str], str], now: float, language: Language) -> str:
    """``given back by Li 10:31; now: Wang``: what is in force after it is said, too, where there is any."""
    if back is None:
        return said
    has_it = words.HAS_IT_NOW.within(language, holder(back, named, now, language))
    return words.AND_NOW.within(language, said, has_it)


def holder(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """``Li``, who has taken it; ``Li until 12:31``, who has silenced it."""
    who = named(answer.who)
    if answer.verb == TAKEN:
        return who
    return words.SILENT_UNTIL.within(language, who, short_time(answer.until, now, language))


def step_line(escalation: Escalation, language: Language) -> str:
    """``⏫ Escalation 2/3: nobody took it in 10 minutes, told so far: Li``: what the message of a step begins with."""
    told = between_names([_named(one) for one in escalation.told], language)
    form = words.NOT_TAKEN_LAST if escalation.number == escalation.of else words.NOT_TAKEN
    return form.within(
        language,
        escalation.number,
        escalation.of,
        lasting(escalation.after_s, language),
        words.TOLD_BEFORE.within(language, told) if told else "",
        words.MISSED_BEFORE.within(language, missed_words(escalation.missed, language)) if escalation.missed else "",
    )


def missed_words(why: str, language: Language) -> str:
    """Why a step told nobody, of which the first word says what it was."""
    kind, _, who = why.partition(" ")
    return words.NOBODY_FOUND.within(language, _named(who)) if kind == "nobody" else words.NOT_SENT.within(language)


def called(recipients: Recipients, language: Language) -> str:
    """What people call them: a few, and how many more."""
    leaders = [words.LEADER_OF.within(language, one) for one in recipients.leader_of]
    users = [words.EVERYONE.within(language) if one == EVERYBODY else one for one in recipients.users]
    names = [
        inert.line(one) for one in (*users, *recipients.departments, *recipients.tags, *leaders, *recipients.chats)
    ]
    return between_names(names, language)


def between_names(names: Sequence[str], language: Language) -> str:
    """``Li, Wang, …``"""
    return words.BETWEEN_NAMES.within(language).join([*names[:_MAX_CALLED], *["…"] * (len(names) > _MAX_CALLED)])


def did(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """The same, with names as this text may have them. ``now`` is in seconds since the epoch."""
    at = short_time(answer.at, now, language)
    if answer.verb == ESCALATED and not (answer.who or answer.where):  # its message is on its way
        return words.CARD_ESCALATED.within(language, at)
    if answer.verb == ESCALATED and not answer.who:
        return words.NOBODY_TOLD.within(language, at, missed_words(answer.where, language))
    if answer.by:
        return words.GIVEN_TO.within(language, named(answer.who), named(answer.by), at)
    if answer.where == BY_RUN:
        return words.RAN_AGAIN.within(language, answer.who, at)
    until = [short_time(answer.until, now, language)] if answer.verb == SILENCED else []
    return _VERBS[answer.verb][0].within(language, named(answer.who), at, *until)


def answer_line(digest: Digest, language: Language) -> str:
    """``taken by Li 60 minutes ago, × 312 since``: what is said of it beside what came; empty for nothing."""
    answer = digest.answer
    if answer is None or digest.escalation is not None or digest.is_news:
        return ""
    if answer.verb == SILENCED:
        return _in_silence(answer, digest.answered_count, digest.now, language)
    ago = lasting(digest.answered_s, language)
    if answer.verb == DONE and digest.total > digest.answered_count:  # it is this message that says so
        return news_words(digest, language)
    if answer.where == BY_RUN:
        return words.RAN_AGO.within(language, ago)
    if answer.verb == DONE:
        return words.CLOSED_AGO.within(language, _named(answer.who), ago)
    if not digest.answered_count:
        return news_words(digest, language)
    return words.TAKEN_AGO.within(language, _named(answer.who), ago, digest.answered_count)


def _in_silence(answer: Answer, number: int, now: float, language: Language) -> str:
    """``silenced by Li, 10:31 to 11:31: × 312``: what came while it was."""
    form = words.SILENT_FROM_TO if number else words.NOTHING_CAME
    return form.within(language, _named(answer.who), clock_span(answer.at, answer.until, now, language), number)


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
    told = (
        (short_time(one.time, digest.now, language, SECONDS), inert.line(one.text.strip(), language)) for one in new
    )
    return [trim(words.NEW.within(language, *one), _MAX_NEW_BYTES) for one in islice(told, _MAX_NEW_LINES)]


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
        part = (words.OF_NEW_KIND if variant.is_new else words.OF_KIND).within(language, name, variant.count)
        room -= size(part) + 3
        if room < 0:
            parts.append("…")
            break
        parts.append(part)
    if (others := digest.count - sum(variant.count for variant in variants)) > 0:
        parts.append(words.OTHERS.within(language, others))
    number = (words.KIND if len(variants) == 1 else words.KINDS).within(language, len(variants))
    return words.VARIANTS_OF_IT.within(language, number, words.BETWEEN_KINDS.within(language).join(parts))
