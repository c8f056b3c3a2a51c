"""`Asked`: whether a state has jobs that are expected to run. It is light: a worker asks before it loads more."""

from __future__ import annotations

from .._state.shared import JOBS, Shared

_ASK_S = 300.0


class Asked:
    """Asks a state whether it has jobs, once in five minutes."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._next = float("-inf")

    def turn(self, now: float) -> float:
        """The seconds until it is asked again; 0: there are some."""
        if now < self._next:
            return self._next - now
        has_some = self._shared.try_call(lambda store: bool(store.facts(JOBS, store.time())), False)
        wait = _ASK_S if self._shared.is_well else max(self._shared.seconds_to_next_try, 1.0)
        self._next = now + wait
        return 0.0 if has_some else wait
