"""A sweep over the whole suite: what a test printed, logged, sent to the sandbox or left in files shows no secret of
ours. A test that shows one on purpose, such as a file with a configuration, says ``@pytest.mark.shows_secrets``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wecom_logging._sandbox import Sandbox

from . import logged
from .programs import CREDENTIALS, printed
from .secrets import BOT_KEY, CORP_SECRET, assert_no_secret

SECRETS = (
    *(CREDENTIALS["WECOM_SECRET"], CREDENTIALS["WECOM_CONTACTS_SECRET"], CORP_SECRET, BOT_KEY),
    *logged.SECRETS,  # those of the programs of tests
)
_MAX_BYTES = 8 << 20


def look(item: pytest.Item) -> None:
    """AssertionError if something that the test leaves behind has a secret in it."""
    told = [*printed, *(text for _, _, text in item._report_sections)]
    printed.clear()
    if item.get_closest_marker("shows_secrets"):
        return
    for text in told:
        assert_no_secret(text, *SECRETS)
    for value in getattr(item, "funcargs", {}).values():
        if isinstance(value, Sandbox):
            assert_no_secret(str(value.messages()), *SECRETS)
        if isinstance(value, Path):
            for name, content in files(value):
                assert_no_secret(f"{name}: {content}", *SECRETS)


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Those below it, and what is in them."""
    for where, _, names in os.walk(folder):
        for path in (Path(where, name) for name in names):
            with suppress(FileNotFoundError):  # a thread that outlives the test has just taken it away
                if path.is_file() and path.stat().st_size <= _MAX_BYTES:
                    yield path, path.read_bytes().decode("utf-8", "replace")
