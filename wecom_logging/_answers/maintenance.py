"""A maintenance, begun and ended by a command: a service or a logger that is quiet, in place of an incident."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._incidents.limits import CRITICAL_QUIET_LIMIT_S, QUIET_LIMIT_S
from .._incidents.scopes import begun, ended, is_a_scope
from .._render import words
from .._render.times import lasting, short_time
from .._text import inert
from .._text.said import Language
from ..model.duty import Scope
from .command import Command
from .place import Place


def standing(places: Sequence[Place], now: float) -> list[Scope]:
    """Those that have not ended, of each name the one that ends last."""
    found = [one for place in places for one in place.scopes() if one.until > now]
    return list({one.name: one for one in sorted(found, key=lambda one: one.until)}.values())


def maintain(places: Sequence[Place], command: Command, who: str, now: float) -> tuple[Callable[[Language], str], str]:
    """Begin one, or end it before its time (``undo``): what is answered, and why nothing was done, or "". Raises
    `StateError`.
    """
    name = command.scope
    if command.verb == "undo":
        is_there = name in {one.name for one in standing(places, now)}
        for place in places if is_there else ():
            place.scopes(lambda scopes: ended(scopes, name))
        row = words.MAINTENANCE_OVER if is_there else words.NO_MAINTENANCE
        return lambda language: row.within(language, inert.line(name)), "" if is_there else "unknown"
    if not is_a_scope(name):
        return lambda language: words.SCOPE_OF_ALL.within(language, "shop.pay", "WECOM_ENABLED=0"), "scope"
    limit_s = CRITICAL_QUIET_LIMIT_S if command.critical else QUIET_LIMIT_S
    if command.length_s > limit_s:
        return lambda language: words.MAINTENANCE_AT_MOST.within(language, lasting(limit_s, language)), "limit"
    scope = Scope(name, now, now + command.length_s, command.reason, who, command.critical)
    for place in places:
        place.scopes(lambda scopes: begun(scopes, scope))

    def say(language: Language) -> str:
        said = maintained(scope, now, language)
        return said if scope.critical else words.CRITICAL_COMES.within(language, said)

    return say, ""


def maintained(scope: Scope, now: float, language: Language) -> str:
    """``maintenance of shop.pay until 14:30 (deploy), by Li``"""
    why = words.MAINTENANCE_FOR.within(language, inert.line(scope.why)) if scope.why else ""
    until = short_time(scope.until, now, language)
    return words.UNDER_MAINTENANCE.within(language, inert.line(scope.name), until, why, inert.line(scope.who))
