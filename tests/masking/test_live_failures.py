"""Errors of other libraries, provoked with a drawn secret each and logged: the alert does not show it.

How many of all are shown, library by library: `python -m tests.masking.test_live_failures`.
"""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from string import ascii_letters, digits

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging.testing import CapturedAlerts, capture_alerts

from .drawn import OF_MANAGERS, PRINTABLE, SIX, is_half, longest_shown
from .failures import FAILURES, Failure

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # others' warnings are theirs

ALPHABETS = (ascii_letters + digits, OF_MANAGERS, PRINTABLE)
SHOWN = {
    ("click", "a choice"),
    ("doctest", "another result"),
    ("ipaddress", "a host of a URL"),
}
"""What is shown by half or more: click says the value alone, doctest some lines below its name, ipaddress as
a URL that lost its scheme."""


@contextmanager
def _captured() -> Iterator[tuple[logging.Logger, CapturedAlerts]]:
    handler, logger = WeComBotHandler(webhook="key", rate_limit=None, overflow="file"), logging.Logger("shop")
    logger.addHandler(handler)
    with capture_alerts(timeout=60) as alerts:
        yield logger, alerts
    handler.close()


def _messages(failure: Failure, logger: logging.Logger, alerts: CapturedAlerts) -> Iterator[tuple[str, str]]:
    """The secrets that the failure was provoked with, and what the alerts of them say."""
    random = Random(f"{failure.module} {failure.what}")
    for number, alphabet in enumerate(ALPHABETS):
        secret = "".join(random.choices(alphabet, k=24))
        try:
            failure.raises(secret)
        except (Exception, SystemExit):  # a command line's way to fail
            fingerprint = f"{failure.module} {failure.what} {number}"
            logger.exception("failed", extra={"wecom": {"fingerprint": fingerprint}})
            yield secret, "\n".join([*alerts.texts, *(one.attachment.decode() for one in alerts)])
            alerts.clear()


@pytest.fixture(scope="module")
def captured() -> Iterator[tuple[logging.Logger, CapturedAlerts]]:
    with _captured() as both:
        yield both
    gc.collect()  # what others left open warns here, and in no other test


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{failure.module}: {failure.what}")
def test_the_alert_does_not_show_the_secret(failure: Failure, captured: tuple[logging.Logger, CapturedAlerts]) -> None:
    seen = list(_messages(failure, *captured))
    assert seen, "nothing failed"
    assert all("failed" in text for _, text in seen)
    shown = [f"{secret}\n-> {text}" for secret, text in seen if is_half(secret, text)]
    if failure[:2] in SHOWN:
        assert shown, "it is hidden now"
    else:
        assert not shown, "\n".join(shown)


def test_thirty_libraries_at_least_fail() -> None:
    assert len({failure.module.split(".")[0] for failure in FAILURES}) >= 30


def main() -> None:
    tried, half, six = Counter[str](), Counter[str](), Counter[str]()
    warnings.simplefilter("ignore")
    with _captured() as (logger, alerts):
        for failure in FAILURES:
            library = failure.module.split(".")[0]
            for secret, text in _messages(failure, logger, alerts):
                tried[library] += 1
                half[library] += is_half(secret, text)
                six[library] += longest_shown(secret, text) >= SIX
                if is_half(secret, text) and "--show" in sys.argv:
                    print(failure.module, failure.what, repr(secret), *text.split("\n")[-6:], sep="\n    ")
    for library in tried:
        print(f"{library:24} secrets {tried[library]:3}, shown {half[library]:3}, six signs {six[library]:3}")
    print(f"{len(tried)} libraries, {tried.total()} secrets: {half.total()} shown in {len(+half)} libraries")


if __name__ == "__main__":
    main()
