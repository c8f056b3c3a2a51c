"""Running small programs as a user would, and waiting for what other threads do."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wecom_logging import WeComHandler

from . import fork_server

ROOT = Path(__file__).resolve().parent.parent

CREDENTIALS = {
    "WECOM_CORP_ID": "wwsandbox",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "sandbox-app-secret",
    "WECOM_CONTACTS_SECRET": "sandbox-contacts-secret",
    "WECOM_USERS": "sandbox-user",
    "WECOM_WEBHOOK": "sandbox-bot",
}


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def app_handler(url: str, **options: Any) -> WeComHandler:
    """A handler for the sandbox's app."""
    return WeComHandler(
        corp_id="wwsandbox",
        agent_id=1000002,
        secret="sandbox-app-secret",
        api_base=url,
        **{"users": ["sandbox-user"], **options},
    )


def at_best(figure: Callable[[], float], most: float, tries: int = 5) -> float:
    """The least of several figures, as soon as it is small enough: a busy machine may be late, a wrong program is."""
    least = figure()
    while least > most and (tries := tries - 1):
        least = min(least, figure())
    return least


def thread_seconds(work: Callable[[], object]) -> float:
    """This thread's own time for something, without a collection of the garbage that others have made."""
    gc.disable()
    try:
        began = time.thread_time()
        work()
        return time.thread_time() - began
    finally:
        gc.enable()


def waited_seconds(work: Callable[[], object]) -> float:
    """How long this thread waited amid something, but not for a processor: a busy machine lets nobody run in time."""
    began, busy = time.monotonic(), _processor_seconds()
    work()
    return time.monotonic() - began - (_processor_seconds() - busy)


def _processor_seconds() -> float:
    """What this thread has had of a processor, with what it waited for one where the system says so."""
    try:
        ran, waited, _ = Path("/proc/thread-self/schedstat").read_text().split()
    except OSError:
        return time.thread_time()
    return (int(ran) + int(waited)) / 1e9


printed: list[str] = []
"""What the programs of the running test have printed, for the sweep."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    out: str
    err: str
    seconds: float


def run(
    code: str,
    *,
    url: str = "",
    timeout: float = 120.0,
    args: tuple[str, ...] = (),
    fresh: bool = False,
    **environment: str,
) -> Ended:
    """Run Python code in a process of its own, with the sandbox's credentials and ``url`` as the API.

    ``fresh`` is for what has to do with what is loaded, or with how an interpreter starts; so are ``args`` and some
    variables. All else comes from the fork server.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    settings = {**clean, **CREDENTIALS, "WECOM_API_BASE": url} if url else clean
    settings = {**settings, "PYTHONPATH": str(ROOT), **environment}
    code = textwrap.dedent(code)
    fresh = fresh or bool(args) or any(name.startswith(("PYTHON", "LANG", "LC_", "TZ")) for name in environment)
    fresh = fresh or any(os.environ.get(name) != value for name, value in fork_server.AT_START.items())  # a test's own
    began = time.monotonic()
    if fresh or not sys.platform.startswith("linux"):
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", *args, "-c", code],
            env=settings,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        status, out, err = done.returncode, done.stdout, done.stderr
    else:
        status, out, err = fork_server.run(code, settings, timeout)
    printed.append(f"{out}\n{err}")
    return Ended(status, out, err, time.monotonic() - began)


@contextmanager
def running(command: list[str], folder: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own; its output is in ``output`` in the folder, and is shown where a test fails."""
    log = folder / "output"
    with log.open("wb") as out:
        settings = {**settings, "HOME": str(folder)}  # gunicorn has a socket there
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    except BaseException:
        print(log.read_text())
        raise
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has ended by itself
            pass
        process.wait(20)


def until(condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until something is true that another thread or process brings about."""
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, f"it did not become true within {within_s} s"
        time.sleep(0.01)


def word(number: int) -> str:
    """A word of its own for each number, of letters only: texts that differ in numbers are the same failure."""
    letters = ""
    while number or not letters:
        number, rest = divmod(number, 26)
        letters = chr(ord("a") + rest) + letters
    return f"x{letters}"
