"""The journey of a record, in the order of its steps. Read `Pipeline.take` and `Pipeline.turn` first."""

from __future__ import annotations

import contextvars
import itertools
import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ..config import RateRules
from ..model import Digest, Outcome, Recipients, Route, Sample, Stats
from ..render.cut import trim
from ..wecom.channels import Channel
from ..wecom.http import load_libraries, own_traffic
from .books import Books
from .capture import Origin, Reading, capture, exception_of, finite, sample, snapshot
from .complaints import complain
from .compose import Composer
from .deliver import Fate, Postman, fate
from .fallback import Find, carried, hand_over
from .fingerprint import ends, has_own_word
from .groups import Group, Groups
from .inbox import Inbox, Waiting
from .keys import NO_TEMPLATE, Spot, bounded, codes_of, spot_of
from .mask import Mask, masked, slim
from .ratelimit import windows
from .schedule import QUIET_WINDOWS, Schedule
from .sightings import mark, sighted
from .source import with_source
from .worker import Worker, forked_without_hooks

EXPIRES_S = 24 * 3600.0
MAX_BACKOFF_S = 15.0
CONFIGURATION_BACKOFF_S = 300.0
_SWEEP_S = 60.0
_DIGEST_BYTES = 1024
_MAX_SHARED = 100
_LEAST_DIGESTS = 2
"""After so many a closing line says that it is over."""

OUR_LIBRARIES = ("urllib3", "requests", "charset_normalizer", "idna", "tenacity")
"""Whose records, made during our own network calls, are no alerts. The program's own use of them alerts as ever."""

_keys = itertools.count()
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("wecom_logging_depth", default=0)
"""How deep in masking we are: a user's redact that logs makes an alert, which is masked by it, and so on."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a pipeline needs to know beyond its channel."""

    name: str
    origin: Origin
    composer: Composer
    mask: Mask
    rules: RateRules = ()
    exit_timeout_s: float = 5.0
    max_pending: int = 10_000
    max_pending_bytes: int = 16 * 1024 * 1024
    routes: tuple[Route, ...] = ()
    fallback: Find | None = None
    window_s: float = 60.0
    fingerprint: Callable[[logging.LogRecord], str] | None = None

    def recipients(self, logger: str, level: int, own: Recipients | None) -> Recipients | None:
        """A record's own, or those of the first route that fits; None: the channel's."""
        if own is not None or not self.routes:
            return own
        return next((route.recipients for route in self.routes if route.fits(logger, level)), None)

    def fingerprint_of(self, reading: Reading) -> str | None:
        """What the user says that makes records the same; None: nothing."""
        made = reading.extra.get("fingerprint")
        if made is None and self.fingerprint is not None:
            try:
                made = self.fingerprint(reading.record)
            except Exception as error:
                complain("fingerprint", f"fingerprint raised {type(error).__name__}; alerts are compared as without it")
                return None
        if made is None or made == "":
            return None
        if not isinstance(made, str):
            complain("fingerprint", f"a fingerprint must be a str, not a {type(made).__name__}; it is left out")
            return None
        return bounded(made)


class Pipeline:
    """One handler's way from a record to a message."""

    def __init__(self, channel: Channel, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.formatter: logging.Formatter | None = None
        self.composer = options.composer
        self.exit_timeout_s = options.exit_timeout_s
        self._clock = clock
        self._windows = windows(channel.identity)
        self._channel = channel
        self._postman = Postman(channel, self._windows, options.rules, clock)
        self._closed = False
        self.start_anew()
        self._worker = Worker(self, clock)

    def start_anew(self) -> None:
        """Empty books and nothing waiting: at first, and in a forked child, whose parent tells what it has."""
        self.key = next(_keys)
        self._books = Books()
        self._inbox = Inbox(self.options.max_pending, self.options.max_pending_bytes, self._overflowed)
        self._groups = Groups()
        self.find: Callable[[Any], Group | None] = self._groups.spots.get
        """Finds the open group of a spot; see `AlertHandler.handle`."""
        self._schedule = Schedule(self.options.window_s)
        self._woken: deque[Group] = deque()
        self._gone: deque[Waiting] = deque()  # who had to leave: what that means for their groups is the worker's
        self._claiming = threading.Lock()  # between the worker and the exit hook; no calling thread takes it
        self._given_up = False
        self._all_wait = False
        self._who_wait: Container[Recipients | None] = ()
        self.in_a_hurry = False  # somebody waits: what the limit has left is used now
        self._not_before = float("-inf")
        self._next_sweep = float("-inf")
        self._failed_rounds = 0
        self._lost_told = 0
        self._losses_told: Mapping[str, int] = {}

    # The calling thread.

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and say so to the worker. Never waits, and raises no `Exception`."""
        in_books = False
        try:
            wanted = self._take_if_not_ours(record)
            in_books = True
            if wanted:
                self._inbox.relieve()
                self._worker.nudge()
        except Exception as error:  # nobody foresaw it: no memory, no stack left
            if in_books:  # it waits, and the next record or the exit finds it
                return
            self._books.accepted.add()  # not by refuse(), which needs a frame of the stack
            self._books.dropped["rejected"].add()
            try:
                self._complain_of(record, error)
            except Exception:  # it is counted; there is no room to say more
                pass

    def attend(self, group: Group, record: logging.LogRecord) -> None:
        """What a record that was counted unseen asks for beyond that. Raises no `Exception`."""
        try:
            if self._attend(group, record):
                self._worker.nudge()
        except Exception:  # it is counted, and the worker looks at it sooner or later
            return

    def _take_if_not_ours(self, record: logging.LogRecord) -> bool:
        if own_traffic.get() and str(record.name).startswith(OUR_LIBRARIES):
            return False  # made by our own network call
        if record.process != self._worker.pid and os.getpid() != self._worker.pid:
            forked_without_hooks()
        return self.take(record)

    def take(self, record: logging.LogRecord) -> bool:
        """Steps 2 to 4: count, capture, write down. Whether the worker has something to do."""
        if self._closed:
            return self._refuse("closed", "records come to a handler that is closed; they are counted, not sent")
        if (depth := _depth.get()) > 1:
            return self._refuse("rejected", "redact logs about what redact itself has logged; that would never end")
        if (given := carried(record)) is not None:
            waiting = Waiting(given.alert.level, None, None, self._clock())
            waiting.digest, waiting.depth = given, depth
            return self._put(waiting)
        error = exception_of(record) if record.exc_info else None
        if error is not None and (seen := sighted(error, self.key, record)) is not None:
            seen.see()
            return self._wake(seen)
        reading = Reading(record)
        group, is_new = self._group_of(reading, error)  # step 2
        if error is not None:
            mark(error, self.key, group)
        if depth > group.depth:
            group.depth = depth
        if not is_new:
            group.add()
            group.last = reading.values[3]
            return group.attention and self._attend(group, record)
        try:
            waiting = Waiting(group.level, group.recipients, group, self._clock())
            waiting.depth = depth
            waiting.snapshot = snapshot(reading, self.formatter)  # step 3
        except BaseException:
            group.lost = "rejected"  # and with it what others have counted meanwhile
            self._groups.close(group)
            raise
        # Step 4, writing the alert to a durable state, has its place here.
        group.waiting = waiting
        return self._put(waiting)

    def _put(self, waiting: Waiting) -> bool:
        books = self._books
        books.accepted.add()
        waiting.number = books.entries.add()
        self._inbox.put(waiting)
        return self._may_go(waiting.recipients)

    def _group_of(self, reading: Reading, error: BaseException | None) -> tuple[Group, bool]:
        """The open group of a record, or a new one that is open from now on."""
        spot, template, text = self._same(reading, error)
        group, pattern = self._groups.find(spot, template, text)
        if group is not None:
            return group, False
        level, _, logger, began, *_ = reading.values
        recipients = self.options.recipients(logger, level, reading.recipients)  # of step 7: the inbox has lanes
        group = Group(level, recipients, self._books.accepted, began)
        group.spot, group.template, group.text = spot, template, ends(text())
        group.codes = codes_of(error)
        if reading.is_plain and error is None and not logger.startswith(OUR_LIBRARIES):
            group.constant = template  # else it may be about our own traffic
        while not self._groups.open(group, pattern):
            found, pattern = self._groups.find(spot, template, text)
            if found is not None:
                return found, False
        return group, True

    def _same(self, reading: Reading, error: BaseException | None) -> tuple[Spot, object, Callable[[], str]]:
        """What a record has in common with those that are the same: its spot, its template, or else its text."""
        own = self.options.fingerprint_of(reading) if reading.extra or self.options.fingerprint else None
        if own is not None:
            return (own, reading.values[0], reading.recipients, reading.mention), NO_TEMPLATE, lambda: own
        msg = reading.record.msg
        if type(msg) is str and has_own_word(msg):
            return spot_of(reading, error), msg, lambda: msg
        return spot_of(reading, error), NO_TEMPLATE, reading.message

    def _attend(self, group: Group, record: logging.LogRecord) -> bool:
        """More than counting: a sample, or a group that the worker is to look at, which is what it returns."""
        sample_wanted, wanted = group.attend()
        if wanted:
            wanted = self._wake(group)
        if sample_wanted:
            group.samples.append(sample(record))
        return wanted

    def _wake(self, group: Group) -> bool:
        """Let the worker look at a group; whether it has to be told so now."""
        if group.woken:
            return False
        group.woken = True
        self._woken.append(group)
        return self._may_go(group.recipients)

    def _may_go(self, recipients: Recipients | None) -> bool:
        """Whether the worker may have something to do for a new alert, or waits for the same limit anyway."""
        return not (self._all_wait or recipients in self._who_wait)

    def _complain_of(self, record: logging.LogRecord, error: Exception) -> None:
        where = f"{getattr(record, 'pathname', '?')}:{getattr(record, 'lineno', '?')}"
        self._complain("rejected", f"a record made at {where} could not be taken ({type(error).__name__})")

    def _refuse(self, reason: str, text: str) -> bool:
        self._books.refuse(reason)
        self._complain(reason, text)
        return False

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Accept nothing more. What waits is still told."""
        self._closed = True
        self._groups.shut_all()
        self._worker.wake()

    def stats(self) -> Stats:
        return self._books.stats()

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        load_libraries()

    def turn(self) -> float:
        """Steps 5 to 10 for the next message that may go. Returns the seconds until there may be another."""
        self._sweep()
        self._gather()
        self._all_wait, self._who_wait = False, ()
        if (pause := self._not_before - self._clock()) > 0:
            self._all_wait = True
            return min(pause, self._until_next_look(), _SWEEP_S)
        waiting, wait = self._next()  # step 7: what may go now
        if waiting is not None and waiting.group is not None and waiting.group.lost and not waiting.captured:
            self._settle(waiting, waiting.group.lost)
            self._inbox.arrived()
            return 0.0
        if waiting is None:
            return min(wait, self._until_next_look(), _SWEEP_S if len(self._inbox) else float("inf"))
        try:
            if not waiting.parts:
                self._render(waiting)  # steps 5 to 8
            outcome = self._postman.deliver(waiting)  # step 9
        except Exception as error:  # a defect of ours must cost one alert, not all that follow
            outcome = Outcome("rejected")
            self._complain("defect", f"an alert could not be made into a message ({type(error).__name__})")
        except BaseException:  # user code (redact) that wants to end the thread: not before the books are right
            self._conclude(waiting, Outcome("rejected"))
            raise
        self._conclude(waiting, outcome)  # step 10
        return 0.0

    def _gather(self) -> None:
        """Step 5's groups: what is counted comes into the line when it is due."""
        now = self._clock()
        while self._gone:
            self._follow_up(self._gone.popleft())
        while self._woken:
            group = self._woken.popleft()
            group.woken = False
            if group.closed:
                self._finish(group)
            else:
                self._settle_sightings(group)
                self._schedule.look(group, now)
        while self._groups.closed:
            self._finish(self._groups.closed.popleft())
        for group, over in self._schedule.due(now):
            if over:
                self._end(group)
            else:
                self._put_digest(group)

    def _until_next_look(self) -> float:
        return max(self._schedule.next_look() - self._clock(), 0.0)

    def tell_counted(self) -> None:
        """Bring all that is counted into the line now."""
        self._gather()
        for group in self._groups:
            self._settle_sightings(group)
            if group.news and group.has_begun and (group.waiting is None or group.waiting.captured):
                self._put_digest(group, forced=True)

    def _put_digest(self, group: Group, *, forced: bool = False, quiet_s: float = 0.0) -> None:
        waiting = Waiting(group.level, group.recipients, group, self._clock())
        waiting.captured, waiting.size, waiting.depth = 0, _DIGEST_BYTES, group.depth
        waiting.forced, waiting.quiet_s = forced, quiet_s
        waiting.number = self._books.entries.add()
        group.waiting = waiting
        self._inbox.put(waiting)

    def _end(self, group: Group) -> None:
        """A group is over. Whatever is counted from now on counts in the next."""
        self._groups.close(group)
        if group.digests >= _LEAST_DIGESTS and not group.news:
            self._put_digest(group, quiet_s=QUIET_WINDOWS * self.options.window_s)

    def _finish(self, group: Group) -> None:
        """Tell, or settle, what a closed group has counted."""
        if self._given_up:
            self._lose(group, "exit_timeout")
        elif group.lost:
            self._lose(group, group.lost)
        elif group.has_begun and group.waiting is None and (news := group.news):
            if (successor := self._groups.successor(group)) is not None:
                group.inherit(-news)
                successor.inherit(news)
                self._woken.append(successor)
            else:
                self._put_digest(group)
        self._settle_sightings(group)

    def _lose(self, group: Group, how: str) -> None:
        """What is counted and cannot be told any more."""
        with self._claiming:
            counted, seen = group.claim()
        self._books.settle(how, 0, counted + seen)

    def _settle_sightings(self, group: Group) -> None:
        """Further sightings of what has been told are merged with it."""
        if group.ended is not None and group.waiting is None and not group.flying:
            with self._claiming:
                seen = group.claim_sightings()
            self._books.settle(group.ended, 0, seen)

    def _next(self) -> tuple[Waiting | None, float]:
        now, rules = self._clock(), self.options.rules

        def wait(recipients: Recipients | None) -> float:
            receivers = self._channel.receivers(recipients)
            pace = 0.0 if self.in_a_hurry else self._windows.pace(receivers, rules, now)[1]
            longest = max(self._windows.wait(receivers, rules, now), pace)
            if longest > 0:
                who_wait.add(recipients)
            return longest

        who_wait: set[Recipients | None] = set()
        found = self._inbox.take(wait)
        self._who_wait = who_wait
        return found

    def _render(self, waiting: Waiting) -> None:
        """Steps 5 to 8: one message of an alert, or of all that wait, where messages have to be shared."""
        waiting.losses = self._books.losses()
        losses = _told(waiting.losses, self._losses_told)
        receivers = self._channel.receivers(waiting.recipients)
        if not waiting.alone and self._windows.pace(receivers, self.options.rules, self._clock())[0]:
            waiting.others = self._inbox.take_others(waiting.recipients, _MAX_SHARED)
        digests = [self._frozen(each, fresh=not waiting.others and self._is_fresh(each)) for each in waiting.together]
        if not waiting.others:
            waiting.parts = self.composer.compose(digests[0], self._channel, losses)
            return
        waiting.parts, number = self.composer.share(digests, self._channel, losses)
        rest = waiting.together[number:]
        waiting.others = waiting.others[: number - 1]
        self._inbox.return_others(rest)

    def _is_fresh(self, waiting: Waiting) -> bool:
        """Whether it tells the first of a group at once: what came since is for the digest."""
        return bool(waiting.captured) and self._clock() - waiting.accepted_at < self.options.window_s

    def _frozen(self, waiting: Waiting, *, fresh: bool = False) -> Digest:
        """Steps 5 and 6: masked, and with all that is counted by now; as it will be sent, however often."""
        if waiting.group is not None and waiting.digest is None:
            self._claim(waiting, waiting.group, nothing=fresh)
            # Step 6, what other processes and hosts have told already, has its place here.
            waiting.digest = self._digest(waiting, waiting.group, fresh=fresh)
        elif waiting.digest is not None and waiting.same is None:  # another handler's: its numbers stay
            waiting.same = 0
            with self._masking(waiting.depth):
                waiting.digest = replace(waiting.digest, alert=masked(waiting.digest.alert, self.options.mask))
        assert waiting.digest is not None
        waiting.snapshot = None
        return waiting.digest

    def _claim(self, waiting: Waiting, group: Group, *, nothing: bool) -> None:
        """Take what the group has counted, once."""
        with self._claiming:
            if waiting.same is not None:
                return
            if group.waiting is waiting:
                group.waiting = None
            # Another may be about to tell it, and the exit hook may have been faster.
            nothing = nothing or group.waiting is not None or waiting.ended is not None
            waiting.same, seen = (0, 0) if nothing else group.claim()
            waiting.counted = waiting.same + seen
        group.total += waiting.captured
        group.flying += 1

    def _digest(self, waiting: Waiting, group: Group, *, fresh: bool) -> Digest:
        if waiting.snapshot is not None:
            with self._masking(waiting.depth):
                alert = masked(with_source(capture(waiting.snapshot, self.options.origin)), self.options.mask)
            group.alert = slim(alert)
        elif group.alert is not None:
            alert = group.alert
        else:
            raise LookupError("its first alert could not be shown")
        since, group.since = group.since, time.time()
        if fresh:
            return Digest(alert)
        with self._masking(waiting.depth):
            samples = [group.samples.popleft() for _ in range(len(group.samples))]
            shown = tuple(Sample(one.time, self.options.mask(one.text)) for one in samples)
        group.open_room()
        return Digest(
            alert,
            count=waiting.captured + (waiting.same or 0),
            total=group.total,
            since=finite(since, 0.0),
            last=finite(group.last, 0.0),
            samples=shown,
            rates=tuple(group.life.rates),
            quiet_s=waiting.quiet_s,
        )

    @contextmanager
    def _masking(self, depth: int) -> Iterator[None]:
        """While a user's redact may log: every record is looked at, so that none is masked on and on."""
        self.find = _unseen
        outer = _depth.set(depth + 1)
        try:
            yield
        finally:
            _depth.reset(outer)
            self.find = self._groups.spots.get

    def _conclude(self, waiting: Waiting, outcome: Outcome) -> None:
        verdict = fate(outcome.error) if outcome.error is not None else None
        if outcome.delivered:
            self._failed_rounds = 0
            self._losses_told = waiting.losses
            for each in waiting.together:
                self._settle(each, "delivered")
            self._inbox.arrived()
        elif outcome.reason == "rejected" or verdict in (Fate.REJECT, Fate.KEEP_SLOWLY):
            self._refused(waiting, outcome, verdict)
        else:
            waiting.rounds += verdict is not None
            self._keep(waiting)
        if verdict is not None and verdict is not Fate.REJECT and waiting.ended != "handed_over":
            self._wait(verdict, getattr(outcome.error, "retry_after_s", 0.0))
        self._report(outcome, verdict, handed_over=waiting.ended == "handed_over")

    def _refused(self, waiting: Waiting, outcome: Outcome, verdict: Fate | None) -> None:
        """WeCom does not want it, or wants the configuration mended. What shared a message is judged alone."""
        together, waiting.others = waiting.together, ()
        keep = verdict is Fate.KEEP_SLOWLY
        alone = len(together) > 1 and not keep
        for each in together:
            if not alone and self._handed_over(each, outcome):
                self._settle(each, "handed_over")
            elif alone or keep:
                each.parts, each.alone = (each.parts if not alone and len(together) == 1 else ()), each.alone or alone
                each.rounds += keep
            else:
                self._settle(each, (each.group is not None and each.group.lost) or "rejected")
        self._keep(*(each for each in together if each.ended is None))

    def _keep(self, *several: Waiting) -> None:
        self._inbox.put_back(*several)
        if self._given_up:  # nobody will come for them
            for waiting in self._inbox.take_if(lambda _: True):
                for each in waiting.together:
                    self._settle(each, "exit_timeout")

    def _handed_over(self, waiting: Waiting, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        if self.options.fallback is None or not waiting.captured + waiting.counted:
            return False
        why = f"{type(outcome.error).__name__}: {outcome.error}"
        try:
            target = self.options.fallback()
            if target is None:
                hint = "one of another package must be used by a logger, or logging forgets it"
                self._complain("fallback", f"no handler has the name that fallback gives; {hint}")
                return False
            return hand_over(self._frozen(waiting), target, self.key, self.options.name, why)
        except Exception as error:
            self._complain("fallback", f"the fallback failed ({type(error).__name__})")
            return False

    def _wait(self, verdict: Fate, pause_s: float) -> None:
        now = self._clock()
        match verdict:
            case Fate.PAUSE:
                self._windows.pause(now + pause_s)
            case Fate.KEEP_SLOWLY:
                self._not_before = now + CONFIGURATION_BACKOFF_S
            case _:
                wait = min(MAX_BACKOFF_S, 2.0**self._failed_rounds)
                self._failed_rounds = min(self._failed_rounds + 1, 10)
                self._not_before = now + random.uniform(wait / 2, wait)

    def _report(self, outcome: Outcome, verdict: Fate | None, *, handed_over: bool) -> None:
        """Failures and half successes, on stderr."""
        if outcome.error is not None:
            what = "an alert was refused" if verdict is Fate.REJECT else "alerts wait"
            what = "an alert went to the fallback" if handed_over else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')}"
            self._complain(cause, f"{what}: {outcome.error}")
        if outcome.reason == "partial":
            self._complain("partial", f"WeCom did not accept some recipients: {_left_out(outcome)}")
        if outcome.warning:
            self._complain("warning", outcome.warning)

    def _complain(self, cause: str, text: str) -> None:
        complain(f"{cause} {self.options.name}", f"{self.options.name}: {text}")

    def _sweep(self) -> None:
        """Tell what the calling threads had to push out; once a minute, drop what is a day old."""
        self._tell_overflow()
        now = self._clock()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_S
        old = self._inbox.take_if(lambda waiting: now - waiting.accepted_at >= EXPIRES_S)
        for waiting in old:
            for each in waiting.together:
                self._settle(each, "expired")
        if old:
            self._complain("expired", f"{len(old)} alerts could not be sent for 24 hours and are lost")

    def _settle(self, waiting: Waiting, how: str) -> None:
        """Step 10's end: the books, the memory that it took, and when its group is told again."""
        with self._claiming:
            first_to_say = self._end_one(waiting, how)
        if first_to_say:
            self._book(waiting)
        self._follow_up(waiting)

    def _overflowed(self, waiting: Waiting) -> None:
        """In whichever thread finds that too much waits: nobody else has it."""
        group = waiting.group
        if self._end_one(waiting, "queue_overflow"):
            self._book(waiting)
        if group is not None and waiting.digest is None and self._claiming.acquire(blocking=False):
            try:  # what the group has counted goes with it
                group.lost, group.waiting = "queue_overflow", None
                counted, seen = group.claim()
                self._groups.close(group)
            finally:
                self._claiming.release()
            self._books.settle(group.lost, 0, counted + seen)
        elif group is not None:
            self._gone.append(waiting)
        waiting.snapshot = None

    @staticmethod
    def _end_one(waiting: Waiting, how: str) -> bool:
        return waiting.end("delivered" if waiting.done else how)  # a part of it stands in a message

    def _book(self, waiting: Waiting) -> None:
        assert waiting.ended is not None
        self._books.settle(waiting.ended, waiting.captured, waiting.counted)
        self._books.ended.add()

    def _follow_up(self, waiting: Waiting) -> None:
        """What the end of a message means for its group."""
        group, how = waiting.group, waiting.ended
        was_rendered = waiting.digest is not None
        waiting.snapshot, waiting.digest, waiting.parts = None, None, ()
        if group is None or how is None:
            return
        if not was_rendered:  # given up as it was: what its group has counted goes with it
            group.waiting, group.lost = None, how
            self._groups.close(group)
            return
        group.flying -= 1
        group.ended = how
        is_digest = not waiting.captured
        group.digests += is_digest and how == "delivered"
        if group.closed:
            self._woken.append(group)
        else:
            self._settle_sightings(group)
            self._schedule.told(group, self._clock(), digest=is_digest, forced=waiting.forced)

    def _tell_overflow(self, when: str = "so far") -> None:
        lost = self._books.dropped["queue_overflow"].value
        if lost > self._lost_told:
            self._complain(f"queue_overflow {when}", f"{lost} alerts lost {when}: more waited than max_pending allows")
            self._lost_told = lost

    # What the worker's thread, the exit hook and a fork ask.

    def settled(self) -> bool:
        """Whether nothing waits, by the books."""
        return self._books.stats().pending == 0

    def last_number(self) -> int:
        return self._books.entries.value

    def unsettled_before(self, number: int) -> bool:
        return self._books.ended.value < number or self._inbox.oldest_number() <= number

    def finished(self) -> bool:
        return self._closed and not (len(self._inbox) or self._woken or self._groups.closed)

    def give_up(self) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number."""
        self._inbox.admit()
        self._tell_overflow("in all")  # whatever was said within the last minute
        lost = self._books.dropped["exit_timeout"]
        before = lost.value
        self._given_up = True
        self._groups.shut_all()
        for waiting in (*self._inbox.take_if(lambda _: True), self._inbox.on_its_way):
            for each in waiting.together if waiting is not None else ():
                with self._claiming:  # the worker may still be at it
                    first_to_say = self._end_one(each, "exit_timeout")
                if first_to_say:
                    self._book(each)
                if each.group is not None:
                    self._lose(each.group, "exit_timeout")
        for groups in (self._groups.closed, self._woken):
            while groups:
                self._lose(groups.popleft(), "exit_timeout")
        return lost.value - before


def _unseen(spot: object) -> None:
    """In place of the table of spots: none is open."""


def _told(losses: Mapping[str, int], before: Mapping[str, int]) -> str:
    """What was lost since the last message that got through, in words."""
    new = {reason: number - before.get(reason, 0) for reason, number in losses.items()}
    words = [f"{number} {reason}" for reason, number in new.items() if number]
    return f"lost since the last message: {', '.join(words)}" if words else ""


def _left_out(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
