"""The option ``escalation``: whom each step tells, and after how long. Loaded by the first handler that has it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..errors import ConfigurationError
from ..model import EVERYBODY, Recipients
from ..model.duty import MAX_STEPS, Step
from .messages import ids, list_of
from .values import choice, duration, mapping_of

SUCH = '[{"after": "10m", "users": ["lisi"]}, {"after": "25m", "leader_of": ["ops"]}]'
_WHO = ("users", "departments", "tags", "leader_of", "chats")
_MOST_S = 7 * 86_400.0
_ASK_FOR = 'Give answers="aibot" and add a WeComAIBotHandler, or give a state that the commands reach (WECOM_STATE)'


def steps(value: object) -> tuple[Step, ...]:
    if value is None:
        return ()
    items = list_of("escalation", value, SUCH, MAX_STEPS)
    found = tuple(_step(f"escalation[{number}]", item) for number, item in enumerate(items))
    for number, one in enumerate(found[1:], 1):
        if one.after_s <= found[number - 1].after_s:
            raise ConfigurationError(f"escalation[{number}].after", "not_later")
    return found


def _step(field: str, given: object) -> Step:
    item = mapping_of(field, given, ("after", *_WHO, "how"), f"Such as escalation={SUCH}")
    if item.get("after") is None:
        raise ConfigurationError(f"{field}.after", "missing", f"Such as escalation={SUCH}")
    who = Recipients(*(ids(name, item.get(name)) for name in _WHO))
    if not who:
        remedy = "Give users, departments, tags or leader_of; of an AI bot chats"
        raise ConfigurationError(field, "no_recipient", remedy)
    if (how := item.get("how")) is not None:
        choice(f"{field}.how", how, ("call",))
    return Step(duration(f"{field}.after", item["after"], most=_MOST_S), who, calls=how is not None)


def are_for(found: Sequence[Step], own: Recipients | None) -> bool:
    """Whether a handler with these recipients can tell those of each step."""
    return own is not None and all(bool(one.recipients.chats) == bool(own.chats) for one in found)


def check(found: Sequence[Step], level: int, own: Recipients | None, *, can_be_taken: bool) -> None:
    """That each step can come, and that somebody can be told by it. ``own`` are the recipients of the handler: an AI
    bot has chats, a group's bot has none."""
    if not found:
        return
    if own is None:
        raise ConfigurationError("escalation", "no_other_recipients", "Use WeComHandler or WeComAIBotHandler")
    if not can_be_taken:
        raise ConfigurationError("escalation", "nobody_can_take", _ASK_FOR)
    for number, one in enumerate(found):
        who, field = one.recipients, f"escalation[{number}]"
        if bool(who.chats) != bool(own.chats) or (who.chats and who != Recipients(chats=who.chats)):
            names = "chats" if own.chats else ", ".join(_WHO[:-1])
            raise ConfigurationError(field, "unknown_name", names=names)
        if not one.calls:
            continue
        if own.chats or who.departments or who.tags or EVERYBODY in who.users:
            raise ConfigurationError(f"{field}.how", "call_needs_persons", "Name them in users or leader_of")
        if level < logging.CRITICAL:
            raise ConfigurationError(f"{field}.how", "call_below_critical", "Leave escalation_level out")
