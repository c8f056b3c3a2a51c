"""`install_hooks` in real programs: what nobody catches is told once, and all else stays as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from wecom_logging import install_hooks
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError

from .programs import CREDENTIALS, ROOT, Ended, run

START = """
import asyncio, gc, logging, signal, sys, threading
from wecom_logging import WeComHandler, install_hooks, notify_on_exception
handler = WeComHandler()
install_hooks()
"""


def told(sandbox: Sandbox) -> list[str]:
    return [one["content"] for one in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


def ended(sandbox: Sandbox, code: str, start: str = START) -> Ended:
    return run(start + code, url=sandbox.url)


@pytest.mark.case("P18")
def test_a_program_that_ends_by_an_exception_tells_it_and_ends_as_it_would(sandbox: Sandbox) -> None:
    code = "def work():\n    raise ValueError('no stock')\nwork()\n"
    with_us, without = ended(sandbox, code), ended(sandbox, code, start="")
    assert with_us.status == without.status == 1
    assert with_us.err.replace(f"line {START.count(chr(10)) + 2}", "line 2").splitlines()[-1] == "ValueError: no stock"
    (text,) = told(sandbox)
    assert text.startswith("🔴 ERROR: the program ends: ValueError: no stock")
    assert "work" in text


@pytest.mark.slow
def test_of_a_group_the_first_line_names_the_first_failure(sandbox: Sandbox) -> None:
    code = """
async def fetch(side):
    raise ConnectionError(f"no proxy of {side}")
async def main():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fetch("north"))
        tasks.create_task(fetch("south"))
asyncio.run(main())
"""
    assert ended(sandbox, code).status == 1
    (text,) = told(sandbox)
    group = "ExceptionGroup: 2 × ConnectionError: no proxy of north (unhandled errors in a TaskGroup)"
    assert text.splitlines()[0] == f"🔴 ERROR: the program ends: {group}"


@pytest.mark.case("P18")
@pytest.mark.parametrize("end", ["sys.exit(3)", "raise KeyboardInterrupt", "signal.raise_signal(signal.SIGINT)"])
def test_an_end_that_is_no_failure_is_not_told(sandbox: Sandbox, end: str) -> None:
    status = ended(sandbox, end).status
    assert status == ended(sandbox, f"import sys, signal\n{end}", start="").status
    assert told(sandbox) == []


@pytest.mark.case("P18")
def test_a_thread_a_finaliser_and_a_task(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
def fails():
    raise OSError("no disk")
thread = threading.Thread(target=fails, name="crawler")
thread.start()
thread.join()

class Thing:
    def __del__(self):
        raise LookupError("half closed")
Thing()

async def forgotten():
    raise RuntimeError("nobody waits")
async def main():
    task = asyncio.create_task(forgotten())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
asyncio.run(main())
""",
    )
    assert done.status == 0
    assert "Exception in thread crawler" in done.err
    assert "Exception ignored in" in done.err
    assert "never retrieved" in done.err
    first, second, third = told(sandbox)
    assert "🔴 ERROR" in first
    assert "a thread ends: OSError: no disk" in first
    assert "thread: crawler" in first
    assert "exception ignored in Thing.__del__: LookupError: half closed" in second
    assert "where: Thing.__del__" in second
    assert "Task exception was never retrieved" in third
    assert "RuntimeError: nobody waits" in third


@pytest.mark.slow
def test_what_was_told_already_is_merged(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
logging.getLogger().addHandler(handler)
import atexit
atexit.register(lambda: print(handler.flush(5), handler.stats().accepted, handler.stats().merged))

@notify_on_exception
def work():
    try:
        raise ValueError("no stock")
    except ValueError:
        logging.exception("it failed")
        raise
async def main():
    work()
asyncio.run(main())
""",
    )
    assert len(told(sandbox)) == 1
    assert done.out == "True 3 2\n"


def test_a_root_handler_gets_a_task_once(sandbox: Sandbox) -> None:
    ended(
        sandbox,
        """
logging.getLogger().addHandler(handler)
async def main():
    asyncio.get_running_loop().call_exception_handler({"message": "odd loop"})
asyncio.run(main())
handler.flush(5)
print(handler.stats().accepted)
""",
    )
    (text,) = told(sandbox)
    assert "odd loop" in text


@pytest.mark.slow
def test_earlier_hooks_still_run_and_a_second_call_adds_no_second_set(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        "install_hooks(level='CRITICAL')\nimport wecom_logging.hooks\nraise ValueError('x')",
        start="import sys\nsys.excepthook = lambda *args: print('mine', args[0].__name__)\n" + START,
    )
    assert (done.status, done.out) == (1, "mine ValueError\n")
    (text,) = told(sandbox)
    assert "🚨 CRITICAL" in text


@pytest.mark.slow
def test_hooks_that_were_set_on_top_of_ours_still_run_after_a_second_call(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
ours = sys.excepthook, threading.excepthook, sys.unraisablehook
def theirs(*args):
    print("theirs")
    ours[0](*args)
def of_threads(args):
    print("of threads")
    ours[1](args)
def of_finalisers(args):
    print("of finalisers")
    ours[2](args)
sys.excepthook, threading.excepthook, sys.unraisablehook = theirs, of_threads, of_finalisers
install_hooks()
class Thing:
    def __del__(self):
        raise LookupError("half closed")
Thing()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("no stock")
""",
    )
    assert (done.status, done.out) == (1, "of finalisers\nof threads\ntheirs\n")
    assert done.err.count("Traceback") == 3
    assert [text.splitlines()[0] for text in told(sandbox)] == [
        "🔴 ERROR: exception ignored in Thing.__del__: LookupError: half closed",
        "🔴 ERROR: a thread ends: ZeroDivisionError: division by zero",
        "🔴 ERROR: the program ends: ValueError: no stock",
    ]


@pytest.mark.slow
def test_an_exception_whose_class_answers_nothing_is_told_all_the_same(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
class Silent(type):
    def __getattribute__(self, name):
        if name in ("__name__", "__qualname__", "__module__"):
            raise RuntimeError("it has no name")
        return super().__getattribute__(name)
class Lost(Exception, metaclass=Silent):
    pass
from wecom_logging import progress
from wecom_logging.integrations import wsgi
def app(environ, start_response):
    raise Lost("no stock")
def work():
    with progress("work"):
        raise Lost("no price")
for failing in (lambda: wsgi.WeComMiddleware(app)({"REQUEST_METHOD": "GET"}, None), work, notify_on_exception(work)):
    try:
        failing()
    except Lost:
        print("the same")
threading.excepthook = lambda args: None
install_hooks()
def ends():
    raise Lost("no way")
thread = threading.Thread(target=ends)
thread.start()
thread.join()
""",
    )
    assert (done.status, done.out) == (0, "the same\n" * 3)
    texts = told(sandbox)
    assert sorted(word for text in texts for word in ("stock", "price", "way") if f"Lost: no {word}" in text) == [
        "price",
        "price",
        "stock",
        "way",
    ]


def test_a_callback_that_answers_nothing_is_told_all_the_same(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
import weakref
class Callback:
    def __getattr__(self, name):
        raise RuntimeError("it has nothing")
    def __call__(self, gone):
        raise ValueError("no stock")
class Thing:
    pass
thing, callback = Thing(), Callback()
watch = weakref.ref(thing, callback)
del thing
""",
    )
    assert "Exception ignored in: <__main__.Callback" in done.err
    assert "ValueError: no stock" in done.err
    (text,) = told(sandbox)
    assert "exception ignored in Callback: ValueError: no stock" in text
    assert "where: Callback" in text


def test_without_a_handler_it_says_so(sandbox: Sandbox) -> None:
    done = ended(sandbox, "handler.close()\nraise ValueError('x')")
    assert "install_hooks: every WeCom handler is closed (" in done.err
    assert "; the exception was not sent" in done.err
    assert "ValueError: x" in done.err


@pytest.mark.parametrize(("options", "field"), [({"handler": 5}, "handler"), ({"level": "LOUD"}, "level")])
def test_bad_input_is_refused(options: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigurationError, match=field):
        install_hooks(**options)  # that is the point


ENDING = """
import logging, multiprocessing, sys
from wecom_logging import WeComHandler, install_hooks
handler = WeComHandler()
install_hooks()

def reserve():
    raise OSError("no stock")

class Job(multiprocessing.Process):
    def run(self):
        raise LookupError("no price")

class SpawnedJob(multiprocessing.context.SpawnProcess):
    def run(self):
        raise LookupError("no price")

class ServedJob(multiprocessing.context.ForkServerProcess):
    def run(self):
        raise LookupError("no price")

if __name__ == "__main__":
    try:
        raise RuntimeError("handled while a child is forked")
    except RuntimeError:
        context = multiprocessing.get_context(sys.argv[1])
        own = {"fork": Job, "spawn": SpawnedJob, "forkserver": ServedJob}[sys.argv[1]](name="pricing")
        children = [context.Process(target=target, name=name) for target, name in (
            (reserve, "stock"), (print, "fine"), (sys.exit, "left"))] + [own]
        for child in children:
            child.start()
        for child in children:
            child.join()
        print([child.exitcode for child in children])
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_an_exception_that_ends_a_process_of_multiprocessing(sandbox: Sandbox, tmp_path: Path, method: str) -> None:
    (tmp_path / "shop.py").write_text(ENDING)
    environment = {**os.environ, **CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "shop.py", method], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[1, 0, 0, 1]")
    assert [line for line in sorted(done.stderr.splitlines()) if line.startswith("Process")] == [
        "Process pricing:",
        "Process stock:",
    ]
    price, stock = sorted(told(sandbox), reverse=True, key=lambda text: "price" in text)
    assert price.splitlines()[0] == "🔴 ERROR: a process ends: LookupError: no price"
    assert "process: pricing" in price
    assert stock.splitlines()[0] == "🔴 ERROR: a process ends: OSError: no stock"
    assert "process: stock" in stock


PRINTING = """
import logging, multiprocessing, traceback
from wecom_logging import WeComHandler, install_hooks
logging.getLogger("shop").addHandler(WeComHandler())
install_hooks()
prints = traceback.print_exc
traceback.print_exc = lambda *args, **options: prints(*args, **options)

def prints_what_it_catches():
    try:
        raise OSError("no stock")
    except OSError:
        traceback.print_exc()
    raise LookupError("no price")

def logs_what_it_raises():
    try:
        raise KeyError("no order")
    except KeyError:
        logging.getLogger("shop").exception("not sold")
        raise

context = multiprocessing.get_context("fork")
for target in (prints_what_it_catches, logs_what_it_raises):
    child = context.Process(target=target)
    child.start()
    child.join()
"""


def test_what_ends_a_process_is_told_once_also_where_others_replace_or_call_print_exc(sandbox: Sandbox) -> None:
    done = run(PRINTING, url=sandbox.url)
    assert [text.partition(" (")[0].splitlines()[0] for text in sorted(told(sandbox))] == [
        "🔴 ERROR shop: not sold: KeyError: 'no order'",
        "🔴 ERROR: a process ends: LookupError: no price",
    ], done


@pytest.mark.slow
def test_an_exception_that_ends_a_greenlet(sandbox: Sandbox) -> None:
    done = ended(
        sandbox,
        """
def fails():
    raise OSError("no disk")
def leaves():
    raise gevent.GreenletExit
lost = gevent.spawn(fails)
gevent.joinall([lost, gevent.spawn(leaves)])
def calls():
    raise LookupError("no price")
gevent.get_hub().loop.run_callback(calls)
gevent.sleep(0)
gevent.get_hub().exception_stream = None
try:
    lost.get()
except OSError as error:
    logging.getLogger("shop").addHandler(handler)
    logging.getLogger("shop").exception("it failed")
""",
        start="from gevent import monkey; monkey.patch_all()\nimport gevent\n" + START,
    )
    assert done.status == 0
    assert done.err.count("Traceback") == 2  # as ever
    assert [text.splitlines()[0] for text in told(sandbox)] == [
        "🔴 ERROR: a greenlet ends: OSError: no disk",
        "🔴 ERROR: a greenlet ends: LookupError: no price",
    ]
