"""pytest: the fixtures ``wecom_alerts`` and ``wecom_sandbox``, and ``--wecom-report``, an alert on a failed run.

It is a plugin that pytest finds by itself, and loads nothing of the package until one of them is used.
``-p no:wecom`` switches it off. Source: https://docs.pytest.org/en/stable/how-to/writing_plugins.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from .._sandbox import Sandbox
    from ..handlers import AlertHandler
    from ..testing import CapturedAlerts

_APP = ("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_SECRET_FILE")
_BOT = ("WECOM_WEBHOOK", "WECOM_WEBHOOK_FILE")
_MOST_SHOWN = 5
_MAX_TEXT = 500
_WAIT_S = 10.0


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("wecom", "wecom_logging")
    group.addoption(
        "--wecom-report",
        action="store_true",
        help="tell WeCom when the run fails: how many tests, and the first of them (WECOM_… variables)",
    )


def pytest_configure(config: Any) -> None:
    import pytest

    class Fixtures:
        @pytest.fixture
        def wecom_alerts(self) -> Iterator[CapturedAlerts]:
            """What wecom_logging's handlers would send during this test; nothing goes out."""
            from ..testing import capture_alerts

            with capture_alerts() as alerts:
                yield alerts

        @pytest.fixture
        def wecom_sandbox(self) -> Iterator[Sandbox]:
            """A whole WeCom on this machine, to which the WECOM variables lead during this test."""
            from ..testing import sandbox

            with sandbox() as wecom:
                yield wecom

    config.pluginmanager.register(Fixtures(), "wecom_fixtures")


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: Any) -> None:
    if not config.getoption("--wecom-report") or hasattr(config, "workerinput"):
        return
    failed = [*terminalreporter.stats.get("failed", ()), *terminalreporter.stats.get("error", ())]
    if not failed and int(exitstatus) != 3:  # an error inside pytest
        return
    try:
        said = _report(terminalreporter, failed, config)
    except Exception as error:  # the result of the run must not depend on this
        said = f"not told ({type(error).__name__})"
    terminalreporter.write_line(f"wecom-report: {said}")


def _report(terminalreporter: Any, failed: list[Any], config: Any) -> str:
    """Tell it; what there is to say about that."""
    handlers, troubles = _handlers(config.rootpath.name)
    for handler in handlers:
        handler.handle(_record(terminalreporter, failed))
    told = [handler.flush(_WAIT_S) and handler.stats().delivered > 0 for handler in handlers]
    for handler in handlers:
        handler.close()
    if not handlers:
        return f"not told: {'; '.join(troubles)}"
    return "told" if all(told) else "not told, see above"


def _record(terminalreporter: Any, failed: list[Any]) -> logging.LogRecord:
    import logging

    from .._render.words import MORE, PYTEST_BROKE, TEST_FAILED, TESTS_FAILED
    from .._telling import in_our_words

    numbers = {name: len(found) for name, found in terminalreporter.stats.items() if name in ("passed", "skipped")}
    message = (TESTS_FAILED if len(failed) > 1 else TEST_FAILED) if failed else PYTEST_BROKE
    record = logging.LogRecord("pytest", logging.ERROR, "", 0, message.en, (), None)
    record.args = (len(failed),) if failed else ()
    shown = {report.nodeid or "collection": _why(report) for report in failed[:_MOST_SHOWN]}
    if len(failed) > _MOST_SHOWN:
        shown["…"] = MORE.en.format(len(failed) - _MOST_SHOWN)
    record.wecom = {"fields": {**{name: str(number) for name, number in numbers.items()}, **shown}}
    in_our_words(record, message, (*numbers, "collection", "…"))
    return record


def _why(report: Any) -> str:
    """What a failed test says in one line."""
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    text = getattr(crash, "message", None) or str(getattr(report, "longreprtext", "")).strip().rpartition("\n")[2]
    return str(text).strip().partition("\n")[0][:_MAX_TEXT]


def _handlers(service: str) -> tuple[list[AlertHandler], list[str]]:
    """Those that the environment configures, and why there are no others."""
    import os

    from ..errors import ConfigurationError
    from ..handlers import WeComBotHandler, WeComHandler

    made: list[AlertHandler] = []
    troubles: list[str] = []
    for kind, variables in ((WeComHandler, _APP), (WeComBotHandler, _BOT)):
        if any(map(os.environ.get, variables)):
            try:
                made.append(kind(service=service, exit_timeout=0))
            except ConfigurationError as error:
                troubles.append(str(error))
    return made, troubles or ["neither an app (WECOM_CORP_ID …) nor a bot (WECOM_WEBHOOK) is set in the environment"]
