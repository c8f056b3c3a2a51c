"""The shared stores that this process has open, one for each URL. One that fails is left alone for a while."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from .._lines import line
from .._runtime import forks
from .._runtime.clock import between, wall
from .._runtime.windows import Rules, Windows, kept
from .._runtime.worker import at_end
from ..errors import StateError

if TYPE_CHECKING:
    from .base import Store
    from .write_ahead import WriteAhead

_T = TypeVar("_T")
JOBS = "jobs"
"""The channel of the jobs that are expected to run."""

BACK_OFF_S = (5.0, 15.0)
"""How long a backend that failed is left alone: at random in between, so that a fleet does not come back as one."""

_KNOWN_S = 60.0
"""What others sent within so long is known after each reservation."""


class Shared:
    """A state, with who this process is there, and whether it can be used now.

    ``warn_once(cause, text)`` says once that it cannot.
    """

    def __init__(
        self,
        name: str,
        open_state: Callable[[Shared], Store],
        write_ahead: WriteAhead | None,
        warn_once: Callable[[str, str], object],
        clock: Callable[[], float] = time.monotonic,
        secrets: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.secrets = tuple(secrets)
        self.write_ahead = write_ahead
        self._open_state = open_state
        self._say = warn_once
        self.clock = clock
        self.reset_after_fork()
        _living.add(self)

    def reset_after_fork(self) -> None:
        """At first, and in a forked child."""
        _parents.append(getattr(self, "_state", None))
        self._state: Store | None = None
        self._opening = threading.Lock()
        self.parts = itertools.count(1)
        """One for each who numbers batches."""
        self._back_off_until = float("-inf")
        self._problem = ""
        """Why it could not be used when it was last tried."""
        self.failures = 0
        """How often it could not be used: the thread that was at it has to look what it has."""
        self._who = f"{os.getpid()}-{os.urandom(6).hex()}"
        if self.write_ahead is not None:
            self.write_ahead.reset_after_fork()

    def load(self) -> None:
        """Import what using it needs, where a fork waits for it."""
        with contextlib.suppress(ImportError, StateError):  # said when it is used
            self._opened()

    def _opened(self) -> Store:
        """The one state of all threads: two would not know of each other's locks on a file."""
        with self._opening:
            if self._state is None:
                self._state = self._open_state(self)
            return self._state

    def close(self) -> None:
        """Let go of files and connections; what is used again is opened again."""
        state, self._state = self._state, None
        if state is not None:
            state.close()
        if self.write_ahead is not None:
            self.write_ahead.close()

    @property
    def who(self) -> str:
        """This process, as others see it."""
        return self._who if self.write_ahead is None else self.write_ahead.who

    @property
    def is_up(self) -> bool:
        """Whether it is worth trying."""
        return self.clock() >= self._back_off_until

    @property
    def is_well(self) -> bool:
        """Whether it answered when it was last asked."""
        return not self._problem

    @property
    def seconds_to_next_try(self) -> float:
        return max(self._back_off_until - self.clock(), 0.0)

    def call(self, use: Callable[[Store], _T]) -> _T:
        """Use the state. Raises `StateError`, at once where it failed a moment ago."""
        if not self.is_up:
            raise StateError(f"{self._problem or self.name} (a moment ago; it is not tried again yet)")
        try:
            if self.write_ahead is not None:
                self.write_ahead.hold()
            found = use(self._opened())
        except Exception as error:
            from .base import InUseError  # loaded with a store, and only then

            self.failures += 1
            if isinstance(error, InUseError):  # no trouble of the state: nobody is told, and the next call tries it
                raise
            self._back_off_until = self.clock() + between(*BACK_OFF_S)
            if not isinstance(error, StateError):  # a library's that nobody foresaw, or a defect of ours
                error = StateError(f"{self.name}: {type(error).__name__}")
            if not self._problem:
                self.warn_once(error)
            self._problem = str(error) or self.name
            raise error from None
        if self._problem:
            self._say("state again", line("state_again", name=self.name))
            self._problem = ""
        return found

    def warn_once(self, error: StateError) -> None:
        """Say that the state cannot be used, or only in part; it is said once."""
        self._say("state", line("state", error=error))

    def try_call(self, use: Callable[[Store], _T], otherwise: _T) -> _T:
        """The same with a value for where it cannot be used."""
        try:
            return self.call(use)
        except StateError:
            return otherwise

    def time_s(self) -> float:
        """Seconds since the epoch: those of the store where processes share one, whatever this host's clock shows."""
        state = self._state
        return wall() if state is None else state.time()

    def has_backlog(self) -> bool:
        """Whether a dead process may have left something that no other process will send."""
        return self.write_ahead is None or self.write_ahead.is_used()

    def set_aside(self) -> list[str]:
        """Files that could not be read or taken over: they stay for people."""
        return [] if self.write_ahead is None else self.write_ahead.set_aside()

    def windows(self, channel: str) -> Windows:
        """The rate windows of a channel, by its identity, for all that share this state."""
        return kept(channel, self.name, lambda: SharedWindows(channel, self))

    # What a `TokenSource` asks; each does nothing where the state cannot be used.

    def token(self, app: str) -> tuple[str, float] | None:
        return self.try_call(lambda state: state.token(app, self.clock()), None)

    def lock_token(self, app: str) -> bool:
        return self.try_call(lambda state: state.lock_token(app, self.who, self.clock()), True)

    def put_token(self, app: str, value: str, life_s: float) -> None:
        self.try_call(lambda state: state.put_token(app, self.who, value, life_s, self.clock()), None)

    def drop_token(self, app: str, value: str) -> None:
        self.try_call(lambda state: state.drop_token(app, value), None)


class SharedLease:
    """The right to ``name``, which one of all processes that share a state has, by the state's lock of that name.

    It ends `base.LOCK_S` seconds after it was renewed last, as with an AI bot's connection. The lease of a claim is
    another thing: it is never renewed.
    """

    def __init__(self, shared: Shared, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._name = name
        self._clock = clock
        self._holder = 0

    def hold(self) -> bool:
        """Take it, or renew it; whether this process has it now.

        While the state is away the process that has it keeps it, and no other takes it.
        """
        try:
            has = self._shared.call(lambda store: store.lock_token(self._name, self._shared.who, self._clock()))
        except StateError:
            return self._holder == os.getpid()
        self._holder = os.getpid() if has else 0
        return has

    def release(self) -> None:
        """Let another process have it at once."""
        if self._holder == os.getpid():
            self._shared.put_token(self._name, "", 0.0)
        self._holder = 0


class SharedWindows(Windows):
    """Windows that all processes with the same shared store use. Where that is away, this one keeps to its share."""

    def __init__(self, channel: str, shared: Shared) -> None:
        super().__init__()
        self._channel = channel
        self._shared = shared
        self._peers = 1
        self._numbers: dict[float, str] = {}
        self._not_before: dict[tuple[str, ...], float] = {}

    def wait(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        return max(super().wait(receivers, self._share(rules), now), self._not_before.get(receivers, now) - now)

    def pace(self, receivers: tuple[str, ...], rules: Rules, now: float) -> tuple[bool, float]:
        return super().pace(receivers, self._share(rules), now)

    def reserve(self, receivers: tuple[str, ...], rules: Rules, now: float) -> float:
        wait = self.wait(receivers, rules, now)
        if wait > 0 or not rules:
            return wait if wait > 0 else super().reserve(receivers, rules, now)
        try:
            taken = self._shared.call(
                lambda state: state.reserve(self._channel, self._shared.who, receivers, rules, now)
            )
        except StateError:
            return super().reserve(receivers, self._share(rules), now)
        self._peers = taken.peers
        self.replace(taken.ages, now, _KNOWN_S)
        if taken.wait_s > 0:
            self._not_before = {receivers: now + taken.wait_s}
            return taken.wait_s
        self._numbers = {now: taken.number}
        return 0.0

    def landed(self, receivers: tuple[str, ...], reserved: Iterable[float], now: float) -> None:
        times = list(reserved)
        super().landed(receivers, times, now)
        for at in times:
            number = self._numbers.pop(at, "")
            if number and now > at:
                self._shared.try_call(lambda state: state.landed(self._channel, receivers, number, now), None)  # noqa: B023 # called at once

    def pause(self, wait_s: float, now: float) -> None:
        super().pause(wait_s, now)
        self._shared.try_call(lambda state: state.pause(self._channel, wait_s, now), None)

    def _share(self, rules: Rules) -> Rules:
        """All of the limit, or this process's part of it while the others cannot be asked."""
        if self._shared.is_up:
            return rules
        return tuple((max(number // self._peers, 1), period * max(self._peers / number, 1)) for number, period in rules)


class Alone(Shared):
    """In place of a store that processes share, where each has its own memory: it is never up."""

    is_up = False

    def __init__(self) -> None:
        super().__init__("memory", _nothing, None, lambda cause, text: None)

    def call(self, use: Callable[[Store], _T]) -> _T:
        raise StateError("memory is not shared")

    def windows(self, channel: str) -> Windows:
        return kept(channel)


def _nothing(shared: Shared) -> Store:
    raise StateError("memory is not shared")


_parents: list[Store | None] = []
"""What the process had open from which this one was forked: to close it here could undo what that one is doing."""

_living: weakref.WeakSet[Shared] = weakref.WeakSet()
_opened: dict[Any, Shared] = {}


alone = Alone()
"""``memory://``"""


def sqlite_state(path: str, warn_once: Callable[[str, str], object]) -> Shared:
    """The one state of this process over a file."""
    from .disk import resolved
    from .write_ahead import WriteAhead

    path = resolved(path)

    def open_state(shared: Shared) -> Store:
        from .sqlite import SqliteStore

        assert shared.write_ahead is not None
        return SqliteStore(path, is_alive=shared.write_ahead.is_alive)

    if path not in _opened:
        _opened.setdefault(path, Shared(path, open_state, WriteAhead(path), warn_once))  # of several threads the first
    return _opened[path]


def redis_state(server: Any, warn_once: Callable[[str, str], object]) -> Shared:
    """The one state of this process over a server: a URL, or a client. Raises `ConfigurationError`."""
    # The client libraries import it, which fails once the program has begun to end.
    import concurrent.futures.thread  # noqa: F401 # loading it is the purpose

    from .redis import RedisStore

    key = server if isinstance(server, str) else id(server)
    if key not in _opened:
        state = RedisStore(server)
        _opened[key] = Shared(state.place, lambda _: state, None, warn_once, secrets=state.secrets)
    return _opened[key]


STATES = {"sqlite": sqlite_state, "redis": redis_state}


def close_all() -> None:
    """At exit: leave no file that is of no use to others."""
    for shared in list(_living):
        shared.close()


def _after_fork_in_child() -> None:
    """Connections, files and claims are the parent's."""
    for shared in list(_living):
        shared.reset_after_fork()


forks.in_child(_after_fork_in_child)
at_end.append(close_all)
