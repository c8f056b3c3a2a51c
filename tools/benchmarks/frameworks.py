"""A request that does not fail, in real frameworks, with and without this package: functions that make one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Ask = Callable[[], Any]
PATH = "/orders/7"


def flask(*, watched: bool) -> Ask:
    from flask import Flask

    app = Flask("shop")

    @app.get("/orders/<int:order>")
    def price(order: int) -> str:
        return "12.50"

    if watched:
        from wecom_logging.integrations.flask import init_app

        init_app(app)
    client = app.test_client()
    assert client.get(PATH).status_code == 200
    return lambda: client.get(PATH)


def django(*, watched: bool) -> Ask:
    import django as framework
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.test import Client
    from django.urls import path

    def price(request: HttpRequest, order: int) -> HttpResponse:
        return HttpResponse("12.50")

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            LOGGING_CONFIG=None,
            INSTALLED_APPS=["wecom_logging.integrations.django"],
            ROOT_URLCONF=(path("orders/<int:order>", price),),
        )
        framework.setup()
    settings.MIDDLEWARE = ["wecom_logging.integrations.django.WeComMiddleware"] if watched else []
    client = Client()
    assert client.get(PATH).status_code == 200  # and the middleware is loaded
    return lambda: client.get(PATH)


def fastapi(*, watched: bool) -> Ask:
    """Through the interface of ASGI: the framework's own client would need another package."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/orders/{order}")
    async def price(order: int) -> str:
        return "12.50"

    if watched:
        from wecom_logging.integrations.asgi import WeComMiddleware

        app.add_middleware(WeComMiddleware)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": PATH,
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200

    async def once() -> None:
        await app({**scope}, receive, send)

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(once())


FRAMEWORKS: dict[str, Callable[..., Ask]] = {"Flask": flask, "Django": django, "FastAPI": fastapi}
