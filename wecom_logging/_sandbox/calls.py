"""A call of the sandbox's own, told once: its route, what it takes, what it does, and what OpenAPI says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from werkzeug.wrappers import Request, Response

from .corp import Corp
from .fields import COMPACT
from .shapes import TEXT, WISHES, Shape, WrongField, check, read_query, wrong_if

T = TypeVar("T")
IN_PATH = re.compile(r"\{(\w+)\}")
TOKEN = "token"
"""A parameter that each call may have."""

MAX_BYTES = 1024 * 1024
Json = dict[str, Any]
DESCRIPTION = (
    "A local WeCom: read what arrived, wait for it, and let things go wrong. "
    "WeCom's own calls are below /cgi-bin/ and as its documents describe them."
)
WHY = {
    404: "there is none",
    408: "too few came in time; messages has those that did",
    409: "it cannot be: too many came, or it is not empty",
}


class Refused(Exception):
    """Another no than 400. The text is for the one who asked."""

    def __init__(self, status: int, text: str, field: str = "") -> None:
        self.status = status
        self.field = field
        super().__init__(text)


def there(found: T | None, what: str) -> T:
    """What was asked for; 404 where it is not there."""
    if found is None:
        raise Refused(404, f"there is no such {what}")
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """``act`` gets the corp, by name the parts of the path and the parameters that are given, and ``wish``, the body.

    It gives what becomes JSON, None for an empty object, or a response. ``at``: the parts of the path that are no
    texts. ``body`` is the name of a shape. ``errors``: the statuses besides 400, 401 and,
    of a path with parts, 404.
    ``alone``: it may take long, and takes the lock for itself. Without a ``summary`` it is for the page alone.
    """

    route: str
    act: Callable[..., Any]
    summary: str = ""
    at: Mapping[str, Shape] = field(default_factory=dict)
    query: Mapping[str, Shape] = field(default_factory=dict)
    body: str = ""
    errors: tuple[int, ...] = ()
    alone: bool = False

    @property
    def method(self) -> str:
        return self.route.split()[0]

    @property
    def path(self) -> str:
        return f"/sandbox/{self.route.split()[1]}"

    @property
    def in_path(self) -> dict[str, Shape]:
        return {name: self.at.get(name, TEXT) for name in IN_PATH.findall(self.path)}

    def run(self, corp: Corp, request: Request, **in_path: str) -> Response:
        parts = {name: int(text) if name in self.at else text for name, text in in_path.items()}
        given = {**parts, **read_query(self.query, parameters(request))}
        if self.body:
            given["wish"] = read_body(request, WISHES[self.body])
        elif request.content_length:
            raise WrongField("", f"{self.method} {self.path} takes no body")
        if self.alone:
            return _answered(self.act(corp, **given))
        with corp.lock:
            response = _answered(self.act(corp, **given))
            if self.method != "GET":
                corp.touch()
        return response


class Calls:
    """By path, in their order: of those that fit, the first counts."""

    def __init__(self, *calls: Call) -> None:
        self.by_path: dict[str, dict[str, Call]] = {}
        for call in calls:
            self.by_path.setdefault(call.path, {})[call.method] = call
        self._patterns = {path: _pattern(next(iter(methods.values()))) for path, methods in self.by_path.items()}

    def answer(self, corp: Corp, request: Request) -> Response:
        for path, methods in self.by_path.items():
            if found := self._patterns[path].fullmatch(request.path):
                call = methods.get("GET" if request.method == "HEAD" else request.method)
                if call is None:
                    response = refused(405, f"{', '.join(methods)} only")
                    response.headers["Allow"] = ", ".join(methods)
                    return response
                try:
                    return call.run(corp, request, **found.groupdict())
                except WrongField as wrong:
                    return refused(400, str(wrong), wrong.field)
                except Refused as no:
                    return refused(no.status, str(no), no.field)
        return refused(404, "there is no such path")


def _pattern(call: Call) -> re.Pattern[str]:
    """A text at the end may have slashes in it."""
    pattern = re.escape(call.path)
    for name in call.in_path:
        text = ".+" if call.path.endswith(f"{{{name}}}") else "[^/]+"
        part = "[0-9]{1,10}" if name in call.at else text
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{part})")
    return re.compile(pattern, re.DOTALL)


def parameters(request: Request) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, value in request.args.items(multi=True) if name != TOKEN)


def read_body(request: Request, shape: Shape) -> Any:
    wrong_if((request.content_length or 0) > MAX_BYTES, "", "the body is too large")
    try:
        wish = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise WrongField("", "the body is no JSON") from None
    check(wish, shape)
    return wish


def answer_json(value: object, status: int = 200, *, compact: bool = False) -> Response:
    """``compact`` is without spaces, as WeCom writes it: scripts look for ``"errcode":0`` in its answers."""
    text = json.dumps(value, ensure_ascii=False, separators=COMPACT if compact else None)
    return Response(text.encode(errors="replace"), status, content_type="application/json; charset=UTF-8")


def _answered(given: object) -> Response:
    return given if isinstance(given, Response) else answer_json({} if given is None else given)


def refused(status: int, text: str, field: str = "") -> Response:
    return answer_json({"error": text, "field": field}, status)


Paths = Mapping[str, Mapping[str, Call]]


def document(paths: Paths) -> Json:
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "The sandbox of wecom-logging",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            path: {method.lower(): _operation(call) for method, call in methods.items()}
            for path, methods in paths.items()
            if any(call.summary for call in methods.values())
        },
        "components": {
            "schemas": WISHES,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(call: Call) -> Json:
    named = [*(("path", *one) for one in call.in_path.items()), *(("query", *one) for one in call.query.items())]
    wish = {"$ref": f"#/components/schemas/{call.body}"}
    errors = (*([404] if call.in_path else []), *call.errors)
    return {
        "operationId": call.act.__name__,
        "summary": call.summary,
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "schema": shape} for place, name, shape in named
        ],
        **({"requestBody": {"required": True, "content": {"application/json": {"schema": wish}}}} if call.body else {}),
        "responses": {
            "200": {"description": "done"},
            "400": {"description": "what was sent makes no sense"},
            "401": {"description": "away from loopback: the token is missing"},
            **{str(status): {"description": WHY[status]} for status in errors},
        },
    }
