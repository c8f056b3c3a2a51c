"""The values that travel: frozen, without any I/O.

Importing it loads none but `Secret`, which every handler has: making the class of one takes half a millisecond.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .alert import Alert, Answer, Digest, IncidentView, Variant
    from .captured import Failure, Frame, Sample, Stats
    from .directory import Change, Department, Member, Tag
    from .message import (
        Article,
        DeliveryReport,
        File,
        Image,
        Markdown,
        MarkdownV2,
        Message,
        News,
        Outcome,
        TemplateCard,
        Text,
        TextCard,
    )
    from .phone import Call
    from .recipients import EVERYBODY, Recipients, Route

__all__ = [
    "EVERYBODY",
    "Alert",
    "Answer",
    "Article",
    "Call",
    "Change",
    "DeliveryReport",
    "Department",
    "Digest",
    "Failure",
    "File",
    "Frame",
    "Image",
    "IncidentView",
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
    "Variant",
]

_HOMES = {
    "alert": "Alert Answer Digest IncidentView Variant",
    "captured": "Failure Frame Sample Stats",
    "directory": "Change Department Member Tag",
    "message": "Article DeliveryReport File Image Markdown MarkdownV2 Message News Outcome TemplateCard Text TextCard",
    "phone": "Call",
    "recipients": "EVERYBODY Recipients Route",
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


_MASK = "***"


class Secret:
    """A secret string, such as an app's Secret or a bot's key: in no repr, str, format, pickle or JSON.

    `reveal` is the one way to read it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Call it only where it leaves for WeCom."""
        return self._value

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[object, ...]:
        return (Secret, (_MASK,))
