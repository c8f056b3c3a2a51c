"""pytest: the fixtures ``wecom_alerts`` and ``wecom_sandbox``.

It is a plugin that pytest finds by itself, and loads nothing of the package until one of them is used.
``-p no:wecom`` switches it off. Source: https://docs.pytest.org/en/stable/how-to/writing_plugins.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._sandbox import Sandbox
    from ..testing import CapturedAlerts


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
