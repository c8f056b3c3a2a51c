"""``client.phone``: WeCom calls members (紧急通知). Beta: tried against the sandbox only."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import BadResponseError, MessageError
from ..model import Call
from . import directory_answers as answers
from . import directory_checks as checks
from .token import Caller


class Phone:
    """The call ``pstncc/call``, which is prepaid, and for an app that is listed under 紧急通知 – 可调用接口的应用.

    A call has no text: it reminds of what the app has sent, so send a message first. WeCom calls a person at most 3
    times in 8 minutes and 8 times in 24 hours.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client

    def ring(self, user_ids: Iterable[str]) -> tuple[Call, ...]:
        """Let the phones of members ring; one `Call` for each.

        It is asked once: after an error on the way nobody knows whether the phones ring. Raises `PermissionDeniedError`
        where the app is not listed (301049), the company has not enabled 紧急通知 (301050) or nothing is left of what
        was paid (301051); `MessageError` for what is no user id, and where nobody is named.
        Source: https://developer.work.weixin.qq.com/document/path/91627
        """
        users = checks.user_ids("user_ids", user_ids)
        if not users:
            raise MessageError("user_ids: nobody is named")
        answer = self._client.call("pstncc/call", {"callee_userid": users}, tries=1)
        calls = tuple(
            Call(answers.user_id(one), answers.text(one, "callid"), answers.number(one, "code"))
            for one in answers.items(answer, "states")
        )
        if len(calls) != len(users):
            raise BadResponseError(f"the answer to pstncc/call tells of {len(calls)} of {len(users)} members")
        return calls
