"""A call of a member's phone by WeCom (紧急通知)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was asked for. It has begun where ``code`` is 0; else ``call_id`` is empty.

    What other codes mean is not documented. Source: https://developer.work.weixin.qq.com/document/path/91627
    """

    user_id: str
    call_id: str
    code: int = 0
