"""Gives an alert that WeCom refused for good to the handler's ``fallback``, and never to one that it has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._capture.carried import carry, passed_by
from .._render.cut import trim
from .._render.layout import lay_out
from .._render.retold import in_language
from .._render.styles import TEXT
from .._render.words import NOT_DELIVERED, Language
from .._runtime.warn import warn_once
from ..model import Digest

_MAX_WHY_BYTES = 300


@dataclass(frozen=True, slots=True)
class Target:
    """The other handler. ``key`` tells ours apart, each in its process; other kinds of handlers have none.

    ``away`` says why it takes nothing, if it does not: what it is given would be lost.
    """

    handler: logging.Handler
    key: int | None = None
    away: str = ""


Find = Callable[[], Target | None]
"""Finds the other handler when it is needed: None where there is none of its name."""


def hand_over(digest: Digest, target: Target, key: int, name: str, why: str, language: Language) -> bool:
    """Give a masked digest of the handler ``name`` to another one; False if that has had it already or takes it not."""
    alert = digest.alert
    passed = (*alert.passed, key)
    if target.key in passed or key in alert.passed:  # it may come back through a queue, which has no key
        return False
    if target.away:
        warn_once(f"fallback {name}", f"{name}: the fallback cannot take the alert: it is {target.away}")
        return False
    mark = ("fallback", NOT_DELIVERED.en.format(name=name, rest=trim(why, _MAX_WHY_BYTES)))
    ours = (*(alert.ours or ("",)), "fallback")
    marked = replace(alert, fields=(*alert.fields, mark), recipients=None, passed=passed, ours=ours)
    outer = passed_by.set(passed)
    try:
        taken = target.handler.handle(_record(replace(digest, alert=marked), language))
    finally:
        passed_by.reset(outer)
    if taken is False:  # no counter has it, then
        warn_once(f"fallback {name}", f"{name}: a filter of the fallback refused the alert")
        return False
    return True


def _record(digest: Digest, language: Language) -> logging.LogRecord:
    """What any handler can take: the whole text in its message, and for ours the digest itself."""
    alert, place = digest.alert, digest.alert.place
    text = "\n".join(lay_out(in_language(digest, language), TEXT.within(language)).lines())
    record = logging.LogRecord(alert.logger, alert.level, place.file, place.line, text, None, None, place.name)
    record.created, record.msecs = alert.time, alert.time % 1 * 1000
    record.levelname = alert.level_name
    carry(record, digest)
    return record
