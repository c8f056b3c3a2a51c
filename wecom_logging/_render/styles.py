"""The two looks of a message: text, which every client shows, and WeCom's first markdown with its colours.

`fill_link` gives the way from either into the log system of the user.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from .._text import inert
from .layout import Style

_MAX_VALUE_BYTES = 64


def _sign(level: int) -> str:
    """A sign that is seen in a list of chats before anything is read."""
    if level >= logging.CRITICAL:
        return "🚨"
    if level >= logging.ERROR:
        return "🔴"
    if level >= logging.WARNING:
        return "🟠"
    return "🔵" if level >= logging.INFO else "⚪"


def _colour(level: int) -> str:
    """WeCom has three: orange (warning), green (info), grey (comment)."""
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "comment"


def _text_first(level: int, name: str, origin: str, message: str) -> str:
    return f"{_sign(level)} {name} {origin}: {message}" if origin else f"{_sign(level)} {name}: {message}"


def _markdown_first(level: int, name: str, origin: str, message: str) -> str:
    start = f'{_sign(level)} <font color="{_colour(level)}">{name}</font>'
    return f"{start} {origin}: **{message}**" if origin else f"{start}: **{message}**"


def _text_quiet(origin: str, words: str) -> str:
    return f"✅ {origin}: {words}" if origin else f"✅ {words}"


def _markdown_quiet(origin: str, words: str) -> str:
    return _text_quiet(origin, f'<font color="info">{words}</font>')


def _text_closing(origin: str, text: str, words: str) -> str:
    return _text_quiet(origin, f"{text} · {words}")


def _markdown_closing(origin: str, text: str, words: str) -> str:
    return _text_quiet(origin, f'**{text}** · <font color="info">{words}</font>')


def _text_news(origin: str, words: str) -> str:
    return f"✋ {origin}: {words}" if origin else f"✋ {words}"


TEXT = Style(
    markdown=False,
    first=_text_first,
    quiet=_text_quiet,
    closing=_text_closing,
    news=_text_news,
    shared=lambda level, words: f"{_sign(level)} {words}",
    quote=lambda line: f"│ {line}",
    fact=lambda line: line,
    link=lambda url, name: url,
    safe=inert.in_text,
)

MARKDOWN = Style(
    markdown=True,
    first=_markdown_first,
    quiet=_markdown_quiet,
    closing=_markdown_closing,
    news=lambda origin, words: _text_news(origin, f'<font color="info">{words}</font>'),
    shared=lambda level, words: f'{_sign(level)} <font color="{_colour(level)}">{words}</font>',
    quote=lambda line: f"> {line}",
    fact=lambda line: f'<font color="comment">{line}</font>',
    link=lambda url, name: f"[🔗 {name}]({url})",
    safe=inert.in_markdown,
)


def fill_link(template: str, *, fingerprint: str, service: str, time: str) -> str:
    """The template with its values, percent-encoded."""
    values = {"fingerprint": fingerprint, "service": service, "time": time}
    url = template.format(**{name: _quoted(value) for name, value in values.items()})
    return quote(url, safe="/:?#@!$&'+,;=%[]~")  # a parenthesis would end a markdown link


def _quoted(value: str) -> str:
    short = value.encode("utf-8", "replace")[:_MAX_VALUE_BYTES].decode("utf-8", "ignore")
    return quote(short, safe="")
