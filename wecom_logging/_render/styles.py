"""The looks of a message: text, which every client shows, WeCom's first markdown with its colours, and for an AI bot
what is right in both of its markdowns: nobody knows which of them that shows.

`fill_link` gives the way from either into the log system of the user.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
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


def _text_quiet(origin: str, words: str) -> str:
    return f"✅ {origin}: {words}" if origin else f"✅ {words}"


def _text_closing(origin: str, text: str, words: str) -> str:
    return _text_quiet(origin, f"{text} · {words}")


def _text_news(origin: str, words: str, sign: str = "✋") -> str:
    return f"{sign} {origin}: {words}" if origin else f"{sign} {words}"


def _text_step(origin: str, words: str) -> str:
    return _text_news(origin, words, "⏫")


TEXT = Style(
    markdown=False,
    first=_text_first,
    quiet=_text_quiet,
    closing=_text_closing,
    news=_text_news,
    step=_text_step,
    shared=lambda level, words: f"{_sign(level)} {words}",
    quote=lambda line: f"│ {line}",
    fact=lambda line: line,
    link=lambda url, name: url,
    safe=inert.in_text,
)


def _markdown(coloured: Callable[[str, str], str], safe: Callable[[str], str]) -> Style:
    """``coloured`` gives a text the colour of a name."""

    def first(level: int, name: str, origin: str, message: str) -> str:
        start = f"{_sign(level)} {coloured(_colour(level), name)}"
        return f"{start} {origin}: **{message}**" if origin else f"{start}: **{message}**"

    return Style(
        markdown=True,
        first=first,
        quiet=lambda origin, words: _text_quiet(origin, coloured("info", words)),
        closing=lambda origin, text, words: _text_quiet(origin, f"**{text}** · {coloured('info', words)}"),
        news=lambda origin, words: _text_news(origin, coloured("info", words)),
        step=lambda origin, words: _text_step(origin, coloured("info", words)),
        shared=lambda level, words: f"{_sign(level)} {coloured(_colour(level), words)}",
        quote=lambda line: f"> {line}",
        fact=lambda line: coloured("comment", line),
        link=lambda url, name: f"[🔗 {name}]({url})",
        safe=safe,
    )


MARKDOWN = _markdown(lambda colour, text: f'<font color="{colour}">{text}</font>', inert.in_markdown)
BOTH_MARKDOWNS = _markdown(lambda colour, text: text, inert.in_both_markdowns)


def fill_link(template: str, *, fingerprint: str, service: str, time: str) -> str:
    """The template with its values, percent-encoded."""
    values = {"fingerprint": fingerprint, "service": service, "time": time}
    url = template.format(**{name: _quoted(value) for name, value in values.items()})
    return quote(url, safe="/:?#@!$&'+,;=%[]~")  # a parenthesis would end a markdown link


def _quoted(value: str) -> str:
    short = value.encode("utf-8", "replace")[:_MAX_VALUE_BYTES].decode("utf-8", "ignore")
    return quote(short, safe="")
