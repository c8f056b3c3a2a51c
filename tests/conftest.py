"""Fixtures that all tests share: a clean environment, and a real local WeCom."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest

from wecom_logging._delivery import ratelimit
from wecom_logging._render import redact
from wecom_logging._runtime import warn as complaints
from wecom_logging._runtime import worker
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import token

from . import sweep
from .e2e import browser
from .faults.cases import CASES, table
from .programs import Clock
from .storms import Recorder

# A busy machine draws and runs an example as slowly as it likes; and what passed once passes again: each run tries the
# same examples. ``pytest --hypothesis-profile=search`` tries others.
hypothesis.settings.register_profile(
    "search", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.register_profile("same", hypothesis.settings.get_profile("search"), derandomize=True, database=None)
hypothesis.settings.load_profile("same")

collect_ignore = ["e2e"] if browser.missing() else []

_results = pytest.StashKey[dict[str, list[bool]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--case", action="append", default=[], choices=CASES, metavar="N01", help="only this case's tests")


def pytest_report_header() -> str | None:
    return f"tests/e2e: not run for want of {browser.missing()}" if browser.missing() else None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "case(*names): which cases of tests/faults/cases.py a test tries")
    config.addinivalue_line("markers", "shows_secrets: what a test leaves behind has a secret in it, on purpose")
    config.stash[_results] = {}
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # all that a test asks is on this machine
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what tests start inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _cases(item: pytest.Item) -> list[str]:
    names = [name for mark in item.iter_markers("case") for name in mark.args]
    assert CASES.keys() >= set(names), f"{item.nodeid}: tests/faults/cases.py has no such case"
    return names


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if wanted := set(config.getoption("case")):
        config.hook.pytest_deselected(items=[item for item in items if not wanted.intersection(_cases(item))])
        items[:] = [item for item in items if wanted.intersection(_cases(item))]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if not report.skipped and (report.when == "call" or not report.passed):
        for name in _cases(item):
            item.config.stash[_results].setdefault(name, []).append(report.passed)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Before the fixtures are gone."""
    try:
        sweep.look(item)
    finally:
        yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if results := config.stash[_results]:
        terminalreporter.section("faults")
        terminalreporter.write_line("\n".join(table(results, config.getoption("case") or CASES)))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No WECOM_… variable of whoever runs the tests, nothing remembered of another test, no handler left behind."""
    for name in list(os.environ):
        if name.startswith("WECOM_"):
            monkeypatch.delenv(name)
    for number, left in list(worker._workers.items()):
        if not left.settled():  # another test's; what looks at all handlers would wait for it
            left.finish(0.0)
            del worker._workers[number]
    complaints._last.clear()
    redact._remembered = ()
    ratelimit._channels.clear()  # ports come back, and with them what was known of another test's server
    token._sources.clear()
    before = list(logging.getLogger().handlers)
    yield
    for handler in list(logging.getLogger().handlers):
        if handler not in before and type(handler).__module__.startswith("wecom_logging"):
            logging.getLogger().removeHandler(handler)
            handler.close()


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
