"""What becomes of a message, by its outcome."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InvalidRecipientError, MessageError
from ..model import Outcome
from .message import Outgoing
from .sender import Fate, fate


class Judged(NamedTuple):
    """What becomes of a message."""

    fate: Fate | None
    is_another_free: bool
    """True if another channel of the group may send it now."""
    is_refused: bool
    """True if the fallback is to have it."""
    waits: bool
    """True if what the fallback does not take is tried again all the same: the configuration has to be mended."""
    goes_alone: bool
    """True if each of its incidents is judged by a message of its own."""
    reason: str
    """What is reported, where the fallback takes none."""


def judge(message: Outgoing, number: int, outcome: Outcome, *, has_another: bool) -> Judged:
    """Of one about so many incidents; ``has_another``: its group has another channel."""
    verdict = fate(outcome.error) if outcome.error is not None else None
    waits = verdict is Fate.KEEP_SLOWLY
    another = verdict not in (None, Fate.REJECT) and has_another
    refused = outcome.reason == "rejected" or verdict is Fate.REJECT or (waits and not another)
    refused = refused and not (outcome.delivered or message.done)
    alone = refused and not waits and number > 1
    alone = alone and not (message.is_step and finds_nobody(outcome))
    reason = "delivered" if outcome.delivered else "rejected" if refused and not (waits or alone) else "kept"
    return Judged(verdict, another, refused, waits, alone, reason)


def finds_nobody(outcome: Outcome) -> bool:
    """True if WeCom may know none of those who are to get it."""
    error = outcome.error
    return isinstance(error, InvalidRecipientError | MessageError) or (
        error is not None and fate(error) is Fate.KEEP_SLOWLY
    )
