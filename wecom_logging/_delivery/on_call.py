"""`OnCall`: who is on call when a message goes: by the rota, by a swap in the state, by a function, or by WeCom.

Only the worker asks. What a function answers is known for a minute, and its last good answer for an hour.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from .._config.on_call import persons
from .._incidents.incident import Incident
from .._incidents.policy.moment import Moment
from .._incidents.policy.on_call import Called, called, on_duty, swapped
from .._lines import line
from .._state.swaps import known_swaps
from ..model import Recipients
from ..model.alert import TAKEN
from ..model.duty import Rota
from .options import Options

ASKED_S = 60.0
"""So old may be what a function has answered."""
KEPT_S = 3600.0
"""For so long its last good answer stands in for one that fails."""
BOUND_S = 3.0
"""So long a message waits for an answer; what comes later is for the next."""

People = tuple[str, ...]


class OnCall:
    """That of one handler; ``own`` are its recipients, ``channel_id`` names its channels."""

    def __init__(self, options: Options, channel_id: str, own: Recipients, clock: Callable[[], float]) -> None:
        self._options = options
        self._channel_id = channel_id
        self._own = own
        self._clock = clock
        self._asked: dict[str, _Asked] = {}

    def known(self, named: Recipients | None, moment: Moment) -> Recipients:
        """Who gets it as far as is known; nobody is asked."""
        return self._called(named, moment, lambda one: one.last()).recipients

    def called(self, named: Recipients | None, moment: Moment, incidents: Iterable[Incident] = ()) -> Called:
        """Who gets it now, and who has taken one of these: who was on call keeps it. Raises nothing; it may take some
        seconds."""
        found = self._called(named, moment, lambda one: one.answer(BOUND_S))
        people = {who for one in moment.duty.rotas for turn in one.people for who in turn}
        taken = [one.answers.now for one in incidents if one.answers.now and one.answers.now.verb == TAKEN]
        takers = [one.user or one.who for one in taken if one.user or one.who in people]
        users = dict.fromkeys((*found.recipients.users, *takers))
        return replace(found, recipients=replace(found.recipients, users=tuple(users)))

    def without(self, named: Recipients | None, moment: Moment) -> Called:
        """Who gets it in the place of those on call, whom WeCom does not know."""
        return called(named or self._own, self._own, moment.duty.rotas, lambda one: ())

    def _called(self, named: Recipients | None, moment: Moment, asked: Callable[[_Asked], People | None]) -> Called:
        moment = replace(moment, swaps=known_swaps(self._options.shared, self._channel_id))

        for name in (named or self._own).rotas:
            if all(one.name != name for one in moment.duty.rotas):
                self._options.warn_once(f"no rota {name}", line("no_rota", name=name))

        def people(rota: Rota) -> People:
            if not rota.who or swapped(rota, moment.time, moment.swaps) is not None:
                return on_duty(rota, moment.time, moment.zone, moment.swaps)
            return asked(self._of(rota)) or ()

        return called(named or self._own, self._own, moment.duty.rotas, people)

    def _of(self, rota: Rota) -> _Asked:
        if rota.who not in self._asked:
            self._asked[rota.who] = _Asked(partial(ask, rota), partial(self._failed, rota), self._clock)
        return self._asked[rota.who]

    def _failed(self, rota: Rota, why: str) -> None:
        self._options.warn_once(f"on call {rota.name}", line("not_on_call", name=rota.name, why=why))


def ask(rota: Rota) -> People:
    """Whom its function names. Raises what that raises."""
    from importlib import import_module

    module, _, name = rota.who.partition(":")
    found: object = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{rota.who} is no function")
    return persons(f"on_call.{rota.name}", found())


@dataclass(frozen=True, slots=True)
class _Good:
    people: People
    at: float


class _Asked:
    """A function that is asked in a thread of its own, at most once a minute, and never twice at a time."""

    def __init__(self, ask: Callable[[], People], failed: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._failed = failed
        self._clock = clock
        self._good: _Good | None = None
        self._fresh_until = float("-inf")
        self._over = threading.Event()
        self._over.set()

    def last(self) -> People | None:
        """Its last good answer; None: it has none."""
        good = self._good
        return None if good is None or self._clock() > good.at + KEPT_S else good.people

    def answer(self, bound_s: float) -> People | None:
        """Its answer, or the last one where it fails or is late."""
        if self._over.is_set() and self._clock() >= self._fresh_until:
            self._over.clear()
            self._fresh_until = self._clock() + ASKED_S
            try:
                threading.Thread(target=self._run, name="wecom on call", daemon=True).start()
            except RuntimeError as error:  # there can be no more threads, or the program ends
                self._over.set()
                self._failed(str(error))
            else:
                if not self._over.wait(bound_s):
                    self._failed(line("no_answer_in", seconds=bound_s))
        return self.last()

    def _run(self) -> None:
        try:
            self._good = _Good(self._ask(), self._clock())
        except BaseException as error:  # code of the program: it ends no more than this thread
            self._failed(f"{type(error).__name__}: {error}"[:200])
        finally:
            self._over.set()
