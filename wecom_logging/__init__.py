"""Sends a program's log records to WeCom (企业微信).

`WeComHandler`, `WeComBotHandler` and `WeComAIBotHandler` are logging handlers. `WeComClient` and `BotClient` call
WeCom's API.

Importing it loads nothing: each name is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import errors
    from ._long_work import progress
    from ._runtime.version import __version__ as __version__
    from ._wecom import BotClient, WeComClient
    from .decorators import notify_on_exception
    from .formatters import MarkdownFormatter, TextFormatter
    from .handlers import WeComAIBotHandler, WeComBotHandler, WeComHandler
    from .hooks import install_hooks
    from .model import Outcome, Stats

__all__ = [
    "BotClient",
    "MarkdownFormatter",
    "Outcome",
    "Stats",
    "TextFormatter",
    "WeComAIBotHandler",
    "WeComBotHandler",
    "WeComClient",
    "WeComHandler",
    "errors",
    "install_hooks",
    "notify_on_exception",
    "progress",
]

_HOMES = {
    "__version__": "._runtime.version",
    "BotClient": "._wecom",
    "MarkdownFormatter": ".formatters",
    "Outcome": ".model",
    "Stats": ".model",
    "TextFormatter": ".formatters",
    "WeComAIBotHandler": ".handlers",
    "WeComBotHandler": ".handlers",
    "WeComClient": "._wecom",
    "WeComHandler": ".handlers",
    "install_hooks": ".hooks",
    "notify_on_exception": ".decorators",
    "progress": "._long_work",
}


def __getattr__(name: str) -> object:
    """Load a public name, once."""
    if name == "errors":
        return import_module(".errors", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
