"""Fixtures that all tests share: a clean environment, and a real local WeCom."""

from __future__ import annotations

import gc
import logging
import os
import signal
import tempfile
import threading
from collections.abc import Generator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from wecom_logging import _build as build
from wecom_logging._delivery import pipeline
from wecom_logging._jobs import declared
from wecom_logging._masking import redact
from wecom_logging._runtime import clock as clocks
from wecom_logging._runtime import standing, warn, windows, worker
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import scopes
from wecom_logging._wecom import aibot, token
from wecom_logging.handlers import live_handlers

from . import sweep
from .e2e import browser
from .faults.cases import CASES, table
from .programs import Clock
from .storms import Recorder

# A busy machine draws and runs an example as slowly as it likes; and what passed once passes again: each run tries the
# same examples, but that a text may be one that stands in a module which this process has loaded.
# ``pytest --hypothesis-profile=search`` tries others.
hypothesis.settings.register_profile(
    "search", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.register_profile("same", hypothesis.settings.get_profile("search"), derandomize=True, database=None)
hypothesis.settings.load_profile("same")

TESTS = Path(__file__).parent
collect_ignore = ["e2e"] if browser.missing() else []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--case", action="append", default=[], choices=CASES, metavar="N01", help="only this case's tests")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for each core, since a test mostly waits; none for a single file, which starts sooner without."""
    (first, *more) = config.args
    return 0 if not more and Path(first.split("::")[0]).is_file() else 2 * (os.cpu_count() or 1)


def _is_named(config: pytest.Config) -> bool:
    """Whether somebody asks for certain files, tests or cases, and not by a marker: those run whole, slow or not."""
    if hasattr(config, "workerinput") or any(argument.startswith("-m") for argument in config.invocation_params.args):
        return False
    return bool(config.getoption("case")) or all(".py" in argument for argument in config.args)


def _in_memory() -> None:
    """Puts what tests write into memory, where it has room: a state waits for the disk at each write."""
    if "TMPDIR" not in os.environ and os.path.isdir("/dev/shm"):
        found = os.statvfs("/dev/shm")
        if found.f_bavail * found.f_frsize > 1 << 30 and not found.f_flag & os.ST_NOEXEC:
            os.environ["TMPDIR"] = tempfile.tempdir = "/dev/shm"


def pytest_report_header() -> str | None:
    return f"tests/e2e: not run for want of {browser.missing()}" if browser.missing() else None


def pytest_configure(config: pytest.Config) -> None:
    if _is_named(config):
        config.option.markexpr = ""
    if "not others" in config.option.markexpr:
        _in_memory()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # all that a test asks is on this machine
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of a thousand programs would compile the package anew
    for name in ("LC_ALL", "LANGUAGE"):  # whoever runs the tests may read Chinese
        os.environ.pop(name, None)
    os.environ["LC_MESSAGES"] = "C"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what tests start inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (getattr(signal, name) for name in ("SIGHUP", "SIGQUIT") if hasattr(signal, name)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


OTHERS = (
    "integrations/",
    "sandbox/test_aibot_sdks.py",
    "sandbox/test_alertmanager.py",
    "sandbox/test_npm.py",
    "sandbox/test_wechatpy.py",
    "sandbox/test_wecom_notifier.py",
)
"""Tests of other people's programs: all are marked ``others``, and not even imported where those are left out."""

# Files are not even imported there. Their names, or beginnings of names, and those of tests, with what they need.
NOT_ON_WINDOWS = {
    "cli/test_run.py": "signals and terminals of Unix",
    "answers/test_aibot.py::test_a_forked_child_closes_its_copy_and_the_parent_goes_on": "forks",
    "answers/test_aibot.py::test_i_take_it[sqlite]": "a state of sqlite://",
    "answers/test_aibot.py::test_of_two_at_once_one_wins_and_the_other_sees_who[sqlite]": "a state of sqlite://",
    "answers/test_command.py::test_an_hour_is_that_of_the_wall": "a time zone that a process sets for itself",
    "cli/test_doctor.py::test_a_state_that_cannot_be_used_is_named": "a state of sqlite://",
    "cli/test_incidents.py": "a state of sqlite://",
    "cli/test_pending.py": "a state of sqlite://",
    "faults/test_hostile.py::test_a_signal_handler_that_logs_between_any_two_steps_of_ours": "signals of Unix",
    "faults/test_logged.py::test_the_files_of_a_state": "a state of sqlite://",
    "faults/test_namespace.py": "network namespaces of Linux",
    "faults/test_process_life.py": "forks and signals",
    "faults/test_servers.py": "servers that fork",
    "faults/test_sigterm.py": "Windows ends a process without a signal",
    "integrations/test_host_locks.py": "forks",
    "integrations/test_servers.py": "servers that fork",
    "pipeline/test_capture.py::test_only_a_file_of_a_sensible_kind_and_size_is_opened": "a named pipe",
    "pipeline/test_pipeline.py::test_a_state_that_comes_back_gets_the_first_of_a_group": "a state of sqlite://",
    "runtime/test_forks.py": "forks",
    "state/": "file locks of Unix (sqlite://), and a Valkey, of which there is no wheel",
    "test_benchmarks.py": "the module resource",
    "cli/test_jobs.py": "a state of sqlite://",
    "test_expect.py": "a state of sqlite://",
    "test_golden.py": "a time zone that a process sets for itself",
    "test_workflows.py::test_on_the_package_index": "a shell of Unix",
    "test_journey.py": "a shell, a locale and a time zone of Unix",
}


class _NotHere(pytest.Module):
    """A file of tests that this system cannot run: it is not imported, and the report has its name and the reason."""

    def collect(self) -> Iterator[pytest.Item]:
        name = self.path.relative_to(TESTS).as_posix()
        reason = next(why for begin, why in NOT_ON_WINDOWS.items() if name.startswith(begin))
        pytest.skip(f"{name} is not for Windows: {reason}", allow_module_level=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_left_out = "not others" in config.option.markexpr and _is_others(collection_path)
    return True if is_left_out else None  # else another plugin decides


def _is_others(path: Path) -> bool:
    return path.is_relative_to(TESTS) and path.relative_to(TESTS).as_posix().startswith(OTHERS)


def pytest_collection_finish() -> None:
    """What the collection has made stays to the end: each search for garbage would go through all of it again."""
    gc.collect()
    gc.freeze()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    name = module_path.relative_to(TESTS).as_posix()
    if hasattr(os, "fork") or not name.startswith(tuple(NOT_ON_WINDOWS)):
        return None
    return _NotHere.from_parent(parent, path=module_path)


def _cases(item: pytest.Item) -> list[str]:
    names = [name for mark in item.iter_markers("case") for name in mark.args]
    assert CASES.keys() >= set(names), f"{item.nodeid}: tests/faults/cases.py has no such case"
    return names


_LEFT_OUT: list[tuple[str, bool]] = []
"""Cases of tests that are there and do not run, and whether the test is slow."""


def pytest_deselected(items: list[pytest.Item]) -> None:
    later = {"slow", "others"}
    _LEFT_OUT.extend((name, not later.isdisjoint(item.keywords)) for item in items for name in _cases(item))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = _LEFT_OUT


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each worker has collected the same tests: what one of them says is enough."""
    _LEFT_OUT[:] = getattr(node, "workeroutput", {}).get("left_out", _LEFT_OUT)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _is_others(item.path):
            item.add_marker("others")
        for name, why in NOT_ON_WINDOWS.items():
            if "::" in name and not hasattr(os, "fork") and item.nodeid.startswith(f"tests/{name}"):
                item.add_marker(pytest.mark.skip(reason=f"not for Windows: {why}"))
        for mark in item.iter_markers("timing_of_another"):
            (_why,) = mark.args  # no second try without a reason
            item.add_marker(pytest.mark.flaky(reruns=1))
        item.user_properties += [("case", name) for name in _cases(item)]  # they come back with a worker's report
    if wanted := set(config.getoption("case")):
        config.hook.pytest_deselected(items=[item for item in items if not wanted.intersection(_cases(item))])
        items[:] = [item for item in items if wanted.intersection(_cases(item))]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Before the fixtures are gone."""
    try:
        sweep.look(item)
    finally:
        yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results: dict[str, list[bool]] = {}
    for category in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(category, ()):
            for name in (value for key, value in getattr(report, "user_properties", ()) if key == "case"):
                results.setdefault(name, []).append(report.passed)
    if results:
        is_named = config.getoption("case") or config.args_source is config.ArgsSource.ARGS
        names = [name for name in CASES if name in results or not is_named]
        terminalreporter.section("faults")
        terminalreporter.write_line("\n".join(table(results, names, _LEFT_OUT)))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No WECOM_… variable of whoever runs the tests, nothing remembered of another test, no handler left behind.

    What time a test has let pass has not passed for the next: another process does not know of it.
    """
    monkeypatch.setattr(clocks, "_ahead_s", 0.0)
    for name in list(os.environ):
        if name.startswith("WECOM_"):
            monkeypatch.delenv(name)
    served = [one._pipeline for one in live_handlers()]
    for number, left in list(worker._workers.items()):
        if left.closed or not left.job.settled():  # another test's: who looks at all would see it, or wait
            left.finish(0.0)
            left.job.turn = lambda: float("inf")  # its server is gone
        elif left.job in served:
            continue
        del worker._workers[number]
    warn._last.clear()
    standing.standing._watched.clear()
    pipeline.forget_left()
    scopes.forget_scopes()
    declared.declared.clear()
    declared.newest.clear()
    redact._remembered = ()
    build.secrets_of_all.clear()
    build._rotas.clear()
    build._said_off.clear()
    build._named_rotas.clear()
    windows._kept.clear()  # ports come back, and with them what was known of another test's server
    token._sources.clear()
    aibot._connections.clear()
    before = [*logging.getLogger().handlers, *live_handlers()]  # of a fixture that serves a whole module
    yield
    ours = [one for one in logging.getLogger().handlers if type(one).__module__.startswith("wecom_logging")]
    for handler in (*ours, *live_handlers()):  # what names no handler sends through all that live
        if handler not in before:
            logging.getLogger().removeHandler(handler)
            handler.close()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder for source files: the package opens none below /dev, where `tmp_path` may be."""
    with tempfile.TemporaryDirectory(dir="/tmp" if tmp_path.is_relative_to("/dev") else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A local WeCom of this test's own."""
    with Sandbox() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """Time that passes when the test says so."""
    return Clock()


@pytest.fixture
def channel(clock: Clock) -> Recorder:
    """A channel that keeps what it is told."""
    return Recorder(clock)


@pytest.fixture
def beats() -> list[str]:
    """The paths that a service for heartbeats was asked for."""
    return []


@pytest.fixture
def beat_url(beats: list[str]) -> Iterator[str]:
    """Where it is."""

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            beats.append(self.path)
            self.send_response(404 if "lost" in self.path else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/ping/canary-5f2"
        server.shutdown()
        thread.join()
