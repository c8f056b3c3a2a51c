"""Connecting and subscribing: the first two steps of a bot's long connection.

Source: https://developer.work.weixin.qq.com/document/path/101463
"""

from __future__ import annotations

import time

from ..errors import BadResponseError, RequestTimeout
from ..model import Secret
from .body import Json, decode, errcode_of
from .commands import frame_of, new_id
from .errcodes import api_error
from .web_socket import WebSocket, as_ours, connect


def subscribed(url: str, host: str, bot_id: str, secret: Secret, timeout_s: float) -> WebSocket:
    """One that gets what happens to the bot. Raises `WeComError`."""
    found = connect(url, host, timeout_s)
    try:
        req_id = new_id("aibot_subscribe")
        found.send(frame_of("aibot_subscribe", req_id, {"bot_id": bot_id, "secret": secret.reveal()}))
        checked(_answer_to(found, req_id, host, time.monotonic() + timeout_s), "aibot_subscribe", secret)
    except BaseException as error:
        found.close()
        raise as_ours(error, host) from None
    return found


def _answer_to(found: WebSocket, req_id: str, host: str, ends: float) -> Json:
    while time.monotonic() < ends and (data := found.read(ends)) is not None:
        frame = frame_in(data)
        if frame is not None and frame.get("headers", {}).get("req_id") == req_id and "cmd" not in frame:
            return frame
    raise RequestTimeout(f"{host} did not answer the subscription in time")


def frame_in(data: bytes) -> Json | None:
    """A message as a frame of WeCom's; None for what is none."""
    found = decode(data)
    return found if found is not None and isinstance(found.get("headers", {}), dict) else None


def checked(answer: Json, cmd: str, secret: Secret) -> Json:
    """An answer of WeCom's to a command. Raises `BadResponseError` where it is none, `APIError` where it refuses."""
    errcode = errcode_of(answer)
    if errcode is None:
        raise BadResponseError(f"the answer to {cmd} has no whole number errcode")
    if errcode != 0:
        raise api_error(errcode, str(answer.get("errmsg", "")).replace(secret.reveal(), "***"), cmd)
    return answer
