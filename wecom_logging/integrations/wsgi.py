"""Any WSGI application.

    from wecom_logging.integrations.wsgi import WeComMiddleware
    application = WeComMiddleware(application)

Source: https://peps.python.org/pep-3333/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from .._capture.context import context
from .._telling import Teller, asked_of
from ._web import failed, shape_of


class WeComMiddleware:
    """Sends what the application raises, also while it answers, and adds method and route to every alert of a request.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. ``route``: a function
    of the environ that gives the template of the route; without it the path is shown with its numbers left out. It is
    called for an alert only. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        *,
        handler: logging.Handler | str | None = None,
        route: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        self._app = app
        self._teller = Teller(handler, "wsgi").at_start()
        self._route = route

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        fields = partial(self._fields, environ)
        token = context.set(fields)
        try:
            answer = self._app(environ, start_response)
        except Exception as error:
            failed(self._teller, error, "wsgi", fields)
            raise
        finally:
            context.reset(token)
        servers = environ.get("wsgi.file_wrapper")
        known = (list, tuple, servers) if isinstance(servers, type) else (list, tuple)
        # Nothing of these can fail in the program, and servers look at their lengths, or send a file in their own way.
        return answer if isinstance(answer, known) else _Answer(self, answer, fields)

    def _fields(self, environ: dict[str, Any]) -> Mapping[str, object]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")  # PEP 3333 has it as bytes in a str
        route = shape_of(path) if self._route is None else asked_of(self._route, environ)
        return {"method": environ.get("REQUEST_METHOD", "?"), "route": route}


class _Answer:
    """The application's answer. What fails while it is sent is an alert, too."""

    def __init__(self, owner: WeComMiddleware, answer: Iterable[bytes], fields: Callable[[], Mapping[str, object]]):
        self._owner = owner
        self._answer = answer
        self._fields = fields

    def __iter__(self) -> Iterator[bytes]:
        pieces: Iterator[bytes] | None = None
        status: int | None = 500
        while True:
            token = context.set(self._fields)  # not across a yield: what the server does then is no part of the request
            try:
                pieces = iter(self._answer) if pieces is None else pieces  # which may fail, too
                piece = next(pieces)
            except StopIteration:
                return
            except Exception as error:
                failed(self._owner._teller, error, "wsgi", self._fields, status)
                raise
            finally:
                context.reset(token)
            yield piece
            status = None  # the client has one already, and it is not 500

    def close(self) -> None:
        """What PEP 3333 asks for."""
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()
