"""What the page asks for: its files, and the news."""

from __future__ import annotations

from werkzeug.wrappers import Request, Response

from ..calls import parameters, refused
from ..corp import Corp
from ..filters import Filter
from ..shapes import FILTERS, LINES
from ..wishes import WrongField, read_query
from .files import FILES, POLICY
from .stream import Stream


class Page:
    """The files, and the stream of news that the page listens to. Nothing here changes anything."""

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._stream = Stream(corp)

    def file(self, request: Request) -> Response | None:
        found = FILES.get(request.path)
        if found is None or request.method not in ("GET", "HEAD"):
            return None
        headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
        return Response(found.data, content_type=found.content_type, headers=headers)

    def events(self, request: Request) -> Response:
        if request.method != "GET":
            return Response(status=405)
        try:
            given = read_query({**FILTERS, "after": LINES}, parameters(request))
        except WrongField as wrong:
            return refused(400, str(wrong), wrong.field)
        after = request.headers.get("Last-Event-ID") or given.pop("after", "")
        news = self._stream.open(after, Filter.read(given, self._corp))
        if news is None:
            return Response("too many pages are open\n", 503, content_type="text/plain")
        return Response(news, content_type="text/event-stream", headers={"Cache-Control": "no-store"})
