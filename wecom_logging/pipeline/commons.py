"""Step 6: what a shared state has of one handler. Records are handed over to it, and told by whoever claims them.

While the state cannot be used everything stays with this process, and is handed over when it can be used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..model import Alert, Digest, Sample
from ..state.base import Claim, Count, StateError
from ..state.entries import dump, load
from ..state.journal import Journal, Line, Ticket
from ..state.shared import Shared, has_backlog
from .capture import hostname
from .fingerprint import fingerprint
from .holdings import Holdings
from .inbox import Waiting
from .mask import slim
from .options import Options

if TYPE_CHECKING:
    from .freeze import Freezer

LEASE_S = 60.0
_LET_GO_S = 40.0
"""What could not be told for so long others may try."""

LOOK_S = 5.0
_EXCHANGE_S = 1.0
_HURRY_S = 0.2
_MOST = 100
_MAX_MINE = 10_000
_MAX_ENTRY = 256 * 1024


class Commons:
    """One handler's part of a shared state. ``door`` is the name of its channel there."""

    def __init__(self, shared: Shared, options: Options, door: str, clock: Callable[[], float]) -> None:
        self.shared = shared
        self._options = options
        self._door = door
        self._clock = clock
        self.start_anew()

    def start_anew(self) -> None:
        """At first, and in a forked child."""
        self._next_exchange = float("-inf")
        self._next_look = float("-inf")
        self._mine: dict[str, None] = {}  # what this process has handed over and was not told yet, as far as known
        self._in_hand: dict[tuple[str, int], None] = {}  # claims that are about to be told
        self._has_looked = not has_backlog(self.shared)
        self._reported: list[tuple[Claim, bool]] = []  # told, but the state does not know yet

    # The calling thread.

    @property
    def journal(self) -> Journal | None:
        return self.shared.journal

    def write_down(self, waiting: Waiting, alert: Alert) -> Ticket | None:
        """Step 4: an alert, masked, survives this process from now on; None where it does not."""
        assert self.journal is not None
        key, entry = self._key(waiting, alert), _entry(alert)
        try:
            return self.journal.append(self._door, key, waiting.level, self._options.window_s, alert.host, entry)
        except StateError as error:
            self._options.complain("journal", f"alerts are kept in memory only: {error}")
            return None

    # The worker.

    def exchange(self, held: Holdings, freezer: Freezer, *, hurried: bool) -> None:
        """Hand over what is here."""
        now = self._clock()
        if not self.shared.is_up:
            return
        if now >= self._next_exchange or hurried:
            self._next_exchange = now + _EXCHANGE_S
            held.tell_counted()
        for waiting in held.inbox.take_if(lambda one: one.claim is not None and now - one.accepted_at > _LET_GO_S):
            for each in waiting.together:
                held.settle(each, "handed_over")
                self.settled(each, "kept")
        mine = held.inbox.take_if(lambda waiting: waiting.claim is None and not waiting.done)
        try:
            self._report()
            self._hand_over(mine, held, freezer)
        except StateError:
            held.inbox.return_others(mine)
        if self.journal is not None:
            self.journal.tidy()

    def _hand_over(self, mine: Iterable[Waiting], held: Holdings, freezer: Freezer) -> None:
        several = [each for waiting in mine for each in waiting.together]
        for start in range(0, len(several), _MOST):
            some = several[start : start + _MOST]
            counts = [self._count_of(waiting, freezer.digest(waiting, held)) for waiting in some]
            self.shared.call(
                lambda state, counts=counts: state.count(self._door, self.shared.who, hostname(), counts, self._clock())  # type: ignore[misc] # it is called at once
            )
            for waiting, count in zip(some, counts, strict=True):
                self._remember(count.key)
                held.settle(waiting, "handed_over")

    def _count_of(self, waiting: Waiting, digest: Digest) -> Count:
        alert = digest.alert
        return Count(
            key=self._key(waiting, alert),
            number=digest.count,
            last=digest.last or alert.time,
            entry=_entry(alert),
            level=waiting.level,
            window_s=self._options.window_s,
            samples=tuple((sample.time, sample.text) for sample in digest.samples),
            event=alert.id if waiting.captured else "",
        )

    def claims(self, *, hurried: bool) -> list[Waiting]:
        """What is to be told by this process now."""
        now = self._clock()
        if now < self._next_look and not hurried:
            return []
        self._next_look = now + (_HURRY_S if hurried else LOOK_S)
        self._has_looked = True
        try:
            self._adopt()
            forced = tuple(self._mine) if hurried else ()
            found = self.shared.call(
                lambda state: state.claim(self._door, self.shared.who, now, lease_s=LEASE_S, most=_MOST, forced=forced)
            )
            if not found and self._mine:  # others may have told it
                mine = tuple(self._mine)
                self._mine = dict.fromkeys(self.shared.call(lambda state: state.untold(self._door, mine)))
            due = self.shared.call(lambda state: state.next_due(self._door, now))
        except StateError:
            return []
        self._next_look = min(self._next_look, now + max(due, _HURRY_S))
        waitings = (self._waiting(claim, now, forced=hurried) for claim in found)
        return [waiting for waiting in waitings if waiting is not None]

    def _waiting(self, claim: Claim, now: float, *, forced: bool) -> Waiting | None:
        try:
            alert = load(claim.entry)
        except ValueError:
            self._options.complain("entry", "the state has an alert that cannot be read; it is set aside")
            self.shared.try_call(lambda state: state.give_up(self._door, [claim], "unreadable", now), None)
            return None
        recipients = self._options.recipients(alert.logger, alert.level, alert.recipients)
        waiting = Waiting(claim.level, recipients, None, now)
        waiting.claim, waiting.forced = claim, forced
        self._in_hand[claim.key, claim.number] = None
        waiting.captured = waiting.same = 0
        waiting.digest = Digest(
            alert,
            count=claim.count,
            total=claim.total,
            since=claim.since,
            last=claim.last,
            samples=tuple(Sample(at, text) for at, text in claim.samples),
            rates=claim.rates,
            quiet_s=claim.quiet_s,
            hosts=claim.hosts,
            processes=claim.processes,
        )
        return waiting

    def settled(self, waiting: Waiting, how: str) -> None:
        """What became of a claim: delivered, handed over to the fallback, kept for others, or lost for a reason."""
        claim, now = waiting.claim, self._clock()
        assert claim is not None
        self._in_hand.pop((claim.key, claim.number), None)
        self._next_look = float("-inf")
        if how in ("delivered", "handed_over"):
            self._mine.pop(claim.key, None)
            self._reported.append((claim, waiting.forced))
            self._try(self._report)
        elif how == "kept":
            self.shared.try_call(lambda state: state.release(self._door, [claim], now, 0.0), None)
        else:
            self._mine.pop(claim.key, None)
            self.shared.try_call(lambda state: state.give_up(self._door, [claim], how, now), None)

    def _report(self) -> None:
        while self._reported:
            claim, forced = self._reported[0]
            self.shared.call(lambda state: state.told(self._door, [claim], self._clock(), forced=forced))  # noqa: B023 # called at once
            self._reported.pop(0)

    def _adopt(self) -> None:
        for keys, text in adopted(self.shared, self._clock):
            for key in keys:
                self._remember(key)
            self._options.complain("adopted", f"{text}, which is done now")

    def has_untold(self) -> bool:
        """Whether something is still to be told that this process has handed over, claimed, or not looked for yet."""
        return bool(self._mine or self._in_hand or self._reported) or not self._has_looked

    def leaves_untold(self) -> bool:
        """At exit: whether something that was here is left to others."""
        return bool(self._mine or self._in_hand)

    def seconds_to_next_look(self) -> float:
        now = self._clock()
        if not self.shared.is_up:
            return max(self.shared.seconds_to_next_try, _HURRY_S)
        return max(self._next_look - now, 0.0)

    def _remember(self, key: str) -> None:
        self._mine[key] = None
        self._next_look = float("-inf")
        if len(self._mine) > _MAX_MINE:
            self._mine.pop(next(iter(self._mine)))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StateError:
            return

    def _key(self, waiting: Waiting, alert: Alert) -> str:
        """One for all that are the same, wherever they come from. Later digests have a part of the alert only."""
        if waiting.group is not None and waiting.group.common:
            return waiting.group.common
        parts = [self._door, str(alert.level), repr(waiting.recipients), repr(alert.mention), fingerprint(alert)]
        key = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
        if waiting.group is not None:
            waiting.group.common = key
        return key


def adopted(shared: Shared, clock: Callable[[], float]) -> Iterator[tuple[list[str], str]]:
    """Take over what processes have left that are gone: the keys of each, and that in words. Raises `StateError`."""
    for lines in shared.journal.orphans() if shared.journal is not None else ():
        text = f"a process died with {'1 alert' if len(lines) == 1 else f'{len(lines)} alerts'} unsent"
        yield [line.key for line in lines if _adopt_one(shared, line, text, clock())], text


def _adopt_one(shared: Shared, line: Line, late: str, now: float) -> bool:
    try:
        alert = load(line.entry)
    except ValueError:
        return False
    entry = dump(replace(alert, fields=(*alert.fields, ("late", late))))
    one = Count(line.key, 1, alert.time, entry, line.level, line.window_s, event=alert.id)
    shared.call(lambda state: state.count(line.channel, shared.who, line.host, [one], now))
    return True


def _entry(alert: Alert) -> str:
    entry = dump(alert)
    return entry if len(entry) <= _MAX_ENTRY else dump(slim(alert))
