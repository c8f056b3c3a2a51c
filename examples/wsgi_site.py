"""Any WSGI application: which request has failed. Run: python examples/wsgi_site.py"""

import logging
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

from wecom_logging import WeComHandler
from wecom_logging.integrations.wsgi import WeComMiddleware

logging.getLogger().addHandler(WeComHandler(level="ERROR", service="shop"))


def price(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    number = int(environ["PATH_INFO"].rpartition("/")[2])
    prices = {1: b"9.90"}
    answer = prices[number]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]


application = WeComMiddleware(price)

if __name__ == "__main__":  # a server would call it
    environ: dict[str, Any] = {"PATH_INFO": "/orders/4711"}
    setup_testing_defaults(environ)
    try:
        application(environ, lambda status, headers: None)
    except KeyError as error:
        print("the server answers 500:", repr(error))
