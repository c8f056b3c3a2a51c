"""What Python has on Unix alone is not needed: all modules import, and alerts arrive, where those names are absent."""

from __future__ import annotations

from pathlib import Path

from wecom_logging._sandbox import Sandbox

from .programs import run

AS_ON_WINDOWS = """
import asyncio, http.server, multiprocessing.pool, os, select, selectors, shutil, signal, socket, socketserver
import ssl, subprocess, sys, tempfile  # these are other modules there; what they look for stays for them

for module in ("fcntl", "grp", "pwd", "pty", "resource", "syslog", "termios", "tty"):
    sys.modules[module] = None
KEPT = "SIGABRT SIGFPE SIGILL SIGINT SIGSEGV SIGTERM SIG_DFL SIG_IGN".split()
ABSENT = {
    os: "fork forkpty register_at_fork geteuid getuid getegid getgid getpgid getpgrp setsid killpg mkfifo uname chown"
    " fchown fchmod pread pwrite nice statvfs sysconf wait wait4 WNOHANG sched_getaffinity set_blocking openpty ttyname"
    " O_CLOEXEC O_NOFOLLOW O_NONBLOCK O_DIRECTORY O_SYNC O_DSYNC posix_fadvise posix_fallocate",
    select: "poll epoll",
    signal: "alarm setitimer getitimer pause pthread_sigmask pthread_kill sigpending sigwait sigwaitinfo sigtimedwait"
    " siginterrupt " + " ".join(name for name in dir(signal) if name.startswith("SIG") and name not in KEPT),
    socket: "AF_UNIX",
}
for module, names in ABSENT.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
"""


def test_each_module_imports() -> None:
    ended = run(
        AS_ON_WINDOWS
        + """
import importlib, pkgutil, wecom_logging
names = [one.name for one in pkgutil.walk_packages(wecom_logging.__path__, "wecom_logging.", onerror=lambda name: None)]
for name in names:
    try:
        importlib.import_module(name) if not name.endswith("__main__") else None
    except wecom_logging.errors.MissingDependencyError as error:  # a framework that is not installed
        assert name.startswith("wecom_logging.integrations."), error
print(len(names) > 200)
"""
    )
    assert (ended.out, ended.err, ended.status) == ("True\n", "", 0)


ALERTS = """
import logging
import wecom_logging

handler = wecom_logging.WeComHandler(service="shop", state=STATE)
wecom_logging.install_hooks()
logging.getLogger("shop").addHandler(handler)
for number in range(100):
    logging.getLogger("shop").error("order %d failed", number)
"""


def test_alerts_arrive_and_the_program_ends(sandbox: Sandbox) -> None:
    ended = run(f"{AS_ON_WINDOWS}\nSTATE = None\n{ALERTS}", url=sandbox.url)
    assert (ended.err, ended.status) == ("", 0)
    first, rest = (message["content"].splitlines()[0] for message in sandbox.messages())
    assert first == "🔴 ERROR shop: order 0 failed"
    assert "100 in all" in rest


def test_without_file_locks_a_state_in_sqlite_is_memory_and_says_why(sandbox: Sandbox, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/state.db"
    ended = run(f"{AS_ON_WINDOWS}\nSTATE = {state!r}\n{ALERTS}", url=sandbox.url)
    assert ended.status == 0
    assert "sqlite:// needs the file locks of Unix" in ended.err
    assert len(sandbox.messages()) == 2
