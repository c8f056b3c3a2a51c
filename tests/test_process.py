"""The life of a process: how programs end, fork, and run without a reachable WeCom. Each case is a fresh process."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from .programs import ROOT, at_best, run

SET_UP = """
import logging, os, sys
from wecom_logging import WeComHandler
handler = WeComHandler(exit_timeout=float(os.environ.get("EXIT_TIMEOUT", "20")), timeout=4)
log = logging.getLogger("program")
log.addHandler(handler)
"""


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def refused() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def texts(sandbox: Sandbox) -> list[str]:
    return sorted(message["content"].splitlines()[0].rpartition(": ")[2] for message in sandbox.messages())


@pytest.mark.case("P10")
@pytest.mark.parametrize(
    ("ending", "status"), [("", 0), ("sys.exit(3)", 3), ("raise SystemExit('x')", 1), ("1 / 0", 1)]
)
def test_a_program_that_logs_once_and_ends_has_told(sandbox: Sandbox, ending: str, status: int) -> None:
    ended = run(f"{SET_UP}\nlog.error('once')\n{ending}", url=sandbox.url)
    assert ended.status == status
    assert texts(sandbox) == ["once"]
    assert "wecom_logging" not in ended.err.replace("ZeroDivisionError", "")


@pytest.mark.case("P15")
def test_a_program_that_ctrl_c_ends_right_after_a_record_ends_by_that(sandbox: Sandbox) -> None:
    ended = run(f"{SET_UP}\nlog.error('once')\nraise KeyboardInterrupt", url=sandbox.url, fresh=True)
    assert ended.status == -signal.SIGINT
    assert texts(sandbox) == ["once"]


@pytest.mark.case("P10")
def test_twenty_alerts_at_the_end_are_all_told(sandbox: Sandbox) -> None:
    ended = run(f"{SET_UP}\nfor n in range(20): log.error('letter ' + 2 * chr(97 + n))", url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    told = "\n".join(message["content"] for message in sandbox.messages())
    assert [n for n in range(20) if f"letter {2 * chr(97 + n)}" not in told] == []


@pytest.mark.case("P10")
def test_what_is_only_counted_is_told_at_the_end(sandbox: Sandbox) -> None:
    ended = run(f"{SET_UP}\nfor n in range(5000): log.error('number %d', n)", url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    first, digest = (message["content"].splitlines()[0] for message in sandbox.messages())
    assert first.endswith("number 0")
    assert "× 4999, 5000 in all" in digest


@pytest.mark.slow
@pytest.mark.case("N05")
@pytest.mark.case("P12")
@pytest.mark.parametrize("handlers", [1, 8])
def test_a_black_hole_costs_the_exit_no_more_than_its_timeout(black_hole: str, handlers: int) -> None:
    more = "\nfor n in range(HANDLERS - 1): log.addHandler(WeComHandler(exit_timeout=1, timeout=20))\n"
    code = (
        SET_UP.replace("timeout=4", "timeout=20")
        + f"HANDLERS = {handlers}"
        + more
        + "log.error('lost'); import time; began = time.monotonic()\n"
    )
    code += "import atexit; atexit.register(lambda: print('exiting')); sys.exit(7)"

    def exit_s() -> float:
        ended = run(code, url=black_hole, EXIT_TIMEOUT="1")
        idle = run(SET_UP + "import requests; sys.exit(7)", url=black_hole)
        assert ended.status == idle.status == 7
        lost = [line for line in ended.err.splitlines() if "not sent within exit_timeout" in line]
        assert len(lost) == 1
        assert ("1 alert was" if handlers == 1 else "8 alerts were") in lost[0]
        return ended.seconds - idle.seconds

    assert at_best(exit_s, 1.5) <= 1.5


@pytest.mark.slow
@pytest.mark.case("N01")
@pytest.mark.case("P11")
def test_a_refused_connection_is_said_with_its_cause(refused: str) -> None:
    ended = run(f"{SET_UP}\nlog.error('lost')", url=refused, EXIT_TIMEOUT="4")
    assert ended.status == 0
    assert "Connection refused" in ended.err
    assert "not sent within exit_timeout" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.case("P17")
def test_flush_in_a_function_as_a_service(sandbox: Sandbox) -> None:
    ended = run(
        f"{SET_UP}\nlog.error('before the return')\nprint(handler.flush(20), flush=True)\nos._exit(0)", url=sandbox.url
    )
    assert ended.out.strip() == "True"
    assert texts(sandbox) == ["before the return"]


@pytest.mark.case("P19")
def test_an_alert_of_a_late_atexit_function_is_told(sandbox: Sandbox) -> None:
    code = "import atexit, logging\natexit.register(lambda: logging.getLogger('program').error('very late'))\n" + SET_UP
    ended = run(code, url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    assert texts(sandbox) == ["very late"]


@pytest.mark.case("P10")
@pytest.mark.parametrize("comes_back", [True, False], ids=["comes back", "stays away"])
def test_what_waits_is_counted_where_the_package_is_gone_at_the_first_alert(
    sandbox: Sandbox, tmp_path: Path, comes_back: bool
) -> None:
    there, elsewhere = tmp_path / "wecom_logging", tmp_path / "elsewhere"
    shutil.copytree(ROOT / "wecom_logging", there, ignore=shutil.ignore_patterns("_sandbox"))
    code = f"""
    os.rename({str(there)!r}, {str(elsewhere)!r})
    os.chdir("/")
    for number in range(3):
        log.error("disk full")
    log.error("broken")
    print(handler.flush(0.3), handler.stats().pending)
    if {comes_back}:
        os.rename({str(elsewhere)!r}, {str(there)!r})
        print(handler.flush(20), handler.stats().pending)
    """
    program = f"{SET_UP}{textwrap.dedent(code)}"
    ended = run(program, url=sandbox.url, args=("-P",), PYTHONPATH=str(tmp_path), EXIT_TIMEOUT="0.3")
    assert ended.status == 0
    first, *others = ended.err.splitlines()
    assert first.startswith("wecom_logging: nothing can be sent now, alerts wait: No module named 'wecom_logging.")
    assert first.endswith("must log once before that")
    if comes_back:
        assert (ended.out.splitlines(), others) == (["False 4", "True 0"], [])
        assert set(texts(sandbox)) == {"broken", "disk full"}
    else:
        assert ended.out == "False 4\n"
        assert others == ["wecom_logging: 4 alerts were not sent within exit_timeout (0.3 s): they are lost"]


@pytest.mark.case("P01")
def test_a_forked_child_tells_its_own_and_the_parent_its_own(sandbox: Sandbox) -> None:
    code = """
    log.error('parent before')
    handler.flush(20)
    pid = os.fork()
    if pid == 0:
        log.error('child')
        handler.flush(20)
        stats = handler.stats()
        os._exit(0 if (stats.accepted, stats.delivered) == (1, 1) else 9)
    _, status = os.waitpid(pid, 0)
    log.error('parent after')
    handler.flush(20)
    stats = handler.stats()
    print(os.waitstatus_to_exitcode(status), stats.accepted, stats.delivered)
    """
    ended = run(SET_UP + textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["0", "2", "2"]
    assert texts(sandbox) == ["child", "parent after", "parent before"]


@pytest.mark.case("P32")
@pytest.mark.parametrize("state", ["", "sqlite"])
def test_a_fork_waits_for_all_that_the_worker_imports(sandbox: Sandbox, tmp_path: Path, state: str) -> None:
    """A child that is forked amid an import could never finish it, and would lose its alert."""
    look = """
    import threading
    from wecom_logging._runtime import forks

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if threading.current_thread() is not threading.main_thread() and not forks.gate._is_owned():
                print(name)

    sys.meta_path.insert(0, Finder())
    """
    code = """
    log.error("no connection to 127.0.0.1:9")
    print(handler.flush(20))
    try:
        {}["price"]
    except KeyError as error:
        for number in range(3):
            log.error("order %d failed", number, exc_info=error, extra={"wecom": {"users": ["sandbox-user"]}})
    print(handler.flush(20))
    """
    begins, separator, rest = SET_UP.partition("from wecom_logging")
    set_up = begins + textwrap.dedent(look) + separator + rest
    url = f"sqlite://{tmp_path}/alerts.db" if state else "memory://"
    ended = run(set_up + textwrap.dedent(code), url=sandbox.url, fresh=True, WECOM_STATE=url)
    assert ended.out.split() == ["True", "True"]


@pytest.mark.slow
@pytest.mark.case("P01", "P32")
def test_children_forked_at_any_moment_of_the_first_alert_neither_hang_nor_lose(sandbox: Sandbox) -> None:
    code = """
    import time
    log.error('parent')
    children = []
    for n in range(40):
        pid = os.fork()
        if pid == 0:
            try:
                log.error('child %d', n)
                done = handler.flush(20)
            finally:
                os._exit(0 if done else 1)
        children.append(pid)
        time.sleep(0.008)
    print(sum(os.waitpid(pid, 0)[1] for pid in children), handler.flush(20))
    """
    set_up = SET_UP.replace("timeout=4", "timeout=10, rate_limit=None")
    ended = run(set_up + textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["0", "True"]
    # A member gets 30 in a minute; WeCom takes the rest without an error and shows it to nobody.
    sent = [call for call in sandbox.calls if call.path.endswith("message/send")]
    assert len(sent) == 41


@pytest.mark.slow
@pytest.mark.case("P08")
def test_a_server_that_forks_without_pythons_hooks(sandbox: Sandbox) -> None:
    code = """
    import ctypes, time
    libc = ctypes.PyDLL(None)
    log.error('parent')
    statuses = []
    for pause in (0, 0.01, 0.03, 0.2):
        time.sleep(pause)
        pid = libc.fork()
        if pid == 0:
            log.error('child after %s', pause)
            os._exit(0 if handler.flush(20) and handler.stats().delivered == 1 else 9)
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print(*statuses, handler.flush(20), handler.stats().delivered)
    """
    ended = run(SET_UP + textwrap.dedent(code), url=sandbox.url)
    assert ended.out.split() == ["0", "0", "0", "0", "True", "1"], ended.err
    assert len(texts(sandbox)) == 5


def test_what_was_pushed_out_is_said_even_if_the_program_ends_before_the_worker_can(black_hole: str) -> None:
    set_up = SET_UP.replace("timeout=4", "timeout=4, max_pending=10")
    ended = run(
        f"{set_up}\nfor n in range(101): log.error('letter ' + 2 * chr(0x4e00 + n))", url=black_hole, EXIT_TIMEOUT="0.5"
    )
    *_, pushed_out = re.findall(
        r"(\d+) alerts are lost (?:so far|in all): more waited than max_pending allows", ended.err
    )
    (not_sent,) = re.findall(r"(\d+) alerts were not sent within exit_timeout", ended.err)
    assert int(pushed_out) + int(not_sent) == 101


@pytest.mark.case("P15")
@pytest.mark.parametrize("how", ["os.kill(os.getpid()", "signal.pthread_kill(threading.get_ident()"])
def test_ctrl_c_while_the_exit_waits_ends_the_wait(black_hole: str, how: str) -> None:
    """Also where another thread has got the signal: then nothing interrupts what the main thread waits for."""
    code = f"""
    import signal, threading, time
    from wecom_logging._runtime import worker
    def interrupt():
        while not worker._exit.begun:
            time.sleep(0.01)
        time.sleep(0.2)
        {how}, signal.SIGINT)
    threading.Thread(target=interrupt, daemon=True).start()
    log.error('lost')
    """
    ended = run(SET_UP + textwrap.dedent(code), url=black_hole, EXIT_TIMEOUT="30")
    assert ended.seconds < 20
    assert "1 alert was not sent" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.case("P22")
def test_no_thread_to_be_had_means_the_calling_thread_sends_at_exit(sandbox: Sandbox) -> None:
    code = """
    import _thread
    from wecom_logging._runtime import worker
    def refuse(*args): raise RuntimeError("can't start new thread")
    worker._thread.start_new_thread = refuse
    log.error('at once, without a thread')
    log.error('at exit, without a thread')
    """
    ended = run(SET_UP + textwrap.dedent(code), url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")
    assert texts(sandbox) == ["at exit, without a thread", "at once, without a thread"]


@pytest.mark.slow
@pytest.mark.case("P31")
def test_stderr_that_is_closed_or_full_harms_nobody(refused: str) -> None:
    for setting in ("sys.stderr = None", "sys.stderr.close()", "os.close(2)"):
        ended = run(f"{SET_UP}\n{setting}\nlog.error('x')\nprint('alive')", url=refused, EXIT_TIMEOUT="0.5")
        assert ended.out.strip() == "alive"


@pytest.mark.slow
@pytest.mark.case("P30")
def test_development_mode_and_optimised_mode(sandbox: Sandbox) -> None:
    for args in (("-X", "dev", "-W", "error"), ("-O",), ("-I",)):
        code = SET_UP if args != ("-I",) else f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + SET_UP
        ended = run(f"{code}\nlog.error('x')", url=sandbox.url, args=args)
        assert (ended.status, ended.err) == (0, "")
    assert len(texts(sandbox)) == 3


def test_a_first_alert_opens_no_file_in_the_calling_thread(sandbox: Sandbox) -> None:
    """Who reads a file lets others run, and comes back only when all busy threads had their turn."""
    code = """
        import logging, sys, threading
        from wecom_logging import WeComHandler

        logging.getLogger("shop").addHandler(WeComHandler())
        me, events = threading.get_ident(), []
        sys.addaudithook(lambda event, _: events.append(event) if threading.get_ident() == me else None)
        logging.getLogger("shop").error("order %d cannot be priced", 4711)
        print(sorted({event for event in events if event.startswith(("import", "open", "os.", "socket."))}))
    """
    ended = run(textwrap.dedent(code), url=sandbox.url, fresh=True)
    assert ended.out.strip() == "[]"
    assert len(sandbox.messages()) == 1
