"""An exception out of a signal handler (Ctrl-C, Celery's and RQ's soft limits) may tear a log call at any line of ours.

Every line is tried, with nothing but the public names: what is logged next is told, `flush` comes to an end, and the
books balance.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from ..programs import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

TEARING = """
import itertools, logging, os, sys, time
import wecom_logging
from wecom_logging import WeComHandler

ours = os.path.dirname(wecom_logging.__file__)
logging.getLogger("shop").propagate = False

def tear():
    raise KeyboardInterrupt

def torn(call, at, interrupt=tear, ours=ours):
    '''Make a call, and raise before the at-th line of ours in this thread; where that was, "" if there are fewer.'''
    passed, where = 0, ""
    def line(frame, event, arg):
        nonlocal passed, where
        passed += event == "line"
        if passed == at and not where:
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            interrupt()
        return line
    sys.settrace(lambda frame, event, arg: line if frame.f_code.co_filename.startswith(ours) else None)
    try:
        call()
    except KeyboardInterrupt:
        assert where
    finally:
        sys.settrace(None)
    return where

def balanced(stats):
    settled = stats.delivered + stats.merged + stats.handed_over + sum(stats.dropped.values())
    return stats.accepted == settled + stats.pending

def constant(log):
    log.error("the lamp is off")

def odd(log):
    try:
        int(log.name)  # a word
    except ValueError:
        log.exception("no price for %s", "lamp", extra={"wecom": {"fields": {"shelf": "3"}}})

def told_after(handler, call, at):
    '''The call is torn, and made again: whether it was torn, and what is wrong then.'''
    log = logging.getLogger(f"shop.{at}")
    before = handler.stats()
    where = torn(lambda: call(log), at)
    call(log)
    settled, after = handler.flush(10), handler.stats()
    accepted = after.accepted - before.accepted
    told = after.delivered + after.merged + after.handed_over - before.delivered - before.merged - before.handed_over
    right = settled and balanced(after) and not after.pending and after.delivered + after.handed_over > 0
    if where and not (right and accepted in (1, 2) and told == accepted):
        print(f"line {at} at {where}: flush {settled}, {accepted} accepted, {told} told, {after}", flush=True)
    return bool(where)
"""

FIRST_OF_A_PROCESS = """
import requests  # once, not in each child
for at in itertools.count(1):
    if not (child := os.fork()):
        handler = WeComHandler(rate_limit=None)
        logging.getLogger("shop").addHandler(handler)
        os._exit(told_after(handler, constant, at))
    if not os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        break
print("all", at > 40)
"""

FIRST_OF_A_GROUP = """
handler = WeComHandler(rate_limit=None)
logging.getLogger("shop").addHandler(handler)
constant(logging.getLogger("shop"))
handler.flush(10)
for call in (constant, odd):
    for at in itertools.count(1):
        if not told_after(handler, call, at):
            break
    print("all", at > 40)
"""

WITH_A_STATE = """
handler = WeComHandler(rate_limit=None, redact=False, state=os.environ["STATE"])  # masking is thousands of lines
logging.getLogger("shop").addHandler(handler)
for call, number in ((constant, 0), (odd, 20000)):
    for at in itertools.count(1):
        log, before = logging.getLogger(f"shop.{number + at}"), handler.stats().accepted
        where = torn(lambda: call(log), at)
        call(log)
        if handler.stats().accepted - before not in (1, 2):
            print(f"line {at} at {where}: {handler.stats().accepted - before} accepted")
        if not where:
            break
    print("all", at > 100)
settled, stats = handler.flush(60), handler.stats()
print(settled, balanced(stats), stats.pending, stats.handed_over - stats.accepted)
"""

REPEATS = """
handler = WeComHandler(rate_limit=None, window=5)
from wecom_logging._delivery import turn
from wecom_logging._incidents import policy
policy.MESSAGES = turn.WORST = 10**9  # one a minute would be too slow
logging.getLogger("shop").addHandler(handler)

letters = str.maketrans("0123456789", "abcdefghij")  # in a name that differs in numbers alone the cause is the same

def failing(call, at, told):
    return logging.getLogger(f"shop.{call.__name__}.{str(at).translate(letters)}.{told}")

for call, most in ((constant, 250), (odd, 1200)):
    for at in range(1, most):
        call(failing(call, at, True))
handler.flush(10)
for told in (True, False):
    for call in (constant, odd):
        for at in itertools.count(1):
            log = failing(call, at, told)
            if not told:
                call(log)  # it is on its way when the next is torn
            where = torn(lambda: call(log), at)
            call(log)
            if not where:
                break
        print("all", 20 < at < 1200)
ends = time.monotonic() + 300  # after ten windows a group is looked at in any case; there are thousands
while handler.stats().pending and time.monotonic() < ends:
    time.sleep(0.01)
stats = handler.stats()
print(balanced(stats), stats.pending, stats.delivered + stats.merged - stats.accepted)
"""

CROWDED = """
import threading
over, main = threading.Event(), threading.get_ident()

def redact(text):  # the worker is at something that takes long
    if threading.get_ident() != main:
        over.wait()
    return text

handler = WeComHandler(rate_limit=None, max_pending=20, redact=redact)
handler._pipeline.prepare()  # before that nobody can sort in what is queued
log = logging.getLogger("shop")
log.addHandler(handler)

numbers, letters = itertools.count(), str.maketrans("0123456789", "abcdefghij")

def large():  # another each time
    log.error("no " + str(next(numbers)).translate(letters), extra={"wecom": {"fields": {"shelf": "3"}}})

def lost():
    return handler.stats().dropped.get("queue_overflow", 0)

def in_the_crowd(every, interrupt=tear, ours=ours):
    '''Tear, or interrupt, what also sorts in what is queued, and pushes out what is too much.'''
    relieved = set()
    for at in range(1, 100000, every):
        before = lost()
        while lost() == before:  # until the queue is empty
            large()
        for _ in range(16):
            large()
        where = torn(large, at, interrupt, ours)
        relieved.add(where.partition(os.path.join("_state", "memory"))[2])
        large()
        handler.incidents()  # waits where nobody gives back what was torn from him
        stats = handler.stats()
        if not (balanced(stats) and 0 <= stats.pending <= 80):
            print(f"line {at} at {where}: {stats}", flush=True)
        if not where:
            return len(relieved - {""})

def end():
    over.set()
    settled, stats = handler.flush(30), handler.stats()
    print(settled, balanced(stats), stats.pending, set(stats.dropped) - {"rejected"})
    print(stats.dropped.get("rejected", 0) < 300)

for _ in range(40):
    large()
"""

TORN_IN_THE_CROWD = """
print(in_the_crowd(4) > 40)
end()
"""

INTERRUPTED_IN_THE_CROWD = """
def tell():
    large()
    handler.flush(0)

print(in_the_crowd(4, tell) > 40)

def overtake():  # as a signal handler that waits for what another thread does
    another = threading.Thread(target=handler._pipeline._turn.store.memory.early, args=("",))
    another.start()
    another.join()

print(in_the_crowd(90, overtake, os.path.join(ours, "_state", "memory")) > 3)
end()
"""


@pytest.mark.case("E12")
def test_the_first_record_of_a_process_is_torn_at_every_line(sandbox: Sandbox) -> None:
    ended = run(TEARING + FIRST_OF_A_PROCESS, url=sandbox.url, timeout=400)
    assert (ended.status, ended.out, ended.err) == (0, "all True\n", "")


@pytest.mark.case("E12")
def test_the_first_record_of_a_group_is_torn_at_every_line(sandbox: Sandbox) -> None:
    ended = run(TEARING + FIRST_OF_A_GROUP, url=sandbox.url, timeout=400)
    assert (ended.status, ended.out, ended.err) == (0, "all True\nall True\n", "")


@pytest.mark.case("E12")
def test_the_first_record_of_a_group_with_a_state_is_torn_at_every_line(sandbox: Sandbox, tmp_path: Path) -> None:
    ended = run(TEARING + WITH_A_STATE, url=sandbox.url, STATE=f"sqlite:///{tmp_path}/alerts.db", timeout=400)
    assert (ended.status, ended.out, ended.err) == (0, "all True\nall True\nTrue True 0 0\n", "")


@pytest.mark.case("E12")
def test_a_repeat_is_torn_at_every_line_and_all_are_told_without_being_asked_for(sandbox: Sandbox) -> None:
    ended = run(TEARING + REPEATS, url=sandbox.url, timeout=400)
    assert (ended.status, ended.out, ended.err) == (0, "all True\n" * 4 + "True 0 0\n", "")


@pytest.mark.case("E12")
@pytest.mark.parametrize("program", [TORN_IN_THE_CROWD, INTERRUPTED_IN_THE_CROWD], ids=["torn", "interrupted"])
def test_a_record_that_pushes_out_others_is_torn_or_interrupted_at_every_line(sandbox: Sandbox, program: str) -> None:
    ended = run(TEARING + CROWDED + program, url=sandbox.url, timeout=400)
    *found, books, rejected = ended.out.splitlines()
    assert (ended.status, {*found}, books, rejected) == (0, {"True"}, "True True 0 {'queue_overflow'}", "True"), ended
