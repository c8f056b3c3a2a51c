"""`Heartbeat`: asks a URL once a minute while all is well, so that somebody outside notices when nobody can tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from .._lines import explained, line
from .._runtime.clock import within
from .._runtime.hiding import as_own_traffic
from .._wecom.foreign import our_error
from .._wecom.http import ask, new_session
from ..model import Secret

BEAT_S = 60.0
_TIMEOUT_S = 5.0


class Heartbeat:
    """That of one handler."""

    every_s = BEAT_S

    def __init__(self, url: Secret, warn_once: Callable[[str, str], object]) -> None:
        self._url = url
        self._warn_once = warn_once
        self._next = float("-inf")

    def turn(self, now: float) -> float:
        """Ask, if it is time; the seconds until it is again. What fails is said, and costs no alert."""
        if now < self._next:
            return self._next - now
        self._next = now + BEAT_S
        if why := _asked(self._url):
            self._warn_once("heartbeat", line("no_heartbeat", why=explained(why)))
        return BEAT_S


def _asked(url: Secret) -> str:
    """Why it did not answer as it should; "" if it did. No text shows the URL: it is a secret."""
    session, host = new_session(), urlsplit(url.reveal()).hostname or ""
    try:
        with within(time.monotonic() + _TIMEOUT_S), as_own_traffic():
            response = ask(session, "GET", url.reveal(), host, _TIMEOUT_S)
        response.close()
        return "" if response.ok else f"HTTP {response.status_code}"
    except Exception as error:
        return str(our_error(error, host, "heartbeat_url"))
    finally:
        session.close()
