"""Failures while a host starts and while it stops, when it holds its locks: 24 times each, and none hangs.

Each program arms a watchdog that ends it with the stacks of all its threads.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.programs import run
from wecom_logging._sandbox import Sandbox

from ..valkey_server import valkey

pytestmark = pytest.mark.slow

RUNS = 24

START = """
import faulthandler, logging, os, re, signal, sys, threading, time
from wecom_logging import WeComHandler, install_hooks
WATCHDOG_S = 40  # for each run, on a busy machine
faulthandler.register(signal.SIGALRM, chain=True)  # forked children have it too, and end without waiting for it
signal.alarm(2 * WATCHDOG_S)
seen = os.open(os.environ["SEEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def heard(record):
    error = record.exc_info[1] if record.exc_info else ""
    for found in re.finditer(r"(?:start|stop|missed)-[0-9]+", f"{record.getMessage()} {error} {vars(record)}"):
        os.write(seen, f"{found[0]}\\n".encode())
    return True
handler = WeComHandler(level="WARNING", exit_timeout=2)
handler.addFilter(heard)
logging.getLogger().addHandler(handler)
log = logging.getLogger("shop")
def turns():
    for number in range(24):
        signal.alarm(WATCHDOG_S)
        handler.forget_incidents()  # each failure is captured, not only counted
        yield number
def fails(text):
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it failed")
def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()
"""

APSCHEDULER = """
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from wecom_logging.integrations.apscheduler import listen
def at_once(number):
    raise ValueError(f"start-{number}")
def at_the_end(scheduler, number):
    running.set()
    while scheduler.running or not waits(scheduler._jobstores_lock):
        time.sleep(0.001)
    raise ValueError(f"stop-{number}")
def waits(lock):
    if not lock.acquire(blocking=False):
        return True
    lock.release()
for number in turns():
    running = threading.Event()
    scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(1)})
    listen(scheduler)
    ever = {"misfire_grace_time": None}
    scheduler.add_job(at_once, "date", run_date="2020-01-01", args=[number], **ever)
    scheduler.add_job(at_the_end, "date", run_date="2020-01-02", args=[scheduler, number], **ever)
    scheduler.add_job(print, "date", run_date="2020-01-03", id=f"missed-{number}")
    scheduler.start()
    assert running.wait(20)
    scheduler.shutdown()
"""

DRAMATIQ = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
from wecom_logging.integrations.dramatiq import WeComMiddleware
class Stops(dramatiq.Middleware):
    def before_worker_boot(self, broker, worker):
        fails(f"start-{number}")
    def before_worker_shutdown(self, broker, worker):
        stopping.set()
broker = StubBroker(middleware=[WeComMiddleware(), Stops()])
dramatiq.set_broker(broker)
@dramatiq.actor
def at_once(number):
    raise ValueError(f"start-{number}")
@dramatiq.actor
def at_the_end(number):
    running.set()
    stopping.wait(20)
    raise ValueError(f"stop-{number}")
for number in turns():
    running, stopping = threading.Event(), threading.Event()
    at_once.send(number)
    at_the_end.send(number)
    worker = dramatiq.Worker(broker, worker_timeout=20, worker_threads=2)
    worker.start()
    assert running.wait(20)
    worker.stop()
"""

RQ = """
import requests, tenacity  # which every child would load anew
from redis import Redis
from rq import Queue, Worker
from wecom_logging.integrations.rq import WeComExceptionHandler
import shop
shop.handler = handler
connection = Redis.from_url(os.environ["SERVER"])
queue = Queue(connection=connection)
for number in turns():
    queue.enqueue(shop.at_once, number)
    queue.enqueue(shop.at_the_end, number)
    worker = Worker([queue], connection=connection, exception_handlers=[WeComExceptionHandler()])
    worker.work(burst=True, logging_level="CRITICAL")
"""
SHOP = """
import os, signal
def at_once(number):
    raise ValueError(f"start-{number}")
def at_the_end(number):
    os.kill(os.getppid(), signal.SIGTERM)  # the worker stops when this job is done
    raise ValueError(f"stop-{number}")
"""

CELERY = """
import celery
from celery import signals
from wecom_logging.integrations.celery import connect
connect()
app = celery.Celery("shop", broker="memory://")
app.conf.update(worker_max_tasks_per_child=1, task_ignore_result=True)
app.conf.broker_connection_retry_on_startup = True
@app.task
def price():
    raise ValueError(f"start-{os.getpid()}")
def ends():
    while len(set(re.findall("stop-[0-9]+", open(os.environ["SEEN"]).read()))) < 24:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=ends, daemon=True).start()
def begins(**_):
    signal.alarm(WATCHDOG_S)
    in_thread(fails, f"start-{os.getpid()}")
signals.worker_init.connect(lambda **_: fails("start-0"), weak=False)
signals.worker_ready.connect(lambda **_: [price.delay() for _ in range(24)], weak=False)
signals.worker_process_init.connect(begins, weak=False)
signals.worker_process_shutdown.connect(lambda **_: in_thread(fails, f"stop-{os.getpid()}"), weak=False)
signals.worker_shutting_down.connect(lambda **_: in_thread(fails, "stop-0"), weak=False)
signals.worker_shutdown.connect(lambda **_: fails("stop-1"), weak=False)
app.worker_main(["worker", "-P", "prefork", "-c", "4", "-l", "ERROR", "--without-mingle", "--without-gossip"])
"""

SERVE = """
import http.client
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False  # what closes it waits for its requests
class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        return
def view(when):
    if when.startswith("stop"):
        running.set()
        stopping.wait(20)
    raise ValueError(when)
def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    assert connection.getresponse().status == 500
    connection.close()
def serve(make):
    global running, stopping
    for number in turns():
        running, stopping = threading.Event(), threading.Event()
        with make_server("127.0.0.1", 0, make(), Server, Quiet) as server:
            serving = threading.Thread(target=server.serve_forever, args=(0.01,))
            serving.start()
            get(server.server_port, f"/start-{number}")
            asking = threading.Thread(target=get, args=(server.server_port, f"/stop-{number}"))
            asking.start()
            assert running.wait(20)
            server.shutdown()
            stopping.set()
        asking.join()
        serving.join()
"""

WSGI = """
from wecom_logging.integrations.wsgi import WeComMiddleware
serve(lambda: WeComMiddleware(lambda environ, start_response: view(environ["PATH_INFO"][1:])))
"""

FLASK = """
import flask
from wecom_logging.integrations.flask import init_app
def make():
    app = flask.Flask("shop")
    init_app(app)
    app.add_url_rule("/<when>", view_func=view)
    return app
serve(make)
"""

DJANGO = """
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path
from django.utils.functional import SimpleLazyObject
from wecom_logging.integrations import django as ours
users = threading.Lock()  # as a pool of connections, or a client of a directory, has one
def who():
    with users:
        return None
def orders(request, when):
    request.user = SimpleLazyObject(who)
    with users:
        log.error("the users cannot be read: %s", when)
    view(when)
urlpatterns = [path("<when>", orders)]
def starts(get_response):
    in_thread(fails, "start-0")
    return get_response
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="k", LOGGING_CONFIG=None, WECOM_USER_ID=True,
    INSTALLED_APPS=["wecom_logging.integrations.django"],
    MIDDLEWARE=["wecom_logging.integrations.django.WeComMiddleware", "__main__.starts"],
)
django.setup()
serve(WSGIHandler)
"""

UVICORN = """
import asyncio
from contextlib import asynccontextmanager
import fastapi, requests, uvicorn
from wecom_logging.integrations.asgi import WeComMiddleware
@asynccontextmanager
async def lifespan(app):
    if not begins:
        raise ValueError(f"start-{number}")
    in_thread(fails, f"start-{number}")
    yield
    raise ValueError(f"stop-{number}")
async def waits():
    server.should_exit = True
    while not server.force_exit and not server.servers[0].sockets == ():
        await asyncio.sleep(0.01)
    raise ValueError(f"stop-{number}")
def asks():
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 500
for number in turns():
    for begins in (False, True):
        app = fastapi.FastAPI(lifespan=lifespan)
        app.add_api_route("/", waits)
        app.add_middleware(WeComMiddleware)
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="on", log_config=None))
        asking = threading.Thread(target=asks)
        if begins:
            asking.start()
        try:
            server.run()
        except SystemExit:
            assert not begins
    asking.join()
"""

GUNICORN = """
import http.client, socket
import requests, tenacity  # which every worker would load anew
from gunicorn.app.base import BaseApplication
install_hooks()
def application(environ, start_response):
    raise ValueError("no price")
def begins(worker):
    signal.alarm(WATCHDOG_S)
    in_thread(fails, f"start-{worker.pid}")
class Shop(BaseApplication):
    def load_config(self):
        for name, value in {
            "bind": f"127.0.0.1:{port}", "workers": 1, "worker_class": "sync", "max_requests": 1, "timeout": 40,
            "post_worker_init": begins,
            "worker_exit": lambda server, worker: in_thread(fails, f"stop-{worker.pid}"),
        }.items():
            self.cfg.set(name, value)
    def load(self):
        return application
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
master = os.getpid()
if os.fork() == 0:
    asked = 0
    while asked < 24:  # each is the last of its worker
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            asked += connection.getresponse().status == 500
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        connection.close()
    os.kill(master, signal.SIGTERM)
    os._exit(0)
Shop().run()
"""

SCRAPY = """
import functools
import scrapy
from scrapy.crawler import CrawlerProcess
class Shop(scrapy.Spider):
    name = "shop"
    async def start(self):
        yield scrapy.Request("data:,price")
        raise ValueError(f"start-{self.number}")
    def parse(self, response):
        raise ValueError(f"start-{self.number}")
    def closed(self, reason):
        in_thread(fails, f"stop-{self.number}")
        raise ValueError(f"stop-{self.number}")
@functools.cache
def make():
    one = WeComHandler(level="WARNING", exit_timeout=2)
    one.addFilter(heard)
    logging.getLogger().addHandler(one)
    return one
process = CrawlerProcess({
    "TELNETCONSOLE_ENABLED": False, "LOG_ENABLED": False, "WECOM_HANDLER": make,
    "EXTENSIONS": {"wecom_logging.integrations.scrapy.WeComExtension": 500},
})
for number in turns():
    process.crawl(Shop, number=number)
process.start()
"""

JUPYTER = """
from IPython.core.interactiveshell import InteractiveShell
handler.setLevel("ERROR")
for number in turns():
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "wecom_logging.integrations.jupyter")
    for first, when in (("", "start"), ("get_ipython().atexit_operations()\\n", "stop")):
        cell = f"%%wecom\\n{first}raise ValueError('{when}-{number}')"
        assert not shell.run_cell(cell).success
    shell.run_line_magic("unload_ext", "wecom_logging.integrations.jupyter")
    InteractiveShell.clear_instance()
"""

LOGURU = """
from loguru import logger
from wecom_logging.integrations.loguru import WeComSink
class Intercept(logging.Handler):
    def emit(self, record):
        logger.opt(exception=record.exc_info).log(record.levelname, record.getMessage())
class Slow:
    def write(self, message):
        return
    def stop(self):
        in_thread(fails, f"stop-{number}")  # while loguru holds the lock of its sinks
logging.getLogger().addHandler(Intercept())
logger.remove()
for number in turns():
    logger.add(WeComSink(), enqueue=bool(number % 2), level="ERROR")
    logger.add(Slow(), enqueue=not number % 2)
    in_thread(fails, f"start-{number}")
    logger.error(f"start-{number}")
    logger.remove()
"""

STRUCTLOG = """
import structlog
from wecom_logging.integrations.structlog import WeComProcessor
lock = threading.Lock()
class Prints:
    def msg(self, text):
        with lock:  # as a file's
            in_thread(fails, text)
    error = msg
for number in turns():
    structlog.configure(
        processors=[WeComProcessor(), structlog.processors.KeyValueRenderer()], logger_factory=lambda *_: Prints()
    )
    in_thread(structlog.get_logger().error, f"start-{number}")
    structlog.get_logger().error(f"stop-{number}")
    structlog.reset_defaults()
"""

PROMETHEUS = """
from prometheus_client import CollectorRegistry, generate_latest
from wecom_logging.integrations.prometheus import WeComCollector
class Fails:
    def collect(self):  # while the registry holds its lock, when it is registered
        in_thread(fails, f"{when}-{number}")
        return []
over = threading.Event()
def scrape():
    while not over.wait(0.001):
        assert b"wecom_alerts_pending" in generate_latest(registry)
registry = CollectorRegistry(auto_describe=True)
ours = WeComCollector()
registry.register(ours)
scraping = threading.Thread(target=scrape)
scraping.start()
for number in turns():
    when = "start"
    one, theirs = WeComHandler(), Fails()
    log.addHandler(one)
    registry.register(theirs)
    when = "stop"
    generate_latest(registry)
    registry.unregister(theirs)
    one.close()
    log.removeHandler(one)
over.set()
scraping.join()
"""

HOOKS = """
import asyncio, gc
install_hooks()
def raises(text):
    raise ValueError(text)
class Thing:
    def __del__(self):
        raises(f"stop-{number}")
async def main():
    asyncio.get_running_loop().call_soon(raises, f"start-{number}")
    tasks.append(asyncio.create_task(ends()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
async def ends():
    try:
        await asyncio.sleep(60)
    finally:
        raises(f"stop-{number}")  # while asyncio.run closes the loop
for number in turns():
    tasks = []
    in_thread(raises, f"start-{number}")
    thing = Thing()
    thing.itself = thing
    del thing
    with threading._active_limbo_lock:  # of what starts and ends threads
        gc.collect()
    asyncio.run(main())
"""

LOGGING = """
import asyncio, logging.config
install_hooks(handler)
async def loop():
    asyncio.get_running_loop().call_exception_handler({"message": f"start-{number}"})
number = 0
log.addHandler(handler)
log.propagate = False  # the lock of another handler is its own affair
for way in (fails, lambda _: asyncio.run(loop())):  # the first time loggers ask for logging's lock themselves
    way("start-0")
class Slow(logging.Handler):
    def emit(self, record):
        return
    def __init__(self):  # while dictConfig holds logging's lock
        super().__init__()
        in_thread(fails, f"start-{number}")
        in_thread(asyncio.run, loop())
    def close(self):  # while whoever shuts logging down holds this handler's lock
        in_thread(fails, f"stop-{number}")
        super().close()
for number in turns():
    logging.config.dictConfig({
        "version": 1, "disable_existing_loggers": False,
        "handlers": {"slow": {"()": Slow}}, "root": {"handlers": ["slow"]},
    })
    logging.shutdown()
"""

IMPORTS = """
import pathlib
sys.path.insert(0, ".")
log.parent = None
log.addHandler(handler)
for number in turns():
    pathlib.Path(f"module_{number}.py").write_text(
        "from __main__ import fails, handler, in_thread, number\\n"
        "in_thread(fails, f'start-{number}')\\n"
        "assert handler.flush(30)\\n"
    )
for number in turns():
    if os.fork() == 0:  # its first alert is to come in the middle of an import
        signal.alarm(WATCHDOG_S)
        __import__(f"module_{number}")
        # It ends as a program does: its threads are waited for.
        threading.Thread(target=lambda: (threading.main_thread().join(), fails(f"stop-{number}"))).start()
        sys.exit()
    assert os.wait()[1] == 0
"""

HOSTS = {
    "APScheduler": APSCHEDULER,
    "Celery": CELERY,
    "Django": SERVE + DJANGO,
    "Dramatiq": DRAMATIQ,
    "FastAPI and uvicorn": UVICORN,
    "Flask": SERVE + FLASK,
    "gunicorn": GUNICORN,
    "hooks": HOOKS,
    "imports": IMPORTS,
    "Jupyter": JUPYTER,
    "logging": LOGGING,
    "loguru": LOGURU,
    "prometheus": PROMETHEUS,
    "Scrapy": SCRAPY,
    "structlog": STRUCTLOG,
    "WSGI": SERVE + WSGI,
}


def watch(sandbox: Sandbox, folder: Path, code: str, **environment: str) -> None:
    """A program that ends, and whose failures were all seen, those of its starts and of its stops."""
    seen = folder / "seen"
    more = {"SEEN": str(seen), "IPYTHONDIR": str(folder), "HOME": str(folder), **environment}
    ended = run(
        f"import os; os.chdir({str(folder)!r})\n{START}{code}", url=sandbox.url, timeout=150, fresh=True, **more
    )
    assert ended.status == 0, f"{ended.out[-3000:]}\n{ended.err[-9000:]}"
    found = set(seen.read_text().split())
    for when in {"start", "stop", *re.findall("missed", code)}:
        assert sum(one.startswith(when) for one in found) >= RUNS, sorted(found)


@pytest.mark.parametrize("name", HOSTS)
def test_failures_while_a_host_starts_and_stops_hang_nothing(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    watch(sandbox, tmp_path, HOSTS[name])


def test_failures_while_rq_starts_and_stops_hang_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    with valkey() as server:
        watch(sandbox, tmp_path, f"sys.path.insert(0, '.')\n{RQ}", SERVER=server.connection_url)


FORKS = """
import logging.config, multiprocessing
from wecom_logging._runtime import forks
class Forks(logging.StreamHandler):  # as one does that makes a multiprocessing.Manager
    def __init__(self):
        super().__init__()
        while forks.gate.acquire(blocking=False):  # until the thread is at its imports
            forks.gate.release()
            time.sleep(0.001)
        began = time.monotonic()
        child = multiprocessing.get_context("fork").Process(target=int)
        child.start()
        print(time.monotonic() - began < 5)
        child.join()
logging.config.dictConfig({
    "version": 1,
    "handlers": {"a": {"class": "wecom_logging.WeComHandler", "state": "sqlite:///alerts.db"}, "b": {"()": Forks}},
    "root": {"handlers": ["a", "b"]},
})
log = logging.getLogger("afterwards")
fails("start-0")
"""


def test_a_fork_in_a_dictconfig_does_not_wait_for_imports_that_wait_for_it(sandbox: Sandbox, tmp_path: Path) -> None:
    ended = run(
        f"import os; os.chdir({str(tmp_path)!r})\n{START}{FORKS}",
        url=sandbox.url,
        fresh=True,
        SEEN=str(tmp_path / "seen"),
    )
    assert (ended.status, ended.out) == (0, "True\n"), ended.err
    assert sandbox.messages()
