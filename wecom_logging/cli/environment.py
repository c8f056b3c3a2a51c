"""Which channels the WECOM_… variables of the environment configure."""

from __future__ import annotations

import os
from typing import Literal

from ..errors import ConfigurationError

Channel = Literal["app", "bot"]

_VARIABLES: dict[Channel, tuple[str, ...]] = {
    "app": ("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_SECRET_FILE"),
    "bot": ("WECOM_WEBHOOK", "WECOM_WEBHOOK_FILE"),
}


def channels(*more: Channel, instead: str = "") -> list[Channel]:
    """Those of which a variable is set, and ``more``. Raises `ConfigurationError` where there is none.

    ``instead`` says what else could be given.
    """
    found = [name for name, variables in _VARIABLES.items() if name in more or any(map(os.environ.get, variables))]
    if not found:
        raise ConfigurationError(
            "WECOM_CORP_ID",
            "neither an app (WECOM_CORP_ID …) nor a bot (WECOM_WEBHOOK) is set in the environment / "
            f"环境变量中既未配置应用，也未配置机器人{instead}",
        )
    return found
