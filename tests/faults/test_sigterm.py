"""SIGTERM with ``install_hooks(sigterm=True)``: what waits is told, and the signal ends the process as ever."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from wecom_logging import install_hooks
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError

from ..programs import Ended, at_best, run
from ..scripted import ScriptedWeCom, hold

SET_UP = """
import logging, os, signal, subprocess, sys, threading, time
from wecom_logging import WeComBotHandler, install_hooks
install_hooks(sigterm=True)
handler = WeComBotHandler(rate_limit=None, exit_timeout=float(os.environ.get("EXIT_TIMEOUT", "20")), timeout=30)
log = logging.getLogger("shop")
log.addHandler(handler)

def stop():
    signal.raise_signal(signal.SIGTERM)  # in this thread: one that another thread gets may come after the last line
"""


@pytest.fixture
def stalled() -> Iterator[str]:
    """The address of a WeCom that takes requests and never answers."""
    with ScriptedWeCom() as wecom:
        wecom.always("/", hold())
        yield wecom.url


def program(body: str, *, url: str, fresh: bool = False, **environment: str) -> Ended:
    return run(SET_UP + textwrap.dedent(body), url=url, fresh=fresh, **environment)


def told(sandbox: Sandbox) -> list[str]:
    return sorted(message["content"].splitlines()[0].rpartition(": ")[2].strip("*") for message in sandbox.messages())


@pytest.mark.case("P13")
@pytest.mark.parametrize("moment", ["at once", "in an import", "with the lock of logging"])
def test_what_was_logged_is_told_and_the_parent_sees_the_signal(sandbox: Sandbox, moment: str) -> None:
    code = {
        "at once": 'log.error("the disk is full")\nstop()',
        # Our thread needs the same library, and waits for the import to end.
        "in an import": """
            def amid(event, names):
                if event == "import" and names[0] == "requests.adapters" and not stopped:
                    stopped.append(log.error("the disk is full"))
                    stop()
            stopped = []
            sys.addaudithook(amid)
            import requests
        """,
        # Our thread needs it, too, for the levels of urllib3's loggers.
        "with the lock of logging": """
            with logging._lock:
                log.error("the disk is full")
                stop()
                time.sleep(0.1)
        """,
    }[moment]
    ended = program(f'{textwrap.dedent(code)}\ntime.sleep(30)\nprint("never")', url=sandbox.url, fresh=True)
    assert (ended.status, ended.out, ended.err) == (-signal.SIGTERM, "", "")
    assert told(sandbox) == ["the disk is full"]


@pytest.mark.case("P13")
@pytest.mark.parametrize(
    ("before", "status", "told_then"),
    [
        ("", -signal.SIGHUP, ["the disk is full"]),
        ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", 4, ["the disk is full"]),  # nohup
        ("signal.signal(signal.SIGHUP, lambda *_: log.error('read anew'))", 4, ["read anew", "the disk is full"]),
    ],
    ids=["a terminal that is closed", "nohup", "a handler of the program"],
)
def test_a_hangup_is_as_polite_where_it_would_end_the_program(
    sandbox: Sandbox, before: str, status: int, told_then: list[str]
) -> None:
    start = f"import logging, signal\nlog = logging.getLogger('shop')\n{before}\n"
    end = 'log.error("the disk is full")\nsignal.raise_signal(signal.SIGHUP)\nsys.exit(4)'
    ended = run(start + SET_UP + end, url=sandbox.url)
    assert (ended.status, ended.err) == (status, "")
    assert told(sandbox) == told_then


@pytest.mark.case("P12", "P13")
def test_without_an_answer_it_takes_exit_timeout_however_often_the_signal_comes(stalled: str) -> None:
    code = """
    def impatient():
        while True:
            time.sleep(0.001)
            stop()
    log.error("lost")
    threading.Thread(target=impatient, daemon=True).start()
    began = time.monotonic()
    stop()
    time.sleep(30)
    """

    def seconds() -> float:
        ended = program(code, url=stalled, EXIT_TIMEOUT="1")
        assert ended.status == -signal.SIGTERM
        lost = "wecom_logging: 1 alert was not sent within exit_timeout (1 s): it is lost"
        assert ended.err == f"{lost}; WeCom has not answered so far\n"
        assert ended.seconds >= 1
        return ended.seconds

    assert at_best(seconds, 3) <= 15  # of 30


@pytest.mark.slow
@pytest.mark.case("E12", "P13")
def test_amid_any_step_of_a_log_call_that_record_is_told_too() -> None:
    """Each child is forked with all loaded, and gets the signal at another line of its log call."""
    code = """
    log.error("the parent")
    handler.flush(20)
    ours = os.path.dirname(sys.modules["wecom_logging"].__file__)

    def stop_at(step):
        left = step
        def trace(frame, event, arg):
            nonlocal left
            if not frame.f_code.co_filename.startswith((ours, logging.__file__)):
                return None
            left -= event == "line"
            if left == 0:
                stop()
            return trace
        sys.settrace(trace)

    children = {}
    for step in range(1, 400, 13):
        child = os.fork()
        if not child:
            install_hooks(sigterm=True)
            stop_at(step)
            log.error("at step " + chr(0x4e00 + step))
            sys.settrace(None)
            time.sleep(0.3)
            os._exit(7)  # there are no more steps
        children[child] = step
    for child, step in children.items():
        print(chr(0x4e00 + step), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    with ScriptedWeCom() as wecom:
        ended = program(code, url=wecom.url)
        texts = b"".join(wecom.bodies("/cgi-bin/webhook/send")).decode()
    status = dict(line.split() for line in ended.out.splitlines())
    stopped = [step for step, number in status.items() if number == "-15"]
    assert set(status.values()) <= {"-15", "7"}, ended.err
    assert len(stopped) > 10
    assert ended.err == ""
    assert [step for step in stopped if f"at step {step}" not in texts] == []


@pytest.mark.slow
@pytest.mark.case("P13")
@pytest.mark.parametrize("handler", ["lambda *_: sys.exit(3)", "signal.SIG_IGN"])
def test_a_handler_of_the_program_stays_and_it_is_said(sandbox: Sandbox, handler: str) -> None:
    theirs = f"import signal, sys\nsignal.signal(signal.SIGTERM, {handler})\n"
    rest = 'log.error("told")\nstop()\nsys.exit(4)'
    before, after = (run(code, url=sandbox.url) for code in (theirs + SET_UP + rest, SET_UP + theirs + rest))
    assert before.status == after.status == (3 if "exit" in handler else 4)
    assert before.err.count("install_hooks: the program has its own handler of SIGTERM") == 1
    assert after.err == ""
    assert told(sandbox) == ["told"] * 2


@pytest.mark.case("P13")
def test_only_the_main_thread_can_ask_for_it_and_a_second_call_changes_nothing(sandbox: Sandbox) -> None:
    code = """
    install_hooks(sigterm=True)
    install_hooks()
    def elsewhere():
        try:
            install_hooks(sigterm=True)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
    mine = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    signal.signal(signal.SIGTERM, mine)
    log.error("told")
    stop()
    """
    ended = program(code, url=sandbox.url)
    assert ended.status == -signal.SIGTERM
    assert ended.out.startswith(
        "ConfigurationError sigterm: only the main thread can handle signals; call install_hooks"
    )
    assert (ended.err, told(sandbox)) == ("", ["told"])


def test_it_is_a_yes_or_no() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ConfigurationError, match="sigterm: one of True, False is needed"):
        install_hooks(sigterm="yes")  # that is the point
    assert signal.getsignal(signal.SIGTERM) is before


POOL = """
import logging, logging.config, multiprocessing, signal, sys
from wecom_logging import install_hooks

def begin():
    logging.config.dictConfig({
        "version": 1,
        "handlers": {"wecom": {"class": "wecom_logging.WeComBotHandler", "rate_limit": None, "exit_timeout": 20}},
        "loggers": {"shop": {"handlers": ["wecom"]}},
    })
    install_hooks(sigterm=True)

def work(number):
    logging.getLogger("shop").error("row %s", "abcdefghi"[number] * 3)
    return number

def main(method):
    context = multiprocessing.get_context(method)
    if method == "fork":  # what the parent has made goes on in the child
        begin()
    with context.Pool(3, None if method == "fork" else begin) as pool:
        pool.map(work, range(9), chunksize=1)
"""


@pytest.mark.slow
@pytest.mark.case("P09")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_pool_that_is_terminated_end_at_once(stalled: str, tmp_path: Path, method: str) -> None:
    (tmp_path / "rows.py").write_text(POOL)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport rows; rows.main({method!r})"
    ended = run(code, url=stalled)
    assert ended.status == 0
    assert ended.seconds < 15  # of 20
    said = "install_hooks: SIGTERM ends a process of multiprocessing at once"
    assert (said in ended.err) == (method == "spawn")


def _in_a_container() -> bool:
    probe = ["unshare", "--pid", "--fork", sys.executable, "-c", "import os; assert os.getpid() == 1"]
    try:
        return subprocess.run(probe, capture_output=True, check=False, timeout=20).returncode == 0
    except OSError:  # there is no such command
        return False


@pytest.mark.case("P13")
def test_process_1_of_a_container_which_its_own_signal_cannot_end_ends_as_well(sandbox: Sandbox) -> None:
    if not _in_a_container():
        pytest.skip("no process namespace may be made here")
    ended = run(
        f"""
        import subprocess, sys
        code = {SET_UP + "log.error('told'); stop(); time.sleep(30); print('never')"!r}
        command = ["unshare", "--pid", "--fork", sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True)
        print(done.returncode, done.stdout, done.stderr)
        """,
        url=sandbox.url,
    )
    assert ended.out.split() == ["143"]
    assert told(sandbox) == ["told"]
