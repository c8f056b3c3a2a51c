"""One exception that passes a decorator, an excepthook, the framework's signal and its logger: one alert."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import run, until
from tests.scripted import ScriptedWeCom, hold
from wecom_logging._sandbox import Sandbox

from .test_jobs import celery_worker, told

START = """
import logging, os, sys, threading
import wecom_logging
handler = wecom_logging.WeComHandler(level="ERROR")
logging.getLogger().addHandler(handler)
wecom_logging.install_hooks()
@wecom_logging.notify_on_exception
def charge(order):
    raise ValueError(f"order {order} has no price")
def throw(error):
    raise error
def work(order):
    try:
        charge(order)
    except ValueError as error:
        thread = threading.Thread(target=throw, args=(error,))
        thread.start()
        thread.join()
        raise
def books():
    assert handler.flush(10)
    stats = handler.stats()
    return stats.accepted, stats.delivered, stats.merged
logged = []
def heard(record):
    logged.append(record.exc_info)
    return True
"""

FLASK = """
from flask import Flask
from wecom_logging.integrations.flask import init_app
app = Flask("shop")
app.logger.addFilter(heard)
@app.route("/orders/<int:order>")
def price(order):
    return work(order)
init_app(app)
assert app.test_client().get("/orders/13").status_code == 500
"""

DJANGO = """
import django
from django.conf import settings
from django.urls import path
def price(request, order):
    return work(order)
urlpatterns = [path("orders/<int:order>", price)]
settings.configure(
    DEBUG=False, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="k", LOGGING_CONFIG=None,
    INSTALLED_APPS=["wecom_logging.integrations.django"],
    MIDDLEWARE=["wecom_logging.integrations.django.WeComMiddleware"],
)
django.setup()
logging.getLogger("django.request").addFilter(heard)
from django.test import Client
assert Client(raise_request_exception=False).get("/orders/13").status_code == 500
"""

ASGI = """
import socket
import requests, uvicorn
from fastapi import FastAPI
from wecom_logging.integrations.asgi import WeComMiddleware
app = FastAPI()
@app.get("/orders/{order}")
def price(order: int):
    return work(order)
app.add_middleware(WeComMiddleware)
listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_config=None))
logging.getLogger("uvicorn.error").addFilter(heard)
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
thread.start()
assert requests.get(f"http://127.0.0.1:{listener.getsockname()[1]}/orders/13").status_code == 500
server.should_exit = True
thread.join()
"""

POOL = """
import concurrent.futures, os
with concurrent.futures.ProcessPoolExecutor(1) as pool:
    pool.submit(os._exit, 13).result()
"""


@pytest.mark.slow
def test_an_exception_of_a_pool_is_named_once_in_the_first_line(sandbox: Sandbox) -> None:
    ended = run(START + POOL, url=sandbox.url)
    assert ended.status == 1, ended.err
    (text,) = told(sandbox)
    assert text.splitlines()[0].count("BrokenProcessPool") == 1
    assert text.splitlines()[0].count("terminated abruptly") == 1


TORNADO = """
import asyncio, requests, tornado.web
handler.addFilter(lambda record: record.name != "tornado.access")
class Price(tornado.web.RequestHandler):
    async def get(self, order):
        raise ValueError(f"order {order} has no price")
async def main():
    app = tornado.web.Application([("/orders/(.*)", Price)])
    (server,) = app.listen(0, "127.0.0.1")._sockets.values()
    for path in ("orders/13", "orders/14"):
        await asyncio.to_thread(requests.get, f"http://127.0.0.1:{server.getsockname()[1]}/{path}")
asyncio.run(main())
"""

MQTT = """
import socket
import paho.mqtt.client as mqtt
def broker():
    line, _ = listener.accept()
    line.recv(1000)
    line.sendall(bytes([0x20, 2, 0, 0]) + bytes([0x30, 5, 0, 1]) + b"tab")  # you are connected; a message, of topic t
    line.recv(1000)
def price(client, data, message):
    raise ValueError("order 13 has no price")
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=broker, daemon=True).start()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.enable_logger()
client.on_message = price
client.connect("127.0.0.1", listener.getsockname()[1])
thread = threading.Thread(target=client.loop_forever)
thread.start()
thread.join()
"""

TWISTED = """
import gc
from twisted.internet import defer
from twisted.python import log
log.PythonLoggingObserver().start()
async def price():
    raise ValueError("order 13 has no price")
defer.ensureDeferred(price())
gc.collect()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "first_lines"),
    [
        (
            TORNADO,
            ["ERROR tornado.application: Uncaught exception GET /orders/13 (127.0.0.1): ValueError: order 13 has"],
        ),
        (MQTT, ["ERROR paho.mqtt.client: Caught exception in on_message: ValueError: order 13 has no price"]),
        (TWISTED, ["CRITICAL twisted: Unhandled error in Deferred:", "CRITICAL twisted: ValueError: order 13 has"]),
    ],
    ids=["Tornado", "paho-mqtt", "Twisted"],
)
def test_what_a_framework_logs_of_an_exception_is_told_once(
    sandbox: Sandbox, code: str, first_lines: list[str]
) -> None:
    ended = run(f"{START}{code}print(*books())", url=sandbox.url)
    assert ended.status == 0, ended.err
    lines = [text.splitlines()[0].partition(" ")[2] for text in told(sandbox)]
    found = [line for line in lines if "× " not in line]  # without digests of what failed twice
    assert [line[: len(first)] for line, first in zip(found, first_lines, strict=False)] == first_lines
    assert len(found) == len(first_lines)


PROGRAMS = {"Flask": FLASK, "Django": DJANGO, "ASGI": ASGI}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_one_exception_on_all_its_ways_is_one_alert(sandbox: Sandbox, name: str) -> None:
    ended = run(f"{START}{PROGRAMS[name]}print(books(), len([info for info in logged if info]))", url=sandbox.url)
    assert (ended.status, ended.out) == (0, "(4, 1, 3) 1\n"), ended.err
    (text,) = told(sandbox)
    assert "ValueError: order 13 has no price" in text


CELERY = """
import celery
from wecom_logging.integrations.celery import connect
connect()
logging.getLogger("celery.app.trace").addFilter(heard)
app = celery.Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
@app.task
def price(order):
    work(order)
@app.task
def tell():
    print("BOOKS", books(), len([info for info in logged if info]), file=sys.__stderr__, flush=True)
    app.control.shutdown()
"""


@pytest.mark.slow
def test_one_exception_of_a_task_on_all_its_ways_is_one_alert(sandbox: Sandbox, tmp_path: Path) -> None:
    send = "import shop; shop.price.delay(13)"
    with celery_worker(sandbox, tmp_path, START + CELERY, send, "-P", "solo") as (worker, beside):
        until(lambda: told(sandbox), 90)
        beside("import shop; shop.tell.delay()")
        worker.wait(90)
        out = (tmp_path / "output").read_text()
        assert "BOOKS (4, 1, 3) 1\n" in out
    (text,) = told(sandbox)
    assert "ValueError: order 13 has no price" in text


def test_what_is_lost_is_said_as_often_as_it_failed() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/", hold())
        ended = run(START.replace('level="ERROR"', 'level="ERROR", exit_timeout=0.3') + FLASK, url=wecom.url)
    lost = "wecom_logging: 1 alert was not sent within exit_timeout (0.3 s): it is lost"
    assert ended.err.splitlines()[-1].startswith(lost)
