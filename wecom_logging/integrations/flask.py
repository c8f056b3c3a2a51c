"""Flask: sends what a view raises, with method, route and status.

    from wecom_logging.integrations.flask import init_app
    init_app(app)

Source: https://flask.palletsprojects.com/en/stable/signals/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .._capture.context import context
from .._telling import Teller, asked_of
from . import need
from ._web import failed

if TYPE_CHECKING:
    from flask import Flask


def init_app(
    app: Flask,
    *,
    handler: logging.Handler | str | None = None,
    user_id: Callable[[], object] | None = None,
) -> None:
    """Send what views of an app raise, and add method and route to every alert of a request.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. ``user_id``: who
    makes the request, as a function that is called for an alert only, such as ``lambda: g.get("user_id")``. It runs
    inside the log call, whose caller may hold any lock: it must not wait or ask a database. Raises
    `ConfigurationError`.
    """
    flask: Any = need("flask", "3.0", "Flask")
    teller = Teller(handler, "flask").at_start()
    inner = app.wsgi_app

    def fields() -> Mapping[str, object]:
        if not flask.has_request_context():
            return {}
        asked = flask.request
        found: dict[str, object] = {"method": asked.method}
        if asked.url_rule is not None:
            found["route"] = asked.url_rule.rule
        if user_id is not None:
            found["user"] = asked_of(user_id)
        return found

    def wsgi_app(environ: Any, start_response: Any) -> Any:
        token = context.set(fields)
        try:
            return inner(environ, start_response)
        finally:
            context.reset(token)

    def tell(sender: object, exception: BaseException, **_: object) -> None:
        failed(teller, exception, app.logger.name, fields)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign] # what Flask's documentation shows for middleware
    flask.got_request_exception.connect(tell, app, weak=False)
