"""Connecting and subscribing: the first two steps of a bot's long connection.

Source: https://developer.work.weixin.qq.com/document/path/101463
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import RequestTimeout, WeComError
from ..model import Secret
from .commands import frame_of, new_id
from .errcodes import api_error
from .web_socket import Json, as_ours, connect, read

if TYPE_CHECKING:
    import websocket

READ_S = 5.0


def subscribed(
    url: str, host: str, bot_id: str, secret: Secret, timeout_s: float, clock: Callable[[], float] = time.monotonic
) -> websocket.WebSocket:
    """A socket that gets what happens to the bot. Raises `WeComError`."""
    found = connect(url, host, timeout_s)
    try:
        found.settimeout(READ_S)
        req_id = new_id("aibot_subscribe")
        found.send(frame_of("aibot_subscribe", req_id, {"bot_id": bot_id, "secret": secret.reveal()}))
        checked(_answer_to(found, req_id, host, clock() + timeout_s, clock), "aibot_subscribe", secret)
    except BaseException as error:
        found.shutdown()  # type: ignore[no-untyped-call] # the library's
        raise (error if isinstance(error, WeComError) else as_ours(error, host)) from None
    return found


def _answer_to(found: websocket.WebSocket, req_id: str, host: str, ends: float, clock: Callable[[], float]) -> Json:
    while clock() < ends:
        frame = read(found)
        if frame is not None and frame.get("headers", {}).get("req_id") == req_id and "cmd" not in frame:
            return frame
    raise RequestTimeout(f"{host} did not answer the subscription in time")


def checked(answer: Json, cmd: str, secret: Secret) -> Json:
    """An answer of WeCom's to a command. Raises `APIError` where it refuses that."""
    errcode = answer.get("errcode")
    if errcode != 0:
        errmsg = str(answer.get("errmsg", "")).replace(secret.reveal(), "***")
        raise api_error(errcode if isinstance(errcode, int) else -1, errmsg, cmd)
    return answer
