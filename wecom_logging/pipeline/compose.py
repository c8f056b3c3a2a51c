"""Step 8: from an alert to the messages that tell it, each within the channel's limit of bytes. Pure."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from ..model import EVERYBODY, Alert, Digest, Markdown, Message, Text
from ..render.cut import size
from ..render.layout import Layout, Style, fit, lay_out, split
from ..render.link import fill_link
from ..render.styles import MARKDOWN, TEXT
from ..render.times import local_time
from ..wecom.channels import Channel
from .fingerprint import fingerprint

# Of China, or with + and a country's code; other numbers are user ids: many companies use the number of the employee.
_MOBILE = re.compile(r"(?:86)?1[3-9][0-9]{9}|\+[0-9]{7,15}")
_MAX_CALLS_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes after the message: it is uploaded when it is its turn."""

    name: str
    data: bytes


Part = Message | Attachment


@dataclass(frozen=True, slots=True)
class Composer:
    """What a handler's options say about its messages."""

    markdown: bool
    overflow: str = "trim"
    link: str = ""
    mention: tuple[str, ...] = ()
    mention_level: int = logging.CRITICAL

    def compose(self, alert: Alert, channel: Channel) -> tuple[Part, ...]:
        """The messages, in the order in which they go. Only the first mentions anybody."""
        names = self._mentioned(alert) if channel.mentions else ()
        calls = "".join(f"\n<@{name}>" for name in names)
        # Mobiles and @all do nothing in markdown, and a list of many names would leave no room for the message; a text
        # of the user's own formatter is no markdown.
        needs_text = size(calls) > _MAX_CALLS_BYTES or any(
            name == EVERYBODY or _MOBILE.fullmatch(name) for name in names
        )
        if not self.markdown or needs_text or alert.formatted is not None:
            most = channel.max_bytes[Text]
            first, *others = self._texts(layout := self._layout(alert, TEXT), most)
            mobiles = tuple(name for name in names if _MOBILE.fullmatch(name))
            users = tuple(name for name in names if name not in mobiles)
            return (Text(first, users, mobiles), *map(Text, others), *self._attachment(alert, layout, layout, most))
        most = channel.max_bytes[Markdown] - size(calls)
        first, *others = self._texts(layout := self._layout(alert, MARKDOWN), most)
        return (Markdown(first + calls), *map(Markdown, others), *self._attachment(alert, layout, None, most))

    def _mentioned(self, alert: Alert) -> tuple[str, ...]:
        if alert.mention is not None:
            return alert.mention
        return self.mention if alert.level >= self.mention_level else ()

    def _texts(self, layout: Layout, most: int) -> list[str]:
        return split(layout, most) if self.overflow == "split" else [fit(layout, most)]

    def _attachment(self, alert: Alert, sent: Layout, text: Layout | None, most: int) -> tuple[Attachment, ...]:
        """The whole alert as a text file, where the message could not hold it."""
        if self.overflow != "file" or size(_whole(sent)) <= most:
            return ()
        data = _whole(text or self._layout(alert, TEXT)).encode("utf-8", "replace")
        return (Attachment(f"alert-{local_time(alert.time):%Y%m%d-%H%M%S}-{alert.id}.txt", data),)

    def _layout(self, alert: Alert, style: Style) -> Layout:
        return lay_out(Digest(alert), style, self._link(alert))

    def _link(self, alert: Alert) -> str:
        if not self.link:
            return ""
        time = local_time(alert.time).isoformat(timespec="milliseconds")
        return fill_link(self.link, fingerprint=fingerprint(alert), service=alert.service, time=time)


def _whole(layout: Layout) -> str:
    return "\n".join(layout.lines())
