"""The people of a step of an escalation: what they are called, and their phones. When it is due says `plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .._render.facts import called
from .._render.words import CALLED, NOT_CALLED
from .._text.said import Language
from ..errors import MessageError, WeComError
from ..model import Recipients
from ..model.duty import Rang
from ..model.phone import Call
from ..model.recipients import EVERYBODY_LOG, MAX_SENT_IDS

Ids = Callable[[Recipients], Iterable[str]]
"""The user ids that are known of some recipients."""


class Phones(Protocol):
    """A channel that rings phones."""

    def ring(self, recipients: Recipients) -> Sequence[Call]:
        """Rings those of all. Raises `WeComError` or `MessageError`."""


def ring(channel: Phones, recipients: Recipients, language: Language) -> Rang:
    """Call those to whom a step was sent: one request, once."""
    try:
        calls = channel.ring(recipients)
    except (WeComError, MessageError) as error:
        return Rang(NOT_CALLED.within(language, getattr(error, "errcode", "–")), error)
    failed = ", ".join(f"{call.user_id} {call.code}" for call in calls if call.code or not call.call_id)
    if failed:
        return Rang(NOT_CALLED.within(language, failed))
    return Rang(CALLED.within(language) if calls else "")


def names(
    told: Sequence[Recipients], sent_ids: Sequence[str], ids: Ids, is_id: Callable[[str], bool], language: Language
) -> tuple[str, ...]:
    """What people call them, each person once, by whichever name, and none whom WeCom has left out. ``sent_ids``: of
    those who got it."""
    return tuple(filter(None, (called(one, language) for one in _each_once(told, sent_ids, ids, is_id))))


def _each_once(
    told: Sequence[Recipients], sent_ids: Sequence[str], ids: Ids, is_id: Callable[[str], bool]
) -> list[Recipients]:
    got, seen = {*map(str.lower, sent_ids)}, set[str]()

    def admit(kind: str, one: str) -> bool:
        """Note a name, and say whether it stays."""
        found = {*map(str.lower, ids(Recipients(**{kind: (one,)})))} - {EVERYBODY_LOG}
        is_left_out = kind == "users" and 0 < len(got) < MAX_SENT_IDS and is_id(one) and not found & got
        is_known = found <= seen
        seen.update(found)
        return not found or not (is_left_out or is_known)

    return [one.only(admit) for one in told]
