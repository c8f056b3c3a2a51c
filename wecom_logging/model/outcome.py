"""How a sending ended, and the numbers that are kept about all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import MessageError, WeComError


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one message ended.

    ``reason`` is ``"delivered"``, ``"partial"`` (WeCom took it, but not for everybody), ``"kept"`` (it waits for
    another round), ``"rejected"``, or ``"failed"`` (no usable answer came, and nothing tries again). Only an answer
    with errcode 0 makes the first two, and only if it does not name all recipients as left out.
    """

    reason: str
    msgid: str = ""
    invalid_users: tuple[str, ...] = ()
    invalid_departments: tuple[str, ...] = ()
    invalid_tags: tuple[str, ...] = ()
    unlicensed_users: tuple[str, ...] = ()
    warning: str = ""
    error: WeComError | MessageError | None = None

    @property
    def delivered(self) -> bool:
        """Whether WeCom took the message, for everybody or for some."""
        return self.reason in ("delivered", "partial")


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How one delivery ended, as ``on_outcome`` gets it: one for each round of a message that was tried.

    ``incidents`` are the short ids of those that it is about, without ``#``. ``channel`` is ``"app"``, ``"bot"`` or
    ``"aibot"``. ``reason`` says what became of them: ``"delivered"``, ``"handed_over"`` (to the fallback), ``"kept"``
    (another round comes), or ``"rejected"``. ``seconds`` is how long the round took.
    """

    incidents: tuple[str, ...]
    channel: str
    outcome: Outcome
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Stats:
    """The counters of a handler, as numbers of records. At every moment ``accepted`` is the sum of all the others.

    ``delivered``: the text is in a message that WeCom took for at least one of its recipients. ``merged``: only
    counted, in such a message, or one more report of an exception. ``handed_over``: given to another handler or a
    shared state, whose counters go on with it. ``dropped``: lost, a mapping from the reason to the number, which is a
    copy. ``pending``: not sent yet.
    """

    accepted: int = 0
    delivered: int = 0
    merged: int = 0
    handed_over: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
