"""Alerts that wait when a real server stops: eight, at a WeCom that takes a third of a second for one."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sys
import sysconfig
from pathlib import Path

import pytest

from ..programs import CREDENTIALS, ROOT, running, until
from ..scripted import ScriptedWeCom, after, ok

pytestmark = pytest.mark.slow

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
SHOP = f"""
import logging, sys, time
from wecom_logging import WeComBotHandler, install_hooks
from wecom_logging.integrations.asgi import WeComMiddleware
log = logging.getLogger("shop")
log.addHandler(WeComBotHandler(rate_limit=None, exit_timeout=20))

def fail():
    for word in {WORDS}:
        log.error("order " + word)
"""
ASGI = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/ready")
async def ready():
    return 1

@app.get("/")
async def fails():
    fail()
"""
WSGI = """
def application(environ, start_response):
    if environ["PATH_INFO"] == "/":
        fail()
    start_response("200 OK", [])
    return [b"1"]
"""
SCRIPT = """
fail()
open("failed", "w").close()
while True:
    time.sleep(0.01)
"""
POLITE = "install_hooks(sigterm=True)\n"
SUPERVISOR = f"""
[supervisord]
nodaemon=true
logfile=/dev/stdout
logfile_maxbytes=0
pidfile=%(here)s/pid
[program:shop]
command={sys.executable} shop.py
directory=%(here)s
startsecs=0
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
redirect_stderr=true
"""


def asked(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):  # it is not up yet
        return False
    finally:
        connection.close()


def stopped(folder: Path, command: list[str], port: int = 0) -> tuple[int, list[str], str]:
    """The status of a server that got SIGTERM while alerts waited, what of them was never told, and what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    settings = {**clean, **CREDENTIALS, "PYTHONPATH": f"{ROOT}:{folder}:{sysconfig.get_path('purelib')}"}
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/webhook/send", after(0.3, ok()))
        with running(command, folder, {**settings, "WECOM_API_BASE": wecom.url}) as process:
            if port:
                until(lambda: asked(port, "/ready"))
                assert asked(port, "/")
            else:
                until((folder / "failed").exists)
            process.send_signal(signal.SIGTERM)
            status = process.wait(40)
        bodies = b"".join(wecom.bodies("/cgi-bin/webhook/send")).decode()
    told = set(re.findall("order ([a-z]+)", bodies))
    return status, [word for word in WORDS if word not in told], (folder / "output").read_text()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.case("P13")
@pytest.mark.parametrize(
    ("more", "options", "status"),
    [
        pytest.param(POLITE, (), -signal.SIGTERM, id="one process"),
        pytest.param("app.add_middleware(WeComMiddleware)", ("--workers", "2"), 0, id="workers"),
    ],
)
def test_uvicorn(tmp_path: Path, port: int, more: str, options: tuple[str, ...], status: int) -> None:
    (tmp_path / "shop.py").write_text(SHOP + ASGI + more)
    command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", str(port), "--log-level", "error", *options]
    ended, lost, printed = stopped(tmp_path, command, port)
    assert (ended, lost) == (status, [])
    assert "wecom_logging:" not in printed


@pytest.mark.case("P13")
def test_a_script_under_supervisor(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP + POLITE + SCRIPT)
    (tmp_path / "supervisord.conf").write_text(SUPERVISOR)
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(tmp_path / "supervisord.conf")]
    status, lost, printed = stopped(tmp_path, command)
    assert (status, lost) == (0, [])
    assert "wecom_logging:" not in printed


@pytest.mark.case("P08", "P13")
def test_uwsgi_whose_handler_python_does_not_know_keeps_it(tmp_path: Path, port: int) -> None:
    (tmp_path / "shop.py").write_text(SHOP + POLITE + WSGI)
    uwsgi = str(Path(sys.executable).parent / "uwsgi")
    command = [uwsgi, "--http-socket", f"127.0.0.1:{port}", "--master", "--lazy-apps", "--enable-threads"]
    status, _, printed = stopped(tmp_path, [*command, "--die-on-term", "--wsgi-file", "shop.py"], port)
    assert status == 0
    assert printed.count("wecom_logging: install_hooks: the program has its own handler of SIGTERM") == 1
