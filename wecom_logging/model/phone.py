"""A call of a member's phone by WeCom (紧急通知), and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

RINGS, ANSWERED, TALKING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was asked for. It has begun where ``code`` is 0; else ``call_id`` is empty.

    What other codes mean is not documented. Source: https://developer.work.weixin.qq.com/document/path/91627
    """

    user_id: str
    call_id: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class CallState:
    """What became of a call: ``answered`` says that the phone was picked up, not that somebody does something about it.

    ``reason`` is WeCom's number, ``meaning`` and ``meaning_zh`` say it; ``began`` is in seconds since 1970.
    Source: https://developer.work.weixin.qq.com/document/path/91628
    """

    answered: bool
    reason: int
    meaning: str
    meaning_zh: str
    began: int = 0
    talked_s: int = 0

    @property
    def over(self) -> bool:
        """Whether the phone neither rings nor is talked into any more."""
        return self.reason not in (RINGS, ANSWERED, TALKING)
