"""The group key: what makes two alerts the same, equal on every host and in every process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .._text.sha256 import sha256
from ..model import Recipients
from .pattern import pattern
from .short_id import OF_THE_ALERT

if TYPE_CHECKING:
    from ..model import Alert


def group_key(alert: Alert, meant: Recipients | None) -> str:
    """One for all alerts that are the same, wherever they come from: 32 hex digits. ``meant``: who gets them.

    Its first digits are the same for all recipients: so is the short id, in the chat of an app and in a bot's group.
    Two services that fail alike are two: who has one of them may not have the other.
    """
    service = ("service", alert.service) if alert.service else ()
    what = (str(alert.level), fingerprint(alert), *service, *environment_of(alert))
    who = (_names(meant or Recipients()), repr(alert.mention))
    return digest(*what)[:OF_THE_ALERT] + digest(*who, *what)[OF_THE_ALERT:]


def audience_of(recipients: Recipients | None) -> str:
    """Those who may share a message, as text; empty for those of the channel."""
    return "" if recipients is None else _names(recipients)


@lru_cache(64)
def recipients_of(audience: str) -> Recipients | None:
    """Those whom such a text names; None: those of the channel. One of a newer version names nobody."""
    from ast import literal_eval  # in the worker; what captures needs it not

    if not audience:
        return None
    try:
        kinds = literal_eval(audience)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        kinds = None
    is_ours = isinstance(kinds, list) and len(kinds) in (4, 5) and all(isinstance(names, list) for names in kinds)
    if not is_ours or not all(isinstance(name, str) for names in kinds for name in names):
        return Recipients()
    return Recipients(*map(tuple, kinds))


def _names(who: Recipients) -> str:
    kinds = (who.users, who.departments, who.tags, who.leader_of, *([who.chats] if who.chats else []))
    return repr([sorted(names) for names in kinds])


def fingerprint(alert: Alert) -> str:
    """What it was captured as; one of an older version is compared by what it says."""
    if alert.kind or alert.fingerprint:
        return alert.kind or alert.fingerprint
    types = [failure.type for failure in alert.failures]
    return digest(alert.logger, str(alert.level), alert.module, alert.place.name, pattern(alert.message), *types)


def environment_of(alert: Alert) -> tuple[str, ...]:
    """What fails in production is no repeat of what failed in a test."""
    return (alert.environment,) if alert.environment else ()


def digest(*parts: str) -> str:
    """32 hex digits for texts in their order."""
    return sha256("\0".join(parts)).hexdigest()[:32]
