"""The state that is configured, as commands open it: quietly, and without making one where no process has one yet."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import closing

from .._state.adopt import adopted
from .._state.base import StateError
from .._state.shared import Shared, alone
from ..build import shared_state
from ..errors import ConfigurationError, MessageError
from .printing import say, say_error

PASSWORD = "--state takes no URL with a user or a password, which the process list would show; set WECOM_STATE instead"


def opened(url: object) -> Shared:
    """The state of the option, or of WECOM_STATE. Raises `ConfigurationError`, also for memory://."""
    shared = configured(url)
    if shared is None:
        raise ConfigurationError("state", "not_shared")
    return shared


def configured(url: object) -> Shared | None:
    """The same; None for memory://."""
    shared = shared_state(url, lambda cause, text: None)  # who calls it says what failed
    return None if shared is alone else shared


def names_a_password(url: str | None) -> bool:
    """Whether a URL may hold one, in whatever form; sqlite:// never does."""
    return url is not None and not url.startswith("sqlite:") and bool(re.search("@|passw|credential", url, re.I))


def is_unused(shared: Shared) -> bool:
    """Whether no process has used it yet, so that it would have to be made first."""
    return not shared.has_backlog()


def obstacle(shared: Shared) -> str:
    """Why one that is unused cannot be made here; empty if it can."""
    directory = os.path.dirname(shared.name)
    if not os.path.isdir(directory):
        return f"{directory} is no directory"
    return "" if os.access(directory, os.W_OK | os.X_OK) else f"{directory} cannot be written to"


def use(url: str | None, run: Callable[[Shared], int], unused: Callable[[], int]) -> int:
    """Run something with the state of the option, or of WECOM_STATE; ``unused`` where no process has used it yet.

    Like every process that opens it this one takes over what dead ones have left. Gives the exit code.
    """
    if names_a_password(url):
        say(PASSWORD)
        return 2
    shared = opened(url)
    with closing(shared):
        try:
            if is_unused(shared):
                if why := obstacle(shared):
                    raise StateError(why)
                say(f"no process has used {shared.name} yet")
                return unused()
            for _ in adopted(shared, time.monotonic(), _say_adopted):
                pass
            return run(shared)
        except StateError as error:
            remedy = "`wecom-logging doctor` says what to do / 状态存储无法使用，处理办法见 wecom-logging doctor"
            say(f"the state cannot be used: {error}; {remedy}")
            return 1
        except MessageError as error:
            say_error(error)
            return 2


def _say_adopted(cause: str, text: str) -> None:
    say(f"{text}, which the state has now" if cause == "adopted" else text)
