"""What runs programs, tried for real with the files of examples/servers: each failure is told, nothing else changes."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import CREDENTIALS, ROOT, running, until
from wecom_logging._sandbox import Sandbox

pytestmark = pytest.mark.slow

SERVERS = ROOT / "examples" / "servers"
BIN = Path(sys.executable).parent

WSGI = """
import os, time
if os.environ.get("CANNOT") == "start":
    raise LookupError("no prices to start with")
def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise ValueError("no price")
    if environ["PATH_INFO"] == "/hangs":
        time.sleep(60)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"priced"]
"""

ASGI = """
import os
from wecom_logging.integrations.asgi import WeComMiddleware
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if os.environ.get("CANNOT") == "start":
            raise LookupError("no prices to start with")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/fails":
        raise ValueError("no price")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"priced"})
watched = WeComMiddleware(application)
"""


def texts(sandbox: Sandbox) -> list[str]:
    return [message["content"] for message in sandbox.messages()]


def firsts(sandbox: Sandbox) -> list[str]:
    """The first line of each alert, without what differs from run to run."""
    return sorted(re.sub(r"\d+", "#", text.splitlines()[0]) for text in texts(sandbox))


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    return {**clean, **CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": str(ROOT), **more}


def ended(command: list[str], folder: Path, settings: dict[str, str]) -> int:
    """The exit code of a process that ends by itself."""
    with running(command, folder, settings) as process:
        return process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body; 0 where the server closed the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def gunicorn(port: int, kind: str, *options: str) -> list[str]:
    bind = ["--bind", f"127.0.0.1:{port}", "--worker-class", kind]
    return [sys.executable, "-m", "gunicorn", *bind, *options, "shop:application"]


CONFIG = ("--config", str(SERVERS / "gunicorn.conf.py"))


@pytest.mark.parametrize("preload", [["--preload"], []], ids=["preload", "no preload"])
@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn_tells_what_it_logs(sandbox: Sandbox, tmp_path: Path, kind: str, preload: list[str]) -> None:
    (tmp_path / "shop.py").write_text(WSGI)
    answers = []
    for config in ((), CONFIG):
        port = free_port()
        limit = ("--timeout", "3") if kind == "sync" else ()  # a worker that starts slowly is killed, too
        with running(gunicorn(port, kind, *limit, *preload, *config), tmp_path, environment(sandbox)) as it:
            until(lambda port=port: get(port, "/")[0])
            answers.append([get(port, path) for path in ("/", "/fails", *(["/hangs", "/"] if kind == "sync" else []))])
            it.send_signal(signal.SIGTERM)
            assert it.wait(25) == 0
        assert bool(texts(sandbox)) is bool(config)
    assert answers[0] == answers[1]
    assert answers[0][1][0] == 500
    (failed,) = [text for text in texts(sandbox) if "/fails" in text]
    assert re.match(r"🔴 ERROR shop gunicorn.error: Error handling request.*: ValueError: no price\n", failed)
    assert "ValueError: no price" in failed
    assert "\nshop.py:" in failed  # not where gunicorn logs
    timeouts = [line for line in firsts(sandbox) if "WORKER TIMEOUT" in line]
    assert timeouts == (["🚨 CRITICAL shop gunicorn.error: WORKER TIMEOUT (pid:#)"] if kind == "sync" else [])


def test_gunicorn_tells_why_it_finds_no_application(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(WSGI)
    for config in ((), CONFIG):
        command = gunicorn(free_port(), "sync", *config)
        assert ended([*command[:-1], "shop:absent"], tmp_path, environment(sandbox)) == 4
    (text,) = [text for text in texts(sandbox) if "loaded" in text]  # gunicorn's own lines do not say why
    assert text.startswith("🔴 ERROR shop gunicorn.error: the application cannot be loaded: AppImportError: ")
    assert "'absent'" in text.splitlines()[0]
    assert "worker_exit" not in text


@pytest.mark.parametrize("preload", [["--preload"], []], ids=["preload", "no preload"])
def test_gunicorn_tells_that_the_application_cannot_be_loaded(
    sandbox: Sandbox, tmp_path: Path, preload: list[str]
) -> None:
    (tmp_path / "shop.py").write_text(WSGI)
    settings = environment(sandbox, CANNOT="start")
    statuses = [ended(gunicorn(free_port(), "sync", *preload, *config), tmp_path, settings) for config in ((), CONFIG)]
    assert statuses == ([1, 1] if preload else [3, 3])
    cause, *lines = texts(sandbox)
    assert "LookupError: no prices to start with" in cause
    assert ("the program ends: LookupError" if preload else "gunicorn.error: Exception in worker process") in cause
    own = (
        []
        if preload
        else ["Worker (pid:#) exited with code #.", "Shutting down: Master", "Reason: Worker failed to boot."]
    )
    assert [re.sub(r"\d+", "#", line.splitlines()[0]) for line in lines] == [
        f"🔴 ERROR shop gunicorn.error: {line}" for line in own
    ]


def uvicorn(port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", "--port", str(port), *options]


LOG_CONFIG = ("--log-config", str(SERVERS / "uvicorn.json"))
IN_THE_PROGRAM = """
import json, logging.config, sys
import uvicorn
with open(sys.argv[2]) as file:
    logging.config.dictConfig(json.load(file))
uvicorn.run("shop:application", port=int(sys.argv[1]), log_config=None)
"""


def test_workers_of_uvicorn_whose_application_cannot_be_imported(sandbox: Sandbox, tmp_path: Path) -> None:
    program = "from wecom_logging import WeComHandler, install_hooks\nhandler = WeComHandler()\ninstall_hooks()\n"
    (tmp_path / "shop.py").write_text(program + "raise LookupError('no settings')\n")
    with running(uvicorn(free_port(), "--workers", "2", "shop:application"), tmp_path, environment(sandbox)) as it:
        until(lambda: len(texts(sandbox)) >= 2, 60)
        it.send_signal(signal.SIGTERM)
        it.wait(25)
    assert set(firsts(sandbox)) == {"🔴 ERROR shop: a process ends: LookupError: no settings"}
    assert "process: SpawnProcess-" in texts(sandbox)[0]


@pytest.mark.parametrize("how", ["application", "watched", "in the program"])
def test_uvicorn_tells_what_it_logs(sandbox: Sandbox, tmp_path: Path, how: str) -> None:
    (tmp_path / "shop.py").write_text(ASGI)
    answers = []
    for config in ((), LOG_CONFIG):
        port = free_port()
        command = uvicorn(port, *config, f"shop:{how}")
        if how == "in the program" and config:
            command = [sys.executable, "-c", IN_THE_PROGRAM, str(port), config[1]]
        elif not config:
            command = uvicorn(port, "shop:application")
        with running(command, tmp_path, environment(sandbox)) as it:
            until(lambda port=port: get(port, "/")[0])
            answers.append([get(port, path) for path in ("/", "/fails")])
            it.send_signal(signal.SIGINT)
            answers.append([(it.wait(25), b"")])
        assert bool(texts(sandbox)) is bool(config)
    assert answers[:2] == answers[2:]
    assert answers[0][1][0] == 500
    (failed,) = texts(sandbox)
    assert "ValueError: no price" in failed
    assert ("method: GET" in failed) is (how == "watched")


LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from wecom_logging.integrations.asgi import WeComMiddleware
@asynccontextmanager
async def start(app):
    raise LookupError("no prices to start with")
    yield
application = FastAPI(lifespan=start)  # which gives the traceback to the server as a text, and raises it besides
watched = WeComMiddleware(application)
"""


@pytest.mark.parametrize(
    ("shop", "how", "merged"), [(ASGI, "application", 0), (LIFESPAN, "application", 0), (LIFESPAN, "watched", 1)]
)
def test_uvicorn_tells_why_the_application_does_not_start(
    sandbox: Sandbox, tmp_path: Path, shop: str, how: str, merged: int
) -> None:
    (tmp_path / "shop.py").write_text(shop)
    settings = environment(sandbox, CANNOT="start")
    assert ended(uvicorn(free_port(), "--lifespan", "on", f"shop:{how}"), tmp_path, settings) == 3
    program = IN_THE_PROGRAM.replace('shop:application"', f'shop:{how}", lifespan="on"')
    counting = f"""
try:
    {program.strip().replace(chr(10), chr(10) + "    ")}
finally:
    handler = logging.getLogger().handlers[-1]
    assert handler.flush(20)
    print("BOOKS", handler.stats().accepted, handler.stats().delivered, handler.stats().merged, flush=True)
"""
    command = [sys.executable, "-c", counting, str(free_port()), LOG_CONFIG[1]]
    assert ended(command, tmp_path, settings) == 3
    text, own = texts(sandbox)
    assert own.startswith("🔴 ERROR shop uvicorn.error: Application startup failed. Exiting.")
    assert re.match(r"🔴 ERROR shop (uvicorn.error|asgi): .*LookupError: no prices to start with", text)
    assert "\nshop.py:" in text
    assert f"BOOKS {merged + 2} 2 {merged}\n" in (tmp_path / "output").read_text()


SUPERVISORD = """
[supervisord]
nodaemon=true
logfile=supervisord.log
pidfile=supervisord.pid

[program:crash]
command=/bin/sh -c "echo again >> crashes; exit 7"
startsecs=0
autorestart=true

[program:job]
command=/bin/sh -c "exit 0"
startsecs=0
autorestart=false

[program:absent]
command=/bin/sh -c "exit 4"
startretries=0

[program:stopped]
command=sleep 60
"""


def test_supervisord_tells_what_ends_as_it_should_not(sandbox: Sandbox, tmp_path: Path) -> None:
    recipe = (SERVERS / "supervisord.conf").read_text(encoding="utf-8")
    ours = recipe.replace("/opt/shop/bin/python", sys.executable).replace("/opt/shop", str(SERVERS))
    assert ours.count("/opt/") == 0
    (tmp_path / "supervisord.conf").write_text(SUPERVISORD + ours)
    command = [str(BIN / "supervisord"), "--configuration", "supervisord.conf"]
    with running(command, tmp_path, environment(sandbox)) as it:
        until(lambda: len(texts(sandbox)) == 2)
        crashes = tmp_path / "crashes"
        before = crashes.read_text().count("again")
        until(lambda: crashes.read_text().count("again") > before + 4)  # of some of them the listener has heard, too
        it.send_signal(signal.SIGTERM)
        assert it.wait(25) == 0
    assert firsts(sandbox) == [
        "🔴 ERROR supervisor.crash: ended with an exit code that is not in exitcodes, or by a signal",
        "🔴 ERROR × #, # in all supervisor.crash: ended with an exit code that is not in exitcodes, or by a signal",
        "🚨 CRITICAL supervisor.absent: given up: it could not be started",
    ]


BARE = {"PATH": "/usr/bin:/bin", "LANG": "C"}
"""What cron and systemd give: no HOME, no PYTHONPATH."""


def command_of(recipe: str) -> str:
    """With the command of this environment, which knows this checkout."""
    assert recipe.count("/opt/shop/bin/wecom-logging") == 1
    return recipe.replace("/opt/shop/bin/wecom-logging", str(BIN / "wecom-logging"))


def test_cron_tells_that_a_job_failed_and_passes_its_exit_code_on(sandbox: Sandbox, tmp_path: Path) -> None:
    setting, job = (SERVERS / "crontab").read_text(encoding="utf-8").splitlines()
    name, _, path = setting.partition("=")
    assert path == "/etc/wecom-webhook"
    (tmp_path / "webhook").write_text("sandbox-bot\n")
    *times, line = job.split(maxsplit=5)
    assert len(times) == 5
    backup = tmp_path / "backup"
    backup.write_text("#!/bin/sh\necho to the disk $1\necho 磁盘已满 >&2\nexit $STATUS\n", encoding="utf-8")
    backup.chmod(0o755)
    for status in (0, 5):
        settings = {**BARE, name: str(tmp_path / "webhook"), "WECOM_API_BASE": sandbox.url, "STATUS": str(status)}
        done = subprocess.run(
            ["/bin/sh", "-c", command_of(line).replace("/opt/shop/bin/backup", str(backup))],
            env=settings,
            cwd="/",
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stdout) == (status, b"to the disk --all\n")
        assert done.stderr.decode() == "磁盘已满\n"
        assert len(texts(sandbox)) == bool(status)
    (told,) = texts(sandbox)
    assert "ERROR</font> backup: **exit code 5: 磁盘已满**" in told
    assert "磁盘已满" in told


def test_systemd_starts_the_unit_that_tells(sandbox: Sandbox, tmp_path: Path) -> None:
    unit = command_of((SERVERS / "wecom-alert@.service").read_text(encoding="utf-8"))
    (tmp_path / "wecom-alert@.service").write_text(unit, encoding="utf-8")
    if verify := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [verify, "verify", str(tmp_path / "wecom-alert@shop.service.service")],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    (line,) = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    for word, value in {
        "%i": "shop.service",
        "%H": "web-3",
        "${MONITOR_SERVICE_RESULT}": "exit-code",
        "${MONITOR_EXIT_STATUS}": "3",
    }.items():
        line = line.replace(word, value)
    settings = {**BARE, "WECOM_WEBHOOK": "sandbox-bot", "WECOM_API_BASE": sandbox.url}
    subprocess.run(shlex.split(line), env=settings, cwd="/", timeout=120, check=True)
    assert texts(sandbox) == ["🔴 shop.service failed on web-3: exit-code 3"]
