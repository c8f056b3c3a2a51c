"""What `Watch` needs of others: the jobs, their incidents, and the options of its handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import NamedTuple, Protocol

from ..model import Alert, Answer
from .job import Gap, Job, News, Row, Target, Watched

AGAIN_S = 3600.0
"""A job that is missed again is sent again, with what was missed since, no sooner than that."""


class Missed(NamedTuple):
    """What is to be sent of a job to one of its targets: an alert, masked, by the ``key`` of its incident."""

    target: Target
    alert: Alert
    key: str
    news: News
    window_s: float
    cause: str


class Jobs(Protocol):
    """Those that are expected to run, of a state or of this process. All of it may raise `StateError`."""

    @property
    def is_shared(self) -> bool:
        """True if other processes see and report the same ones."""

    def time(self) -> float:
        """The seconds since the epoch, on the clock that stamps what runs report."""

    def find(self, name: str) -> Row | None:
        """One of them. None: it is not known, or forgotten."""

    def all(self) -> tuple[Mapping[str, Row], Watched | None]:
        """All of them by their names, and who watched."""

    def swap(self, name: str, before: Row | None, job: Job | None) -> bool:
        """Another in its place, if it is still that; None forgets it."""

    def change(self, name: str, become: Callable[[Job | None, float], Job | None]) -> Job | None:
        """Let it become another, whoever changes it meanwhile: what it is now."""

    def began(self, name: str, run: str) -> None:
        """A run begins."""

    def ended(self, name: str, run: str, *, has_failed: bool) -> None:
        """It has ended; one that never said that it began is a run as well."""

    def forget(self, name: str) -> None:
        """Expect it no more, until a program declares it again; `remember` undoes that within a month."""

    def remember(self, name: str) -> None:
        """Expect it again, as before."""

    def watched(self) -> Watched | None:
        """When somebody looked last."""

    def watch(self, before: Watched | None, at: float, gap: Gap) -> bool:
        """This process looks now, if nobody else does."""


class JobRows(Protocol):
    """The incidents of jobs. What is numbered (`News.serial`, of each ``who``) is taken once."""

    @property
    def channel(self) -> str:
        """Of which these are."""

    def missed(self, who: str, missed: Missed) -> None:
        """Open the incident, or count it there. What a run has closed before it came goes on, where nobody has heard of
        that yet; what was sent last `AGAIN_S` ago is sent at once."""

    def ran(self, who: str, channel: str, key: str, news: News, answer: Answer) -> None:
        """A run has come: close the incident, unless it was missed again since."""


class Origin(Protocol):
    """What alerts say of the program."""

    @property
    def service(self) -> str: ...

    @property
    def environment(self) -> str: ...


class Looks(Protocol):
    """What messages look like."""

    @property
    def zone(self) -> tzinfo | None: ...


class Shared(Protocol):
    """The state of a handler."""

    @property
    def failures(self) -> int: ...

    @property
    def seconds_to_next_try(self) -> float: ...


class Options(Protocol):
    """Those of a handler."""

    @property
    def origin(self) -> Origin: ...

    @property
    def looks(self) -> Looks: ...

    @property
    def shared(self) -> Shared: ...

    @property
    def duty(self) -> str: ...

    @property
    def mask(self) -> Callable[[str], str]: ...

    @property
    def warn_once(self) -> Callable[[str, str], object]: ...

    @property
    def steps(self) -> Callable[[int], tuple[float, ...]]: ...
