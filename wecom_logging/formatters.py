"""Formatters that choose the type of a handler's messages, by ``setFormatter``: `TextFormatter`, `MarkdownFormatter`.

With any other `logging.Formatter` the handler sends what that made of the record, as msgtype text.
"""

from __future__ import annotations

import logging
from typing import Any

from . import _config as config
from ._capture.pending import Origin, capture, snapshot
from ._capture.record import Reading
from ._masking.redact import redact
from ._render.layout import Style, lay_out
from ._render.mask import masked
from ._render.retold import in_language
from ._render.source import with_source
from ._render.styles import MARKDOWN, TEXT
from .errors import ConfigurationError
from .model import Digest


class _AlertFormatter(logging.Formatter):
    """Formats a whole record, masked and inert, of any length; a handler fits it to its channel.

    The words around it are in the language of WECOM_LANGUAGE or the locale; in a handler, of that.
    """

    look: Style
    wecom_markdown = False
    """By which a handler knows one of ours."""

    def __init__(self, fmt: None = None, datefmt: None = None, style: str = "%", *args: Any, **kwargs: Any) -> None:
        """Takes what a logging config hands to every formatter, and no format: the look is not for choosing."""
        if fmt is not None or datefmt is not None:
            field = "format" if fmt is not None else "datefmt"
            raise ConfigurationError(field, "no_format", formatter=type(self).__name__)
        super().__init__()
        self._shown_as = self.look.within(config.reader())

    def format(self, record: logging.LogRecord) -> str:
        """The record as it would be sent, without a limit."""
        alert = masked(with_source(capture(snapshot(Reading(record)), Origin())), redact)
        return "\n".join(lay_out(in_language(Digest(alert), self._shown_as.language), self._shown_as).lines())


class TextFormatter(_AlertFormatter):
    """Plain text (msgtype text, at most 2 048 bytes), which WeChat shows too. The default of `WeComHandler`."""

    look = TEXT


class MarkdownFormatter(_AlertFormatter):
    """WeCom's first markdown with colours by level (2 048 bytes from an app, 4 096 from a bot).

    The default of `WeComBotHandler`. WeCom's plugin for WeChat does not show markdown.
    """

    look = MARKDOWN
    wecom_markdown = True
