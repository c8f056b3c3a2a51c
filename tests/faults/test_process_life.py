"""How processes begin, fork, multiply, are configured anew and end: nothing is lost, hangs, or is left behind."""

from __future__ import annotations

import json

import pytest

from ..programs import run
from ..scripted import ScriptedWeCom, hold, status

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
