"""The logging face of `render`: what a handler sends when ``setFormatter`` gives it one of these.

With any other `logging.Formatter` the handler sends what that made of the record, as msgtype text.
"""

from __future__ import annotations

import logging

from .pipeline.capture import Origin, capture
from .pipeline.mask import masked
from .pipeline.source import with_source
from .render.layout import Style, lay_out
from .render.redact import redact
from .render.styles import MARKDOWN, TEXT


class _AlertFormatter(logging.Formatter):
    """Formats a whole record, masked and inert, of any length; a handler fits it to its channel."""

    style: Style

    def __init__(self) -> None:
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """The record as it would be sent, without a limit."""
        alert = masked(with_source(capture(record, Origin())), redact)
        return "\n".join(lay_out(alert, self.style).lines())


class TextFormatter(_AlertFormatter):
    """Plain text (msgtype text, at most 2 048 bytes), which WeChat shows too. The default of `WeComHandler`."""

    style = TEXT


class MarkdownFormatter(_AlertFormatter):
    """WeCom's first markdown with colours by level (2 048 bytes from an app, 4 096 from a bot).

    The default of `WeComBotHandler`. WeCom's plugin for WeChat does not show markdown.
    """

    style = MARKDOWN
