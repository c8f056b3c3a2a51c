"""The values that travel: frozen, without any I/O."""

from .alert import Alert, Failure, Frame
from .answer import Answer
from .digest import Digest, Kind, Sample
from .directory import Change, Department, Member, Tag
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
