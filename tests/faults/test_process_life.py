"""How processes begin, fork, multiply, are configured anew and end: nothing is lost, hangs, or is left behind."""

from __future__ import annotations

import json
import pickle
import re
import textwrap
import traceback
from pathlib import Path

import pytest

from wecom_logging import WeComHandler
from wecom_logging.sandbox import Sandbox

from ..programs import run
from ..scripted import ScriptedWeCom, hold, status
from ..secrets import CORP_SECRET, assert_no_secret


def contents(sandbox: Sandbox) -> list[str]:
    return sorted(message["content"].splitlines()[0].rpartition(": ")[2] for message in sandbox.messages())


CONFIGURED_ANEW = """
import atexit, itertools, json, logging, logging.config, os, sys, threading, time
made, handlers = itertools.count(), []

def report():
    stats = [handler.stats() for handler in handlers]
    dropped = {}
    for each in stats:
        for reason, number in each.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + number
    sums = {name: sum(getattr(each, name) for each in stats) for name in ("accepted", "delivered", "merged", "pending")}
    seen["exit_s"] = time.monotonic() - left
    print(json.dumps(seen | sums | {"made": next(made), "dropped": dropped}))

atexit.register(report)  # runs after the package's own
from wecom_logging import WeComBotHandler, WeComHandler

class Counted:
    def __init__(self, **options):
        super().__init__(**options)
        handlers.append(self)
    def handle(self, record):
        next(made)
        return super().handle(record)

class App(Counted, WeComHandler): pass
class Bot(Counted, WeComBotHandler): pass

options = {"rate_limit": None, "exit_timeout": float(os.environ["EXIT_TIMEOUT"])}
config = {
    "version": 1, "disable_existing_loggers": False,
    "handlers": {"app": {"class": "__main__.App", **options}, "bot": {"class": "__main__.Bot", **options}},
    "loggers": {"shop": {"handlers": ["app", "bot"], "propagate": False}},
}
log = logging.getLogger("shop")
done = threading.Event()

def load(letter):
    for number in itertools.count():
        if done.is_set():
            return
        log.error(letter + " %d", number)
        time.sleep(0.002)

threads = [threading.Thread(target=load, args=(letter,)) for letter in ("first", "second")]
for thread in threads:
    thread.start()
most = longest = 0
for _ in range(1000):
    began = time.monotonic()
    logging.config.dictConfig(config)
    longest = max(longest, time.monotonic() - began)
    time.sleep(0.002)
    most = max(most, len(os.listdir("/proc/self/task")))
done.set()
for thread in threads:
    thread.join()
seen = {"most": most - len(threads) - 1, "longest": longest}
if os.environ["WELL"]:
    for handler in handlers[-2:]:
        handler.flush(20)
    while any(handler.stats().pending for handler in handlers):
        time.sleep(0.1)

def open_sockets():
    links = [entry.path for entry in os.scandir("/proc/self/fd")]
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket") for link in links)

# Two handlers are alive, and one thread is for all that are closed.
while open_sockets() > 3 or len(os.listdir("/proc/self/task")) > 1 + 2 + 1:
    time.sleep(0.01)
left = time.monotonic()
"""


@pytest.mark.case("P33")
@pytest.mark.parametrize("well", [True, False], ids=["well", "stalled"])
def test_a_program_configured_anew_a_thousand_times(well: bool) -> None:
    with ScriptedWeCom() as wecom:
        if not well:
            wecom.always("/", hold())
        ended = run(CONFIGURED_ANEW, url=wecom.url, timeout=55, EXIT_TIMEOUT="1", WELL="yes" if well else "")
    assert ended.status == 0, ended.err
    seen = json.loads(ended.out)
    assert seen["accepted"] == seen["made"] > 1000
    assert seen["pending"] == 0
    assert seen["most"] <= 3  # as many as handlers are alive, and one
    assert seen["longest"] < 1.0  # the network would take ten
    assert seen["exit_s"] <= 1.5
    if well:
        assert seen["delivered"] + seen["merged"] == seen["made"] - seen["dropped"].get("closed", 0)
        assert set(seen["dropped"]) <= {"closed"}
    else:
        assert set(seen["dropped"]) <= {"closed", "exit_timeout"}
        assert f"{seen['dropped']['exit_timeout']} alerts were not sent within exit_timeout" in ended.err


@pytest.mark.case("P33")
def test_closed_handlers_of_many_bots_share_one_thread_and_heal_by_themselves() -> None:
    code = """
    import logging, os, time
    from wecom_logging import WeComBotHandler
    handlers = [WeComBotHandler(webhook=f"key-{number}", exit_timeout=1) for number in range(30)]
    for handler in handlers:
        handler.handle(logging.LogRecord("shop", 40, "shop.py", 1, "disk full", (), None))
        handler.close()
    while len(os.listdir("/proc/self/task")) > 2:
        time.sleep(0.01)
    print(sum(handler.stats().pending for handler in handlers), flush=True)
    while any(handler.stats().pending for handler in handlers):
        time.sleep(0.01)
    while len(os.listdir("/proc/self/task")) > 1:
        time.sleep(0.01)
    print(sum(handler.stats().delivered for handler in handlers))
    """
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/webhook/send", *[status(502)] * 90)  # the first round of each
        ended = run(code, url=wecom.url)
    pending, delivered = map(int, ended.out.split())
    assert pending > 0
    assert delivered == 30


WITHOUT_THREADS = """
import atexit, logging, os, resource, signal, sys, time
from wecom_logging import WeComHandler
from wecom_logging.wecom.http import load_libraries
load_libraries()
handler = WeComHandler(rate_limit=None, timeout=10, exit_timeout=1)
log = logging.getLogger("shop")
log.addHandler(handler)
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
if os.getuid() == 0:
    os.setuid(65534)  # nothing limits root

def log_for(text):
    began = time.monotonic()
    log.error(text)
    return time.monotonic() - began

def threads():
    return len(os.listdir("/proc/self/task"))
"""


@pytest.mark.case("P22")
def test_without_a_thread_one_alert_is_sent_at_once_and_the_others_when_there_is_one(sandbox: Sandbox) -> None:
    code = """
    assert log_for("alpha") < 2.5
    assert handler.stats().delivered == 1
    assert max(log_for(text) for text in ("beta", "gamma", "delta")) < 0.05
    assert (handler.stats().pending, threads()) == (3, 1)
    resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    while handler.stats().delivered < 4:
        log.error("epsilon")
        time.sleep(0.01)
    assert threads() == 2
    """
    ended = run(WITHOUT_THREADS + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    told = "\n".join(message["content"] for message in sandbox.messages())
    assert [text for text in ("alpha", "beta", "gamma", "delta", "epsilon") if text not in told] == []


@pytest.mark.case("P22")
def test_repeats_alone_find_out_that_there_is_a_thread_again(sandbox: Sandbox) -> None:
    code = """
    for number in range(1000):
        log_for("alpha")
    assert (handler.stats().delivered, threads()) == (1, 1)
    resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    while threads() == 1:
        log_for("alpha")
        time.sleep(0.01)
    assert handler.flush(10)
    print(handler.stats().accepted - handler.stats().merged)
    """
    ended = run(WITHOUT_THREADS + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.out, ended.err) == (0, "1\n", "")


@pytest.mark.case("P22")
def test_without_a_thread_a_stalled_wecom_costs_two_seconds_once_and_the_exit_its_timeout() -> None:
    code = """
    assert log_for("alpha") < 2.5
    assert max(log_for(text) for text in ("beta", "gamma", "delta")) < 0.05
    began = time.monotonic()
    sys.exit(3)
    """
    with ScriptedWeCom() as wecom:
        wecom.always("/", hold())
        code = (
            "import atexit, time\natexit.register(lambda: print(time.monotonic() - began))\n"
            + WITHOUT_THREADS
            + textwrap.dedent(code)
        )
        ended = run(code, url=wecom.url)
    assert ended.status == 3, ended.err
    assert float(ended.out) <= 1.5
    assert "4 alerts were not sent within exit_timeout (1 s)" in ended.err


@pytest.mark.case("P22", "E12")
def test_without_a_thread_a_signal_handler_that_interrupts_our_code_only_leaves_its_alert(sandbox: Sandbox) -> None:
    code = """
    seen = []

    def interrupt(number, frame):
        log.error("in the signal handler")
        seen.append(handler.stats().delivered)

    class Odd:
        def __str__(self):
            signal.raise_signal(signal.SIGUSR1)
            return "odd"

    signal.signal(signal.SIGUSR1, interrupt)
    log.error("in the program %s", Odd())
    print(*seen, handler.stats().delivered, handler.flush(10), handler.stats().delivered)
    """
    ended = run(WITHOUT_THREADS + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.out) == (0, "0 1 True 2\n"), ended.err


@pytest.mark.case("P22")
def test_without_a_thread_nothing_is_sent_while_logging_holds_its_lock(sandbox: Sandbox) -> None:
    code = """
    with logging._lock:
        log.error("alpha")
        print(handler.stats().delivered)
    log.error("beta")
    print(handler.stats().delivered, handler.flush(10), handler.stats().delivered)
    """
    ended = run(WITHOUT_THREADS + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.out.split()) == (0, ["0", "1", "True", "2"]), ended.err


CHILDREN = """
import logging, logging.config, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor

CONFIG = {
    "version": 1,
    "handlers": {"wecom": {"class": "wecom_logging.WeComHandler", "rate_limit": None}},
    "loggers": {"shop": {"handlers": ["wecom"]}},
}

def begin():
    logging.config.dictConfig(CONFIG)

def work(word):
    logging.getLogger("shop").error("child %s", word)  # its last act

def begin_and_work(word):
    begin()
    work(word)

def main(kind, method):
    context = multiprocessing.get_context(method)
    begin()
    if method == "fork":  # what the parent has made goes on in the child
        target, initializer = work, None
    else:
        target, initializer = begin_and_work, begin
    logging.getLogger("shop").error("parent")
    if kind == "process":
        child = context.Process(target=target, args=("alone",))
        child.start()
        child.join(30)
        sys.exit(child.exitcode)
    if kind == "pool":
        pool = context.Pool(1, initializer)
        pool.map(work, ["alone"])
        pool.close()
        pool.join()
    else:
        with ProcessPoolExecutor(1, context, initializer) as pool:
            list(pool.map(work, ["alone"]))
"""


@pytest.mark.case("P09")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["process", "pool", "executor"])
def test_children_of_multiprocessing_that_log_as_their_last_act(
    sandbox: Sandbox, tmp_path: Path, kind: str, method: str
) -> None:
    (tmp_path / "children.py").write_text(CHILDREN)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport children; children.main({kind!r}, {method!r})"
    ended = run(code, url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    assert contents(sandbox) == ["child alone", "parent"]


@pytest.mark.case("P09")
def test_a_handler_refuses_to_be_pickled_and_shows_no_secret() -> None:
    handler = WeComHandler(corp_id="corp", agent_id=1, secret=CORP_SECRET, users=["a"])
    with pytest.raises(TypeError, match="cannot pickle") as raised:
        pickle.dumps(handler)
    assert_no_secret("".join(traceback.format_exception(raised.value)), CORP_SECRET)
    handler.close()


FORKS = """
import logging, os, random, sys, threading, time
from wecom_logging import WeComHandler
handler = WeComHandler(rate_limit=None, timeout=10)
log = logging.getLogger("shop")
log.addHandler(handler)
forks, seconds, loaders = int(os.environ["FORKS"]), float(os.environ["SECONDS"]), int(os.environ["LOADERS"])
letters = str.maketrans("0123456789", "abcdefghij")
done = threading.Event()
made = []

def tell(name, number):  # of letters only: texts that differ in numbers are the same failure
    made.append(f"a {name} {number} z,".translate(letters))
    log.error(made[-1])

def load(name):
    number = 0
    while not done.is_set():
        tell(name, number)
        number += 1
        time.sleep(0.004)

def be_a_child(number):
    made.clear()
    tell("child", number)
    tell("again", number)
    told = handler.flush(40)
    stats = handler.stats()
    os.write(1, ("".join(made) + os.linesep).encode())
    return told and (stats.accepted, stats.pending, stats.dropped) == (2, 0, {})

if loaders:
    tell("early", 0)
    handler.flush(10)
threads = [threading.Thread(target=load, args=(name,)) for name in ("first", "second")[:loaders]]
for thread in threads:
    thread.start()
tell("parent", 0)
began, pids = time.monotonic(), []
for number in range(forks):
    while time.monotonic() - began < seconds * (number + random.random()) / forks:
        pass
    if (pid := os.fork()) == 0:
        status = 9
        try:
            status = 0 if be_a_child(number) else 1
        finally:
            os._exit(status)
    pids.append(pid)
done.set()
for thread in threads:
    thread.join()
told = handler.flush(30)
os.write(1, ("".join(made) + os.linesep).encode())
statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
stats = handler.stats()
sys.exit(0 if told and not any(statuses) and (stats.accepted, stats.pending) == (len(made), 0) else 1)
"""


FORK_WARNS_NOT = ("-W", "ignore::DeprecationWarning")
"""From 3.12 on, os.fork says that threads and forks do not go together; that they do is what is tried here."""


def forked(forks: int, seconds: float, loaders: int) -> None:
    """Run a program that forks so often within so long; all that it and its children log arrives exactly once."""
    pattern = "a [a-z]+ [a-z]+ z,"
    with ScriptedWeCom() as wecom:
        ended = run(
            FORKS,
            url=wecom.url,
            timeout=55,
            args=FORK_WARNS_NOT,
            FORKS=str(forks),
            SECONDS=str(seconds),
            LOADERS=str(loaders),
        )
        told = re.findall(pattern, b"".join(wecom.bodies("/cgi-bin/message/send")).decode())
    assert (ended.status, ended.err) == (0, "")
    made = re.findall(pattern, ended.out)
    assert len(made) > 2 * forks
    assert sorted(told) == sorted(made)


@pytest.mark.case("P01", "P32")
@pytest.mark.parametrize("attempt", range(4))
def test_forks_in_the_first_moments_after_the_first_alert(attempt: int) -> None:
    forked(50, 0.3, loaders=0)


@pytest.mark.case("P02", "P32")
@pytest.mark.parametrize("attempt", range(4))
def test_forks_at_random_instants_under_load(attempt: int) -> None:
    forked(50, 1.0, loaders=2)
