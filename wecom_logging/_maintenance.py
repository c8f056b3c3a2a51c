"""`maintenance`: what a service or a logger tells is quiet while a block runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from . import _config as config
from ._capture.pending import hostname
from ._incidents.limits import CRITICAL_QUIET_LIMIT_S, QUIET_LIMIT_S
from ._runtime.clock import between, within
from ._state.scopes import MAX_NAME, MAX_WHY, Scopes, change_scopes, is_a_scope
from ._state.shared import alone
from .errors import ConfigurationError, StateError
from .handlers import live_handlers
from .model.duty import Scope

_LONGEST_S = 2.0
"""A state that does not answer holds the program for so long at most, at each end of the block."""


@contextmanager
def maintenance(scope: str, length: str | float, *, why: str = "", critical: bool = False) -> Iterator[None]:
    """While the block runs, and no longer than ``length``, what ``scope`` logs is counted and not told.

    ``scope`` is a service or a logger (and all below it); ``length`` a text such as ``"30m"``, or seconds: a day at
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

    def change(become: Callable[[Scopes], Scopes]) -> None:
        with within(time.monotonic() + _LONGEST_S):
            for shared in states.values():
                with suppress(StateError):  # said already; it holds in this process
                    change_scopes(shared, become)

    now = max(shared.time_s() for shared in states.values())
    began = now - between(0.0, 0.01)  # as no other block's
    mine = Scope(name, began, now + length_s, why[:MAX_WHY], hostname()[:MAX_NAME], critical)
    change(lambda scopes: (*scopes, mine))  # beside those of other blocks and of people
    try:
        yield
    finally:
        change(lambda scopes: tuple(one for one in scopes if one != mine))
        for pipeline in pipelines:
            pipeline.open()
