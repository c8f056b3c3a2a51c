"""How processes begin, fork, multiply, are configured anew and end: nothing is lost, hangs, or is left behind."""

from __future__ import annotations

import json
import logging
import os
import pickle
import re
import signal
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import Ended, app_handler, at_best, run
from ..scripted import ScriptedWeCom, Step, after, hold, ok, status
from ..secrets import CORP_SECRET, assert_no_secret


def contents(sandbox: Sandbox) -> list[str]:
    return sorted(message["content"].splitlines()[0].rpartition(": ")[2] for message in sandbox.messages())


def told_lines(sandbox: Sandbox) -> set[str]:
    """The texts in all lines, of shared messages too."""
    lines = [line for message in sandbox.messages() for line in message["content"].splitlines()]
    return {line.rpartition(": ")[2].strip() for line in lines}


CONFIGURED_ANEW = """
import atexit, itertools, json, logging, logging.config, os, sys, threading, time
made, handlers = itertools.count(), []

def report():
    stats = {id(handler._pipeline): handler.stats() for handler in handlers}.values()  # of alike ones the same
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
most, longest, there = 0, 0, set()
for number in range(1000):
    config["handlers"]["bot"]["service"] = f"shop {number}"  # another handler each time; the app goes on as it was
    began = time.monotonic()
    logging.config.dictConfig(config)
    longest = max(longest, time.monotonic() - began)
    time.sleep(0.002)
    before, there = there, set(os.listdir("/proc/self/task"))
    most = max(most, len(there & before))  # one that ends, or was one too many, is there for a moment yet
done.set()
for thread in threads:
    thread.join()
seen = {"most": most - len(threads) - 1, "longest": longest}
if os.environ["WELL"]:
    for handler in handlers:  # what each has only counted waits for the end of the window
        handler.flush(20)

def open_sockets():
    links = [entry.path for entry in os.scandir("/proc/self/fd")]
    return sum(os.path.islink(link) and os.readlink(link).startswith("socket") for link in links)

# There are two channels, and one thread is for handlers that are closed.
while open_sockets() > 3 or len(os.listdir("/proc/self/task")) > 1 + 2 + 1:
    time.sleep(0.01)
left = time.monotonic()
"""


@pytest.mark.slow
@pytest.mark.case("P33")
@pytest.mark.parametrize("well", [True, False], ids=["well", "stalled"])
def test_a_program_configured_anew_a_thousand_times(well: bool) -> None:
    def figures() -> float:
        with ScriptedWeCom() as wecom:
            if not well:
                wecom.always("/", hold())
            ended = run(CONFIGURED_ANEW, url=wecom.url, EXIT_TIMEOUT="1", WELL="yes" if well else "")
        assert ended.status == 0, ended.err
        seen = json.loads(ended.out)
        assert seen["accepted"] == seen["made"] > 1000
        assert seen["pending"] == 0
        if well:
            assert seen["delivered"] + seen["merged"] == seen["made"]
            assert seen["dropped"] == {}
        else:
            assert set(seen["dropped"]) == {"exit_timeout"}
            assert f"{seen['dropped']['exit_timeout']} alerts were not sent within exit_timeout" in ended.err
        # Threads: as many as handlers are alive, and one; on a busy machine one that ends is seen beside the next one.
        # The network would take ten seconds; at the exit there is half a second more, for two thousand handlers.
        return max(seen["most"] - 3.0, float(seen["longest"]) - 1.0, float(seen["exit_s"]) - 2.0)

    assert at_best(figures, 0.0, tries=3) <= 0.0


@pytest.mark.slow
@pytest.mark.case("P33")
def test_closed_handlers_of_many_bots_share_one_thread_and_heal_by_themselves() -> None:
    code = """
    import logging, os, time, urllib.request
    from wecom_logging import WeComBotHandler
    handlers = [WeComBotHandler(webhook=f"key-{number}", exit_timeout=1) for number in range(30)]
    for handler in handlers:
        handler.handle(logging.LogRecord("shop", 40, "shop.py", 1, "disk full", (), None))
        handler.close()
    while len(os.listdir("/proc/self/task")) > 2:
        time.sleep(0.01)
    print(sum(handler.stats().pending for handler in handlers), flush=True)
    urllib.request.urlopen(os.environ["WECOM_API_BASE"] + "/mend").close()
    while any(handler.stats().pending for handler in handlers):
        time.sleep(0.01)
    while len(os.listdir("/proc/self/task")) > 1:
        time.sleep(0.01)
    print(sum(handler.stats().delivered for handler in handlers))
    """
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/webhook/send", status(502))
        wecom.always("/mend", Step("mend", lambda line: wecom.mend() or ok().act(line)))
        ended = run(code, url=wecom.url)
    pending, delivered = map(int, ended.out.split())
    assert pending > 0
    assert delivered == 30


WITHOUT_THREADS = """
import atexit, logging, os, resource, signal, sys, time
from wecom_logging import WeComHandler
from wecom_logging._wecom.http import load_libraries
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


@pytest.mark.slow
@pytest.mark.case("P22")
def test_without_a_thread_alerts_wait_until_there_is_one_and_hold_nobody_up(sandbox: Sandbox) -> None:
    code = """
    assert max(log_for(text) for text in ("alpha", "beta", "gamma", "delta")) < 1
    assert (handler.stats().pending, handler.stats().delivered, threads()) == (4, 0, 1)
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


@pytest.mark.slow
@pytest.mark.case("P22")
def test_repeats_alone_find_out_that_there_is_a_thread_again(sandbox: Sandbox) -> None:
    code = """
    for number in range(1000):
        log_for("alpha")
    assert (handler.stats().delivered, threads()) == (0, 1)
    resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    while threads() == 1:
        log_for("alpha")
        time.sleep(0.01)
    assert handler.flush(10)
    print(handler.stats().accepted - handler.stats().merged)
    """
    ended = run(WITHOUT_THREADS + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.out, ended.err) == (0, "1\n", "")


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


@pytest.mark.slow
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
from wecom_logging._incidents import limits
limits.MESSAGES = 10**9  # each is to have a text of its own, in whatever message
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


@pytest.mark.slow
@pytest.mark.case("P01", "P32")
@pytest.mark.parametrize("attempt", range(4))
def test_forks_in_the_first_moments_after_the_first_alert(attempt: int) -> None:
    forked(50, 0.3, loaders=0)


@pytest.mark.slow
@pytest.mark.case("P02", "P32")
@pytest.mark.parametrize("attempt", range(4))
def test_forks_at_random_instants_under_load(attempt: int) -> None:
    forked(50, 1.0, loaders=2)


SET_UP = """
import asyncio, atexit, gc, logging, os, random, signal, subprocess, sys, threading, time
from wecom_logging import WeComHandler
handler = WeComHandler(rate_limit=None, exit_timeout=float(os.environ.get("EXIT_TIMEOUT", "20")), timeout=10)
log = logging.getLogger("shop")
log.addHandler(handler)
"""


def program(body: str, **more: Any) -> Ended:
    return run(SET_UP + textwrap.dedent(body), **more)


@pytest.fixture
def stalled() -> Iterator[str]:
    """The address of a WeCom that takes requests and never answers."""
    with ScriptedWeCom() as wecom:
        wecom.always("/", hold())
        yield wecom.url


@pytest.fixture
def refused() -> str:
    """An address where nobody listens."""
    with ScriptedWeCom() as gone:
        return gone.url


@pytest.mark.case("P03")
def test_grandchildren_tell_their_own(sandbox: Sandbox) -> None:
    code = """
    def descend(generation):
        log.error("generation " + "abcd"[generation])
        status = 0
        if generation < 3:
            pid = os.fork()
            if pid == 0:
                os._exit(descend(generation + 1))
            log.error("parent of " + "abcd"[generation + 1])
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status or (0 if handler.flush(10) and handler.stats().delivered == 2 - (generation == 3) else 1)
    sys.exit(descend(0))
    """
    ended = program(code, url=sandbox.url, args=FORK_WARNS_NOT)
    assert (ended.status, ended.err) == (0, "")
    assert contents(sandbox) == [*(f"generation {x}" for x in "abcd"), *(f"parent of {x}" for x in "bcd")]


@pytest.mark.slow
@pytest.mark.case("P08")
def test_a_child_forked_without_hooks_that_logs_nothing_does_not_wait_for_what_its_parent_has(stalled: str) -> None:
    code = """
    import ctypes
    libc = ctypes.PyDLL(None)
    log.error("lost")
    began = time.monotonic()
    if libc.fork() == 0:
        sys.exit(3 if handler.flush(10) and handler.stats().accepted == 0 else 4)
    status = os.waitstatus_to_exitcode(os.wait()[1])
    print(status, time.monotonic() - began < 5)
    os._exit(0)
    """
    ended = program(code, url=stalled, EXIT_TIMEOUT="10")
    assert (ended.out.split(), ended.err) == (["3", "True"], "")


@pytest.mark.slow
@pytest.mark.case("P04")
def test_other_programs_started_while_logging_neither_hang_nor_inherit(sandbox: Sandbox) -> None:
    code = """
    log.error("the first")
    handler.flush(10)  # there is a connection now
    done = threading.Event()
    def load():
        while not done.is_set():
            log.error("load")
            time.sleep(0.001)
    thread = threading.Thread(target=load)
    thread.start()
    for number in range(70):
        subprocess.run(["true"], check=True, close_fds=False)
        subprocess.Popen(["true"], preexec_fn=os.getpid).wait(20)
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
    listing = ["ls", "-l", "/proc/self/fd"]
    print("socket" in subprocess.run(listing, check=True, close_fds=False, capture_output=True, text=True).stdout)
    done.set()
    thread.join()
    print(handler.flush(20), handler.stats().pending)
    """
    ended = program(code, url=sandbox.url)
    assert (ended.status, ended.out.split(), ended.err) == (0, ["False", "True", "0"], "")


@pytest.mark.slow
@pytest.mark.case("P11", "P12")
@pytest.mark.parametrize("how", ["refused", "stalled"])
@pytest.mark.parametrize(("ending", "status"), [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_an_exit_without_wecom_takes_its_timeout_and_keeps_its_code(
    request: pytest.FixtureRequest, how: str, ending: str, status: int
) -> None:
    code = f"""
    atexit._clear()  # the measuring comes first
    atexit.register(lambda: print(time.monotonic() - began))
    from wecom_logging._runtime import worker
    atexit.register(worker._exit.hook)
    for letter in "abcdefghijklmnopqrst":
        log.error("lost " + letter)
    began = time.monotonic()
    {ending}
    """

    def exit_s() -> float:
        ended = program(code, url=request.getfixturevalue(how), EXIT_TIMEOUT="0.5")
        assert ended.status == status
        assert "20 alerts were not sent within exit_timeout (0.5 s)" in ended.err
        assert ended.err.count("Traceback") == (status == 1)
        return float(ended.out)

    assert at_best(exit_s, 1.0) <= 1.0


@pytest.mark.slow
@pytest.mark.case("P12")
def test_an_exit_with_many_handlers_takes_the_timeout_of_one(stalled: str) -> None:
    code = """
    from wecom_logging import WeComBotHandler
    for number in range(40):
        log.addHandler(WeComBotHandler(webhook=f"key-{number}", exit_timeout=1))
    for number in range(100):
        log.error("lost")
    began = time.monotonic()
    """
    measure = "import atexit, time\natexit.register(lambda: print(time.monotonic() - began))\n"

    def exit_s() -> float:
        ended = run(measure + SET_UP + textwrap.dedent(code), url=stalled, fresh=True, EXIT_TIMEOUT="1")
        assert ended.status == 0
        assert "4100 alerts were not sent" in ended.err
        return float(ended.out)

    assert at_best(exit_s, 1.5) <= 1.5


@pytest.mark.slow
@pytest.mark.case("P12")
def test_a_log_call_after_the_exit_hook_waits_until_exit_timeout_is_over_and_no_longer(stalled: str) -> None:
    code = """
    import atexit, logging, time
    def late():  # runs after the package's own hook, and before that of logging
        began = time.monotonic()
        for letter in "abcdefghijklmnopqrst":
            log.error("late " + letter)
        print(time.monotonic() - began)
    atexit.register(late)
    """

    def late_s() -> float:
        ended = run(textwrap.dedent(code) + SET_UP, url=stalled, fresh=True, EXIT_TIMEOUT="0.5")
        assert "16 alerts were not sent" in ended.err  # the last line about them
        return float(ended.out)

    assert 0.2 < at_best(late_s, 1.0) <= 1.0


@pytest.mark.slow
@pytest.mark.case("P10", "E12")
def test_a_signal_handler_that_logs_amid_any_step_of_the_exit_loses_nothing_and_waits_for_nothing(
    sandbox: Sandbox,
) -> None:
    """Each child gets the signal at another call of the exit hook."""
    first = """
    import atexit, time
    def report():  # runs after the package's own
        sys.setprofile(None)  # an alert that comes amid this look is settled, and stands in one half of the numbers
        stats = handler.stats()
        print(bool(left > 0), stats.accepted - stats.delivered, round(time.monotonic() - began), flush=True)
        os._exit(0)
    """
    code = """
    signal.signal(signal.SIGUSR1, lambda *_: log.error("late"))
    def amid(frame, event, arg):
        global left
        if left > 0 and event == "call" and frame.f_code.co_filename.startswith(ours):
            left -= 1
            if left == 0:
                signal.raise_signal(signal.SIGUSR1)
    ours = os.path.dirname(sys.modules["wecom_logging"].__file__)
    for left in range(1, 250, 5):
        child = os.fork()
        if not child:
            log.error("early")
            handler.flush(20)
            began = time.monotonic()
            atexit.register(sys.setprofile, amid)
            break
        os.waitpid(child, 0)
    else:
        os._exit(0)
    """
    ended = run(
        textwrap.dedent(first) + "atexit.register(report)\n" + SET_UP + textwrap.dedent(code),
        url=sandbox.url,
        EXIT_TIMEOUT="20",
    )
    ends = ended.out.splitlines()
    assert ended.err == ""
    assert len(ends) == 50
    assert ends.count("False 0 0") > 30  # where the signal came
    assert [line for line in ends if line.split()[1:] != ["0", "0"]] == []


@pytest.mark.slow
@pytest.mark.case("P12", "P20")
def test_what_is_logged_between_the_last_look_and_the_end_is_lost_with_a_line(stalled: str) -> None:
    first = """
    import atexit
    def report():  # runs after the package's own
        stats = handler.stats()
        print(stats.pending, stats.accepted, *stats.dropped.items())
    atexit.register(report)
    """
    code = """
    from wecom_logging._runtime import worker
    looked = threading.Event()
    def tell(text):
        log.error("from the end: " + text)
    def tell_late(frame, event, arg):  # in the very moment of the last look
        if event == "return" and frame.f_code is worker.Worker.finish.__code__:
            sys.setprofile(None)
            tell("late")
            looked.set()
            for thread in threads:
                thread.join(20)
    def go_on():
        looked.wait(20)
        for _ in range(20):
            tell("and on")
    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    tell("early")
    sys.setprofile(tell_late)
    """
    ended = run(textwrap.dedent(first) + SET_UP + textwrap.dedent(code), url=stalled, EXIT_TIMEOUT="0.3")
    lost = int(
        re.findall(r"(\d+) alerts? w[a-z]+ not sent within exit_timeout \(0.3 s\): (?:it is|they are) lost", ended.err)[
            -1
        ]
    )
    assert ended.out == "0 42 ('exit_timeout', 42)\n", ended.err
    assert 1 <= lost <= 42  # how many were there when that was said; the books have all
    assert len(ended.err.splitlines()) <= 15


@pytest.mark.case("P13")
@pytest.mark.parametrize("how", ["sandbox", "stalled"])
def test_sigterm_as_it_is_ends_the_program_at_once(request: pytest.FixtureRequest, how: str) -> None:
    server = request.getfixturevalue(how)
    url = server if isinstance(server, str) else server.url
    code = """
    log.error("perhaps")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
    """
    ended = program(code, url=url)
    assert (ended.status, ended.err) == (-signal.SIGTERM, "")


@pytest.mark.slow
@pytest.mark.case("P14")
def test_sigterm_with_a_handler_that_exits_is_an_exit_like_any(sandbox: Sandbox, stalled: str) -> None:
    code = """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    log.error("told")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
    """
    ended = program(code, url=sandbox.url)
    assert (ended.status, ended.err) == (3, "")
    assert contents(sandbox) == ["told"]
    ended = program(code, url=stalled, fresh=True, EXIT_TIMEOUT="1")
    assert ended.status == 3
    assert "1 alert was not sent within exit_timeout (1 s)" in ended.err


@pytest.mark.slow
@pytest.mark.case("P15")
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_the_exit_waits(stalled: str, times: int) -> None:
    code = f"""
    def interrupt():
        while not worker._exit.begun:
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
    def once_more(frame, event, arg):
        if frame.f_code is worker.Worker.finish.__code__:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)
    from wecom_logging._runtime import worker
    log.error("lost")
    threading.Thread(target=interrupt, daemon=True).start()
    sys.setprofile(once_more if {times} == 2 else None)
    """
    ended = program(code, url=stalled, EXIT_TIMEOUT="30")
    assert ended.seconds < 20
    assert ("Traceback" in ended.err, "1 alert was not sent" in ended.err) == (False, True)


@pytest.mark.case("P15")
def test_ctrl_c_ends_a_flush(stalled: str) -> None:
    code = """
    def interrupt():
        while not handler._pipeline._worker._waiters:
            time.sleep(0.01)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    sent = []
    log.error("lost")
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        handler.flush(20)
    except KeyboardInterrupt:
        print(time.monotonic() - sent[0])
    """
    ended = program(code, url=stalled, EXIT_TIMEOUT="0.2")
    assert ended.status == 0
    assert float(ended.out) < 5  # of twenty


@pytest.mark.case("P17")
def test_os_exit_straight_after_the_record_keeps_its_code(stalled: str) -> None:
    ended = program("log.error('lost')\nos._exit(5)", url=stalled)
    assert (ended.status, ended.err) == (5, "")


@pytest.mark.case("P17")
@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "os.execv('/bin/true', ['true'])",
        # A daemon that detaches; from 3.12 on, Python warns of a fork beside a thread.
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)",
    ],
    ids=["_exit", "execv", "daemon"],
)
def test_a_flush_before_an_end_that_skips_pythons_exit(end: str) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/message/send", after(0.3, ok()))
        told = []
        for help_it in ("", "handler.flush()\n"):
            ended = program(f"log.error('order {'helped' if help_it else 'lost'}')\n{help_it}{end}", url=wecom.url)
            assert (ended.status, ended.err) == (0, "")
            bodies = b"".join(wecom.bodies("/cgi-bin/message/send")).decode()
            told += re.findall("order (helped)", bodies)
    assert told == ["helped"]


@pytest.mark.slow
@pytest.mark.case("P18")
def test_excepthooks_of_the_program_tell_and_ctrl_c_is_no_alert(sandbox: Sandbox) -> None:
    code = """
    def sys_hook(kind, error, trace):
        if not issubclass(kind, KeyboardInterrupt):
            log.error("sys " + kind.__name__, exc_info=(kind, error, trace))
        sys.__excepthook__(kind, error, trace)
    sys.excepthook = sys_hook
    threading.excepthook = lambda args: log.error("threading " + args.exc_type.__name__)
    sys.unraisablehook = lambda args: log.error("unraisable " + args.exc_type.__name__)

    class Bad:
        def __del__(self):
            raise IndexError

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: log.error("asyncio"))
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: {}["x"])
    thread.start()
    thread.join()
    Bad()
    asyncio.run(main())
    raise {error}
    """
    ended = program(code.replace("{error}", "ValueError('shown')"), url=sandbox.url)
    assert ended.status == 1
    assert ended.err.rstrip().endswith("ValueError: shown")
    expected = ["asyncio", "threading KeyError", "unraisable IndexError"]
    assert contents(sandbox) == sorted([*expected, "shown"])  # sys ValueError: shown
    ended = program(code.replace("{error}", "KeyboardInterrupt"), url=sandbox.url)
    assert ended.status != 0
    assert contents(sandbox) == sorted([*expected, *expected, "shown"])


@pytest.mark.case("P19")
def test_atexit_functions_that_log_early_and_late(sandbox: Sandbox) -> None:
    code = """
    import atexit
    def tell(text):
        import logging
        logging.getLogger("shop").error(text)
    atexit.register(tell, "before logging was imported")
    import logging
    atexit.register(tell, "before the handler was made")
    """
    more = """
    atexit.register(tell, "after the handler was made")
    log.error("from the program")
    """
    ended = run(textwrap.dedent(code) + SET_UP + textwrap.dedent(more), url=sandbox.url, fresh=True)
    assert ended.status == 0
    assert contents(sandbox) == ["after the handler was made", "before the handler was made", "from the program"]
    (line,) = ended.err.splitlines()  # by then logging has closed all handlers
    assert "the handler is closed" in line


@pytest.mark.slow
@pytest.mark.case("P20")
@pytest.mark.parametrize("attempt", range(4))
def test_daemon_threads_and_finalisers_that_log_while_the_interpreter_ends(sandbox: Sandbox, attempt: int) -> None:
    code = """
    def load(name):
        while True:
            log.error("from a daemon thread " + name)
    for name in "abc":
        threading.Thread(target=load, args=(name,), daemon=True).start()
    class Late:
        def __del__(self):
            log.error("from a finaliser")
    late, circle = Late(), Late()
    circle.me = circle
    time.sleep(random.random() / 10)
    """
    ended = program(code, url=sandbox.url, EXIT_TIMEOUT="0.3")
    assert ended.status == 0, ended.err
    assert "Traceback" not in ended.err
    assert "Fatal" not in ended.err


@pytest.mark.case("P21")
def test_close_twice_and_whatever_comes_after_it(sandbox: Sandbox) -> None:
    closes: list[bool] = []

    def redact(text: str) -> str:
        if "close" in text and not closes:
            closes.append(handler.flush(10))  # the worker cannot wait for itself
            handler.close()
        return text

    handler = app_handler(sandbox.url, redact=redact)
    handler.handle(logging.LogRecord("shop", 40, "shop.py", 1, "close in the worker", (), None))
    assert handler.flush(10)
    handler.close()
    handler.handle(logging.LogRecord("shop", 40, "shop.py", 2, "after close", (), None))
    began = time.monotonic()
    assert handler.flush()
    assert time.monotonic() - began < 4.0  # of five
    handler.close()
    stats = handler.stats()
    assert closes == [False]
    assert (stats.accepted, stats.delivered, dict(stats.dropped)) == (2, 1, {"closed": 1})


GEVENT = """
from gevent import monkey
import gevent
def in_greenlets():
    jobs = [gevent.spawn(log.error, "greenlet " + letter) for letter in "abcdefghijklmnopqrst"]
    gevent.joinall(jobs, timeout=20)
    ends = time.monotonic() + 1
    while time.monotonic() < ends:  # keeps the loop to itself
        pass
    began = time.monotonic()
    print(handler.flush(20), handler.stats().delivered, handler.stats().pending)
"""


@pytest.mark.slow
@pytest.mark.case("P23")
@pytest.mark.parametrize("when", ["before the import", "before the first alert", "after the first alert"])
def test_gevent_whenever_it_patches(sandbox: Sandbox, when: str) -> None:
    patch = "monkey.patch_all()\n"
    code = {
        "before the import": GEVENT + patch + SET_UP,
        "before the first alert": SET_UP + GEVENT + patch,
        "after the first alert": SET_UP + "log.error('the first'); handler.flush(10)\n" + GEVENT + patch,
    }[when]
    ended = run(code + "in_greenlets()\nlog.error('at exit')", url=sandbox.url, fresh=True, EXIT_TIMEOUT="5")
    assert ended.status == 0, ended.err
    assert "Traceback" not in ended.err
    number = 21 if when == "after the first alert" else 20
    assert ended.out.split() == ["True", str(number), "0"]
    if when == "after the first alert" and sys.version_info[:2] == (3, 12):
        assert "1 alert was not sent" in ended.err  # gevent's resolver needs a thread, and this Python starts none then
    else:
        assert "at exit" in contents(sandbox)
    assert {f"greenlet {letter}" for letter in "abcdefghijklmnopqrst"} <= told_lines(sandbox)


@pytest.mark.slow
@pytest.mark.case("P23")
def test_gevent_and_a_stalled_wecom_cost_the_exit_its_timeout(stalled: str) -> None:
    code = "from gevent import monkey; monkey.patch_all()\n" + SET_UP
    measure = "import atexit, time\natexit.register(lambda: print(time.monotonic() - began))\n"

    def exit_s() -> float:
        ended = run(
            measure + code + "log.error('lost')\nbegan = time.monotonic()", url=stalled, fresh=True, EXIT_TIMEOUT="1"
        )
        assert ended.status == 0
        assert "1 alert was not sent" in ended.err
        return float(ended.out)

    assert at_best(exit_s, 1.5) <= 1.5


@pytest.mark.slow
@pytest.mark.case("P23")
def test_greenlets_that_wait_for_the_same_token_after_gevent_came_do_not_stop_each_other() -> None:
    code = """
    from gevent import monkey
    import gevent
    from wecom_logging import WeComClient
    client = WeComClient()
    monkey.patch_all()
    log.error("from the program")
    jobs = [gevent.spawn(client.messages.send, "by hand", users=["a"]) for _ in range(3)]
    print(len(gevent.joinall(jobs, timeout=10)), [job.exception for job in jobs], handler.flush(10))
    """
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/gettoken", after(0.3, ok(access_token="t", expires_in=7200)))
        ended = program(code, url=wecom.url, fresh=True)
        assert (ended.status, ended.out) == (0, "3 [None, None, None] True\n"), ended.err
        assert wecom.paths().count("gettoken") == 1


@pytest.mark.slow
@pytest.mark.case("P24")
def test_the_loop_of_asyncio_does_not_lag_while_wecom_stalls(stalled: str) -> None:
    code = """
    async def main():
        loop, lags = asyncio.get_running_loop(), []
        async def watch():
            while not done.is_set():
                began = loop.time()
                await asyncio.sleep(0.005)
                lags.append(loop.time() - began - 0.005)
        done = asyncio.Event()
        watching = asyncio.create_task(watch())
        for number in range(1000):
            log.error("broken %d", number) if number % 2 else log.error("broken " + "abcdefghij"[number % 10])
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)
        done.set()
        await watching
        print(max(lags))
    asyncio.run(main())
    """

    def lag_s() -> float:
        ended = program(code, url=stalled, EXIT_TIMEOUT="0.2")
        assert ended.status == 0
        return float(ended.out)

    assert at_best(lag_s, 0.2) <= 0.2


@pytest.mark.slow
@pytest.mark.case("P26")
def test_threads_that_switch_all_the_time_leave_the_books_exact(sandbox: Sandbox) -> None:
    code = """
    sys.setswitchinterval(1e-6)
    made = 40 * 1000
    def load(name):
        for number in range(1000):
            log.error("from a thread " + name[number % 3:] + " %d", number)
    threads = [threading.Thread(target=load, args=("abc" * 2,)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(0.005)
    told = handler.flush(20)
    stats = handler.stats()
    print(told, stats.accepted == made, stats.delivered + stats.merged == made, stats.pending)
    """
    ended = program(code, url=sandbox.url)
    assert (ended.status, ended.out.split(), ended.err) == (0, ["True", "True", "True", "0"], "")


@pytest.mark.slow
@pytest.mark.case("P27")
def test_no_memory_costs_records_but_neither_the_program_nor_the_worker(sandbox: Sandbox) -> None:
    code = """
    import resource
    log.error("the first")
    assert handler.flush(10)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 24 * 2**20, resource.RLIM_INFINITY))
    class Large:
        def __str__(self):
            return "x" * (32 * 2**20)
    for number in range(20):
        log.error("large %s", Large())
        log.error("half %s", "y" * (5 * 2**20))
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.error("the last")
    told = handler.flush(20)
    stats = handler.stats()
    print(told, stats.accepted, stats.delivered + stats.merged + sum(stats.dropped.values()), stats.pending)
    """
    ended = program(code, url=sandbox.url)
    assert (ended.status, ended.out.split()) == (0, ["True", "42", "42", "0"]), ended.err
    assert "the last" in contents(sandbox)


@pytest.mark.slow
@pytest.mark.case("P28")
def test_a_program_that_was_stopped_goes_on(sandbox: Sandbox) -> None:
    code = """
    def resume():
        time.sleep(1)
        os.kill(parent, signal.SIGCONT)
        os._exit(0)
    log.error("before")
    handler.flush(10)
    parent = os.getpid()
    log.error("on its way")
    if os.fork() == 0:
        resume()
    os.kill(parent, signal.SIGSTOP)
    log.error("after")
    print(handler.flush(10), handler.stats().delivered)
    """
    ended = program(code, url=sandbox.url, args=FORK_WARNS_NOT)
    assert (ended.status, ended.out.split(), ended.err) == (0, ["True", "3"], "")


@pytest.mark.case("P29")
@pytest.mark.skipif(os.getuid() != 0, reason="only root has rights to drop")
def test_rights_dropped_and_the_working_directory_removed(sandbox: Sandbox, tmp_path: Path) -> None:
    code = f"""
    os.chdir({str(tmp_path)!r})
    log.error("before")
    handler.flush(10)
    os.rmdir({str(tmp_path)!r})
    os.setgid(65534)
    os.setuid(65534)
    log.error("after")
    print(handler.flush(10), handler.stats().delivered)
    """
    ended = program(code, url=sandbox.url)
    assert (ended.status, ended.out.split(), ended.err) == (0, ["True", "2"], "")


@pytest.mark.slow
@pytest.mark.case("P31")
@pytest.mark.parametrize("how", ["full", "broken", "all closed"])
def test_a_stderr_that_takes_nothing_holds_nobody_up(refused: str, how: str) -> None:
    code = f"""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    if {how!r} == "full":
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writing, True)
    else:
        os.close(reading)
    out = os.dup(1)
    os.dup2(writing, 2)
    if {how!r} == "all closed":
        os.closerange(0, 3)
    for number in range(100):
        began = time.monotonic()
        log.error("lost")
        assert time.monotonic() - began < 20  # a pipe that is full holds up for good
    os.write(out, b"alive")
    """
    ended = program(code, url=refused, EXIT_TIMEOUT="0.3")
    assert ended.out == "alive"
