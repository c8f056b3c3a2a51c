"""Waiting out what passes by itself, so that one bad minute does not refuse the rest of a long work."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TypeVar

from ..._wecom.errcodes import Verdict, lookup
from ...errors import APIError, RateLimitedError, TokenError, WeComError

T = TypeVar("T")

LIMIT_S = 70 * 60
"""For a rate limit: the block of an hourly one lasts an hour (https://developer.work.weixin.qq.com/document/path/90312)."""
TROUBLE_S = 15 * 60
LONGEST_PAUSE_S = {True: 600.0, False: 60.0}
_ABOUT_ONE = frozenset({60011, 60021, 60030, 92000})
"""Matters of configuration, but of one member or department."""


class Patience:
    """Makes requests one after the other. Its ``nap`` is for the client, which waits between its own quick tries."""

    def __init__(self, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._say = say
        self._sleep = sleep
        self.repeated = False
        """Whether the last request was made more than once, so that WeCom may have acted on the one before."""

    def nap(self, seconds: float) -> None:
        """Wait between two tries of one request."""
        self.repeated = True
        self._sleep(seconds)

    def call(self, request: Callable[[], T]) -> T:
        """The request's result. Raises what does not pass, or did not for a long time."""
        self.repeated = False
        waited_s = 0.0
        for attempt in itertools.count():
            try:
                return request()
            except WeComError as error:
                pause_s, most_s = _pause(error, attempt)
                if not error.retryable or isinstance(error, TokenError) or waited_s + pause_s > most_s:
                    raise  # a new token was tried already
                self._say(f"{error} Waiting {pause_s:.0f} s, then going on.")
            waited_s += pause_s
            self.nap(pause_s)
        raise AssertionError("the loop has no other end")


def _pause(error: WeComError, attempt: int) -> tuple[float, float]:
    """How long to wait now, and in all."""
    limited = isinstance(error, RateLimitedError)
    pause_s = max(error.retry_after_s, 2.0) * 2 ** min(attempt, 10)
    return min(pause_s, max(error.retry_after_s, LONGEST_PAUSE_S[limited])), LIMIT_S if limited else TROUBLE_S


def stops_all(error: WeComError) -> bool:
    """Whether what comes next would fare no better: a wrong configuration, or trouble that lasted too long."""
    if error.retryable or not isinstance(error, APIError):
        return True
    return lookup(error.errcode).verdict is Verdict.CONFIGURATION and error.errcode not in _ABOUT_ONE
