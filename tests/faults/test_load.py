"""Storms, each in a process of its own: the books are exact, memory is bounded, what matters comes first."""

from __future__ import annotations

import json
import textwrap

import pytest

from tools.loops import KINDS, STORES
from tools.soak import soak

from ..programs import Ended, run
from ..scripted import ScriptedWeCom, after, hold, ok

pytestmark = pytest.mark.slow

SET_UP = """
import logging, os, threading, time
from wecom_logging import WeComBotHandler, WeComHandler

def memory(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) / 1024

def letters(number):
    text = ""
    while number or not text:
        number, rest = divmod(number, 26)
        text += chr(97 + rest)
    return "x" + text

log = logging.getLogger("shop")
log.propagate = False

def warm_up(handler):
    log.addHandler(handler)
    log.error("the first loads all that is needed")
    assert handler.flush(30)
    return memory("VmHWM")

def books(handler):
    stats = handler.stats()
    settled = stats.delivered + stats.merged + stats.handed_over + sum(stats.dropped.values())
    assert stats.accepted == settled + stats.pending, stats
    return stats
"""


MEASURES = "import json; from tools.loops import measure; print(json.dumps([*measure(*{given})]))"


def program(code: str, wecom: ScriptedWeCom) -> Ended:
    ended = run(SET_UP + textwrap.dedent(code), url=wecom.url)
    assert ended.status == 0, ended.err
    return ended


@pytest.mark.case("L01")
def test_a_million_equal_errors_are_three_messages_with_the_exact_number() -> None:
    code = """
    handler = WeComBotHandler()
    before = warm_up(handler)
    record = log.makeRecord("shop", logging.ERROR, "pay.py", 88, "order %d cannot be priced", (1,), None)
    def storm():
        for _ in range(250_000):
            log.handle(record)
    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(handler.flush(30), books(handler).accepted, books(handler).pending, memory("VmHWM") - before < 30)
    """
    with ScriptedWeCom() as wecom:
        ended = program(code, wecom)
        contents = [request.json["markdown"]["content"] for request in wecom.requests]
    assert ended.out.split() == ["True", "1000001", "0", "True"], ended.err
    assert len(contents) - 1 <= 3
    assert "1000000 in all" in contents[-1]


@pytest.mark.case("L02")
def test_many_different_errors_are_bounded_and_counted_and_the_worker_goes_on() -> None:
    code = """
    handler = WeComBotHandler(rate_limit=None, max_pending=1000)
    before = warm_up(handler)
    for number in range(20_000):
        log.error(f"different {letters(number)}")
    log.critical("after the storm")
    print(handler.flush(30), books(handler).accepted, books(handler).pending, memory("VmHWM") - before < 46)
    """
    with ScriptedWeCom() as wecom:
        ended = program(code, wecom)
        told = b"".join(wecom.bodies("/cgi-bin/webhook/send"))
    assert ended.out.split() == ["True", "20002", "0", "True"], ended.err
    assert b"after the storm" in told
    assert b"different" in told


@pytest.mark.case("L03")
def test_sixty_four_threads_leave_the_books_exact() -> None:
    code = """
    handler = WeComBotHandler(rate_limit=None)
    warm_up(handler)
    def storm(own):
        for number in range(1000):
            log.error("thread %d failed", own)
            log.error(f"different {letters(own * 1000 + number % 20)}")
    threads = [threading.Thread(target=storm, args=(own,)) for own in range(64)]
    for thread in threads: thread.start()
    while any(thread.is_alive() for thread in threads):
        assert handler.stats().pending >= 0
        threads[-1].join(0.01)
    for thread in threads: thread.join()
    print(handler.flush(30), books(handler).accepted, books(handler).pending, dict(books(handler).dropped))
    """
    with ScriptedWeCom() as wecom:
        ended = program(code, wecom)
    assert ended.out.split() == ["True", "128001", "0", "{}"], ended.err


@pytest.mark.case("L04")
def test_two_hundred_alerts_of_five_megabytes_and_a_slow_server_are_bounded_by_bytes() -> None:
    code = """
    handler = WeComBotHandler(rate_limit=None, exit_timeout=0.5)
    before = warm_up(handler)
    for number in range(200):
        log.error(f"different {letters(number)} " + "word " * 1_000_000)
    grown, stats = memory("VmHWM") - before, books(handler)
    print(stats.accepted, grown < 16 + 30 + 15, handler.stats().pending > 0)  # 15: three copies of one text
    """
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/webhook/send", ok())
        wecom.always("/cgi-bin/webhook/send", after(2, ok()))
        ended = program(code, wecom)
    assert ended.out.split() == ["201", "True", "True"], ended.err
    assert "not sent within exit_timeout" in ended.err


@pytest.mark.case("N05", "L04")
def test_no_call_waits_for_a_wecom_that_never_answers_and_memory_is_bounded() -> None:
    code = """
    handler = WeComBotHandler(rate_limit=None, exit_timeout=0.2)
    before, large, took = warm_up(handler), "word " * 12_000, []
    for number in range(2000):
        text = f"different {letters(number)} {large if number % 5 == 4 else ''}"
        began = time.thread_time()  # of this thread alone: what else runs on the machine does not count
        log.error("order %d cannot be priced", number) if number % 5 < 3 else log.error(text)
        took.append(time.thread_time() - began)
    grown = memory("VmHWM") - before
    took.sort()
    quick, stats = took[-20] < 0.005 and took[-1] < 0.05, books(handler)
    print(quick, grown < 16 + 30, stats.accepted == 2001, stats.delivered)
    """
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/webhook/send", ok())
        wecom.always("/cgi-bin/webhook/send", hold())
        ended = program(code, wecom)
    assert ended.out.split() == ["True", "True", "True", "1"], ended.err


@pytest.mark.case("L05")
def test_a_critical_in_a_storm_of_warnings_is_seen_within_ten_seconds() -> None:
    code = """
    handler = WeComBotHandler(exit_timeout=0.5)
    warm_up(handler)
    over = threading.Event()
    def storm():
        number = 0
        while not over.is_set():
            log.warning(f"different {letters(number)}")
            number += 1
    threads = [threading.Thread(target=storm) for _ in range(2)]
    for thread in threads: thread.start()
    while handler.stats().delivered < 5: pass  # from now on messages are shared, and evenly spaced
    log.critical("the database is gone")
    print(time.monotonic(), flush=True)
    over.wait(float(os.environ["STORM_S"]))
    over.set()
    for thread in threads: thread.join()
    """
    with ScriptedWeCom() as wecom:
        ended = run(SET_UP + textwrap.dedent(code), url=wecom.url, STORM_S="9")
        arrived = next(request.time for request in wecom.requests if b"the database is gone" in request.body)
    assert arrived - float(ended.out) < 10


@pytest.mark.case("L06")
def test_records_below_the_level_cost_no_thread_and_no_memory() -> None:
    code = """
    handler = WeComBotHandler(level="ERROR")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    before = memory("VmRSS")
    for number in range(300_000):
        log.debug("below the level %d", number)
    print(books(handler).accepted, memory("VmRSS") - before < 5, len(os.listdir("/proc/self/task")))
    """
    with ScriptedWeCom() as wecom:
        ended = program(code, wecom)
        assert wecom.connections == 0
    assert ended.out.split() == ["0", "True", "1"]


@pytest.mark.case("L07", "L08")
@pytest.mark.parametrize("slow", [False, True], ids=["faults", "slow server"])
def test_the_soak_itself_runs(slow: bool) -> None:
    report = soak(seconds=2.0, life_s=0.7, slow=slow)
    assert report.problems() == []
    assert report.accepted > 20


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("store", STORES)
def test_hundreds_of_incidents_of_a_kind_are_a_few_turns_and_messages(store: str, kind: str) -> None:
    steps = ["incidents", "click", "due", "idle", "flush"]
    if kind == "taken":
        steps.remove("flush")  # who flushes waits for a line about each, by WeCom's limits
    measured = run(MEASURES.format(given=(store, kind, 400, steps)))
    assert measured.status == 0, measured.err
    found = {one["step"]: one for one in json.loads(measured.out)}
    turns = {name: one["turns"] for name, one in found.items()}
    assert turns.pop("incidents") == 400
    assert turns.pop("idle") <= (400 if kind != "taken" else 1200)  # of the bot and of the AI bot, each a few a second
    assert max(turns.values()) <= 15, turns
    assert sum(one["messages"] for name, one in found.items() if (kind, name) != ("taken", "idle")) <= 15  # lines
    assert max(one["MB"] for one in found.values()) < 10
