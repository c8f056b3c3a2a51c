"""The values that travel: frozen, without any I/O.

Importing it loads none: making the class of one takes half a millisecond.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .alert import Alert
    from .answer import Answer
    from .digest import Digest, Kind
    from .directory import Change, Department, Member, Tag
    from .failure import Failure, Frame, Sample
    from .incident import IncidentView
    from .message import Article, File, Image, Markdown, MarkdownV2, Message, News, TemplateCard, Text, TextCard
    from .outcome import DeliveryReport, Outcome, Stats
    from .recipients import EVERYBODY, Recipients, Route
    from .secret import Secret

__all__ = [
    "EVERYBODY",
    "Alert",
    "Answer",
    "Article",
    "Change",
    "DeliveryReport",
    "Department",
    "Digest",
    "Failure",
    "File",
    "Frame",
    "Image",
    "IncidentView",
    "Kind",
    "Markdown",
    "MarkdownV2",
    "Member",
    "Message",
    "News",
    "Outcome",
    "Recipients",
    "Route",
    "Sample",
    "Secret",
    "Stats",
    "Tag",
    "TemplateCard",
    "Text",
    "TextCard",
]

_HOMES = {
    "alert": "Alert",
    "answer": "Answer",
    "digest": "Digest Kind",
    "directory": "Change Department Member Tag",
    "failure": "Failure Frame Sample",
    "incident": "IncidentView",
    "message": "Article File Image Markdown MarkdownV2 Message News TemplateCard Text TextCard",
    "outcome": "DeliveryReport Outcome Stats",
    "recipients": "EVERYBODY Recipients Route",
    "secret": "Secret",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Load a public name, once."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
