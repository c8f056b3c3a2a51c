"""What each loop over incidents costs: ``python -m tools.loops [--number 20000] [--stores memory] [--kinds over]``.

So many incidents of a kind are put into a store, each combination in a process of its own whose clock is put ahead. It
prints seconds of processor, MB, messages, turns, and for how long one step kept the other threads of the program away.
A bot's handler sends to the sandbox; an AI bot hears what people answer. Their requests are part of each figure.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests import one_clock
from tests.one_clock import Ahead, pass_time, paused, rest
from tests.programs import ROOT, until, word
from tests.valkey_server import Server
from wecom_logging import WeComAIBotHandler, WeComBotHandler
from wecom_logging.teams import maintenance

KINDS = ("new", "told", "over", "held", "taken")
STORES = ("memory", "sqlite", "redis")
STEPS = (("incidents", "click", "due", "idle", "flush"), ("exit",))
"""Those of one process, one after the other. What is new is due first: until then it is in no store."""
PEOPLE = [f"p{number:02}" for number in range(50)]
"""Each may answer 15 times within a minute that is not put ahead; with up to `_AT_ONCE` ids."""
_AT_ONCE = 30
_OVER_S = 601.0
"""Ten windows without a record."""
_EXIT_S = 5


class Crowd:
    """A process with so many incidents of a kind."""

    def __init__(self, kind: str, number: int, state: str, ahead: Ahead, wecom: dict[str, str]) -> None:
        self._number, self._ahead, self._wecom = number, ahead, wecom
        self._bounds = {"state": state, "max_pending": 10 * number, "exit_timeout": _EXIT_S}
        self.began = 0.0
        self._step_s = 10.0 if kind == "taken" else 1.0  # each that was taken is a line
        self._open, self._pause, self._scope = ExitStack(), ExitStack(), ExitStack()
        is_told = kind in ("told", "over", "taken")
        if is_told and state != "memory://":
            self._fill_there()
        self.handler = self._open.enter_context(closing(self._made()))
        self._connect()
        if is_told and state == "memory://":
            self._log("broke", number)
            self._tell(self.handler)
        elif kind == "held":
            self._scope.enter_context(maintenance("crowd", "1h"))
            self._log("broke", number)
        if kind == "taken":
            self._take()
        rest()
        self._pause.enter_context(paused())
        if kind == "new":
            self._log("broke", number)
        elif kind == "over":
            ahead.advance(_OVER_S)

    def _made(self) -> WeComBotHandler:
        return WeComBotHandler(
            webhook=self._wecom["WECOM_WEBHOOK"],
            api_base=self._wecom["WECOM_API_BASE"],
            service="crowd",
            language="en",
            answers="aibot",
            **self._bounds,
        )

    def _connect(self) -> None:
        """The AI bot hears from now on; it has said that the crowd comes."""
        variables = {"bot_id": "ID", "secret": "SECRET", "url": "URL"}
        given = {name: self._wecom[f"WECOM_AIBOT_{variable}"] for name, variable in variables.items()}
        bot = WeComAIBotHandler(
            chats=["sandbox-user"], answerers=PEOPLE, language="en", state=self._bounds["state"], **given
        )
        self._open.enter_context(closing(bot))
        bot.handle(_record("the crowd comes", 0))
        assert bot.flush(10)

    def _log(self, what: str, number: int, handler: WeComBotHandler | None = None) -> None:
        for at in range(number):
            (handler or self.handler).handle(_record(f"{word(at)} {what}", at))

    def _tell(self, handler: WeComBotHandler) -> None:
        while not handler.flush(0.5):  # it waits for WeCom's limits
            self._ahead.advance(self._step_s)

    def _fill_there(self) -> None:
        """As another process does."""
        if not (pid := os.fork()):
            try:
                with closing(self._made()) as handler:
                    self._log("broke", self._number, handler)
                    self._tell(handler)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def _take(self) -> None:
        ids = [one.short_id for one in self.handler.incidents()]
        for number, at in enumerate(range(0, len(ids), _AT_ONCE)):
            self._say(PEOPLE[number % len(PEOPLE)], f"take {' '.join(ids[at : at + _AT_ONCE])}")

    def _say(self, who: str, text: str) -> None:
        """Type something to the AI bot, and read the answer."""
        before = self._messages("aibot", who)
        wish = {"chat": who, "user_id": who, "text": text}
        requests.post(f"{self._wecom['WECOM_API_BASE']}/sandbox/aibot/say", json=wish, timeout=10).raise_for_status()
        until(lambda: self._messages("aibot", who) > before)

    def _messages(self, channel: str, who: str = "") -> int:
        wanted = {"channel": channel, **({"receiver": who} if who else {})}
        found = requests.get(f"{self._wecom['WECOM_API_BASE']}/sandbox/messages", params=wanted, timeout=30)
        return len(found.json())

    @property
    def messages(self) -> int:
        return self._messages("bot")

    def due(self) -> int:
        """All that may be done now."""
        return self._turns(rest)

    def idle(self) -> int:
        """A minute in which nothing is due."""
        return self._turns(lambda: [pass_time(self._ahead, 1.0) for _ in range(60)])

    def incidents(self) -> int:
        return len(self.handler.incidents())

    def click(self) -> int:
        name = self.handler.incidents()[-1].short_id
        self._begin()
        self._say("sandbox-user", f"take {name}")
        return 1

    def flush(self) -> int:
        self._wait()
        return self._turns(lambda: self._tell(self.handler))

    def exit(self) -> int:
        """Send what can be sent within ``exit_timeout``, as the hook does: the clock is not put ahead."""
        self._wait()
        return self._turns(lambda: self.handler.flush(_EXIT_S))

    def _wait(self) -> None:
        """A tenth more, which wait to be sent."""
        self._log("fails", self._number // 10)
        self._begin()

    def _begin(self) -> None:
        """What was done before is not counted."""
        self.began = time.process_time()

    def _turns(self, work: Callable[[], object]) -> int:
        before = one_clock.turns
        self._pause.close()
        work()
        self._pause.enter_context(paused())
        return one_clock.turns - before

    def close(self) -> None:
        """All that waits is sent while there is somebody who takes it."""
        self._pause.close()
        self._scope.close()
        self._tell(self.handler)
        self._open.close()


def _record(text: str, line: int, level: int = logging.ERROR) -> logging.LogRecord:
    """As a logger makes it, in a function of its own for each line."""
    return logging.LogRecord("shop", level, __file__, line, text, (), None, f"line_{line}")


@contextmanager
def watched() -> Iterator[list[float]]:
    """How much this process did at most before another thread of it could run."""
    gaps, ended = [0.0], threading.Event()

    def watch() -> None:
        before = time.process_time()
        while not ended.is_set():
            time.sleep(0.0002)
            now = time.process_time()
            gaps[0] = max(gaps[0], now - before)
            before = now

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)  # or each gap would be as long as that
    thread = threading.Thread(target=watch)
    thread.start()
    yield gaps
    ended.set()
    thread.join()
    sys.setswitchinterval(interval)


def _memory_mb(name: str) -> float:
    with open("/proc/self/status") as lines:
        return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def measure(store: str, kind: str, number: int, steps: Iterable[str]) -> Iterator[dict[str, Any]]:
    """These steps, in this process."""
    ahead = Ahead()
    with ExitStack() as stack:
        # a thread of the state may write once more while the folder is removed
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        server = None
        if store == "redis":
            limits = {"slowlog_log_slower_than": 1000, "slowlog_max_len": 10_000}
            server = stack.enter_context(closing(Server(save="", **limits)))
        urls = {"memory": "memory://", "sqlite": f"sqlite://{folder}/alerts.db"}
        state = urls[store] if server is None else server.url
        stack.enter_context(one_clock.one_clock(ahead))
        wecom = stack.enter_context(one_clock.wecom(ahead, PEOPLE))
        crowd = stack.enter_context(closing(Crowd(kind, number, state, ahead, wecom)))
        client = None if server is None else server.client()
        for step in sorted(steps, key=lambda step: (kind, step) != ("new", "due")):
            gc.collect()
            gc.disable()  # a pass over all objects of the program would be the longest gap
            Path("/proc/self/clear_refs").write_text("5")
            told, mb, (cpu, commands) = crowd.messages, _memory_mb("VmRSS"), _of_server(client)
            if client is not None:
                client.slowlog_reset()
            with watched() as gaps:
                crowd.began = time.process_time()
                turns = getattr(crowd, step)()
                seconds = time.process_time() - crowd.began
            gc.enable()
            found = {"s": seconds, "MB": _memory_mb("VmHWM") - mb, "messages": crowd.messages - told}
            found |= {"turns": turns, "longest ms": gaps[0] * 1000}
            if client is not None:
                slowest = max([one["duration"] for one in client.slowlog_get(10_000)] or [0]) / 1000
                after = _of_server(client)
                found |= {"server s": after[0] - cpu, "its longest ms": slowest, "commands": after[1] - commands}
            yield {"step": step, **found}


def _of_server(client: Any) -> tuple[float, int]:
    """Its seconds of processor, and how many commands it was given."""
    if client is None:
        return 0.0, 0
    found = client.info()
    return float(found["used_cpu_user"] + found["used_cpu_sys"]), int(found["total_commands_processed"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.loops", description=__doc__)
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--stores", nargs="+", default=STORES)
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--steps", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps:
        for found in measure(options.stores[0], options.kinds[0], options.number, options.steps):
            step = found.pop("step")
            rest = (f"{name} {one:.3g}" if isinstance(one, float) else f"{name} {one}" for name, one in found.items())
            print(f"{options.stores[0]:7} {options.kinds[0]:6} {step:10} {'  '.join(rest)}", flush=True)
        return
    for store, kind, steps in itertools.product(options.stores, options.kinds, STEPS):
        command = [sys.executable, "-m", "tools.loops", "--number", str(options.number), "--stores", store]
        subprocess.run([*command, "--kinds", kind, "--steps", *steps], cwd=ROOT, check=False)


if __name__ == "__main__":
    main()
