"""What a disk may hold up is looked at while garbage is collected and threads come and go: nothing stops."""

from __future__ import annotations

import threading
import time

import pytest

from wecom_logging._runtime import forks
from wecom_logging._runtime.bounded import _LOOK_S, _MOST_LOOKS, Bounded

from ..programs import at_best, run

LOOKS = """
import _thread, contextlib, gc, os, threading, time
from wecom_logging._runtime.bounded import Bounded

class Socket:  # its finaliser lets other threads run, as that of a real one does
    def __del__(self):
        time.sleep(0.0005)

def start_threads():  # each takes the lock of the list of threads
    while True:
        try:
            _thread.start_new_thread(int, ())
        except RuntimeError:  # there are too many for a moment
            time.sleep(0.001)

threading.Thread(target=start_threads, daemon=True).start()
bounded = Bounded()

def write():  # to a disk that does not answer
    with contextlib.suppress(TimeoutError):
        bounded.call(threading.Event().wait)

_thread.start_new_thread(write, ())
while bounded._doing is None:
    time.sleep(0.001)
gc.disable()
gc.set_threshold(1)
for _ in range(100):
    one = Socket()
    one.itself = one
    del one
    gc.enable()
    assert bounded._place()
    assert gc.isenabled()
    gc.disable()
assert bounded._place() and not gc.isenabled()
os.write(1, b"over")
os._exit(0)
"""


def test_garbage_that_is_collected_while_a_caller_looks_stops_nothing() -> None:
    ended = run(LOOKS, fresh=True, timeout=60)
    assert (ended.status, ended.out, ended.err) == (0, "over", "")


def test_work_that_gets_on_and_does_not_end_is_given_up_after_all_looks() -> None:
    most_s = _LOOK_S * _MOST_LOOKS

    def waited_s() -> float:
        bounded, over = Bounded(), threading.Event()

        def work() -> None:  # like a disk that takes one small piece after the other
            while not over.is_set():
                time.sleep(_LOOK_S / 3)
                over.wait(_LOOK_S / 3)

        began = time.monotonic()
        with pytest.raises(TimeoutError, match="the disk does not answer"):
            bounded.call(work)
        waited = time.monotonic() - began
        over.set()
        return waited

    assert most_s / 2 < at_best(waited_s, 2 * most_s) <= 2 * most_s


def test_where_uwsgi_will_fork_the_caller_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python 3.13 on a worker ends with a segmentation fault where a thread waited in a queue at the fork."""
    monkeypatch.setattr(forks.prefork, "is_ahead", lambda: True)
    bounded, by = Bounded(), list[int]()
    bounded.call(lambda: by.append(threading.get_ident()))
    assert by == [threading.get_ident()]
    assert not bounded._running.locked()
