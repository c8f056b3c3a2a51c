"""Says in which request anything was logged; and what `got_request_exception` tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from ...capture.context import context
from ...telling import Teller, asked_of
from .._need import need
from .._web import failed


class WeComMiddleware:
    """Put it first: what middleware below it logs belongs to the request, too. For WSGI and ASGI."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        need("django", "4.2", "Django")
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
    """Method, route and, if wanted, user of a request."""
    from django.conf import settings

    found: dict[str, object] = {"method": asked.method}
    match = getattr(asked, "resolver_match", None)
    if match is not None:
        found["route"] = f"/{match.route}"
    if getattr(settings, "WECOM_USER_ID", False):
        found["user"] = asked_of(lambda: getattr(getattr(asked, "user", None), "pk", None))
    return found


def tell(sender: object, **signal: Any) -> None:
    """A view raised: Django answers 500, and logs it, which makes no second alert."""
    import sys

    from django.conf import settings

    error = sys.exc_info()[1]
    if error is None or settings.DEBUG:
        return
    asked = signal.get("request")
    teller = Teller(getattr(settings, "WECOM_HANDLER", None), "django")
    failed(teller, error, "django.request", dict if asked is None else partial(fields, asked))
