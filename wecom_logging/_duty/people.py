"""`OnCall`: who is on call when a message goes: by the rota, by a swap, or by a function.

Only the worker asks, and a message waits for no answer for long: one that comes late is for the next message.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .._config.on_call import persons
from .._incidents.duty import duty_of
from .._lines import line
from .._runtime.functions import function_named
from ..model import Answer, Recipients
from ..model.duty import Called, Duty, OnDuty, Rota, Swap
from .moment import Moment
from .on_call import called, on_duty

ASKED_S = 60.0
"""So old may be what a function has answered; what has failed is asked again after that."""
FUNCTION_KEPT_S = 3600.0
"""For so long the last good answer of a function stands in for one that fails."""
BOUND_S = 3.0
_MOST = 64

People = tuple[str, ...]


@dataclass(eq=False, repr=False)
class OnCall:
    """That of one handler: ``own`` are its recipients, ``rules`` its own rules as a text, whose functions may be
    called. ``swaps`` gives those that have not ended, the newest last."""

    _own: Recipients
    _rules: str
    _warn_once: Callable[[str, str], object]
    _swaps: Callable[[], Sequence[Swap]]
    _clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._asked: dict[Rota, _Asked] = {}

    def has_rota(self, named: Recipients | None) -> bool:
        """Whether people are to stand in the place of rotas among these; None: its own recipients."""
        return bool((named or self._own).rotas and self._own and not self._own.chats)

    def are_for_same(self, named: Recipients | None, one: Duty, other: Duty) -> bool:
        """Whether both rules mean the same people: a rota of one program may be another in the next."""
        names = {*(named or self._own).rotas, *self._own.rotas}
        found = [(duty.zone, [rota for rota in duty.rotas if rota.name in names]) for duty in (one, other)]
        return found[0] == found[1]

    def known(self, named: Recipients | None, moment: Moment) -> Recipients:
        """Who gets it as far as is known; nobody is asked."""
        return self._called(named, moment, 0.0).recipients

    def on_step(self, named: Recipients, moment: Moment) -> Called:
        """Who gets the message of a step now, which goes to no others. It may take some seconds."""
        return self._called(named, moment, BOUND_S, Recipients())

    def called(self, named: Recipients | None, moment: Moment, takes: Iterable[Answer] = ()) -> Called:
        """Who gets it now, and who has taken one of these: who was on call keeps it. Raises nothing; it may take some
        seconds."""
        found = self._called(named, moment, BOUND_S)
        people = {who for one in moment.duty.rotas for turn in one.people for who in turn}
        takers = [one.user or one.who for one in takes if one.user or one.who in people]
        users = dict.fromkeys((*found.recipients.users, *takers))
        return replace(found, recipients=replace(found.recipients, users=tuple(users)))

    def without(self, named: Recipients | None, moment: Moment) -> Called:
        """Who gets it in the place of those on call, whom WeCom does not know."""
        return called(named or self._own, self._own, moment.duty.rotas, lambda one: ())

    def people(self, rota: Rota, moment: Moment, bound_s: float = BOUND_S) -> People | None:
        """Who is on call at this moment; a message waits for so long for an answer. None: that cannot be found out."""
        try:
            now = on_duty(rota, moment.time, moment.zone, self._swaps())
        except (ValueError, OverflowError) as error:  # nothing that stands in a state is trusted
            self._failed(rota, type(error).__name__, None)
            return None
        if rota.people or now.swapped_by is not None:
            return now.people
        if rota not in self._asked:
            if len(self._asked) >= _MOST:
                self._asked.clear()
            self._asked[rota] = _Asked(partial(self._ask, rota), partial(self._failed, rota), self._clock)
        return self._asked[rota].answer(bound_s)

    def shown(self, moment: Moment) -> list[OnDuty]:
        """By each rota."""
        swaps, found = self._swaps(), []
        for rota in moment.duty.rotas:
            now = on_duty(rota, moment.time, moment.zone, swaps)
            then = on_duty(rota, now.until, moment.zone, swaps).people if now.until < float("inf") else ()
            found.append(replace(now, people=self.people(rota, moment) or (), then=then))
        return found

    def _called(
        self, named: Recipients | None, moment: Moment, bound_s: float, own: Recipients | None = None
    ) -> Called:
        for name in (named or self._own).rotas:
            if all(one.name != name for one in moment.duty.rotas):
                self._warn_once(f"no rota {name}", line("no_rota", name=name))
        people = partial(self.people, moment=moment, bound_s=bound_s)
        return called(named or self._own, self._own if own is None else own, moment.duty.rotas, people)

    def _ask(self, rota: Rota) -> People:
        """What comes with an incident calls no function but those that this program's own options name."""
        if rota.who not in {one.who for one in duty_of(self._rules).rotas}:
            raise LookupError(f"on_call names no function {rota.who} here")
        return ask(rota)

    def _failed(self, rota: Rota, why: str, age_s: float | None) -> None:
        then = line("own_are_told") if age_s is None else line("last_answer", minutes=int(age_s // 60))
        self._warn_once(f"on call {rota.name}", line("not_on_call", name=rota.name, why=why, then=then))


def ask(rota: Rota) -> People:
    """Whom its function names. Raises what that raises."""
    return persons(f"on_call.{rota.name}", function_named(rota.who)())


@dataclass(frozen=True, slots=True)
class _Good:
    answer: People
    at: float


@dataclass(eq=False, repr=False)
class _Asked:
    """What is asked in a thread of its own, never twice at a time.

    ``failed`` is told why, and how old the last good answer is.
    """

    _ask: Callable[[], People]
    _failed: Callable[[str, float | None], None]
    _clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._good: _Good | None = None
        self._again_at = float("-inf")
        self._begins = threading.Lock()
        self._over = threading.Event()
        self._over.set()

    def answer(self, bound_s: float) -> People | None:
        """The answer, or the last good one where it fails or is late; None: there is none. 0: nothing is asked."""
        if bound_s and self._begin():
            try:
                threading.Thread(target=self._run, name="wecom on call", daemon=True).start()
            except RuntimeError as error:  # there can be no more threads, or the program ends
                if threading.current_thread() is threading.main_thread():
                    self._over.set()
                    self._fail(str(error))
                else:  # no exit waits for the worker's thread for long
                    self._run()
            else:
                if not self._over.wait(bound_s):
                    self._fail(line("no_answer_in", seconds=bound_s))
        good = self._good
        return None if good is None or self._clock() > good.at + FUNCTION_KEPT_S else good.answer

    def _begin(self) -> bool:
        """Whether it is to be asked now: a person may ask who is on call beside the worker."""
        with self._begins:
            if not self._over.is_set() or self._clock() < self._again_at:
                return False
            self._over.clear()
            self._again_at = self._clock() + ASKED_S
            return True

    def _run(self) -> None:
        try:
            self._good = _Good(self._ask(), self._clock())
            self._again_at = self._good.at + ASKED_S
        except BaseException as error:  # code of the program: it ends no more than this thread
            self._fail(type(error).__name__)  # its text may show a secret
        finally:
            self._over.set()

    def _fail(self, why: str) -> None:
        good = self._good
        age_s = None if good is None else self._clock() - good.at
        self._failed(why, age_s if age_s is None or age_s <= FUNCTION_KEPT_S else None)
