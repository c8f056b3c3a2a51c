"""What the WECOM_… variables of the environment configure: which channels, and which secrets nobody may see."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Literal

from .. import config
from ..config.options import all_options
from ..errors import ConfigurationError

Channel = Literal["app", "bot", "aibot"]

_VARIABLES: dict[Channel, tuple[str, ...]] = {
    "app": ("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_SECRET_FILE"),
    "bot": ("WECOM_WEBHOOK", "WECOM_WEBHOOK_FILE"),
    "aibot": ("WECOM_AIBOT_ID", "WECOM_AIBOT_SECRET", "WECOM_AIBOT_SECRET_FILE"),
}


def channels(*more: Channel, remedy: str = "") -> list[Channel]:
    """Those of which a variable is set, and ``more``. Raises `ConfigurationError` where there is none.

    ``remedy`` says what else could be given.
    """
    found = [name for name, variables in _VARIABLES.items() if name in more or any(map(os.environ.get, variables))]
    if not found:
        raise ConfigurationError("WECOM_CORP_ID", "no_channel", remedy)
    return found


def secrets(given: Mapping[str, object]) -> Iterator[str]:
    """Every secret that can be read, from a handler's options or else the environment; of a webhook also its key."""
    told = {name: one for name, one in all_options().items() if one.secret}
    places = [(name, given.get(one.keyword)) for name, one in told.items() if name != "webhook"]
    try:
        places += [("webhook", entry) for entry in config.webhook_entries(given.get("webhook"))]
    except ConfigurationError:  # there is none, or what is wrong with it is said elsewhere
        pass
    for name, value in places:
        try:
            found = config.secret(name, value, told[name].variable)
            if found is not None:
                yield found.reveal()
            if found is not None and name == "webhook":
                yield config.webhook(found)[1].reveal()
        except ConfigurationError:  # as above
            pass
