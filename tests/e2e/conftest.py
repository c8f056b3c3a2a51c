from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from wecom_logging._sandbox import Sandbox

from ..sandbox.caller import Caller
from .browser import launched

TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Watched:
    """A page, and all that it did which it should not do."""

    page: Page
    faults: list[str] = field(default_factory=list)
    visits: int = 0


Open = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module only: while it is there, an event loop runs in this thread."""
    with launched() as found:
        yield found


@pytest.fixture
def wecom(sandbox: Sandbox) -> Iterator[Caller]:
    caller = Caller(sandbox)
    yield caller
    caller.session.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address as somebody would; a dialog, a request to elsewhere or an error in a script fails the test."""
    opened: list[Watched] = []
    contexts = []

    def open_it(url: str, *, wait: bool = True, **options: Any) -> Watched:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en", **options})
        contexts.append(context)
        watched = Watched(context.new_page())
        _watch(watched, urlsplit(url).netloc)
        opened.append(watched)
        watched.page.set_default_timeout(TIMEOUT_MS)
        watched.page.goto(url)
        if wait:
            watched.page.locator("#standing[data-state=live]").wait_for()
        return watched

    yield open_it
    for watched in opened:
        assert watched.faults == []
    for context in contexts:
        context.close()


def _watch(watched: Watched, netloc: str) -> None:
    page, faults = watched.page, watched.faults

    def requested(request: Any) -> None:
        watched.visits += request.is_navigation_request()
        if urlsplit(request.url.removeprefix("blob:")).netloc != netloc:  # a picture of the page's own is a blob
            faults.append(f"request: {request.url}")

    def asked(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", requested)
    page.on("dialog", asked)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("popup", lambda popup: faults.append(f"popup: {popup.url}"))
    page.on("download", lambda download: faults.append(f"download: {download.url}"))
