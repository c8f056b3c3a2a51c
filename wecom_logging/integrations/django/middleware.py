"""Adds method and route to every record of a request, and sends what a view raises (`got_request_exception`)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextvars import Token
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils.functional import LazyObject, empty

from ..._capture.context import context, logged
from ..._capture.duplicates import is_about
from ..._telling import Teller, asked_of
from .._web import answered, failed, shape_of

_REGEX = re.compile(r"[\^$\\(]")


class WeComMiddleware:
    """Put it first: what middleware below it logs belongs to the request, too. For WSGI and ASGI."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, asked: Any) -> Any:
        if self._is_async:
            return self._answer(asked)
        tokens = _begin(asked)
        try:
            answer = self._get_response(asked)
            _tell_5xx(asked, answer)
            return answer
        finally:
            _end(*tokens)

    async def _answer(self, asked: Any) -> Any:
        tokens = _begin(asked)
        try:
            answer = await self._get_response(asked)
            _tell_5xx(asked, answer)
            return answer
        finally:
            _end(*tokens)


def _begin(asked: Any) -> tuple[Token[Any], Token[Any]]:
    return context.set(partial(fields, asked)), logged.set([] if _wants_5xx() else None)


def _end(around: Token[Any], kept: Token[Any]) -> None:
    context.reset(around)
    logged.reset(kept)


def _wants_5xx() -> bool:
    from django.conf import settings

    return bool(getattr(settings, "WECOM_TELL_5XX", False)) and not settings.DEBUG


def _tell_5xx(asked: Any, answer: Any) -> None:
    """What a view answers itself; Django logs it after that, which makes no second alert."""
    if answer.status_code >= 500 and _wants_5xx():
        asked._wecom_failure = answered(_teller(), answer.status_code, "django.request", partial(fields, asked))


def know_again(record: logging.LogRecord) -> bool:
    """Django logs an answer of 500 or above: after `_tell_5xx` it is about the same."""
    failure = getattr(getattr(record, "request", None), "_wecom_failure", None)
    if failure is not None and not record.exc_info:
        is_about(record, failure)
    return True


def fields(asked: Any) -> Mapping[str, object]:
    """Method, route and, if wanted and known by then, user of a request.

    A route that is a regular expression may be that of every page: then it is the path that is shown, and the view.
    """
    from django.conf import settings

    found: dict[str, object] = {"method": asked.method}
    match = getattr(asked, "resolver_match", None)
    if match is not None:
        found["route"] = f"/{match.route}"
        if _REGEX.search(match.route):
            found |= {"route": shape_of(asked.path), "view": match.view_name}
    if getattr(settings, "WECOM_USER_ID", False) and _is_known(user := vars(asked).get("user")):
        found["user"] = asked_of(lambda: getattr(user, "pk", None))
    return found


def _is_known(user: object) -> bool:
    """Whether Django has looked the user up: who logs may hold a lock, or the connection, that this would need."""
    return not isinstance(user, LazyObject) or user.__dict__["_wrapped"] is not empty


def tell(sender: object, **signal: Any) -> None:
    """A view raised: Django answers 500, and logs it, which makes no second alert."""
    import sys

    from django.conf import settings

    error = sys.exc_info()[1]
    if error is None or settings.DEBUG:
        return
    asked = signal.get("request")
    failed(_teller(), error, "django.request", dict if asked is None else partial(fields, asked))


def _teller() -> Teller:
    from django.conf import settings

    return Teller(getattr(settings, "WECOM_HANDLER", None), "django")
