"""On call: whose turn it is, until when, and who gets a message that names a rota.

A hand-over is at a time of the wall: at 10:00 before and after a change of the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from ..model import Recipients
from ..model.duty import Called, OnDuty, Rota, Swap
from .hours import instant


def on_duty(rota: Rota, time: float, zone: tzinfo, swaps: Sequence[Swap] = ()) -> OnDuty:
    """Who is on call at this time, in seconds since the epoch; nobody: a function knows, or WeCom. What replaces a turn
    is of several swaps the newest, which is the last."""
    mine = [one for one in swaps if one.rota == rota.name]
    now = [one for one in mine if one.began <= time < one.until]
    people, by = (now[-1].people, now[-1].who) if now else ((), None)
    borders = [border for one in mine for border in (one.began, one.until)]
    if rota.people and not now:
        number, then = _turn(rota, time, zone)
        people, borders = rota.people[number % len(rota.people)], [*borders, then]
    return OnDuty(rota.name, people, min((one for one in borders if one > time), default=float("inf")), swapped_by=by)


def _turn(rota: Rota, time: float, zone: tzinfo) -> tuple[int, float]:
    """Its number, and when the next begins: that which begins at ``since`` is 0, those before have less."""
    since, length = datetime.fromisoformat(rota.since), timedelta(days=rota.days, hours=rota.hours)
    number = (datetime.fromtimestamp(time, zone).replace(tzinfo=None) - since) // length
    while (then := instant(since + (number + 1) * length, zone)) <= time:  # the clock on the wall was put back
        number += 1
    return number, then


def called(
    named: Recipients, own: Recipients, rotas: Iterable[Rota], people: Callable[[Rota], tuple[str, ...] | None]
) -> Called:
    """Who is meant by ``named``, in which rotas stand; ``people`` says who is on call by one. None: that has failed.

    Where nobody is, those of the handler's ``own`` recipients get it who are no such rota; where there are none, all
    people of its rotas.
    """
    known = {one.name: one for one in rotas}

    def turns(recipients: Recipients) -> dict[str, tuple[str, ...] | None]:
        return {name: people(known[name]) if name in known else () for name in recipients.rotas}

    found = turns(named)
    to, failed = named.with_people(found), None in found.values()
    if nobody := tuple(name for name, who in found.items() if not who):
        found = {**turns(own), **found}
        everybody = (who for name in found if name in known for turn in known[name].people for who in turn)
        to = to.with_others(own.with_people(found)) or to.with_others(Recipients(tuple(everybody)))
    return Called(to, nobody, failed)
