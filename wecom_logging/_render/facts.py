"""Facts of a digest in words: what a person did with the incident, of which variants it is; how often it came, when and
where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language
from ..model import EVERYBODY, Alert, Answer, Digest, Frame, Recipients, Variant
from ..model.alert import BY_RUN, DONE, ESCALATED, OVER, SILENCED, TAKEN, UNDONE, Escalation, RunEnd
from . import words
from .times import (
    SECONDS,
    clock_span,
    clock_time,
    exactly,
    in_two_units,
    last_time,
    lasting,
    local_time,
    short_time,
    spark,
)
from .trace import location

MAX_NAME_BYTES = 60
MAX_ORIGIN_BYTES = 120
MAX_LEVEL_BYTES = 32
MAX_BARS = 9
_MAX_NEW_LINES = 8
_MAX_NEW_BYTES = 200
_MAX_VARIANT_BYTES = 40
_MAX_VARIANTS_BYTES = 200
_MAX_CALLED = 5
_MAX_PHONED_BYTES = 240
# In a name it would begin another fact.
_DOTS = re.compile("[\u00b7\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\ua78f\uff65]")
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
_UNDONE_BY = {UNDONE[TAKEN]: words.CLAIM_UNDONE_BY, UNDONE[SILENCED]: words.SILENCE_UNDONE_BY}
"""The same of what another person had done."""


def state_and_name(digest: Digest, language: Language) -> tuple[str, str]:
    """``taken 10:31`` or ``quiet to 12:20``, and who did it, for a card's title; both empty where nothing was done."""
    answer = digest.answer
    if answer is None:
        return "", ""
    form, when = _VERBS[answer.verb][1], answer.until if answer.verb in (SILENCED, OVER) else answer.at
    if answer.job and answer.verb == DONE:
        form = words.CARD_UNWATCHED
    if answer.verb in (TAKEN, SILENCED) and has_ended(digest):
        form, when = (words.CARD_CLAIM_OVER if answer.verb == TAKEN else words.CARD_SILENCE_OVER), answer.until
    return form.within(language, short_time(when, digest.now, language)), _named(answer.who)


def has_ended(digest: Digest) -> bool:
    """Whether the time is over for which a person took or silenced it: any other person may do so."""
    answer = digest.answer
    return answer is not None and 0 < answer.length_s <= digest.answered_s + _CLOCK_S


def news_words(digest: Digest, language: Language) -> str:
    """``taken by Li 10:31``, of news ``taken by Li 10:31, quiet until 11:01``; empty where no person did anything."""
    answer = digest.answer
    if answer is None:
        return ""
    if answer.verb == OVER:
        return _in_silence(answer, 0, digest.now, language)
    if answer.verb == ESCALATED and answer.who:
        at = short_time(answer.at, digest.now, language)
        phoned = trim(inert.line(answer.where), _MAX_PHONED_BYTES)
        called = words.PHONED.within(language, phoned) if phoned else ""
        return words.NOW_TOLD.within(language, _named(answer.who), at, called)
    said = (did_until if digest.is_news else did)(answer, _named, digest.now, language)
    return with_holder(said, answer, digest.back, _named, digest.now, language)


def with_holder(
    said: str, answer: Answer, back: Answer | None, named: Callable[[str], str], now: float, language: Language
) -> str:
    """``given back by Li 10:31; now: Wang``: what is in force after an undo is said, too."""
    if answer.verb not in UNDONE.values():
        return said
    if back is None:
        return words.AND_NOW.within(language, said, words.NOBODY_NOW.within(language))
    return words.AND_NOW.within(language, said, words.HAS_IT_NOW.within(language, holder(back, named, now, language)))


def holder(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """``Li``, who has taken it; ``Li (silenced until 12:31)``, who has silenced it."""
    who = named(answer.who)
    if answer.verb == TAKEN:
        return who
    return words.SILENT_UNTIL.within(language, who, short_time(answer.until, now, language))


def step_line(escalation: Escalation, language: Language) -> str:
    """``⏫ Escalation 2/3: nobody took it in 10 minutes, told so far: Li``: what the message of a step begins with."""
    told = between_names([_named(one) for one in escalation.told], language)
    form = words.LAST_STEP if escalation.number == escalation.of else words.STEP
    why = words.NOT_TAKEN.within(language, lasting(escalation.after_s, language))
    if escalation.taken_by:
        why = words.TAKE_OVER.within(language, _named(escalation.taken_by))
    return form.within(
        language,
        escalation.number,
        escalation.of,
        why,
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
    if answer.job:
        form = words.UNWATCHED_BY if answer.verb == DONE else words.WATCHED_BY
        return form.within(language, named(answer.who), at, named(answer.job))
    if answer.where == BY_RUN:
        return _ran(answer, at, now, language)
    if answer.whose:
        return _UNDONE_BY[answer.verb].within(language, named(answer.who), at, named(answer.whose))
    until = [short_time(answer.until, now, language)] if answer.verb == SILENCED else []
    return _VERBS[answer.verb][0].within(language, named(answer.who), at, *until)


def _ran(answer: Answer, at: str, now: float, language: Language) -> str:
    """``ran again 09:12``; ``the run of 04:50 has ended, 50 s (at most 30 s)``"""
    run = answer.run or RunEnd()
    if not run.took_s:
        return (words.RAN_AND_FAILED if run.has_failed else words.RAN_AGAIN).within(language, at)
    form = words.LATE_RUN_FAILED if run.has_failed else words.LATE_RUN_ENDED
    lengths = in_two_units(run.took_s, language), exactly(run.most_s, language)
    return form.within(language, short_time(run.began, now, language), *lengths)


def did_until(answer: Answer, named: Callable[[str], str], now: float, language: Language) -> str:
    """The same; of a claim, for how long nobody is told: ``taken by Li 10:31, quiet until 11:01``."""
    done = did(answer, named, now, language)
    if answer.verb != TAKEN or not answer.until:
        return done
    return f"{done}{words.QUIET_UNTIL.within(language, short_time(answer.until, now, language))}"


def answer_line(digest: Digest, language: Language) -> str:
    """``taken by Li 60 minutes ago (claim over), × 312 since``: what is said of it beside what came, or nothing."""
    answer = digest.answer
    if answer is None or digest.escalation is not None or digest.is_news:
        return ""
    if answer.verb == SILENCED:
        return _in_silence(answer, digest.answered_count, digest.now, language)
    ago = lasting(digest.answered_s, language)
    if answer.verb == DONE and digest.total > digest.answered_count:  # it is this message that says so
        return news_words(digest, language)
    if answer.where == BY_RUN:
        is_late = answer.run is not None and answer.run.took_s > 0
        return (words.LATE_RUN_ENDED_AGO if is_late else words.RAN_AGO).within(language, ago)
    if answer.verb == DONE:
        return words.CLOSED_AGO.within(language, _named(answer.who), ago)
    if not digest.answered_count:
        return news_words(digest, language)
    over = words.CLAIM_OVER.within(language) if has_ended(digest) else ""
    return words.TAKEN_AGO.within(language, _named(answer.who), ago, over, digest.answered_count)


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
    if others := _others(digest):
        parts.append(words.OTHERS.within(language, others))
    number = (words.KIND if len(variants) == 1 else words.KINDS).within(language, len(variants))
    return words.VARIANTS_OF_IT.within(language, number, words.BETWEEN_KINDS.within(language).join(parts))


def told_losses(losses: Mapping[str, int], before: Mapping[str, int], language: Language) -> str:
    """What was lost, by reason, since the last message that got through."""
    new = {reason: number - before.get(reason, 0) for reason, number in losses.items()}
    names = words.REASONS if language == "zh" else {}
    lost = [words.LOST_NUMBER.within(language, new[one], names.get(one, one)) for one in new if new[one]]
    return words.LOST.within(language, words.BETWEEN_LOST.within(language).join(lost)) if lost else ""


def count_words(digest: Digest, language: Language) -> str:
    """``× 4321, 12345 in all on 14 hosts``; less where there is less to say."""
    if digest.is_news and not digest.count:
        return words.IN_ALL.within(language, digest.total, where(digest, language))
    if digest.count != digest.total:
        numbers = words.COUNT_AND_TOTAL.within(language, digest.count, digest.total, where(digest, language))
        return f"{_of_kinds(digest, language)}{numbers}"
    if digest.count < 2:
        return ""
    return f"{_of_kinds(digest, language)}{words.COUNT.within(language, digest.count, where(digest, language))}"


def _of_kinds(digest: Digest, language: Language) -> str:
    """``3 kinds``, whose count it is where the title is one of them alone; ``all kinds`` where not all are named."""
    number, others = len(digest.variants), _others(digest)
    if number + (others > 0) < 2:
        return ""
    return f"{words.ALL_KINDS.within(language) if others else words.KINDS.within(language, number)} "


def _others(digest: Digest) -> int:
    """The number of alerts of kinds that are not named."""
    return max(digest.count - sum(variant.count for variant in digest.variants), 0) if digest.variants else 0


def where(digest: Digest, language: Language) -> str:
    """``on 14 hosts``, or in how many processes of one host: of what had come by then, no more than that."""
    hosts, processes = (min(number, digest.total) for number in (digest.hosts, digest.processes))
    if hosts > 1:
        return words.ON_HOSTS.within(language, hosts)
    return words.IN_PROCESSES.within(language, processes) if processes > 1 else ""


def how_often(digest: Digest, language: Language) -> str:
    """``again, 3rd time today, × 4321, 12345 in all``"""
    said = [_again(digest, language), _stopped(digest, language), count_words(digest, language)]
    return words.BETWEEN_LOST.within(language).join(filter(None, said))


def _again(digest: Digest, language: Language) -> str:
    """``again, 3rd time today``: of the first message since it came again."""
    if digest.times < 2 or not digest.is_first:
        return ""
    times = "" if "failed" in digest.alert.ours[1:] else which_time(digest, language)  # a field says how often it did
    return words.BETWEEN_LOST.within(language).join(filter(None, [words.AGAIN.within(language), times]))


def which_time(digest: Digest, language: Language) -> str:
    """``3rd time today``; empty for what did not end before."""
    if digest.times < 2:
        return ""
    times = words.ordinal(digest.times) if language == "en" else digest.times
    if local_time(digest.times_since, language).date() == local_time(digest.now, language).date():
        return words.TIME_TODAY.within(language, times)
    return words.TIME_SINCE.within(language, times, short_time(digest.times_since, digest.now, language))


def _stopped(digest: Digest, language: Language) -> str:
    """``none since 07:51``: of what was told before, or was over before it is told. What comes seldom, such as a third
    payment in an hour, has not stopped because no other has come yet.
    """
    goes_on = not digest.is_over and (digest.is_first or digest.is_rare)
    if goes_on or not digest.has_stopped or digest.last <= 0:
        return ""
    return words.NONE_SINCE.within(language, short_time(digest.last, digest.now, language))


def no_count(name: str) -> str:
    """A name beside which a count stands, unable to pass for one."""
    return name.replace("×", "x")


def quiet_words(digest: Digest, language: Language) -> str:
    """``quiet for 10 minutes, × 41 since 07:12, 1204 in all``: how it ended, with what no message has told."""
    began, on = digest.alert.time, where(digest, language)
    last = digest.last if digest.last > 0 else began
    if digest.count and digest.since > 0:
        since = short_time(digest.since, digest.now, language)
        numbers = words.COUNT_SINCE.within(language, digest.count, since, digest.total, on)
        numbers = f"{_of_kinds(digest, language)}{numbers}"
    else:
        numbers = words.TOTAL_FROM_TO.within(language, digest.total, on, clock_span(began, last, digest.now, language))
    form = words.QUIET_OR_NOT_TRIED if digest.is_rare else words.QUIET
    return form.within(language, lasting(digest.quiet_s, language), numbers)


def level_name(alert: Alert, language: Language = "en") -> str:
    """The level as the program names it; those of logging have a name in each language."""
    return trim(inert.line(level_word(alert.level_name, language), language), MAX_LEVEL_BYTES)


def level_word(name: str, language: Language) -> str:
    """The same of a name."""
    return name if language == "en" else words.LEVELS.get(name, name)


def origin(alert: Alert) -> str:
    """``payments (prod) shop.charge``: service, environment, and the logger where its name says more."""
    service = f"{alert.service} ({alert.environment})" if alert.service and alert.environment else ""
    words = [
        service or alert.service or alert.environment,
        "" if alert.logger in ("root", "__main__", alert.service) else alert.logger,
    ]
    return trim(inert.line(" ".join(word for word in words if word)), MAX_ORIGIN_BYTES)


def when_and_where(digest: Digest, language: Language) -> list[str]:
    """When, where and which: one line each; of what was told before, when."""
    alert = digest.alert
    came_again = digest.last > 0 and (digest.total > 1 or not digest.is_first)
    first = words.FIRST.within(language) if came_again or not digest.is_first else ""
    found = [f"{first} {clock_time(alert.time, language)} #{digest.short_id}".strip()]
    found += [_last(digest, language)] if came_again else []
    if not digest.is_first:
        return found
    process = "" if alert.process is None else words.PROCESS.within(language, alert.process)
    names = [name for name in (alert.process_name, alert.thread_name) if name not in ("MainProcess", "MainThread", "")]
    found.append(
        inert.line(" · ".join(trim(_DOTS.sub(".", word), 64) for word in (alert.host, process, *names) if word))
    )
    return [*found, *([location(_place(alert), language)] if alert.place.file else [])]


def _place(alert: Alert) -> Frame:
    """Where it was logged; if by a server or a library, where the exception has left the user's own code."""
    if alert.place.own or not alert.failures:
        return alert.place
    return next((frame for frame in reversed(alert.failures[-1].frames) if frame.own), alert.place)


def _last(digest: Digest, language: Language) -> str:
    """``since 10:02:04, last 10:03:11.000 +08:00 ▁▂▅█``: when what is new came, and how the rate went."""
    last = f"{words.LAST.within(language)} {last_time(digest.alert.time, digest.last, language)}"
    if not digest.is_first and digest.count > 1 and digest.since > 0:
        last = words.SINCE_LAST.within(language, short_time(digest.since, digest.now, language, SECONDS), last)
    return " ".join(filter(None, [last, curve(digest)]))


def curve(digest: Digest) -> str:
    """How the rate went, in few bars; of one record there is none."""
    each = -(-len(digest.rates) // MAX_BARS)
    bars = [sum(digest.rates[at : at + each]) for at in range(0, len(digest.rates), each or 1)]
    return spark(bars) if digest.count > 1 else ""
