"""What the commands say on standard error."""

from __future__ import annotations

import sys

from ..errors import WeComLoggingError
from ..render import inert


def say_error(error: WeComLoggingError) -> None:
    """An error, and its remedy in Chinese if it has one."""
    for text in (str(error), getattr(error, "remedy_zh", "")):
        if text:
            print(f"wecom-logging: {inert.line(text)}", file=sys.stderr)
