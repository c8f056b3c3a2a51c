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


_SIGNS = ((logging.CRITICAL, "🚨"), (logging.ERROR, "🔴"), (logging.WARNING, "🟠"), (logging.INFO, "🔵"))
_COLOURS = ((logging.WARNING, "warning"), (logging.INFO, "info"))
"""WeCom has three: orange (warning), green (info), grey (comment)."""


def _sign(level: int) -> str:
    """A sign that is seen in a list of chats before anything is read."""
    return next((sign for least, sign in _SIGNS if level >= least), "⚪")


def _colour(level: int) -> str:
    return next((colour for least, colour in _COLOURS if level >= least), "comment")


def _looks(
    *,
    markdown: bool,
    coloured: Callable[[str, str], str],
    bold: Callable[[str], str],
    quote: str,
    link: Callable[[str, str], str],
    safe: Callable[[str], str],
) -> Style:
    """``coloured`` gives a text the colour of a name."""

    def first(level: int, name: str, label: str, message: str) -> str:
        return f"{_sign(level)} {coloured(_colour(level), name)}{label}{bold(message)}"

    return Style(
        markdown=markdown,
        first=first,
        quiet=lambda label, words: f"✅ {label}{coloured('info', words)}",
        closing=lambda label, text, words: f"✅ {label}{bold(text)} · {coloured('info', words)}",
        news=lambda label, words: f"✋ {label}{coloured('info', words)}",
        unwatched=lambda label, words: f"🚫 {label}{coloured('info', words)}",
        failed=lambda label, words: f"🟠 {label}{coloured('info', words)}",
        step=lambda label, words: f"⏫ {label}{coloured('info', words)}",
        shared=lambda level, words: f"{_sign(level)} {coloured(_colour(level), words)}",
        quote=lambda line: f"{quote} {line}",
        fact=lambda line: coloured("comment", line),
        link=link,
        safe=safe,
    )


def _markdown(coloured: Callable[[str, str], str], safe: Callable[[str], str]) -> Style:
    return _looks(
        markdown=True,
        coloured=coloured,
        bold=lambda text: f"**{text}**",
        quote=">",
        link=lambda url, name: f"[🔗 {name}]({url})",
        safe=safe,
    )


def _plain(colour: str, text: str) -> str:
    return text


TEXT = _looks(markdown=False, coloured=_plain, bold=str, quote="│", link=lambda url, name: url, safe=inert.in_text)
MARKDOWN = _markdown(lambda colour, text: f'<font color="{colour}">{text}</font>', inert.in_markdown)
BOTH_MARKDOWNS = _markdown(_plain, inert.in_both_markdowns)


def fill_link(template: str, *, fingerprint: str, service: str, time: str) -> str:
    """The template with its values, percent-encoded."""
    values = {"fingerprint": fingerprint, "service": service, "time": time}
    cut = {name: one.encode("utf-8", "replace")[:_MAX_VALUE_BYTES] for name, one in values.items()}
    url = template.format(**{name: quote(one.decode("utf-8", "ignore"), safe="") for name, one in cut.items()})
    return quote(url, safe="/:?#@!$&'+,;=%[]~")  # a parenthesis would end a markdown link
