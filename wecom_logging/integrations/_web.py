"""What the web frameworks have in common: an exception that no code handled.

While a request is served, ``context`` has a function that gives its fields. Each integration sets and resets it itself:
for a request that does not fail that is all, and a context manager would cost more than it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from .._capture.context import context, fields_of, logged
from .._capture.duplicates import is_about
from .._incidents.pattern import pattern
from .._render.words import ANSWERED, FAILED, REQUEST_ANSWERED, REQUEST_FAILED
from .._telling import Teller, in_our_words, record_of, text_of

_MAX_PATH = 512
_PHRASES = {int(status): status.phrase for status in HTTPStatus}


def failed(
    teller: Teller,
    error: BaseException,
    logger: str,
    fields: Callable[[], Mapping[str, object]],
    status: int | None = 500,
) -> None:
    """No code handled it. ``status``: what the client gets, or has got already; None where that is not known."""
    what, shown = _request(fields, status)
    message, names = (FAILED, [what]) if what else (REQUEST_FAILED, [])
    teller.tell(record_of(error, message, *names, logger=logger, fields=shown))


def answered(
    teller: Teller,
    status: int,
    logger: str,
    fields: Callable[[], Mapping[str, object]],
    before: BaseException | None = None,
) -> BaseException:
    """The application answers 5xx itself: send the exception that it handles just now, or has logged, or that alone.

    ``before``: what was handled already when the request came. Gives what other records of this failure are about.
    """
    error = sys.exception()
    if error is None or error is before:
        error = next(iter(logged.get() or ()), None)
    if error is not None:
        failed(teller, error, logger, fields, status)
        return error
    what, shown = _request(fields, status)
    phrase = _PHRASES.get(status, "")  # in words: texts that differ in numbers alone are the same
    said = ANSWERED if what else REQUEST_ANSWERED
    text = said.en % (*filter(None, [what]), f"{status} {phrase}".rstrip())
    record = logging.LogRecord(logger, logging.ERROR, "", 0, text, None, None)
    record.wecom = {"fields": shown}
    in_our_words(record, said, shown)
    failure = Exception()
    is_about(record, failure)
    teller.tell(record)
    return failure


def watched(
    start_response: Callable[..., Any], teller: Teller, logger: str, fields: Callable[[], Mapping[str, object]]
) -> Callable[..., Any]:
    """A WSGI server's ``start_response`` that tells before a status of 500 or above is answered."""
    before = sys.exception()

    def starting(status: str, *rest: Any, **more: Any) -> Any:
        if status[:1] == "5" and status[:3].isdecimal():
            answered(teller, int(status[:3]), logger, fields, before)
        return start_response(status, *rest, **more)

    return starting


def _request(fields: Callable[[], Mapping[str, object]], status: int | None) -> tuple[str, dict[str, object]]:
    """What a request is called, if that is known, and what of it does not stand in its context."""
    told = dict(fields_of(fields))
    what = " ".join(text_of(told[name]) for name in ("method", "route") if name in told)
    shown = {} if context.get() else told
    return what, shown if status is None else {**shown, "status": status}


def shape_of(path: str) -> str:
    """A raw path without ids, where there is no template; of a long one the first whole parts, and all in one line."""
    if len(path) > _MAX_PATH:
        path = f"{path[:_MAX_PATH].rpartition('/')[0]}/…"
    return "/".join(map(pattern, " ".join(path.splitlines()).split("/")))
