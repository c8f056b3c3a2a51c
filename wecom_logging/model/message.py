"""WeCom content by msgtype, and how a message ended. A class checks what is true in every channel; limits belong to the
channels.

Source: https://developer.work.weixin.qq.com/document/path/90236 (app), …/99110 (group bot)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import MessageError, WeComError


def _need(value: str, name: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise MessageError(f"{name}: a non-empty text is required")


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text. ``mentioned`` (user ids or ``"@all"``) and ``mentioned_mobiles`` work in a group bot only."""

    content: str
    mentioned: tuple[str, ...] = ()
    mentioned_mobiles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _need(self.content, "text.content")
        for name, ids in (("mentioned", self.mentioned), ("mentioned_mobiles", self.mentioned_mobiles)):
            if isinstance(ids, str) or not all(isinstance(one, str) for one in ids):
                raise MessageError(f"text.{name}: a tuple of ids is needed, such as ('zhangsan',)")


@dataclass(frozen=True, slots=True)
class Markdown:
    """WeCom's first markdown: headings, bold, links, inline code, quotes, three colours. WeChat does not show it."""

    content: str

    def __post_init__(self) -> None:
        _need(self.content, "markdown.content")


@dataclass(frozen=True, slots=True)
class MarkdownV2:
    """Markdown with lists, tables, code blocks and images, without colours and mentions. Group bots only."""

    content: str

    def __post_init__(self) -> None:
        _need(self.content, "markdown_v2.content")


@dataclass(frozen=True, slots=True)
class TextCard:
    """A card with a link. App only. ``button`` has at most 4 characters; empty means WeCom's own 详情."""

    title: str
    description: str
    url: str
    button: str = ""

    def __post_init__(self) -> None:
        _need(self.title, "textcard.title")
        _need(self.description, "textcard.description")
        _need(self.url, "textcard.url")


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a `News` message. ``picture_url`` is a JPG or PNG on the web."""

    title: str
    url: str
    description: str = ""
    picture_url: str = ""

    def __post_init__(self) -> None:
        _need(self.title, "news.articles.title")
        _need(self.url, "news.articles.url")


@dataclass(frozen=True, slots=True)
class News:
    """One to eight articles."""

    articles: tuple[Article, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.articles) <= 8:
            raise MessageError(f"news.articles: {len(self.articles)} given, 1 to 8 are allowed")


@dataclass(frozen=True, slots=True)
class Image:
    """A JPG or PNG: by ``media_id`` for an app, as ``data`` (at most 2 MiB) for a group bot."""

    media_id: str = ""
    data: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if bool(self.media_id) == bool(self.data):
            raise MessageError("image: give either media_id (app) or data (group bot)")


@dataclass(frozen=True, slots=True)
class File:
    """A file that was uploaded before, by its ``media_id``."""

    media_id: str

    def __post_init__(self) -> None:
        _need(self.media_id, "file.media_id")


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A card as WeCom's documents describe it: ``body`` is the mapping below ``template_card``.

    Source: https://developer.work.weixin.qq.com/document/path/90236 (模板卡片消息)
    """

    body: Mapping[str, object]

    def __post_init__(self) -> None:
        if not isinstance(self.body, Mapping) or not isinstance(self.body.get("card_type"), str):
            raise MessageError("template_card: a mapping with card_type is required")


@dataclass(frozen=True, slots=True)
class Answerable:
    """A card that people answer by its buttons, with ``words`` in its place where a chat takes no cards."""

    card: TemplateCard
    words: Markdown


Message = Text | Markdown | MarkdownV2 | TextCard | News | Image | File | TemplateCard
"""What a client sends: one of these types. Which of them a channel takes, `MessageError` says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one message ended.

    ``reason`` is ``"delivered"``, ``"partial"`` (WeCom took it, but not for everybody), ``"kept"`` (it waits for
    another round), ``"rejected"``, or ``"failed"`` (no usable answer came, and nothing tries again). Only an answer
    with errcode 0 makes the first two, and only if it does not name all recipients as left out.
    """

    reason: str
    msgid: str = ""
    invalid_users: tuple[str, ...] = ()
    invalid_departments: tuple[str, ...] = ()
    invalid_tags: tuple[str, ...] = ()
    unlicensed_users: tuple[str, ...] = ()
    warning: str = ""
    error: WeComError | MessageError | None = None

    @property
    def delivered(self) -> bool:
        """Whether WeCom took the message, for everybody or for some."""
        return self.reason in ("delivered", "partial")


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How one delivery ended, as ``on_outcome`` gets it: one for each round of a message that was tried.

    ``incidents`` are the short ids of those that it is about, without ``#``. ``channel`` is ``"app"``, ``"bot"`` or
    ``"aibot"``. ``reason`` says what became of them: ``"delivered"``, ``"handed_over"`` (to the fallback), ``"kept"``
    (another round comes), or ``"rejected"``. ``seconds`` is how long the round took.
    """

    incidents: tuple[str, ...]
    channel: str
    outcome: Outcome
    reason: str
    seconds: float
