"""From a digest to its messages, each within the channel's limit of bytes. Pure."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._render.cut import size
from .._render.layout import Layout, Style, count_words, fit, lay_out, number_line, split
from .._render.link import fill_link
from .._render.share import share
from .._render.styles import MARKDOWN, TEXT
from .._render.times import local_time
from .._wecom.channels import Channel
from ..model import EVERYBODY, Alert, Digest, Markdown, Message, Text

# Of China, or with + and a country's code; other numbers are user ids: many companies use the number of the employee.
_MOBILE = re.compile(r"(?:86)?1[3-9][0-9]{9}|\+[0-9]{7,15}")
_MAX_CALLS_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes after the message: it is uploaded when it is its turn."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPG or PNG that goes after the message; where it cannot be sent, the message has been all the same."""

    data: bytes


Part = Message | Attachment | Picture


@dataclass(frozen=True, slots=True)
class _Calls:
    """Whom a message mentions, and what that means for its looks."""

    names: tuple[str, ...]
    formatted: bool

    @property
    def in_markdown(self) -> str:
        return "".join(f"\n<@{name}>" for name in self.names)

    def look(self, markdown: bool, channel: Channel) -> tuple[Style, int]:
        """How it looks, and how many bytes of the program's text it may have.

        Mobiles and @all do nothing in markdown, and a list of many names would leave no room for the message; a text
        of the user's own formatter is no markdown.
        """
        strange = any(name == EVERYBODY or _MOBILE.fullmatch(name) for name in self.names)
        needs_text = self.formatted or strange or size(self.in_markdown) > _MAX_CALLS_BYTES
        if needs_text or not markdown:
            return TEXT, channel.max_bytes[Text]
        return MARKDOWN, channel.max_bytes[Markdown] - size(self.in_markdown)

    def messages(self, first: str, others: Sequence[str], look: Style) -> tuple[Message, ...]:
        if look is MARKDOWN:
            return (Markdown(first + self.in_markdown), *map(Markdown, others))
        mobiles = tuple(name for name in self.names if _MOBILE.fullmatch(name))
        users = tuple(name for name in self.names if name not in mobiles)
        return (Text(first, users, mobiles), *map(Text, others))


@dataclass(frozen=True, slots=True)
class Composer:
    """What a handler's options say about its messages."""

    markdown: bool
    overflow: str = "trim"
    link: str = ""
    mention: tuple[str, ...] = ()
    mention_level: int = logging.CRITICAL

    def compose(self, digest: Digest, channel: Channel, losses: str = "") -> tuple[Part, ...]:
        """The messages of one alert, in the order in which they go. Only the first mentions anybody.

        ``losses`` is a line of ours about what could not be told.
        """
        calls = self._calls([digest], channel)
        look, most = calls.look(self.markdown, channel)
        layout = self._layout(digest, look, losses)
        first, *others = self._texts(layout, most, number_line(digest, look, count_words(digest)))
        whole = layout if look is TEXT else None
        return (*calls.messages(first, others, look), *self._attachment(digest, layout, whole, most))

    def share(self, digests: Sequence[Digest], channel: Channel, losses: str = "") -> tuple[tuple[Part, ...], int]:
        """One message of the most important of several alerts, which come first; and how many stand in it."""
        calls = self._calls(digests, channel)
        look, most = calls.look(self.markdown, channel)
        text, number = share(digests, look, most, losses)
        return calls.messages(text, [], look), number

    def _calls(self, digests: Sequence[Digest], channel: Channel) -> _Calls:
        names: dict[str, None] = {}
        for digest in digests if channel.mentions else ():
            names.update(dict.fromkeys(() if digest.quiet_s else self._mentioned(digest.alert)))
        return _Calls(tuple(names), formatted=any(digest.alert.formatted is not None for digest in digests))

    def _mentioned(self, alert: Alert) -> tuple[str, ...]:
        if alert.mention is not None:
            return alert.mention
        return self.mention if alert.level >= self.mention_level else ()

    def _texts(self, layout: Layout, most: int, number: str) -> list[str]:
        return split(layout, most, number) if self.overflow == "split" else [fit(layout, most)]

    def _attachment(self, digest: Digest, sent: Layout, text: Layout | None, most: int) -> tuple[Attachment, ...]:
        """The whole alert as a text file, where the message could not hold it."""
        if self.overflow != "file" or size(_whole(sent)) <= most:
            return ()
        data = _whole(text or self._layout(digest, TEXT, "")).encode("utf-8", "replace")
        alert = digest.alert
        return (Attachment(f"alert-{local_time(alert.time):%Y%m%d-%H%M%S}-{digest.short_id}.txt", data),)

    def _layout(self, digest: Digest, style: Style, losses: str) -> Layout:
        return lay_out(digest, style, self._link(digest), losses)

    def _link(self, digest: Digest) -> str:
        if not self.link:
            return ""
        alert = digest.alert
        time = local_time(alert.time).isoformat(timespec="milliseconds")
        return fill_link(self.link, fingerprint=alert.fingerprint or digest.short_id, service=alert.service, time=time)


def _whole(layout: Layout) -> str:
    return "\n".join(layout.lines())
