"""What can be asked of the sandbox itself: OpenAPI 3 at ``/sandbox/openapi.json``, for people ``/sandbox/docs``."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

from .calls import FILE, Call
from .shapes import ANSWERS, WISHES
from .wishes import Shape

Json = dict[str, Any]
Paths = Mapping[str, Mapping[str, Call]]

DESCRIPTION = (
    "A local WeCom: read what arrived, wait for it, and let things go wrong. "
    "WeCom's own calls are below /cgi-bin/ and as its documents describe them."
)
WHY = {404: "there is none", 408: "too few came in time; messages has those that did", 409: "it cannot go"}


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
            "schemas": {**WISHES, **ANSWERS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(call: Call) -> Json:
    named = [*(("path", *one) for one in call.in_path.items()), *(("query", *one) for one in call.query.items())]
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    wish = {"required": True, "content": {"application/json": {"schema": _ref(call.body)}}}
    return {
        "operationId": call.act.__name__,
        "summary": call.summary,
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "schema": shape} for place, name, shape in named
        ],
        **({"requestBody": wish} if call.body else {}),
        "responses": {
            "200": {"description": "a download", "content": content}
            if call.answer == FILE
            else _answer("done", call.answer),
            "400": _answer("what was sent makes no sense", "Error"),
            "401": {"description": "away from loopback: the token is missing"},
            **{
                str(status): _answer(WHY[status], "Error")
                for status in (*([404] if call.in_path else []), *call.errors)
            },
        },
    }


def _answer(description: str, name: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def page(paths: Paths) -> str:
    """The same for people: no script, no style of its own."""
    calls = "".join(_section(call) for methods in paths.values() for call in methods.values() if call.summary)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>The sandbox\'s API</title>\n</head>\n<body>\n'
        f"<h1>The sandbox's API</h1>\n<p>{_text(DESCRIPTION)} As a file for programs: "
        '<a href="/sandbox/openapi.json">openapi.json</a>. '
        "Where the sandbox has a token: <code>Authorization: Bearer TOKEN</code>.</p>\n"
        f"{calls}</body>\n</html>\n"
    )


def _section(call: Call) -> str:
    named = [*call.in_path.items(), *call.query.items()]
    rows = [(name, shape.get("description", "")) for name, shape in named]
    rows += _fields(WISHES[call.body]) if call.body else []
    listed = "".join(f"<li><code>{_text(name)}</code> {_text(what)}</li>" for name, what in rows)
    head = f"<h2><code>{call.method} {_text(call.path)}</code></h2>\n<p>{_text(call.summary)}</p>\n"
    return head + (f"<ul>{listed}</ul>\n" if listed else "")


def _fields(shape: Shape) -> Iterator[tuple[str, str]]:
    """The names in a request's body, each with what there is to say."""
    for one in shape.get("oneOf", [shape]):
        for name, of in one["properties"].items():
            kind = "|".join(map(str, of.get("enum", []))) or of["type"]
            needed = ", needed" if name in one.get("required", ()) else ""
            yield name, f"{kind}{needed}. {of.get('description', '')}".strip()


def _text(value: object) -> str:
    return html.escape(str(value))
