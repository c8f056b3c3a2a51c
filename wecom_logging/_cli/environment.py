"""What the WECOM_… variables configure: channels and their handlers, secrets to hide, and the state, opened quietly.

No state is made where no process has one yet.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, Literal

from .. import _config as config
from .._build import shared_state
from .._config.options import all_options
from .._masking.redact import masker
from .._state.base import StateError
from .._state.shared import Shared, alone
from .._state.takeover import taken_over
from ..errors import ConfigurationError
from ..handlers import AlertHandler, WeComAIBotHandler, WeComBotHandler, WeComHandler
from .printing import refuse, say, say_error
from .texts import text

Channel = Literal["app", "bot", "aibot"]
HANDLERS: Mapping[Channel, type[WeComHandler | WeComBotHandler | WeComAIBotHandler]] = {
    "app": WeComHandler, "bot": WeComBotHandler, "aibot": WeComAIBotHandler
}  # fmt: skip

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
        config.check_variables()
        raise ConfigurationError("WECOM_CORP_ID", "no_channel", remedy)
    return found


def handlers(service: str | None, **options: Any) -> list[AlertHandler]:
    """The handlers that the environment configures, beside what is given; what is wrong is said, line by line."""
    made: list[AlertHandler] = []
    try:
        is_off = config.enabled(None) is False
        kinds = [WeComBotHandler] if is_off else [HANDLERS[one] for one in channels()]  # one that needs nothing
    except ConfigurationError as error:
        say_error(error)
        return []
    for kind in kinds:
        try:
            made.append(kind(service=service, **options))
        except ConfigurationError as error:
            say_error(error)
        except Exception as error:  # nobody foresaw it; the command must run
            say(text("errors.handler", name=kind.__name__, error=type(error).__name__))
    return made


def ended_by_signal() -> threading.Event:
    """What SIGTERM and SIGINT set from now on."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    return ended


def secrets(given: Mapping[str, object]) -> Iterator[str]:
    """Every secret that can be read, from a handler's options or else the environment; of a webhook also its key."""
    for one in all_options().values():
        values = [given.get(one.keyword)] if one.secret else []
        with suppress(ConfigurationError):  # there is none, or what is wrong with it is said elsewhere
            values = config.webhook_entries(*values) if one.name == "webhook" else values
        for value in values:
            with suppress(ConfigurationError):  # as above
                if (found := config.secret(one.name, value, one.variable)) is not None:
                    yield found.reveal()
                    if one.name == "webhook":
                        yield config.webhook(found)[1].reveal()


def mask() -> Callable[[str], str]:
    """A text without any secret that the environment has."""
    return masker(secrets({}), None)


# the state


MOST = 500
"""How many incidents are looked at, the newest first: each may take a quarter of a MiB of memory."""


def state_options(
    parser: argparse.ArgumentParser, *, verb: bool = False, json: bool = True, limit: bool = False
) -> None:
    """Those of a command about the state, or of a ``verb`` of it: what stands before the verb stays."""

    def default(value: object) -> Any:
        return argparse.SUPPRESS if verb else value

    parser.add_argument("--state", metavar="URL", default=default(None), help="main.state")
    if json:
        parser.add_argument("--json", action="store_true", default=default(False), help="main.json")
    if limit:
        parser.add_argument("--limit", type=_limit, default=default(20), metavar="N", help="main.limit")


def _limit(given: str) -> int:
    number = int(given) if given.isdecimal() and len(given) < 6 else 0
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(text("usage.number", most=MOST))
    return number


Tell = Callable[[str, str], object]


def _nothing(cause: str, line: str) -> None:
    """Who calls it says what failed."""


def opened(url: object, tell: Tell = _nothing) -> Shared:
    """The state of the option, or of WECOM_STATE. Raises `ConfigurationError`, also for memory://.

    ``tell``: what a command that goes on while the state is away says of that.
    """
    shared = configured(url, tell)
    if shared is None:
        raise ConfigurationError("state", "not_shared", "Set WECOM_STATE, such as sqlite:///path/to/alerts.db")
    return shared


def configured(url: object, tell: Tell = _nothing) -> Shared | None:
    """The same; None for memory://."""
    shared = shared_state(url, tell)
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
        return text("store.no_directory", directory=directory)
    return "" if os.access(directory, os.W_OK | os.X_OK) else text("store.not_writable", directory=directory)


def use(url: str | None, run: Callable[[Shared], int], unused: Callable[[], int] | None) -> int:
    """Run something with the state of the option, or of WECOM_STATE; ``unused`` where no process has used it yet; None:
    it may be the first.

    Like every process that opens it this one takes over what dead ones have left. Gives the exit code.
    """
    if names_a_password(url):
        refuse("store.password", 2)
    shared = opened(url)
    with closing(shared):
        try:
            if unused is not None and is_unused(shared):
                if why := obstacle(shared):
                    raise StateError(why)
                say(text("store.unused", name=shared.name))
                return unused()
            for _ in taken_over(shared, time.monotonic(), _say_taken_over):
                pass
            return run(shared)
        except StateError as error:
            refuse("store.failed", 1, error=error)


def _say_taken_over(cause: str, line: str) -> None:
    say(text("store.taken_over", text=line) if cause == "taken over" else line)
