"""A call of the sandbox's own, told once: its route, what it takes, what it does, and what OpenAPI says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from .corp import Corp
from .fields import COMPACT, is_large
from .shapes import TEXT, WISHES
from .wishes import Shape, WrongField, check, read_query

IN_PATH = re.compile(r"\{(\w+)\}")
TOKEN = "token"
"""A parameter that each call may have."""

FILE = "File"
"""An answer that is no JSON."""


class Refused(Exception):
    """Another no than 400. The text is for the one who asked."""

    def __init__(self, status: int, text: str, field: str = "") -> None:
        self.status = status
        self.field = field
        super().__init__(text)


class Gone(Refused):
    def __init__(self, what: str) -> None:
        super().__init__(404, f"there is no such {what}")


@dataclass(frozen=True, slots=True)
class Call:
    """``act`` gets the corp, by name the parts of the path and the parameters that are given, and ``wish``, the body.

    It gives what becomes JSON, None for an empty object, or a response. ``at``: the parts of the path that are no
    texts. ``body`` and ``answer`` are names of shapes, or `FILE`. ``errors``: the statuses besides 400, 401 and,
    of a path with parts, 404.
    ``alone``: it may take long, and takes the lock for itself. Without a ``summary`` it is for the page alone.
    """

    route: str
    act: Callable[..., Any]
    summary: str = ""
    answer: str = "Empty"
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
    if is_large(request):
        raise WrongField("", "the body is too large")
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
