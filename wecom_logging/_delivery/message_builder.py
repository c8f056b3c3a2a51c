"""From digests to messages, each within the channel's limit of bytes. Pure. Read `Composer.write` first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from .._incidents.cause import cause_key, scheduler_of
from .._incidents.limits import quiet_limit_s
from .._render.card import card, offered
from .._render.cause import share_cause
from .._render.facts import step_line
from .._render.flood import summary, table
from .._render.layout import MAX_FIRST_LINE_BYTES, Layout, Style, fact_line, fit, lay_out
from .._render.retold import in_language
from .._render.share import SHORT_LINE_BYTES, share
from .._render.styles import BOTH_MARKDOWNS, MARKDOWN, TEXT, fill_link
from .._render.times import local_time
from .._render.words import COMMANDS, NOBODY_ON_CALL, TO_THE_BOT
from .._text.cut import size, trim
from .._wecom.channels import Channel
from ..model import EVERYBODY, Alert, Digest, Failure, Markdown, Message, TemplateCard, Text
from ..model.duty import Held
from ..model.message import Answerable
from .options import Looks

# Of China, or with + and a country's code; other numbers are user ids: many companies use the number of the employee.
_MOBILE = re.compile(r"(?:86)?1[3-9][0-9]{9}|\+[0-9]{7,15}")
_MAX_CALLS_BYTES = 1024
_MAX_CALLED = 20


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes after the message: it is uploaded when it is its turn."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPG or PNG that goes after the message; where it cannot be sent, the message has been all the same."""

    data: bytes


Part = Message | Answerable | Attachment | Picture


@dataclass(frozen=True, slots=True)
class _Calls:
    """Whom a message mentions, and what that means for its looks."""

    names: tuple[str, ...]
    formatted: bool

    @property
    def in_markdown(self) -> str:
        return "".join(f"\n<@{name}>" for name in self.names)

    def look(self, text: Style, markdown: Style | None, channel: Channel) -> tuple[Style, int]:
        """How it looks, and how many bytes of the program's text it may have.

        Mobiles and @all do nothing in markdown, and a list of many names would leave no room for the message; a text
        of the user's own formatter is no markdown.
        """
        strange = any(name == EVERYBODY or _MOBILE.fullmatch(name) for name in self.names)
        needs_text = self.formatted or strange or size(self.in_markdown) > _MAX_CALLS_BYTES
        if needs_text or markdown is None:
            return text, channel.max_bytes[Text]
        return markdown, channel.max_bytes[Markdown] - size(self.in_markdown)

    def message(self, text: str, look: Style) -> Message:
        if look.markdown:
            return Markdown(text + self.in_markdown)
        mobiles = tuple(name for name in self.names if _MOBILE.fullmatch(name))
        users = tuple(name for name in self.names if name not in mobiles)
        return Text(text, users, mobiles)


class Composer(Looks):
    """What makes messages that look so."""

    __slots__ = ()

    @classmethod
    def of(cls, looks: Looks) -> Composer:
        """The one of these looks."""
        return looks if isinstance(looks, cls) else cls(*looks)

    @property
    def _text(self) -> Style:
        return TEXT.within(self.reader, self.frames)

    @property
    def _markdown(self) -> Style | None:
        look = BOTH_MARKDOWNS if self.buttons else MARKDOWN
        return look.within(self.reader, self.frames) if self.markdown else None

    def compose(
        self, digest: Digest, channel: Channel, losses: str = "", nobody: Sequence[str] = ()
    ) -> tuple[Part, ...]:
        """The messages of one alert, in the order in which they go. Only the first mentions a member.

        ``losses`` is a line of ours about what could not be told; the first line says that ``nobody`` is on call by
        these rotas.
        """
        digest = in_language(digest, self.reader)
        calls = self._calls([digest], channel)
        look, most = calls.look(self._text, self._markdown, channel)
        layout, head = self._layout(digest, look, losses), _head(nobody, digest, look)
        whole = None if look.markdown else layout
        message = self._answerable(digest, calls.message(head + fit(layout, most - size(head)), look))
        return (message, *self._attachment(digest, layout, whole, most - size(head)))

    def _answerable(self, digest: Digest, message: Message) -> Message | Answerable:
        if not self.buttons or not isinstance(message, Markdown) or digest.is_news or digest.quiet_s:
            return message
        made = max(digest.last, digest.alert.time, 0.0 if digest.answer is None else digest.answer.at)
        found = card(digest, self.reader, made, lengths=offered(quiet_limit_s(digest.alert.level)))
        return Answerable(TemplateCard(found), message)

    def write(
        self,
        digests: Sequence[Digest],
        channel: Channel,
        losses: str = "",
        cause: str = "",
        nobody: Sequence[str] = (),
    ) -> tuple[tuple[Part, ...], int]:
        """The messages of one, or the one of several; and how many of the first stand in it.

        ``cause`` is what all have in common.
        """
        if len(digests) == 1:
            return self.compose(digests[0], channel, losses, nobody), 1
        scheduler = scheduler_of(cause)
        if scheduler or not cause:
            return self.share(digests, channel, losses, nobody, scheduler=scheduler)
        alerts = [one.alert for one in digests if cause_key(one.alert) == cause] or [digests[0].alert]
        raised = [one.failures[0] for one in alerts if one.failures] or [Failure("", alerts[0].message)]
        return self._shared(
            digests, channel, nobody, lambda found, look, most: share_cause(found, raised[0], look, most, losses)
        )

    def share(
        self,
        digests: Sequence[Digest],
        channel: Channel,
        losses: str = "",
        nobody: Sequence[str] = (),
        held: Held | None = None,
        scheduler: str = "",
    ) -> tuple[tuple[Part, ...], int]:
        """One message of the most important of several alerts, which come first; and how many stand in it.

        ``held``: what they have waited for. ``scheduler``: what has not started these jobs.
        """
        return self._shared(
            digests, channel, nobody, lambda found, look, most: share(found, look, most, losses, held, scheduler)
        )

    def _shared(
        self,
        digests: Sequence[Digest],
        channel: Channel,
        nobody: Sequence[str],
        fit_in: Callable[[Sequence[Digest], Style, int], tuple[str, int]],
    ) -> tuple[tuple[Part, ...], int]:
        """What ``fit_in`` makes of them in so many bytes, with what every message has."""
        digests = [in_language(digest, self.reader) for digest in digests]
        calls = self._calls(digests, channel)
        look, most = calls.look(self._text, self._markdown, channel)
        how, head = self._how_to_answer(look, ""), _head(nobody, digests[0], look)
        text, number = fit_in(digests, look, most - size(head + how))
        return (calls.message(head + text + how, look),), number

    def holds(self, channel: Channel) -> int:
        """How many kinds one shared message may name."""
        return channel.max_bytes[Markdown if self.markdown else Text] // SHORT_LINE_BYTES

    def flood(
        self,
        digests: Sequence[Digest],
        channel: Channel,
        losses: str = "",
        nobody: Sequence[str] = (),
        held: Held | None = None,
    ) -> tuple[tuple[Message, Attachment], int]:
        """A summary of very many, the worst of which come first, and a file of all; how many stand in the summary.

        ``held``: what they have waited for.
        """
        digests = [in_language(digest, self.reader) for digest in digests]
        calls = self._calls(digests, channel, _MAX_CALLED)
        look, most = calls.look(self._text, self._markdown, channel)
        head = _head(nobody, digests[0], look)
        text, number = summary(digests, look, most - size(head), losses, held)
        name = f"alerts-{local_time(max(one.last or one.alert.time for one in digests), self.reader):%Y%m%d-%H%M%S}.csv"
        return (calls.message(head + text, look), Attachment(name, table(digests, self.reader))), number

    def _calls(self, digests: Sequence[Digest], channel: Channel, most: int | None = None) -> _Calls:
        names: dict[str, None] = {}
        for digest in digests if channel.mentions else ():
            names.update(dict.fromkeys(() if digest.quiet_s or digest.is_news else self._mentioned(digest.alert)))
        return _Calls(tuple(names)[:most], formatted=any(digest.alert.formatted is not None for digest in digests))

    def _mentioned(self, alert: Alert) -> tuple[str, ...]:
        if alert.mention is not None:
            return alert.mention
        return self.mention if alert.level >= self.mention_level else ()

    def _attachment(self, digest: Digest, sent: Layout, text: Layout | None, most: int) -> tuple[Attachment, ...]:
        """The whole alert as a text file, where the message could not hold it."""
        if self.overflow != "file" or size(_whole(sent)) <= most:
            return ()
        data = _whole(text or self._layout(digest, self._text, "")).encode("utf-8", "replace")
        alert = digest.alert
        return (Attachment(f"alert-{local_time(alert.time, self.reader):%Y%m%d-%H%M%S}-{digest.short_id}.txt", data),)

    def _layout(self, digest: Digest, style: Style, losses: str) -> Layout:
        layout = lay_out(digest, style, self._link(digest), losses)
        how = "" if digest.is_news or digest.quiet_s else self._how_to_answer(style, digest.short_id)
        return replace(layout, link=[*layout.link, how[1:]]) if how else layout

    def _how_to_answer(self, style: Style, short_id: str) -> str:
        """The last line, with its line end before it: what to type, of a message for many what shows their ids."""
        if not self.answers:
            return ""
        take, quiet, shown = (COMMANDS[one].within(style.language) for one in ("take", "quiet", "list"))
        words = f"{take} {short_id} · {quiet} {short_id} 1h" if short_id else shown
        return f"\n{fact_line(TO_THE_BOT.within(style.language, words), style)}"

    def _link(self, digest: Digest) -> str:
        if not self.link:
            return ""
        alert = digest.alert
        time = local_time(alert.time, self.reader).isoformat(timespec="milliseconds")
        return fill_link(self.link, fingerprint=alert.fingerprint or digest.short_id, service=alert.service, time=time)


def pictures(found: Iterable[bytes]) -> tuple[Picture, ...]:
    """Those of alerts that were never sent; an alert without one has no bytes."""
    return tuple(Picture(data) for data in found if data)


def _head(nobody: Sequence[str], digest: Digest, style: Style) -> str:
    """What stands above it, each with its line end: of a step what that is; that nobody is on call by these rotas."""
    lines = []
    if digest.escalation is not None:
        lines.append(trim(style.safe(step_line(digest.escalation, style.language)), MAX_FIRST_LINE_BYTES))
    if nobody:
        names = (", " if style.language == "en" else "、").join(nobody)
        lines.append(fact_line(NOBODY_ON_CALL.within(style.language, names), style))
    return "".join(f"{line}\n" for line in lines)


def _whole(layout: Layout) -> str:
    return "\n".join(layout.lines())
