"""A failure in a Python program reaches the right person in WeCom (企业微信): once, in time, readable."""

from . import errors
from .decorators import notify_on_exception
from .formatters import MarkdownFormatter, TextFormatter
from .handlers import WeComBotHandler, WeComHandler
from .model import Outcome, Stats
from .wecom import BotClient, WeComClient

__all__ = [
    "BotClient",
    "MarkdownFormatter",
    "Outcome",
    "Stats",
    "TextFormatter",
    "WeComBotHandler",
    "WeComClient",
    "WeComHandler",
    "errors",
    "notify_on_exception",
]

__version__ = "0.1.0"
