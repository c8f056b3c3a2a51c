"""`maintenance`: what a service or a logger tells is quiet while a block runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from . import _config as config
from ._capture.pending import hostname
from ._incidents.limits import CRITICAL_QUIET_LIMIT_S, QUIET_LIMIT_S
from ._incidents.scopes import MAX_NAME, MAX_WHY, Scopes, is_a_scope
from ._runtime.clock import between, within
from ._state.base import Store
from ._state.scopes import change_scopes
from ._state.shared import Shared, alone
from .errors import ConfigurationError, StateError
from .handlers import live_handlers
from .model.duty import Scope

_LONGEST_S = 2.0
"""A state that does not answer holds the program for so long at most, for its time and at each end of the block."""


@contextmanager
def maintenance(scope: str, length: str, *, why: str = "", critical: bool = False) -> Iterator[None]:
    """While the block runs, and no longer than ``length``, what ``scope`` logs is counted and not told.

    ``scope`` is a service or a logger (and all below it); ``length`` a text such as ``"30m"``: a day at
    most, an hour where ``critical`` holds CRITICAL, too. It holds for all processes that share the state of a handler
    of this process, without a state here; it ends by itself if the process dies. Then one message says what came.
    Raises `ConfigurationError`.
    """
    name = config.text("scope", scope).strip()
    if not is_a_scope(name):
        raise ConfigurationError("scope", "scope_of_all")
    length_s = config.duration("length", length, least=1, most=CRITICAL_QUIET_LIMIT_S if critical else QUIET_LIMIT_S)
    why = config.optional_text("why", why or None)
    pipelines = [handler._pipeline for handler in live_handlers() if handler._pipeline is not None]
    try:
        for pipeline in pipelines:
            why = pipeline.options.mask(why)
    except Exception:  # of the program's redact: what may be secret is not told
        why = ""
    states = {id(one): one for one in (alone, *(pipeline.options.shared for pipeline in pipelines))}
    with within(time.monotonic() + _LONGEST_S):
        mine = {key: _scope(shared, name, length_s, why, critical=critical) for key, shared in states.items()}

    def change(become: Callable[[Scope, Scopes], Scopes]) -> None:
        with within(time.monotonic() + _LONGEST_S):
            for key, shared in states.items():
                with suppress(StateError):  # said already; it holds in this process
                    change_scopes(shared, partial(become, mine[key]))

    change(lambda scope, scopes: (*scopes, scope))  # beside those of other blocks and of people
    try:
        yield
    finally:
        change(lambda scope, scopes: tuple(one for one in scopes if one != scope))
        for pipeline in pipelines:
            pipeline.open()


def _time_of(store: Store) -> float:
    """Its time, which a server tells with an answer."""
    store.channels()
    return store.time()


def _scope(shared: Shared, name: str, length_s: float, why: str, *, critical: bool) -> Scope:
    """On the clock of a state, which may show another time than that of this host or of another state."""
    now = shared.try_call(_time_of, shared.time_s())
    began = now - between(0.0, 0.01)  # as no other block's
    return Scope(name, began, now + length_s, why[:MAX_WHY], hostname()[:MAX_NAME], critical)
