"""A soak, for a time of its own: ``python -m tools.soak --minutes 30``, and ``--slow`` for a slow server.

Fifty records a second go through a handler that is made anew every minute, while WeCom, or the way to it, fails in
another way every few seconds. At the end all is counted, nothing was lost without a number, and memory, threads and
file descriptors are what they were. A slow server instead shows how long a CRITICAL waits behind what came before.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.programs import word
from tests.scripted import ScriptedWeCom, Step, after, body, close, errcode, ok, rst, status
from wecom_logging import WeComBotHandler

TOO_LATE, IN_TIME = after(1.0, ok()), after(0.3, ok())
FAULTS: list[Step] = [errcode(-1), status(502), close(), rst(), body(b"<html>busy</html>"), TOO_LATE, IN_TIME]
PER_SECOND = 50
CRITICAL_EVERY_S = 1.0
SLOW_ANSWER_S = 0.2
MAX_CRITICAL_S = 10.0
MAX_GROWTH_MB = 20.0


@dataclass
class Report:
    """What came of a soak."""

    accepted: int = 0
    settled: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    lives: int = 0
    grown_mb: float = 0.0
    more_threads: int = 0
    more_files: int = 0
    longest_call_s: float = 0.0
    longest_critical_s: float = 0.0

    def problems(self) -> list[str]:
        found = {
            "the books do not balance": self.accepted != self.settled + self.pending or self.pending,
            "alerts were lost": set(self.dropped) - {"closed"},
            f"memory grew by {self.grown_mb:.0f} MB": self.grown_mb > MAX_GROWTH_MB,
            f"{self.more_threads} more threads": self.more_threads > 0,
            f"{self.more_files} more files": self.more_files > 0,
            f"a log call took {self.longest_call_s:.2f} s": self.longest_call_s > 1.0,
            f"a CRITICAL waited for {self.longest_critical_s:.1f} s": self.longest_critical_s > MAX_CRITICAL_S,
        }
        return [text for text, is_so in found.items() if is_so]


def _memory_mb() -> float:
    with open("/proc/self/status") as lines:
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _count(folder: str) -> int:
    return len(os.listdir(f"/proc/self/{folder}"))


class _Soak:
    def __init__(self, wecom: ScriptedWeCom, slow: bool) -> None:
        self.report = Report()
        self.made = 0
        self._wecom = wecom
        self._slow = slow
        self._pause = threading.Event()
        self._criticals: dict[str, float] = {}

    def life(self, seconds: float) -> None:
        """One handler: made, used, closed and settled."""
        handler = WeComBotHandler(webhook="0123456789abcdef", api_base=self._wecom.url, timeout=0.5, rate_limit=None)
        ends, next_critical = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < ends:
            self._log(handler, logging.WARNING, f"failed {word(random.randrange(500))}")
            if time.monotonic() >= next_critical:
                next_critical += CRITICAL_EVERY_S
                text = f"critical {word(self.made)} ends"
                self._criticals[text] = time.monotonic()
                self._log(handler, logging.CRITICAL, text)
            if not self._slow and self.made % (3 * PER_SECOND) == 0:
                self._wecom.every(random.choice((1, 2, 5)), random.choice(FAULTS))
            self._pause.wait(1 / PER_SECOND)
        self._wecom.mend()
        if self._slow:
            self._wecom.always("", after(SLOW_ANSWER_S, ok()))
        handler.flush(60)
        handler.close()
        stats = handler.stats()
        self.report.accepted += stats.accepted
        self.report.settled += stats.delivered + stats.merged + sum(stats.dropped.values())
        self.report.pending += stats.pending
        for reason, number in stats.dropped.items():
            self.report.dropped[reason] = self.report.dropped.get(reason, 0) + number
        self.report.lives += 1

    def _log(self, handler: WeComBotHandler, level: int, text: str) -> None:
        self.made += 1
        record = logging.LogRecord("soak", level, "soak.py", level, text, (), None)
        began = time.perf_counter()
        handler.handle(record)
        self.report.longest_call_s = max(self.report.longest_call_s, time.perf_counter() - began)

    def look_for_criticals(self) -> None:
        """How long each waited, by the clock of the server's request."""
        for request in self._wecom.requests if self._slow else ():
            text = request.body.decode()
            for critical in [each for each in self._criticals if each in text]:
                waited = request.time - self._criticals.pop(critical)
                self.report.longest_critical_s = max(self.report.longest_critical_s, waited)
        self._wecom.forget()


def soak(seconds: float, life_s: float = 60.0, *, slow: bool = False) -> Report:
    """Run for so long, with a new handler every ``life_s``."""
    with ScriptedWeCom() as wecom:
        if slow:
            wecom.always("", after(SLOW_ANSWER_S, ok()))
        run = _Soak(wecom, slow)
        run.life(min(life_s, 1.0))  # loads all that is needed
        before = _memory_mb(), _count("task"), _count("fd")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            run.life(min(life_s, ends - time.monotonic()))
            run.look_for_criticals()
        gc.collect()
        _settle(lambda: _count("task") <= before[1] and _count("fd") <= before[2])
        run.report.grown_mb = _memory_mb() - before[0]
        run.report.more_threads = _count("task") - before[1]
        run.report.more_files = _count("fd") - before[2]
        assert run.made == run.report.accepted
    return run.report


def _settle(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Closed handlers' threads and the server's connections take an instant to go."""
    ends = time.monotonic() + within_s
    while not condition() and time.monotonic() < ends:
        time.sleep(0.01)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--slow", action="store_true", help="a server slower than the program, instead of faults")
    options = parser.parse_args()
    report = soak(60 * options.minutes, slow=options.slow)
    print(report)
    for problem in report.problems():
        print(problem, file=sys.stderr)
    return 1 if report.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
