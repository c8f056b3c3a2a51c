"""What a handler's rules of time and persons would do: in one line, for any time; whether persons can be found;
what of quiet hours a person should know before the first night."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ... import _config as config
from ..._build import shared_state
from ..._config.duty import duty, with_file
from ..._delivery.duties import Duties
from ..._duty.calendars import calendar
from ..._duty.moment import Moment
from ..._duty.outlook import Outlook, Way, outlook
from ..._duty.people import ask
from ..._render.facts import called
from ..._render.times import lasting_short, local_time
from ..._render.words import LEVELS
from ..._state.shared import Shared, alone
from ..._text.said import Language, Reader, Said
from ..._wecom.channels import Channel
from ...handlers import WeComHandler
from ...model import Recipients
from ...model.recipients import ON_CALL
from ..environment import HANDLERS, is_unused
from ..texts import said
from .findings import Notes
from .targets import Target, unopened

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_S = 6 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Planned:
    """A handler with rules of time and persons, as its program would have it."""

    name: str
    duties: Duties
    channel: Channel
    channel_id: str
    moment: Moment
    """What its rules ask for now."""
    shared: Shared

    def recipients(self) -> Recipients:
        """Who gets at that moment what names nobody."""
        named = self.channel.addressed(None)
        return self.duties.on_call.called(named, self.moment).recipients if named.rotas else named

    def outlook(self) -> Outlook:
        people = self.duties.on_call.people
        return outlook(
            self.moment,
            self.channel.addressed(None),
            lambda rota, at: people(rota, replace(self.moment, time=at)),
        )


@contextmanager
def planned(target: Target, *, makes_state: bool = False) -> Iterator[Planned | None]:
    """What a handler would have, of which nothing runs; None where it cannot be built, or has no such rules. A state
    that no process has used is left alone.
    """
    if target.errors or not target.enabled:
        yield None
        return
    without = {**target.options, "state": unopened(target.options.get("state"))}  # else it would send what others left
    handler = HANDLERS[target.channel](**without)
    try:
        pipeline = handler._pipeline
        if pipeline is None or not pipeline.options.duty:
            yield None
            return
        shared = shared_state(target.options.get("state"), lambda cause, line: None)
        if shared is not alone and not makes_state and is_unused(shared):
            shared = alone
        options = replace(pipeline.options, shared=shared)
        channel, channel_id = pipeline._channels[0], pipeline.channel_id
        duties = Duties(options, channel_id, channel, time.monotonic)
        now = shared.try_call(lambda store: store.time(), time.time())
        yield Planned(target.name, duties, channel, channel_id, replace(duties.rules(options.duty), time=now), shared)
    finally:
        handler.close()


def line_of(one: Planned, *, is_now: bool = True) -> Said:
    return line_of_outlook(one.outlook(), one.moment, is_now=is_now)


def line_of_outlook(found: Outlook, moment: Moment, *, is_now: bool = True) -> Said:
    """``now (Sunday 02:14, day off): ERROR waits until Monday 09:00, CRITICAL goes to Li; after 15 min …``"""
    both = (Reader("en", moment.zone), Reader("zh", moment.zone))
    en, zh = (_line(found, moment, is_now, language) for language in both)
    return Said(en, zh)


def _line(found: Outlook, moment: Moment, is_now: bool, language: Language) -> str:
    day, comma = local_time(found.time, language), "，" if language == "zh" else ", "
    return said(
        "on_call.now" if is_now else "on_call.at",
        at=f"{day:%Y-%m-%d %H:%M}",
        day=said(f"days.{_DAYS[day.weekday()]}"),
        time=f"{day:%H:%M}",
        kind=said("on_call.workday" if found.is_workday else "on_call.day_off"),
        ways=comma.join(_way(one, moment, language) for one in found.ways),
    ).within(language)


def _way(way: Way, moment: Moment, language: Language) -> str:
    names = [logging.getLevelName(level) for level in way.levels]
    names = [LEVELS[name] for name in names] if language == "zh" else names
    is_one = len(names) == 1
    levels = names[0] if is_one else said("on_call.both", one=names[0], other=names[1]).within(language)
    if way.until:
        row, until = "on_call.wait_one" if is_one else "on_call.wait_many", day_and_time(way.until, moment, language)
        return said(row, levels=levels, until=until).within(language)
    row = "on_call.go_one" if is_one else "on_call.go_many"
    parts = [said(row, levels=levels, who=_who(way.to.recipients, language)).within(language)]
    for step in way.steps:
        is_held = step.at > moment.time + step.after_s
        row = "on_call.held_step" if is_held else "on_call.step"
        after = day_and_time(step.at, moment, language) if is_held else lasting_short(step.after_s, language)
        who = _who(step.to.recipients, language)
        who = said("on_call.with_call", who=who).within(language) if step.calls else who
        parts.append(said(row, after=after, who=who).within(language))
    return ("；" if language == "zh" else "; ").join(parts)


def _who(to: Recipients, language: Language) -> str:
    return called(to, language) or said("on_call.the_group").within(language)


def day_and_time(at: float, moment: Moment, language: Language) -> str:
    """``Monday 09:00``, with the date where that is further away."""
    found = local_time(at, Reader(language, moment.zone))
    if 0 <= at - moment.time < _WEEK_S:
        return f"{said(f'days.{_DAYS[found.weekday()]}').within(language)} {found:%H:%M}"
    return f"{found:%Y-%m-%d %H:%M}"


# Persons.


def on_call_now(named: Recipients) -> Recipients:
    """Those of the environment, with who is on call now in the place of rotas. Raises `ConfigurationError`."""
    if not named.rotas:
        return named
    handler = WeComHandler(state="memory://")  # what is wrong is said
    handler.close()
    target = Target("app", "app", {}, {}, ())
    with planned(target) as one:
        return named if one is None else one.recipients()


def without_rotas(recipients: Recipients) -> Recipients:
    """The persons and groups alone: `persons_of` has those of rotas."""
    return replace(recipients, users=tuple(one for one in recipients.users if not one.startswith(ON_CALL)))


def persons_of(one: Planned | None) -> Iterator[tuple[str, Recipients]]:
    """Those of each step and of each turn, of whom one at least has to be found; with the option that has them."""
    for number, step in enumerate(() if one is None else one.moment.duty.steps):
        yield f"escalation[{number}].", without_rotas(step.recipients)
    for rota in () if one is None else one.moment.duty.rotas:
        yield from (("", Recipients(turn)) for turn in rota.people)


def look_at_rotas(notes: Notes, one: Planned) -> None:
    """Whether it can be found out who is on call by a function."""
    for rota in one.moment.duty.rotas:
        if rota.who:
            try:
                found = ask(rota)
            except BaseException as error:  # code of the program
                why = said("found.function_failed", error=f"{type(error).__name__}: {error}"[:200])
                notes.bad("on_call", why, said("found.mend_function", name=rota.who), subject=rota.name)
                continue
            if found:
                notes.good("on_call", said("found.on_call", names=", ".join(found)), rota.name)
            else:
                notes.unknown("on_call", said("found.nobody_on_call"), subject=rota.name)


# Quiet hours.


def look_at_duty(notes: Notes, options: Mapping[str, Any]) -> None:
    """That without a state the exit sends what waits; that nobody knows the days of the next year yet."""
    found = duty(with_file(dict(options)))  # type: ignore[arg-type] # they are checked
    if not found.quiet:
        return
    if config.state(options.get("state")).scheme == "memory":
        notes.bad("quiet_hours", said("found.quiet_in_memory"), said("found.keep_quiet"), warning=True)
    if not found.calendar or not any(span.kind for span in found.quiet):
        return
    today = datetime.fromtimestamp(time.time(), config.timezone(found.zone)).date()
    remedy = said("found.update_library" if found.calendar == "cn" else "found.add_days")
    with suppress(Exception):  # of the program's own function, which may need the program
        days = calendar(found.calendar)
        if days(today) is None:
            notes.bad("calendar", said("found.no_days", year=today.year), remedy, warning=True)
        elif today.month >= 11 and days(date(today.year + 1, 1, 1)) is None:
            cause = said("found.no_days", year=today.year + 1)
            if (today.month, today.day) < (12, 15):  # the notice of a year comes between the end of October and then
                notes.unknown("calendar", cause, remedy)
            else:
                notes.bad("calendar", cause, remedy, warning=True)
