"""What is answered to who did something with an incident, or asks: a line, all that is known, a card. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .._incidents.known import Known, back, by_persons, in_force, newest
from .._incidents.limits import quiet_limit_s
from .._incidents.short_id import MOST, read_short_id
from .._render import facts, words
from .._render.card import Pressed, card, no_card, offered
from .._render.facts import level_name, level_word
from .._render.layout import Layout, fact_line, fit, lay_out
from .._render.mask import masked
from .._render.retold import headline_of, in_language
from .._render.styles import BOTH_MARKDOWNS
from .._render.times import lasting, short_time
from .._text import inert
from .._text.cut import size, trim
from .._text.said import Language, Reader, Said, labelled, zone_of
from .._wecom.aibot import quotes_apart
from .._wecom.body import Json
from ..model import Answer, Digest, Sample
from ..model.alert import DONE, ESCALATED, SILENCED, TAKEN
from ..model.duty import OnDuty
from .command import Command

MAX_LISTED = 20
MAX_DETAILS_BYTES = 20_480
"""Of a message of the AI bot, as markdown."""
_CUT_BYTES = 16_384
"""Of details that are cut: what keeps quotes apart comes on top."""
_MAX_NAMED = 10
_MAX_LINE_BYTES, _MAX_SERVICE_BYTES = 160, 40
_MAX_ID = 16
_MAX_SAID = 40
AN_ID, A_SCOPE = "k7f2", "shop.pay"

_WAS = {TAKEN: words.WAS_TAKEN, SILENCED: words.WAS_SILENCED, DONE: words.WAS_CLOSED}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the desk answers.

    ``text`` is for people: a few lines, in which names and texts of programs can be no link, mention or markdown.
    ``why`` nothing was done, or "": one of `Command.why`, ``"unknown"`` (no such id), ``"over"``, ``"other"``
    (``other`` is what a person did that is in the way), ``"outdated"`` (a card), ``"nothing"`` (to undo), ``"limit"``
    (a silence may not be so long), ``"busy"``, ``"away"`` (the state), ``"pair"`` (not the desk's). ``incident`` is the
    incident as it is now, where there is one; ``done`` are all that were changed, each with its channel.
    ``is_of_scope``: of a maintenance, which concerns others, too.
    """

    said: Said
    language: Language = "en"
    why: str = ""
    incident: Known | None = None
    other: Answer | None = None
    done: tuple[tuple[str, Known], ...] = ()
    is_of_scope: bool = False

    @property
    def text(self) -> str:
        return self.said.within(self.language)


def both(say: Callable[[Language], str], language: Language) -> Said:
    """The same in both languages, with times in the zone of this one."""
    zone = zone_of(language)
    return Said(say(Reader("en", zone)), say(Reader("zh", zone)))


def name_of(who: str) -> str:
    """Who did something, in a text of ours."""
    return trim(_safe(who).replace("×", "x").replace("·", "."), facts.MAX_NAME_BYTES)


def did(incident: Known, now: float, language: Language) -> str:
    """``#k7f2 taken by Li 10:31, quiet until 11:01``: what was done last; of an undo, who has it now."""
    said = f"#{incident.short_id} {did_words(incident.answers[-1], now, language)}"
    return facts.with_holder(said, incident.answers[-1], back(incident, now), name_of, now, language)


def old_card(incident: Known, now: float, language: Language) -> str:
    """That the card is of before; what was done with it, or since when it is, where no person has it."""
    last = newest(incident, now)
    so = words.STILL_OPEN.within(language, short_time(incident.began, now, language))
    if last is not None and not 0 < last.until <= now:
        so = did_words(last, now, language)
    return words.OLD_CARD.within(language, f"#{incident.short_id} {so}")


def did_words(answer: Answer, now: float, language: Language) -> str:
    """The same without the id."""
    return facts.did_until(answer, name_of, now, language)


def in_the_way(incident: Known, other: Answer, undo: Said, now: float, language: Language) -> str:
    """``#k7f2 was taken by Li 10:31 until 11:01; `undo k7f2` takes that back``: ``undo`` is what does so."""
    until = words.UNTIL.within(language, short_time(other.until, now, language)) if other.until else ""
    row = words.UNDO_OPENS if other.verb == DONE else words.UNDO_TAKES_BACK
    how = row.within(language, undo.within(language, incident.short_id))
    at = short_time(other.at, now, language)
    return _WAS[other.verb].within(language, incident.short_id, name_of(other.who), at, until, how)


def unknown(short_id: str, command: Command, found: Sequence[Known], language: Language) -> str:
    """No such id, as it was typed; which there are."""
    typed = (one for one in command.typed.split() if read_short_id(one)[:MOST] == short_id)
    short_id = next(typed, short_id).lstrip("#")
    names = sorted({f"#{one.short_id}" for one in found if one.is_open})
    others = words.OPEN_ARE.within(language, _some(names, language)) if names else words.NOTHING_OPEN.within(language)
    said = words.NO_OPEN_INCIDENT.within(language, _safe(short_id)[:_MAX_ID], others)
    return words.IF_A_SERVICE.within(language, said, of_scope(command, language)) if command.as_scope else said


def of_scope(command: Command, language: Language) -> str:
    """``静默 服务 shop 2d``: what to type of a service."""
    verb, service = words.COMMANDS[command.verb].within(language), words.SERVICE.within(language)
    return trim(_safe(f"{verb} {service} {command.as_scope or command.scope or 'shop'}"), _MAX_LINE_BYTES)


def no_recipient(whom: str, others: Sequence[str], language: Language) -> str:
    """A person who does not get it; who does."""
    return words.NO_RECIPIENT.within(language, name_of(whom), _some([*map(name_of, others)], language))


def _some(names: Sequence[str], language: Language) -> str:
    return words.BETWEEN_NAMES.within(language).join([*names[:_MAX_NAMED], *(["…"] if len(names) > _MAX_NAMED else [])])


def at_most(incident: Known, language: Language) -> str:
    limit = lasting(quiet_limit_s(incident.level), language)
    row = words.CRITICAL_AT_MOST if level_of(incident) == logging.CRITICAL else words.SILENT_AT_MOST
    return row.within(language, incident.short_id, limit)


def level_of(incident: Known) -> int:
    """The level of logging that it counts as: one of the program's own is the one below."""
    return min(max(incident.level // 10, 1), 5) * 10


def place_in_list(incident: Known, now: float) -> tuple[int, bool, float]:
    """The worst first, of a level those that nobody has, then the newest. ``now`` is in seconds since the epoch."""
    return -level_of(incident), in_force(incident, now) is not None, -incident.last


def listed(
    found: Sequence[Known],
    command: Command,
    is_all: bool,
    now: float,
    language: Language,
    mask: Callable[[str], str],
) -> str:
    """A line for each on the page, at most `MAX_LISTED`; how many more there are, at least, and what shows them."""
    level = level_word(logging.getLevelName(command.level), language) if command.level else ""
    if not found:
        return words.NOTHING_OF_LEVEL.within(language, level) if level else words.NOTHING_OPEN.within(language)
    page = max(min(command.page, -(-len(found) // MAX_LISTED)), 1)
    begin, end = (page - 1) * MAX_LISTED, page * MAX_LISTED
    lines = [words.NO_SUCH_PAGE.within(language, command.page, page)] if page < command.page else []
    lines += [line_of(one, now, language, mask) for one in found[begin:end]]
    if (more := len(found) - end) > 0:
        then = " ".join(filter(None, [words.COMMANDS["list"].within(language), level, str(page + 1)]))
        lines.append(words.MORE_OPEN.within(language, f"{more}{'' if is_all else '+'}", then))
    return "\n".join(lines)


def line_of(incident: Known, now: float, language: Language, mask: Callable[[str], str]) -> str:
    """``#k7f2 ERROR × 312 · since 09:12 · Li · web shop: the disk is full``"""
    try:
        alert = incident.alert
        service = labelled(trim(mask(alert.service), _MAX_SERVICE_BYTES), language) if alert.service else ""
        level, text = level_name(alert, language), service + headline_of(alert, mask, language)
    except Exception:  # nothing that stands in a state is trusted
        level, text = level_word(logging.getLevelName(incident.level), language), ""
    parts = [
        f"#{incident.short_id} {_safe(level)} × {incident.total}",
        words.OPEN_SINCE.within(language, short_time(incident.began, now, language)),
        held_by(incident, now, language),
        _safe(text),
    ]
    return trim(" · ".join(part for part in parts if part), _MAX_LINE_BYTES)


def held_by(incident: Known, now: float, language: Language = "en") -> str:
    """``Li``, who has it now; ``Li (silenced until 12:31)``, who has silenced it; else nothing. ``now`` is in seconds
    since the epoch."""
    found = in_force(incident, now)
    if found is None or found.verb == DONE:
        return ""
    return facts.holder(found, name_of, now, language)


def not_understood(
    command: Command, an_id: str, language: Language, mask: Callable[[str], str], more: Callable[[Language], str]
) -> str:
    """What is missing, with an example of an incident; ``more`` gives the help."""
    one = command.said if command.why == "ids" else an_id
    example = command_line(command.verb or "help", language, one)
    if command.why == "scope" or command.scope:
        example = f"{of_scope(command, language)}{' 1h' if command.verb == 'quiet' else ''}"
    if command.why == "verb":
        return words.NOT_UNDERSTOOD.within(language, trim(_safe(mask(command.said)), _MAX_SAID), more(language))
    if command.why == "long":
        return words.TOO_LONG.within(language, more(language))
    if command.why == "id" and command.as_scope:
        said = words.WHICH_ID.within(language, example)
        return words.IF_A_SERVICE.within(language, said, of_scope(command, language))
    rows = {
        "scope": words.WHICH_SCOPE,
        "id": words.WHICH_ID,
        "ids": words.WHICH_OF_IDS,
        "whom": words.TO_WHOM,
        "length": words.HOW_LONG,
    }
    return rows[command.why].within(language, example) if command.why in rows else more(language)


def help_text(an_id: str, language: Language, *, has_rotas: bool = False, has_jobs: bool = False) -> str:
    """What may be said, a line for each."""
    rows = {
        "take": words.HELP_TAKE,
        "give": words.HELP_GIVE,
        "quiet": words.HELP_QUIET,
        "done": words.HELP_DONE,
        "undo": words.HELP_UNDO,
        "details": words.HELP_DETAILS,
        "list": words.HELP_LIST,
        **({"on-call": words.HELP_ON_CALL} if has_rotas else {}),
        **({"jobs": words.HELP_JOBS, "forget": words.HELP_FORGET} if has_jobs else {}),
    }
    lines = [row.within(language, command_line(verb, language, an_id)) for verb, row in rows.items()]
    scope = f"{words.COMMANDS['quiet'].within(language)} {A_SCOPE} 30m"
    lines.insert(3, words.HELP_SCOPE.within(language, scope))
    return "\n".join([words.SAY.within(language), *lines])


def on_duty(found: Sequence[OnDuty], now: float, language: Language) -> str:
    """``web: Li until 10:00, then Wang``: a line for each rota."""
    return "\n".join(_of_rota(one, now, language) for one in found) or words.NO_ROTA.within(language)


def _of_rota(one: OnDuty, now: float, language: Language) -> str:
    if not one.people:
        return words.NOBODY_ON_CALL.within(language, _safe(one.rota))
    has_end = one.until < float("inf")
    until = words.ON_CALL_UNTIL.within(language, short_time(one.until, now, language)) if has_end else ""
    then = words.ON_CALL_THEN.within(language, _names(one.then, language)) if one.then else ""
    return words.ON_CALL.within(language, _safe(one.rota), _names(one.people, language), until, then)


def _names(people: Sequence[str], language: Language) -> str:
    return facts.between_names([name_of(one) for one in people], language)


def command_line(verb: str, language: Language, short_id: str) -> str:
    """``quiet k7f2 1h``: what a person may type."""
    give = [short_id, "to", "Li"] if language == "en" else ["李四", short_id]
    after = {
        "give": give,
        "quiet": [short_id, "1h"],
        "pair": ["7m3kq9xt"],
        "list": [],
        "on-call": [],
        "jobs": [],
        "help": [],
    }
    return " ".join([words.COMMANDS[verb].within(language), *after.get(verb, [short_id])])


def _safe(text: str) -> str:
    return inert.in_both_markdowns(inert.line(text))


def details(incident: Known, now: float, language: Language, mask: Callable[[str], str] = str) -> str:
    """As markdown, cut to `MAX_DETAILS_BYTES`. Raises `Exception` where the alert cannot be read."""
    digest = in_language(_whole_digest(incident, now, mask), language)
    whole = _layout(incident, digest, now, language)
    text = quotes_apart("\n".join(whole.lines()))
    return text if size(text) <= MAX_DETAILS_BYTES else quotes_apart(fit(whole, _CUT_BYTES))


def _whole_digest(incident: Known, now: float, mask: Callable[[str], str]) -> Digest:
    """All that has come, as if nothing had been told."""
    number = incident.total
    return Digest(
        masked(incident.alert, mask),
        count=number,
        total=number,
        since=incident.began,
        last=incident.last,
        samples=tuple(Sample(one.time, mask(one.text)) for one in incident.samples),
        rates=incident.rates,
        hosts=incident.hosts,
        processes=incident.processes,
        short_id=incident.short_id,
        told_at=now,
        variants=tuple(replace(one, name=mask(one.name), text=mask(one.text)) for one in incident.variants),
    )


def _layout(incident: Known, digest: Digest, now: float, language: Language) -> Layout:
    look = BOTH_MARKDOWNS.within(language, "all")
    layout = lay_out(digest, look)
    more = [words.MESSAGES_SO_FAR.within(language, incident.messages), *people(incident, now, language)]
    return replace(layout, facts=[*layout.facts, *(fact_line(one, look) for one in more)])


def people(incident: Known, now: float, language: Language) -> list[str]:
    """What people did, the oldest first: ``taken by Li 10:31, quiet until 11:01 · chat ops · × 312``; who has it."""
    lines = []
    for one in incident.answers:
        if one.verb == ESCALATED and not one.who:
            lines.append(did_words(one, now, language))
            continue
        came = words.CAME_BY_THEN.within(language, one.count)
        lines.append(" · ".join(filter(None, [did_words(one, now, language), _place(one.where, language), came])))
    has_it = held_by(incident, now, language)
    if not by_persons(incident):
        lines.append(words.NOBODY_ANSWERED.within(language))
    elif has_it or incident.is_open:
        lines.append(words.HAS_IT_NOW.within(language, has_it or words.NOBODY.within(language)))
    return lines


def _place(where: str, language: Language) -> str:
    """``chat ops-group lisi``, ``cli atlas``: where a person did something."""
    kind, _, name = where.replace("·", ".").replace("×", "x").partition(" ")
    chat, _, user = name.partition(" ")
    if kind == "chat" and user:
        return words.IN_A_GROUP.within(language, chat, user)
    return words.PLACES_OF_ANSWERS[kind].within(language, name).strip() if kind in words.PLACES_OF_ANSWERS else where


def card_of(incident: Known | None, found: Pressed, task_id: str, language: Language, now: float) -> Json:
    """The incident as it is now, in the place of the card that was clicked. None: it is over. ``now`` is in seconds
    since the epoch.
    """
    if incident is None:
        return {**no_card(found.short_id, language, now), "task_id": task_id}
    last = incident.answers[-1:]
    made = max([now, incident.began, incident.last, *(answer.at for answer in last)])  # a clock may go back
    holds = in_force(incident, now)
    body = card(
        in_language(_card_digest(incident, found.short_id, now), language),
        language,
        made,
        lengths=offered(quiet_limit_s(incident.level)),
        in_force="" if holds is None else holds.verb,
    )
    return {**body, "task_id": task_id}


def _card_digest(incident: Known, short_id: str, now: float) -> Digest:
    """As a card shows it: with what a person did with it, also where that has been told."""
    last = newest(incident, now)
    total = max(incident.total, 1)
    return Digest(
        incident.alert,
        answer=last,
        told_at=now,
        count=incident.unsent or total,
        total=total,
        last=incident.last,
        hosts=incident.hosts,
        processes=incident.processes,
        short_id=short_id,
    )
