"""The values of `bundle`: what it asks of a moment, and what it chooses."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

from .._incidents.book import Due
from .._incidents.values import Hold, Incident


class Rules(NamedTuple):
    """The pace of those who get an incident, as times on the clock of ``now``."""

    room_at: float = 0.0
    """When the rate limit has room for a message."""
    shares: bool = False
    """True if so much went out lately that messages are shared."""
    summary_at: float = float("-inf")
    """When the last summary of a flood was sent to them."""
    gathers_until: float = float("-inf")
    """Until when what is not urgent waits for the next summary."""
    no_files_until: float = float("-inf")
    """Until when no file can be uploaded, and so no summary sent."""


class Moment(Protocol):
    """What `bundle` asks."""

    @property
    def hurries(self) -> bool:
        """True where somebody waits for all that is left: nothing waits but for the rate limit."""

    @property
    def closes(self) -> bool:
        """True where there is no later."""

    @property
    def refused(self) -> Collection[str]:
        """The keys of those that WeCom has refused in a message of several."""

    @property
    def on_way(self) -> Collection[str]:
        """The keys of those that stand in a message that is tried again."""

    def holds(self, incident: Incident) -> Hold | None:
        """The quiet hours or the maintenance that hold it."""

    def waited(self, incident: Incident) -> bool:
        """True if it has waited for those, and is sent with what has, too."""

    def rules(self, incident: Incident) -> Rules:
        """The pace of those who get it."""

    def of(self, audience: str) -> Iterable[Incident]:
        """All of an audience."""

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        """True if both go to the same people."""


class Form(enum.Enum):
    """How a message says what it says."""

    ONE = "of each incident a message of its own: the first one goes"
    MANY = "one for several; of a flood a summary"
    CAUSE = "several that have one cause"
    HELD = "all that has waited for one thing"
    STEP = "a step of an escalation, to whom that names"
    CALL = "no message: the phones of a step ring"


class Parcel(NamedTuple):
    """What goes in one message, the first one first: as many as fit."""

    rows: tuple[Due, ...]
    form: Form
    cause: str = ""


class Later(NamedTuple):
    """They wait for what holds them."""

    rows: tuple[Due, ...]
    hold: Hold


class Over(NamedTuple):
    """No message says that they are over, or what is unsent of them: that has waited for too long."""

    row: Due


class Wait(NamedTuple):
    """An audience waits until then: for room; ``is_calm``: for the next summary of a flood, but for what is urgent."""

    until: float
    audience: str
    is_calm: bool = False


Choice = Parcel | Later | Over | Wait
