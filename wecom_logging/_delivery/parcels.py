"""The values of `bundle`: what is due, what becomes of it, and what that is asked of."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .._incidents.limits import SUMMARY_S
from .._incidents.plan import Act
from .._incidents.values import Hold, Incident
from ..model import Recipients
from ..model.duty import Held, Step


class Due(NamedTuple):
    """An incident, and what is done with it now."""

    incident: Incident
    act: Act


class Form(enum.Enum):
    """How a message shows its incidents."""

    OWN = "in a message of their own: nothing else may join"
    SHARED = "one by itself, or several of an audience, which have nothing in common"
    CAUSE = "of one cause"
    HELD = "all that has waited in quiet hours or a maintenance"
    STEP = "to those of a step of their escalation"
    CALL = "no message: the phones of those of the last step ring"


class Parcel(NamedTuple):
    """What goes now in one message. ``more`` may go with it, in the order in which they come, where it is a flood, or
    shows all that has waited. ``held``: what they have waited for; ``step``: which they go to, or whose phones ring."""

    form: Form
    rows: tuple[Due, ...]
    more: tuple[Due, ...] = ()
    cause: str = ""
    held: Held | None = None
    step: Step | None = None

    @property
    def audience(self) -> str:
        return self.rows[0].incident.opening.audience


class Later(NamedTuple):
    """These wait until the hold is over."""

    rows: tuple[Due, ...]
    hold: Hold


class Over(NamedTuple):
    """No message: these are over in silence, or have waited for too long."""

    rows: tuple[Due, ...]


class Missed(NamedTuple):
    """The next step of these reaches nobody."""

    rows: tuple[Due, ...]
    why: str


class Blocked(NamedTuple):
    """Nothing goes to this audience until then; ``is_gathering``: but for what is urgent, since a summary was sent."""

    audience: str
    until: float
    is_gathering: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for an audience at this moment."""

    room_at: float = 0.0
    """When the rate limit has room for a message."""
    shares: bool = False
    """True: so much went out lately that messages are shared."""
    summary_at: float = float("-inf")
    """When the last summary of a flood was sent to this audience."""
    gathers_until: float = float("-inf")
    """Until when what is not urgent is held for the next summary."""
    no_files_until: float = float("-inf")
    """Until when no file can be uploaded, and so no summary sent."""

    @property
    def next_summary_at(self) -> float:
        return self.summary_at + SUMMARY_S


class Door(Protocol):
    """What the wall, a maintenance and people say."""

    def holds(self, incident: Incident, now: float) -> Hold | None: ...

    def waited(self, incident: Incident, now: float) -> Held | None: ...

    def are_for_same(self, named: Recipients | None, one: Incident, other: Incident) -> bool: ...

    def step(self, incident: Incident, act: Act) -> Step | None: ...

    def known(self, named: Recipients | None, incident: Incident, now: float) -> Recipients | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is asked of all that is due ``now``. ``named`` gives whom an incident's audience names, ``rules`` what holds
    for it, ``wait_s`` the seconds until a message may go to some recipients, ``open_to`` the open incidents of an
    audience, ``related`` those of an audience and a cause, the newest first.

    ``refused``: keys of incidents that WeCom has refused in a shared message. ``is_draining``: somebody waits for all
    that is left, nothing is held but for the rate limit. ``is_closing``: the program ends, and nobody sends what waits.
    """

    now: float
    door: Door
    named: Callable[[Incident], Recipients | None]
    rules: Callable[[Incident], Rules]
    wait_s: Callable[[Recipients | None], float]
    open_to: Callable[[str], Iterable[Incident]]
    related: Callable[[str, str], Iterable[Incident]]
    refused: Collection[str] = ()
    is_draining: bool = False
    is_closing: bool = False


Bundle = Parcel | Later | Over | Missed | Blocked
