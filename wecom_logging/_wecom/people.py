"""Who is behind an AI bot's encrypted user id, by an app's token where there is one.

Source: https://developer.work.weixin.qq.com/document/path/101521
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import WeComError
from .access import Caller

_ENCRYPTED = re.compile(r"w[om][0-9A-Za-z_-]{20,62}")
_MOST = 1000


class People:
    """Plain user ids of those whom the bot knows by encrypted ones. Where WeCom does not say, the id stays as it is."""

    def __init__(self, client: Caller, say: Callable[[str, str], object]) -> None:
        self._client = client
        self._say = say
        self._known: dict[str, str] = {}

    def plain(self, id: str) -> str:
        """The user id. Takes as long as one call of the client, once for each."""
        if not _ENCRYPTED.fullmatch(id):
            return id
        if id not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[id] = self._asked(id)
        return self._known[id]

    def _asked(self, id: str) -> str:
        try:
            answer = self._client.call("batch/openuserid_to_userid", {"open_userid_list": [id]})
        except WeComError as error:
            self._say("openuserid", f"a user id of the AI bot could not be looked up: {error}")
            return id
        rows = answer.get("userid_list")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row.get("open_userid") == id and isinstance(row.get("userid"), str):
                return str(row["userid"])
        return id
