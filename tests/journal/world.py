"""One thread, one clock, one seed: processes take turns at each call of a disk or a server, and may end there.

A thread of a process is a greenlet. It goes on when the world says so; at each ``pause`` others may come between, and a
process that was killed there gets no further: its next call raises ``Killed``, and has no effect.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from random import Random

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """The process has ended at this point."""


class Thread(greenlet):
    def __init__(self, process: Process, work: Callable[[], None], parent: greenlet) -> None:
        super().__init__(self._begin, parent)
        self.process, self.work, self.wakes = process, work, 0.0

    def _begin(self) -> None:
        with suppress(Killed):
            self.work()


class Process:
    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.is_dead, self.stopped_until, self.threads = False, 0.0, []
        self.is_sending = False
        """Whether a request of it is on its way, or answered and not saved yet: what a fault makes come twice."""

    threads: list[Thread]

    def start(self, work: Callable[[], None]) -> Thread:
        thread = Thread(self, work, self.world.hub)
        self.threads.append(thread)
        self.world.threads.append(thread)
        return thread


class World:
    """``without``: the rules that are left out. ``slow``: how many of all pauses last for a second or more."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset(), slow: float = 0.0) -> None:
        self.random, self.without, self.slow, self.often = Random(seed), without, slow, 0.3
        self.now, self.leap, self.steps, self.hub = 1000.0, 0.0, 0, getcurrent()
        self.threads: list[Thread] = []
        self.at_death: list[Callable[[Process], None]] = []
        self.trace: deque[str] = deque(maxlen=400)
        self.faults: Counter[str] = Counter()
        self.hits = 0

    def has(self, rule: str) -> bool:
        return rule not in self.without

    @property
    def wall(self) -> float:
        """The clock that somebody may set; ``now`` is the monotonic one."""
        return self.now + self.leap

    def looker(self) -> float:
        """The clock by which a follower sees that a lease has not changed."""
        return self.now if self.has("a lease is judged by the monotonic clock of who looks") else self.wall

    def note(self, *words: object) -> None:
        self.trace.append(f"{self.now:.3f} " + " ".join(map(str, words)))

    def pause(self) -> None:
        """Others may come between here; who was killed ends here."""
        me = getcurrent()
        if not isinstance(me, Thread):
            return
        if not me.process.is_dead and self.random.random() < self.often:
            me.wakes = self.now
            if self.slow and self.random.random() < self.slow:
                self.hit(me.process)
                me.wakes += self.random.choice((0.5, 1.0, 3.0))
            self.hub.switch()
        if me.process.is_dead:
            raise Killed

    def sleep(self, seconds: float) -> None:
        me = getcurrent()
        assert isinstance(me, Thread)
        me.wakes = self.now + seconds
        self.hub.switch()
        if me.process.is_dead:
            raise Killed

    def step(self) -> None:
        """Let one thread go on until its next pause."""
        self.steps += 1
        ready = [one for one in self.threads if max(one.wakes, one.process.stopped_until) <= self.now]
        if not ready:
            if self.threads:
                self.now = min(max(one.wakes, one.process.stopped_until) for one in self.threads)
            return
        self.now += self.random.random() * 0.002
        one = self.random.choice(ready)
        one.switch()
        if one.dead:
            self.threads.remove(one)

    def hit(self, process: Process) -> None:
        self.hits += process.is_sending

    def stop(self, process: Process, seconds: float) -> None:
        self.hit(process)
        self.note("stop", process.name, seconds)
        process.stopped_until = self.now + seconds

    def kill(self, process: Process) -> None:
        self.hit(process)
        self.note("kill", process.name)
        self.end(process)

    def end(self, process: Process) -> None:
        process.is_dead = True
        for told in self.at_death:
            told(process)
        for one in [one for one in self.threads if one.process is process]:
            self.threads.remove(one)
            if one:  # has begun, and not ended
                one.throw(Killed)
