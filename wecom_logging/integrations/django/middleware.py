"""Adds method and route to every record of a request, and sends what a view raises (`got_request_exception`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils.functional import LazyObject, empty

from ..._capture.context import context
from ..._telling import Teller, asked_of
from .._web import failed, shape_of

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
        token = context.set(partial(fields, asked))
        try:
            return self._get_response(asked)
        finally:
            context.reset(token)

    async def _answer(self, asked: Any) -> Any:
        token = context.set(partial(fields, asked))
        try:
            return await self._get_response(asked)
        finally:
            context.reset(token)


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
