"""The page at ``/``: a phone for each receiver, and what WeCom saw beside it. Its files are in ``static/``."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from ..corp import Corp
from .files import FILES, POLICY
from .stream import Stream

__all__ = ["Page"]


class Page:
    """The files, and the stream of news that the page listens to. Nothing here changes anything."""

    def __init__(self, corp: Corp, wait: Callable[[float], bool]) -> None:
        self._stream = Stream(corp, wait)

    def file(self, request: Request) -> Response | None:
        found = FILES.get(request.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return None
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
        return Response(found.data, content_type=found.content_type, headers=headers)

    def events(self, request: Request) -> Response:
        if request.method != "GET":
            return Response(status=405)
        news = self._stream.open(request.headers.get("Last-Event-ID") or request.args.get("after", ""))
        if news is None:
            return Response("too many pages are open\n", 503, content_type="text/plain")
        return Response(news, content_type="text/event-stream", headers={"Cache-Control": "no-store"})
