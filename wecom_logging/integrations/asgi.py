"""Any ASGI application (FastAPI, Starlette, Litestar, Quart …): requests, background tasks and websockets.

    from wecom_logging.integrations.asgi import WeComMiddleware
    app.add_middleware(WeComMiddleware)

Source: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._capture.context import context
from .._runtime.worker import flush_all
from .._telling import Teller, asked_of
from ._web import failed, shape_of

Scope = dict[str, Any]


class WeComMiddleware:
    """Sends what the application raises, and adds method and route to every alert of a request.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. ``user_id``: who
    makes the request, as a function of the scope that is called for an alert only. It runs inside the log call, whose
    caller may hold any lock: it must not wait or ask a database.

    At the end of the lifespan it waits until what was logged is sent, at most ``exit_timeout``. Raises
    `ConfigurationError`.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        *,
        handler: logging.Handler | str | None = None,
        user_id: Callable[[Scope], object] | None = None,
    ) -> None:
        self._app = app
        self._teller = Teller(handler, "asgi")
        self._user_id = user_id
        self._starts = True

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if self._starts and scope.get("type") != "lifespan":  # in which the handler may be made
            self._starts = False
            self._teller.at_start()
        status = 500 if scope["type"] == "http" else None
        is_failure = scope["type"] != "lifespan"  # whoever has no lifespan says so by an exception

        def sending(message: Scope) -> Any:
            nonlocal status, is_failure
            kind, error = message["type"], sys.exception()
            error = error if isinstance(error, Exception) and error is not before else None
            is_failure = True
            if kind == "http.response.start":
                status = message.get("status", 0)  # what fails later, as in a background task, does not change it
            if kind in _LIFESPAN_FAILED and error is not None:
                failed(self._teller, error, _logger(scope), fields, None)
                is_failure = False  # what the server or the application raises now says it once more
            elif error is not None and _is_swallowed(error, scope, message):
                failed(self._teller, error, _logger(scope), fields, status)
            if kind in _THE_END:
                return _flush_and(send, message)
            return send(message)

        fields = partial(self._fields, scope)
        token = context.set(fields)
        before = sys.exception()
        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if is_failure:
                failed(self._teller, error, _logger(scope), fields, status)
            raise
        finally:
            context.reset(token)

    def _fields(self, scope: Scope) -> Mapping[str, object]:
        kind = scope.get("type", "")
        found: dict[str, object] = {"method": scope.get("method", kind)}
        route = getattr(scope.get("route"), "path", scope.get("path_template"))  # FastAPI's, Litestar's
        endpoint = scope.get("endpoint")
        if route is not None:
            found["route"] = f"{_mounted_at(scope)}{route}"
        elif endpoint is not None:
            found["route"] = getattr(endpoint, "__qualname__", type(endpoint).__qualname__)
        elif "path" in scope:
            found["route"] = shape_of(scope["path"])
        if self._user_id is not None:
            found["user"] = asked_of(self._user_id, scope)
        return found


_LIFESPAN_FAILED = ("lifespan.startup.failed", "lifespan.shutdown.failed")
_LITESTAR_CLOSES = 4500
_THE_END = ("lifespan.shutdown.complete", "lifespan.shutdown.failed")


def _is_swallowed(error: Exception, scope: Scope, message: Scope) -> bool:
    """Whether Litestar makes a 500 of it, or the like for a websocket, and raises nothing. What is meant has a status.

    Source: https://docs.litestar.dev/2/usage/exceptions.html
    """
    ends = message.get("status", 0) >= 500 or message.get("code") == _LITESTAR_CLOSES
    return ends and "litestar_app" in scope and not hasattr(error, "status_code")


async def _flush_and(send: Any, message: Scope) -> None:
    """Send what waits first: a server may end by the signal that stopped it, without Python's exit (uvicorn does)."""
    try:
        await asyncio.get_running_loop().run_in_executor(None, flush_all)
    except RuntimeError:  # another kind of loop, or no thread to be had: nobody is served any more
        flush_all()
    await send(message)


def _mounted_at(scope: Scope) -> str:
    """Where the application of a route is mounted, with the names of parameters in place of what was asked for."""
    names = {str(value): name for name, value in scope.get("path_params", {}).items()}
    parts = str(scope.get("root_path", "")).split("/")
    return "/".join(f"{{{names[part]}}}" if part in names else part for part in parts)


def _logger(scope: Scope) -> str:
    """Named after the module of the endpoint: that is whose failure it is."""
    endpoint = scope.get("endpoint") or getattr(scope.get("route_handler"), "fn", None)  # Litestar's
    return str(getattr(endpoint, "__module__", "asgi"))
