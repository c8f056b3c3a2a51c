"""A real Chromium without a window, where there is one: playwright (extra ``[e2e]``) drives Debian's."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    *[
        "--disable-component-update",
        "--disable-sync",
        "--disable-lcd-text",
        "--host-resolver-rules=MAP evil.test 127.0.0.1",
    ],
]


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def missing() -> str:
    """What a test in a browser would need and does not find, or nothing."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright (pip install -e '.[e2e]')"
    return "" if chromium() else "chromium (apt-get install chromium)"


@contextmanager
def launched() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
