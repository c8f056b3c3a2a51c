"""A length of time as people write it: ``30m``, ``1h30m``, ``2 hours``, ``2小时``, ``一个半小时``."""

from __future__ import annotations

import re

from ..errors import MessageError

_PART = re.compile(
    r"(\d{1,6}(?:\.\d{1,3})?)个?"
    r"(seconds?|secs?|s|秒钟?|minutes?|mins?|m|分钟?|hours?|hrs?|h|小时|days?|d|天)"
)
_SECONDS = {"s": 1, "秒": 1, "m": 60, "分": 60, "h": 3600, "小": 3600, "d": 86_400, "天": 86_400}
_ONES = "一二三四五六七八九"
_CHINESE = re.compile(f"(?:([{_ONES}]?)十([{_ONES}]?)|([{_ONES}两]))(?=个?半?(?:秒|分|小时|天))")
_AND_A_HALF = re.compile(r"(\d)个?半")
LENGTHS = "a length such as 30m, 2h or 1h30m is needed / 请写时长，例如 30m、2h、1h30m"


def length(text: str) -> float:
    """Seconds. Raises `MessageError` where it is no length."""
    found = seconds(text)
    if found is None:
        raise MessageError(f"{text[:40]!r} is none: {LENGTHS}")
    return found


def seconds(text: str) -> float | None:
    """The same; None where it is no length."""
    rest = _CHINESE.sub(_in_digits, re.sub(r"\s", "", text.lower()))
    rest = _AND_A_HALF.sub(r"\1.5", rest).replace("半", "0.5")
    number = 0.0
    while found := _PART.match(rest):
        number += float(found[1]) * _SECONDS[found[2][0]]
        rest = rest[found.end() :]
    return None if rest or number <= 0 else number


def _in_digits(found: re.Match[str]) -> str:
    """``二十五`` as 25."""
    tens, ones, one = (_ONES.find(digit) + 1 if digit else 0 for digit in found.groups())
    return "2" if found[3] == "两" else str(one or 10 * (tens or 1) + ones)
