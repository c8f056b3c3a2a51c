"""Fixtures that all tests share: a clean environment, and a real local WeCom."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from wecom_logging.pipeline import complaints, ratelimit
from wecom_logging.sandbox import Sandbox
from wecom_logging.wecom import token


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No WECOM_… variable of whoever runs the tests, nothing remembered of another test, no handler left behind."""
    for name in list(os.environ):
        if name.startswith("WECOM_"):
            monkeypatch.delenv(name)
    complaints._last.clear()
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
