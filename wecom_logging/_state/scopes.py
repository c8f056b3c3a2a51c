"""Maintenances: which services and loggers people have made quiet, and until when, for all who share a state.

They are one fact of the state. Without a state they hold in this process.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence

from .._duty.moment import may_hold
from .._incidents import life
from .._incidents.incident import Incident
from .._incidents.limits import QUIET_LIMIT_S
from .._incidents.scopes import MAX_WHY, Scopes
from .._journal import standing as here
from ..model.duty import Scope
from .base import Store, Swap
from .shared import Shared, alone
from .standing import change_standing, read_standing

_READ_S = 5.0
"""So old may be what this process knows of them."""

_CHANNEL, _NAME = "duty", "scopes"
_MOST = 1000
"""Of each channel so many incidents are told at once where a maintenance ends before its time."""

_known: weakref.WeakKeyDictionary[Shared, tuple[float, Scopes]] = weakref.WeakKeyDictionary()


def known_scopes(shared: Shared, *, asks: bool = True) -> Scopes:
    """Those that hold or have ended a moment ago, as this process knows them; it ``asks`` every few seconds at most,
    and in any case while it knows of some. Where a state is away, what its programs say holds in them. Raises nothing.
    """
    read_at, scopes = _known.get(shared, (float("-inf"), ()))
    if (asks or scopes) and (now := time.monotonic()) >= read_at + _READ_S:
        scopes = shared.try_call(_read, scopes)
        _known[shared] = now, scopes
    return scopes if shared.is_well else (*scopes, *here.standing(Scope))


def _read(store: Store) -> Scopes:
    return _of_persons(read_standing(store, _CHANNEL, _NAME, Scope)[1], store.time())


def _of_persons(scopes: Scopes, now: float) -> Scopes:
    """Without what holds for longer than a day, or gives a reason without end: no person has said that."""
    known = (one for one in scopes if one.until <= min(one.began, now) + QUIET_LIMIT_S + _READ_S)
    return tuple(one for one in known if len(one.why) <= MAX_WHY)


def change_scopes(shared: Shared, become: Callable[[Scopes], Scopes]) -> Scopes:
    """Let them become others, which are returned; what no longer holds any of them is due now. Raises `StateError`."""
    if shared is alone:
        return here.change(Scope, become)
    there = shared.call(lambda store: change_standing(store, _CHANNEL, _NAME, Scope, become))
    after = _of_persons(there, shared.time_s())
    for channel in shared.call(lambda store: store.channels()):
        wake(shared, channel, after, time.monotonic())
    _known[shared] = time.monotonic(), after
    return after


def woken(rows: Sequence[Incident], scopes: Scopes | None, now: float, time_s: float) -> list[Swap]:
    """What waits for longer than a maintenance of its name holds it now: it is due. None: all that is held, also by a
    person, is judged anew."""

    def is_late(row: Incident) -> bool:
        holds = (one.until for one in scopes or () if one.name == row.quiet_by and may_hold(one, row.level))
        until = row.not_before if row.quiet_since else row.held_until
        return until > now + max(holds, default=time_s) - time_s + life.NEAR_S

    held = [row for row in rows if (row.quiet_by or (scopes is None and row.held_until)) and not row.owner]
    return [Swap(row, life.woken(row, now=now, time=time_s)) for row in held if is_late(row)]


def wake(shared: Shared, channel: str, scopes: Scopes | None, now: float) -> None:
    """The same in a state. Raises `StateError`."""
    rows = shared.call(lambda store: store.open(channel, _MOST, now=now))
    if found := woken(rows, scopes, now, shared.time_s()):
        shared.call(lambda store: store.swap(channel, found, now))


def forget_scopes() -> None:
    """For tests: this process knows of none."""
    _known.clear()
    here.forget()
