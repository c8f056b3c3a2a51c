"""Step 6: what a shared state has of one handler. Records are handed over to it, and told by whoever claims them.

While the state cannot be used everything stays with this process, and is handed over when it can be used again. What
was handed over is remembered until it is known to be told. Of that, while the state cannot be used, this process tells
the alerts of which nothing was told yet; where the state has lost all it had, it is handed over once more.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, replace
from functools import partial
from typing import TYPE_CHECKING

from ..model import Alert, Digest, Recipients, Sample
from ..state.base import MAX_SAMPLES, SPANS, Claim, Count, State, StateError
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

_LET_GO_S = 20.0
"""What could not be told for so long others may try."""

_TRIES = 4
"""How many requests one claim may cost that is on its way by then: a round, and a token."""

EXCHANGE_S = 1.0
"""How old what is counted here may become before others know it."""

_LOOK_S = 5.0
_HURRY_S = 0.2
_MOST = 100
_MAX_MINE = 10_000
_MAX_MINE_SIZE = 16 * 1024 * 1024
_MAX_PICTURES = 4
_MAX_ENTRY = 256 * 1024
_MAX_RATES = 4 * SPANS + 1


class Commons:
    """One handler's part of a shared state. ``door`` is the name of its channel there.

    Others of that channel may have recipients of their own: an alert goes to those that it was meant for when it was
    handed over, whoever tells it. ``addressed`` says whom the channel means where an alert names nobody.
    """

    def __init__(
        self,
        shared: Shared,
        options: Options,
        door: str,
        addressed: Callable[[Recipients | None], Recipients],
        clock: Callable[[], float],
    ) -> None:
        self.shared = shared
        self._options = options
        self._door = door
        self._addressed = addressed
        self._clock = clock
        self._lease_s = _LET_GO_S + _TRIES * options.timeout_s
        self.start_anew()

    def start_anew(self) -> None:
        """At first, and in a forked child, which leaves what was there before to its parent."""
        self._next_exchange = float("-inf")
        self._next_look = self._asked_at = float("-inf")
        self._mine: dict[str, Count] = {}  # what this process has handed over, and was not told yet as far as known
        self._mine_size = 0
        self._born = ""  # of the state that has it
        self._in_hand: dict[tuple[str, int], tuple[Waiting, int]] = {}  # claims about to be told; how many are of _mine
        self._has_looked = True
        self._pictures: dict[str, bytes] = {}
        self._reported: list[tuple[Claim, bool]] = []  # told, but the state does not know yet

    def open(self) -> None:
        """From now on this process tells what others leave untold; whether they have is looked for at once."""
        self._has_looked = not has_backlog(self.shared)

    # The calling thread.

    @property
    def journal(self) -> Journal | None:
        return self.shared.journal

    def write_down(self, waiting: Waiting, alert: Alert) -> Ticket | None:
        """Step 4: an alert, masked, survives this process from now on; None where it does not."""
        assert self.journal is not None
        key, entry = self._key(waiting, alert), self._entry(waiting, alert)
        try:
            return self.journal.append(self._door, key, waiting.level, self._options.window_s, alert.host, entry)
        except StateError as error:
            self.shared.complain(error)
            return None

    # The worker.

    def exchange(self, held: Holdings, freezer: Freezer, *, hurried: bool) -> None:
        """Hand over what is here."""
        now = self._clock()
        if not self.shared.is_up:
            return
        if now >= self._next_exchange or hurried:
            self._next_exchange = now + EXCHANGE_S
            held.tell_counted()
        for waiting in held.inbox.take_if(_is_mixed):
            each_alone = waiting.together
            for each in each_alone:
                each.others = each.parts = ()
            held.inbox.return_others(each_alone)
        for waiting in held.inbox.take_if(
            lambda one: one.claim is not None and (_is_taken_back(one.claim) or now - one.accepted_at > _LET_GO_S)
        ):
            for each in waiting.together:
                held.settle(each, "handed_over")
        for waiting, _ in list(self._in_hand.values()):
            if waiting.ended is not None:  # let go, or pushed out of the line: others may tell it
                self.settled(waiting, "kept")
        mine = [
            each
            for waiting in held.inbox.take_if(lambda waiting: waiting.claim is None and not waiting.done)
            for each in waiting.together
        ]
        mine.sort(key=lambda waiting: waiting.number)  # a group's first before what was counted since
        for waiting in mine:
            waiting.others = waiting.parts = ()
        try:
            self._report()
            if mine:
                self._make_good()
                self._hand_over(mine, held, freezer)
        except StateError:  # said already; what is here stays here
            pass
        finally:
            held.inbox.return_others(mine)  # those that were not handed over
        if self.journal is not None:
            self.journal.tidy()

    def _hand_over(self, mine: Sequence[Waiting], held: Holdings, freezer: Freezer) -> None:
        for start in range(0, len(mine), _MOST):
            counts: list[tuple[Waiting, Count]] = []
            for waiting in mine[start : start + _MOST]:
                if lost := waiting.lost_with_its_first:
                    held.settle(waiting, lost)
                    continue
                try:
                    counts.append((waiting, self._count_of(waiting, freezer.digest(waiting, held))))
                except Exception as error:  # a defect of ours must cost one alert, not all that follow
                    held.settle(waiting, "rejected")
                    text = f"an alert could not be handed over ({type(error).__name__})"
                    self._options.complain("defect", text)
            answers = self._count([count for _, count in counts])
            for (waiting, count), answer in zip(counts, answers, strict=True):
                self._remember(count, answer)
                if waiting.picture:
                    self._keep_picture(count.key, waiting.picture)
                held.settle(waiting, "handed_over")

    def _count(self, counts: Sequence[Count]) -> list[int]:
        return self.shared.call(partial(_count, self.shared, self._door, hostname(), counts, self._clock()))

    def _make_good(self) -> None:
        """Hand over once more what a state has lost that was emptied, or made anew."""
        born = self.shared.call(lambda state: state.born(self._door))
        if self._born not in ("", born):
            lost = list(self._mine.values())
            for start in range(0, len(lost), _MOST):
                self._count(lost[start : start + _MOST])
        self._born = born

    def _count_of(self, waiting: Waiting, digest: Digest) -> Count:
        alert = digest.alert
        return Count(
            key=self._key(waiting, alert),
            number=digest.count,
            last=digest.last or alert.time,
            entry=self._entry(waiting, alert),
            level=waiting.level,
            window_s=self._options.window_s,
            samples=tuple((sample.time, sample.text) for sample in digest.samples),
            event=alert.id if waiting.captured else "",
        )

    def wants(self, waiting: Waiting) -> bool:
        """Whether it is to be handed over, not to be told: others may have the same."""
        return waiting.claim is None and not waiting.done and self.shared.is_up

    def claims(self, *, hurried: bool) -> list[Waiting]:
        """What is to be told by this process now."""
        now = self._clock()
        if not self.shared.is_up:
            return self._taken_back(now)
        if now < self._next_look and not hurried:
            return []
        self._next_look = now + (_HURRY_S if hurried else _LOOK_S)
        self._has_looked = True
        found: list[Claim] = []
        try:
            self._adopt()
            forced = tuple(self._mine) if hurried else ()
            found = self.shared.call(
                lambda state: state.claim(
                    self._door, self.shared.who, now, lease_s=self._lease_s, most=_MOST, forced=forced
                )
            )
            if self._mine and (not found or now >= self._asked_at + EXCHANGE_S):  # others may have told it
                self._asked_at = now
                self._make_good()
                mine = tuple(self._mine)
                left = set(self.shared.call(lambda state: state.untold(self._door, mine)))
                for key in mine:
                    if key not in left:
                        self._forget(key)
            due = self.shared.call(lambda state: state.next_due(self._door, now))
            self._next_look = min(self._next_look, now + max(due, _HURRY_S))
        except StateError:  # what is claimed is told all the same
            pass
        waitings = [self._waiting(claim, now, forced=hurried) for claim in found]
        claimed = [waiting for waiting in waitings if waiting is not None]
        return claimed if self.shared.is_up else claimed + self._taken_back(now)

    def _taken_back(self, now: float) -> list[Waiting]:
        """Alerts of which nobody may have told anything, and which may be lost with the state: they are told here.

        As if they were claimed, but by the number of a group that nobody has claimed yet: where the state had only been
        away, it hears that they are told. Where others had claimed them they are told twice, with the same id.
        """
        waitings = []
        for count in self._endangered():
            waiting = self._waiting(_claim_of(count), now, forced=False)
            if waiting is None:
                self._forget(count.key)
            else:
                waitings.append(waiting)
        return waitings

    def _endangered(self) -> list[Count]:
        in_hand = {key for key, _ in self._in_hand}
        return [count for key, count in self._mine.items() if count.event and key not in in_hand]

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
        mine = self._mine.get(claim.key)
        handed = claim.count if _is_taken_back(claim) else mine.number if mine is not None else 0
        self._in_hand[claim.key, claim.number] = waiting, handed
        waiting.captured = waiting.same = 0
        waiting.picture = self._pictures.pop(claim.key, b"")
        waiting.digest = Digest(
            alert,
            count=claim.count,
            total=claim.total,
            since=claim.since,
            last=claim.last,
            samples=tuple(Sample(at, text) for at, text in claim.samples[:MAX_SAMPLES]),
            rates=tuple(max(rate, 0) for rate in claim.rates[:_MAX_RATES]),
            quiet_s=claim.quiet_s,
            hosts=claim.hosts,
            processes=claim.processes,
        )
        return waiting

    def settled(self, waiting: Waiting, how: str) -> None:
        """What became of a claim: delivered, handed over to the fallback, kept for others, or lost for a reason."""
        claim, now = waiting.claim, self._clock()
        assert claim is not None
        _, handed = self._in_hand.pop((claim.key, claim.number), (None, 0))
        self._next_look = float("-inf")
        if how != "kept" and (mine := self._forget(claim.key)) is not None and mine.number > handed:
            # More was handed over since.
            self._remember(replace(mine, number=mine.number - handed, samples=()))
        if how in ("delivered", "handed_over"):
            self._reported.append((claim, waiting.forced))
            self._try(self._report)
        elif how == "kept":
            self.shared.try_call(lambda state: state.release(self._door, [claim], now, 0.0), None)
        else:
            self.shared.try_call(lambda state: state.give_up(self._door, [claim], how, now), None)

    def _report(self) -> None:
        while self._reported:
            claim, forced = self._reported[0]
            self.shared.call(lambda state: state.told(self._door, [claim], self._clock(), forced=forced))  # noqa: B023 # called at once
            self._reported.pop(0)

    def _adopt(self) -> None:
        for counts, text in adopted(self.shared, self._clock, self._options.complain):
            for channel, count in counts:
                if channel == self._door:
                    self._remember(count, 2)
            self._options.complain("adopted", f"{text}, which is done now")

    def has_untold(self) -> bool:
        """Whether something is still to be told that this process has handed over, claimed, or not looked for yet.

        What was told is reported, too; if the state is away, nobody waits for that.
        """
        unreported = self._reported and self.shared.is_up
        return bool(self._mine or self._in_hand or unreported) or not self._has_looked

    def leaves_untold(self) -> bool:
        """At exit: whether something that this process has handed over is left to others."""
        return bool(self._mine)

    def seconds_to_next_look(self) -> float:
        now = self._clock()
        if not self.shared.is_up:
            return 0.0 if self._endangered() else max(self.shared.seconds_to_next_try, _HURRY_S)
        return max(self._next_look - now, 0.0)

    def _remember(self, count: Count, answer: int = 1) -> None:
        """What was handed over. Where something of it was told before, it is no event any more, only a number."""
        before = self._forget(count.key)
        if before is not None:
            number, samples = before.number + count.number, (*before.samples, *count.samples)
            count = replace(before, number=number, last=max(before.last, count.last), samples=samples[:MAX_SAMPLES])
        self._mine[count.key] = count if answer == 2 else replace(count, event="")
        self._mine_size += len(count.entry)
        self._next_look = float("-inf")
        while len(self._mine) > _MAX_MINE or self._mine_size > _MAX_MINE_SIZE:
            self._forget(next(iter(self._mine)))

    def _forget(self, key: str) -> Count | None:
        count = self._mine.pop(key, None)
        self._mine_size -= len(count.entry) if count is not None else 0
        return count

    def _keep_picture(self, key: str, picture: bytes) -> None:
        """The state holds texts alone: the picture goes along if this process tells the alert, as it mostly does."""
        self._pictures[key] = picture
        if len(self._pictures) > _MAX_PICTURES:
            self._pictures.pop(next(iter(self._pictures)))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StateError:  # `Shared` has said it
            return

    def _meant(self, waiting: Waiting) -> Recipients | None:
        return self._addressed(waiting.recipients) or waiting.recipients

    def _entry(self, waiting: Waiting, alert: Alert) -> str:
        alert = replace(alert, recipients=self._meant(waiting))
        entry = dump(alert)
        return entry if len(entry) <= _MAX_ENTRY else dump(slim(alert))

    def _key(self, waiting: Waiting, alert: Alert) -> str:
        """One for all that are the same, wherever they come from. Later digests have a part of the alert only."""
        if waiting.group is not None and waiting.group.common:
            return waiting.group.common
        meant = [sorted(names) for names in astuple(self._meant(waiting) or Recipients())]
        parts = [self._door, str(alert.level), repr(meant), repr(alert.mention), fingerprint(alert)]
        key = hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
        if waiting.group is not None:
            waiting.group.common = key
        return key


def adopted(
    shared: Shared, clock: Callable[[], float], complain: Callable[[str, str], None]
) -> Iterator[tuple[list[tuple[str, Count]], str]]:
    """Take over what processes have left that are gone: by channel what each has counted, and that in words.

    Raises `StateError`.
    """
    for lines, aside in shared.journal.orphans() if shared.journal is not None else ():
        if aside:
            complain("broken", f"a part of what a process has left cannot be read; see {aside}")
        if not lines:
            continue
        text = f"a process died with {'1 alert' if len(lines) == 1 else f'{len(lines)} alerts'} unsent"
        several: dict[tuple[str, str], list[Count]] = {}
        for line in lines:
            several.setdefault((line.channel, line.host), []).append(_adopted(line, text))
        for (channel, host), counts in several.items():
            for start in range(0, len(counts), _MOST):
                some = counts[start : start + _MOST]
                shared.call(partial(_count, shared, channel, host, some, clock()))
        yield [(channel, count) for (channel, _), counts in several.items() for count in counts], text


def _count(shared: Shared, channel: str, host: str, counts: Sequence[Count], now: float, state: State) -> list[int]:
    return state.count(channel, shared.who, host, counts, now)


def _claim_of(count: Count) -> Claim:
    """One alert that was handed over, as if it were claimed: by the number of a group that nobody has claimed yet."""
    return Claim(count.key, 0, count.entry, count.level, 1, 1, count.last, count.last, 1, 1, True)


def _is_taken_back(claim: Claim) -> bool:
    return claim.number == 0


def _is_mixed(waiting: Waiting) -> bool:
    """Whether an alert of this process's own and one that others may tell were to share a message, which failed."""
    return any((each.claim is None) != (waiting.claim is None) for each in waiting.others)


def _adopted(line: Line, late: str) -> Count:
    """An alert of a process that is gone. One that cannot be read is given up where it is claimed, with its number."""
    try:
        alert = load(line.entry)
    except ValueError:
        return Count(line.key, 1, time.time(), line.entry or "?", line.level, line.window_s)
    entry = dump(replace(alert, fields=(*alert.fields, ("late", late))))
    return Count(line.key, 1, alert.time, entry, line.level, line.window_s, event=alert.id)
