"""Forks the programs of tests: an interpreter that has loaded what takes long to load, and nothing of this package.

A program that a test starts needs a fresh interpreter, of which most of the time goes into importing requests and the
like. This process imports those once; for each program it forks a process that runs the code as ``python -c`` does, by
the same function of CPython, and ends as an interpreter ends. It ends when its socket, which is its stdin, is closed.

One message is one program: JSON of ``code``, ``environment`` and ``folder``, with the file descriptors of its stdin,
stdout and stderr, and of a pipe that gets its process id and then its status, a line each.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import types
from contextlib import ExitStack
from pathlib import Path

LOADED = (
    "asyncio argparse concurrent.futures.thread email.message http.client http.server logging.config logging.handlers"
)
LOADED += (
    " multiprocessing.pool requests sqlite3 tenacity textwrap traceback unittest.mock urllib.request uuid zoneinfo"
)
MAX_MESSAGE = 1 << 18
AT_START = {name: os.environ.get(name) for name in ("PYTHONHASHSEED", "PYTHONWARNINGS", "TZ")}
"""What an interpreter reads of the environment when it starts, before a test has set anything."""


def serve() -> str:
    """Until the socket is closed. In a process that it has forked it gives the code to run."""
    for name in LOADED.split():
        __import__(name)
    gc.collect()
    gc.freeze()  # what is loaded stays untouched, and so shared
    requests = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        message, fds, _, _ = socket.recv_fds(requests, MAX_MESSAGE, 4)
        if not message:
            os._exit(0)
        if not os.fork():
            break
        for fd in fds:
            os.close(fd)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, status = fds
    if child := os.fork():
        for fd in (0, 1, 2, *standard):
            os.close(fd)
        os.write(status, f"{child}\n".encode())
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(status, f"{ended}\n".encode())
        os._exit(0)
    os.close(status)
    for number, fd in enumerate(standard):
        os.dup2(fd, number)
        os.close(fd)
    program = json.loads(message)
    os.chdir(program["folder"])
    os.environ.clear()
    os.environ.update(program["environment"])
    return str(program["code"])


class _Server:
    """The server of this process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = Path(__file__).parent.parent
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", __file__],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                env={**environment, "PYTHONPATH": str(root)},
                cwd=root,
            )
        atexit.register(self.end)

    def end(self) -> None:
        self.socket.close()
        if self.pid == os.getpid():
            self.process.terminate()  # a child of a test may have the socket still
            self.process.wait(20)


_servers: list[_Server] = []


def run(code: str, environment: dict[str, str], timeout: float) -> tuple[int, str, str]:
    """Run code as `subprocess.run` does; give its status, and what it wrote to stdout and stderr."""
    if not _servers or _servers[0].pid != os.getpid() or _servers[0].process.poll() is not None:
        _servers[:] = [_Server()]
    message = json.dumps({"code": code, "environment": environment, "folder": os.getcwd()}).encode()
    texts: dict[int, bytes] = {}
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        nothing = stack.enter_context(open(os.devnull))
        reads, writes = zip(*(os.pipe() for _ in range(3)), strict=True)
        for fd in reads:
            stack.callback(os.close, fd)
            selector.register(fd, selectors.EVENT_READ)
            texts[fd] = b""
        try:
            socket.send_fds(_servers[0].socket, [message], [nothing.fileno(), *writes])
        finally:
            for fd in writes:
                os.close(fd)
        ends = time.monotonic() + timeout
        while selector.get_map():
            ready = selector.select(max(0.0, ends - time.monotonic()))
            if time.monotonic() > ends:
                if len(known := texts[reads[2]].split()) == 1:  # it has begun, and has not ended
                    os.kill(int(known[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired("a program", timeout, *(texts[fd] for fd in reads[:2]))
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                texts[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    out, err, status = (texts[fd].decode() for fd in reads)
    return int(status.split()[1]), out, err


if __name__ == "__main__":
    code = serve()
    sys.argv, sys.path[0] = ["-c"], ""
    sys.modules["__main__"] = types.ModuleType("__main__")
    if ctypes.pythonapi.PyRun_SimpleString(code.encode()) and sys.last_type is not KeyboardInterrupt:
        sys.exit(1)  # an interrupt becomes the signal by itself
