"""WeCom itself, useful without logging: `WeComClient` for an app, `BotClient` for a group's bot."""

from .bot import BotClient
from .client import WeComClient

__all__ = ["BotClient", "WeComClient"]
