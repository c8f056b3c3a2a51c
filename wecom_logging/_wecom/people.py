"""Who is behind an AI bot's encrypted user id, by an app's token where there is one.

Source: https://developer.work.weixin.qq.com/document/path/101521
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from .._runtime.deadline import within
from ..errors import WeComError
from .access import Caller

_ENCRYPTED = re.compile(r"w[om][0-9A-Za-z_-]{20,62}")
_MOST = 1000
_LOOK_UP_S = 2.0
"""A click waits for it, and has 5 s."""
_REST_S = 60.0
"""For so long nobody is looked up after that failed."""


class People:
    """Plain user ids of those whom the bot knows by encrypted ones. Where WeCom does not say, the id stays as it is."""

    def __init__(
        self, client: Caller, say: Callable[[str, str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._say = say
        self._clock = clock
        self._known: dict[str, str] = {}
        self._rests_until = float("-inf")

    def plain(self, id: str) -> str:
        """The user id. Takes a call of the client, once for each, and some two seconds at most."""
        if not _ENCRYPTED.fullmatch(id):
            return id
        if id not in self._known and self._clock() >= self._rests_until:
            try:
                with within(time.monotonic() + _LOOK_UP_S):
                    found = self._asked(id)
            except WeComError as error:
                self._rests_until = self._clock() + _REST_S
                self._say("openuserid", f"a user id of the AI bot could not be looked up: {error}")
                return id
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[id] = found
        return self._known.get(id, id)

    def _asked(self, id: str) -> str:
        answer = self._client.call("batch/openuserid_to_userid", {"open_userid_list": [id]})
        rows = answer.get("userid_list")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("open_userid") == id and isinstance(row.get("userid"), str):
                return str(row["userid"])
        return id
