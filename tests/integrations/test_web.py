"""Web frameworks, real ones: a failure in a request is one alert that says in which, and the answer stays the same."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from wsgiref.util import FileWrapper

import fastapi
import flask
import pytest
import requests

from tests.programs import Ended, run
from wecom_logging import WeComBotHandler
from wecom_logging._sandbox import Sandbox
from wecom_logging.integrations import asgi, wsgi
from wecom_logging.integrations.flask import init_app
from wecom_logging.testing import capture_alerts

START = """
import json, logging, sys
import wecom_logging
WITH = {with_us}
import uvicorn
CONFIG = uvicorn.Config(None)  # which configures logging, as the command uvicorn does before it imports the program
if WITH:
    handler = wecom_logging.WeComHandler()
    logging.getLogger().addHandler(handler)
SECRETS = {{"headers": {{"Authorization": "Bearer canary-token-9d8f7a", "Cookie": "session=canary-cookie-5b1c"}}}}
statuses = []
def work(order):
    if order == 13:
        raise ValueError("order 13 has no price")
    if order == 14:
        try:
            raise LookupError("no stock")
        except LookupError:
            logging.getLogger("shop").exception("order %d cannot be priced", order)
    return "priced"
"""

FLASK = """
from flask import Flask
app = Flask("shop")
@app.route("/orders/<int:order>", methods=["GET", "POST"])
def price(order):
    return work(order)
if WITH:
    from wecom_logging.integrations.flask import init_app
    init_app(app, user_id=lambda: "u-7")
client = app.test_client()
for order in (12, 13, 14):
    answer = client.post(f"/orders/{order}", data={"card": "canary-body-1f2e"}, **SECRETS)
    statuses.append([answer.status_code, answer.text])
"""

DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
def price(request, order):
    return HttpResponse(work(order))
urlpatterns = [path("orders/<int:order>", price)]
ours = {"INSTALLED_APPS": ["wecom_logging.integrations.django"],
        "MIDDLEWARE": ["wecom_logging.integrations.django.WeComMiddleware"]} if WITH else {}
settings.configure(
    DEBUG={debug}, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="k", LOGGING_CONFIG=None, **ours
)
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, headers=SECRETS["headers"])
for order in (12, 13, 14):
    answer = client.post(f"/orders/{order}", data={"card": "canary-body-1f2e"})
    statuses.append([answer.status_code, "" if settings.DEBUG else answer.content.decode()])
"""

WSGI = """
def app(environ, start_response):
    body = work(int(environ["PATH_INFO"].rpartition("/")[2])).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
if WITH:
    from wecom_logging.integrations.wsgi import WeComMiddleware
    app = WeComMiddleware(app)
from werkzeug.test import Client
client = Client(app)
for order in (12, 13, 14):
    try:
        answer = client.post(f"/orders/{order}", data={"card": "canary-body-1f2e"}, **SECRETS)
        statuses.append([answer.status_code, answer.text])
    except ValueError as error:
        statuses.append([type(error).__name__, str(error)])
"""

FASTAPI = """
import socket, threading
import requests
from fastapi import FastAPI
app = CONFIG.app = FastAPI()
@app.post("/orders/{order}")
def price(order: int):
    return work(order)
if WITH:
    from wecom_logging.integrations.asgi import WeComMiddleware
    app.add_middleware(WeComMiddleware)
listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(CONFIG)
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
thread.start()
for order in (12, 13, 14):
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/orders/{order}"
    answer = requests.post(url, data={"card": "canary-body-1f2e"}, **SECRETS)
    statuses.append([answer.status_code, answer.text])
server.should_exit = True
thread.join()
"""

LITESTAR = (
    FASTAPI.replace(
        """from fastapi import FastAPI
app = CONFIG.app = FastAPI()
@app.post("/orders/{order}")
def price(order: int):
    return work(order)
""",
        """from litestar import Litestar, post
@post("/orders/{order:int}", status_code=200, media_type="text/plain", sync_to_thread=False)
def price(order: int) -> str:
    return work(order)
app = Litestar([price], logging_config=None)
""",
    )
    .replace("app.add_middleware(WeComMiddleware)", "app = WeComMiddleware(app)")
    .replace("listener =", "CONFIG.app = app\nlistener =", 1)
)

END = """
if WITH:
    assert handler.flush(10)
    print(json.dumps([handler.stats().accepted, handler.stats().merged]), file=sys.stderr)
print(json.dumps(statuses))
"""

PROGRAMS = {
    "Flask": (FLASK, "/orders/<int:order>"),
    "Django": (DJANGO.replace("{debug}", "False"), "/orders/<int:order>"),
    "WSGI": (WSGI, "/orders/#"),
    "FastAPI": (FASTAPI, "/orders/{order}"),
    "Litestar": (LITESTAR, "/orders/{order}"),
}


def told(sandbox: Sandbox) -> list[str]:
    return [one["content"] for one in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


def program(sandbox: Sandbox, code: str, *, with_us: bool = True) -> Ended:
    ended = run(START.format(with_us=with_us) + code + END, url=sandbox.url)
    assert ended.status == 0, ended.err
    return ended


def statuses(ended: Ended) -> list[object]:
    found: list[object] = json.loads(ended.out.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_failure_is_one_alert_with_its_request(sandbox: Sandbox, name: str) -> None:
    code, route = PROGRAMS[name]
    ended = program(sandbox, code)
    failed, logged = told(sandbox)
    assert f"POST {route} failed: ValueError: order 13 has no price" in failed.replace("＜", "<").replace("＞", ">")
    assert "status: 500" in failed
    assert "order 14 cannot be priced" in logged
    assert "LookupError: no stock" in logged
    for text in (failed, logged):
        assert "method: POST" in text
        assert f"route: {route}" in text.replace("＜", "<").replace("＞", ">")
        assert "canary" not in text
        assert "/orders/1" not in text
    assert statuses(ended) == statuses(program(sandbox, code, with_us=False))


NO_JSON = """
def work(order):
    return json.loads(" " * order)
"""
NO_TABLE = """
def work(order):
    from django.db import connection
    connection.cursor().execute(f"select * from nope{order}")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_exception_of_a_library_is_named_once_in_a_line(sandbox: Sandbox, name: str) -> None:
    database = 'DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, DEBUG='
    code = PROGRAMS[name][0].replace("DEBUG=", database)
    program(sandbox, (NO_TABLE if name == "Django" else NO_JSON) + code)
    what = "OperationalError: no such table: nope12" if name == "Django" else "JSONDecodeError: "
    first, digest = told(sandbox)
    assert "× 2, 3 in all" in digest  # which differ from it in values alone
    for text in (first, digest):
        line = text.splitlines()[0]
        assert line.count(what.partition(":")[0]) == line.count(what) == 1


def test_the_user_of_a_request(sandbox: Sandbox) -> None:
    program(sandbox, FLASK)
    assert all("user: u-7" in text for text in told(sandbox))


@pytest.mark.slow
def test_django_names_path_and_view_where_the_route_is_a_regex(sandbox: Sandbox) -> None:
    code = DJANGO.replace("{debug}", "False").replace("import path", "import re_path as path")
    code = code.replace('"orders/<int:order>", price)', 'r"^(?P<page>.*/)(?P<order>[0-9]+)$", price, name="page")')
    code = code.replace("def price(request, order)", "def price(request, page, order)").replace(
        "work(order)", "work(int(order))"
    )
    program(sandbox, code)
    failed, logged = told(sandbox)
    assert "POST /orders/# failed: ValueError: order 13 has no price" in failed.splitlines()[0]
    for text in (failed, logged):
        assert "│ route: /orders/#\n│ view: page\n" in text
        assert "page＞" not in text


@pytest.mark.slow
def test_django_with_debug_tells_what_is_logged_alone(sandbox: Sandbox) -> None:
    code = DJANGO.replace("{debug}", "True")
    program(sandbox, code.replace("if WITH:", "").replace("handlers", ""))
    assert len(told(sandbox)) == 2
    assert not any("SECRET_KEY" in text for text in told(sandbox))


@pytest.fixture
def bot() -> Iterator[WeComBotHandler]:
    handler = WeComBotHandler(webhook="key")
    yield handler
    handler.close()


@pytest.mark.parametrize(
    ("kind", "sent", "status"),
    [
        ("http", [], "status: 500"),
        ("http", [{"type": "http.response.start", "status": 206, "headers": []}], "status: 206"),
        ("websocket", [{"type": "websocket.accept"}], ""),
    ],
)
def test_asgi_says_the_status_that_the_client_has(
    bot: WeComBotHandler, kind: str, sent: list[Any], status: str
) -> None:
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in sent:
            await send(message)
        raise ConnectionError("the warehouse does not answer")

    async def take(message: Any) -> None:
        passed.append(message)

    with capture_alerts(timeout=30) as alerts, pytest.raises(ConnectionError):
        asyncio.run(asgi.WeComMiddleware(app, handler=bot)({"type": kind}, None, take))
    (alert,) = alerts
    assert passed == sent
    assert status in alert.text
    assert ("status:" in alert.text) == bool(status)
    assert "asgi.py" not in alert.text


@pytest.mark.parametrize(("pieces", "known"), [(0, True), (1, False)])
def test_wsgi_says_a_status_only_while_it_can_still_be_500(bot: WeComBotHandler, pieces: int, known: bool) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        for _ in range(pieces):
            yield b"a row"
        raise ConnectionError("the warehouse does not answer")

    with capture_alerts(timeout=30) as alerts, pytest.raises(ConnectionError):
        list(wsgi.WeComMiddleware(app, handler=bot)({"REQUEST_METHOD": "GET", "PATH_INFO": "/report"}, None))
    (alert,) = alerts
    assert ("status: 500" in alert.text) == known
    assert ("status:" in alert.text) == known
    assert "wsgi.py" not in alert.text


def no_user(*_: object) -> object:
    raise LookupError("the database is away")


def test_a_user_that_cannot_be_found_out_changes_no_answer_and_costs_no_alert(bot: WeComBotHandler) -> None:
    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError("the first warehouse does not answer")

    def wsgi_app(environ: Any, start_response: Any) -> Any:
        raise ConnectionError("the second warehouse does not answer")

    def view() -> str:
        raise ConnectionError("the third warehouse does not answer")

    shop = flask.Flask("shop")
    shop.add_url_rule("/orders", view_func=view)
    init_app(shop, handler=bot, user_id=no_user)
    shop.register_error_handler(500, lambda error: ("our own page", 500))
    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(ConnectionError):
            asyncio.run(asgi.WeComMiddleware(asgi_app, handler=bot, user_id=no_user)({"type": "http"}, None, None))
        with pytest.raises(ConnectionError):
            wsgi.WeComMiddleware(wsgi_app, handler=bot, route=no_user)({"REQUEST_METHOD": "GET"}, None)
        assert shop.test_client().get("/orders").text == "our own page"
        texts = alerts.texts
    assert len(texts) == 3
    for text in texts:
        assert "warehouse does not answer" in text
        assert "not to be found out: LookupError" in text
        assert "method: " in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("user", "told_as"),
    [
        ("SimpleLazyObject(lambda: 1 / 0)", None),  # nobody has asked for it so far
        ("SimpleLazyObject(User); request.user.pk", "user: 7"),
        ("User()", "user: 7"),
        ("Broken()", "user: (not to be found out: ZeroDivisionError)"),
    ],
)
def test_django_says_a_user_that_is_known_and_answers_as_ever(sandbox: Sandbox, user: str, told_as: str | None) -> None:
    code = DJANGO.replace("{debug}", "False").replace("SECRET_KEY=", "WECOM_USER_ID=True, SECRET_KEY=")
    code = code.replace("    return HttpResponse(work", f"    request.user = {user}\n    return HttpResponse(work")
    users = """
from django.utils.functional import SimpleLazyObject
class User:
    pk = 7
class Broken:
    pk = property(lambda self: 1 / 0)
"""
    ended = program(sandbox, users + code)
    assert [status for status, _ in json.loads(ended.out.splitlines()[-1])] == [200, 500, 200]
    texts = told(sandbox)
    assert len(texts) == 2
    for text in texts:
        assert "method: POST" in text
        assert told_as in text if told_as else "user:" not in text


def test_asgi_shows_no_value_of_a_parameter_in_the_path_of_a_mounted_application(bot: WeComBotHandler) -> None:
    async def price(order: str) -> None:
        raise ConnectionError("the warehouse does not answer")

    orders, shop = fastapi.FastAPI(), fastapi.FastAPI()
    shop.mount("/shops/{shop}/v1", orders)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/shops/canary-shop/v1/orders/canary-order",
        "headers": [],
        "query_string": b"",
    }
    orders.get("/orders/{order}")(price)

    async def take(message: Any) -> None:
        pass

    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(ConnectionError):
            asyncio.run(asgi.WeComMiddleware(shop, handler=bot)(scope, None, take))
        (text,) = alerts.texts
    assert "route: /shops/{shop}/v1/orders/{order}" in text
    assert "canary" not in text


@pytest.mark.parametrize("knows_it", [True, False])
def test_asgi_tells_a_lifespan_that_failed_but_not_that_there_is_none(bot: WeComBotHandler, knows_it: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if knows_it:
            await send({"type": "lifespan.startup.failed"})
        raise ValueError("only http here")  # as Django does; the server then goes on without

    async def take(message: Any) -> None:
        pass

    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(ValueError, match="only http"):
            asyncio.run(asgi.WeComMiddleware(app, handler=bot)({"type": "lifespan"}, None, take))
        assert len(alerts) == int(knows_it)


@pytest.mark.parametrize("at_the_end", [True, False])
@pytest.mark.parametrize("server_raises", [True, False])
def test_asgi_sends_why_a_lifespan_failed_once_and_before_the_server_hears_of_it(
    bot: WeComBotHandler, at_the_end: bool, server_raises: bool
) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        if at_the_end:
            yield
        raise ConnectionError("the pool does not answer")

    sent: list[str] = []

    async def take(message: Any) -> None:
        sent.append(message["type"])
        if message["type"].endswith(".failed"):
            told.extend(alerts.texts if at_the_end else ())  # uvicorn may end by a signal right after it
            if server_raises:
                raise RuntimeError(f"Lifespan failure: {message['message']}")  # as Hypercorn does

    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Any:
        return next(events)

    app, told = asgi.WeComMiddleware(fastapi.FastAPI(lifespan=lifespan), handler=bot), []
    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(RuntimeError if server_raises else ConnectionError):
            asyncio.run(app({"type": "lifespan", "state": {}}, receive, take))
        texts = alerts.texts
    assert sent[-1] == f"lifespan.{'shutdown' if at_the_end else 'startup'}.failed"
    assert len(texts) == 1
    assert "lifespan failed: ConnectionError: the pool does not answer" in texts[0].splitlines()[0]
    assert told == (texts if at_the_end else [])


def test_asgi_shows_a_path_without_its_ids_where_nothing_says_the_route(bot: WeComBotHandler) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError("the warehouse does not answer")

    scope = {"type": "http", "method": "GET", "path": "/orders/4711/lines", "query_string": b"canary=1"}
    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(ConnectionError):
            asyncio.run(asgi.WeComMiddleware(app, handler=bot)(scope, None, None))
        (text,) = alerts.texts
    assert "GET /orders/#/lines failed: ConnectionError" in text.splitlines()[0]
    assert "canary" not in text


LITESTAR_LOGGING = """
import logging
from litestar import Litestar, get
from litestar.testing import TestClient
from wecom_logging import WeComHandler
from wecom_logging.integrations.asgi import WeComMiddleware
@get("/orders/{order:int}", sync_to_thread=False)
def price(order: int) -> str:
    raise ValueError("no price")
app = WeComMiddleware(Litestar([price]))
logging.getLogger().addHandler(WeComHandler(level="ERROR"))
with TestClient(app, raise_server_exceptions=False) as client:
    print(client.get("/orders/7").status_code)
"""


@pytest.mark.slow
def test_a_handler_that_is_made_after_litestar_s_application_outlives_its_logging_config(sandbox: Sandbox) -> None:
    ended = run(LITESTAR_LOGGING, url=sandbox.url)
    assert (ended.status, ended.out) == (0, "500\n"), ended.err
    (text,) = told(sandbox)
    assert text.splitlines()[0].endswith("GET /orders/{order} failed: ValueError: no price")


LITESTAR_SOCKETS = """
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketException
from litestar.testing import TestClient
from wecom_logging.integrations.asgi import WeComMiddleware
@websocket("/orders/{order:int}")
async def follow(socket: WebSocket, order: int) -> None:
    await socket.accept()
    if order == 12:
        raise WebSocketException(detail="closed for the night", code=4001)
    if order == 13:
        work(order)
    await socket.receive_text()
with TestClient(WeComMiddleware(Litestar([follow], logging_config=None))) as client:
    for order in (12, 13, 14):
        with client.websocket_connect(f"/orders/{order}") as socket:
            try:
                order == 14 or socket.receive_text()
            except Exception as error:
                statuses.append([order, type(error).__name__])
"""


@pytest.mark.slow
def test_litestar_tells_what_a_websocket_raises_but_not_its_end(sandbox: Sandbox) -> None:
    assert len(statuses(program(sandbox, "from litestar import Litestar" + LITESTAR_SOCKETS))) == 2
    (text,) = told(sandbox)
    assert "websocket /orders/{order} failed: ValueError: order 13 has no price" in text.splitlines()[0]


def test_wsgi_shows_a_path_that_somebody_chose_in_one_short_harmless_line(bot: WeComBotHandler) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        raise ConnectionError("the warehouse does not answer")

    forged = "/订单/7\nuser: admin\n[look](http://evil.test) <@all> @all".encode().decode("latin-1")
    texts = []
    for path in (forged, f"/orders/{'a' * 1_000_000}/canary"):
        with capture_alerts(timeout=30) as alerts:
            with pytest.raises(ConnectionError):
                wsgi.WeComMiddleware(app, handler=bot)({"REQUEST_METHOD": "GET", "PATH_INFO": path}, None)
            texts += alerts.texts
    harmless, short = texts
    assert "GET /订单/# user: admin" in harmless
    assert not any(line.lstrip("│> *").startswith("user: admin") for line in harmless.splitlines())
    assert "](http" not in harmless
    assert "<@all>" not in harmless
    assert "route: /orders/…" in short


def test_wsgi_leaves_a_file_to_the_server(bot: WeComBotHandler) -> None:
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    answer = FileWrapper(io.BytesIO(b"a file"))
    assert wsgi.WeComMiddleware(lambda *_: answer, handler=bot)(environ, None) is answer


@pytest.mark.parametrize("answer", [7, None])
def test_wsgi_tells_an_answer_that_is_none(bot: WeComBotHandler, answer: Any) -> None:
    with capture_alerts(timeout=30) as alerts:
        with pytest.raises(TypeError):
            list(wsgi.WeComMiddleware(lambda *_: answer, handler=bot)({"REQUEST_METHOD": "GET"}, None))
        assert ["TypeError" in text for text in alerts.texts] == [True], alerts.texts
