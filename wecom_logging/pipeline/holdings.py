"""What a handler holds in this process, alerts that wait and groups that count, and how each of them ends.

Its methods are for the worker and the exit hook, but for those of which it is said that any thread may call them.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator

from ..state.base import EXPIRES_S, LEAST_DIGESTS, QUIET_WINDOWS
from .books import Books, Tally
from .groups import Group, Groups
from .inbox import Inbox, Waiting, popped
from .options import Options
from .schedule import Schedule

_DIGEST_BYTES = 1024

_keys = itertools.count()


class Holdings:
    """Made anew in a forked child, whose parent tells what it has."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self.key = next(_keys)
        self.books = Books()
        self.inbox = Inbox(options.max_pending, options.max_pending_bytes, self._overflowed)
        self.groups = Groups()
        self._options = options
        self._clock = clock
        self._schedule = Schedule(options.window_s)
        self._woken: dict[Group, object] = {}
        self._gone: deque[Waiting] = deque()  # who had to leave: what that means for their groups is the worker's
        self._claiming = threading.Lock()  # between the worker and the exit hook; no calling thread waits for it
        self.given_up = False  # at exit: nobody comes any more for what waits
        self._lost_told = 0
        self.left_behind = 0  # at exit, in the journal

    # Any thread.

    def put(self, alone: Iterator[Waiting], *also: Tally) -> None:
        """Put down the one that an iterator has, and count it: all of that is done, or nothing."""
        self.inbox.put(zip(alone, self.books.entries.count, *(tally.count for tally in also), strict=False))

    def wake(self, group: Group) -> bool:
        """Have a group looked at by the worker; False if it will be anyway."""
        mine = object()
        return self._woken.setdefault(group, mine) is mine

    def _overflowed(self, waiting: Waiting) -> None:
        """Whoever finds that too much waits: nobody else has it."""
        for each in waiting.together:
            self._push_out(each)

    def _push_out(self, waiting: Waiting) -> None:
        group = waiting.group
        if _end(waiting, "queue_overflow"):
            self._book(waiting)
        if group is not None and waiting.digest is None and self._claiming.acquire(blocking=False):
            try:  # what the group has counted goes with it
                group.lost, group.waiting = "queue_overflow", None
                counted, seen = group.claim()
                self.groups.close(group)
            finally:
                self._claiming.release()
            self.books.settle(group.lost, 0, counted + seen)
        elif group is not None:
            self._gone.append(waiting)
        waiting.snapshot = None

    # Groups: from what is counted to what is told.

    def gather(self) -> None:
        """Bring what is counted into the line when it is due."""
        now = self._clock()
        for waiting in popped(self._gone):
            self._follow_up(waiting)
        for group in list(self._woken):
            self._woken.pop(group, None)  # before it is looked at: who counts from now on wakes it again
            if group.closed:
                self._finish(group)
            else:
                self._settle_sightings(group)
                self._schedule.look(group, now)
        for group in popped(self.groups.closed):
            self._finish(group)
        for group, over in self._schedule.due(now):
            if over:
                self._end_group(group)
            else:
                self._put_digest(group)

    def tell_counted(self) -> bool:
        """Bring all that is counted into the line now; False where a thread is at the first record of its group."""
        self.gather()
        could = True
        for group in self.groups:
            self._settle_sightings(group)
            if group.news and not group.has_begun:
                could = False
            elif group.news and (group.waiting is None or group.waiting.captured):
                self._put_digest(group, forced=True)
        return could

    def seconds_to_next_look(self) -> float:
        return max(self._schedule.next_look() - self._clock(), 0.0)

    def _put_digest(self, group: Group, *, forced: bool = False, quiet_s: float = 0.0) -> None:
        waiting = Waiting(group.level, group.recipients, group, self._clock())
        waiting.captured, waiting.size, waiting.depth = 0, _DIGEST_BYTES, group.depth
        waiting.forced, waiting.quiet_s = forced, quiet_s
        group.waiting = waiting
        self.put(iter((waiting,)))

    def _end_group(self, group: Group) -> None:
        """It is over. Whatever is counted from now on counts in the next."""
        self.groups.close(group)
        if group.digests >= LEAST_DIGESTS and not group.news:
            self._put_digest(group, quiet_s=QUIET_WINDOWS * self._options.window_s)

    def _finish(self, group: Group) -> None:
        """Tell, or settle, what a closed group has counted."""
        if self.given_up:
            self._lose(group, "exit_timeout")
        elif group.lost:
            self._lose(group, group.lost)
        elif group.has_begun and group.waiting is None and (news := group.news):
            if (successor := self.groups.successor(group)) is not None:
                group.inherit(-news)
                successor.inherit(news)
                self.wake(successor)
            else:
                self._put_digest(group)
        self._settle_sightings(group)

    # Alerts: from what waits to the books.

    def claim(self, waiting: Waiting, group: Group, *, nothing: bool) -> None:
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

    def settle(self, waiting: Waiting, how: str) -> None:
        """Step 10's end: the books, the memory that it took, and when its group is told again."""
        with self._claiming:
            first_to_say = _end(waiting, how)
        if first_to_say:
            self._book(waiting)
        self._follow_up(waiting)

    def keep(self, *several: Waiting) -> None:
        """Back into the line."""
        self.inbox.put_back(*several)
        if self.given_up:  # nobody will come for them
            for waiting in self.inbox.take_if(lambda _: True):
                for each in waiting.together:
                    self.settle(each, "exit_timeout")

    def expire(self) -> None:
        """Drop what is a day old."""
        now = self._clock()
        old = self.inbox.take_if(lambda waiting: now - waiting.accepted_at >= EXPIRES_S)
        for waiting in old:
            for each in waiting.together:
                self.settle(each, "expired")
        if old:
            self._options.complain("expired", f"{len(old)} alerts could not be sent for 24 hours and are lost")

    def tell_overflow(self, when: str = "so far") -> None:
        """Say what the calling threads had to push out."""
        lost = self.books.dropped["queue_overflow"].value
        if lost > self._lost_told:
            text = f"{lost} alerts lost {when}: more waited than max_pending allows"
            self._options.complain(f"queue_overflow {when}", text)
            self._lost_told = lost

    def give_up(self) -> int:
        """At exit: what still waits, or is only counted, is lost; return how many this call found."""
        self.inbox.admit()
        self.tell_overflow("in all")  # whatever was said within the last minute
        lost = 0
        self.given_up = True
        self.groups.shut_all()
        for waiting in popped(self._gone):
            self._follow_up(waiting)
        for left in (*self.inbox.take_if(lambda _: True), self.inbox.on_its_way):
            for each in left.together if left is not None else ():
                kept, each.ticket = each.ticket is not None, None  # whoever opens the state next tells it
                with self._claiming:  # the worker may still be at it
                    first_to_say = _end(each, "handed_over" if kept else "exit_timeout")
                if first_to_say:
                    self._book(each)
                    self.left_behind += kept
                    lost += each.captured + each.counted if each.ended == "exit_timeout" else 0
                if each.group is not None:
                    lost += self._lose(each.group, "exit_timeout")
        for group in (*popped(self.groups.closed), *list(self._woken)):
            self._woken.pop(group, None)  # before its count is read: who counts after that comes back
            lost += self._lose(group, "exit_timeout")
        return lost

    def is_empty(self) -> bool:
        """Whether nothing waits, and no closed group has something to tell."""
        return not (len(self.inbox) or self._woken or self.groups.closed)

    def unsettled_before(self, number: int) -> bool:
        return self.books.ended.value < number or self.inbox.oldest_number() <= number

    def _book(self, waiting: Waiting) -> None:
        assert waiting.ended is not None
        self.books.settle(waiting.ended, waiting.captured, waiting.counted)
        self.books.ended.add()
        if waiting.ticket is not None:
            waiting.ticket.done()

    def _follow_up(self, waiting: Waiting) -> None:
        """What the end of a message means for its group."""
        group, how = waiting.group, waiting.ended
        was_rendered = waiting.digest is not None
        waiting.snapshot, waiting.digest, waiting.parts = None, None, ()
        if group is None or how is None:
            return
        if not was_rendered:  # given up as it was: what its group has counted goes with it
            group.waiting, group.lost = None, how
            self.groups.close(group)
            return
        group.flying -= 1
        group.ended = how
        is_digest = not waiting.captured
        group.digests += is_digest and how == "delivered"
        if group.closed:
            self.wake(group)
        else:
            self._settle_sightings(group)
            self._schedule.told(group, self._clock(), digest=is_digest, forced=waiting.forced)

    def _lose(self, group: Group, how: str) -> int:
        """What is counted and cannot be told any more; how many that are."""
        with self._claiming:
            counted, seen = group.claim()
        self.books.settle(how, 0, counted + seen)
        return counted + seen

    def _settle_sightings(self, group: Group) -> None:
        """Further sightings of what has been told are merged with it."""
        if group.ended is not None and group.waiting is None and not group.flying:
            with self._claiming:
                seen = group.claim_sightings()
            self.books.settle(group.ended, 0, seen)


def _end(waiting: Waiting, how: str) -> bool:
    return waiting.end("delivered" if waiting.done else how)  # a part of it stands in a message
