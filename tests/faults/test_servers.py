"""Alerts of web applications: servers that fork, patch, recycle and kill their workers deliver each exactly once."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..programs import CREDENTIALS, ROOT, running, until, word
from ..scripted import ScriptedWeCom

pytestmark = pytest.mark.slow

APPLICATION = """
import logging, os, time
from wecom_logging import WeComHandler
log = logging.getLogger("shop")
log.addHandler(WeComHandler(rate_limit=None, exit_timeout=3))
log.error("a loaded z,")

def application(environ, start_response):
    log.error(f"a {environ['QUERY_STRING']} z,")
    if environ["PATH_INFO"] == "/hang":
        time.sleep(60)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


class Server:
    """A running server of the application, and what it told."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, wecom: ScriptedWeCom, log: Path) -> None:
        self.process, self.port, self._wecom, self._log = process, port, wecom, log

    def get(self, probe: str, path: str = "/") -> int:
        """The worker that answered, by its pid; 0 where none did."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", f"{path}?{probe}")
            return int(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):  # it is not up yet, or is just going down
            return 0
        finally:
            connection.close()

    def told(self) -> list[str]:
        bodies = b"".join(self._wecom.bodies("/cgi-bin/message/send")).decode()
        return sorted(re.findall("a ([a-z]+) z,", bodies))

    def log(self) -> str:
        return self._log.read_text()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(
    tmp_path: Path, command: Callable[[int], list[str]], *, said: int = 0, **environment: str
) -> Iterator[Server]:
    """Run a server; ``said`` is how many lines of ours are in its log at the end."""
    (tmp_path / "shop_application.py").write_text(APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    paths = f"{ROOT}:{tmp_path}:{sysconfig.get_path('purelib')}"  # uWSGI starts itself anew without the environment
    settings = {**clean, **CREDENTIALS, "PYTHONPATH": paths, **environment}
    with ScriptedWeCom() as wecom:
        settings["WECOM_API_BASE"] = wecom.url
        with running(command(port), tmp_path, settings) as process:
            server = Server(process, port, wecom, tmp_path / "output")
            until(lambda: process.poll() is not None or accepts(port))
            yield server
            assert f"{ROOT}/wecom_logging" not in server.log()  # in no traceback
            assert server.log().count("wecom_logging: ") == said


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:  # asked until it does
        return False
    return True


def gunicorn(*options: str) -> Callable[[int], list[str]]:
    return lambda port: [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5"),
        *("--workers", "3", *options, "shop_application:application"),
    ]


def ask(server: Server, number: int) -> list[str]:
    """Make requests, eight at a time, and return their probes."""
    probes = [word(i) for i in range(number)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(server.get, probes))
    return probes


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
@pytest.mark.parametrize(
    "preload",
    [
        pytest.param(True, marks=pytest.mark.case("P05"), id="preload"),
        pytest.param(False, marks=pytest.mark.case("P06"), id="no preload"),
    ],
)
@pytest.mark.case("P07")
def test_gunicorn_and_term(tmp_path: Path, kind: str, preload: bool) -> None:
    more = ["--threads", "4"] if kind == "gthread" else []
    with serving(tmp_path, gunicorn("--worker-class", kind, *more, *(["--preload"] if preload else []))) as server:
        until(lambda: server.told().count("loaded") == (1 if preload else 3))
        probes = ask(server, 40)
        assert server.end(signal.SIGTERM) == 0
        assert server.told() == sorted(probes + ["loaded"] * (1 if preload else 3))


@pytest.mark.case("P07")
def test_gunicorn_and_quit(tmp_path: Path) -> None:
    with serving(tmp_path, gunicorn()) as server:
        until(lambda: server.told().count("loaded") == 3)
        probes = ask(server, 20)
        assert server.end(signal.SIGQUIT) == 0
        assert server.told() == sorted([*probes, "loaded", "loaded", "loaded"])


@pytest.mark.case("P07")
def test_gunicorn_kills_a_worker_that_hangs(tmp_path: Path) -> None:
    with serving(tmp_path, gunicorn("--workers", "1", "--timeout", "3")) as server:
        assert server.get("hanging", "/hang") == 0
        until(lambda: server.get("after") != 0)
        assert server.end(signal.SIGTERM) == 0
        assert server.told() == ["after", "hanging", "loaded", "loaded"]


@pytest.mark.case("P07")
def test_gunicorn_recycles_workers(tmp_path: Path) -> None:
    with serving(tmp_path, gunicorn("--workers", "1", "--max-requests", "5", "--preload")) as server:
        probes = [word(i) for i in range(20)]
        workers = set()
        for probe in probes:
            until(lambda probe=probe: workers.add(worker := server.get(probe)) or worker)
        assert server.end(signal.SIGTERM) == 0
        assert len(workers - {0}) >= 4
        assert set(server.told()) == {*probes, "loaded"}
        assert len(server.told()) == len(set(server.told()))


def uwsgi(tmp_path: Path, *options: str, threads: bool = True) -> Callable[[int], list[str]]:
    return lambda port: [
        *(str(Path(sys.executable).parent / "uwsgi"), "--http-socket", f"127.0.0.1:{port}", "--master"),
        *("--processes", "2", "--need-app", "--die-on-term", "--worker-reload-mercy", "5"),
        *("--wsgi-file", str(tmp_path / "shop_application.py"), *(["--enable-threads"] if threads else []), *options),
    ]


def state_url(state: str, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/alerts.db" if state == "sqlite" else "memory://"


@pytest.mark.case("P08")
@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no threads"])
@pytest.mark.parametrize("state", ["memory", "sqlite"])
@pytest.mark.parametrize("way", ["plain", "--py-call-uwsgi-fork-hooks"])
def test_uwsgi_that_forks_what_it_has_loaded(tmp_path: Path, way: str, state: str, threads: bool) -> None:
    """Where a thread of ours runs by then the workers hang, or the master stops it while it has the state locked."""
    is_plain = way == "plain"
    command = uwsgi(tmp_path, *([] if is_plain else [way]), threads=threads)
    with serving(tmp_path, command, said=is_plain, WECOM_STATE=state_url(state, tmp_path)) as server:
        if threads:
            until(lambda: server.told() == ["loaded"])  # before any request
        probes = ask(server, 20)
        until(lambda: {*probes, "loaded"} <= set(server.told()))
        if state == "memory":  # what is forked in its place does not tell again what was logged before
            before = server.get("killed")
            os.kill(before, signal.SIGKILL)
            until(lambda: "Respawned uWSGI worker" in server.log())  # else one that it forks amid its end lives on
            more = [word(i) for i in range(30, 40)]
            assert all(map(server.get, more))
            until(lambda: set(more) <= set(server.told()))
            probes += more
        server.end(signal.SIGTERM)
        assert [probe for probe in server.told() if probe != "killed"] == sorted([*probes, "loaded"])
        assert ("--lazy-apps" in server.log()) is is_plain


@pytest.mark.case("P08")
@pytest.mark.timing_of_another("uWSGI's exit may end OpenSSL, whose digests a first alert needs, before Python's exit")
@pytest.mark.parametrize("state", ["memory", "sqlite"])
def test_uwsgi_that_loads_in_each_worker_without_threads(tmp_path: Path, state: str) -> None:
    command = uwsgi(tmp_path, "--lazy-apps", threads=False)
    with serving(tmp_path, command, WECOM_STATE=state_url(state, tmp_path)) as server:
        until(lambda: server.log().count("WSGI app 0") == 2)
        probes = ask(server, 20)
        until(lambda: all(f"GET /?{probe} " in server.log() for probe in probes))  # uWSGI ends a busy worker at once
        server.end(signal.SIGTERM)
        assert set(server.told()) == {*probes, "loaded"}
        assert [probe for probe in server.told() if probe != "loaded"] == sorted(probes)


@pytest.mark.case("P08")
@pytest.mark.timing_of_another("uWSGI ends a worker that is busy, or still loads, without Python's exit")
@pytest.mark.parametrize("lazy", [True, False], ids=["lazy", "not lazy"])
def test_uwsgi_with_threads_and_reloaded(tmp_path: Path, lazy: bool) -> None:
    (tmp_path / "reload").touch()
    options = ["--touch-reload", str(tmp_path / "reload"), "--lazy-apps" if lazy else "--py-call-uwsgi-fork-hooks"]
    loads = 2 if lazy else 1  # a worker that is stopped while it loads says so with a traceback of its own
    with serving(tmp_path, uwsgi(tmp_path, *options)) as server:
        until(lambda: server.log().count("WSGI app 0") == loads)
        before = [word(i) for i in range(20)]
        first = {server.get(probe) for probe in before}
        os.utime(tmp_path / "reload", (1, 2_000_000_000))
        asked = []

        def another() -> int:
            asked.append(word(100 + len(asked)))
            return server.get(asked[-1])

        until(lambda: another() not in {0, *first})
        after = [word(i) for i in range(30, 40)]
        assert all(server.get(probe) for probe in after)
        until(lambda: {*before, *after, "loaded"} <= set(server.told()))
        until(lambda: server.log().count("WSGI app 0") == 2 * loads)
        server.end(signal.SIGTERM)
        told = [probe for probe in server.told() if probe != "loaded"]
        assert len(told) == len(set(told))
        assert set(told) <= {*before, *after, *asked}
